#!/usr/bin/env python3
"""events.py - what TensorBoard reads of a run equals its metrics.jsonl.

    pip install tensorboard
    events.py RUN

Reads RUN/tensorboard with TensorBoard's own reader, which checks every CRC.
"""
import json
import math
import pathlib
import sys

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator)

run = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
events.Reload()
lines = [json.loads(l) for l in (run / "metrics.jsonl").open()]
tags = {"train/loss": "loss", "train/grad_norm": "grad_norm", "train/lr": "lr",
        "train/epoch": "epoch", "eval/loss": "eval_loss"}

for tag, key in tags.items():
    want = [(l["step"], np.float32(l[key])) for l in lines
            if l[key] is not None and math.isfinite(l[key])]
    have = ([(e.step, np.float32(e.value)) for e in events.Scalars(tag)]
            if tag in events.Tags()["scalars"] else [])
    assert have == want, (tag, have[:3], want[:3], len(have), len(want))
    print(f"{tag}: {len(have)} values are equal")
rate = [e.step for e in events.Scalars("train/tokens_per_s")]
assert rate == [l["step"] for l in lines], rate
