#!/usr/bin/env python3
"""make_mini_golden.py - validation/golden/mini-*.h5, what installcheck compares.

    make_mini_golden.py SEXTANT SRCDIR OUTPUT_DIR

Runs the small mini pipeline with the reference kernels (backend=ref: plain
loops that define what the fast ones must compute) and keeps its results without
/config, which holds paths, and /provenance.  Tolerances go into attributes that
`sextant diff` reads.
"""
import os
import subprocess
import sys
import tempfile

import h5py

# Tokens, verdicts and choices must be equal.  Of the numbers, f32 sums in
# another order: measured 3e-5 of the log-probability of an answer of ~40 tokens
# and 3e-7 of losses and norms (AVX2 and oneDNN against the reference).  1e-3
# and 1e-4 leave room for other processors, and none for a wrong kernel.
TOLERANCES = {
    "generations": {"generations/logprob": (1e-3, 1e-3)},
    "metrics": {"steps/loss": (1e-4, 1e-6), "steps/grad_norm": (1e-3, 1e-6)},
}
FILES = ["problems", "generations", "verdicts", "train", "eval-base", "metrics"]


def run(sextant, srcdir, where):
    script = os.path.join(srcdir, "validation/mini-small.sed")
    config = os.path.join(srcdir, "inputs/mini/mini.cfg")
    text = subprocess.run(["sed", "-f", script, config], check=True,
                          capture_output=True, text=True).stdout
    with open(os.path.join(where, "small.cfg"), "w") as out:
        out.write(text.replace("backend=auto", "backend=ref"))
    os.symlink(os.path.join(srcdir, "inputs/mini"), os.path.join(where, "mini"))
    subprocess.run([sextant, "pipeline", "-q", "small.cfg", "-o", "run"],
                   check=True, cwd=where)


def keep(name, source, target):
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        for key in old:
            if key not in ("config", "provenance"):
                old.copy(key, new)
        for path, (rtol, atol) in TOLERANCES.get(name, {}).items():
            new[path].attrs["rtol"] = rtol
            new[path].attrs["atol"] = atol


def main():
    sextant, srcdir, output = map(os.path.abspath, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as where:
        run(sextant, srcdir, where)
        for name in FILES:
            keep(name, os.path.join(where, "run", name + ".h5"),
                 os.path.join(output, f"mini-{name}.h5"))


main()
