#!/bin/sh
# t0008-manual.sh - every command has a page without faults, and bash completes
# what can stand on a command line.
. "$SRCDIR/validation/lib.sh"

commands=$("$SEXTANT" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
for command in '' $commands; do
    # shellcheck disable=SC2086 # no word for the program's own page
    "$SEXTANT" $command --help=man >"sextant${command:+-$command}.1" ||
        echo "# --help=man fails: $command"
done
sed -n 's#.*doc/man/sextant-\([a-z]*\)\.1.*#\1#p' "$SRCDIR/src/app/include.am" |
    sort >installed
echo "$commands" | sort >there
ok "each command has its page among the manual of src/app/include.am" diff there installed
"$SEXTANT" --help=params | grep -c '^ *[a-z_]* = ' >there
cat sextant-*.1 | grep -c '^.fB[a-z_.]*.fR = ' >shown
ok "and the pages have as many parameters as --help=params" diff there shown
ok "a parameter, its default, its meaning and its range" \
    grep -A 1 '^.fBsampling.seed.fR = 1$' sextant-generate.1
says "Seed of all draws. [0, 9e+15]" "all are there"
if command -v mandoc >/dev/null; then
    ok "mandoc warns of nothing" mandoc -Tlint -Wwarning ./*.1
else
    skip "mandoc warns of nothing" "there is no mandoc"
fi
if command -v groff >/dev/null && [ -n "$(groff -man -Tutf8 sextant.1 2>/dev/null)" ]; then
    groff -man -Tutf8 -ww ./*.1 >page.txt 2>warnings
    ok "groff warns of nothing" test -s page.txt -a ! -s warnings
else
    skip "groff warns of nothing" "there is no groff with its macros"
fi
exits 64 "an unknown format is a wrong command line" "$SEXTANT" --help=mna
says "did you mean man?" "and the nearest is named"

if ! bash -c 'type complete compgen' >/dev/null 2>&1; then
    skip "completion" "this bash has none"
    done_testing
fi
"$SEXTANT" --help=bash >sextant.bash
cat >complete.sh <<'END'
# complete.sh LINE: what bash would offer at its end, sorted.
source ./sextant.bash
line=$1
COMP_WORDBREAKS=${2-$' \t\n"\'><=;|&(:'}
COMP_WORDS=()
[[ $COMP_WORDBREAKS == *=* ]] && line=${line//=/ = }
read -r -a COMP_WORDS <<<"$line"
[[ $line == *" " && $line != *"= " ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_sextant
printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' '
END
mkdir -p here/below
touch here/my.cfg here/other.h5

completes() { # LINE EXPECTED
    printf '%s' "$2" >expected
    bash complete.sh "$1" >got 2>&1
    ok "$1<TAB>" diff expected got
}
completes "sextant ge" "generate "
completes "sextant -v so" "solve "
completes "sextant --print-config se" "select "
completes "sextant -o here sele" "select "
completes "sextant --ver" "--verbose --version "
completes "sextant --help=" "bash man params "
completes "sextant -o here/" "here/below "
completes "sextant sft here/m" "here/my.cfg "
completes "sextant sft --max_t" "--max_tokens "
completes "sextant sft --schedule.k" "--schedule.kind "
completes "sextant sft --dtype " "bf16 f32 "
completes "sextant sft --dtype=b" "bf16 "
completes "sextant sft --model here/o" "here/other.h5 "
completes "sextant sft --model=here/o" "here/other.h5 "
completes "sextant sft -s dt" "dtype= "
completes "sextant sft -s dtype=f" "f32 "
completes "sextant sft --set dtype=f" "f32 "
completes "sextant sft --set=dtype=f" "f32 "
completes "sextant sft -s generate.engine.dev" "generate.engine.device= "
completes "sextant pipeline -s gen" "generate. "
completes "sextant pipeline -s generate.engine.device=c" "cpu cuda "
completes "sextant pipeline here/my.cfg gra" "grade "
bash complete.sh "sextant sft --dtype=b" " " >got 2>&1
ok "where words are not cut at =, a reply is whole" grep -x -- "--dtype=bf16 " got
done_testing
