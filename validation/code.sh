#!/bin/sh
# usage: code.sh [DATA]
# Real code problems: every reference solution passes, and programs that a
# plain CPython, or their data set, calls right or wrong are judged alike.
# DATA is a directory with the data sets (default: $SXT_TEST_DATA).
# SXT_EACH mutants are made of each solution (default 3), of the first
# SXT_FIRST problems of a set (default 0: all).  Programs that are right run
# once more while twice as many processes compute as there are processors,
# unless SXT_BUSY is 0.  Takes an hour on 2 cores.
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
SEXTANT=${SEXTANT:-$PWD/sextant}
export SRCDIR SEXTANT
data=${1:-$SXT_TEST_DATA}
case $data in /* | '') ;; *) data=$PWD/$data ;; esac
. "$SRCDIR/validation/lib.sh"

[ -n "$data" ] || skip_all "neither an argument nor SXT_TEST_DATA names data"
python=${PYTHON3:-python3}
oracle=$SRCDIR/validation/oracle
sets=$SRCDIR/inputs/datasets
each=${SXT_EACH:-3}
first=${SXT_FIRST:-0}
ulimit -u 4000 2>/dev/null

# verdicts RIGHT|WRONG COUNT: the last table counts so many, all of one kind
verdicts() {
    awk -v side="$1" -v n="$2" '$1 == "grade" && $5 ~ /^[0-9.]+$/ && $6 == "%" {
            found = $3 == n && $4 == (side == "right" ? n : 0)
            # a fault of the jail is no verdict
            if (/sandbox_error/) found = 0 }
        END { exit !found }' tap.out
}
# grade NAME SIDE OUT: verdicts of the programs of one side
grade() {
    "$SEXTANT" grade -s problems="$1.h5" -s responses="$1-$2.jsonl" \
        -s output="$3.h5" -s grading.python="$(command -v "$python")" \
        >tap.out 2>&1
}
# Processes that compute and nothing else, as long as this shell lives.
compute() {
    for _ in $(seq $((2 * $(nproc)))); do
        "$python" -c 'import os
parent = os.getppid()
while os.getppid() == parent:
    sum(range(10 ** 6))' &
        computing="$computing $!"
    done
}
rest() {
    # shellcheck disable=SC2086 # ids
    [ -z "$computing" ] || kill $computing
    computing=
}
computing=
trap 'rest; rm -rf "$tap_dir"' EXIT
# passed: how many of the last table passed
passed() { awk '$1 == "grade" && $6 == "%" { n = $4 } END { print n + 0 }' tap.out; }
runs=0
accepted=0
# judge NAME: NAME.h5 has the problems, NAME-right.jsonl and -wrong the programs
judge() {
    for side in right wrong; do
        count=$(wc -l <"$1-$side.jsonl")
        [ "$count" -gt 0 ] || continue
        grade "$1" $side "$1-$side"
        verdicts $side "$count"
        tap_result $? "$1: all $count programs that are $side are judged so"
        sed -n 's/^grade  *\(.* %.*\)/# \1/p' tap.out
        [ $side = right ] || continue
        accepted=$((accepted + $(passed)))
        runs=$((runs + count))
        [ "${SXT_BUSY:-1}" = 1 ] || continue
        compute
        grade "$1" $side "$1-busy"
        rest
        accepted=$((accepted + $(passed)))
        runs=$((runs + count))
        verdicts $side "$count"
        tap_result $? "$1: and all $count that are right while others compute"
    done
}
# check NAME KIND FILE DATASET MUTANTS: by a plain CPython
check() {
    if [ ! -r "$data/$3" ]; then
        skip "$1" "$data/$3 is not there"
        return
    fi
    ok "$1: import" "$SEXTANT" import "$data/$3" -s datasets="$sets/$4.cfg" \
        -s output="$1.h5"
    ok "$1: programs" "$python" "$oracle/mutants.py" "$2" "$data/$3" "$1" \
        --each "$5" --first "$first"
    fails=$(grep -c 'fails its own tests' tap.out)
    [ "$fails" -eq 0 ]
    tap_result $? "$1: every reference solution passes in a plain CPython"
    judge "$1"
}
# labelled NAME FILE CFG: by what the data set, or code_samples.py, says
labelled() {
    if [ ! -r "$data/$2" ]; then
        skip "$1" "$data/$2 is not there"
        return
    fi
    ok "$1: import" "$SEXTANT" import "$data/$2" -s datasets="$3" \
        -s output="$1.h5"
    ok "$1: programs" "$python" "$oracle/code_samples.py" "$1" "$data/$2" "$1"
    judge "$1"
}

# ---- reference solutions and their mutants
check humaneval humaneval humaneval/HumanEval.jsonl.gz humaneval "$each"
check mbpp mbpp mbpp/mbpp.jsonl mbpp "$each"
check sanitized sanitized mbpp_sanitized/sanitized-mbpp.json mbpp-sanitized 0
check humaneval-plus evalplus humaneval_plus/HumanEvalPlus-Mini.jsonl.gz \
    humaneval-plus 0
check mbpp-plus evalplus mbpp_plus/MbppPlus-v0.1.0.jsonl mbpp-plus 0

# ---- programs whose verdict is known otherwise
labelled apps apps_samples/apps_train_5.jsonl "$sets/apps.cfg"
# The samples come as SandboxFusion lays them out.
cat >common.cfg <<'END'
    domain = "code"; id = "id"; question = "content"; tests = "pairs";
    test_members = ["test"];
END
{
    echo 'dataset: { source = "livecodebench"; upstream = "livecodebench";'
    cat common.cfg
    echo '};'
} >lcb.cfg
{
    echo 'dataset: { source = "codecontests"; cpu_s = 10.0; tolerance = 1e-5;'
    echo '    form = "words"; fold_case = true;'
    cat common.cfg
    echo '};'
} >cc.cfg
labelled livecodebench livecodebench_samples/lcb_sandboxfusion.jsonl ./lcb.cfg
labelled codecontests code_contests_sample/code_contests.jsonl ./cc.cfg

# ---- all that is honest
[ $((1000 * accepted)) -ge $((999 * runs)) ]
tap_result $? "honest programs: $accepted of $runs runs are accepted"
done_testing
