#!/bin/sh
# emu-generate.sh - generate, evaluate and solve on an emulated GPU, one for
# each rank or shared: the CPU's tokens in f32, the same bytes on any number of
# ranks.  What is not there yet as a kernel is told by emu-ops.t.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
program=$BUILDDIR/cuda/test/emu-sextant


# RANKS COMMAND SETTING...
on() {
    np=$1 command=$2
    shift 2
    for s in "$@"; do
        shift
        set -- "$@" -s "$s"
    done
    on_ranks "$np" "$program" "$command" base.cfg "$@"
}
# The same problems, tokens and texts; sums of probabilities may differ in
# their last digits.
same_draws() { # FILE FILE
    "$SEXTANT" diff "$1" "$2" >diff.txt 2>&1
    cat diff.txt
    grep -q "datasets compared" diff.txt &&
        ! grep "^ */" diff.txt | grep -Ev "^ */(config|generations/.*logprob)"
}
ranks() { # N SETTING...: the same command on N ranks, into N.h5
    np=$1
    shift
    on "$np" generate output=same.h5 engine.device=cuda "$@" &&
        mv same.h5 "$np.h5"
}

"$BUILDDIR/src/stage/test/gen_fixture" . 3 || exit 99
here=$PWD
engine='engine: { dtype = "f32"; batch = 3; chunk = 16; block = 8;
              context = 160; bandwidth_gbs = 1.0; gflops = 1.0; };'
cat >base.cfg <<CFG
generate:
{
    model = "$here/model.h5"; problems = "$here/problems.h5"; n = 2;
    sampling: { temperature = 1.0; top_p = 0.9; max_tokens = 12; };
    $engine
};
evaluate:
{
    model = "$here/model.h5"; problems = "$here/problems.h5"; split = "";
    n = 2;
    sampling: { temperature = 1.0; max_tokens = 8; };
    grading: { guess = true; };
    $engine
};
CFG

ok "emu: generate on the CPU" on 1 generate output=cpu.h5 engine.device=cpu
ok "emu: generate on a GPU" ranks 1
says "emulated GPU" "emu:   and the log tells which"
says "device cuda" "emu:   and that it computes"
ok "emu:   draws the tokens that the CPU draws" same_draws cpu.h5 1.h5
ok "emu: device = auto" on 1 generate output=auto.h5
says "device auto: GPUs, one for each rank" "emu:   takes the GPU"
ok "emu:   and draws the same" same_draws 1.h5 auto.h5
ok "emu: generate in bf16" on 1 generate output=bf16.h5 engine.device=cuda \
    engine.dtype=bf16
cp tap.out tap.txt
ok "emu:   steps of decoding are replayed" \
    grep "of them replayed [1-9]" tap.txt
ok "emu:   or not" on 1 generate output=direct.h5 engine.device=cuda \
    engine.dtype=bf16 engine.replay=false
says "of them replayed 0" "emu:     as is said"
same_bits() { # FILE FILE: all but settings
    "$SEXTANT" diff "$1" "$2" >diff.txt 2>&1
    cat diff.txt
    grep -q "datasets compared" diff.txt &&
        ! grep "^ */" diff.txt | grep -v "^ */config"
}
ok "emu:     to the same bits" same_bits bf16.h5 direct.h5
ok "emu: a model in int8" "$SEXTANT" quantize ./model.h5 ./int8.h5
ok "emu:   on the CPU" on 1 generate output=cpu8.h5 engine.device=cpu \
    model=./int8.h5
ok "emu:   on a GPU" on 1 generate output=gpu8.h5 engine.device=cuda \
    model=./int8.h5
ok "emu:   the same tokens" same_draws cpu8.h5 gpu8.h5
teacher=$SRCDIR/inputs/mini/teacher.h5
for type in int8 nf4; do
    ok "emu: the processor makes a model in $type" "$SEXTANT" quantize \
        "$teacher" ./cpu-$type.h5 -s type=$type -s device=cpu
    ok "emu:   and so does a GPU" "$program" quantize "$teacher" \
        ./gpu-$type.h5 -s type=$type -s device=cuda
    ok "emu:   with the same bytes" same_bits cpu-$type.h5 gpu-$type.h5
