#!/bin/sh
# ablation.sh OUTDIR [SEEDS] - is a student better for rejecting wrong answers?
#
# For each seed the pipeline twice from the same generations: with rejection
# sampling and with everything the teacher said, as many optimizer steps for
# both students, measured on the same held-out problems.  Prints a table and
# mean ± standard deviation.  SEXTANT names the program.  Started again it goes
# on where it was.
set -eu
export OMP_NUM_THREADS=1
here=$(cd "$(dirname "$0")" && pwd)
sextant=${SEXTANT-sextant}
out=$1
seeds=${2-5}
steps=150

# config SEED FILTER: mini.cfg with this seed, and outputs named after FILTER.
config() {
    draws="sampling.seed=$1"
    sed -e "s#@/#$here/#g" \
        -e "s/\"generate\"/\"generate $draws\"/" \
        -e "s/\"select\"/\"select filter=$2 output=train-$2.h5\"/" \
        -e '/"evaluate model=/d' \
        -e "s/\"sft\"/\"sft train=train-$2.h5 output=model-$2.h5 seed=$1 \
max_steps=$steps checkpoint.dir=checkpoints-$2\"/" \
        -e "s/\"evaluate\",/\"evaluate model=model-$2.h5 $draws \
generations=eval-generations-$2.h5 output=eval-$2.h5\"/" \
        -e '/"report"/d' "$here/mini.cfg"
}

# measure SEED: both students, and a line of the table.
measure() {
    d=$out/seed-$1
    mkdir -p "$d"
    for filter in verdict none; do
        config "$1" $filter >"$d/$filter.cfg"
        "$sextant" pipeline "$d/$filter.cfg" -o "$d" >>"$d/$filter.log" 2>&1
    done
    "$sextant" report -o "$d" -s train=train-verdict.h5 \
        -s evals=eval-verdict.h5,eval-none.h5 |
        awk -v seed="$1" '$1 == "all" && $2 == "pass@1" {
            printf "%4d  %9.1f  %9.1f\n", seed, 100 * $3, 100 * $4 }' \
            >"$d/line"
}

seed=1
while [ "$seed" -le "$seeds" ]; do # all at the same time, a core each
    measure "$seed" &
    seed=$((seed + 1))
done
wait
cat "$out"/seed-*/line >"$out/table"
printf 'seed  rejection  no filter\n'
cat "$out/table"
awk -v n="$seeds" '{ a[NR] = $2; b[NR] = $3; sa += $2; sb += $3 }
    END {
        if (NR < n) exit 1 # a seed failed; see its log
        ma = sa / NR; mb = sb / NR
        for (i = 1; i <= NR; i++) { va += (a[i] - ma) ^ 2; vb += (b[i] - mb) ^ 2 }
        printf "mean  %.1f ± %.1f  %.1f ± %.1f\n", ma, sqrt(va / (NR - 1)),
            mb, sqrt(vb / (NR - 1))
    }' "$out/table"
