#!/bin/sh
# kill-sweep.sh - a pipeline that is killed at any moment loses nothing.
#
# Every step of a tiny pipeline is killed at its touches of files (before the
# call, or with half of the write done; see strike.c) and at random instants on
# two ranks, one rank or all at once.  Whatever is left then: the same command
# goes on, and ends with the bytes of a run that nobody disturbed.
#
#   SXT_TEST_TOUCHES=I/N   at every N-th touch from the I-th on, 0/1 are all;
#                          else at a few of each step
#   SXT_TEST_STEPS=sft     at touches of this step only
#   SXT_TEST_KILLS=500     so many random kills; else none
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
# One rank needs no daemon, nor neighbours: Open MPI starts sooner without.  The
# dead leave files, which must not be the next one's.
OMPI_MCA_ess_singleton_isolated=1
OMPI_MCA_btl=self
OMPI_MCA_orte_tmpdir_base=$tap_dir/mpi
export OMP_NUM_THREADS OMPI_MCA_ess_singleton_isolated OMPI_MCA_btl \
    OMPI_MCA_orte_tmpdir_base
strike=$BUILDDIR/validation/strike
mini=$SRCDIR/inputs/mini
steps="import generate reformat grade select sft evaluate report"

"$strike" x true 2>/dev/null || skip_all "programs cannot be traced here"

cat >tiny.cfg <<CFG
pipeline: { steps = ["import", "generate", "reformat", "grade", "select", "sft",
                     "evaluate", "report"]; };
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
    snapshot_s = 0.001;
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
};
CFG

# The file that a step ends with.
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
    esac
}

run() { # STEP [COMMAND BEFORE IT...]
    run_step=$1
    shift
    "$@" "$SEXTANT" pipeline tiny.cfg -o "$tap_dir/run" "$run_step"
}

# Run STEP from its beginning, undisturbed, and note what was there before it
# and how often it touches files.
reference() {
    rm -rf "before-$1"
    cp -r run "before-$1"
    run "$1" "$strike" "$tap_dir/run" 2>touches || { cat touches; return 1; }
    tail -n 1 touches >"touches-$1"
    rm -rf "after-$1"
    cp -r run "after-$1"
}

# Equal up to where it was made, and nothing but whole files.
same() { # STEP
    name=$(output "$1")
    if [ "$1" = report ]; then
        cmp "after-$1/$name" "run/$name" || return 1
    else
        "$SEXTANT" diff "after-$1/$name" "run/$name" >diff.txt 2>&1 ||
            { cat diff.txt; return 1; }
    fi
    left=$(find run -path run/status -prune -o \
        \( -name '*.part' -o -name '*.journal' \) -print)
    [ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

# What a log promised must be what the next one begins with: steps saved, and
# answers in journals.
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
    journals=$(sed -n 's/.*in journals \([0-9]*\)).*/\1/p' next.log)
    before=$(sed -n 's/.*in journals \([0-9]*\)).*/\1/p' killed.log |
        tail -n 1)
    [ -z "$journals" ] || [ "$journals" -ge "${before:-0}" ] ||
        { echo "$before answers were in journals, now $journals"; return 1; }
}

go_on() { # STEP: after a kill
    rm -rf mpi
    run "$1" >next.log 2>&1 || { tail -n 3 next.log; return 1; }
    kept "$1" && same "$1"
}

kills=0
missed=0
# Kill STEP at its Nth touch ("-h": in its middle), then go on.
killed_at() { # STEP N [-h]
    rm -rf run mpi
    cp -r "before-$1" run
    # shellcheck disable=SC2086 # no -h is no word
    run "$1" "$strike" -n "$2" $3 "$tap_dir/run" >killed.log 2>&1
    case $? in
    137) kills=$((kills + 1)) ;;
    0) missed=$((missed + 1)) ;; # that often it did not touch them this time
    *)
        cat killed.log
        return 1
        ;;
    esac
    go_on "$1" || { echo "after a kill at touch $2 of $1 $3"; return 1; }
}

# N is first, last and some between, or each; every other one is cut in half.
sweep() { # STEP
    n=$(cat "touches-$1")
    if [ -n "${SXT_TEST_TOUCHES-}" ]; then
        points=$(seq $((1 + ${SXT_TEST_TOUCHES%/*})) "${SXT_TEST_TOUCHES#*/}" \
            "$n")
    else
        points="$((n / 3)) $((n - 2))"
        [ "$1" != sft ] || points="$points $((n / 2)) $((n * 5 / 6))"
        [ "$1" != generate ] || points="$points 5 $((n * 2 / 3))"
        [ "$1" != report ] || points=3
    fi
    for point in $points; do
        half=
        [ $((point % 2)) -eq 0 ] || half=-h
        killed_at "$1" "$point" $half || return 1
    done
}

random() { # LIMIT: a number below it
    od -An -N2 -tu2 /dev/urandom | awk -v n="$1" '{ print $1 % n }'
}

on_two() { # STEP
    # shellcheck disable=SC2086 # the flags are words
    run "$1" env OMPI_MCA_btl=self,vader setsid timeout -s KILL 300 \
        "$MPIRUN" $MPIRUN_FLAGS -n 2
}

now_ms() { date +%s%3N; }

# How long STEP takes on two ranks, in ms.
measure() { # STEP
    rm -rf run mpi
    cp -r "before-$1" run
    begin=$(now_ms)
    on_two "$1" >next.log 2>&1 || { cat next.log; return 1; }
    echo $(($(now_ms) - begin)) >"takes-$1"
}

# Kill STEP on two ranks after a random while, one rank or all of them, until
# it is done; a time limit of its own for what might hang.
killed_anywhere() { # STEP
    rm -rf run mpi
    cp -r "before-$1" run
    : >killed.log
    tries=0
    while [ $tries -lt 4 ]; do
        tries=$((tries + 1))
        on_two "$1" >next.log 2>&1 &
        pid=$!
        sleep "$(random "$(cat "takes-$1")" | awk '{ print $1 / 1000 }')"
        victims=$(ps -e -o pid=,comm=,args= | awk -v dir="$tap_dir/run" \
            '$2 == "sextant" && index($0, dir) { print $1 }')
        if [ "$(random 2)" = 0 ] && [ -n "$victims" ]; then
            # shellcheck disable=SC2086 # two numbers
            set -- "$1" $victims
            victims=$2
            [ -z "${3-}" ] || [ "$(random 2)" = 0 ] || victims=$3
        fi
        # shellcheck disable=SC2086 # several numbers
        [ -z "$victims" ] || { kill -9 $victims 2>/dev/null &&
            kills=$((kills + 1)); }
        wait "$pid" 2>/dev/null && break
        kept "$1" || return 1
        cat next.log >>killed.log
    done
    go_on "$1" || { echo "after random kills of $1"; return 1; }
}

random_kills() { # COUNT
    kills=0
    for step in $steps; do
        measure "$step" || return 1
    done
    while [ $kills -lt "$1" ]; do
        for step in $steps; do
            killed_anywhere "$step" || return 1
        done
    done
}

mkdir run
for step in $steps; do
    ok "$step, undisturbed" reference "$step"
done
for step in ${SXT_TEST_STEPS-$steps}; do
    ok "$step, killed at touches of files, goes on to the same end" \
        sweep "$step"
done
echo "# $kills kills at touches ($missed later than the last one)"
if [ "${SXT_TEST_KILLS-0}" -gt 0 ]; then
    ok "killed at random instants, too" random_kills "$SXT_TEST_KILLS"
    echo "# $kills kills at random instants"
fi
done_testing
