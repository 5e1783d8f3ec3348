#!/usr/bin/env python3
"""tokenizer.py - the same measurement as tokenizer.c with the tokenizers
library on one thread, in CPU time: the better of one call per text and one
call for all.

usage: tokenizer.py TOKENIZER.json FILE [MIN_SECONDS]"""
import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer  # noqa: E402

tok = Tokenizer.from_file(sys.argv[1])
min_seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 3
texts = []
with open(sys.argv[2], "rb") as f:
    for line in f:
        texts += [v for v in json.loads(line).values() if isinstance(v, str)]
n_bytes = sum(len(t.encode()) for t in texts)


def one_by_one():
    return [tok.encode(t, add_special_tokens=False) for t in texts]


def all_at_once():
    # The fast call does without offsets, which we do not compute either.
    call = getattr(tok, "encode_batch_fast", tok.encode_batch)
    return call(texts, add_special_tokens=False)


best, total, n_ids = 1e30, 0.0, 0
while total < min_seconds:
    for call in (one_by_one, all_at_once):
        start = time.process_time()
        out = call()
        seconds = time.process_time() - start
        total += seconds
        best = min(best, seconds)
        n_ids = sum(len(e.ids) for e in out)
print(len(texts), n_bytes, n_ids, f"{best:.4f} {n_bytes / best * 1e-6:.2f}")
