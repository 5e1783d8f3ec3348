#!/bin/sh
# generate.sh - generation speed beside Transformers on the CPU.
#
# usage: generate.sh BUILDDIR MODEL.h5 HF-DIRECTORY [f32|bf16] [THREADS]
#        [REPETITIONS] [PROMPT] [DRAW]
#
# The runs alternate, so that both meet the same machine.  PYTHON3 names a Python
# that has PyTorch and Transformers.
here=$(dirname "$0")
build=${1:?} model=${2:?} directory=${3:?}
shift 3
[ "${2-0}" -eq 0 ] || export OMP_NUM_THREADS="$2"

for round in 1 2; do
    ours=$("$build/bench/generate" "$model" "$@") || exit 1
    theirs=$("${PYTHON3:-python3}" "$here/generate_torch.py" "$directory" "$@" \
        2>/dev/null) || exit 1
    printf '%s\n%s\n' "$ours" "$theirs" | awk -v round="$round" -v type="$1" '
        /^#/ { print; next }
        { key = $1 " batch " $3 }
        key in rate {
            printf "round %d  %s %s  sextant %.1f tok/s%s  transformers " \
                   "%.1f tok/s  ratio %.2f\n", round, type, key, rate[key],
                   share[key], $4, rate[key] / $4
            next
        }
        { rate[key] = $4; share[key] = " (roofline " $9 " %)" }'
done
