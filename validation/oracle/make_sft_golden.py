#!/usr/bin/env python3
"""make_sft_golden.py - a fine-tuning run as PyTorch does it.

Writes sft-run.h5: a tiny qwen2 model with a byte tokenizer (a model file), and
the loss, gradient norm and learning rate of ten steps over the thirty samples
of src/stage/test/fixture.c, every sample in every step, so that their order
does not matter.  Each sample goes through Transformers alone, without packing
or padding; prompt masked, the loss divided by all learned tokens; gradients
clipped; AdamW with decay on matrices; cosine with warm-up and floor.

Made with torch 2.5.1, transformers 4.46.3, h5py 3.

    make_sft_golden.py DIRECTORY
"""
import json
import os
import sys

import h5py
import numpy as np
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.optimization import (
    get_cosine_with_min_lr_schedule_with_warmup)

STEPS, LR, FLOOR, WARMUP, CLIP, DECAY = 10, 5e-3, 1e-3, 3, 0.5, 0.1
START, END = 256, 257

CONFIG = Qwen2Config(
    vocab_size=264, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
    rope_theta=1e4, rms_norm_eps=1e-6, tie_word_embeddings=False,
    bos_token_id=258, eos_token_id=END, attn_implementation="eager",
    torch_dtype=torch.float32)


def samples():
    """(prompt ids, answer ids) in ChatML, a byte a token."""
    for i in range(30):
        a, b = i * 7 % 10, i * 3 % 10
        turns = [("system", "Add.")] if i % 3 == 0 else []
        turns.append(("user", f"{a}+{b}"))
        prompt = []
        for role, text in turns:
            prompt += [START, *f"{role}\n{text}".encode(), END, ord("\n")]
        prompt += [START, *b"assistant\n"]
        answer = "let me think ... "[:i * i % 17] + str(a + b)
        yield prompt, [*answer.encode(), END]


def byte_tokenizer():
    """Byte b is token b; GPT-2's stand-ins for bytes that do not print."""
    names, n = {}, 0
    for b in range(256):
        printable = 33 <= b <= 126 or 161 <= b <= 172 or b >= 174
        names[chr(b if printable else 256 + n)] = b
        n += not printable
    level = {"type": "ByteLevel", "add_prefix_space": False,
             "trim_offsets": False, "use_regex": True}
    added = [{"id": 256 + i, "content": name, "single_word": False,
              "lstrip": False, "rstrip": False, "normalized": False,
              "special": True}
             for i, name in enumerate(("<|im_start|>", "<|im_end|>",
                                       "<|endoftext|>"))]
    return {"version": "1.0", "added_tokens": added, "normalizer": None,
            "pre_tokenizer": level, "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None,
                      "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False,
                      "byte_fallback": False, "vocab": names, "merges": []}}


def init(model):
    gen = torch.Generator().manual_seed(20250120)
    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=gen)
            p.copy_(1 + 0.2 * x if "norm" in name else 0.3 * x)


def run(model):
    data = list(samples())
    learned = sum(len(answer) for _, answer in data)
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim != 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": DECAY},
         {"params": vectors, "weight_decay": 0.0}],
        lr=LR, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_cosine_with_min_lr_schedule_with_warmup(
        optimizer, WARMUP, STEPS, min_lr=FLOOR)
    rows = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for prompt, answer in data:
            ids = torch.tensor([prompt + answer])
            labels = torch.tensor([-100] * len(prompt) + answer)
            logits = model(input_ids=ids).logits[0, :-1]
            loss = torch.nn.functional.cross_entropy(
                logits, labels[1:], ignore_index=-100, reduction="sum")
            (loss / learned).backward()
            total += float(loss)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        rows.append((total / learned, float(norm),
                     optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return np.array(rows), learned


def write_model(f, config, title, model, **storage):
    """A model file in the open HDF5 file f; storage: of its tensors."""
    f.attrs["format"] = np.bytes_("sextant/model")
    f.attrs["format_version"] = np.int64(1)
    f.attrs["title"] = np.bytes_(title)
    for name, value in (("config.json", config.to_diff_dict()),
                        ("tokenizer.json", byte_tokenizer())):
        f["hf/" + name] = np.frombuffer(json.dumps(value).encode(),
                                        dtype=np.uint8)
    for name, p in model.named_parameters():
        f.create_dataset("tensors/" + name, data=p.detach().numpy(), **storage)


def main():
    model = Qwen2ForCausalLM(CONFIG)
    init(model)
    path = os.path.join(sys.argv[1], "sft-run.h5")
    with h5py.File(path, "w") as f:
        write_model(f, CONFIG, "A fine-tuning run, by PyTorch", model)
        rows, learned = run(model)
        f["golden/loss"], f["golden/grad_norm"], f["golden/lr"] = rows.T
        f["golden"].attrs["learned"] = np.int64(learned)
    print(path, os.path.getsize(path), rows)


if __name__ == "__main__":
    main()
