#!/bin/sh
# t0007-paths.sh - one rule for paths in parameters: a name without a slash is
# a file of the run (-o DIR), what has a slash is a path as the shell has it.
. "$SRCDIR/validation/lib.sh"

mkdir data run
problem() { # ID
    echo "{\"id\": \"$1\", \"question\": \"1 + 1?\", \"answer\": \"2\"}"
}
problem here >here.jsonl
problem below >data/below.jsonl
problem inside >run/inside.jsonl
cp "$SRCDIR/inputs/datasets/generic.cfg" run/mine.cfg
cp "$SRCDIR/inputs/datasets/generic.cfg" mine.cfg

imports() { # CLAIM ARGUMENT...
    claim=$1
    shift
    rm -f run/problems.h5
    ok "$claim" "$SEXTANT" import -o run "$@"
    ok "  and the output is in the run" test -f run/problems.h5
}
imports "an operand is what the shell says" here.jsonl
imports "so is one below" data/below.jsonl
imports "a name in a parameter is a file of the run" -s files=inside.jsonl
imports "a path in a parameter starts here" -s files=data/below.jsonl
imports "./ as well" -s files=./here.jsonl
imports "a data set's name with .cfg is a file of the run" \
    -s datasets=mine.cfg here.jsonl
imports "its path starts here" -s datasets=./mine.cfg here.jsonl
exits 66 "a name is not looked for here" "$SEXTANT" import -o run \
    -s files=here.jsonl
says "./NAME" "  but told how"
ok "an output with a path" "$SEXTANT" import -o run \
    -s output=data/out.h5 here.jsonl
ok "  is written there" test -f data/out.h5

mkdir cfg
problem beside >cfg/beside.jsonl
echo 'import: { files = ["@/beside.jsonl"]; };' >cfg/a.cfg
imports "@/ is the configuration's folder" cfg/a.cfg
done_testing
