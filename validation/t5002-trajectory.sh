#!/bin/sh
# t5002-trajectory.sh - fifty steps of fine-tuning on the CPU against PyTorch's.
. "$SRCDIR/validation/lib.sh"
. "$SRCDIR/validation/trajectory.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

for dtype in f32 bf16; do
    trajectory "the CPU" $dtype 50 "$SEXTANT" sft -s device=cpu
done
done_testing
