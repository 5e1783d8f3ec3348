#!/bin/sh
# t3510-sandbox-tiers.sh - the sandbox's attacks as other users and on nodes
# that forbid what they may: no network namespaces, no namespaces at all.
#
# A node's limits are imitated in a user namespace of its own; nothing of the
# machine is changed.  With SXT_REPEATS (see sandbox.sh) each attack, cheat and
# honest program runs so often; without, attacks that only wait are left out.
#
# Never as root: a root that is alone in its namespace is held to no process
# limit by the kernel, and its fork bomb takes the machine.
as_nobody=
test "$(id -u)" = 0 &&
    as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
repeats=${SXT_REPEATS-0}
unset MAKEFLAGS

work=$(mktemp -d /tmp/sextant-t3510-XXXXXX) || exit 99
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$BUILDDIR/src/sbx/test/sandbox.t" "$BUILDDIR/src/sbx/test/zygote.t" \
    "$BUILDDIR/src/task/test/codetrust.t" "$work" || exit 99
chmod 755 "$work"/*.t
cd / || exit 99

# Python that every user can reach.
found=
for p in "$PYTHON3" /usr/bin/python3 /usr/local/bin/python3; do
    $as_nobody "$p" -c '' 2>/dev/null && found=$p && break
done
PYTHON3=$found
export PYTHON3
if test -z "$PYTHON3"; then
    echo "1..0 # SKIP no python3 that every user can reach"
    exit 0
fi

n=0
failed=0
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

# on_node PROGRAM TIER LIMIT: run it where this limit of namespaces is 0
on_node() {
    # shellcheck disable=SC2016,SC2086 # the inner shell's; words
    $as_nobody unshare -U -r sh -c '
        echo 0 >"/proc/sys/user/$3" || exit 99
        exec "$0" "$1" "$2"' "$work/$1" "$2" "$repeats" "$3"
}
as_user() { # PROGRAM TIER
    # shellcheck disable=SC2086 # words
    $as_nobody "$work/$1" "$2" "$repeats"
}

# A wrapper with which the external tier works, if there is one.
wrapper="bwrap --unshare-pid --unshare-net --unshare-uts --unshare-ipc
    --die-with-parent --ro-bind /usr /usr --ro-bind-try /lib /lib
    --ro-bind-try /lib64 /lib64 --proc /proc --dev /dev"

# check CLAIM LOG STATUS: one claim for a whole run, its failures as comments
check() {
    n=$((n + 1))
    if test "$3" -eq 0 && grep -q '^1\.\.[1-9]' "$2"; then
        echo "ok $n - $1: $(grep -c '^ok' "$2") claims hold"
    else
        failed=1
        echo "not ok $n - $1 (exit status $3)"
        sed -n '/^not ok/,/^ok/p' "$2" | sed 's/^/# /'
        tail -n 3 "$2" | sed 's/^/# /'
    fi
}

# All at once: most of the time they wait.
nodes=
# shellcheck disable=SC2086 # words
$as_nobody unshare -U -r sh -c \
    'echo 0 >/proc/sys/user/max_net_namespaces' 2>/dev/null && nodes=yes
if test "$nodes"; then
    as_user sandbox.t full >"$work/user" 2>&1 &
    user=$!
    on_node sandbox.t full max_net_namespaces >"$work/no-net" 2>&1 &
    no_net=$!
    on_node sandbox.t reduced max_user_namespaces >"$work/reduced" 2>&1 &
    reduced=$!
    on_node sandbox.t none max_user_namespaces >"$work/none" 2>&1 &
    none=$!
    SXT_TEST_WRAPPER=/usr/bin/env on_node sandbox.t none max_user_namespaces \
        >"$work/bad-wrapper" 2>&1 &
    bad_wrapper=$!
    bwrap=
    # shellcheck disable=SC2016 # the inner shell's
    $as_nobody unshare -U -r sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
        exec $0 "$1" -c ""' "$wrapper" "$PYTHON3" 2>/dev/null && bwrap=yes
    if test "$bwrap"; then
        SXT_TEST_WRAPPER=$wrapper on_node sandbox.t external \
            max_user_namespaces >"$work/external" 2>&1 &
        external=$!
    fi
fi
if test "$nodes"; then
    wait "$user"
    check "as an ordinary user" "$work/user" $?
    wait "$no_net"
    check "without network namespaces" "$work/no-net" $?
    wait "$reduced"
    check "without user namespaces, where the reduced tier is asked for" \
        "$work/reduced" $?
    wait "$none"
    check "without user namespaces it refuses" "$work/none" $?
    wait "$bad_wrapper"
    check "and a wrapper that holds nothing does not help" \
        "$work/bad-wrapper" $?
    if test "$bwrap"; then
        wait "$external"
        check "inside bubblewrap" "$work/external" $?
    else
        skip "inside bubblewrap" "bwrap is not here, or not allowed"
    fi
else
    for claim in "as an ordinary user" "without network namespaces" \
        "in the reduced tier" "refusing" "a bad wrapper" "a wrapper"; do
        skip "$claim" "a user may not make user namespaces here"
    done
fi

# Where a user sees no process of others (a mount of /proc of its own).
hidden() {
    # shellcheck disable=SC2016,SC2086 # the inner shell's; words
    unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc || exit 98
        exec $0 "$@"' "$as_nobody" "$work/zygote.t" full
}
if test "$as_nobody" && test "$nodes" && unshare -m mount -t proc \
    -o hidepid=2 proc /proc 2>/dev/null; then
    hidden >"$work/hidden" 2>&1
    check "where /proc hides other users' processes" "$work/hidden" $?
else
    skip "with a /proc that hides processes" "only root may mount one"
fi

# trust CLAIM RUNNER TIER [LIMIT]: cheats and honest programs
trust() {
    "$2" codetrust.t "$3" "${4-}" >"$work/trust" 2>&1
    check "cheats and honest programs $1" "$work/trust" $?
    grep '^ok.*verdicts are right' "$work/trust" | sed 's/^ok [0-9]* -/#/'
}

# At length only; one at a time, for honest programs are held to their limits.
if test "$repeats" -gt 0 && test "$nodes"; then
    trust "as an ordinary user" as_user full
    trust "in the reduced tier" on_node reduced max_user_namespaces
    on_node zygote.t reduced max_user_namespaces >"$work/zygote" 2>&1
    check "programs in the reduced tier do not meet" "$work/zygote" $?
    if test "$bwrap"; then
        SXT_TEST_WRAPPER=$wrapper
        export SXT_TEST_WRAPPER
        trust "inside bubblewrap" on_node external max_user_namespaces
        on_node zygote.t external max_user_namespaces >"$work/zygote" 2>&1
        check "programs inside bubblewrap do not meet" "$work/zygote" $?
    fi
fi
echo "1..$n"
exit $failed
