#!/bin/sh
# t3101-equal.sh - the judge of answers from the command line.
. "$SRCDIR/validation/lib.sh"

exits 0 "equal answers end with 0" "$SEXTANT" equal '\frac{1}{2}' 0.5
says "equal (" "and name the rule"
exits 80 "others with 80" "$SEXTANT" equal '[0,1)' '[0,1]'
says "different (" "and name it as well"
exits 64 "one answer is too few" "$SEXTANT" equal 5
exits 66 "a missing file is said" "$SEXTANT" equal --jsonl nowhere.jsonl

cat >pairs.jsonl <<'END'
{"gold": "1/3", "pred": "\\frac13", "equal": true}
{"gold": "5", "pred": "6", "equal": false}

{"gold": 7, "pred": "7.0"}
{"gold": "x", "pred"
{"gold": "x"}
{"gold": "\\{1,2\\}", "pred": "\\{2,1\\}"}
END
exits 65 "bad lines are an error in the end" "$SEXTANT" equal --jsonl pairs.jsonl
cp tap.out said.out
says "pairs.jsonl:5" "that names the broken line"
grep -F "pairs.jsonl:6: needs" said.out >tap.out
says "pairs.jsonl:6" "and the incomplete one"
"$SEXTANT" equal --jsonl pairs.jsonl >got.jsonl 2>told
ok "nothing but verdicts comes out of it" sh -c '! grep -v "^{" got.jsonl'
grep "2 of 2 right" told >tap.out
says "false accepts 0" "the sum is told beside them"
cat >want.jsonl <<'END'
true
false
true
false
false
true
END
sed 's/.*"equal": *\([a-z]*\).*/\1/' got.jsonl >verdicts
ok "the others are judged, in order, a line for each" cmp verdicts want.jsonl
grep -n '"bad line"' got.jsonl | cut -d: -f1 | tr '\n' ' ' >tap.out
says "4 5 " "bad lines keep their place"

# More than a pipe holds, so it cannot be over when it is told.
yes '{"gold": "1/2", "pred": "0.50"}' | head -n 9999 >many.jsonl
mkfifo pipe
"$SEXTANT" equal --jsonl many.jsonl >pipe 2>tap.out &
exec 3<pipe
read -r first <&3
kill -TERM $!
cat <&3 >rest
exec 3<&-
wait $!
status=$?
says "are judged" "told to stop it says how far it came"
ok "and ends at the next line ($first)" \
    test $status = 75 -a "$(wc -l <rest)" -lt 9998

cat >texts.jsonl <<'END'
{"gold": "12", "pred": "First 5, then 7. So \\boxed{12}."}
{"gold": "12", "pred": "<think>\\boxed{12}</think> The final answer is 13."}
{"gold": "2/3", "pred": "Hence the chance is 2/3."}
{"gold": "12", "pred": "I do not know."}
END
ok "whole responses are searched for their answer" \
    "$SEXTANT" equal --jsonl texts.jsonl --text
says '"extracted":"13"' "which is shown"
sed 's/.*"equal": *\([a-z]*\).*/\1/' tap.out | tr '\n' ' ' >verdicts
grep -q '^true false true false' verdicts
tap_result $? "and judged"
ok "without guessing" "$SEXTANT" equal --jsonl texts.jsonl --text --guess=false
says '"rule":"no answer"' "no last number is taken"
done_testing
