#!/bin/sh
# check.sh - the job scripts on a real Slurm: a chain equal to the same run
# without Slurm; stops, kills and lost nodes that cost nothing.
#
# `make check-slurm`; needs root, slurmctld, slurmd, munged and an Open MPI
# with PMIx, as in Debian's slurm-wlm and munge.
. "$SRCDIR/validation/lib.sh"

for needed in slurmctld slurmd munged sbatch; do
    command -v $needed >/dev/null || PATH=$PATH:/usr/sbin
    command -v $needed >/dev/null || skip_all "no $needed here"
done
[ "$(id -u)" = 0 ] || skip_all "virtual nodes need root"

cluster=$SRCDIR/validation/slurm/cluster.sh
jobs=$SRCDIR/slurm
"$cluster" start "$tap_dir/slurm" >cluster.out 2>&1 ||
    { cat cluster.out; echo "Bail out! Slurm does not start"; exit 99; }
trap '"$cluster" stop "$tap_dir/slurm"; rm -rf "$tap_dir"' EXIT
. ./cluster.out
# Two nodes on one host cannot share memory by node name.
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo
export SEXTANT HOME="$tap_dir" OMP_NUM_THREADS=1

# The mini pipeline with fewer problems and without measuring the base.
sed -e "s#@/#$SRCDIR/inputs/mini/#g" \
    -e 's/"import"/"import limit=8"/' \
    -e 's/"import files/"import limit=4 files/' \
    -e 's/"generate"/"generate n=1"/' \
    -e '/"evaluate model=/d' \
    -e 's/"sft"/"sft epochs=1"/' \
    "$SRCDIR/inputs/mini/mini.cfg" >small.cfg

# Let a requeued job, which rests two minutes, start now; not while a step of
# its last start is still being cleared away on its node.
wake() { # JOB
    pgrep -f "slurmstepd: \[$1\." >/dev/null ||
        scontrol update jobid="$1" starttime=now >/dev/null 2>&1 || true
}

# Wait until no job is left, but the one that runs into its time limit.
drained() {
    tap_end=$(($(date +%s) + 600))
    tap_resting=
    tap_but=$(cat limit.id 2>/dev/null)
    while squeue -h -o %A | grep -qvx "${tap_but:-none}"; do
        [ "$(date +%s)" -lt $tap_end ] || { squeue; return 1; }
        # A requeued job rests two minutes; here some seconds must do.
        sleep 4
        for id in $(squeue -h -t PD -o %A -r | grep -vx "${tap_but:-none}"); do
            case $tap_resting in
            *" $id "*) wake "$id" ;;
            *) tap_resting="$tap_resting $id " ;;
            esac
        done >/dev/null 2>&1
    done
    return 0
}

# The job whose number is in FILE has ended with STATUS.
ended() { # FILE STATUS
    scontrol show job "$(cat "$1")" | grep -o "ExitCode=.*" | tee ended.txt |
        grep -qx "ExitCode=$2" || { cat ended.txt; return 1; }
}

# Wait until TEXT stands in a file.
appears() { # TEXT FILE [SECONDS]
    tap_end=$(($(date +%s) + ${3-120}))
    until grep -qs -- "$1" "$2"; do
        [ "$(date +%s)" -lt $tap_end ] || { cat "$2"; return 1; }
        sleep 0.2
    done
}

# Let a requeued job start, until TEXT stands in a file.  It begins to rest when
# its end is over, so ask again.
woken() { # JOB TEXT FILE
    tap_end=$(($(date +%s) + 300))
    until grep -qs -- "$2" "$3"; do
        [ "$(date +%s)" -lt $tap_end ] || { cat "$3"; return 1; }
        wake "$1"
        sleep 1
    done
}

# Wait until a process of this command line stands still.
stands() {
    tap_end=$(($(date +%s) + 120))
    until ps -e -o stat=,comm=,args= |
        awk '$1 ~ /^[Tt]/ && $2 == "sextant"' | grep -qF -- "$1"; do
        [ "$(date +%s)" -lt $tap_end ] || { ps -e -o stat=,args=; return 1; }
        sleep 0.2
    done
}

# A program that stops, at the first start of its job, at the Nth touch of files
# with TEXT in their paths (strike.c): who wants to kill it there comes in time.
standing() { # N TEXT
    cat >"$tap_dir/stand-$1" <<PROGRAM
#!/bin/sh
case "\$*" in
*--print-config*) exec "$SEXTANT" "\$@" ;;
esac
[ "\${SLURM_RESTART_COUNT:-0}" = 0 ] || exec "$SEXTANT" "\$@"
exec "$BUILDDIR/validation/strike" -n $1 -s STOP "$2" "$SEXTANT" "\$@"
PROGRAM
    chmod +x "$tap_dir/stand-$1"
    echo "$tap_dir/stand-$1"
}

