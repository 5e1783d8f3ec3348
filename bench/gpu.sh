#!/bin/sh
# gpu.sh - bench/gpu, and what PyTorch needs for the same on the same GPU.
#
# usage: gpu.sh BUILDDIR [NAME]
#
# PYTHON3 names a Python that has PyTorch; without one, or without a GPU in it,
# there is nothing to compare with.  BENCH_GPU names another program than
# bench/gpu.
here=$(dirname "$0")
build=${1:?}
shift
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
"${BENCH_GPU:-$build/bench/gpu}" "$@" >"$out" || exit 1
cat "$out"
grep -qE "nothing can be measured|emulated GPU" "$out" && exit 0
python=${PYTHON3:-python3}
if ! "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' \
    2>/dev/null; then
    echo "# no PyTorch with a GPU here ($python): nothing beside it"
    exit 0
fi
"$python" "$here/gpu_torch.py" "$@" | tee -a "$out"
# Lines "NAME … MILLISECONDS ms"; PyTorch's begin with "torch".
awk '
function ms(   i) {
    for (i = 2; i <= NF; i++)
        if ($i == "ms")
            return $(i - 1)
}
/^(layer|step)-/ && ms() { ours[$1] = ms(); part[$1] = /\(part\)/ }
$1 == "torch" && ms() {
    if (ours[$2] && part[$2])
        printf "# %s: not all layers fit here, no ratio\n", $2
    else if (ours[$2])
        printf "# %s: PyTorch needs %.2f times as long\n", $2, ms() / ours[$2]
}' "$out"
