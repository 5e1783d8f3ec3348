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

# Wait until no job is left, MOST seconds at most.
drained() {
    tap_end=$(($(date +%s) + $1))
    tap_resting=
    while [ -n "$(squeue -h -o %i)" ]; do
        [ "$(date +%s)" -lt $tap_end ] || { squeue; return 1; }
        # A requeued job rests two minutes; here some seconds must do.
        sleep 4
        for id in $(squeue -h -t PD -o %A -r); do
            case $tap_resting in
            *" $id "*) scontrol update jobid="$id" starttime=now ;;
            *) tap_resting="$tap_resting $id " ;;
            esac
        done >/dev/null 2>&1
    done
}

# Wait until TEXT stands in a file.
appears() {
    tap_end=$(($(date +%s) + 120))
    until grep -qs -- "$1" "$2"; do
        [ "$(date +%s)" -lt $tap_end ] || { cat "$2"; return 1; }
        sleep 0.2
    done
}

# Let a requeued job, which rests two minutes, start at once.
wake() {
    tap_end=$(($(date +%s) + 120))
    until [ "$(squeue -h -j "$1" -o %T)" = PENDING ]; do
        [ "$(date +%s)" -lt $tap_end ] || { squeue; return 1; }
        sleep 0.2
    done
    scontrol update jobid="$1" starttime=now
}

# ---- a chain ----
export SEXTANT_SHARDS=2 SEXTANT_GENERATE="--ntasks-per-node=2" \
    SEXTANT_SFT="--nodes=2 --ntasks-per-node=2 --gpus-per-node=2"
ok "the same without Slurm" "$SEXTANT" pipeline small.cfg -o plain
ok "pipeline.sh submits a chain" "$jobs/pipeline.sh" small.cfg chain
says "generate.sh" "and prints its jobs"
ok "the chain ends" drained 300
for f in problems generations verdicts train model eval; do
    ok "Slurm's $f.h5 is the same" "$SEXTANT" diff plain/$f.h5 chain/$f.h5
done
ok "status.sh shows the run" "$jobs/status.sh" chain
says "model.h5" "and its files"
ok "its programs ran in the full sandbox" \
    grep -q "sandbox  full" chain/sextant-grade-*.out
ok "the chain can be submitted again" "$jobs/pipeline.sh" small.cfg chain
ok "and ends" drained 200
ok "without training again" grep -q "sft is up to date" chain/sextant-sft-*.out
sed 's/"grade"/"grade responses=none.jsonl"/' small.cfg >broken.cfg
ok "a chain with a broken step" "$jobs/pipeline.sh" broken.cfg broken
ok "ends" drained 200
ok "before what needs that step" test ! -e broken/train.h5

# ---- stopping ----
segments="epochs=40 stop_after=15 checkpoint.every_minutes=0 output=seg.h5 \
checkpoint.dir=seg"
# shellcheck disable=SC2086 # the settings are words
sbatch --array=1-3%1 --ntasks-per-node=2 --gpus-per-node=0 -o seg-%a.out \
    "$jobs/sft.sh" small.cfg chain $segments >id
ok "segments of a training end" drained 200
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
ok "segments at once" drained 60
ok "are refused" grep -q "must not run at once" at-once.out

# A training of 10000 steps: no machine ends it before it is told to stop.
SEXTANT_SEGMENTS=1 sbatch --parsable --ntasks-per-node=2 --gpus-per-node=0 \
    -o told.out "$jobs/sft.sh" small.cfg chain epochs=10000 \
    checkpoint.every_minutes=0 output=never.h5 checkpoint.dir=told >id
ok "a job" appears "step 1 of" told.out
scancel --batch --signal=USR1 "$(cat id)"
ok "that is told to stop" appears "later segment" told.out
ok "goes back into the queue" wake "$(cat id)"
ok "and on from its checkpoint" appears "goes on behind step" told.out
ok "in another start" grep -q "restart 1" told.out
scancel --batch --signal=USR1 "$(cat id)"
ok "but not more often than it may" appears "last of 1 segments" told.out
ok "and ends" drained 60

# ---- kills ----
sbatch --parsable --ntasks-per-node=2 -o cancel.out "$jobs/generate.sh" \
    small.cfg chain n=100000 output=never.h5 >id
ok "a generation" appears "kernels" cancel.out
scancel "$(cat id)"
ok "is cancelled" drained 60
ok "and stays so" test ! -e chain/never.h5
sbatch --parsable --ntasks-per-node=2 -o lost.out "$jobs/generate.sh" \
    small.cfg chain n=100 output=many.h5 >id
ok "another goes on" appears "kernels" lost.out
kill -9 "$(cat slurm/d.n1.pid)"
pkill -9 -f "slurmstepd: \[$(cat id)\."
pkill -9 -f "output=many.h5"
ok "its node dies; the job ends" drained 200
ok "on the other node" test -s chain/many.h5
"$SEXTANT" pipeline small.cfg -o plain "generate n=100 output=many.h5" >plain.out
ok "with the answers of an undisturbed run" \
    "$SEXTANT" diff plain/many.h5 chain/many.h5

# ---- the end ----
pids=$(cat slurm/*.pid)
ok "Slurm stops" "$cluster" stop "$tap_dir/slurm"
sleep 1
for pid in $pids; do ps -o pid=,args= -p "$pid"; done >left.txt
ok "and leaves no daemon" test ! -s left.txt
done_testing
