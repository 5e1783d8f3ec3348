#!/usr/bin/env python3
"""generate_torch.py - the same measurement with Transformers on the CPU.

usage: generate_torch.py DIRECTORY [f32|bf16] [THREADS] [REPETITIONS]
       [PROMPT] [DRAW]

DIRECTORY is the Hugging Face form of the model that bench/generate reads.
With one thread, time is the processor's.
"""
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM


def clock():
    return (time.perf_counter() if torch.get_num_threads() > 1
            else time.process_time())


@torch.inference_mode()
def once(model, batch, n_prompt, n_draw):
    """Seconds for a prompt and n_draw greedy tokens, batch sequences."""
    vocab = model.config.vocab_size
    ids = torch.tensor([[(b * 7919 + i * 104729 + 17) % vocab
                         for i in range(n_prompt)] for b in range(batch)])
    past, begin = None, clock()
    for _ in range(n_draw):
        out = model(input_ids=ids, past_key_values=past, use_cache=True,
                    num_logits_to_keep=1)
        past, ids = out.past_key_values, out.logits[:, -1:].argmax(-1)
    return clock() - begin


def measure(model, name, batch, n_prompt, n_draw, repetitions):
    tokens = batch * (n_prompt if n_prompt > 1 else n_draw)
    once(model, batch, n_prompt, min(n_draw, 8))
    rates = [tokens / once(model, batch, n_prompt, n_draw)
             for _ in range(repetitions)]
    deviation = statistics.stdev(rates) if len(rates) > 1 else 0.0
    print(f"{name} batch {batch:2d}  {statistics.mean(rates):8.2f} tok/s "
          f"+- {deviation:.2f}", flush=True)


def main():
    args = sys.argv[1:] + [None] * 6
    dtype = torch.float32 if args[1] == "f32" else torch.bfloat16
    if args[2] and int(args[2]) > 0:
        torch.set_num_threads(int(args[2]))
    repetitions, prompt, draw = (int(args[3] or 3), int(args[4] or 512),
                                 int(args[5] or 128))
    model = AutoModelForCausalLM.from_pretrained(args[0], torch_dtype=dtype)
    model.eval()
    print(f"# torch {torch.__version__}  {torch.get_num_threads()} threads  "
          f"{args[1] or 'bf16'}")
    measure(model, f"pp{prompt}", 1, prompt, 1, repetitions)
    measure(model, f"tg{draw}", 1, 1, draw, repetitions)
    measure(model, f"tg{draw}", 16, 1, draw, repetitions)


if __name__ == "__main__":
    main()
