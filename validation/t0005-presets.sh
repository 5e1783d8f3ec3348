#!/bin/sh
# t0005-presets.sh - every configuration that is shipped is accepted.
. "$SRCDIR/validation/lib.sh"

# Each section of each file is read by its command.
for file in "$SRCDIR"/inputs/*/*.cfg "$SRCDIR"/inputs/*.cfg; do
    name=${file#"$SRCDIR"/inputs/}
    commands=$(sed -n 's/^\([a-z]*\):.*/\1/p' "$file")
    if [ "$commands" = dataset ]; then
        : >empty.jsonl
        exits 65 "$name: a data set, of which an empty file has no records" \
            "$SEXTANT" import -n -s datasets="$file" empty.jsonl
        says "no records" "  and nothing else is wrong"
        continue
    fi
    ok "$name has sections" test -n "$commands"
    for command in $commands; do
        ok "$name: $command" "$SEXTANT" "$command" "$file" --print-config
    done
done

# A whole preset, with data sets of one record each.  A dry run checks every
# step that it can, and tells all that is missing: here models and benchmarks.
mkdir data
cat >data/numina-difficulty.jsonl <<'EOF'
{"source": "math", "problem": "a", "solution": "\\boxed{1}", "gpt_difficulty_parsed": 5}
{"source": "amc_aime", "problem": "b", "solution": "\\boxed{2}", "gpt_difficulty_parsed": 5}
{"source": "olympiads", "problem": "c", "solution": "\\boxed{3}", "gpt_difficulty_parsed": 9}
{"source": "olympiads", "problem": "too easy", "solution": "\\boxed{4}", "gpt_difficulty_parsed": 8}
EOF
cat >data/apps-test.jsonl <<'EOF'
{"problem_id": 1, "question": "d", "difficulty": "interview", "starter_code": "", "input_output": "{\"inputs\": [\"1\"], \"outputs\": [\"2\"]}"}
EOF
cat >data/taco-train.jsonl <<'EOF'
{"question": "e", "difficulty": "MEDIUM", "starter_code": "", "input_output": "{\"inputs\": [\"1\"], \"outputs\": [\"2\"]}"}
{"question": "too hard", "difficulty": "HARD", "starter_code": "", "input_output": "{\"inputs\": [\"1\"], \"outputs\": [\"2\"]}"}
EOF
cat >data/still2.jsonl <<'EOF'
{"domain": "physics", "question": "f", "combined_text": "so \\boxed{6}"}
{"domain": "physics", "question": "no box, so nothing to grade by", "combined_text": "6"}
{"domain": "math", "question": "of another domain", "combined_text": "\\boxed{7}"}
EOF
exits 66 "sky-t1-preview without models" "$SEXTANT" pipeline -n \
    "$SRCDIR/inputs/sky-t1-preview/pipeline.cfg"
says "data/math500.jsonl" "  misses a benchmark"
says "sft  cannot be checked before there is ./train.h5, which step 6, select, makes" \
    "  cannot know the samples yet"
says "6 problems" "  and takes a problem of each of its six sources"
exits 66 "sky-t1-upstream without models" "$SEXTANT" pipeline -n \
    "$SRCDIR/inputs/sky-t1-upstream/pipeline.cfg"
says "5 problems" "  and takes a problem of each of its five sources"

# A few values that make the two different runs.
value() { # NAME: of the resolved configuration of sft
    "$SEXTANT" sft "$SRCDIR/inputs/sky-t1-$preset/pipeline.cfg" --print-config |
        sed -n "s/^ *$1 = \\(.*\\);/\\1/p"
}
preset=upstream
ok "upstream ends answers as it did" test "$(value end_token)" = '"<|endoftext|>"'
ok "upstream warms up for a tenth" \
    test "$(value warmup_steps) $(value warmup_ratio)" = "0 0.1"
preset=preview
ok "the specification's restarts" \
    test "$(value kind) $(value t_0) $(value warmup_steps)" = '"restarts" 100 100'
done_testing
