#!/bin/sh
# t3520-sandbox-death.sh - whoever is killed in the middle of grading, nothing
# is left: no process, mount, shared memory or file of the sandbox's.
. "$SRCDIR/validation/lib.sh"
death=$BUILDDIR/src/sbx/test/death

printf '%s\n' '{"task_id": 11, "text": "Square.",
    "code": "def f(x): return x * x", "test_list": ["assert f(3) == 9"],
    "test_setup_code": "", "challenge_test_list": []}' | tr -d '\n' >mbpp.jsonl
ok "a problem" "$SEXTANT" import \
    -s datasets="$SRCDIR/inputs/datasets/mbpp.cfg" mbpp.jsonl
# Answers that sleep until they are killed, with processes of their own; and a
# right one.
sleeper='import os, time\nfor i in range(5):\n    if os.fork() == 0:\n'
sleeper=$sleeper'        os.setsid()\n        time.sleep(999)\n'
sleeper=$sleeper'time.sleep(999)\ndef f(x): return x * x'
for program in "$sleeper" "$sleeper" 'def f(x): return x * x'; do
    printf '{"id": "mbpp/11", "response": "```python\\n'
    printf '%s' "$program" | sed 's/$/\\n```"}/'
    echo
done >answers.jsonl

here=$PWD
# What jails leave, if they leave anything.  Other jobs run on the machine:
# files count if they are of our ranks; segments of MPI's are not ours.
traces() {
    grep sextant-jail /proc/self/mountinfo
    while read -r pid; do
        find /dev/shm /tmp -maxdepth 1 -name "sextant*-$pid-*"
    done <pids
}
mkdir tmp
TMPDIR=$PWD/tmp
export TMPDIR
# job VICTIM RANKS: a job loses one of its processes
job() {
    launch=
    [ "$2" -gt 1 ] && launch="$MPIRUN $MPIRUN_FLAGS -n $2"
    # shellcheck disable=SC2086 # words
    OMP_NUM_THREADS=1 "$death" "$1" $launch "$SEXTANT" grade \
        -s problems="$here/problems.h5" -s generations="$here/answers.jsonl" \
        -s grading.python="$PYTHON3" -o "$1$2" >job.out 2>&1
    tap_status=$?
    sed -n 's/^rank //p' job.out >>pids
    cat job.out
    return $tap_status
}
for victim in program init zygote rank; do
    ok "one rank, whose $victim is killed, leaves no process" job $victim 1
done
ok "... and goes on to the end if it was the program's" \
    "$SEXTANT" info program1/verdicts.h5
ok "... or its init's" "$SEXTANT" info init1/verdicts.h5
ok "... or the zygote" "$SEXTANT" info zygote1/verdicts.h5
if [ -n "$MPIRUN" ]; then
    for victim in rank launcher job; do
        ok "two ranks, whose $victim is killed, leave no process" job $victim 2
    done
else
    skip "two ranks leave no process" "no MPI launcher works here"
fi
# A battery's file, while it has one, is removed by the next.
tail -n 1 answers.jsonl >right.jsonl
ok "the next run" "$SEXTANT" grade -s problems="$here/problems.h5" \
    -s generations="$here/right.jsonl" -s grading.python="$PYTHON3" -o next
ok "the ranks were seen" test -s pids
traces >left
ok "no mount, shared memory or file is left" diff /dev/null left
done_testing
