#!/usr/bin/env python3
"""make_trajectory_golden.py - fifty steps of fine-tuning as PyTorch does them.

Writes trajectory.h5, a small qwen2 model file (grouped queries, heads of 64,
tied), and trajectory.jsonl: loss and gradient norm of every step over the first
eight samples of src/stage/test/fixture.c, all of them in every step.  The truth
is computed in f64.  Beside it is what PyTorch comes to in bf16: weights rounded
from an f32 master every step, gradients summed and AdamW done in f32.

The weights are multiples of 2^-5, so that the file is small.

Made with torch 2.5.1, transformers 4.46.3, h5py 3.

    make_trajectory_golden.py DIRECTORY
"""
import json
import os
import sys

import h5py
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.optimization import (
    get_cosine_with_min_lr_schedule_with_warmup)

from make_sft_golden import END, samples, write_model

STEPS, LR, FLOOR, WARMUP, CLIP, DECAY = 50, 4e-4, 4e-5, 5, 1.0, 0.1

CONFIG = Qwen2Config(
    vocab_size=264, hidden_size=128, intermediate_size=32, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=512,
    rope_theta=1e4, rms_norm_eps=1e-6, tie_word_embeddings=True,
    bos_token_id=258, eos_token_id=END, attn_implementation="eager")


def init(model):
    gen = torch.Generator().manual_seed(20250121)
    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=gen, dtype=torch.float64)
            x = 1 + 0.1 * x if "norm" in name else 0.08 * x
            p.copy_((32 * x).round() / 32)


def run(model, master):
    """Rows (loss, gradient norm).  master: the optimizer's tensors."""
    data = list(samples())[:8]
    learned = sum(len(answer) for _, answer in data)
    weights = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in master if p.ndim == 2], "weight_decay": DECAY},
         {"params": [p for p in master if p.ndim != 2], "weight_decay": 0.0}],
        lr=LR, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_cosine_with_min_lr_schedule_with_warmup(
        optimizer, WARMUP, STEPS, min_lr=FLOOR)
    rows = []
    for _ in range(STEPS):
        with torch.no_grad():
            for p, m in zip(weights, master):
                p.copy_(m)
                m.grad = torch.zeros_like(m)
        total = 0.0
        for prompt, answer in data:
            ids = torch.tensor([prompt + answer])
            labels = torch.tensor([-100] * len(prompt) + answer)
            logits = model(input_ids=ids).logits[0, :-1]
            loss = torch.nn.functional.cross_entropy(
                logits.to(master[0].dtype), labels[1:], ignore_index=-100,
                reduction="sum")
            model.zero_grad()
            (loss / learned).backward()
            for p, m in zip(weights, master):
                m.grad += p.grad
            total += float(loss)
        norm = torch.nn.utils.clip_grad_norm_(master, CLIP)
        rows.append((total / learned, float(norm)))
        optimizer.step()
        schedule.step()
    return rows


def trajectory(state, weights, master):
    model = Qwen2ForCausalLM(CONFIG).to(weights)
    model.load_state_dict(state)
    return run(model, [torch.nn.Parameter(p.detach().to(master).clone())
                       for p in model.parameters()])


def main():
    model = Qwen2ForCausalLM(CONFIG)
    init(model)
    state = model.state_dict()
    path = os.path.join(sys.argv[1], "trajectory.h5")
    with h5py.File(path, "w") as f:
        write_model(f, CONFIG, "The model of trajectory.jsonl", model,
                    compression="gzip", compression_opts=9, shuffle=True)
    truth = trajectory(state, torch.float64, torch.float64)
    bf16 = trajectory(state, torch.bfloat16, torch.float32)
    f32 = trajectory(state, torch.float32, torch.float32)
    lines = os.path.join(sys.argv[1], "trajectory.jsonl")
    with open(lines, "w", encoding="ascii") as f:
        for i, (t, b) in enumerate(zip(truth, bf16)):
            f.write(json.dumps({
                "step": i + 1, "loss": t[0], "grad_norm": t[1],
                "bf16_loss": b[0], "bf16_grad_norm": b[1]}) + "\n")
    for what, rows in (("bf16", bf16), ("f32", f32)):
        for c, name in enumerate(("loss", "grad_norm")):
            off = [abs(r[c] / t[c] - 1) for r, t in zip(rows, truth)]
            print(f"{what} {name}: worst {max(off):.2e}, "
                  f"mean {sum(off) / len(off):.2e}")
    print(path, os.path.getsize(path), truth[0], truth[-1])


main()
