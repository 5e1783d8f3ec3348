#!/usr/bin/env python3
"""equal.py - the same measurement as equal.c with the package math-verify.

usage: equal.py PAIRS.jsonl

In processor time, in which other work on the machine does not count (equal.c
takes the clock on the wall).  Gold and answer are given inside \\boxed{}, as
its authors advise; once each."""
import json
import statistics
import sys
import time

from math_verify import parse, verify

right = misses = false_accepts = 0
seconds = []
for line in open(sys.argv[1], encoding="utf-8"):
    pair = json.loads(line)
    if not isinstance(pair.get("equal"), bool):
        continue
    start = time.process_time()
    try:
        equal = bool(
            verify(
                parse("\\boxed{" + pair["gold"] + "}"),
                parse("\\boxed{" + pair["pred"] + "}"),
            )
        )
    except Exception:  # its time limit, for one
        equal = False
    seconds.append(time.process_time() - start)
    right += equal == pair["equal"]
    misses += pair["equal"] and not equal
    false_accepts += equal and not pair["equal"]
seconds.sort()
n = len(seconds)
print(
    n,
    right,
    misses,
    false_accepts,
    f"{1e6 * seconds[n // 2]:.1f} {1e6 * seconds[n * 99 // 100]:.1f}",
    f"{1e6 * statistics.fmean(seconds):.1f}",
)
