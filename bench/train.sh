#!/bin/sh
# train.sh - a training step beside Transformers and PyTorch on the CPU.
#
# usage: train.sh BUILDDIR MODEL.h5|SHAPE HF-DIRECTORY|SHAPE [f32|bf16]
#        [THREADS] [STEPS] [TOKENS] [DOCS]
#
# The runs alternate, twice each, so that both meet the same machine.  PYTHON3
# names a Python that has PyTorch and Transformers.
here=$(dirname "$0")
build=${1:?} model=${2:?} directory=${3:?}
shift 3
export OMP_NUM_THREADS="${2-1}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

for round in 1 2; do
    echo "# round $round: sextant"
    "$build/bench/train" "$model" "$@" || exit 1
    echo "# round $round: PyTorch"
    "${PYTHON3:-python3}" "$here/train_torch.py" "$directory" "$@" \
        2>/dev/null || exit 1
done | awk '
    { print; fflush() }
    /^# round/ { who = $4 }
    $1 == "step" { rate[who] = rate[who] " " $4; n[who]++; sum[who] += $4 }
    END {
        for (who in rate)
            print "# " who ":" rate[who] " tok/s"
        if (n["PyTorch"] == 2)
            printf "# ratio %.2f\n", sum["sextant"] / sum["PyTorch"]
    }'
