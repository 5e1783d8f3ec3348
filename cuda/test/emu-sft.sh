#!/bin/sh
# emu-sft.sh - fine-tuning on emulated GPUs: the same bytes on any number of
# ranks and after a stop, near the CPU's, checkpoints that go on elsewhere.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
program=$BUILDDIR/cuda/test/emu-sextant
. "$SRCDIR/cuda/test/train.sh"
. "$SRCDIR/validation/trajectory.sh"

if [ -n "$MPIRUN" ]; then
    fine_tuning "emu-sft" 2 3
    ok "emu-sft: three GPUs in bf16" tune three 3 cuda share_device=false
    says "rank 2  " "emu-sft:   and the log has a table of them"
    ok "emu-sft:   give the bytes of one" same_bytes one16 three
    SXT_EMU_DEVICES=1
    export SXT_EMU_DEVICES
    exits 69 "emu-sft: 2 ranks and one GPU are refused" tune none 2 cuda \
        share_device=false
    says "share_device = true" "emu-sft:   and it says what allows it"
    on_one_gpu "emu-sft"
    unset SXT_EMU_DEVICES
else
    fine_tuning "emu-sft" 1 1
    skip "emu-sft: 2 and 3 ranks" "no MPI launcher works here"
fi
ok "emu-sft: no GPU and auto" env SXT_EMU_DEVICES=0 "$program" sft -n \
    -s model="$tiny" -s device=auto
says "device auto: the CPU" "emu-sft:   takes the CPU, and says why"
exits 69 "emu-sft: no GPU is told" env SXT_EMU_DEVICES=0 "$program" sft \
    -s model="$tiny" -s device=cuda
says "no usable GPU" "emu-sft:   as such"
# GPU_STEPS of fifty steps (make validate) in both types
for dtype in ${GPU_STEPS:+f32} bf16; do
    trajectory "emu-sft" $dtype "${GPU_STEPS-3}" "$program" sft -s device=cuda
done
done_testing
