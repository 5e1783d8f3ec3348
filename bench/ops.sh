#!/bin/sh
# ops.sh - our kernels beside PyTorch's, run in turn; prints times and ratios.
#
# usage: ops.sh BUILDDIR [THREADS]
#
# PYTHON3 names a Python that has PyTorch.
here=$(dirname "$0")
build=${1:?usage: ops.sh BUILDDIR [THREADS]} threads=${2-1}

OMP_NUM_THREADS=$threads
export OMP_NUM_THREADS
ours=$("$build/bench/ops" auto "$threads") || exit 1
theirs=$("${PYTHON3:-python3}" "$here/ops_torch.py" "$threads") || exit 1
printf '%s\n\n%s\n' "$ours" "$theirs" | awk '
    $0 == "" { second = 1; next }
    !second { print; ms[$1] = $2; next }
    ms[$1] > 0 {
        printf "%-32s sextant %10.3f ms  PyTorch %10.3f ms  ratio %5.2f\n",
               $1, ms[$1], $2, $2 / ms[$1]
    }'
