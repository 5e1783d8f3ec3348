#!/bin/bash
# evaluate.sh - measure a model; an array measures benchmark by benchmark.
#
#     sbatch [OPTIONS] evaluate.sh CONFIG RUN [NAME=VALUE...]
#     BENCHMARKS="math500 aime24 gsm8k" sbatch --array=0-2 evaluate.sh ...
#
# Array task I measures the I-th of $BENCHMARKS (data sets of the problems file)
# into RUN/eval-NAME.h5.
#
# Account, partition, nodes and time come from the sbatch line or from SBATCH_*
# variables (site.env).  Submitting again never redoes finished work.
#SBATCH --job-name=sextant-evaluate
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@180
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1

# sbatch runs a copy of this file; Slurm knows where it came from.
here=$(dirname "$(scontrol show job "$SLURM_JOB_ID" |
    awk -F'[= ]+' '$2 == "Command" { print $3; exit }')")
# shellcheck source=slurm/common.sh
. "$here/common.sh" || exit 78

prepare "$@"
if [ "${SLURM_ARRAY_TASK_COUNT:-1}" -gt 1 ] && [ -z "$varied" ]; then
    read -r -a benchmarks <<<"${BENCHMARKS-}"
    name=${benchmarks[SLURM_ARRAY_TASK_ID]-}
    [ -n "$name" ] || fail "BENCHMARKS names no number $SLURM_ARRAY_TASK_ID"
    output=$(output_of evaluate "$settings")
    settings+=" sources=$name output=${output%.h5}-$name.h5"
    settings+=" generations=${output%.h5}-$name-generations.h5"
fi
run_step "evaluate $settings"
