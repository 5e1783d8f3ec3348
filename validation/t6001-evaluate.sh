#!/bin/sh
# t6001-evaluate.sh - a model on a benchmark: drawn, graded, counted; resumed
# where its answers are there; the same on any number of ranks.
. "$SRCDIR/validation/lib.sh"

"$BUILDDIR/src/stage/test/gen_fixture" . 5 || exit 99
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
here=$PWD
cat >base.cfg <<EOF2
evaluate: { model = "$here/model.h5"; problems = "$here/problems.h5";
            split = ""; n = 4;
            sampling: { temperature = 1.0; max_tokens = 24; };
            grading: { guess = true; }; };
EOF2
for n in 1 2 3; do
    [ $n -gt 1 ] && [ -z "$MPIRUN" ] && continue
    ok "evaluate on $n ranks" on_ranks $n "$SEXTANT" evaluate base.cfg -o r$n
    says "pass@1" "  pass@1"
    says "pass@4" "  pass@4"
    says "mean_tokens" "  tokens"
    [ $n -eq 1 ] && continue
    ok "  the same as on one rank" "$SEXTANT" diff r1/eval.h5 r$n/eval.h5
done
ok "once more" "$SEXTANT" evaluate base.cfg -o r1
says "is complete; nothing to do" "  draws nothing"
ok "without the model, from its answers" "$SEXTANT" evaluate base.cfg \
    -s model= -o r1 -s output=again.h5
says "pass@4" "  the same figures"
ok "a single problem" "$SEXTANT" evaluate base.cfg -o one -s ids=sum-3
cp tap.out one.txt
exits 1 "  has no spread, and no nan is shown for it" grep nan one.txt
exits 66 "no answers and no model" "$SEXTANT" evaluate base.cfg -s model= -o x
ok "a dry run" "$SEXTANT" evaluate -n base.cfg -o dry
ok "  writes nothing" test ! -e dry/eval.h5
done_testing
