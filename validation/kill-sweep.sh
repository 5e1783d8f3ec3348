#!/bin/sh
# kill-sweep.sh - a pipeline that is stopped or killed at any moment loses
# nothing.
#
# Every step of a tiny pipeline is told to stop in every way there is, is killed
# at its touches of files (before the call, or with half of the write done; see
# strike.c) and at random instants on two ranks, one rank or all at once.
# Whatever is left then: an output is whole or absent, and the same command goes
# on, and ends with the bytes of a run that nobody disturbed.
#
#   SXT_TEST_TOUCHES=I/N   at every N-th touch from the I-th on, 0/1 are all;
#                          else at a few of each step, and stop it in one way
#   SXT_TEST_STEPS=sft     this step only
#   SXT_TEST_KILLS=500     so many random kills; else none
#   SXT_TEST_JOBS=4        so many at a time; else two
#   SXT_TEST_SWEEP=/DIR    keep there what is done, so that a sweep that was cut
#                          goes on: its own medicine
. "$SRCDIR/validation/lib.sh"
sweep=${SXT_TEST_SWEEP:-$tap_dir}
jobs=${SXT_TEST_JOBS:-2}
mkdir -p "$sweep" && cd -P "$sweep" || exit 99
sweep=$PWD
OMP_NUM_THREADS=1
# One rank needs no daemon, nor neighbours: Open MPI starts sooner without.
OMPI_MCA_ess_singleton_isolated=1
OMPI_MCA_btl=self
export OMP_NUM_THREADS OMPI_MCA_ess_singleton_isolated OMPI_MCA_btl
strike=$BUILDDIR/validation/strike
mini=$SRCDIR/inputs/mini
steps="import generate reformat grade select sft evaluate report quantize export
convert"

"$strike" x true 2>/dev/null || skip_all "programs cannot be traced here"

echo 'Again: {content}' >prompt.txt
cat >tiny.cfg <<CFG
import:
{
    files = ["$mini/math-train.jsonl", "$mini/choice-train.jsonl"];
    datasets = ["$mini/math.cfg", "$mini/choice.cfg"];
    limit = 4;
};
generate:
{
    model = "$mini/teacher.h5";
    n = 1;
    sampling: { temperature = 1.0; max_tokens = 120; };
    engine: { batch = 2; bandwidth_gbs = 1.0; gflops = 1.0; };
    snapshot_s = 0.001;
};
reformat:
{
    model = "$mini/teacher.h5";
    prompt_file = "$sweep/prompt.txt";
    system = "";
    sampling: { temperature = 1.0; max_tokens = 8; };
    engine: { batch = 2; bandwidth_gbs = 1.0; gflops = 1.0; };
};
grade: { generations = "traces.h5"; };
sft:
{
    model = "$SRCDIR/validation/golden/sft-run.h5";
    batch = 2;
    max_tokens = 512;
    max_steps = 3;
    lr = 1e-3;
    checkpoint: { every_steps = 1; };
};
evaluate:
{
    model = "model.h5";
    split = "";
    n = 1;
    sampling: { temperature = 1.0; max_tokens = 16; };
    engine: { batch = 2; bandwidth_gbs = 1.0; gflops = 1.0; };
};
quantize: { model = "$mini/base.h5"; output = "small.h5"; };
CFG

# What a step ends with.
output() {
    case $1 in
    import) echo problems.h5 ;;
    generate) echo generations.h5 ;;
    reformat) echo traces.h5 ;;
    grade) echo verdicts.h5 ;;
    select) echo train.h5 ;;
    sft) echo model.h5 ;;
    evaluate) echo eval.h5 ;;
    report) echo report.html ;;
    quantize) echo small.h5 ;;
    export) echo hf/model.safetensors ;;
    convert) echo back.h5 ;;
    esac
}

# A step as a command with settings.
words() { # STEP
    case $1 in
    export) echo convert from=model.h5 output=hf ;;
    convert) echo convert from=hf output=back.h5 ;;
    *) echo "$1" ;;
    esac
}

# In a worker's folder: run STEP on what is in swept/.
run() { # STEP [COMMAND BEFORE IT...]
    run_step=$(words "$1")
    shift
    "$@" "$SEXTANT" pipeline ../tiny.cfg -o swept "$run_step"
}

