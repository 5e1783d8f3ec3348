#!/usr/bin/env python3
"""make_model_golden.py - what PyTorch and Transformers say a step does.

Writes model-qwen2.h5 and model-llama.h5, and the same with weights of usual
size, -usual.h5: a tiny model (/hf/config.json and
/tensors, as in a model file), a packed batch, and of the mean loss the logits,
the gradient of every tensor and the parameters after 1, 2 and 3 steps of
torch.optim.AdamW.  Transformers sees every document alone, so the pack is
tested too.  The weights are bfloat16 numbers, so that the networks in f32 and
in bfloat16 are the same network and have one truth; how far PyTorch is from it
when it computes in bfloat16 is written too, for ours shall not be farther.

/golden/names lists tensors; gradients and parameters are flat arrays in that
order.  Made with torch 2.5.1, transformers 4.46.3, h5py 3.

    make_model_golden.py DIRECTORY
"""
import json
import os
import sys

import h5py
import numpy as np
import torch
from transformers import (LlamaConfig, LlamaForCausalLM, Qwen2Config,
                          Qwen2ForCausalLM)

LENGTHS = [1, 7, 13, 21]  # of the documents
PROMPT = 2                # tokens of each that are not learned
LR, BETAS, EPS, DECAY = 1e-3, (0.9, 0.95), 1e-6, 0.1

# Awkward on purpose: odd vocabulary, grouped queries, no power of two.
COMMON = dict(max_position_embeddings=64, attn_implementation="eager",
              torch_dtype=torch.float32)
CASES = {
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(
        vocab_size=61, hidden_size=20, intermediate_size=27,
        num_hidden_layers=2, num_attention_heads=5, num_key_value_heads=1,
        rope_theta=1e6, rms_norm_eps=1e-6, tie_word_embeddings=False,
        bos_token_id=1, eos_token_id=2, **COMMON)),
    "llama": (LlamaForCausalLM, LlamaConfig(
        vocab_size=61, hidden_size=24, intermediate_size=25,
        num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
        rope_theta=1e4, rms_norm_eps=1e-5, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, **COMMON)),
}
TOLERANCES = [
    ("f32_relative", 2e-5, "largest error of a tensor in f32, by its largest "
     "element: sums in another order than PyTorch's"),
    ("bf16_logits_l2", 1.5e-2, "relative L2 error of the logits in bfloat16: "
     "eight bits of mantissa, averaged over a sum"),
    ("step_in_lr", 2e-2, "largest error of a parameter after AdamW, by the "
     "learning rate: AdamW divides a gradient by its own size, so gradients "
     "near eps make the most of rounding"),
]


# Standard deviation of weights, times the root of their inputs: at 1.5 every
# part matters, and errors of rounding grow on the way; a network is begun, and
# after training still is, near 0.5 (0.02 at 576 inputs).
GAINS = {"": 1.5, "-usual": 0.5}
# In bfloat16, where rounding does not grow: relative L2 error of each matrix's
# gradient, cosine of each tensor's.
USUAL = [("bf16_grads_l2", 1.5e-2), ("bf16_grads_cosine", 0.9995)]


def init(model, gain):
    """Random weights; norms and biases not 1 and 0."""
    gen = torch.Generator().manual_seed(20250117)
    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=gen)
            if "norm" in name:
                x = 1 + 0.2 * x
            elif name.endswith("bias"):
                x = 0.5 * x
            else:
                x = x * (gain / np.sqrt(p.shape[-1]))
            p.copy_(x.to(torch.bfloat16))


def batch(vocab):
    rng = np.random.default_rng(7)
    ids = rng.integers(0, vocab, sum(LENGTHS)).astype(np.int32)
    target = np.full_like(ids, -1)
    begin = np.concatenate([[0], np.cumsum(LENGTHS)]).astype(np.int32)
    for a, b in zip(begin[:-1], begin[1:]):
        target[a + PROMPT:b - 1] = ids[a + PROMPT + 1:b]
        if b - a > PROMPT:
            target[b - 1] = 2
    return ids, target, begin


def forward(model, ids, target, begin):
    """Mean loss over all targets, and the logits, document by document."""
    logits = torch.cat([
        model(input_ids=torch.tensor(ids[None, a:b], dtype=torch.long)).logits[0]
        for a, b in zip(begin[:-1], begin[1:])])
    loss = torch.nn.functional.cross_entropy(
        logits.float(), torch.tensor(target, dtype=torch.long),
        ignore_index=-1, reduction="sum")
    return loss / int((target >= 0).sum()), logits


def bf16_errors(cls, config, model, data):
    """Relative L2 error of each gradient tensor when PyTorch computes in
    bfloat16.  Activations are rounded some forty times on the way through so
    small a network: 3 % is what the format gives."""
    half = cls(config)
    half.load_state_dict(model.state_dict())
    half = half.to(torch.bfloat16)
    forward(half, *data)[0].backward()
    return np.array([float((q.grad.float() - p.grad).norm() / p.grad.norm())
                     for p, q in zip(model.parameters(), half.parameters())])


def flat(params, pick):
    return np.concatenate([pick(p).detach().numpy().ravel()
                           for _, p in params]).astype(np.float32)


def write(path, model, cls, config, kind, gain):
    def text(group, name, value):
        group.create_dataset(
            name, data=np.frombuffer(value.encode(), dtype=np.uint8))

    params = list(model.named_parameters())
    ids, target, begin = batch(config.vocab_size)
    with h5py.File(path, "w") as f:
        f.attrs["format"] = np.bytes_("sextant/golden")
        f.attrs["format_version"] = np.int64(1)
        f.attrs["title"] = np.bytes_(f"A step of a tiny {kind} model, "
                                     "by PyTorch")
        text(f, "hf/config.json", json.dumps(config.to_diff_dict()))
        for name, p in params:
            f["tensors/" + name] = p.detach().numpy()
        g = f.create_group("golden")
        text(g, "names", "\n".join(name for name, _ in params))
        g["ids"], g["target"], g["cu_seqlens"] = ids, target, begin
        for name, value, why in TOLERANCES:
            g.attrs[name] = value
            g.attrs[name + "_reason"] = np.bytes_(why)
        if gain == GAINS["-usual"]:
            for name, value in USUAL:
                g.attrs[name] = value
        for name, value in (("lr", LR), ("beta1", BETAS[0]),
                            ("beta2", BETAS[1]), ("eps", EPS),
                            ("weight_decay", DECAY)):
            g.attrs[name] = value

        opt = torch.optim.AdamW(
            [{"params": [p for _, p in params if p.ndim == 2],
              "weight_decay": DECAY},
             {"params": [p for _, p in params if p.ndim != 2],
              "weight_decay": 0.0}],
            lr=LR, betas=BETAS, eps=EPS)
        losses = []
        for step in range(4):
            opt.zero_grad()
            loss, logits = forward(model, ids, target, begin)
            losses.append(float(loss))
            if step == 0:
                g["logits"] = logits.detach().numpy()
            if step == 3:
                break
            loss.backward()
            if step == 0:
                g["grads"] = flat(params, lambda p: p.grad)
                g["bf16_l2_of_pytorch"] = bf16_errors(
                    cls, config, model, (ids, target, begin))
            opt.step()
            g[f"after_{step + 1}"] = flat(params, lambda p: p)
        g["losses"] = np.array(losses)
    print(path, os.path.getsize(path), losses)


for kind, (cls, config) in CASES.items():
    for suffix, gain in GAINS.items():
        network = cls(config)
        init(network, gain)
        write(os.path.join(sys.argv[1], f"model-{kind}{suffix}.h5"), network,
              cls, config, kind, gain)
