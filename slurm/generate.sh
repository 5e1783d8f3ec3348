#!/bin/bash
# generate.sh - solve problems with a model; an array solves them in shards.
#
#     sbatch [OPTIONS] generate.sh CONFIG RUN [NAME=VALUE...]
#     sbatch --array=0-15 generate.sh CONFIG RUN [NAME=VALUE...]
#
# An array task writes RUN/generations-I-of-N.h5; the first form joins them when
# all are there.
#
# Account, partition, nodes and time come from the sbatch line or from SBATCH_*
# variables (site.env).  Submitting again never redoes finished work.
#SBATCH --job-name=sextant-generate
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
n=${SLURM_ARRAY_TASK_COUNT:-1}
if [ "$n" -gt 1 ] && [ -z "$varied" ]; then
    i=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN))
    name=$(output_of generate "$settings")
    settings+=" shard=$i/$n output=${name%.h5}-$i-of-$n.h5"
fi
run_step "generate $settings"
