#!/usr/bin/env python3
"""Learning rates of the schedulers of PyTorch and Transformers.

Prints the table of src/model/test/lrsched.c.  Made with torch 2.5.1 and
transformers 4.46.  Not needed to run the tests.
"""
import torch
from torch.optim.lr_scheduler import (CosineAnnealingWarmRestarts, LambdaLR,
                                      SequentialLR)
import transformers.optimization as hf

LR = 1e-5


def rates(make, steps):
    """Rate that each optimizer step uses, step 1 first."""
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    schedule = make(optimizer)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return out


def warmed_restarts(optimizer):
    return SequentialLR(
        optimizer,
        [LambdaLR(optimizer, lambda i: i / 5),
         CosineAnnealingWarmRestarts(optimizer, 10, 1, 1e-7)], [5])


CASES = [
    # name, C fields, steps, maker
    ("constant, warm-up 4", "SXT_LR_CONSTANT, 1e-5, 0, 4, 20, 1, 1, 0", 20,
     lambda o: hf.get_constant_schedule_with_warmup(o, 4)),
    ("linear, warm-up 5", "SXT_LR_LINEAR, 1e-5, 0, 5, 30, 1, 1, 0", 30,
     lambda o: hf.get_linear_schedule_with_warmup(o, 5, 30)),
    ("cosine, no warm-up", "SXT_LR_COSINE, 1e-5, 0, 0, 25, 1, 1, 0", 25,
     lambda o: hf.get_cosine_schedule_with_warmup(o, 0, 25)),
    ("cosine of 510 steps, 51 of warm-up",
     "SXT_LR_COSINE, 1e-5, 0, 51, 510, 1, 1, 0", 510,
     lambda o: hf.get_cosine_schedule_with_warmup(o, 51, 510)),
    ("cosine to a floor", "SXT_LR_COSINE, 1e-5, 1e-6, 3, 24, 1, 1, 0", 24,
     lambda o: hf.get_cosine_with_min_lr_schedule_with_warmup(
         o, 3, 24, min_lr=1e-6)),
    ("restarts every 100 steps", "SXT_LR_RESTARTS, 1e-5, 1e-7, 0, 310, 100, 1, 0",
     310, lambda o: CosineAnnealingWarmRestarts(o, 100, 1, 1e-7)),
    ("restarts, periods doubling", "SXT_LR_RESTARTS, 1e-5, 1e-7, 0, 80, 10, 2, 0",
     80, lambda o: CosineAnnealingWarmRestarts(o, 10, 2, 1e-7)),
    ("restarts behind a warm-up",
     "SXT_LR_RESTARTS, 1e-5, 1e-7, 5, 40, 10, 1, 0", 40, warmed_restarts),
    ("wsd", "SXT_LR_WSD, 1e-5, 1e-6, 4, 30, 1, 1, 10", 30,
     lambda o: hf.get_wsd_schedule(o, 4, 16, 10, min_lr_ratio=0.1)),
]

for name, fields, _, _ in CASES:
    print(f'    {{ "{name}",\n      {{ {fields} }} }},')
print()
for i, (_, _, steps, make) in enumerate(CASES):
    table = rates(make, steps)
    picks = {1, 2, 5, 6, steps // 2, steps - 10, steps - 1, steps}
    picks |= {s for s in (11, 31, 71, 100, 101, 301) if s <= steps}
    print("\n".join(f"    {{ {i}, {s}, {table[s - 1]:.17g} }},"
                    for s in sorted(picks)))
