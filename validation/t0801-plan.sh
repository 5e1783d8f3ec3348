#!/bin/sh
# t0801-plan.sh - plans need no files, no GPU and no launcher, agree with what
# runs say of themselves, and say what would fit.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

# value NAME FILE: the number behind NAME
value() {
    sed -n "s/^[a-z]*  *$1  *\([0-9.][0-9.]*\).*/\1/p" "$2" | head -n 1
}
# close A B PERCENT
close() {
    awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN {
        if (a == "" || b == "") exit 1
        d = a > b ? a - b : b - a
        exit !(100 * d <= p * b) }'
}

# The published recipe.  The numbers are those of src/stage/test/plan.c.
preview=$SRCDIR/inputs/sky-t1-preview/pipeline.cfg
exits 78 "sky-t1-preview does not fit on 8 H100, and that is status 78" \
    "$SEXTANT" plan "$preview"
says "DOES NOT FIT" "... it says so"
says "plan.ranks=16" "... and that 16 would do"
says "checkpoints of 393" "... and that a checkpoint has 393 GB"
cp tap.out plan.out
ok "... a rank needs 94.45 GB within a tenth" close \
    "$(sed -n 's/.*  \([0-9.]*\) GB\/rank.*/\1/p' plan.out)" 94.45 10
ok "... the steps take 3.65 h within a tenth" close \
    "$(sed -n 's/.*projected: \([0-9.]*\) h of steps.*/\1/p' plan.out)" 3.65 10
ok "16 H100 are enough" "$SEXTANT" plan "$preview" -s ranks=16
says "Projection:" "... and there is one line for programs"
ok "so is what a setting of sft shortens" "$SEXTANT" plan "$preview" \
    -s sft.max_tokens=2048 -s sft.cutoff=2048
ok "and 8 H200" "$SEXTANT" plan "$preview" --machine h200
"$SEXTANT" plan "$preview" -s ranks=16 -s mfu=0.4 >mfu.out 2>&1
ok "a measured share of the peak decides the time" \
    grep -q '40.0 % of the peak rate' mfu.out
exits 78 "a typo in a setting of sft is code 78" "$SEXTANT" plan "$preview" \
    -s sft.max_token=1
says "did you mean" "... with a suggestion"

# A teacher of 32B: alone on a card it has room for few answers.
serve() { # PARTS: GB of weights of a rank
    "$SEXTANT" plan "$preview" -s ranks=16 \
        -s generate.engine.tensor_parallel="$1" >serve.out 2>&1
    sed -n 's/.*generate  a rank: weights \([0-9.]*\) GB.*/\1/p' serve.out
}
# 32.76 G parameters, of which 2 x 152,064 x 5,120 are not divided.
ok "a teacher of 32B needs 65.53 GB of one card" close "$(serve 1)" 65.53 1
ok "... and it is told that four would be faster" \
    grep "with generate.engine.tensor_parallel=4 projected" serve.out
ok "... (65.53 - 3.11) / 4 + 3.11 GB of each of four" close "$(serve 4)" 18.72 1
exits 78 "... and cannot be divided by three" "$SEXTANT" plan "$preview" \
    -s ranks=16 -s generate.engine.tensor_parallel=3
says "these do: 1, 2, 4, 8" "... but by others"

exits 66 "without a model it asks for one" "$SEXTANT" plan -s samples=10
says "qwen2.5-7b" "... and lists those it knows"

# A run on this processor: the same table, from the same code.
model=$SRCDIR/validation/golden/sft-run.h5
mkdir run
"$BUILDDIR/src/stage/test/make_train" run/train.h5 30 || exit 1
for set in "" "-s sft.recompute=full" "-s sft.dtype=f32"; do
    # shellcheck disable=SC2086 # words
    own=$(echo $set | sed 's/sft\.//')
    # shellcheck disable=SC2086 # words
    "$SEXTANT" sft -n -o run -s model="$model" -s batch=8 -s max_tokens=128 \
        $own >sft.out 2>&1
    # shellcheck disable=SC2086 # words
    ok "a plan for this processor$set" "$SEXTANT" plan -o run -s machine=cpu \
        -s sft.model="$model" -s sft.batch=8 -s sft.max_tokens=128 $set
    cp tap.out plan.out
    for row in parameters optimizer gradients reducing activations together; do
        ok "... $row within 3 % of what sft says" \
            close "$(value $row plan.out)" "$(value $row sft.out)" 3
    done
    ok "... from the samples there are" grep -q "as they are in the files" plan.out
done
done_testing
