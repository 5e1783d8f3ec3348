#!/bin/sh
# avx512.sh - the kernels on a processor that need not be here: boots Linux in
# the emulator Bochs, runs tests of src/num and src/model there, and compares
# the bits of operations with this machine's.
#
# Run it in a build folder after `make check TESTS=`.  Debian: apt-get install
# bochs isolinux syslinux-common xorriso busybox-static cpio lz4
# linux-image-cloud-amd64.  It takes minutes of a core.
#
#   KERNEL  Linux for x86-64, with no more compiled in than a serial port; by
#           default the newest /boot/vmlinuz-*
#   BOCHS   the emulator
#   CPU     its processor: `bochs --help cpu`
#   OPS     operations to compare with ref, and with this machine's bits
#   TESTS   other programs to run
: "${SRCDIR:=$(cd "$(dirname "$0")/.." && pwd)}" "${BUILDDIR:=$PWD}"
# shellcheck source=validation/lib.sh
. "$SRCDIR/validation/lib.sh"

BOCHS=${BOCHS-bochs}
CPU=${CPU-corei7_skylake_x}
KERNEL=${KERNEL-$(find /boot -name 'vmlinuz-*' | sort -V | tail -n 1)}
OPS=${OPS-gemm adamw}
TESTS=${TESTS-src/model/test/golden.t src/num/test/rows.t}
OPS_T=src/num/test/ops.t
BOOT="/usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32"

check_tools() {
    for tool in "$BOCHS" xorriso cpio lz4 busybox; do
        command -v "$tool" >tap.out || skip_all "$tool is not here"
    done
    for file in "${KERNEL:-/boot/vmlinuz}" $BOOT; do
        [ -r "$file" ] || skip_all "$file is not here"
    done
    for test in $OPS_T $TESTS; do
        [ -x "$BUILDDIR/$test" ] || skip_all "$test is not built"
    done
}

# What the guest does: /init is its only process.  The bits come first.
write_init() {
    cat <<END
#!/busybox sh
/busybox mount -t proc proc /proc
/busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
export OMP_NUM_THREADS=1 SRCDIR=/ SXT_TEST_OPS="$OPS"
/busybox grep -m1 ^flags /proc/cpuinfo
/t/ops.t bits
for t in $OPS_T $TESTS; do
    echo "# \$t"
    /t/\${t##*/}
    echo "# end \$?"
done
echo "# all done"
/busybox poweroff -f
END
}

# ./root: the tests, the libraries that they need, and the models' goldens.
make_root() {
    mkdir -p root/dev root/proc root/t root/tmp root/validation/golden
    cp "$(command -v busybox)" root/
    cp "$SRCDIR"/validation/golden/model-*.h5 root/validation/golden/
    for test in $OPS_T $TESTS; do
        cp "$BUILDDIR/$test" root/t/
        ldd "$BUILDDIR/$test"
    done | grep -o '/[^ ]*' | sort -u | while read -r lib; do
        cp -L --parents "$lib" root/
    done
    find root -type f \( -name '*.so*' -o -path 'root/t/*' \) -exec strip {} +
    write_init >root/init
    chmod +x root/init
}

# ./boot.iso.  The emulated Skylake tells a wrong size for XSAVEC, and Linux has
# no use for AMX, which Bochs may not let it switch on: clearcpuid hides them.
make_iso() {
    mkdir iso
    (cd root && find . | cpio -o -H newc --quiet | lz4 -l -c) >iso/initrd
    cp "$KERNEL" iso/linux
    # shellcheck disable=SC2086 # two files
    cp $BOOT iso/
    cat >iso/isolinux.cfg <<END
DEFAULT linux
LABEL linux
KERNEL linux
INITRD initrd
APPEND console=ttyS0,115200 quiet mitigations=off random.trust_cpu=on \
tsc=reliable clearcpuid=321,323,600 panic=-1 reboot=t
END
    xorriso -as mkisofs -quiet -o boot.iso -b isolinux.bin -c boot.cat \
        -no-emul-boot -boot-load-size 4 -boot-info-table iso 2>>tap.out
}

# A slow clock (ips) shortens what Linux waits for.  The speaker's driver of
# Bochs 2.7 crashes where there is no sound.  Debian's Bochs begins in its
# debugger: `c` goes on.
boot() {
    cat >bochsrc <<END
megs: 1024
cpu: model=$CPU, ips=20000000, reset_on_triple_fault=0
plugin_ctrl: speaker=0
display_library: rfb, options="timeout=0"
ata0-master: type=cdrom, path=boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=serial
log: bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
END
    echo c >go
    : >serial
    timeout "${TIMEOUT-7200}" "$BOCHS" -q -f bochsrc -rc go \
        >bochs.out 2>&1 </dev/null
    tr -d '\r' <serial >guest
}

# The guest's TAP, as one claim of ours for each of its programs.
judge() {
    for test in $OPS_T $TESTS; do
        sed -n "\\|^# $test\$|,/^# end/p" guest >tap.out
        n=$(grep -c '^ok' tap.out)
        grep -v '^ok' tap.out >failed
        mv failed tap.out
        ! grep -q '^not ok' tap.out && grep -q '^# end 0' tap.out
        tap_result $? "$test: all claims hold in the emulator ($n)"
    done
}

check_tools
make_root
make_iso
boot
cp guest "${GUEST_LOG-/dev/null}"
tail -n 5 guest bochs.out >tap.out
grep -q '^# all done' guest
tap_result $? "Linux runs the tests to their end on a $CPU"
ok "it has AVX-512" grep -qw avx512f guest
ok "the kernels for AVX-512 are chosen" grep -q 'kernels for AVX-512' guest
judge
# bf16 products that need no independent rows are oneDNN's where it has bf16.
skip='^$'
grep -q 'bf16 training by' guest && skip='of gemm bf16'
OMP_NUM_THREADS=1 SXT_TEST_OPS=$OPS "$BUILDDIR/$OPS_T" bits | grep -v "$skip" >here
grep '^# bits' guest | grep -v "$skip" >there
ok "the operations have the bits of this machine ($(wc -l <here))" \
    diff here there
done_testing
