#!/bin/sh
# t2001-generate.sh - answers do not depend on ranks, batch, chunks or shards.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

generate() { # RANKS SETTING...
    np=$1
    shift
    for s in "$@"; do
        shift
        set -- "$@" -s "$s"
    done
    on_ranks "$np" "$SEXTANT" generate base.cfg "$@"
}
same() { # REFERENCE FILE: all but /provenance, and /config (other settings)
    "$SEXTANT" diff "$1" "$2" >diff.txt 2>&1
    cat diff.txt
    grep -q "datasets compared" diff.txt &&
        ! grep "^ */" diff.txt | grep -v "^ */config"
}
same_tokens() { # REFERENCE FILE: the same but for logprob
    "$SEXTANT" diff "$1" "$2" >diff.txt 2>&1
    cat diff.txt
    grep -q "datasets compared" diff.txt &&
        ! grep "^ */" diff.txt | grep -Ev "^ */(config|generations/logprob)"
}
ended() { # how many answers the model ended in the last command
    sed -n 's/.*(\([0-9]*\) ended by the model.*/\1/p' tap.out
}
ranks() { # N: the same command on N ranks, into N.h5
    generate "$1" && mv generations.h5 "$1.h5"
}

"$BUILDDIR/src/stage/test/gen_fixture" . 11 || exit 99
cat >base.cfg <<'CFG'
generate:
{
    n = 4;
    system = "Add.";
    sampling: { temperature = 1.0; top_p = 0.9; max_tokens = 40; };
    engine: { batch = 6; block = 8; };
};
CFG

ok "generate on 1 rank" generate 1 output=one.h5
ok "its journals are gone" test ! -e one.h5.journal
ok "generate again: nothing to do" generate 1 output=one.h5
says "is complete; nothing to do" "  and it says so"
ok "the same into another file" ranks 1
if [ -n "$MPIRUN" ]; then
    for np in 2 3; do
        ok "generate on $np ranks" ranks $np
        ok "  writes the file that 1 rank writes" "$SEXTANT" diff 1.h5 $np.h5
    done
    # A model divided over two ranks adds up in another order: the same tokens
    # but for ties, sums of probabilities to rounding; and the same bits however
    # many such pairs there are, and whatever is drawn beside.
    ok "generate in f32" generate 1 output=f32.h5 engine.dtype=f32
    ok "generate on 2 ranks that have one model between them" generate 2 \
        output=pair.h5 engine.dtype=f32 engine.tensor_parallel=2
    ok "  draws the tokens that one rank draws" same_tokens f32.h5 pair.h5
    ok "generate on 2 such pairs" generate 4 output=pairs.h5 \
        engine.dtype=f32 engine.tensor_parallel=2 engine.batch=3 engine.chunk=5
    ok "  draws what one pair draws" same pair.h5 pairs.h5
    exits 78 "3 ranks are no pairs" generate 3 output=no.h5 \
        engine.tensor_parallel=2
    says "there are 3: start a multiple of 2" "  and it says so"
    exits 78 "2 key-value heads are not divided by 4" generate 4 output=no.h5 \
        engine.tensor_parallel=4
    says "these do: 1, 2" "  and it says what would do"
    ok "a model in int8" "$SEXTANT" quantize model.h5 int8.h5
    exits 78 "  is not divided" generate 2 output=no.h5 model=int8.h5 \
        engine.tensor_parallel=2
    says "quantised weights (int8) cannot be divided" "  and it says so"
else
    skip "generate on 2, 3 and 4 ranks" "no MPI launcher works here"
fi
ok "one answer at a time" generate 1 output=b1.h5 engine.batch=1
ok "  draws the same" same one.h5 b1.h5
ok "all at a time, prompts in pieces of 5, pages of 1" \
    generate 1 output=b44.h5 engine.batch=44 engine.chunk=5 engine.block=1
ok "  draw the same" same one.h5 b44.h5
ok "another seed" generate 1 output=seed.h5 sampling.seed=2
exits 1 "  draws something else" same one.h5 seed.h5

