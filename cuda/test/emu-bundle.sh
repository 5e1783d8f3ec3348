#!/bin/sh
# emu-bundle.sh - a bundle runs where there is a C library and a shell and
# nothing else: no MPI, no HDF5.  It packs the programs of the emulated GPU
# (EMU_PROGRAMS) and runs them in a root directory of their own.
. "$SRCDIR/validation/lib.sh"

# shellcheck disable=SC2086 # a list of words
pack() {
    sh "$SRCDIR/cuda/test/bundle.sh" "$SRCDIR" "$BUILDDIR" \
        "$PWD/bundle.tar.gz" sextant $EMU_PROGRAMS
}
ok "a bundle is packed, of less than 60 MiB" pack
mkdir root
ok "  and unpacked" tar -xzf bundle.tar.gz -C root

# found_within: the loader finds all libraries in the bundle, but the C library's.
found_within() {
    find root/sextant-gpu/build root/sextant-gpu/bin root/sextant-gpu/lib \
        -type f >files
    while read -r file; do
        LD_LIBRARY_PATH=$PWD/root/sextant-gpu/lib ldd "$file" 2>/dev/null |
            sed -n "s|.* => |$file: |p"
    done <files | grep -vE \
        "root/sextant-gpu/lib/|/lib(c|m|dl|rt|pthread|resolv|util)\.so" >missing
    cat missing
    [ -s files ] && [ ! -s missing ]
}
ok "  its libraries are all in it" found_within

# add FILE...: into the new root, with the libraries that it needs
add() {
    for file in "$@"; do
        mkdir -p "root/$(dirname "$file")"
        cp -Ln "$file" "root/$file"
    done
    ldd "$@" 2>/dev/null |
        sed -n 's/.* => \(\/[^ ]*\) .*/\1/p;s/^\t\(\/[^ ]*\) .*/\1/p' |
        sort -u | while read -r lib; do
        mkdir -p "root/$(dirname "$lib")"
        cp -Ln "$lib" "root/$lib"
    done
}
for dir in bin lib lib64; do # where they are links to those of /usr
    [ ! -L /$dir ] || { mkdir -p root/usr/$dir && ln -s usr/$dir root/$dir; }
done
for tool in sh awk sed grep mktemp rm mkdir cat cp mv paste cmp tail head \
    dirname env tr cut ls wc sort; do
    add "$(command -v $tool)"
done
for lib in m dl rt pthread resolv util; do # which the C library brings along
    file=$(ldconfig -p | sed -n "s|.*lib$lib\.so\.[0-9]* .*64.* => ||p" | head -1)
    [ -z "$file" ] || add "$file"
done
mkdir -p root/tmp root/proc root/dev root/sys root/etc
echo 'root:x:0:0:root:/:/bin/sh' >root/etc/passwd

# shellcheck disable=SC2016 # the other shell's
inside() { # COMMAND...
    unshare -rm sh -c 'for d in dev proc sys; do
        mount --rbind /$d root/$d || exit 1
    done
    exec chroot root "$@"' sh "$@"
}
if ! inside sh -c : >tap.out 2>&1; then
    skip "  it runs in a directory of its own" "none can be made here"
    done_testing
fi
build=/sextant-gpu/build
ok "  where there is neither MPI nor HDF5" inside sh -c \
    '! command -v mpirun && ! ls /usr/lib/*/libmpi* /usr/lib/*/libhdf5*'
ok "  it runs there, to its end" inside env -i PATH=/usr/bin:/bin GPU_BRIEF=1 \
    GPU_TESTS=$build/cuda/test/emu- SEXTANT_GPU=$build/cuda/test/emu-sextant \
    BENCH_GPU=$build/cuda/test/emu-bench /sextant-gpu/check
sed 's/^/#   /' tap.out
says "- 2 ranks on one GPU" "  under its own launcher"
ok "  and so does the benchmark" inside env -i PATH=/usr/bin:/bin \
    BENCH_GPU=$build/cuda/test/emu-bench /sextant-gpu/check bench --tiny
done_testing
