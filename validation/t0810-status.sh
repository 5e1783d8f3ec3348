#!/bin/sh
# t0810-status.sh - how far a run is: sextant status, while it goes on as well.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
LC_ALL=C.UTF-8
export LC_ALL
model=$SRCDIR/validation/golden/sft-run.h5
status() {
    "$SEXTANT" status "$@"
}
state() { # OUTPUT WORD
    grep -q " $1  *[#.]* .* $2" tap.out
    tap_result $? "$1 is $2"
}
# Names, sizes and times of a run's files.
files() {
    find "$1" -printf '%P %s %T@\n' | sort
}

exits 66 "no directory is no run" status nowhere
mkdir empty
exits 66 "an empty directory is none either" status empty
ok "... and stays empty" rmdir empty

cat >run.cfg <<END
pipeline: { steps = ["import", "select", "sft", "report"]; };
import: { datasets = ["sharegpt"]; files = ["./no-such.jsonl"]; };
sft: {
    model = "$model";
    batch = 8;
    epochs = 2;
    max_tokens = 128;
    threads = 1;
    checkpoint: { every_steps = 2; };
};
END
exits 66 "a pipeline that fails at once" "$SEXTANT" pipeline run.cfg -o run
ok "its status" status run
state problems.h5 failed
says "error: ./no-such.jsonl: No such file" "the error is told"
says "go on with: $SEXTANT pipeline run.cfg -o run" "and what goes on"
state train.h5 waiting
state model.h5 waiting

"$BUILDDIR/src/stage/test/make_train" run/train.h5 30 || exit 1
exits 75 "a step that is stopped" \
    "$SEXTANT" pipeline run.cfg -o run "sft stop_after=3"
files run >before
ok "its status" status run
state model.h5 stopped
says "3 of 8 steps" "how far it is"
says "go on with: $SEXTANT pipeline run.cfg -o run sft stop_after=3" \
    "and how it goes on"
grep -Eq '^loss       [_.~=+*#-]{3}  [0-9.]* to [0-9.]* in 3 steps' tap.out
tap_result $? "the loss is a line"
says "checkpoint run/checkpoints/step-3.h5" "the newest checkpoint is named"
says "rank-hours" "the costs are told"
LC_ALL=C grep -q '[^ -~]' tap.out && odd=1 || odd=0
tap_result $odd "a file gets ASCII"
files run >after
ok "nothing was touched" cmp before after
ok "the same for machines" status run --json
says '"state":"stopped"' "... state"
says '"done":3,' "... how far"
says '"checkpoint_step":3,' "... checkpoint"
exits 0 "it goes on" "$SEXTANT" pipeline run.cfg -o run sft
ok "its status" status run
state model.h5 done
ok "each call left a file for TensorBoard" \
    test "$(find run/tensorboard -name 'events.out.tfevents.*' | wc -l)" = 2
ok "from inside the run" sh -c 'cd run && "$SEXTANT" status'
state model.h5 done

# Several runs in a folder.
mkdir -p runs/2 runs/10 runs/none
cp -r run/status runs/2/ && cp -r run/status runs/10/
ok "a folder of runs" status runs
[ "$(grep -c ' of 4 steps ' tap.out)" = 2 ] &&
    [ "$(sed -n '1s/ .*//p' tap.out)" = 2 ] && [ "$(sed -n '2s/ .*//p' tap.out)" = 10 ]
tap_result $? "... a line for each, in the order of numbers"
says "import failed" "... which of its steps it is at"
ok "... for machines" status runs --json
says '"runs":' "... as an array"

# A record whose process never was: killed.
sed -i -e 's/"state":"done"/"state":"running"/' -e 's/"pid":[0-9]*/"pid":99999999/' \
    run/status/model.h5.json
rm run/model.h5
echo "sextant: nothing is left" >died.log
sed -i "s|\"log\":\"[^\"]*\"|\"log\":\"$PWD/died.log\"|" run/status/model.h5.json
ok "a process that is gone" status run
state model.h5 killed
says "last sign of life 2" "... when it was alive"
says "its log ends: sextant: nothing is left" "... its last words"
says "look at: $PWD/died.log" "... and where they stand"
sed -i 's/"host":"[^"]*"/"host":"elsewhere.example"/' run/status/model.h5.json
ok "one on another node" status run
state model.h5 running
sed -i 's/"updated":[0-9]*/"updated":1700000000/' run/status/model.h5.json
ok "one that tells nothing any more" status run
state model.h5 silent

"$SEXTANT" status run --watch 0.05 >watched 2>&1 &
watcher=$!
tries=0
until [ "$(grep -c ' steps done' watched)" -ge 3 ] || [ $tries -ge 600 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
ok "it watches on" test "$(grep -c ' steps done' watched)" -ge 3
kill -TERM $watcher
wait $watcher
ok "until it is interrupted" test $? = 0
done_testing
