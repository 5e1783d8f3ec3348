#!/bin/sh
# ptx-tests.sh - tests of the emulated GPU by what nvcc made of the kernels; with
# SXT_EMU_PTX_ORDER, their warps and lanes in an order by chance.
#
# usage: ptx-tests.sh [NAME...]       cuda/test/emu-NAME.t; without, short ones
. "$SRCDIR/validation/lib.sh"

[ -f "$BUILDDIR/cuda/swiglu.ptx" ] || skip_all "there is no nvcc"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

for name in ${@:-self adamw attn-bwd}; do
    ptx=$BUILDDIR/cuda
    [ "$name" != self ] || ptx=$ptx/test
    ok "ptx: emu-$name.t${SXT_EMU_PTX_ORDER:+ by seed $SXT_EMU_PTX_ORDER}" \
        env SXT_EMU_PTX="$ptx" "$BUILDDIR/cuda/test/emu-$name.t"
done
done_testing
