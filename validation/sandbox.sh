#!/bin/sh
# sandbox.sh - the sandbox at length: every attack, cheat and honest program
# SXT_REPEATS times (20), as an ordinary user, on nodes of every kind, and on
# a busy machine.  Minutes; t3510-sandbox-tiers.sh is the short form.
SXT_REPEATS=${SXT_REPEATS-20}
export SXT_REPEATS
exec "${SHELL-/bin/sh}" "$SRCDIR/validation/t3510-sandbox-tiers.sh"
