#!/usr/bin/env python3
"""make_reference.py - what validation/run.sh compares a build with.

    make_reference.py SRCDIR OUTPUT_DIR

Writes, all from PyTorch and Transformers in f32:
  ref-tokenizer.h5    ids of texts.jsonl by the tokenizers library, with the
                      tokenizer of the mini models
  ref-KIND.h5         losses, logits and every gradient of a tiny model, kinds
                      qwen2 and llama, whose weights are in model-KIND-usual.h5
  ref-KIND-bf16.h5    the same with the tolerances of bfloat16
  ref-training.h5     losses and gradient norms of fifty steps: the f64 numbers
                      of trajectory.jsonl (make_trajectory_golden.py)
  ref-generate.h5     greedy answers of the mini teacher
The tolerances that `sextant diff` reads stand at the datasets, as attributes.
Made with torch 2.5.1, transformers 4.46.3, tokenizers 0.20, h5py 3.
"""
import json
import os
import sys

import h5py
import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import (LlamaConfig, LlamaForCausalLM, Qwen2Config,
                          Qwen2ForCausalLM)

CLASSES = {"qwen2": (Qwen2Config, Qwen2ForCausalLM),
           "llama": (LlamaConfig, LlamaForCausalLM)}
# Errors as shares of a tensor's largest element.  f32: sums in another order,
# measured below 2e-6; bf16: eight bits of mantissa through some forty roundings,
# measured below 3e-2 (doc/numerics.md).
SHARE = {"": 1e-5, "-bf16": 6e-2}


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def start(path, form, title, how):
    f = h5py.File(path, "w")
    f.attrs["format"] = np.bytes_(form)
    f.attrs["format_version"] = np.int64(1)
    f.attrs["title"] = np.bytes_(title)
    f.attrs["made_by"] = np.bytes_("validation/oracle/make_reference.py: " + how)
    f.attrs["partial"] = np.int64(1)
    return f


def ragged(f, name, rows):
    f[name] = np.concatenate(rows).astype(np.int32)
    f[name + "_offsets"] = np.cumsum([0] + [len(r) for r in rows]).astype(
        np.uint64)


def close_to(f, name, values, share):
    values = np.asarray(values)
    f[name] = values
    f[name].attrs["rtol"] = 0.0
    f[name].attrs["atol"] = share * float(np.abs(values).max())


def model_of(path):
    with h5py.File(path) as f:
        config = json.loads(bytes(f["hf/config.json"][:]))
        make_config, make = CLASSES[config["model_type"]]
        model = make(make_config(**config, attn_implementation="eager"))
        state = {name: torch.tensor(np.asarray(as_f32(f["tensors"][name])))
                 for name in f["tensors"]}
    missing, extra = model.load_state_dict(state, strict=False)
    assert not extra and set(missing) <= {"lm_head.weight"}, (missing, extra)
    model.tie_weights()
    return model.float().eval()


def as_f32(data):
    """bfloat16 is a custom float of HDF5, which h5py gives as such."""
    raw = data[()]
    if raw.dtype.itemsize == 2:
        space = np.empty(data.shape, np.uint16)
        data.id.read(h5py.h5s.ALL, h5py.h5s.ALL, space,
                     mtype=data.id.get_type())
        raw = (space.astype(np.uint32) << 16).view(np.float32)
    return raw


