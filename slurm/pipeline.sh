#!/usr/bin/env bash
# pipeline.sh - submit every step of a configuration as a chain of jobs.
#
#     pipeline.sh CONFIG RUN            (on a login node)
#     pipeline.sh -n CONFIG RUN         print the jobs, submit nothing
#
# Each job starts when the one before it succeeded; generation is an array of
# SEXTANT_SHARDS tasks and a job that merges them.  What Slurm needs to know
# (account, partition, nodes, time) comes from site.env; see site.env.example.
# Submitting again repeats nothing that is up to date.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
# shellcheck source=slurm/common.sh
. "$here/common.sh"

submit=yes
[ "${1-}" = -n ] && submit= && shift
if [ $# -ne 2 ]; then
    sed -n '2,11s/^# \{0,1\}//p' "$0"
    exit 64
fi
config=$1 run=$2
[ -f "$config" ] || fail "no configuration $config"
read_site
find_program
mkdir -p "$run"
previous=
jobs=0

# job SCRIPT OPTIONS ARG... - one job behind the previous one.
job() {
    local script=$1 id
    local -a options
    read -r -a options <<<"$2"
    shift 2
    local -a command=(sbatch --parsable --kill-on-invalid-dep=yes
        --output="$run/%x-%j.out" ${previous:+--dependency=afterok:$previous}
        ${options+"${options[@]}"} "$here/$script" "$config" "$run" "$@")
    if [ -z "$submit" ]; then
        printf '%s\n' "${command[*]}"
        jobs=$((jobs + 1))
        previous=JOB$jobs
        return
    fi
    id=$("${command[@]}")
    id=${id%%;*} # a federation's cluster name follows
    printf '%-10s %-12s %s%s\n' "$id" "$script" "$*" \
        "${previous:+  (after $previous)}"
    previous=$id
}

# Generation: shards, then the file that joins them.
generate() {
    local shards=${SEXTANT_SHARDS:-1}
    [ "$shards" = 1 ] ||
        job generate.sh "${SEXTANT_GENERATE-} --array=0-$((shards - 1))" \
            ${1:+"$1"}
    job generate.sh "${SEXTANT_GENERATE-}" ${1:+"$1"}
}

mapfile -t steps < <("$SEXTANT" pipeline "$config" --print-config |
    sed -n 's/^ *steps = \["\(.*\)"\];$/\1/p' | sed 's/", "/\n/g')
[ ${#steps[@]} -gt 0 ] || fail "$config has no pipeline.steps"
for step in "${steps[@]}"; do
    read -r name settings <<<"$step"
    case $name in
    generate) generate "$settings" ;;
    evaluate) job evaluate.sh "${SEXTANT_GENERATE-}" ${settings:+"$settings"} ;;
    sft) job sft.sh "${SEXTANT_SFT-}" ${settings:+"$settings"} ;;
    grade) job grade.sh "${SEXTANT_GRADE-}" ${settings:+"$settings"} ;;
    import) job import.sh "${SEXTANT_SMALL-}" ${settings:+"$settings"} ;;
    *) job step.sh "${SEXTANT_SMALL-}" "$step" ;;
    esac
done
