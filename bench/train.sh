#!/bin/sh
# train.sh - a training step beside Transformers and PyTorch on the CPU.
#
# usage: train.sh BUILDDIR MODEL.h5|SHAPE HF-DIRECTORY|SHAPE [f32|bf16]
#        [THREADS] [STEPS] [TOKENS] [DOCS] [KEEP]
#
# The runs alternate, twice each, so that both meet the same machine; the ratio
# is that of the medians.  PYTHON3 names a Python that has PyTorch and
# Transformers.
here=$(dirname "$0")
build=${1:?} model=${2:?} directory=${3:?}
shift 3
export OMP_NUM_THREADS="${2-1}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ours='' theirs=''

rate() { # OUTPUT: its tokens per second
    printf '%s\n' "$1" | awk '$1 == "step" { print $4 }'
}
for round in 1 2; do
    echo "# round $round: sextant"
    out=$("$build/bench/train" "$model" "$@") || exit 1
    printf '%s\n' "$out"
    ours="$ours $(rate "$out")"
    echo "# round $round: PyTorch"
    out=$("${PYTHON3:-python3}" "$here/train_torch.py" "$directory" "$@" \
        2>/dev/null) || exit 1
    printf '%s\n' "$out"
    theirs="$theirs $(rate "$out")"
done
echo "$ours$theirs" | awk '{
    printf "# sextant %s %s tok/s  PyTorch %s %s tok/s  ratio %.2f\n", $1, $2,
           $3, $4, ($1 + $2) / ($3 + $4)
}'