for i in 0 1 2; do
    ok "shard $i of 3" generate 1 output="part-$i.h5" shard="$i/3"
done
ok "merge the shards" generate 1 output=merged.h5 'reuse=part-*.h5'
says "to draw 0 " "  drawing nothing anew"
ok "merged shards are what one job draws" same one.h5 merged.h5
for i in 0 1 2; do mv "part-$i.h5" "joined-$i-of-3.h5"; done
ok "shards named after the output are found" generate 1 output=joined.h5
says "to draw 0 " "  and nothing is drawn anew"
ok "  the file is what one job draws" same one.h5 joined.h5

ok "2 answers each" generate 1 output=more.h5 n=2
ok "4 answers each into the same file" generate 1 output=more.h5 n=4
says "to draw 22 " "  draws only the other 2"
ok "  and gives what 4 at once give" same one.h5 more.h5
exits 65 "other settings into the same file are refused" \
    generate 1 output=more.h5 sampling.temperature=0.5
ok "the first 3 even problems" \
    generate 1 output=few.h5 sources=even limit=3
says "12 answers" "  are 12 answers"
# What the authors of a model say in its generation_config.json counts where the
# configuration says nothing; every number is told with its origin.
ok "the model as a directory" "$SEXTANT" convert model.h5 hf
echo '{"eos_token_id": [257, 97, 101, 110, 115, 116], "temperature": 1.3, "top_k": 50, "top_p": 0.9}' \
    >hf/generation_config.json
ok "with its authors' settings" "$SEXTANT" convert hf told.h5
ok "drawn as they say" "$SEXTANT" generate -s model=told.h5 -s output=told-a.h5 \
    -s sampling.top_p=0.95 -s sampling.max_tokens=40
says "temperature 1.3 (model)  top_p 0.95 (set)  min_p 0 (default)  repetition_penalty 1 (default)  top_k 50 (model)" \
    "  and it says which numbers are whose"
told=$(ended)
ok "the same numbers as parameters" "$SEXTANT" generate -s model=told.h5 \
    -s output=told-b.h5 -s sampling.temperature=1.3 -s sampling.top_p=0.95 \
    -s sampling.top_k=50 -s sampling.max_tokens=40
ok "  draw the same" same told-a.h5 told-b.h5
ok "the same numbers for the model without them" "$SEXTANT" generate \
    -s output=told-c.h5 -s sampling.temperature=1.3 -s sampling.top_p=0.95 \
    -s sampling.top_k=50 -s sampling.max_tokens=40
ok "  fewer answers are ended by it, for it has fewer end tokens" \
    test "$(ended)" -lt "$told"

exits 65 "no such problem is an error" generate 1 output=x.h5 sources=none
exits 78 "a shard out of range is an error" generate 1 shard=3/3
exits 66 "no such model is an error" generate 1 model=none.h5
exits 78 "a context beyond the model's is an error" \
    generate 1 output=x.h5 engine.context=100000
ok "dry run" "$SEXTANT" generate base.cfg -n -s output=dry.h5
says "memory of a rank  weights " "  tells what it would take"
ok "  writes nothing" test ! -e dry.h5 -a ! -e dry.h5.journal

# solve: its output is the answer, whether it streams or not.
solve() { # SETTING...
    "$SEXTANT" solve model.h5 "Add 1." -s sampling.max_tokens=60 \
        -s sampling.stop=e "$@" 2>log.txt
}
solve -s stream=no >whole.txt
solve -s stream=yes >streamed.txt
ok "solve answers" test -s whole.txt
ok "  the same bytes token by token" cmp whole.txt streamed.txt
ok "  and its log is beside it" grep -q "Performance: .* tokens/s" log.txt
solve -s stream=yes -s prefill="Sum:" >prefilled.txt
ok "  a begin is shown" grep -q "^Sum:" prefilled.txt
ok "the mini teacher is asked as it was taught" "$SEXTANT" solve \
    "$SRCDIR/inputs/mini/teacher.h5" -s sampling.temperature=0 \
    "Write a Python function f(x) that returns the first 2 items of the list x."
says "return x[:2]" "  and knows the answer"
done_testing
