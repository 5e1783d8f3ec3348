#!/bin/sh
# emu-bench.sh - the GPU's benchmark of training works, told by the emulated
# GPU in shapes of no meaning.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

ok "emu-bench: it runs" "$BUILDDIR/cuda/test/emu-bench" --tiny
for line in attn_bwd rmsnorm_bwd swiglu_bwd xent adamw sumsq layer-32b \
    step-1.5b step-7b; do
    says "$line " "emu-bench:   and has a line of $line"
done
says " 25 % of the state on the host" "emu-bench:   7b has some of its state away"
done_testing
