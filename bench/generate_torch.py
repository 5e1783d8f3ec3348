#!/usr/bin/env python3
"""generate_torch.py - the same measurement with Transformers on the CPU.

usage: generate_torch.py DIRECTORY [f32|bf16] [THREADS] [REPETITIONS]

DIRECTORY is the Hugging Face form of the model that bench/generate reads.
"""
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM


@torch.inference_mode()
def once(model, batch, n_prompt, n_draw):
    """Seconds for a prompt and n_draw greedy tokens, batch sequences."""
    vocab = model.config.vocab_size
    ids = torch.tensor([[(b * 7919 + i * 104729 + 17) % vocab
                         for i in range(n_prompt)] for b in range(batch)])
    past, begin = None, time.perf_counter()
    for _ in range(n_draw):
        out = model(input_ids=ids, past_key_values=past, use_cache=True,
                    num_logits_to_keep=1)
        past, ids = out.past_key_values, out.logits[:, -1:].argmax(-1)
    return time.perf_counter() - begin


def measure(model, name, batch, n_prompt, n_draw, repetitions):
    tokens = batch * (n_prompt if n_prompt > 1 else n_draw)
    once(model, batch, n_prompt, min(n_draw, 8))
    rates = [tokens / once(model, batch, n_prompt, n_draw)
             for _ in range(repetitions)]
    deviation = statistics.stdev(rates) if len(rates) > 1 else 0.0
    print(f"{name} batch {batch:2d}  {statistics.mean(rates):8.2f} tok/s "
          f"+- {deviation:.2f}", flush=True)


def main():
    args = sys.argv[1:] + [None] * 4
    dtype = torch.float32 if args[1] == "f32" else torch.bfloat16
    if args[2] and int(args[2]) > 0:
        torch.set_num_threads(int(args[2]))
    repetitions = int(args[3] or 3)
    model = AutoModelForCausalLM.from_pretrained(args[0], torch_dtype=dtype)
    model.eval()
    print(f"# torch {torch.__version__}  {torch.get_num_threads()} threads  "
          f"{args[1] or 'bf16'}")
    measure(model, "pp512", 1, 512, 1, repetitions)
    measure(model, "tg128", 1, 1, 128, repetitions)
    measure(model, "tg128", 16, 1, 128, repetitions)


if __name__ == "__main__":
    main()
