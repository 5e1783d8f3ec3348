#!/bin/sh
# make.sh WORKDIR - remake the mini problems, tokenizer and both models, with
# Sextant doing the training: about ten minutes on an idle core.
#
# SEXTANT names the program (default: sextant).  Results: WORKDIR/*.jsonl,
# WORKDIR/teacher.h5 and WORKDIR/base.h5, to be copied beside this script.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sextant=${SEXTANT-sextant}

mkdir -p "$1/hf"
cd "$1" # paths in the models' provenance are relative to it
python3 "$here/make_data.py" .
cp "$here/config.json" tokenizer.json hf/
"$sextant" convert hf init.h5 -s init=random -s seed=1

# make NAME MODEL RATE: train MODEL on NAME's corpus, then round to bf16.
make() {
    "$sextant" select -o "$1" -s from_sharegpt="./$1.jsonl" \
        -s output=corpus.h5
    "$sextant" sft -o "$1" -s model="./$2" -s train=corpus.h5 \
        -s epochs=1 -s batch=16 -s max_tokens=1024 -s lr="$3" \
        -s schedule.warmup_ratio=0.05 -s dtype=f32 \
        -s checkpoint.every_minutes=0
    rm -rf "$1-hf"
    "$sextant" convert "$1/model.h5" "$1-hf"
    "$sextant" convert "$1-hf" "$1.h5" -s type=bf16
}
export OMP_NUM_THREADS=1 # fastest for networks as small as these
make teacher init.h5 2e-3
make base teacher/model.h5 1e-3
