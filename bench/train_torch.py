#!/usr/bin/env python3
"""train_torch.py - the step of train.c with Transformers and PyTorch.

usage: train_torch.py DIRECTORY|SHAPE [f32|bf16] [THREADS] [STEPS] [TOKENS]
       [DOCS]

DIRECTORY is the Hugging Face form of the model that train.c reads.  The
documents have one length, so they are the rows of a batch: no mask is needed,
which is the fastest attention there is.  Activations are kept, not recomputed.
bf16 is all bf16, the optimizer's state too: less work than train.c does.
With one thread, time is the processor's.
"""
import statistics
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM

SHAPES = {
    "smollm2-135m": ("LlamaConfig", dict(
        vocab_size=49152, hidden_size=576, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, intermediate_size=1536,
        rms_norm_eps=1e-5, rope_theta=1e5)),
    "smollm2-360m": ("LlamaConfig", dict(
        vocab_size=49152, hidden_size=960, num_hidden_layers=32,
        num_attention_heads=15, num_key_value_heads=5, intermediate_size=2560,
        rms_norm_eps=1e-5, rope_theta=1e5)),
    "qwen2.5-0.5b": ("Qwen2Config", dict(
        vocab_size=151936, hidden_size=896, num_hidden_layers=24,
        num_attention_heads=14, num_key_value_heads=2, intermediate_size=4864,
        rms_norm_eps=1e-6, rope_theta=1e6)),
}


def load(name, dtype):
    if name not in SHAPES:
        return AutoModelForCausalLM.from_pretrained(
            name, torch_dtype=dtype, attn_implementation="sdpa")
    kind, sizes = SHAPES[name]
    config = getattr(transformers, kind)(
        **sizes, tie_word_embeddings=True, max_position_embeddings=8192)
    return AutoModelForCausalLM.from_config(
        config, torch_dtype=dtype, attn_implementation="sdpa")


def step(model, optimizer, ids, clock):
    """Seconds of forward with loss, backward, optimizer; and the loss."""
    at = [clock()]
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    at.append(clock())
    loss.backward()
    at.append(clock())
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    at.append(clock())
    parts = [b - a for a, b in zip(at, at[1:])]
    return parts + [at[-1] - at[0]], loss.item()


def main():
    args = sys.argv[1:] + [None] * 6
    name = args[0] or "smollm2-135m"
    dtype = torch.float32 if args[1] == "f32" else torch.bfloat16
    if args[2] and int(args[2]) > 0:
        torch.set_num_threads(int(args[2]))
    steps, tokens, docs = (int(args[3] or 3), int(args[4] or 2048),
                           int(args[5] or 8))
    clock = (time.perf_counter if torch.get_num_threads() > 1
             else time.process_time)
    model = load(name, dtype)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5,
                                  weight_decay=0.01, fused=True)
    length = tokens // docs
    ids = torch.tensor([(i * 7919 + 17) % 32749 for i in range(length * docs)])
    ids = ids.view(docs, length)
    print(f"# torch {torch.__version__}  {torch.get_num_threads()} threads  "
          f"{args[1] or 'bf16'}")
    _, first = step(model, optimizer, ids, clock)
    took = []
    for _ in range(steps):
        parts, loss = step(model, optimizer, ids, clock)
        took.append(parts)
    print(f"# loss {first:.4f}, after {steps + 1} steps {loss:.4f}")
    medians = [statistics.median(part) for part in zip(*took)]
    for label, seconds in zip(("forward", "backward", "optimizer"), medians):
        print(f"{label:10s} {seconds:8.3f} s  {100 * seconds / medians[-1]:5.1f} %")
    print(f"step       {medians[-1]:8.3f} s  "
          f"{length * docs / medians[-1]:.1f} tok/s")


if __name__ == "__main__":
    main()
