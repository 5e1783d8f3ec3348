#!/bin/sh
# t0002-config.sh - inputs/reference.cfg is what the program prints, and the
# program reads what it prints.
. "$SRCDIR/validation/lib.sh"

"$SEXTANT" --print-config >printed.cfg
ok "inputs/reference.cfg equals --print-config" \
    diff -u "$SRCDIR/inputs/reference.cfg" printed.cfg
for command in $("$SEXTANT" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    "$SEXTANT" "$command" printed.cfg --print-config >again.cfg 2>&1
    "$SEXTANT" "$command" --print-config >defaults.cfg 2>&1
    ok "$command reads the reference file as its defaults" \
        cmp again.cfg defaults.cfg
done
exits 78 "a typo is code 78" "$SEXTANT" sft -s lerning_rate=1
exits 64 "an unknown command is code 64" "$SEXTANT" tran
exits 66 "a missing input file is code 66" "$SEXTANT" info no-such.h5
done_testing
