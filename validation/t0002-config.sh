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
    # Every parameter of its examples, by its own name.
    "$SEXTANT" "$command" --help | sed -n '/^Examples:/,/^$/p' >examples
    "$SEXTANT" "$command" --help=params >params
    unknown=
    for name in $(sed -n 's/#.*//; s/ -n$//
        s/ --\([a-z_]\)/\n=\1/g; s/ -s /\n=/g; p' examples |
        sed -n 's/^=\([a-z_.]*\).*/\1/p'); do
        grep -q "^ *${name##*.} =" params || unknown="$unknown $name"
    done
    ok "$command has examples, with parameters that it has$unknown" \
        test -s examples -a -z "$unknown"
done
exits 78 "a typo is code 78" "$SEXTANT" sft -s lerning_rate=1
"$SEXTANT" help select >help-select
"$SEXTANT" select --help >select-help
ok "help COMMAND is COMMAND --help" cmp help-select select-help
exits 64 "an unknown command is code 64" "$SEXTANT" tran
exits 64 "a setting without -s is code 64" "$SEXTANT" select filter=none
says "-s filter=none" "tells how to set it"
exits 64 "so is a second input file" "$SEXTANT" sft a.cfg b.cfg
exits 64 "a file as the directory is code 64" "$SEXTANT" import --output=x.h5
says "-s output=FILE.h5" "tells how to name the file"
exits 66 "a missing input file is code 66" "$SEXTANT" info no-such.h5
done_testing
