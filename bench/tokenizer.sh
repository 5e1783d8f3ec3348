#!/bin/sh
# tokenizer.sh - encoding speed beside the tokenizers library, one thread each.
#
# usage: tokenizer.sh BUILDDIR TOKENIZER.json FILE [PYTHON]
#
# PYTHON must have the tokenizers package; the runs alternate.
here=$(dirname "$0")
build=${1:?} tokenizer=${2:?} file=${3:?} python=${4-python3}

for round in 1 2 3; do
    ours=$("$build/bench/tokenizer" "$tokenizer" "$file" 2 2>/dev/null) ||
        exit 1
    theirs=$("$python" "$here/tokenizer.py" "$tokenizer" "$file" 2) || exit 1
    printf '%s\n%s\n' "$ours" "$theirs" | awk -v round="$round" '
        { bytes[NR] = $2; ids[NR] = $3; speed[NR] = $5 }
        END {
            printf "round %d  %d bytes  %d ids%s  sextant %.1f MB/s  " \
                   "tokenizers %.1f MB/s  ratio %.1f\n",
                   round, bytes[1], ids[1],
                   ids[1] == ids[2] ? "" : " (DIFFERENT)",
                   speed[1], speed[2], speed[1] / speed[2]
        }'
done
