#!/bin/sh
# t0004-formats.sh - the tables in doc/formats.md are those of the program.
. "$SRCDIR/validation/lib.sh"

"$SEXTANT" info >printed.md
sed -n '/^<!-- sextant info -->$/,/^<!-- end -->$/p' "$SRCDIR/doc/formats.md" |
    sed '1d;$d' >written.md
ok "the program prints its formats" test -s printed.md
ok "doc/formats.md holds what sextant info prints" diff -u written.md printed.md

# A file has the columns that the document promises, each explained.
printf '{"question": "1 + 1?", "answer": "2"}\n' >q.jsonl
ok "a problems file is made" "$SEXTANT" import q.jsonl
"$SEXTANT" info problems.h5 >problems.txt
lacks=$(sed -n '/: \/problems$/,/^###.*generations/s/^| \([a-z_]*\) | .* | \(.*\) |$/\1	\2/p' printed.md |
    grep -v '^column' | while IFS='	' read -r name doc; do
    grep -F "/problems/$name " problems.txt | grep -qF "$doc" || echo "# $name"
done)
ok "every column is there and says the same of itself" test -z "$lacks"
[ -z "$lacks" ] || echo "$lacks"
done_testing
