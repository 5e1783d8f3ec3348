#!/bin/bash
# sft.sh - fine-tune a model, one rank for each GPU.
#
#     sbatch [OPTIONS] sft.sh CONFIG RUN [NAME=VALUE...]
#     sbatch --array=1-9%1 sft.sh CONFIG RUN ...          # segments of one run
#     sbatch --array=1-5 sft.sh CONFIG RUN/%a seed=%a ... # a run for each number
#
# Before its time is over a run saves its state and goes back into the queue, or
# on to the next segment.
#
# Account, partition, nodes and time come from the sbatch line or from SBATCH_*
# variables (site.env).  Submitting again never redoes finished work.
#SBATCH --job-name=sextant-sft
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@180
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8

# sbatch runs a copy of this file; Slurm knows where it came from.
here=$(dirname "$(scontrol show job "$SLURM_JOB_ID" |
    awk -F'[= ]+' '$2 == "Command" { print $3; exit }')")
# shellcheck source=slurm/common.sh
. "$here/common.sh" || exit 78

prepare "$@"
if [ "${SLURM_ARRAY_TASK_COUNT:-1}" -gt 1 ] && [ -z "$varied" ]; then
    segments=yes
    scontrol show job "$SLURM_JOB_ID" | grep -q 'ArrayTaskThrottle=1\b' ||
        fail "segments of one run must not run at once: --array=1-N%1"
fi
run_step "sft $settings"
