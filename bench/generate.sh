#!/bin/sh
# generate.sh - generation speed beside Transformers on the CPU.
#
# usage: generate.sh BUILDDIR MODEL.h5 HF-DIRECTORY [f32|bf16] [THREADS]
#        [REPETITIONS] [PYTHON]
#
# The runs alternate, so that both meet the same machine.
here=$(dirname "$0")
build=${1:?} model=${2:?} directory=${3:?} type=${4-f32} threads=${5-0}
times=${6-3} python=${7-python3}

for round in 1 2; do
    ours=$("$build/bench/generate" "$model" "$type" "$threads" "$times") ||
        exit 1
    theirs=$("$python" "$here/generate_torch.py" "$directory" "$type" \
        "$threads" "$times" 2>/dev/null) || exit 1
    printf '%s\n%s\n' "$ours" "$theirs" | awk -v round="$round" -v type="$type" '
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
