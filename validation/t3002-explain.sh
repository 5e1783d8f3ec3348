#!/bin/sh
# t3002-explain.sh - how a verdict came about, in words.
. "$SRCDIR/validation/lib.sh"

sets=$SRCDIR/inputs/datasets
cat >sums.jsonl <<'END'
{"question": "What is 1 + 1?", "answer": "#### 2"}
END
cat >array.json <<'END'
[{"id": "q1", "question": "Sun?", "choices": {"text": ["star", "moon"], "label": ["A", "B"]}, "answerKey": "A"}]
END
cat >apps.jsonl <<'END'
{"problem_id": 1, "question": "Square, twice.", "difficulty": "easy", "starter_code": "", "input_output": "{\"inputs\": [\"3\\n\", \"4\\n\"], \"outputs\": [\"9\\n9\\n\", \"16\\n16\\n\"]}"}
{"problem_id": 2, "question": "Square.", "difficulty": "easy", "starter_code": "", "input_output": "{\"fn_name\": \"f\", \"inputs\": [[3], [4]], \"outputs\": [9, 16]}"}
END
ok "problems" "$SEXTANT" import -o run -s datasets="$sets/gsm8k.cfg,$sets/arc-challenge.cfg,$sets/apps.cfg" \
    sums.jsonl array.json apps.jsonl

cat >run/answers.jsonl <<'END'
{"id": "gsm8k/sums/1", "response": "<think>\\boxed{7}?</think>So \\boxed{\\frac{4}{2}}."}
{"id": "gsm8k/sums/1", "response": "I do not know"}
{"id": "gsm8k/sums/1", "response": "\\boxed{\u001b[31m2}"}
{"id": "arc-challenge/q1", "response": "The answer is (B)."}
{"id": "apps/1", "response": "```python\nn = int(input())\nprint(n * n)\nprint(9)\n```"}
{"id": "apps/2", "response": "```python\ndef f(x):\n    return 9\n```"}
{"id": "apps/2", "response": "no program"}
END

explain() { # ARGS...
    "$SEXTANT" grade --explain "$@"
}
ok "an answer is explained" explain run/answers.jsonl gsm8k/sums/1
says "problem    gsm8k/sums/1  sample 0  domain math  finish external" \
    "  which sample"
says "looked at  bytes 25 to 48 of 48: the solution section" "  where was looked"
says 'found      bytes 28 to 47 of 48 (boxed): \boxed{\frac{4}{2}}' \
    "  what was found, and where"
says 'answer     \frac{4}{2}' "  the answer"
says "  read as  (div (number 4) (number 2))" "  its tree"
says "reference  2" "  the reference"
says "rule       identity: " "  the rule"
says "verdict    pass" "  the verdict"
says "sample 1" "every sample of a problem is"
says "found      no answer is stated" "  also one without an answer"
says "verdict    no_answer" "  with its verdict"
says 'answer     \x1B[31m2' "nothing reaches the terminal that it might obey"
ok "one sample alone" explain run/answers.jsonl gsm8k/sums/1 1
exits 1 "  the other is not shown" grep -q "sample 0" tap.out
ok "a choice" explain run/answers.jsonl arc-challenge/q1
says "answer     B" "  its letter"
says "verdict    wrong" "  its verdict"

# ---- programs, where they can be run
if "$SEXTANT" grade -s responses=run/answers.jsonl -s problems=run/problems.h5 \
    -s output=run/verdicts.h5 >grade.out 2>&1; then
    ok "a program's output" explain run/answers.jsonl apps/1
    says "test 0     pass" "  the test that passed"
    says "test 1     wrong" "  the test that failed"
    says "    | 4" "  what was given"
    says "    - 16" "  what was expected"
    says "    + 9" "  what came"
    says "differ   first in line 2" "  where they differ"
    says " s of CPU time, 1024 MiB, 8 MiB output" "  the limits"
    says "tests      1 of 2 passed, 2 run  " "  the count"
    ok "a function's value" explain run/answers.jsonl apps/2
    says "because    returned 9" "  why"
    says "verdict    no_code" "a response without a program"
    ok "verdicts name what they judged" explain run/verdicts.h5 apps/1
    says "in file    wrong (stdin)" "  and are compared"
else
    skip "programs are explained" "$(tail -n 1 grade.out)"
fi

# ---- faults
exits 65 "an unknown problem" explain run/answers.jsonl gsm8k/sums/9
says "has no problem gsm8k/sums/9" "  says so"
exits 65 "an unknown sample" explain run/answers.jsonl gsm8k/sums/1 7
says "has no such answer" "  says so"
exits 64 "no problem" explain run/answers.jsonl
exits 64 "a sample that is no number" explain run/answers.jsonl gsm8k/sums/1 x
exits 64 "operands without --explain" "$SEXTANT" grade run/answers.jsonl
exits 66 "no such file" explain nothing.h5 gsm8k/sums/1
done_testing
