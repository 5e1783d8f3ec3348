#!/bin/sh
# t0009-quickstart.sh - what ./quickstart does on machines that lack everything.
#
# A tree of its own, below a path with a space, and a search path of its own,
# whose installers, make and mpirun only write down what they are told.
. "$SRCDIR/validation/lib.sh"
calls=$tap_dir/calls

tool() { # FOLDER NAME: a program that does what it reads
    {
        echo "#!/bin/sh"
        cat
    } >"$1/$2"
    chmod +x "$1/$2"
}

# A machine whose installer is called $2: its programs in folder $1.  What is
# installed brings compilers and libraries.
machine() {
    mkdir "$1"
    for name in bash cat chmod dirname env grep ln mkdir nproc sed touch tr; do
        ln -s "$(command -v $name)" "$1/$name"
    done
    echo "echo \${FAKE_UID-0}" | tool "$1" id
    echo 'exit 1' | tool "$1" sudo
    tool "$1" "$2" <<END
echo "$2 \$*" >>'$calls'
case " \$* " in *"\${REFUSED-nothing}"*) exit 1 ;; esac
case " \$* " in *" install "*jansson*) ;; *) exit 0 ;; esac
for name in autoconf automake pkg-config python3 mpicc h5pcc; do
    echo 'exit 0' >'$tap_dir/$1'/\$name
    chmod +x '$tap_dir/$1'/\$name
done
END
    echo "echo \"make \$*\" >>'$calls'" | tool "$1" make
    tool "$1" mpirun <<END
[ "\$1" = --version ] && echo "mpirun (Open MPI) 4.1.4" && exit
echo "mpirun \$*" >>'$calls'
END
}

# A tree that was unpacked: its configure is newer than what it was made from.
mkdir "a b" || exit 99
tree="$tap_dir/a b"
cp "$SRCDIR/quickstart" "$tree/" && chmod +x "$tree/quickstart"
touch -d 2020-01-01 "$tree/configure.ac"
tool "$tree" configure <<END
echo "configure by \$0" >>'$calls'
touch Makefile
END

quick() { # MACHINE ARGUMENTS...
    machine=$1
    shift
    rm -rf "$calls" "$tree/build"
    (cd / && PATH="$tap_dir/$machine" "$tree/quickstart" "$@")
}
called() { # CLAIM, and the calls expected on stdin
    cat >expected
    diff expected "$calls" >tap.out
    tap_result $? "$1"
}

machine red dnf
echo 'echo "crb $*" >>'"'$calls'" | tool red crb
ok "a bare machine with dnf" quick red build
says "missing: autoconf automake pkg-config python3 mpicc libconfig" \
    "it says what is missing"
{
    # Fedora needs no further repositories.
    [ -e /etc/fedora-release ] || {
        echo "dnf install -y -q epel-release"
        echo "crb enable"
    }
    cat <<END
dnf install -y -q autoconf automake make gcc gcc-c++ pkgconf-pkg-config openmpi-devel hdf5-openmpi-devel libconfig-devel jansson-devel pcre2-devel utf8proc-devel xxhash-devel openssl-devel zlib-devel libseccomp-devel python3
dnf install -y -q onednn-devel
dnf install -y -q libzstd-devel
dnf install -y -q flint-devel
configure by ../configure
make -j$(nproc)
END
} >dnf.calls
called "these packages, then configure and make" <dnf.calls
ok "again, with everything there" quick red build
called "nothing is installed" <<END
configure by ../configure
make -j$(nproc)
END

machine blue apt-get
tool blue apt-cache <<'END'
case $2 in
libdnnl-dev) echo "  Candidate: 2.6.3-1" ;;
libflint-dev) ;; # not known
*) echo "  Candidate: (none)" ;;
esac
END
ok "a bare machine with apt" quick blue run
called "these packages, then configure, make and a run" <<END
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 autoconf automake make gcc g++ libc6-dev pkg-config openmpi-bin libopenmpi-dev libhdf5-openmpi-dev libconfig-dev libjansson-dev libpcre2-dev libutf8proc-dev libxxhash-dev libssl-dev zlib1g-dev libseccomp-dev python3 libdnnl-dev
configure by ../configure
make -j$(nproc)
mpirun --oversubscribe --bind-to none -n 2 build/sextant pipeline $tree/inputs/mini/mini.cfg -o mini-run
END

machine lone apt-get
echo 'exit 0' | tool lone apt-cache
export REFUSED=update
ok "old package lists do not stop it" quick lone build
rm -r lone
machine lone apt-get
echo 'exit 0' | tool lone apt-cache
export REFUSED=install
exits 1 "packages that cannot be had do" quick lone build
says "http_proxy" "... with what may be the matter"
unset REFUSED
export FAKE_UID=1000
exits 1 "neither root nor sudo" quick lone build
says "needs root for: apt-get install autoconf" "... with the command for somebody else"
exits 1 "... nothing was called" test -e "$calls"
unset FAKE_UID

# Somebody else's source, by a mount that is ours alone.
cat >reader.sh <<END
mount --bind -o ro "$tree" "$tree" && mkdir home && cd home || exit 77
PATH='$tap_dir/red' exec "$tree/quickstart" build
END
rm -rf "$calls" "$tree/build"
if unshare -mr true 2>/dev/null; then
    ok "a source that cannot be written" unshare -mr sh reader.sh
    says "works in $tap_dir/home/sextant-build" "... is built elsewhere"
    called "... by a path without a space" <<END
configure by ../source/configure
make -j$(nproc)
END
else
    skip "a source that cannot be written" "no mounts of our own here"
fi
exits 64 "no command: the usage" quick red
says "quickstart run|test|build" "... is printed"
done_testing
