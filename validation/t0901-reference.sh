#!/bin/sh
# t0901-reference.sh - run.sh: this build agrees with the references, and one
# with a wrong sign in one kernel does not.
. "$SRCDIR/validation/lib.sh"
export LAUNCH="$MPIRUN $MPIRUN_FLAGS -n"
launched="1 2"
[ -n "$MPIRUN" ] || launched=1
run=$SRCDIR/validation/run.sh

ok "this build agrees with the references" "$run" -r "$launched" \
    -j report.xml tokenizer forward training generation grading
says " 0 differ" "in every case"
ok "the report counts them" grep -q 'failures="0"' report.xml

export SEXTANT="$BUILDDIR/validation/wrong/sextant"
exits 80 "a build with a wrong sign does not" "$run" -r 1 -j report.xml \
    tokenizer forward training
says "tokenizer        1  agrees" "though its tokens are right"
says "forward          1  DIFFERS" "its logits are wrong"
says "/logits" "which it names"
says "training         1  DIFFERS" "and so is its training"
ok "the report says so" grep -q 'failures="2"' report.xml
exits 64 "an unknown suite is refused" "$run" none
done_testing
