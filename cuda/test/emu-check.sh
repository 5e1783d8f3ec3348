#!/bin/sh
# emu-check.sh - check-gpu.sh comes to its end, told by the emulated GPU.
GPU_BRIEF=1
GPU_TESTS=$BUILDDIR/cuda/test/emu-
SEXTANT_GPU=$BUILDDIR/cuda/test/emu-sextant
export GPU_BRIEF GPU_TESTS SEXTANT_GPU
exec sh "$SRCDIR/cuda/test/check-gpu.sh"
