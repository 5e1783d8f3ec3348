#!/bin/sh
# ptx-rows.sh - emu-rows.t by what nvcc made of the kernels.
. "$SRCDIR/validation/lib.sh"

[ -f "$BUILDDIR/cuda/swiglu.ptx" ] || skip_all "there is no nvcc"
SXT_EMU_PTX=$BUILDDIR/cuda OMP_NUM_THREADS=1 \
    "$BUILDDIR/cuda/test/emu-rows.t" "$@"
