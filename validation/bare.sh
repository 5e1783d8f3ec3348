#!/usr/bin/env bash
# bare.sh SUITE [run|test|build] [TARBALL] - the quick start on a bare machine.
#
# Makes a minimal Debian (SUITE: bookworm, trixie) with debootstrap in
# ./bare.dir/SUITE, unpacks TARBALL (of `make dist`) there, or what git knows of
# this tree, and calls ./quickstart in it, in its own mount and process
# namespaces.  Needs root and a Debian mirror: MIRROR, by default deb.debian.org.
set -euo pipefail
src=$(cd "$(dirname "$0")/.." && pwd)
suite=${1?"usage: bare.sh SUITE [run|test|build] [TARBALL]"}
action=${2-test}
root=$PWD/bare.dir/$suite

if [ ! -e "$root/etc/debian_version" ]; then
    mkdir -p "$root"
    debootstrap --variant=minbase "$suite" "$root" \
        "${MIRROR-http://deb.debian.org/debian}"
fi
cp /etc/resolv.conf /etc/hosts "$root/etc/"
rm -rf "$root/root/sextant"
mkdir -p "$root/root/sextant"
if [ -n "${3-}" ]; then
    tar -xf "$3" -C "$root/root/sextant" --strip-components=1
else
    git -C "$src" archive HEAD | tar -x -C "$root/root/sextant"
fi

# shellcheck disable=SC2016 # for the inner shell
exec unshare -m -p -f --propagation private bash -c '
    set -e
    mount --bind "$1" "$1"
    cd "$1"
    mkdir -p old
    mount -t proc proc proc
    mount --rbind /dev dev
    mount --rbind /sys sys
    mount -t tmpfs tmpfs tmp
    pivot_root . old
    cd /root/sextant
    umount -l /old
    exec env -i HOME=/root TERM=dumb LANG=C ${http_proxy+"http_proxy=$http_proxy"} \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ./quickstart "$2"' bare "$root" "$action"
