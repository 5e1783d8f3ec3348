#!/bin/sh
# t5001-sft.sh - fine-tuning as people run it: signals, kills, resume, ranks.
. "$SRCDIR/validation/lib.sh"
[ -n "$MPIRUN" ] || skip_all "no MPI launcher works here"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
model=$SRCDIR/validation/golden/sft-run.h5
mkdir whole two killed asked again
for d in whole two killed asked again; do
    "$BUILDDIR/src/stage/test/make_train" $d/train.h5 30 || exit 1
done

cat >sft.cfg <<END
sft: {
    model = "$model";
    batch = 8;
    epochs = 3;
    max_tokens = 128;
    lr = 0.003;
    threads = 1;
    eval_fraction = 0.1;
    checkpoint: { every_steps = 1; };
};
END

# sft RANKS DIR [SETTING...] - run in DIR, say so into DIR/log
sft() {
    ranks=$1
    where=$2
    shift 2
    (cd "$where" && on_ranks "$ranks" "$SEXTANT" sft ../sft.cfg "$@" >>log 2>&1)
}
lines() { # COUNT FILE
    [ "$(wc -l <"$2")" -eq "$1" ]
}

ok "a dry run succeeds" sft 2 whole --dry-run
ok "... and tells the memory of a rank" grep -q 'together' whole/log
ok "... and writes nothing" test ! -e whole/checkpoints -a ! -e whole/model.h5
ok "... and how many blocks keep what they compute" \
    grep -q 'activations .* 2 of 2 blocks keep' whole/log
ok "one rank trains" sft 1 whole
ok "... ends with one Performance line" \
    test "$(grep -c 'Performance: .* tokens/s' whole/log)" -eq 1
ok "... writes a line of metrics for each of 12 steps" \
    lines 12 whole/metrics.jsonl
ok "... and model and metrics describe themselves" \
    sh -c '"$SEXTANT" info whole/model.h5 whole/metrics.h5 >/dev/null'
ok "computing blocks again" sft 1 again -s recompute=full
ok "... keeps one block's" grep -q 'activations .* 1 of 2 blocks keep' again/log
ok "... and makes the same model" \
    "$SEXTANT" diff whole/model.h5 again/model.h5
says '/config of the second file: recompute = "full";' "... by other settings"
exits 80 "... which count if asked for" \
    "$SEXTANT" diff --config whole/model.h5 again/model.h5

# A run on another node, as its lease shows it.
(
    beat=0
    while [ -d two ]; do
        beat=$((beat + 1))
        printf 'host nodeB\npid 7\nstarted 1\nnode other\njob 4711\nrestart 0\nbeat %d\n' \
            $beat >lease
        mv lease two/model.h5.lease-1
        sleep 0.2
    done
) &
other=$!
until [ -e two/model.h5.lease-1 ]; do sleep 0.1; done
exits 73 "while another run makes the model a second one ends" sft 2 two
ok "... and says who makes it" grep -q \
    'another run: host nodeB, process 7, job 4711' two/log
kill $other
wait $other
rm -f lease two/model.h5.lease-1
exits 75 "two ranks stop behind step 5 with code 75" sft 2 two -s stop_after=5
touch two/STOP
exits 75 "... and behind the next if there is a file STOP" sft 2 two
rm two/STOP
ok "... three ranks go on to the end" sft 3 two
ok "... metrics have no step twice" lines 12 two/metrics.jsonl
ok "... and the model holds the bytes of one rank's, never stopped" \
    "$SEXTANT" diff whole/model.h5 two/model.h5


# Kill without warning when a checkpoint is in the making, or just made.
kills=0
for step in 2 5 8; do
    (cd killed && exec "$SEXTANT" sft ../sft.cfg >>log 2>&1) &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        ls killed/checkpoints 2>/dev/null | grep -q "step-$step" && break
        sleep 0.02
    done
    kill -9 $pid 2>/dev/null && kills=$((kills + 1))
    wait $pid 2>/dev/null
done
ok "runs were killed ($kills)" test $kills -eq 3
ok "... and the next one finishes" sft 1 killed
ok "... with the bytes of a run that was never killed" \
    "$SEXTANT" diff whole/model.h5 killed/model.h5
ok "... no half-written file is left" \
    sh -c '! ls killed/checkpoints | grep -q part'
ok "... and two checkpoints are" \
    test "$(ls killed/checkpoints | wc -l)" -eq 2
(cd asked && exec "$SEXTANT" sft ../sft.cfg >>log 2>&1) &
pid=$!
while kill -0 $pid 2>/dev/null && [ ! -e asked/checkpoints/step-2.h5 ]; do
    sleep 0.02
done
kill -TERM $pid
exits 75 "asked to stop by a signal, a run saves and ends with code 75" \
    wait $pid
ok "... the same command ends with the bytes of an uninterrupted run" \
    sh -c 'cd asked && "$SEXTANT" sft ../sft.cfg >>log 2>&1 &&
           "$SEXTANT" diff ../whole/model.h5 model.h5 >/dev/null'
ok "a checkpoint is a model" \
    sh -c '"$SEXTANT" info killed/checkpoints/*.h5 >/dev/null'

done_testing
