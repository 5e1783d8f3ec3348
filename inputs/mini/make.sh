#!/bin/sh
# make.sh WORKDIR - remake the mini problems, tokenizer and both models, with
# Sextant doing the training: 10 to 20 minutes on 2 cores.
#
# SEXTANT names the program (default: sextant).  Results: WORKDIR/*.jsonl,
# WORKDIR/teacher.h5 and WORKDIR/base.h5, to be copied beside this script.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sextant=${SEXTANT-sextant}
work=$1

mkdir -p "$work/hf"
work=$(cd "$work" && pwd)
python3 "$here/make_data.py" "$work"
cp "$here/config.json" "$work/tokenizer.json" "$work/hf/"
"$sextant" convert "$work/hf" "$work/init.h5" -s init=random -s seed=1

# make NAME: train it from random weights on its corpus, then round to bf16.
make() {
    "$sextant" select -o "$work" -s from_sharegpt="$1.jsonl" \
        -s output="$1-corpus.h5"
    "$sextant" sft -o "$work/$1" -s model="$work/init.h5" \
        -s train="$work/$1-corpus.h5" -s epochs=2 -s batch=64 \
        -s max_tokens=2048 -s lr=3e-3 -s schedule.warmup_ratio=0.05 \
        -s dtype=f32 -s checkpoint.every_minutes=0
    rm -rf "$work/$1-hf"
    "$sextant" convert "$work/$1/model.h5" "$work/$1-hf"
    "$sextant" convert "$work/$1-hf" "$work/$1.h5" -s type=bf16
}
make teacher
make base
