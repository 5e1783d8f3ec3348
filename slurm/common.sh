# shellcheck shell=bash
# common.sh - what the job scripts share; they source it.
#
# In: here, its directory.  Out: config, run, settings, varied; see
# take_arguments.
# shellcheck disable=SC2034,SC2154

say() { printf '== %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "${SLURM_JOB_NAME:-slurm}" "$*" >&2
    exit 78
}

# Site and user settings; a later file overrules an earlier one.
read_site() {
    local file
    for file in "$here/site.env" "$HOME/.config/sextant/site.env" \
        "${SEXTANT_SITE-}"; do
        # shellcheck disable=SC1090
        [ -f "$file" ] && . "$file"
    done
    return 0
}

# The program: $SEXTANT, else the installed one beside these scripts
# (PREFIX/share/sextant/slurm), else a build in the source tree, else PATH's.
find_program() {
    local try
    [ -n "${SEXTANT-}" ] && return
    for try in "$here/../../../bin/sextant" "$here/../build/sextant"; do
        [ -x "$try" ] && SEXTANT=$(realpath "$try") && break
    done
    : "${SEXTANT:=$(command -v sextant)}" || true
    [ -n "$SEXTANT" ] || fail "no sextant here; set SEXTANT in site.env"
    [ -d "$here/../inputs/prompts" ] &&
        export SEXTANT_DATADIR="${SEXTANT_DATADIR-$(realpath "$here/../inputs")}"
    return 0
}

# The words that start all ranks of this allocation, into `launch`: one rank
# for each task, every GPU of a node visible to each of its ranks (a rank that
# sees one GPU only cannot use NVLink to the others; the program chooses).
find_launcher() {
    local pmi
    launch=()
    if [ -n "${SEXTANT_LAUNCH-}" ]; then
        read -r -a launch <<<"$SEXTANT_LAUNCH"
        return
    fi
    pmi=$(srun --mpi=list 2>&1 | grep -ow -m1 pmix)
    if [ -n "$pmi" ]; then
        launch=(srun --mpi=pmix --kill-on-bad-exit=1)
        [ -n "${SLURM_GPUS_ON_NODE-}" ] && launch+=(--gpu-bind=none)
    else
        launch=(mpirun -n "${SLURM_NTASKS:-1}")
    fi
    return 0
}

# This job, for scontrol: the plain number of an array's last task means all.
this_job() {
    if [ -n "${SLURM_ARRAY_JOB_ID-}" ]; then
        echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
    else
        echo "$SLURM_JOB_ID"
    fi
}

# What the program must know to stop in time: when the job ends (newer Slurms
# say so themselves), and how long before that it is signalled.
tell_end() {
    local end
    if [ -z "${SLURM_JOB_END_TIME-}" ]; then
        end=$(SLURM_TIME_FORMAT=standard scontrol show job "$(this_job)" |
            sed -n 's/.* EndTime=\([0-9][0-9T:-]*\).*/\1/p' | head -n 1)
        [ -n "$end" ] && SLURM_JOB_END_TIME=$(date -d "$end" +%s) &&
            export SLURM_JOB_END_TIME
    fi
    case ${SBATCH_SIGNAL-} in
    *@*) export SEXTANT_LEAD=${SBATCH_SIGNAL##*@} ;;
    *) export SEXTANT_LEAD=180 ;; # as in the scripts
    esac
}

# prepare CONFIG RUN [NAME=VALUE...] - before anything else in a job script.
prepare() {
    take_arguments "$@"
    read_site
    find_program
    find_launcher
    tell_end
    export OMP_NUM_THREADS=${OMP_NUM_THREADS-${SLURM_CPUS_PER_TASK-1}}
    # Lustre without flock support refuses HDF5's locks; a run has one writer.
    export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING-FALSE}
    # What this script prints goes to a file; the ranks see a pipe only.
    SEXTANT_LOG=$(readlink -f "/proc/$$/fd/1")
    [ -f "$SEXTANT_LOG" ] || SEXTANT_LOG=
    export SEXTANT_LOG
    say "job ${SLURM_JOB_ID-none}, restart ${SLURM_RESTART_COUNT:-0}," \
        "nodes ${SLURM_JOB_NODELIST-none}, ranks ${SLURM_NTASKS:-1}," \
        "threads $OMP_NUM_THREADS"
}