done
exits 78 "emu: a GPU without room for one answer is told before it is tried" \
    env SXT_EMU_MEMORY_MIB=12 "$program" generate base.cfg -s output=none.h5 \
    -s engine.device=cuda -s engine.chunk=65536
says "there are 0 MiB beside weights and work space" "emu:   with what there is"
exits 69 "emu: a GPU with too little memory is told" \
    env SXT_EMU_MEMORY_MIB=12 "$program" generate base.cfg -s output=none.h5 \
    -s engine.device=cuda -s engine.chunk=65536 -s engine.cache_mib=1
says "out of device memory" "emu:   as such"
says "smaller with: chunk" "emu:   and what would help"
exits 69 "emu: no GPU is told" env SXT_EMU_DEVICES=0 "$program" generate \
    base.cfg -s output=none.h5 -s engine.device=cuda
says "no usable GPU" "emu:   as such"
ok "emu: no GPU and device = auto" env SXT_EMU_DEVICES=0 "$program" generate \
    base.cfg -s output=nogpu.h5
says "device auto: the CPU" "emu:   takes the CPU"

if [ -n "$MPIRUN" ]; then
    for np in 2 3; do
        ok "emu: generate on $np ranks, a GPU each" ranks $np
        says "rank $((np - 1))  " "emu:   and the log has a table of them"
        ok "emu:   writes the file that 1 rank writes" "$SEXTANT" diff 1.h5 \
            $np.h5
    done
    ok "emu: generate on 2 GPUs that have one model between them" on 2 \
        generate output=pair.h5 engine.device=cuda engine.tensor_parallel=2
    says "groups exchange by NCCL" "emu:   beside the kernels"
    ok "emu:   draws the tokens that one GPU draws" same_draws 1.h5 pair.h5
    ok "emu: generate on 2 such pairs" on 4 generate output=pairs.h5 \
        engine.device=cuda engine.tensor_parallel=2 engine.batch=2
    ok "emu:   draws the bits that one pair draws" same_bits pair.h5 pairs.h5
    SXT_EMU_DEVICES=1
    export SXT_EMU_DEVICES
    ok "emu: one model between 2 ranks on one GPU, as asked" on 2 generate \
        output=shared.h5 engine.device=cuda engine.share_device=true \
        engine.tensor_parallel=2
    says "MPI, through host memory" "emu:   by way of the host"
    ok "emu:   draws the same bits" same_bits pair.h5 shared.h5
    exits 69 "emu: 2 ranks and one GPU are refused" on 2 generate \
        output=none.h5 engine.device=cuda
    says "share_device = true" "emu:   and it says what would allow it"
    ok "emu: 2 ranks on one GPU, as asked" on 2 generate output=same.h5 \
        engine.device=cuda engine.share_device=true
    ok "emu:   draw the same" same_draws 1.h5 same.h5
    unset SXT_EMU_DEVICES
    ok "emu: evaluate on 2 ranks" on 2 evaluate \
        output=eval.h5 engine.device=cuda && mv eval.h5 two.h5
    ok "emu: evaluate on 1 rank" on 1 evaluate \
        output=eval.h5 engine.device=cuda
    ok "emu:   the same figures" "$SEXTANT" diff eval.h5 two.h5
else
    skip "emu: 2 and 3 ranks" "no MPI launcher works here"
fi

solve() { # PROGRAM DEVICE
    "$1" solve model.h5 "Add 1." -s sampling.max_tokens=20 \
        -s sampling.temperature=0 -s engine.dtype=f32 -s "engine.device=$2" \
        -s engine.bandwidth_gbs=1 -s engine.gflops=1 \
        -s engine.cache_mib=4 -s engine.context=160 2>log.txt
}
solve "$SEXTANT" cpu >cpu.txt
solve "$program" cuda >gpu.txt
ok "emu: solve answers" test -s gpu.txt
ok "emu:   as on the CPU" cmp cpu.txt gpu.txt
done_testing
