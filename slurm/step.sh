#!/bin/bash
# step.sh - any other step of a configuration, as pipeline.sh submits it.
#
#     sbatch [OPTIONS] step.sh CONFIG RUN STEP [NAME=VALUE...]
#
# Account, partition, nodes and time come from the sbatch line or from SBATCH_*
# variables (site.env).  Submitting again never redoes finished work.
#SBATCH --job-name=sextant-step
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@180
#SBATCH --ntasks=1

# sbatch runs a copy of this file; Slurm knows where it came from.
here=$(dirname "$(scontrol show job "$SLURM_JOB_ID" |
    awk -F'[= ]+' '$2 == "Command" { print $3; exit }')")
# shellcheck source=slurm/common.sh
. "$here/common.sh" || exit 78

prepare "$@"
run_step "$settings"
