#!/bin/sh
# t3001-grade.sh - verdicts, training samples and figures from answers of any
# engine; the same on any number of ranks; faults by line.
. "$SRCDIR/validation/lib.sh"

sets=$SRCDIR/inputs/datasets
for i in 1 2 3 4 5 6; do
    echo "{\"question\": \"What is $i + 1?\", \"answer\": \"#### $((i + 1))\"}"
done >sums.jsonl
printf '[{"id": "q1", "question": "Sun?", "choices": {"text": ["star", "moon"], "label": ["A", "B"]}, "answerKey": "A"},
 {"id": "q2", "question": "Luna?", "choices": {"text": ["star", "moon"], "label": ["A", "B"]}, "answerKey": "B"}]' >array.json
ok "problems" "$SEXTANT" import -s datasets="$sets/gsm8k.cfg,$sets/arc-challenge.cfg" \
    sums.jsonl array.json

answer() { # ID TEXT (JSON escapes stay)
    printf '{"id": "%s", "response": "%s"}\n' "$1" "$2"
}
{
    answer gsm8k/sums/1 'Add.\n\nSo two.\n\n**Final Answer**\n\n\\boxed{2}'
    answer gsm8k/sums/1 'Adding one and one.\n\nThe answer is \\boxed{2}.'
    answer gsm8k/sums/1 'Hm.\n\n\\boxed{3}'
    answer gsm8k/sums/2 'Let me see.\n\n\\boxed{3.0}'
    answer gsm8k/sums/2 'I do not know'
    answer gsm8k/sums/3 '<|begin_of_thought|>\n\nt\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n\\boxed{4}\n\n<|end_of_solution|>'
    answer gsm8k/sums/4 'x\n\n\\boxed{6}'
    answer arc-challenge/q1 'It shines.\n\nThe answer is (A).'
    answer arc-challenge/q2 'Moon.\n\n\\boxed{A}'
} >answers.jsonl

here=$PWD
stage() { # RANKS COMMAND ARGS...
    n=$1
    shift
    on_ranks "$n" "$SEXTANT" "$@" -o "r$n" -s problems="$here/problems.h5"
}
for n in 1 2 3; do
    [ $n -gt 1 ] && [ -z "$MPIRUN" ] && continue
    ok "reformat on $n ranks" stage $n reformat \
        -s generations="$here/answers.jsonl"
    says "9 traces  kept 1  splitter 8  invalid 1" "  one was kept, one is unusable"
    ok "grade on $n ranks" stage $n grade -s generations=traces.h5
    says "7        4   57.1 %  wrong 2  no_answer 1" "  a line a source"
    says "2        1   50.0 %  wrong 1" "  letters too"
    ok "select on $n ranks" stage $n select -s sharegpt=train.jsonl \
        -s system_file="$SRCDIR/inputs/prompts/sky-t1.txt"
    says "7        3   42.9 %  verdict 3  surplus 1" "  and the reasons"
    ok "evaluate on $n ranks" stage $n evaluate \
        -s generations="$here/answers.jsonl"
    says "arc-challenge        pass@1           50.00    50.00  [    9.45,   90.55]        2" "  with Wilson's interval"
    says "gsm8k                maj@3           100.00" "  and the majority's vote"
done
for name in traces verdicts train eval; do
    if [ -n "$MPIRUN" ]; then
        ok "2 ranks write the $name that 1 writes" \
            "$SEXTANT" diff r1/$name.h5 r2/$name.h5
        ok "3 ranks write the $name that 1 writes" \
            "$SEXTANT" diff r1/$name.h5 r3/$name.h5
    else
        skip "ranks write the same $name" "no MPI launcher works here"
    fi
done
ok "responses are graded like generations" "$SEXTANT" grade \
    -s responses=answers.jsonl -s output=direct.h5
says "7        4   57.1 %" "  with the same counts"
ok "figures from verdicts that are there" "$SEXTANT" evaluate \
    -s generations=answers.jsonl -s verdicts=direct.h5 -s output=eval-v.h5
says "all                  pass@1" "  over all sources"