# The same without a pipeline, which would stop before it.
run_alone() { # STEP
    # shellcheck disable=SC2046 # words
    set -- $(words "$1")
    run_step=$1
    shift
    for setting in "$@"; do
        set -- "$@" -s "$setting"
        shift
    done
    "$SEXTANT" "$run_step" ../tiny.cfg -o swept "$@"
}

# What is there before STEP; the dead leave files, which must not be the next
# one's.
lay_out() { # STEP
    rm -rf swept mpi
    cp -r "$sweep/before-$1" swept
}

# Run STEP from its beginning, undisturbed, and note how often it touches files.
reference() { # STEP, the step behind it
    [ ! -s "$sweep/touches-$1" ] || return 0
    mkdir -p "$sweep/before-import"
    enter 0
    lay_out "$1"
    run "$1" "$strike" swept/ 2>touches || { cat touches; return 1; }
    rm -rf "$sweep/after-$1" "$sweep/before-$2"
    cp -r swept "$sweep/after-$1"
    cp -r swept "$sweep/before-$2"
    tail -n 1 touches >"$sweep/touches-$1.part"
    mv "$sweep/touches-$1.part" "$sweep/touches-$1"
    cd "$sweep" || return 1
}

# Equal up to where it was made.
whole() { # STEP
    name=$(output "$1")
    case $name in
    *.h5) "$SEXTANT" diff "$sweep/after-$1/$name" "swept/$name" >diff.txt 2>&1 ||
        { cat diff.txt; return 1; } ;;
    *) cmp "$sweep/after-$1/$name" "swept/$name" ;;
    esac
}

same() { # STEP
    whole "$1" || return 1
    left=$(find swept -path swept/status -prune -o \
        \( -name '*.part' -o -name '*.journal' \) -print)
    [ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

# What a log promised must be what the next one begins with: steps saved, and
# what is finished in journals.
kept() { # STEP, logs: killed.log, next.log
    if [ "$1" = sft ]; then
        saved=$(sed -n 's/.*saved .*step-\([0-9]*\)\.h5.*/\1/p' killed.log |
            tail -n 1)
        on=$(sed -n 's/.*goes on behind step //p' next.log)
        if grep -q 'checkpoint rejected' next.log; then
            echo "a checkpoint was not whole"
            return 1
        fi
        [ -n "$on" ] || ! grep -q ' step 1 of' next.log || on=0
        [ "${on:-9}" -ge "${saved:-0}" ] ||
            { echo "step $saved was saved, and $on taken up"; return 1; }
    fi
    [ "$1" != evaluate ] || return 0 # it has two journals, in turn
    before=$(finished killed.log) now=$(finished next.log)
    [ -z "$now" ] || [ "$now" -ge "${before:-0}" ] ||
        { echo "$before were in journals, now $now"; return 1; }
}

finished() { # LOG
    sed -n 's/.* resume .*  finished \([0-9]*\) .*/\1/p' "$1" | tail -n 1
}

go_on() { # STEP: after a kill
    rm -rf mpi
    if [ -e "swept/$(output "$1")" ]; then
        whole "$1" || { echo "an output was there and not whole"; return 1; }
        # what is exported is never overwritten
        [ "$1" != export ] || return 0
    fi
    run "$1" >next.log 2>&1 || { tail -n 3 next.log; return 1; }
    kept "$1" && same "$1"
}

# ---- told to stop

# Where a signal catches STEP in its midst: a touch of this file, or with -o its
# opening.  Nothing for steps that are over before they could stop.
moment() { # STEP WAY
    case "$1 $2" in
    "import TERM-twice") echo problems.h5 ;;
    import*) echo "-o math-train.jsonl" ;;
    generate*) echo generations.h5.journal/e0001.r0000.log ;;
    reformat*) echo traces.h5.journal/e0001.r0000.log ;;
    grade*) echo verdicts.h5.journal/e0001.r0000.log ;;
    sft*) echo checkpoints/step-1.h5 ;;
    "evaluate USR1") echo eval.h5.journal/e0001.r0000.log ;;
    evaluate*) echo eval-generations.h5.journal/e0001.r0000.log ;;
    quantize*) echo small.h5.part ;;
    export*) echo hf/ ;;
    convert*) echo back.h5.part ;;
    esac
}

