#!/bin/sh
# sandbox.sh - what a trivial test costs: in the sandbox, in the sandbox with
# an interpreter started for each, and in a plain process with no sandbox.
#
# usage: sandbox.sh BUILDDIR [TESTS]
#
# One core each, in turn, three rounds.  PYTHON3 names the interpreter for all;
# SXT_BENCH_RUN="chrt -r 20" has root's bench go before all else on a busy
# machine, so that its wall time is that of an idle one.
here=$(dirname "$0")
build=${1:?usage: sandbox.sh BUILDDIR [TESTS]} tests=${2-500}
PYTHON3=${PYTHON3-python3}
export PYTHON3

for round in 1 2 3; do
    printf 'round %d  zygote  ' $round
    # shellcheck disable=SC2086 # words
    $SXT_BENCH_RUN "$build/bench/sandbox" "$tests" 2>/dev/null || exit 1
    printf 'round %d  anew    ' $round
    # shellcheck disable=SC2086 # words
    $SXT_BENCH_RUN "$build/bench/sandbox" "$tests" anew 2>/dev/null || exit 1
    printf 'round %d  plain   ' $round
    # shellcheck disable=SC2086 # words
    $SXT_BENCH_RUN "$PYTHON3" "$here/sandbox_rival.py" "$tests" || exit 1
done
