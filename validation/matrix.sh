#!/usr/bin/env bash
# matrix.sh [CELL...] - builds and checks Sextant with other compilers and
# libraries, one after the other, in ./matrix.dir/CELL.
#
#   gcc     Open MPI, everything that configure finds
#   clang   the same with clang
#   mpich   MPICH, and HDF5 for it (Debian: mpich libmpich-dev libhdf5-mpich-dev)
#   plain   without oneDNN, Zstandard, FLINT and CUDA
#   cuda    with the toolkit that NVCC or the search path names; built only
#
# Without arguments: the cells whose tools are here.  JOBS (2), CHECK (what is
# made last: check; empty: nothing) and CACHE (ccache) may be set.  Ends with a
# table, a row for each cell, and exits with 1 if one failed.
set -uo pipefail
src=$(cd "$(dirname "$0")/.." && pwd)
top=$PWD/matrix.dir
jobs=${JOBS-2}
check=${CHECK-check}
cache=${CACHE-}

with() { # NAME: is the cell's tool here?
    case $1 in
    gcc | plain) command -v mpicc ;;
    clang) command -v clang && command -v mpicc ;;
    mpich) command -v mpicc.mpich ;;
    cuda) command -v "${NVCC-nvcc}" ;;
    esac >/dev/null
}

# The wrappers are told which compiler to call, with its cache: a cache that sees
# the wrapper only takes one compiler's objects for another's.
setup() { # NAME: configure's arguments in args, the wrappers' environment
    local cc=gcc cxx=g++
    [ "$1" = clang ] && cc=clang cxx=clang++
    export OMPI_CC="$cache $cc" MPICH_CC="$cache $cc"
    args=(CC=mpicc CXX="$cache $cxx" --without-cuda)
    case $1 in
    gcc | clang) ;;
    mpich) args[0]=CC=mpicc.mpich ;;
    plain) args+=(--without-onednn --without-zstd --without-flint) ;;
    cuda) args[2]=--with-cuda ;;
    *)
        echo "matrix.sh: no cell is called $1" >&2
        exit 64
        ;;
    esac
}

build() { # NAME
    local dir=$top/$1
    mkdir -p "$dir" && cd "$dir" || return
    {
        "$src/configure" -q --prefix="$dir/installed" "${args[@]}" &&
            make -s -j"$jobs" &&
            make -s install &&
            make -s installcheck
    } >build.log 2>&1 || return
    [ "$1" = cuda ] || [ -z "$check" ] || make -s -j"$jobs" "$check" >check.log 2>&1
}

found() { # KEY CELL: what the program says it was built with
    sed -n "s/^$1  *//p" "$top/$2/info"
}

row() { # NAME RESULT SECONDS
    printf '| %s | %s | %s | %s | %s | %s s |\n' "$1" \
        "$(found compiler "$1")" "$(found MPI "$1" | cut -d, -f1 | tr -s "[:space:]:" " ")" \
        "$(found HDF5 "$1"), oneDNN $(found oneDNN "$1"), CUDA $(found CUDA "$1")" \
        "$2" "$3"
}

cells=("$@")
if [ $# = 0 ]; then
    for cell in gcc clang mpich plain cuda; do
        with $cell && cells+=("$cell")
    done
fi
[ -x "$src/configure" ] || (cd "$src" && ./autogen.sh)
failed=0
rows=()
for cell in "${cells[@]}"; do
    setup "$cell"
    if ! with "$cell"; then
        echo "matrix.sh: $cell: its compiler is not here" >&2
        failed=1
        continue
    fi
    start=$SECONDS
    if (build "$cell"); then
        result=passed
    else
        result=FAILED
        failed=1
    fi
    count=$(sed -n 's/^# PASS: *//p' "$top/$cell/check.log" 2>/dev/null | tail -n 1)
    "$top/$cell/sextant" --build-info >"$top/$cell/info" 2>/dev/null
    rows+=("$(row "$cell" "$result${count:+, $count}" $((SECONDS - start)))")
    echo "${rows[-1]}"
done
echo
date -u '+%Y-%m-%d'
uname -sm
printf '%s\n' '| cell | compiler | MPI | libraries | result | time |' \
    '|---|---|---|---|---|---|' "${rows[@]}"
exit $failed