# A training of small steps, with settings of its own.
tiny="model=$SRCDIR/validation/golden/sft-run.h5 train=$tap_dir/chain/train.h5 \
batch=2 max_tokens=512 checkpoint.every_minutes=0"

# ---- a chain ----
export SEXTANT_SHARDS=2 SEXTANT_GENERATE="--ntasks-per-node=2" \
    SEXTANT_SFT="--nodes=2 --ntasks-per-node=2 --gpus-per-node=2"
ok "the same without Slurm" "$SEXTANT" pipeline small.cfg -o plain
ok "pipeline.sh submits a chain" "$jobs/pipeline.sh" small.cfg chain
says "generate.sh" "and prints its jobs"
ok "the chain ends" drained
for f in problems generations verdicts train model eval; do
    ok "Slurm's $f.h5 is the same" "$SEXTANT" diff plain/$f.h5 chain/$f.h5
done
ok "status.sh shows the run" "$jobs/status.sh" chain
says "model.h5" "and its files"
ok "its programs ran in the full sandbox" \
    grep -q "sandbox  full" chain/sextant-grade-*.out
ok "the chain can be submitted again" "$jobs/pipeline.sh" small.cfg chain
ok "and ends" drained
ok "without training again" grep -q "sft is up to date" chain/sextant-sft-*.out
sed 's/"grade"/"grade responses=none.jsonl"/' small.cfg >broken.cfg
ok "a chain with a broken step" "$jobs/pipeline.sh" broken.cfg broken
ok "ends" drained
ok "before what needs that step" test ! -e broken/train.h5

# ---- one script by itself ----
# A job of two minutes that is told to stop some 70 s before that; the tests
# below run beside it.
# shellcheck disable=SC2086 # words
SBATCH_SIGNAL=B:USR1@70 sbatch -t 2 --parsable --ntasks-per-node=1 \
    --gpus-per-node=0 -o limit.out "$jobs/sft.sh" small.cfg limit $tiny \
    max_steps=1000000 log_every=100 >limit.id
sbatch -o one.out "$jobs/import.sh" small.cfg one limit=2 >id
ok "import.sh alone" drained
ok "imports" test -s one/problems.h5
mkdir graded
cp chain/problems.h5 chain/traces.h5 graded
sbatch -n 2 -o grade.out "$jobs/grade.sh" small.cfg graded >id
BENCHMARKS="mini-math mini-choice" sbatch --array=0-1 -o eval-%a.out \
    "$jobs/evaluate.sh" small.cfg chain n=1 >id
# shellcheck disable=SC2086 # words
sbatch --array=1-2 --ntasks-per-node=1 --gpus-per-node=0 -o run-%a.out \
    "$jobs/sft.sh" small.cfg runs/%a $tiny max_steps=2 seed=%a >id
# No time for a single answer.
SEXTANT_END_TIME=$(($(date +%s) + 5)) sbatch --parsable -o late.out \
    "$jobs/generate.sh" small.cfg chain output=late.h5 >late.id
touch one/STOP
sbatch --parsable -o stop.out "$jobs/generate.sh" small.cfg one >stop.id
ok "grade.sh, arrays of evaluate.sh and sft.sh" drained
ok "the verdicts are the chain's" \
    "$SEXTANT" diff chain/verdicts.h5 graded/verdicts.h5
ok "each benchmark has its file" \
    test -s chain/eval-mini-math.h5 -a -s chain/eval-mini-choice.h5
ok "each seed has its run" test -s runs/1/model.h5 -a -s runs/2/model.h5
exits 80 "and they differ" "$SEXTANT" diff runs/1/model.h5 runs/2/model.h5
ok "a job without time for anything gives up" \
    grep -q "stopped without progress" late.out
ok "with its own exit code" ended late.id 74:0
ok "a file STOP ends a job" grep -q "remove one/STOP" stop.out
ok "for good" ended stop.id 75:0

# ---- stopping ----
segments="epochs=40 stop_after=15 checkpoint.every_minutes=0 output=seg.h5 \
checkpoint.dir=seg"
# shellcheck disable=SC2086 # the settings are words
sbatch --array=1-3%1 --ntasks-per-node=2 --gpus-per-node=0 -o seg-%a.out \
    "$jobs/sft.sh" small.cfg chain $segments >id
ok "segments of a training end" drained
ok "the first before the last step" grep -q "behind step 15 of 40" seg-1.out
ok "the last with the model" test -s chain/seg.h5
"$SEXTANT" pipeline small.cfg -o plain \
    "sft epochs=40 output=seg.h5 checkpoint.dir=seg" >plain.out
for run in plain chain; do
    "$SEXTANT" convert $run/seg.h5 $run/seg-hf >>plain.out
done
ok "which is the one of an undisturbed run" \
    cmp plain/seg-hf/model.safetensors chain/seg-hf/model.safetensors
sbatch --array=1-2 -o at-once.out "$jobs/sft.sh" small.cfg chain >id
ok "segments at once" drained
ok "are refused" grep -q "must not run at once" at-once.out

