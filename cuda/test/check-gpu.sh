#!/bin/sh
# check-gpu.sh - tests on a real GPU; without one it says so and passes.
#
# Kernels against ref, the network against PyTorch's goldens, generation and
# fine-tuning on 1 and 2 ranks against the CPU, fifty steps against PyTorch's, and
# what compute-sanitizer finds, if it is there.
# SXT_TEST_SMOLLM2 names a model file for greedy.t.  The programs' names begin
# with GPU_TESTS, SEXTANT_GPU is the program to test.  On the emulated GPU
# GPU_BRIEF leaves out what make check tests by itself.
. "$SRCDIR/validation/lib.sh"
. "$SRCDIR/validation/trajectory.sh"
OMP_NUM_THREADS=${OMP_NUM_THREADS-2}
export OMP_NUM_THREADS
tests=${GPU_TESTS-$BUILDDIR/cuda/test/gpu-}
program=${SEXTANT_GPU-$SEXTANT}
. "$SRCDIR/cuda/test/train.sh"

"$tests"ops.t ${GPU_BRIEF:+swiglu} >ops.out 2>&1
status=$?
why=$(sed -n 's/^1\.\.0 # SKIP //p' ops.out)
[ -z "$why" ] || skip_all "$why"

# passes NAME COMMAND...: all claims of a test program hold; prints how many.
passes() {
    name=$1
    shift
    ok "$name" "$@"
    echo "#   $(grep -c '^ok' tap.out) claims hold, of them" \
        "$(grep -c '^ok.*# SKIP' tap.out) skipped"
}
# long NAME COMMAND...: the same, unless it was done elsewhere.
long() {
    if [ -n "$GPU_BRIEF" ]; then
        skip "$1" "a test of its own in make check"
    else
        passes "$@"
    fi
}
shown() { # what gpu-ops said
    cat ops.out
    return $status
}
sed -n 's/^# /# GPU: /p;/^# /q' ops.out
passes "kernels agree with ref" shown
grep '^ok.*# SKIP' ops.out | sed 's/^ok [0-9]* - /#   /'
long "a row stands for itself" "${tests}rows.t"
passes "gradients of attention agree with f64" "${tests}attn-bwd.t"
passes "AdamW has ref's bits" "${tests}adamw.t"
long "the network agrees with PyTorch" "${tests}golden.t"
long "generation agrees with ref" "${tests}engine.t"
if [ ! -x "${tests}greedy.t" ]; then
    skip "SmolLM2 draws what Transformers draws" "too slow on this GPU"
elif [ -z "$SXT_TEST_SMOLLM2" ]; then
    skip "SmolLM2 draws what Transformers draws" \
        "SXT_TEST_SMOLLM2 names no model file"
else
    passes "SmolLM2 draws what Transformers draws" "${tests}greedy.t"
fi
passes "collectives of 1 rank" "${tests}coll.mt"
sed -n 's/^# cuda: /#   by /p' tap.out

# generate RANKS SETTING...: a small model, in f32
generate() {
    np=$1
    shift
    for s in "$@"; do
        shift
        set -- "$@" -s "$s"
    done
    on_ranks "$np" "$program" generate -s model=model.h5 \
        -s problems=problems.h5 -s n="$draws" -s sampling.temperature=1 \
        -s sampling.max_tokens="$tokens" -s engine.dtype=f32 -s engine.batch=8 \
        -s engine.bandwidth_gbs=1 -s engine.gflops=1 "$@"
}
same_draws() { # FILE FILE: all but sums of probabilities, and settings
    "$SEXTANT" diff "$1" "$2" >diff.txt 2>&1
    cat diff.txt
    grep -q "datasets compared" diff.txt &&
        ! grep "^ */" diff.txt | grep -Ev "^ */(config|generations/.*logprob)"
}

problems=8 draws=4 tokens=40 mini_n=16
[ -z "$GPU_BRIEF" ] || problems=2 draws=2 tokens=10 mini_n=1
"$BUILDDIR/src/stage/test/gen_fixture" . $problems || exit 99
ok "generate on the CPU" generate 1 output=cpu.h5 engine.device=cpu
ok "generate on the GPU" generate 1 output=gpu.h5 engine.device=cuda
ok "  draws the CPU's tokens" same_draws cpu.h5 gpu.h5
ok "  and device = auto takes it" generate 1 output=auto.h5
says "device auto: GPUs" "  and says so"
if [ -n "$MPIRUN" ]; then
    passes "collectives of 2 ranks on one GPU" \
        one_gpu on_ranks 2 "${tests}coll.mt"
    ok "2 ranks on one GPU" one_gpu generate 2 output=two.h5 \
        engine.device=cuda engine.share_device=true
    ok "  draw the same" same_draws gpu.h5 two.h5
    ok "2 ranks on one GPU that have one model between them" one_gpu \
        generate 2 output=pair.h5 engine.device=cuda \
        engine.share_device=true engine.tensor_parallel=2
    ok "  draw the same" same_draws gpu.h5 pair.h5
else
    skip "2 ranks on one GPU" "no MPI launcher works here"
fi

# The mini pipeline's teacher answers its problems on both.
mini=$SRCDIR/inputs/mini
mini() { # DEVICE
    "$program" generate -s model="$mini/teacher.h5" -s problems=mini.h5 \
        -s sampling.temperature=0 -s sampling.max_tokens=60 -s limit="$mini_n" \
        -s engine.dtype=f32 -s engine.batch=8 -s engine.bandwidth_gbs=1 \
        -s engine.gflops=1 -s engine.device="$1" -s output="mini-$1.h5"
}
ok "the mini pipeline's problems" "$program" import -s \
    files="$mini/math-test.jsonl" -s datasets="$mini/math.cfg" \
    -s output=mini.h5
ok "  answered on the CPU" mini cpu
ok "  answered on the GPU" mini cuda
ok "    by the same tokens" same_draws mini-cpu.h5 mini-cuda.h5

# GPU_STEPS of 50 steps are compared with PyTorch's.
if [ -n "$GPU_BRIEF" ]; then
    skip "fine-tuning" "a test of its own in make check"
elif [ -n "$MPIRUN" ]; then
    fine_tuning "fine-tuning" 2 1
    on_one_gpu "fine-tuning"
else
    fine_tuning "fine-tuning" 1 1
    skip "fine-tuning: two ranks on one GPU" "no MPI launcher works here"
fi
[ -n "$GPU_BRIEF" ] || for dtype in f32 bf16; do
    trajectory "fine-tuning" $dtype "${GPU_STEPS-50}" "$program" sft \
        -s device=cuda
done

sanitizer=$(command -v compute-sanitizer)
if grep -q "emulated GPU" ops.out; then
    skip "compute-sanitizer finds nothing" "for real GPUs"
elif [ -n "$sanitizer" ]; then
    for tool in memcheck racecheck synccheck; do
        ok "compute-sanitizer's $tool finds nothing" "$sanitizer" \
            --tool "$tool" --error-exitcode 9 "${tests}engine.t"
    done
else
    skip "compute-sanitizer finds nothing" "there is none on the PATH"
fi
done_testing
