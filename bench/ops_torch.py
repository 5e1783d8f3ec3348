#!/usr/bin/env python3
"""ops_torch.py - PyTorch on the CPU for the shapes of ops.c.

usage: ops_torch.py [THREADS]

Prints "name ms" for each line; with one thread, time is the processor's.
"""
import sys
import time

import torch
import torch.nn.functional as F

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
SECONDS = 0.4
HQ, HK, D, HIDDEN, FFN, VOCAB = 9, 3, 64, 576, 1536, 49152
GEMMS = [(1, VOCAB, HIDDEN), (16, VOCAB, HIDDEN), (1, 2 * FFN, HIDDEN),
         (1, HIDDEN, FFN), (16, 2 * FFN, HIDDEN), (64, 2 * FFN, HIDDEN),
         (512, 960, HIDDEN), (512, 2 * FFN, HIDDEN), (512, HIDDEN, FFN),
         (1024, 1152, 896)]


def clock():
    return time.perf_counter() if THREADS > 1 else time.process_time()


def best(act):
    """Best time of one call in ms, at least three calls."""
    act(0)
    shortest, turn, start = 1e9, 1, clock()
    while turn < 4 or clock() - start < SECONDS:
        begin = clock()
        act(turn)
        shortest = min(shortest, clock() - begin)
        turn += 1
    return shortest * 1e3


def line(name, act):
    print(f"{name:32s} {best(act):10.3f}", flush=True)


def gemms(dtype, name):
    for m, n, k in GEMMS:
        copies = 1 if m > 64 else 1 + (96 << 20) // (n * k * 4)
        a = torch.randn(m, k).to(dtype)
        w = torch.randn(n, k).to(dtype).repeat(copies, 1, 1)
        line(f"gemm_{name}_{m}x{n}x{k}",
             lambda turn: F.linear(a, w[turn % copies]))
    a, b = torch.randn(1024, 2 * FFN), torch.randn(1024, HIDDEN)
    a, b = a.to(dtype), b.to(dtype)
    line(f"gemm_tn_{name}_{2 * FFN}x{HIDDEN}x1024", lambda _: a.T @ b)


def attention():
    q = torch.randn(1, HQ, 1024, D).bfloat16().requires_grad_()
    k = torch.randn(1, HK, 1024, D).bfloat16().requires_grad_()
    v = torch.randn(1, HK, 1024, D).bfloat16().requires_grad_()

    def forward():
        return F.scaled_dot_product_attention(
            q, k.repeat_interleave(HQ // HK, 1),
            v.repeat_interleave(HQ // HK, 1), is_causal=True)

    with torch.no_grad():
        line("attn_bf16_1024", lambda _: forward())
    o = forward()
    line("attn_bwd_bf16_1024", lambda _: torch.autograd.grad(
        o, (q, k, v), torch.ones_like(o), retain_graph=True))


def rows():
    x = torch.randn(1024, HIDDEN).bfloat16()
    r, w = torch.randn(1024, HIDDEN).bfloat16(), torch.randn(HIDDEN).bfloat16()

    def norm(_):
        y = r.add_(x).float()
        scale = torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-5)
        return w * (y * scale).bfloat16()

    line("add_rmsnorm_bf16_1024x576", norm)
    gu = torch.randn(1024, 2 * FFN).bfloat16()
    line("swiglu_bf16_1024x1536",
         lambda _: F.silu(gu[:, :FFN]) * gu[:, FFN:])
    logits = torch.randn(128, VOCAB).requires_grad_()
    target = torch.arange(128)

    def xent(_):
        loss = F.cross_entropy(logits, target, reduction="sum")
        return torch.autograd.grad(loss, logits)

    line("xent_128x49152", xent)
    p = torch.randn(1 << 24).requires_grad_()
    p.grad = torch.randn(1 << 24)
    adamw = torch.optim.AdamW([p], lr=1e-5, fused=True)
    line("adamw_split_16M", lambda _: adamw.step())


torch.manual_seed(1)
torch.set_num_threads(THREADS)
gemms(torch.bfloat16, "bf16")
gemms(torch.float32, "f32")
attention()
rows()
