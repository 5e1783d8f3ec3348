# train.sh - what the tests of fine-tuning on a GPU share; sourced behind
# lib.sh.  $program is the program to test.
tiny=$SRCDIR/validation/golden/sft-run.h5
"$BUILDDIR/src/stage/test/make_train" train.h5 9 || exit 99

# tune DIR RANKS DEVICE SETTING...: three steps of a tiny model, a sample a bin
tune() {
    dir=$1 np=$2 device=$3
    shift 3
    for s in "$@"; do
        shift
        set -- "$@" -s "$s"
    done
    mkdir -p "$dir"
    on_ranks "$np" "$program" sft -o "$dir" -s model="$tiny" \
        -s train="$PWD/train.h5" -s batch=3 -s epochs=1 -s max_tokens=32 \
        -s share_device=true -s lr=3e-3 -s threads=1 -s schedule.warmup_steps=1 \
        -s checkpoint.every_steps=1 -s device="$device" "$@"
}
same_bytes() { # DIR DIR: all numbers of the models, and the losses
    "$SEXTANT" diff "$1/model.h5" "$2/model.h5" >diff.txt 2>&1
    cat diff.txt
    grep -q "datasets compared" diff.txt &&
        ! grep "^ */" diff.txt | grep -v "^ */config " && same_losses "$1" "$2"
}
same_losses() {
    for d in "$1" "$2"; do
        sed 's/"seconds":[^,]*,//' "$d/metrics.jsonl" >"$d/losses"
    done
    cmp "$1/losses" "$2/losses"
}
# near LIMIT DIR DIR: how far apart parameters are, in learning rates
near() {
    "$BUILDDIR/src/stage/test/furthest" "$2/model.h5" "$3/model.h5" >far.txt &&
        awk -v most="$1" '{ print $1 / 3e-3; exit !($1 / 3e-3 <= most) }' far.txt
}
# alike LIMIT DIR DIR: losses and gradient norms, relative
alike() {
    for d in "$2" "$3"; do
        sed 's/.*"loss":\([^,]*\),"grad_norm":\([^,]*\),.*/\1 \2/' \
            "$d/metrics.jsonl" >"$d/numbers"
    done
    paste "$2/numbers" "$3/numbers" | awk -v most="$1" '
        function error(x, y) { return x > y ? x / y - 1 : y / x - 1 }
        { a = error($1, $3); b = error($2, $4) }
        !(a <= worst) { worst = a }
        !(b <= worst) { worst = b }
        END { print NR, worst; exit !(NR == 3 && worst <= most) }'
}

# one_gpu COMMAND...: however many there are.
one_gpu() (
    CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-0}
    CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES%%,*}
    SXT_EMU_DEVICES=1
    export CUDA_VISIBLE_DEVICES SXT_EMU_DEVICES
    "$@"
)

# What holds on every GPU.  f32: other orders of sums, 5e-7 of loss and norm in
# three steps and 1e-4 of a learning rate in a parameter; an order or two are
# left for other machines.  bf16: weights of attention and gradients are rounded
# at other places, 2^-9.
f32='dtype=f32 reduce_type=f32'
# fine_tuning WHO RANKS RANKS: the ranks that go on behind steps 1 and 2
# shellcheck disable=SC2086 # settings are words
fine_tuning() {
    who=$1
    ok "$who: the CPU trains" tune cpu 1 cpu $f32
    ok "$who: a GPU trains" tune one 1 cuda $f32
    says "device cuda" "$who:   and the log tells that"
    ok "$who:   losses and norms are the CPU's" alike 5e-6 cpu one
    ok "$who:   and so are the parameters" near 1e-2 cpu one
    ok "$who: in bf16 on the CPU" tune cpu16 1 cpu
    ok "$who:   on a GPU, which auto takes" tune one16 1 auto
    says "device auto: GPUs" "$who:   and says"
    ok "$who:   losses and norms are the CPU's" alike 1e-2 cpu16 one16
    exits 75 "$who: a GPU begins" tune mixed 1 cuda $f32 stop_after=1
    exits 75 "$who:   the CPU goes on" tune mixed 1 cpu $f32 stop_after=1
    says "computed by backend cuda" "$who:   and says who began"
    ok "$who:   a GPU finishes" tune mixed 1 cuda $f32
    ok "$who:   and it is the same run" alike 5e-6 cpu mixed
    ok "$who:   with the same parameters" near 1e-2 cpu mixed
    exits 75 "$who: stopped behind step 1" tune go 1 cuda $f32 stop_after=1
    exits 75 "$who:   on $2 ranks behind step 2" tune go "$2" cuda $f32 \
        stop_after=1
    ok "$who:   on $3 ranks to the end" tune go "$3" cuda $f32
    ok "$who:   the bytes of a run that never stopped" same_bytes one go
}
# on_one_gpu WHO: two ranks share it
on_one_gpu() {
    ok "$1: two ranks on one GPU" one_gpu tune shared 2 cuda
    ok "$1:   give the bytes of one" same_bytes one16 shared
}
