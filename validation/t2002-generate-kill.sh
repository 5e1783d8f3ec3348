#!/bin/sh
# t2002-generate-kill.sh - killed at any moment, generate goes on where it was.
#
# Each round starts the run on 1, 2 or 3 ranks and kills every process of it
# after a random while, until the output is there; it must then be what an
# undisturbed run writes.  Journals are also cut and damaged on the way.
# SXT_TEST_KILLS is the number of rounds.
. "$SRCDIR/validation/lib.sh"
[ -n "$MPIRUN" ] || skip_all "no MPI launcher works here"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

"$BUILDDIR/src/stage/test/gen_fixture" . 24 || exit 99
cat >base.cfg <<'CFG'
generate:
{
    n = 4;
    snapshot_s = 0.05;
    sampling: { temperature = 1.0; max_tokens = 300; stop_loops = false; };
    engine: { batch = 8; };
};
CFG
random() { # LIMIT: a number below it
    od -An -N2 -tu2 /dev/urandom | awk -v n="$1" '{ print $1 % n }'
}
# Start a run in a session of its own and kill all of it after $2 ms.
killed_run() { # RANKS MILLISECONDS
    # shellcheck disable=SC2086 # the flags are words
    setsid "$MPIRUN" $MPIRUN_FLAGS -n "$1" "$SEXTANT" generate base.cfg \
        >"log.$round" 2>&1 &
    pid=$!
    sleep "$(awk -v ms="$2" 'BEGIN { print ms / 1000 }')"
    # Ranks get process groups of their own: find them by session.
    victims=$(ps -o pid= -s "$pid" 2>/dev/null)
    # shellcheck disable=SC2086 # several numbers
    [ -n "$victims" ] && kill -9 $victims 2>/dev/null
    wait "$pid" 2>/dev/null
}
# Cut the tail of the largest journal, or flip a byte in it.
damage() {
    # shellcheck disable=SC2012 # names like e0001.r0000.log
    journal=$(ls -S generations.h5.journal/*.log 2>/dev/null | head -n 1)
    size=$(wc -c <"${journal:-/dev/null}")
    [ "$size" -gt 200 ] || return 0
    damaged=$((damaged + 1))
    if [ $((damaged % 2)) -eq 1 ]; then
        dd if=/dev/null of="$journal" bs=1 seek=$((size - 33)) 2>/dev/null
    else
        printf 'X' | dd of="$journal" bs=1 seek=$((size / 2)) conv=notrunc \
            2>/dev/null
    fi
}
undisturbed() {
    "$SEXTANT" generate base.cfg && mv generations.h5 whole.h5
}
comment() { # PATTERN: the last command's lines that match
    sed -n "s/^generate *$1/# $1/p" tap.out
}

ok "an undisturbed run" undisturbed
# How long it took, in ms: kills come at 20 to 80 % of that.
took=$(sed -n 's/.*tokens  in \([0-9.]*\) s .*/\1/p' tap.out | head -n 1 |
    awk '{ print int(1000 * $1) + 200 }')
took=${took:-1000}

kills=${SXT_TEST_KILLS-4}
round=0
early=0
damaged=0
while [ $round -lt "$kills" ]; do
    round=$((round + 1))
    killed_run $((1 + $(random 3))) $((took * (20 + $(random 60)) / 100))
    [ $((2 * damaged)) -lt "$kills" ] && damage
    if [ -e generations.h5 ]; then # faster than the kill: once more
        early=$((early + 1))
        "$SEXTANT" diff whole.h5 generations.h5 >early.txt 2>&1 || break
        rm -r generations.h5*
    fi
done
echo "# $round runs killed, $early of them after they had written the file," \
    "$damaged journals damaged"
ok "at last a run to the end" on_ranks 2 "$SEXTANT" generate base.cfg
comment problems
comment resume
ok "nothing was lost and nothing came twice" \
    "$SEXTANT" diff whole.h5 generations.h5
ok "the journals are gone" test ! -e generations.h5.journal

rm generations.h5
# A clean stop: the signal that a batch system sends before the end.
stopped() {
    "$SEXTANT" generate base.cfg &
    pid=$!
    sleep "$(awk -v ms="$took" 'BEGIN { print ms / 2000 }')"
    kill -USR1 $pid
    wait $pid
    status=$?
    # On a fast machine it may have ended before the signal.
    test $status -eq 75 || { test $status -eq 0 && test -e generations.h5; }
}
ok "USR1 stops it with status 75" stopped
ok "and the next run goes on" "$SEXTANT" generate base.cfg
comment resume
ok "to the same answers" "$SEXTANT" diff whole.h5 generations.h5
done_testing