# Stop STEP; with two TERMs at once, else cleanly.
stopped_by() { # STEP WAY
    lay_out "$1"
    expected=75
    moment=$(moment "$1" "$2")
    # shellcheck disable=SC2086 # two words
    case $2 in
    USR1 | TERM) run "$1" "$strike" -n 1 -s "$2" $moment ;;
    TERM-twice)
        expected=143
        run "$1" "$strike" -n 1 -s TERM -t $moment
        ;;
    STOP)
        touch swept/STOP
        run_alone "$1"
        ;;
    time) SEXTANT_END_TIME=$(date +%s) run_alone "$1" ;;
    esac >killed.log 2>&1
    status=$?
    rm -f swept/STOP
    cat killed.log
    [ "$status" -eq "$expected" ] || { echo "status $status"; return 1; }
    [ "$expected" = 143 ] || clean || return 1
    kept_so_far=$(find swept -path '*.journal/*.log' -size +0)
    go_on "$1" || return 1
    [ -z "$kept_so_far" ] || grep 'resume .*[1-9]' next.log ||
        { echo "nothing was taken from the journal"; return 1; }
}

# After a clean stop nothing is half written.
clean() {
    ! find swept -name '*.part' | grep .
}

# ---- at touches

# Kill STEP at its Nth touch ("-h": in its middle), then go on.
killed_at() { # STEP N [-h]
    lay_out "$1"
    # shellcheck disable=SC2086 # no -h is no word
    run "$1" "$strike" -n "$2" ${3-} swept/ >killed.log 2>&1
    case $? in
    137) ;;
    0) echo "$*" >>"$sweep/missed" ;; # that often it did not touch them now
    *)
        cat killed.log
        return 1
        ;;
    esac
    go_on "$1"
}

# N is first, last and some between, or each; every other one is cut in half.
# Then the ways to stop it.
points() { # STEP
    n=$(cat "$sweep/touches-$1")
    if [ -n "${SXT_TEST_TOUCHES-}" ]; then
        list=$(seq $((1 + ${SXT_TEST_TOUCHES%/*})) "${SXT_TEST_TOUCHES#*/}" \
            "$n")
    else
        list="$((n / 3)) $((n - 2))"
        case $1 in
        sft) list="$list $((n / 2)) $((n * 5 / 6))" ;;
        generate) list="$list 5 $((n * 2 / 3))" ;;
        report) list=3 ;;
        quantize | export | convert) list=$((n - 2)) ;;
        esac
    fi
    case ${SXT_TEST_TOUCHES-}$1 in
    generate) ways=USR1 ;;
    reformat) ways=STOP ;;
    grade | import) ways=TERM ;;
    sft) ways=TERM-twice ;;
    evaluate) ways="time" ;;
    quantize | export | convert) ways= ;;
    *) ways="USR1 TERM TERM-twice STOP time" ;;
    esac
    for point in $list; do
        half=" -h"
        [ $((point % 2)) -eq 1 ] || half=
        echo "$1 $point$half"
    done
    for way in $ways; do
        [ -z "$(moment "$1" "$way")" ] || echo "$1 $way"
    done
}

fares_well() { # STEP N [-h], STEP WAY
    case $2 in
    *[!0-9]*) stopped_by "$@" ;;
    *) killed_at "$@" ;;
    esac
}

# Those of the points still to do that are the worker's.
sweep_points() { # WORKER
    awk -v i="$1" -v n="$jobs" 'NR % n == i' "$sweep/todo" >mine
    while read -r step n half; do
        # shellcheck disable=SC2086 # no -h is no word
        if fares_well "$step" "$n" $half >why 2>&1 </dev/null; then
            echo "$step $n${half:+ $half}" >>"$sweep/held"
        else
            failed "$step $n $half"
        fi
    done <mine
}

failed() { # POINT: what was there is kept
    { echo "$1:" && cat why; } >>"$sweep/failed"
    mkdir -p "$sweep/failures"
    cp -r . "$sweep/failures/$(echo "$1" | tr -c 'a-z0-9\n' -)"
}

# ---- at random instants

random() { # LIMIT: a number below it
    od -An -N2 -tu2 /dev/urandom | awk -v n="$1" '{ print $1 % n }'
}

