#!/bin/sh
# installcheck.sh - the installed program finds its data and computes what the
# references hold, on 1 and on 2 ranks.
#
# make installcheck calls it with SEXTANT, the program, and DATA, MAN1, BASHCOMP,
# where its files are ("": there are none).
. "$SRCDIR/validation/lib.sh"
golden=$SRCDIR/validation/golden

ok "the program starts" "$SEXTANT" --version
says "sextant $VERSION" "and is of this version"
ok "it says where its data are" "$SEXTANT" --build-info
says "$DATA/" "where they were installed"
echo '{"question": "What is 2 + 2?", "answer": "2 + 2 = 4\n#### 4"}' >one.jsonl
ok "it knows a problem set by name" \
    "$SEXTANT" import -o known -s datasets=gsm8k ./one.jsonl
ok "it knows the presets" \
    "$SEXTANT" sft "$DATA/sky-t1-preview/pipeline.cfg" --print-config
for script in generate sft pipeline; do
    ok "slurm/$script.sh can be run" test -x "$DATA/slurm/$script.sh"
done
ok "reference.cfg is that of the program" \
    sh -c '"$SEXTANT" --print-config | cmp - "$DATA/reference.cfg"'
if [ -n "$MAN1" ]; then
    for command in '' -sft -generate; do
        ok "sextant$command(1) is there" test -s "$MAN1/sextant$command.1"
    done
    ok "the completion is there" \
        grep -q "^complete -F _sextant sextant" "$BASHCOMP/sextant"
fi

ln -s "$DATA/mini" mini
sed -f "$SRCDIR/validation/mini-small.sed" mini/mini.cfg >small.cfg
ok "the mini pipeline on 1 rank" "$SEXTANT" pipeline small.cfg -o run1
for file in problems generations verdicts train eval-base metrics; do
    ok "$file.h5 is as the reference" \
        "$SEXTANT" diff "$golden/mini-$file.h5" run1/$file.h5
done
if [ -z "$MPIRUN" ]; then
    skip "the mini pipeline on 2 ranks" "no MPI launcher works here"
    done_testing
fi
ok "the mini pipeline on 2 ranks" on_ranks 2 "$SEXTANT" pipeline small.cfg -o run2
for file in problems generations traces verdicts train model metrics eval; do
    ok "$file.h5 is the same on 2 ranks" \
        "$SEXTANT" diff run1/$file.h5 run2/$file.h5
done
done_testing