# A training of 10000 steps: no machine ends it before it is told to stop.
SEXTANT_SEGMENTS=1 sbatch --parsable --ntasks-per-node=2 --gpus-per-node=0 \
    -o told.out "$jobs/sft.sh" small.cfg chain epochs=10000 \
    checkpoint.every_minutes=0 output=never.h5 checkpoint.dir=told >id
ok "a job" appears "step 1 of" told.out
scancel --batch --signal=USR1 "$(cat id)"
ok "that is told to stop" appears "later segment" told.out
ok "goes on from its checkpoint" woken "$(cat id)" "goes on behind step" told.out
ok "in another start" grep -q "restart 1" told.out
scancel --batch --signal=USR1 "$(cat id)"
ok "but not more often than it may" appears "last of 1 segments" told.out
ok "and ends" drained

# ---- preemption ----
# shellcheck disable=SC2086 # words
sbatch --parsable --ntasks-per-node=2 --gpus-per-node=0 -o preempted.out \
    "$jobs/sft.sh" small.cfg preempted $tiny max_steps=1000000 >id
ok "a training" appears "step 1 of" preempted.out
sbatch -p urgent -N 2 --exclusive -o urgent.out --wrap "echo urgent work" >urgent.id
ok "makes way for urgent work" appears "stopped cleanly" preempted.out
ok "which gets its turn" appears "urgent work" urgent.out
ok "and goes on behind it" woken "$(cat id)" "goes on behind step" preempted.out
scancel "$(cat id)"
ok "until it is cancelled" drained

# ---- the time limit ----
ok "a job near its limit was told to stop" appears "told to stop (USR1)" limit.out 300
ok "it had foretold that" grep -q "will reach the time limit at step" limit.out
ok "in time for a checkpoint" appears "stopped cleanly" limit.out
ok "and goes on where it was" \
    woken "$(cat limit.id)" "goes on behind step" limit.out
scancel "$(cat limit.id)"

# ---- kills ----
sbatch --parsable --ntasks-per-node=2 -o cancel.out "$jobs/generate.sh" \
    small.cfg chain n=100000 output=never.h5 >id
ok "a generation" appears "kernels" cancel.out
scancel "$(cat id)"
ok "is cancelled" drained
ok "and stays so" test ! -e chain/never.h5

# A node with two jobs dies: rank 0 of each stands still in the middle.
SEXTANT=$(standing 40 many.h5.journal) sbatch --parsable \
    --ntasks-per-node=2 -o lost.out "$jobs/generate.sh" small.cfg chain n=4 \
    output=many.h5 >id
# shellcheck disable=SC2086 # words
SEXTANT=$(standing 20 lost/step-3.h5.part) sbatch --parsable \
    --ntasks-per-node=2 --gpus-per-node=0 -o lost-sft.out "$jobs/sft.sh" \
    small.cfg chain $tiny max_steps=5 checkpoint.every_steps=1 \
    checkpoint.dir="$tap_dir/lost" output=lost.h5 >sft.id
ok "a generation is under way" stands "output=many.h5"
ok "and a training is saving its state" stands "output=lost.h5"
ok "both on the first node" \
    test "$(squeue -h -t R -o %N | sort -u)" = n1
kill -9 "$(cat slurm/d.n1.pid)"
for lost in "$(cat id)" "$(cat sft.id)"; do
    pkill -9 -f "slurmstepd: \[$lost\."
done
pkill -9 -f "output=(many|lost)[.]h5"
ok "the node dies; its jobs end" drained
ok "on the other node" grep -q "restart 1, nodes n2" lost.out
ok "training goes on behind what was saved" \
    grep -q "goes on behind step 2" lost-sft.out
"$SEXTANT" pipeline small.cfg -o plain "generate n=4 output=many.h5" >plain.out
ok "the answers are those of an undisturbed run" \
    "$SEXTANT" diff plain/many.h5 chain/many.h5
# shellcheck disable=SC2086 # words
"$SEXTANT" pipeline small.cfg -o plain "sft $tiny max_steps=5 \
checkpoint.every_steps=1 checkpoint.dir=$tap_dir/unlost output=lost.h5" >plain.out
for run in plain chain; do
    "$SEXTANT" convert $run/lost.h5 $run/lost-hf >>plain.out
done
ok "the model is that of an undisturbed run" \
    cmp plain/lost-hf/model.safetensors chain/lost-hf/model.safetensors

# ---- the end ----
pids=$(cat slurm/*.pid)
ok "Slurm stops" "$cluster" stop "$tap_dir/slurm"
gone() {
    tap_end=$(($(date +%s) + 120))
    for pid in $pids; do
        while kill -0 "$pid" 2>/dev/null; do
            [ "$(date +%s)" -lt $tap_end ] || { ps -p "$pid"; return 1; }
            sleep 0.2
        done
    done
}
ok "and leaves no daemon" gone
done_testing
