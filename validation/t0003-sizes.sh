#!/bin/sh
# t0003-sizes.sh - a screen per function, an idea per file.
#
# Functions at most 80 lines, sources 800, headers 200 (the op table and the
# contracts of formats are longer: they are tables).
. "$SRCDIR/validation/lib.sh"

files() {
    find src bench validation cuda -name '*.[ch]' -o -name '*.cc' -o -name '*.cu' \
        -o -name '*.cuh'
}

long=$(cd "$SRCDIR" && files | while read -r f; do
    awk -v f="$f" '
        /^[A-Za-z_].*\)$|^[A-Za-z_].*,$|^ +.*\)$/ && !body { head = NR }
        /^\{$/ { body = NR }
        /^\}$/ && body {
            if (NR - body - 1 > 80) printf "# %s:%d: %d lines\n", f, body, NR - body - 1
            body = 0
        }' "$f"
done)
ok "functions have at most 80 lines" test -z "$long"
[ -z "$long" ] || echo "$long"

large=$(cd "$SRCDIR" && files | while read -r f; do
    lines=$(wc -l <"$f")
    case $f in
    src/num/ops.h) limit=400 ;;
    *.h | *.cuh) limit=200 ;;
    *) limit=800 ;;
    esac
    [ "$lines" -le "$limit" ] || echo "# $f: $lines lines"
done)
ok "sources have at most 800 lines, headers 200" test -z "$large"
[ -z "$large" ] || echo "$large"

wide=$(cd "$SRCDIR" && files | xargs awk '
    { s = $0; gsub(/[\200-\277]/, "", s) }
    length(s) > 80 { printf "# %s:%d: %d columns\n", FILENAME, FNR, length(s) }')
ok "lines have at most 80 columns" test -z "$wide"
[ -z "$wide" ] || echo "$wide" | head -20

nameless=$(cd "$SRCDIR" && files | while read -r f; do
    head -n 1 "$f" | grep -q "^/\* $(basename "$f") \(.* \)\{0,1\}- " || echo "# $f"
done)
ok "every file begins by saying what it is" test -z "$nameless"
[ -z "$nameless" ] || echo "$nameless"
done_testing
