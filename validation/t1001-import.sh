#!/bin/sh
# t1001-import.sh - problems.h5 is the same on any number of ranks, and bad
# records are named by file and line.
. "$SRCDIR/validation/lib.sh"

sets=$SRCDIR/inputs/datasets
import() { # RANKS ARGS...
    n=$1
    shift
    on_ranks "$n" "$SEXTANT" import "$@"
}

# Three files of different kinds, one of them compressed, one an array.
i=0
while [ $i -lt 40 ]; do
    echo "{\"question\": \"What is $i + 1?\", \"answer\": \"so #### $((i + 1))\"}"
    i=$((i + 1))
done >sums.jsonl
cat >code.jsonl <<'EOF'
{"task_id": 7, "text": "Double a number.", "code": "def f(x):\n    return 2 * x", "test_setup_code": "", "test_list": ["assert f(2) == 4", "assert f(0) == 0"]}
EOF
gzip -k code.jsonl
printf '[{"id": "q1", "question": "Sun?", "choices": {"text": ["star", "moon"], "label": ["A", "B"]}, "answerKey": "A"},\n {"id": "q2", "question": "Luna?", "choices": {"text": ["star", "moon"], "label": ["A", "B"]}, "answerKey": "B"}]' >array.json
cat >three.cfg <<EOF
import: {
    files = ["./sums.jsonl", "./code.jsonl.gz", "./array.json"];
    datasets = ["$sets/gsm8k.cfg", "$sets/mbpp.cfg", "$sets/arc-challenge.cfg"];
};
EOF

for n in 1 2 3; do
    [ $n -gt 1 ] && [ -z "$MPIRUN" ] && continue
    ok "three files on $n ranks" import $n -o p$n three.cfg
    says "43 problems of 43 records in 3 files" "all 43 problems"
done
if [ -n "$MPIRUN" ]; then
    ok "2 ranks write what 1 writes" "$SEXTANT" diff p1/problems.h5 p2/problems.h5
    ok "3 ranks write what 1 writes" "$SEXTANT" diff p1/problems.h5 p3/problems.h5
else
    skip "ranks write the same" "no MPI launcher works here"
fi
ok "operands are files" import 1 -s datasets="$sets/gsm8k.cfg" \
    -s output=o.h5 sums.jsonl
ok "a limit" import 1 -s datasets="$sets/gsm8k.cfg" -s output=l.h5 \
    -s limit=3 sums.jsonl
says "3 problems" "three problems"

# The shipped data sets say which part they mean; another file may be told.
ok "a file told to be the train part" import 1 -s datasets="$sets/gsm8k.cfg" \
    -s splits=train -s output=train.h5 sums.jsonl
ok "the part is stored" grep -aq traintrain train.h5
exits 78 "a part that is none" import 1 -s datasets="$sets/gsm8k.cfg" \
    -s splits=dev -s output=bad.h5 sums.jsonl
says '"dev" is neither train nor test' "names it"
exits 78 "parts that do not fit the files" import 1 three.cfg \
    -s splits=train,test -s output=bad.h5

ok "a dry run" import 1 -n three.cfg -s output=dry.h5
ok "writes nothing" test ! -e dry.h5

# ---- faults
bad() { # CLAIM STATUS MESSAGE FILE
    rm -f bad.h5
    exits "$2" "$1" import 1 -s datasets="$sets/generic.cfg" \
        -s output=bad.h5 "$4"
    says "$3" "  says: $3"
    [ ! -e bad.h5 ] && [ ! -e bad.h5.part ]
    tap_result $? "  nothing is written"
}
good='{"question": "a"}'
{ echo "$good"; echo '{"question": '; echo '{"answer": "x"}'; echo "$good"; } \
    >two.jsonl
bad "no JSON on a line" 65 "two.jsonl:2:" two.jsonl
says "two.jsonl:3: member question is missing" "the second fault as well"
says "2 unusable records" "both are counted"
ok "skipping them" import 1 -s datasets="$sets/generic.cfg" \
    -s output=skip.h5 -s on_error=skip two.jsonl
says "2 records left out" "says how many"
says "2 problems of 3 records" "and takes the others"

i=0
while [ $i -lt 25 ]; do
    echo '{}'
    i=$((i + 1))
done >many.jsonl
bad "many faults" 65 "25 unusable records, 20 of them above" many.jsonl

