# lib.sh - TAP for shell tests; to be sourced.
#
#     . "$SRCDIR/validation/lib.sh"
#     ok "it runs" "$SEXTANT" --version
#     done_testing
#
# The test runs in an empty directory of its own, removed at the end.

tap_count=0
tap_failed=0
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/sextant-test.XXXXXX") || exit 99
trap 'rm -rf "$tap_dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tap_dir" || exit 99

# skip_all WHY: nothing can be tested here.
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

tap_result() { # STATUS CLAIM
    tap_count=$((tap_count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tap_count - $2"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $2"
        [ -s tap.out ] && sed 's/^/# /' tap.out
    fi
}

# ok CLAIM COMMAND...: the command succeeds.  Its output is in ./tap.out.
ok() {
    tap_claim=$1
    shift
    "$@" >tap.out 2>&1
    tap_result $? "$tap_claim"
}

# exits STATUS CLAIM COMMAND...: the command ends with this exit status.
exits() {
    tap_expected=$1
    tap_claim=$2
    shift 2
    "$@" >tap.out 2>&1
    tap_status=$?
    echo "(exit status $tap_status, expected $tap_expected)" >>tap.out
    [ $tap_status -eq "$tap_expected" ]
    tap_result $? "$tap_claim"
}

# says TEXT CLAIM: the last command's output contains TEXT.
says() {
    grep -qF -- "$1" tap.out
    tap_result $? "$2"
}

# skip CLAIM WHY: this claim cannot be tested here.
skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# on_ranks N COMMAND...: run under the launcher; one rank needs none.
on_ranks() {
    tap_np=$1
    shift
    if [ "$tap_np" -eq 1 ]; then
        "$@"
    else
        # shellcheck disable=SC2086 # the flags are words
        OMP_NUM_THREADS=1 "$MPIRUN" $MPIRUN_FLAGS -n "$tap_np" "$@"
    fi
}

done_testing() {
    echo "1..$tap_count"
    exit $((tap_failed > 0))
}
