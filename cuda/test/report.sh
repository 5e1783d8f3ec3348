#!/bin/sh
# report.sh - what the compiler makes of each kernel for one kind of GPU, as a
# table; fails if a kernel keeps registers in memory.  Needs nvcc, no GPU.
#
# report.sh NVCC SRCDIR BUILDDIR [FLAGS...]; ARCH in the environment (sm_90a).
# Nothing in it is a time: registers, shared memory (without the dynamic part),
# the warps that both leave room for on a multiprocessor of 64, and how many
# instructions of PTX are products on tensor cores, matrix loads, asynchronous
# copies and loads of 16 bytes.  Where nvdisasm is found (NVDISASM), a second
# table has the loops around tensor cores, in the GPU's own instructions.
set -e
nvcc=$1 src=$2 build=$3
shift 3
arch=${ARCH-sm_90a}
ptxas=$(dirname "$(command -v "$nvcc")")/ptxas
[ -x "$ptxas" ] || ptxas=ptxas
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for file in "$src"/cuda/*.cu; do
    grep -q __global__ "$file" || continue
    name=$(basename "$file" .cu)
    "$nvcc" "$@" -arch="$arch" -ptx -I"$src" -I"$build/src" -I"$src/src" \
        -o "$dir/$name.ptx" "$file"
    "$ptxas" -v -arch="$arch" -o "$dir/$name.cubin" "$dir/$name.ptx" \
        2>"$dir/$name.txt" || { cat "$dir/$name.txt" && exit 1; }
    # Kernels as the compiler names them, with their bodies' instructions.
    awk -v file="$name" '
        /^\.visible \.entry|^\.entry|^\.weak \.entry/ {
            entry = $0; sub(/.*\.entry /, "", entry); sub(/\(.*/, "", entry)
            threads[entry] = 1
        }
        /^\.maxntid/ {
            gsub(/[^0-9 ]/, " "); split($0, d, " ")
            threads[entry] = d[1] * (d[2] ? d[2] : 1) * (d[3] ? d[3] : 1)
        }
        /^\t.*;/ && entry { all[entry]++ }
        /mma\.sync/ { mma[entry]++ }
        /ldmatrix/ { matrix[entry]++ }
        /cp\.async\.c/ { copy[entry]++ }
        /ld\.global.*\.v4|ld\.global.*\.v2\.[bu]64/ { wide[entry]++ }
        END {
            for (e in threads)
                print e, file, threads[e], all[e] + 0, mma[e] + 0,
                    matrix[e] + 0, copy[e] + 0, wide[e] + 0
        }' "$dir/$name.ptx" | sort >"$dir/$name.mix"
    awk '
        /Compiling entry function/ { split($0, q, "\047"); entry = q[2] }
        /bytes stack frame/ { stack = $1; spill = $5 + $9 }
        /Used [0-9]+ registers/ {
            shared = 0
            for (i = 1; i < NF; i++) {
                if ($i == "Used") registers = $(i + 1)
                if ($(i + 2) ~ /^smem/) shared = $i
            }
            print entry, registers, shared, stack, spill
        }' "$dir/$name.txt" | sort | join - "$dir/$name.mix"
done >"$dir/all"

filter=$(command -v cu++filt || command -v c++filt || echo cat)
echo "# $("$nvcc" --version | sed -n 's/^Cuda.*release/CUDA/p'), $arch, static"
awk '
    BEGIN {
        form = "%-13s %4s %7s %6s %5s %6s %6s %4s %6s %5s %5s  %s\n"
        printf form, "file", "regs", "shared", "stack", "spill", "thread",
            "warps", "mma", "matrix", "async", "wide", "kernel"
    }
    {
        warps = int(($7 + 31) / 32)
        block = int(($2 * 32 + 255) / 256) * 256 * warps
        fit = int(65536 / block)
        if ($3 > 0 && int(233472 / ($3 + 1024)) < fit)
            fit = int(233472 / ($3 + 1024))
        if (fit * warps > 64)
            fit = int(64 / warps)
        if (fit > 32)
            fit = 32
        printf form, $6, $2, $3, $4, $5, $7, fit * warps, $9, $10, $11, $12, $1
        spilled += $5 > 0
        n++
    }
    END {
        print "# " n " kernels, " spilled + 0 " of them spill registers"
        exit spilled > 0
    }' "$dir/all" >"$dir/table" || status=1
"$filter" <"$dir/table" | sed 's/(.*//'

nvdisasm=${NVDISASM-$(command -v nvdisasm || echo "$(dirname "$ptxas")/nvdisasm")}
if [ ! -x "$nvdisasm" ]; then
    echo "# no nvdisasm: nothing about loops"
    exit ${status-0}
fi
echo "# loops around tensor cores: instructions that are in no inner loop"
echo " nest  instr   HMMA   LDSM    LDS    STS LDGSTS    LDG   MUFU   SHFL    BAR  kernel"
for file in "$dir"/*.cubin; do
    "$nvdisasm" -c "$file" | awk -f "$src/cuda/test/loops.awk"
done | "$filter" | sed 's/(.*//'
exit ${status-0}