# The signal that Slurm sends some time before the end comes to this shell
# (--signal=B:USR1@...) and goes on to the launcher, which hands it to the ranks.
# Always as USR1: srun and mpirun take TERM as an order to kill.
told=
pid=
pass_on() {
    local left=
    told=$1
    [ -z "${SLURM_JOB_END_TIME-}" ] ||
        left=$((SLURM_JOB_END_TIME - $(date +%s)))
    say "told to stop ($1)${left:+, $left s before the end}"
    [ -n "$pid" ] && kill -USR1 "$pid" 2>/dev/null
}
trap 'pass_on USR1' USR1
trap 'pass_on TERM' TERM

# run_ranks ARG... - sextant on all ranks.
run_ranks() {
    local rc
    [ -z "$told" ] || return 75
    say "${launch[*]} $SEXTANT $*"
    "${launch[@]}" "$SEXTANT" "$@" &
    pid=$!
    while :; do
        wait "$pid"
        rc=$?
        kill -0 "$pid" 2>/dev/null || break # a signal only ended the wait
    done
    return $rc
}

# What a run has reached: its whole files, and journals with more than their
# first bytes.  Logs and records grow without progress, too.
reached() {
    find "$run" -type f \( -name '*.h5' -o -path '*.journal/*.log' -size +64c \) \
        -printf '%P %s\n' 2>/dev/null | sort | sha256sum
}

requeue() {
    say "goes on in a later segment"
    # The same job again, so that what depends on it keeps waiting.
    scontrol requeue "$(this_job)" || exit 75
    sleep 60 # Slurm ends this shell
    exit 75
}

# run_step STEP - one step of the configuration on all ranks, skipped if its
# output is up to date; then what becomes of the job.  A clean stop (75) goes
# on in another segment while segments make progress.  All else is the job's
# exit status, which breaks the chain of jobs behind it.
run_step() {
    local before rc
    before=$(reached)
    run_ranks pipeline "$config" -o "$run" "$1"
    rc=$?
    # Cancelled, or preempted: the first is meant, the second Slurm requeues.
    [ $rc = 75 ] && [ "$told" != TERM ] || exit $rc
    if [ -e "$run/STOP" ]; then
        say "remove $run/STOP and submit again to go on"
        exit 75
    fi
    if [ "$before" = "$(reached)" ]; then
        say "stopped without progress: is the time limit too short?"
        exit 74
    fi
    [ -z "${segments-}" ] || exit $((SLURM_ARRAY_TASK_ID == SLURM_ARRAY_TASK_MAX ? 75 : 0))
    if [ "${SLURM_RESTART_COUNT:-0}" -ge "${SEXTANT_SEGMENTS:-100}" ]; then
        say "that was the last of ${SEXTANT_SEGMENTS:-100} segments"
        exit 75
    fi
    requeue
}

# take_arguments CONFIG RUN [NAME=VALUE...] - into config, run, settings; %a in
# them is the number of the array task, so that an array can go over
# configurations, seeds, ...
take_arguments() {
    local a=${SLURM_ARRAY_TASK_ID-}
    [ $# -ge 2 ] || fail "arguments: CONFIG RUN [NAME=VALUE...]"
    varied=
    case "$*" in *%a*) varied=yes ;; esac
    set -- "${@//%a/$a}"
    config=$1 run=$2
    shift 2
    settings=$*
    [ -f "$config" ] || fail "no configuration $config (from $PWD)"
    mkdir -p "$run" || exit 74
}

# output_of COMMAND SETTINGS - the output that a step names.
output_of() {
    local name
    name=$(grep -o '\boutput=[^ ]*' <<<"$2" | tail -n 1)
    if [ -n "$name" ]; then
        echo "${name#output=}"
    else
        "$SEXTANT" "$1" "$config" --print-config |
            sed -n 's/^ *output = "\(.*\)";$/\1/p'
    fi
}
