#!/usr/bin/env python3
"""make_safetensors_golden.py - a file as Hugging Face's library writes it.

Writes validation/golden/tiny.safetensors: values n, n + 0.5, ... in f32 and
bfloat16 tensors whose names need sorting.  src/model/test/safetensors.c reads
it, and must write the same bytes itself.  Made with safetensors 0.4.

    make_safetensors_golden.py FILE
"""
import os
import sys

import torch
from safetensors.torch import save_file


def ramp(start, *shape):
    n = 1
    for d in shape:
        n *= d
    return (start + 0.5 * torch.arange(n)).reshape(shape)


save_file({"z.weight": ramp(1, 3, 5).to(torch.bfloat16),
           "a.bias": ramp(2, 7),
           "b.weight": ramp(3, 2, 3),
           "a.weight": ramp(4, 4).to(torch.bfloat16)},
          sys.argv[1], metadata={"format": "pt"})
os.chmod(sys.argv[1], 0o644)
