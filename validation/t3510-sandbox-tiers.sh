# t3510-sandbox-tiers.sh - the sandbox's attacks as other users and on nodes
# that forbid what they may: no network namespaces, no namespaces at all.
#
# A node's limits are imitated in a user namespace of its own; nothing of the
# machine is changed.
here=$BUILDDIR/src/sbx/test/sandbox.t
work=$(mktemp -d /tmp/sextant-t3510-XXXXXX) || exit 99
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$here" "$work/sandbox.t" || exit 99
chmod 755 "$work/sandbox.t"

n=0
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

# Python that every user can reach.
PYTHON3=
for p in /usr/bin/python3 /usr/local/bin/python3; do
    test -x "$p" && PYTHON3=$p && break
done
export PYTHON3
if test -z "$PYTHON3"; then
    echo "1..0 # SKIP no python3 in /usr/bin or /usr/local/bin"
    exit 0
fi
unset MAKEFLAGS

# limited FILE...: run sandbox.t with these limits of namespaces set to 0
#
# Never as root: a root that is alone in its namespace is held to no process
# limit by the kernel, and its fork bomb takes the machine.
as_nobody=
test "$(id -u)" = 0 &&
    as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
limited() {
    tier=$1
    shift
    # shellcheck disable=SC2086 # words
    (cd / && exec $as_nobody unshare -U -r sh -c '
        tier=$1 program=$2
        shift 2
        for limit; do echo 0 >"/proc/sys/user/$limit" || exit 99; done
        exec "$program" "$tier"' sh "$tier" "$work/sandbox.t" "$@")
}

# All at once: most of the time they wait.
limited full max_net_namespaces >"$work/no-net.log" 2>&1 &
net=$!
limited reduced max_user_namespaces >"$work/reduced.log" 2>&1 &
reduced=$!
limited none max_user_namespaces >"$work/none.log" 2>&1 &
none=$!
if test "$(id -u)" = 0; then
    (cd / && exec setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$work/sandbox.t" full) >"$work/nobody.log" 2>&1 &
    nobody=$!
fi

# report WHAT LOG PID: one claim for a whole run, its failures as comments
report() {
    wait "$3"
    rc=$?
    n=$((n + 1))
    if test $rc -eq 0 && grep -q '^1\.\.[1-9]' "$2"; then
        echo "ok $n - $1: $(grep -c '^ok' "$2") claims hold"
    else
        echo "not ok $n - $1 (exit status $rc)"
        sed -n '/^not ok/,/^ok/p' "$2" | sed 's/^/# /'
        tail -n 3 "$2" | sed 's/^/# /'
    fi
}

if unshare -U -r true 2>/dev/null; then
    report "without network namespaces" "$work/no-net.log" $net
    report "without user namespaces, where the reduced tier is asked for" \
        "$work/reduced.log" $reduced
    report "without user namespaces it refuses" "$work/none.log" $none
else
    skip "without network namespaces" "unshare -U is not allowed here"
    skip "in the reduced tier" "unshare -U is not allowed here"
    skip "refusing" "unshare -U is not allowed here"
fi
if test -n "$nobody"; then
    report "as an ordinary user" "$work/nobody.log" $nobody
else
    skip "as an ordinary user" "this user is one"
fi
echo "1..$n"
