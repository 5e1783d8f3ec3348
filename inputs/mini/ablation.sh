#!/bin/sh
# ablation.sh OUTDIR [SEEDS] - is a student better for rejecting wrong answers?
#
# For each seed: the same generations, once with rejection sampling and once with
# everything the teacher said, as many optimizer steps for both, one student each,
# measured on the same held-out problems.  Prints a table and mean ±
# standard deviation.  SEXTANT names the program, RUN a launcher before it
# ("mpirun -n 2").
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sextant="${RUN-} ${SEXTANT-sextant}"
out=$1
seeds=${2-5}

# number FILE-OF-OUTPUT: pass@1 of all, in percent
number() { awk '$1 == "evaluate" && $2 == "all" && $3 == "pass@1" { print $4 }' "$1"; }
step() { # DIR LOG COMMAND SETTINGS...
    dir=$1 log=$2 command=$3
    shift 3
    $sextant "$command" "$here/mini.cfg" -o "$dir" "$@" >"$dir/$log.log" 2>&1
}

printf 'seed  rejection  no filter\n'
seed=1
while [ "$seed" -le "$seeds" ]; do
    d=$out/seed-$seed
    mkdir -p "$d"
    step "$d" import import
    step "$d" import-test import -s output=test.h5 \
        -s files="$here/math-test.jsonl,$here/code-test.jsonl,$here/choice-test.jsonl"
    step "$d" generate generate -s sampling.seed="$seed"
    step "$d" reformat reformat
    step "$d" grade grade
    step "$d" select select
    step "$d" select-none select -s filter=none -s output=train-none.h5
    steps=0 # of the first student; the second takes as many
    for kind in '' -none; do
        step "$d" "sft$kind" sft -s train="train$kind.h5" \
            -s output="model$kind.h5" -s seed="$seed" \
            -s checkpoint.dir="checkpoints$kind" -s max_steps="$steps"
        steps=$(sed -n 's/.* \([0-9]*\) steps of .*/\1/p' "$d/sft.log")
        step "$d" "evaluate$kind" evaluate -s model="model$kind.h5" \
            -s output="eval$kind.h5" -s generations="generations-eval$kind.h5" \
            -s sampling.seed="$seed"
    done
    printf '%4d  %9s  %9s\n' "$seed" "$(number "$d/evaluate.log")" \
        "$(number "$d/evaluate-none.log")"
    seed=$((seed + 1))
done | tee "$out/table"
awk '{ a[NR] = $2; b[NR] = $3; sa += $2; sb += $3 }
    END {
        ma = sa / NR; mb = sb / NR
        for (i = 1; i <= NR; i++) { va += (a[i] - ma) ^ 2; vb += (b[i] - mb) ^ 2 }
        printf "mean  %.1f ± %.1f  %.1f ± %.1f\n", ma, sqrt(va / (NR - 1)),
            mb, sqrt(vb / (NR - 1))
    }' "$out/table"
