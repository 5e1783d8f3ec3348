#!/bin/sh
# equal.sh - the judge of answers beside the package math-verify, one thread.
#
# usage: equal.sh BUILDDIR PAIRS.jsonl [PYTHON]
#
# PAIRS: lines {"gold", "pred", "equal"}.  PYTHON must have math-verify.
here=$(dirname "$0")
build=${1:?} pairs=${2:?} python=${3-python3}

ours=$("$build/bench/equal" "$pairs") || exit 1
theirs=$("$python" "$here/equal.py" "$pairs" 2>/dev/null) || exit 1
printf 'sextant %s\nmath-verify %s\n' "$ours" "$theirs" | awk '
    {
        printf "%-12s %d pairs  %.1f %% right  %d missed  %d wrong accepted" \
               "  median %.1f us  99th percentile %.0f us  mean %.0f us\n",
               $1, $2, 100 * $3 / $2, $4, $5, $6, $7, $8
        median[NR] = $6
    }
    END { printf "ratio of medians  %.0f\n", median[2] / median[1] }'
