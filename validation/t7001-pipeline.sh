#!/bin/sh
# t7001-pipeline.sh - the mini pipeline, small: the same bytes on 1, 2 and 3
# ranks, and steps that are done are not done again.
. "$SRCDIR/validation/lib.sh"

# The configuration as shipped, with fewer problems and one epoch.
sed -e "s#@/#$SRCDIR/inputs/mini/#g" \
    -e 's/"import"/"import limit=12"/' \
    -e 's/"import files/"import limit=8 files/' \
    -e 's/"generate"/"generate n=2"/' \
    -e 's/"sft"/"sft epochs=1"/' \
    "$SRCDIR/inputs/mini/mini.cfg" >small.cfg

ok "a dry run" "$SEXTANT" pipeline -n small.cfg -o p1
says "import    " "checks the first step"
says "generate  cannot be checked before there is p1/problems.h5, which step 1, import, makes" \
    "and tells what cannot be known yet"
ok "and writes nothing" test ! -e p1
ok "the pipeline runs on 1 rank" "$SEXTANT" pipeline small.cfg -o p1
cp tap.out first.txt
tail -n 1 first.txt >last.txt
ok "and ends with its result" grep "^Result: teacher " last.txt
ok "of 8 problems a domain all have a pass@1" \
    grep -E " all  +pass@1 .* 24 *$" first.txt
ok "but programs, of which no two need be the same, no majority" \
    grep -E " all  +maj@2 .* 16 *$" first.txt
ok "it runs again" "$SEXTANT" pipeline small.cfg -o p1
says "sft is up to date" "but does no work twice"
ok "the page is there" test -s p1/report.html
sed 's/epochs=1/epochs=1 lr=2e-3/' small.cfg >other.cfg
ok "another learning rate" "$SEXTANT" pipeline other.cfg -o p1
says "generate is up to date" "keeps the generations"
says "eval-generations.h5.old" "and measures the other student anew"
ok "a step behind the options runs alone" \
    "$SEXTANT" pipeline small.cfg -o p5 "import limit=3 output=three.h5"
ok "and writes its output" test -s p5/three.h5 -a ! -e p5/problems.h5
sed 's/"sft /"stf /' small.cfg >typo.cfg
exits 78 "a typo in a late step stops before the first" \
    "$SEXTANT" pipeline typo.cfg -o p4
ok "and nothing was written" test ! -e p4/problems.h5

ok "a dry run with that" "$SEXTANT" pipeline -n other.cfg -o p1 "sft lr=3e-3" report \
    "convert from=model.h5 output=./hf2"
says "convert  checked with the p1/model.h5 that is there; step 1, sft, will make it anew" \
    "and checks with the files that are there"
ok "a model becomes a directory" "$SEXTANT" convert "$SRCDIR/inputs/mini/base.h5" hf
echo '{"temperature": 0.7}' >hf/generation_config.json
echo 'pipeline: { steps = ["convert from=./hf output=base.h5"]; };' >convert.cfg
ok "a step that converts" "$SEXTANT" pipeline convert.cfg -o p1
ok "again" "$SEXTANT" pipeline convert.cfg -o p1
says "convert is up to date" "does no work twice"
echo '{"temperature": 0.5}' >hf/generation_config.json
ok "with another generation_config.json" "$SEXTANT" pipeline convert.cfg -o p1
says "wrote p1/base.h5" "it converts again"
rm -rf p1
ok "the reference, on 1 rank" "$SEXTANT" pipeline small.cfg -o p1
for n in 2 3; do
    if [ -z "$MPIRUN" ]; then
        skip "$n ranks" "no MPI launcher works here"
        continue
    fi
    ok "the pipeline runs on $n ranks" \
        on_ranks $n "$SEXTANT" pipeline small.cfg -o p$n
    for f in problems generations traces verdicts train model eval; do
        ok "$n ranks write the same $f.h5" \
            "$SEXTANT" diff p1/$f.h5 p$n/$f.h5
    done
done
done_testing