def probe(output, kind, golden):
    model = model_of(os.path.join(golden, f"model-{kind}-usual.h5"))
    texts = [torch.tensor([line["ids"]])
             for line in lines(os.path.join(golden, "ids.jsonl"))]
    logits, losses = [], []
    predicted = sum(ids.shape[1] - 1 for ids in texts)
    for ids in texts:
        out = model(input_ids=ids).logits[0]
        loss = torch.nn.functional.cross_entropy(out[:-1], ids[0, 1:],
                                                 reduction="sum")
        (loss / predicted).backward()
        logits.append(out.detach().numpy())
        losses.append(float(loss))
    for suffix, share in SHARE.items():
        with start(os.path.join(output, f"ref-{kind}{suffix}.h5"),
                   "sextant/probe", f"A tiny {kind} model, by PyTorch",
                   "ids.jsonl through Transformers, f32, a text at a time") as f:
            ragged(f, "texts/ids", [ids[0].numpy() for ids in texts])
            close_to(f, "texts/loss", [loss / (ids.shape[1] - 1)
                                       for loss, ids in zip(losses, texts)],
                     share)
            close_to(f, "loss", sum(losses) / predicted, share)
            close_to(f, "logits", np.concatenate(logits), share)
            for name, p in model.named_parameters():
                close_to(f, "gradients/" + name, p.grad.numpy(), share)


def tokenizer(output, mini, golden):
    with h5py.File(os.path.join(mini, "base.h5")) as f:
        tok = Tokenizer.from_str(bytes(f["hf/tokenizer.json"][:]).decode())
    rows = [tok.encode(line["text"], add_special_tokens=False).ids
            for line in lines(os.path.join(golden, "texts.jsonl"))]
    with start(os.path.join(output, "ref-tokenizer.h5"), "sextant/probe",
               "Token ids, by the tokenizers library", "texts.jsonl with the "
               "mini models' tokenizer") as f:
        ragged(f, "texts/ids", rows)


def generate(output, mini, golden):
    """Answers of at most 48 tokens, the most probable token each time."""
    path = os.path.join(mini, "teacher.h5")
    model = model_of(path)
    with h5py.File(os.path.join(golden, "mini-generations.h5")) as f:
        ids = f["generations/prompt_ids"][:]
        at = f["generations/prompt_ids_offsets"][:]
        sample = f["generations/sample"][:]
    prompts = [ids[at[i]:at[i + 1]] for i in range(len(sample))
               if sample[i] == 0]
    end = model.config.eos_token_id
    end = end if isinstance(end, list) else [end]
    answers, closest = [], np.inf
    for prompt in prompts:
        row, answer = torch.tensor(prompt, dtype=torch.long)[None], []
        while len(answer) < 48 and not (answer and answer[-1] in end):
            with torch.no_grad():
                out = model(input_ids=row).logits[0, -1]
            best = torch.topk(out, 2)
            closest = min(closest, float(best.values[0] - best.values[1]))
            answer.append(int(best.indices[0]))
            row = torch.cat([row, best.indices[:1][None]], dim=1)
        answers.append(answer)
    assert closest > 1e-3, closest  # no tie that rounding could decide
    with start(os.path.join(output, "ref-generate.h5"), "sextant/generations",
               "Greedy answers, by Transformers", "the mini teacher, f32; two "
               f"best logits nowhere nearer than {closest:.3g}") as f:
        ragged(f, "generations/prompt_ids", prompts)
        ragged(f, "generations/output_ids", answers)


def training(output, golden):
    """f32 errs from f64 by 4e-7 of the loss and 2e-6 of the norm in PyTorch;
    one order is left for other orders of the sums."""
    rows = lines(os.path.join(golden, "trajectory.jsonl"))
    with start(os.path.join(output, "ref-training.h5"), "sextant/metrics",
               "Fifty steps, by PyTorch", "trajectory.jsonl, in f64") as f:
        f["steps/step"] = np.array([row["step"] for row in rows], np.int64)
        for name, share in (("loss", 1e-5), ("grad_norm", 1e-4)):
            f["steps/" + name] = np.array([row[name] for row in rows])
            f["steps/" + name].attrs["rtol"] = share


def main():
    srcdir, output = sys.argv[1:]
    golden = os.path.join(srcdir, "validation/golden")
    mini = os.path.join(srcdir, "inputs/mini")
    torch.manual_seed(0)
    for kind in CLASSES:
        probe(output, kind, golden)
    tokenizer(output, mini, golden)
    training(output, golden)
    generate(output, mini, golden)


main()
