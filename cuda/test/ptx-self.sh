#!/bin/sh
# ptx-self.sh - the emulated GPU ends a kernel whose PTX does what none may, and
# says where: a good kernel, damaged in one place.
. "$SRCDIR/validation/lib.sh"

[ -f "$BUILDDIR/cuda/swiglu.ptx" ] || skip_all "there is no nvcc"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

# damage OP FILE SED MESSAGE CLAIM: OP by FILE.ptx as SED leaves it.
damage() {
    sed "$3" "$BUILDDIR/cuda/$2.ptx" >"$2.ptx"
    changed=1
    cmp -s "$2.ptx" "$BUILDDIR/cuda/$2.ptx" && changed=0
    SXT_EMU_PTX=$2.ptx "$BUILDDIR/cuda/test/emu-ops.t" "$1" \
        >out 2>&1 && changed=0
    ok "$5" test $changed = 1
    ok "  and says so" grep -q "$4" out
}

damage swiglu swiglu '/ld.global.v4/s/+16\]/+12]/' \
    'swiglu.ptx:[0-9]* (.*swiglu.cu:[0-9]*): ld.global.*is not a multiple of 16' \
    "ptx: a load of 16 bytes that is not aligned ends the run"
damage swiglu swiglu 's/ex2\.approx/ex2.nowhere/' \
    'does not know the instruction: ex2.nowhere' \
    "ptx: an unknown instruction ends the run"
damage swiglu swiglu 's/\(st.global.f32.*\[%rd[0-9]*\)\]/\1+80000]/' \
    'st.global.f32: touches .* behind' \
    "ptx: a store outside of every block ends the run"
damage swiglu swiglu 's/_Z6swigluIf/_Z6unknownIf/' \
    'no file of SXT_EMU_PTX has the entry _Z6swigluIf' \
    "ptx: a kernel without PTX ends the run"
damage rmsnorm rmsnorm 's/mov\.[bu]32\(.*\), -1;/mov.u32\1, 65535;/' \
    'lacks the lane itself' \
    "ptx: a shuffle whose mask lacks a lane ends the run"
damage rmsnorm rmsnorm 's/ld.shared.f32\(.*\[%r[0-9]*\)\]/ld.shared.f32\1+65536]/' \
    'bytes of shared memory' \
    "ptx: a load behind the shared memory ends the run"
done_testing
