#!/bin/sh
# emu-bench.sh - make bench-gpu works, told by the emulated GPU in shapes of no
# meaning; numbers of no meaning are not printed.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
BENCH_GPU=$BUILDDIR/cuda/test/emu-bench
export OMP_NUM_THREADS BENCH_GPU

ok "emu-bench: it runs" sh "$SRCDIR/bench/gpu.sh" "$BUILDDIR" --tiny
cp tap.out all
for line in gemm qgemm_int8 qgemm_nf4 add_rmsnorm swiglu attn attn_paged \
    attn_bwd rmsnorm_bwd \
    swiglu_bwd xent adamw sumsq cast sum_pieces layer-32b step-1.5b step-7b; do
    ok "emu-bench:   $line works" grep "^$line .* works\$" all
done
ok "emu-bench:   7b has some of its state away" \
    grep " 25 % of the state on the host" all
exits 1 "emu-bench:   no time and no rate is told" \
    grep -E "[0-9] (us|ms|tok/s|[GT]FLOP/s|GB/s|% of [mcp])" all
done_testing
