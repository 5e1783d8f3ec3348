# trajectory.sh - steps of fine-tuning against PyTorch's; sourced behind lib.sh.
#
# validation/golden/trajectory.jsonl has fifty steps in f64, and what PyTorch
# comes to in bf16; oracle/make_trajectory_golden.py made it.

# train_trajectory DTYPE STEPS COMMAND...: the golden's run, its first STEPS
# steps, into ./trajectory-DTYPE.
train_trajectory() {
    dtype=$1 steps=$2 expected=75
    shift 2
    [ "$steps" -lt 50 ] || expected=0
    rm -rf "trajectory-$dtype"
    mkdir "trajectory-$dtype"
    "$BUILDDIR/src/stage/test/make_train" "trajectory-$dtype/train.h5" 8
    "$@" -o "trajectory-$dtype" -s dtype="$dtype" -s reduce_type="$dtype" \
        -s model="$SRCDIR/validation/golden/trajectory.h5" -s batch=8 \
        -s epochs=50 -s lr=4e-4 -s schedule.floor=4e-5 \
        -s schedule.warmup_steps=5 -s adamw.weight_decay=0.1 -s clip=1 \
        -s max_tokens=256 -s threads=1 -s stop_after="$((steps % 50))"
    [ $? -eq $expected ]
}

# On the first FILE's lines: the golden.  Errors are relative to f64's.  f32:
# PyTorch's own errors are 4e-7 of the loss and 2e-6 of the norm at worst; one
# order is left for other orders of the sums.  bf16: twice PyTorch's, on average
# and at worst, for the errors of bf16 are as large as chance has them.
judge_trajectory() { # DTYPE STEPS
    awk -v dtype="$1" -v steps="$2" '
    function value(name,    s) {
        s = $0
        sub(".*\"" name "\": *", "", s)
        sub("[,}].*", "", s)
        return s + 0
    }
    function error(x, truth) {
        return x > truth ? x / truth - 1 : 1 - x / truth
    }
    FNR == NR {
        loss[FNR] = value("loss")
        norm[FNR] = value("grad_norm")
        torch[FNR] = error(value("bf16_loss"), loss[FNR])
        next
    }
    {
        a = error(value("loss"), loss[FNR])
        b = error(value("grad_norm"), norm[FNR])
        if (!(a <= worst)) worst = a
        if (!(b <= worst_norm)) worst_norm = b
        if (FNR <= steps && torch[FNR] > limit) limit = torch[FNR]
        sum += a
        torch_sum += torch[FNR]
        n++
    }
    END {
        printf "%d steps in %s: errors of the loss %.1e on average, %.1e at " \
               "worst, of the norm %.1e; PyTorch in bf16 %.1e, %.1e\n", n,
               dtype, sum / n, worst, worst_norm, torch_sum / n, limit
        if (dtype == "f32")
            good = worst <= 1e-5 && worst_norm <= 1e-4
        else
            good = sum <= 2 * torch_sum && worst <= 2 * limit
        exit !(n == steps && good)
    }' "$SRCDIR/validation/golden/trajectory.jsonl" \
        "trajectory-$1/metrics.jsonl"
}

# trajectory WHO DTYPE STEPS COMMAND...: two claims.
trajectory() {
    who=$1
    shift
    ok "$who: $2 steps in $1" train_trajectory "$@"
    ok "$who:   are PyTorch's" judge_trajectory "$1" "$2"
    sed 's/^/# /' tap.out
}
