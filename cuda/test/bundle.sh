#!/bin/sh
# bundle.sh - pack the GPU's tests with all libraries but the C library's and
# CUDA's, for a machine that has a GPU and neither MPI nor HDF5.
#
# usage: bundle.sh SRCDIR BUILDDIR TARBALL PROGRAM...
#
# On that machine:  tar xf TARBALL && sextant-gpu/check [|bench]
# It needs a C library no older than this machine's, an NVIDIA driver, and
# cuBLASLt where the loader finds it.
set -e
src=$1 build=$2 tarball=$3
shift 3
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
to=$top/sextant-gpu
mkdir -p "$to/lib" "$to/bin" "$to/share"

# add_libraries FILE...: what the loader loads for them.
add_libraries() {
    ldd "$@" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u |
        while read -r lib; do
            case ${lib##*/} in
            libc.so.* | libm.so.* | libdl.so.* | librt.so.* | \
                libpthread.so.* | ld-linux* | libresolv.so.* | libutil.so.*) ;;
            *) cp -Ln "$lib" "$to/lib/" ;;
            esac
        done
}

for p in "$@"; do
    mkdir -p "$to/build/$(dirname "$p")"
    cp "$build/$p" "$to/build/$p"
    strip "$to/build/$p" || true
    add_libraries "$build/$p"
done

# Open MPI's parts for one node, which it opens when it starts.
plugins=$(ompi_info --path pkglibdir --parsable 2>/dev/null | sed 's/.*://')
if [ -d "$plugins" ]; then
    mkdir -p "$to/lib/openmpi" "$to/share/openmpi"
    for file in "$plugins"/mca_*.so; do
        case ${file##*/mca_} in # networks, schedulers, file systems
        *ucx* | *ofi* | *psm* | *usnic* | *verbs* | *openib* | *portals* | \
            *monitoring* | *slurm* | *_tm.so | *gridengine* | *lustre*) ;;
        *)
            cp -L "$file" "$to/lib/openmpi/"
            add_libraries "$file"
            ;;
        esac
    done
    data=$(ompi_info --path pkgdatadir --parsable | sed 's/.*://')
    cp "$data"/help-*.txt "$to/share/openmpi/"
    for tool in mpirun orted; do
        cp -L "$(command -v $tool)" "$to/bin/$tool"
        add_libraries "$to/bin/$tool"
    done
    pmix=$(ls -d "$plugins"/../../../pmix2/lib/pmix 2>/dev/null || true)
    [ -z "$pmix" ] || cp -Lr "$pmix" "$to/lib/pmix"
fi

mkdir -p "$to/src/validation" "$to/src/cuda/test" "$to/src/inputs"
cp "$src/validation/lib.sh" "$src/validation/trajectory.sh" "$to/src/validation/"
cp -r "$src/validation/golden" "$to/src/validation/"
cp "$src/cuda/test/check-gpu.sh" "$src/cuda/test/train.sh" "$to/src/cuda/test/"
cp -r "$src/inputs/mini" "$to/src/inputs/"
cp "$src/COPYING" "$to/"

cat >"$to/check" <<'END'
#!/bin/sh
# check - the tests on this machine's GPU; "check bench": kernel times.
here=$(cd "$(dirname "$0")" && pwd)
LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
PATH=$here/bin:$PATH:/usr/local/cuda/bin:/usr/bin:/bin
SRCDIR=$here/src BUILDDIR=$here/build SEXTANT=$here/build/sextant
SEXTANT_DATADIR=$here/src/inputs
OPAL_PREFIX=$here OPAL_LIBDIR=$here/lib OPAL_PKGLIBDIR=$here/lib/openmpi
OPAL_DATADIR=$here/share OPAL_PKGDATADIR=$here/share/openmpi
OPAL_BINDIR=$here/bin OPAL_SYSCONFDIR=$here/share
OMPI_MCA_mca_base_component_path=$here/lib/openmpi
PMIX_MCA_mca_base_component_path=$here/lib/pmix
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
OMPI_MCA_plm=isolated
export LD_LIBRARY_PATH PATH SRCDIR BUILDDIR SEXTANT SEXTANT_DATADIR
export OPAL_PREFIX OPAL_LIBDIR OPAL_PKGLIBDIR OPAL_DATADIR OPAL_PKGDATADIR
export OPAL_BINDIR OPAL_SYSCONFDIR OMPI_MCA_mca_base_component_path
export PMIX_MCA_mca_base_component_path OMPI_MCA_plm
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
[ "$1" = bench ] && exec "${BENCH_GPU:-$here/build/bench/gpu}" $2
MPIRUN=
"$here/bin/mpirun" --oversubscribe -n 2 "$SEXTANT" --version >/dev/null 2>&1 &&
    MPIRUN=mpirun MPIRUN_FLAGS=--oversubscribe
[ -n "$MPIRUN" ] || OMPI_MCA_ess_singleton_isolated=1
export MPIRUN MPIRUN_FLAGS OMPI_MCA_ess_singleton_isolated
exec sh "$SRCDIR/cuda/test/check-gpu.sh"
END
chmod +x "$to/check"
tar -czf "$tarball" -C "$top" sextant-gpu
kib=$(du -k "$tarball" | cut -f1)
echo "$tarball: $((kib / 1024)) MiB"
[ "$kib" -lt $((60 * 1024)) ] || { echo "more than 60 MiB" >&2; exit 1; }