# ---- selection
choose() { # CLAIM COUNTS ARGS...
    claim=$1
    counts=$2
    shift 2
    ok "select: $claim" "$SEXTANT" select -s traces=r1/traces.h5 \
        -s verdicts=r1/verdicts.h5 -s output=s.h5 "$@"
    says "$counts" "  $counts"
}
choose "all of a problem" "7        4   57.1 %  verdict 3" -s per_problem=0
choose "no filter" "7        4   57.1 %  format 1  surplus 2" -s filter=none
choose "a quota" "7        1   14.3 %  verdict 3  surplus 1  quota 2" \
    -s quotas=gsm8k:1
choose "contaminated" "7        0    0.0 %  verdict 3  contaminated 4" \
    -s decontaminate=problems.h5 -s ngram=3
says "nothing is kept" "  which is said"
exits 78 "a quota for nobody" "$SEXTANT" select -s traces=r1/traces.h5 \
    -s verdicts=r1/verdicts.h5 -s output=x.h5 -s quotas=nobody:1
says "no answer is from that source" "  says so"
ok "traces of its own verdicts" "$SEXTANT" select -s traces=r1/traces.h5 \
    -s verdicts=r1/verdicts.h5 -s output=s.h5
! grep "was not made from" tap.out
tap_result $? "  are told from others"
sed 's/Hm/Hmm/' answers.jsonl >other.jsonl
ok "other answers" "$SEXTANT" reformat -s generations=./other.jsonl
ok "  with old verdicts" "$SEXTANT" select -s verdicts=r1/verdicts.h5 \
    -s output=s.h5
says "was not made from" "  give a warning"
ok "ShareGPT lines come back" "$SEXTANT" select \
    -s from_sharegpt=r1/train.jsonl -s output=back.h5 -s sharegpt=back.jsonl
ok "  the same" cmp r1/train.jsonl back.jsonl

cat >same.cfg <<'EOF'
dataset: { source = "same"; domain = "choice"; choices = ["c"];
           answer_rule = "letter"; };
EOF
for c in '"one", "two"' '"red", "blue"' '"Red!", "blue"'; do
    echo "{\"question\": \"Which is right?\", \"answer\": \"A\", \"c\": [$c]}"
done >same.jsonl
for i in 1 2 3; do
    echo "{\"id\": \"same/same/$i\", \"response\": \"\\\\boxed{A}\"}"
done >said.jsonl
ok "questions with the same words" "$SEXTANT" import -o same \
    -s datasets=./same.cfg same.jsonl
ok "  are answered" "$SEXTANT" reformat -o same -s generations=./said.jsonl
ok "  and chosen from" "$SEXTANT" select -o same -s filter=none
says "3        2   66.7 %  duplicate 1" "  choices tell them apart"

# ---- faults
{
    answer gsm8k/sums/1 ok
    echo '{"id": "gsm8k/sums/2"}'
    echo '{"id": '
    echo '{"response": "x"}'
    echo '[1]'
} >bad.jsonl
exits 65 "malformed lines" "$SEXTANT" grade -s responses=bad.jsonl -s output=x.h5
says "4 unusable lines" "  are counted"
says 'bad.jsonl:2: no "response"' "  and named by number"
says 'bad.jsonl:4: no "id"' "  each of them"
for i in 0 1 0; do
    echo "{\"id\": \"gsm8k/sums/1\", \"sample\": $i, \"response\": \"2\"}"
done >twice.jsonl
exits 65 "a sample twice" "$SEXTANT" grade -s responses=twice.jsonl -s output=x.h5
says 'twice.jsonl:3: this "sample" of the "id" is there already' "  is named"
: >none.jsonl
exits 65 "no answers" "$SEXTANT" grade -s responses=none.jsonl -s output=x.h5
answer gsm8k/sums/99 'x' >stranger.jsonl
exits 65 "an unknown problem" "$SEXTANT" grade -s responses=stranger.jsonl \
    -s output=x.h5
says "belong to no problem" "  says so"
ok "nothing was written" test ! -e x.h5

# ---- answers by hand
ok "equal answers" "$SEXTANT" equal '\frac{1}{2}' '50\%'
says "equal (percent)" "  by rule"
exits 80 "other answers" "$SEXTANT" equal '(1,2)' '[1,2]'
says "different" "  say so"
done_testing
