#!/bin/sh
# t4001-reformat.sh - a model that rewrites: what it gets wrong is divided by
# rule and counted, and the number of ranks does not show.
. "$SRCDIR/validation/lib.sh"

"$BUILDDIR/src/stage/test/gen_fixture" . 5 || exit 99
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
here=$PWD
cat >base.cfg <<EOF2
generate: { n = 2; split = ""; model = "$here/model.h5";
            problems = "$here/problems.h5";
            sampling: { temperature = 1.0; max_tokens = 24; }; };
reformat: { generations = "$here/generations.h5";
            problems = "$here/problems.h5"; model = "$here/model.h5";
            prompt_file = "$SRCDIR/inputs/prompts/convertor.txt";
            example_file = "$here/example.txt";
            sampling: { temperature = 1.0; max_tokens = 16; }; };
EOF2
printf 'none' >example.txt
ok "answers to rewrite" "$SEXTANT" generate base.cfg
for n in 1 2 3; do
    [ $n -gt 1 ] && [ -z "$MPIRUN" ] && continue
    ok "a model rewrites on $n ranks" on_ranks $n "$SEXTANT" reformat \
        base.cfg -o r$n
    says "fallback 10" "  random words are no rewriting: divided by rule"
    [ $n -eq 1 ] && continue
    ok "  the same as on one rank" "$SEXTANT" diff r1/traces.h5 r$n/traces.h5
done
ok "without a model" "$SEXTANT" reformat base.cfg -s model= -o plain
says "splitter 10" "  nothing falls back"

# A tiny model that has learned one rewriting by heart in a few seconds: it is
# accepted, and not where it changes the answer.
want="<|begin_of_thought|>

Two and two.

<|end_of_thought|>

<|begin_of_solution|>

So \\boxed{4}.

<|end_of_solution|>"
line() { # TEXT: as a JSON string
    printf '%s' "$1" | sed 's/\\/\\\\/g' | tr '\n' '~' | sed 's/~/\\n/g'
}
answer='Two and two. So \boxed{4}.'
wrong='Two and two. So \boxed{5}.'
for a in "$answer" "$wrong"; do
    printf '{"conversations": [{"from": "user", "value": "%s"}, {"from": "assistant", "value": "%s"}]}\n' \
        "$(line "$a")" "$(line "$want")"
done >pairs.jsonl
printf '{"id": "sum-0", "response": "%s"}\n{"id": "sum-1", "response": "%s"}\n' \
    "$(line "$answer")" "$(line "$wrong")" >raw.jsonl
printf '{content}' >prompt.txt
ok "pairs to learn" "$SEXTANT" select -s from_sharegpt=pairs.jsonl
ok "a model learns to rewrite" "$SEXTANT" sft -s model=model.h5 -s batch=2 -s epochs=150 \
    -s lr=1e-2 -s dtype=f32 -s max_tokens=512 -s output=writer.h5 \
    -s schedule.warmup_steps=5 -s checkpoint.every_minutes=0
ok "it rewrites" "$SEXTANT" reformat -s generations=raw.jsonl \
    -s model=writer.h5 -s prompt_file=./prompt.txt -s system= \
    -s sampling.temperature=0 -s sampling.max_tokens=300 -s output=written.h5
says "model 1" "  one rewriting is accepted"
says "fallback 1" "  the other, which changes the answer, is not"

exits 66 "a prompt that is not there" "$SEXTANT" reformat base.cfg \
    -s prompt_file=nowhere.txt -o x
ok "  nothing is written" test ! -e x/traces.h5
ok "the thinking style" "$SEXTANT" reformat base.cfg -s model= \
    -s style=thinking -o thinking
exits 78 "no other style" "$SEXTANT" reformat base.cfg -s style=other
ok "a dry run" "$SEXTANT" reformat -n base.cfg -s model= -o dry
ok "  writes nothing" test ! -e dry/traces.h5
done_testing