cat >id.cfg <<'EOF'
dataset: { source = "s"; id = "n"; answer_optional = true; };
EOF
echo '{"n": 1, "question": "a"}' >a.jsonl
{ echo '{"n": 2, "question": "b"}'; echo '{"n": 1, "question": "c"}'; } >b.jsonl
printf '{"n": "a\\u0000b", "question": "a"}\n' >nul.jsonl
exits 65 "an id with a byte 0" import 1 -s datasets=./id.cfg nul.jsonl
says "nul.jsonl:1: the id has a control character" "is named"
for n in 1 2; do
    [ $n -gt 1 ] && [ -z "$MPIRUN" ] && continue
    exits 65 "one id twice, on $n ranks" import $n -s datasets=./id.cfg \
        -s output=bad.h5 a.jsonl b.jsonl
    says "b.jsonl:2: id s/1 is there already, at a.jsonl:1" "names both places"
done

: >empty.jsonl
bad "an empty file" 65 "empty.jsonl: no records" empty.jsonl
bad "a missing file" 66 "none.jsonl" none.jsonl
bad "a directory" 66 "not a regular file" .
printf '%s' "$good" >end.jsonl
ok "no newline at the end" import 1 -s datasets="$sets/generic.cfg" \
    -s output=g.h5 end.jsonl
printf '\357\273\277%s\r\n\r\n%s\r\n' "$good" "$good" >crlf.jsonl
ok "a byte order mark, CRLF and blank lines" import 1 \
    -s datasets="$sets/generic.cfg" -s output=g.h5 crlf.jsonl
printf '{"question": "\377"}\n' >latin.jsonl
bad "invalid UTF-8" 65 "latin.jsonl:1" latin.jsonl
printf '{"question": "a", "question": "b"}\n' >twice.jsonl
bad "a key twice" 65 "twice.jsonl:1" twice.jsonl
printf '{"question": "a", "x": [1e999, NaN, 123456789012345678901]}\n' >big.jsonl
ok "numbers as Python writes them, beyond 64 bits" import 1 \
    -s datasets="$sets/generic.cfg" -s output=g.h5 big.jsonl
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "["; print "" }' >deep.jsonl
bad "deep nesting" 65 "deep.jsonl" deep.jsonl
gzip -c sums.jsonl | head -c 100 >cut.jsonl.gz
bad "a truncated gzip file" 65 "cut.jsonl.gz" cut.jsonl.gz
# A Zstandard frame written by hand: one raw block of 18 bytes.
printf '\050\265\057\375\000\000\221\000\000%s\n' "$good" >one.jsonl.zst
head -c 20 one.jsonl.zst >cut.jsonl.zst
if "$SEXTANT" --build-info | grep -q "Zstandard *yes"; then
    ok "a Zstandard file" import 1 -s datasets="$sets/generic.cfg" \
        -s output=z.h5 one.jsonl.zst
    says "1 problem" "is read"
    bad "a truncated one" 65 "cut.jsonl.zst: cannot be unpacked" cut.jsonl.zst
else
    bad "a Zstandard file, in a build without" 65 "libzstd" one.jsonl.zst
fi
printf '{"question": "\\ud800"}\n' >lone.jsonl
bad "a lone surrogate" 65 "lone.jsonl:1" lone.jsonl

exits 64 "no file" import 1 -s datasets="$sets/generic.cfg"
exits 78 "datasets that do not fit the files" import 1 -s datasets=a.cfg,b.cfg \
    sums.jsonl
exits 66 "a data set that is not there" import 1 -s datasets=./none.cfg \
    sums.jsonl
exits 66 "a data set that does not come along" import 1 -s datasets=gsmk8 \
    sums.jsonl
says "nothing of this name comes with the program" "is said to be none"
echo 'dataset: { source = "s"; keep = ["n"]; };' >none.cfg
exits 65 "a data set whose rule leaves all out" import 1 -s datasets=./none.cfg \
    sums.jsonl
says "the data set's keep" "tells of the rule"
echo 'dataset: { source = "s"; qestion = "q"; };' >typo.cfg
exits 78 "a data set with a typing error" import 1 -s datasets=./typo.cfg \
    sums.jsonl
says "typo.cfg:1: unknown parameter qestion (did you mean question?)" \
    "names the line and what is meant"
done_testing
