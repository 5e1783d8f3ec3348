#!/usr/bin/env python3
"""smollm2_greedy.py - what Transformers makes of SmolLM2: greedy answers.

Reads the first questions of GSM8K's test split (MIT licence), renders them in
ChatML with a fixed system prompt, and continues each with the likeliest token,
in f32, one prompt at a time.  One JSON object a line: prompt_ids, output_ids
(with the end token, if it came), and gap: how far each chosen token's logit
lay above the second best, so that a reader can tell a tie from a fault.

    smollm2_greedy.py --model DIRECTORY --data DIRECTORY --out FILE.jsonl

DIRECTORY of --model is what smollm2_to_hf.py writes; of --data, the one that
holds gsm8k/test.jsonl.  Made with torch 2.5.1 and transformers 4.46.
"""
import argparse
import json
import os

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
TEMPLATE = ("<|im_start|>system\n{system}<|im_end|>\n"
            "<|im_start|>user\n{user}<|im_end|>\n"
            "<|im_start|>assistant\n")


@torch.no_grad()
def greedy(model, prompt, n_tokens, end):
    ids, gaps, past = [], [], None
    step = torch.tensor([prompt])
    while len(ids) < n_tokens and (not ids or ids[-1] != end):
        out = model(input_ids=step, past_key_values=past, use_cache=True)
        past = out.past_key_values
        top = torch.topk(out.logits[0, -1], 2)
        ids.append(int(top.indices[0]))
        gaps.append(round(float(top.values[0] - top.values[1]), 5))
        step = torch.tensor([ids[-1:]])
    return ids, gaps


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--model", required=True)
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--problems", type=int, default=20)
    ap.add_argument("--tokens", type=int, default=128)
    args = ap.parse_args()

    tok = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model,
                                                 torch_dtype=torch.float32)
    model.eval()
    with open(os.path.join(args.data, "gsm8k", "test.jsonl"),
              encoding="utf-8") as f, open(args.out, "w") as out:
        for i, line in zip(range(args.problems), f):
            text = TEMPLATE.format(system=SYSTEM,
                                   user=json.loads(line)["question"])
            prompt = tok(text, add_special_tokens=False).input_ids
            ids, gaps = greedy(model, prompt, args.tokens, tok.eos_token_id)
            row = {"id": f"gsm8k/test/{i}", "prompt_ids": prompt,
                   "output_ids": ids, "gap": gaps, "min_gap": min(gaps)}
            out.write(json.dumps(row, separators=(",", ":")) + "\n")
            print(row["id"], len(prompt), len(ids), row["min_gap"], flush=True)


main()