# Each rank says who it is in pid.RANK.
on_two() { # STEP
    # shellcheck disable=SC2016,SC2086 # for the inner shell; words
    run "$1" env OMPI_MCA_btl=self,vader setsid timeout -s KILL 300 \
        "$MPIRUN" $MPIRUN_FLAGS -n 2 sh -c \
        'echo $$ >"pid.$OMPI_COMM_WORLD_RANK$PMI_RANK"; exec "$@"' sh
}

now_ms() { date +%s%3N; }

# Start STEP on two ranks and wait until they are there, or it ended.
start() { # STEP
    rm -f pid.0 pid.1
    on_two "$1" >next.log 2>&1 &
    launcher=$!
    until [ -s pid.0 ] && [ -s pid.1 ] || ! kill -0 "$launcher" 2>/dev/null; do
        sleep 0.02
    done
    began=$(now_ms)
}

# How long STEP takes on two ranks, in ms.
measure() { # STEP
    [ ! -s "takes-$1" ] || return 0
    lay_out "$1"
    start "$1"
    wait "$launcher" || { cat next.log; return 1; }
    echo $(($(now_ms) - began)) >"takes-$1"
}

# Kill STEP on two ranks after a random while, one rank or all of them, until
# it is done or was killed often enough; then go on.  `kills` counts.
killed_anywhere() { # STEP
    lay_out "$1"
    : >killed.log
    kills=0
    while [ "$kills" -lt 8 ]; do
        while_s=$(random "$(cat "takes-$1")" | awk '{ print $1 / 1000 }')
        case $(random 4) in
        0) who=pid.0 ;;
        1) who=pid.1 ;;
        *) who="pid.0 pid.1" ;;
        esac
        start "$1"
        sleep "$while_s"
        # shellcheck disable=SC2046,SC2086 # numbers, names
        ! kill -9 $(cat $who) 2>/dev/null || kills=$((kills + 1))
        wait "$launcher" 2>/dev/null && break
        # Open MPI may wait for ever for a rank that died while it joined.
        if [ $(($(now_ms) - began)) -ge 290000 ] &&
            ! grep -q 'PMIX ERROR' next.log; then
            echo "it hung"
            return 1
        fi
        kept "$1" || return 1
        cat next.log >>killed.log
    done
    go_on "$1"
}

landed() { awk '{ n += $2 } END { print n + 0 }' "$sweep/landed"; }

random_kills() {
    until [ "$(landed)" -ge "$SXT_TEST_KILLS" ] || [ -s "$sweep/failed" ]; do
        for step in $steps; do
            if measure "$step" >why 2>&1 && killed_anywhere "$step" >why 2>&1
            then
                echo "$step $kills" >>"$sweep/landed"
            else
                failed "$step at random"
            fi
        done
    done
}

# ---- all

# A worker's folder.
enter() { # WORKER
    mkdir -p "$sweep/$1"
    cd "$sweep/$1" || exit 99
    export OMPI_MCA_orte_tmpdir_base="$PWD/mpi"
}

in_parallel() { # FUNCTION
    workers=
    for i in $(seq 0 $((jobs - 1))); do
        (enter "$i" && "$1" "$i") &
        workers="$workers $!"
    done
    # shellcheck disable=SC2064,SC2086 # these workers
    trap "kill $workers; exit 1" HUP INT TERM
    wait
}

unhurt() { # STEP
    ! grep -A 20 "^$1 " "$sweep/failed"
}

count() { wc -l <"$sweep/$1"; }

: >failed
touch held missed landed
before=
for step in $steps report-end; do
    [ -z "$before" ] || ok "$before, undisturbed" reference "$before" "$step"
    before=$step
done
for step in ${SXT_TEST_STEPS-$steps}; do
    points "$step"
done | grep -vxFf held >todo
in_parallel sweep_points
for step in ${SXT_TEST_STEPS-$steps}; do
    ok "$step, stopped and killed at touches of files, goes on to the same end" \
        unhurt "$step"
done
echo "# $(grep -vc ' [0-9]' held) stops"
echo "# $(grep -c ' [0-9]' held) kills at touches, $(count missed) behind the last"
if [ "${SXT_TEST_KILLS-0}" -gt 0 ]; then
    [ -s failed ] || in_parallel random_kills
    ok "killed at random instants, too" test ! -s failed
    echo "# $(landed) kills at random instants"
fi
done_testing
