#!/usr/bin/env python3
"""gpu_torch.py - the layer and the steps of gpu_train.c with PyTorch.

usage: gpu_torch.py [NAME]      only lines whose name contains NAME

bf16, flash attention of scaled_dot_product_attention, four documents of one
length as the rows of a batch (no mask is needed: the fastest there is), fused
AdamW whose state is bf16 (less work than gpu_train.c does), activations kept;
compiled if torch.compile works here.  Where memory does not do, it says so.
"""
import sys
import time

import torch
import torch.nn.functional as F

TOKENS, DOCS = 16384, 4


class Norm(torch.nn.Module):
    def __init__(self, h):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(h))

    def forward(self, x):
        f = x.float()
        f = f * torch.rsqrt(f.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * f.to(x.dtype)


class Block(torch.nn.Module):
    def __init__(self, h, hq, hk, ffn):
        super().__init__()
        self.hq, self.hk, self.d = hq, hk, 128
        self.norm1, self.norm2 = Norm(h), Norm(h)
        self.qkv = torch.nn.Linear(h, (hq + 2 * hk) * 128)
        self.o = torch.nn.Linear(hq * 128, h, bias=False)
        self.gate_up = torch.nn.Linear(h, 2 * ffn, bias=False)
        self.down = torch.nn.Linear(ffn, h, bias=False)

    def heads(self, x, n, rope):
        b, t, _ = x.shape
        x = x.view(b, t, n, self.d).transpose(1, 2)
        if rope is None:
            return x
        left, right = x.chunk(2, -1)
        return x * rope[0] + torch.cat((-right, left), -1) * rope[1]

    def forward(self, x, rope):
        sizes = [self.hq * self.d, self.hk * self.d, self.hk * self.d]
        q, k, v = self.qkv(self.norm1(x)).split(sizes, -1)
        k = self.heads(k, self.hk, rope).repeat_interleave(
            self.hq // self.hk, 1)
        v = self.heads(v, self.hk, None).repeat_interleave(
            self.hq // self.hk, 1)
        a = F.scaled_dot_product_attention(self.heads(q, self.hq, rope), k, v,
                                           is_causal=True)
        x = x + self.o(a.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Model(torch.nn.Module):
    def __init__(self, vocab, h, layers, hq, hk, ffn, tied):
        super().__init__()
        self.embed = torch.nn.Embedding(vocab, h)
        self.blocks = torch.nn.ModuleList(
            Block(h, hq, hk, ffn) for _ in range(layers))
        self.norm = Norm(h)
        self.head = torch.nn.Linear(h, vocab, bias=False)
        if tied:
            self.head.weight = self.embed.weight

    def forward(self, ids):
        t = torch.arange(ids.shape[1], device=ids.device)
        angle = t[:, None] * 1e6 ** (-torch.arange(
            0, 128, 2, device=ids.device) / 128)
        angle = torch.cat((angle, angle), -1)
        rope = angle.cos().bfloat16(), angle.sin().bfloat16()
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, rope)
        logits = self.head(self.norm(x))[:, :-1]
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


def compiled(step):
    """The step, compiled if that works."""
    try:
        fast = torch.compile(step)
        fast()
        return fast, "compiled"
    except Exception as error:  # a compiler, or Triton, may be missing
        return step, f"not compiled ({type(error).__name__})"


def seconds(step):
    step()
    best = float("inf")
    for _ in range(5):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        step()
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    return best


def train(optimize, vocab, h, layers, hq, hk, ffn, tied):
    """Seconds of a step, with gradients only or also the optimizer's."""
    with torch.device("cuda"):
        model = Model(vocab, h, layers, hq, hk, ffn, tied).bfloat16()
    ids = torch.arange(TOKENS, device="cuda") * 7919 % vocab
    ids = ids.view(DOCS, TOKENS // DOCS)
    forward, how = compiled(lambda: model(ids))
    if optimize:
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-7, fused=True)

    def step():
        model.zero_grad()
        forward().backward()
        if optimize:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    return seconds(step), how


def measured(name, work):
    if len(sys.argv) > 1 and sys.argv[1] not in name:
        return
    try:
        took, how = work()
        print(f"torch {name:18s} {1e3 * took:9.2f} ms  "
              f"{TOKENS / took:8.0f} tok/s  {how}", flush=True)
    except torch.cuda.OutOfMemoryError:
        print(f"torch {name:18s} does not fit", flush=True)
    torch.cuda.empty_cache()


def layer():
    shape = (5120, 40, 8, 27648)
    one, _ = train(False, 2048, shape[0], 1, *shape[1:], False)
    two, how = train(False, 2048, shape[0], 2, *shape[1:], False)
    return two - one, how


def main():
    print(f"# torch {torch.__version__}  {torch.cuda.get_device_name()}")
    measured("layer-32b", layer)
    measured("step-1.5b", lambda: train(True, 151936, 1536, 28, 12, 2, 8960,
                                        True))
    measured("step-7b", lambda: train(True, 152064, 3584, 28, 28, 4, 18944,
                                      False))


if __name__ == "__main__":
    main()
