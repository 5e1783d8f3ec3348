#!/usr/bin/env bash
# cluster.sh start|stop DIR - a real Slurm of two virtual nodes on this machine,
# eight GPUs each (device files without a device), in a directory of its own.
#
# start prints the line that makes its commands usable:
#     export SLURM_CONF=DIR/slurm.conf
# Needs root, slurmctld, slurmd and munged; touches nothing outside DIR.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 64; }
dir=$(realpath -m "$2")
# A port of its own for each cluster on the machine.
base=$((20000 + $$ % 20000))

configure() {
    local host
    host=$(hostname -s)
    cat >"$dir/slurm.conf" <<END
ClusterName=sextant
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.sock
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/ctld.pid
SlurmdPidFile=$dir/d.%n.pid
SlurmctldLogFile=$dir/ctld.log
SlurmdLogFile=$dir/d.%n.log
SlurmctldPort=$base
SlurmdPort=$((base + 1))
ReturnToService=2
MpiDefault=none
JobRequeue=1
KillWait=10
SlurmdTimeout=15
MinJobAge=3600
TmpFS=$dir/tmp-%n
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((base + 2)) CPUs=16 RealMemory=8000 Gres=gpu:h100:8
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((base + 3)) CPUs=16 RealMemory=8000 Gres=gpu:h100:8
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=120
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF
END
    echo "NodeName=n1,n2 Name=gpu Type=h100 File=$dir/gpu/nvidia[0-7] Flags=nvidia_gpu_env" \
        >"$dir/gres.conf"
}

start() {
    mkdir -p "$dir"/{state,spool,gpu,tmp-n1,tmp-n2}
    for i in 0 1 2 3 4 5 6 7; do
        [ -e "$dir/gpu/nvidia$i" ] || mknod "$dir/gpu/nvidia$i" c 1 3
    done
    configure
    dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 2>/dev/null
    chmod 400 "$dir/munge.key"
    munged --force --key-file="$dir/munge.key" --socket="$dir/munge.sock" \
        --pid-file="$dir/munge.pid" --log-file="$dir/munge.log" \
        --seed-file="$dir/munge.seed" 2>/dev/null
    export SLURM_CONF=$dir/slurm.conf
    slurmctld -c
    slurmd -N n1
    slurmd -N n2
    for _ in $(seq 240); do
        [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ] && break
        sleep 0.5
    done
    sinfo -h -t idle -o %D | grep -qx 2 || {
        tail -n 5 "$dir"/*.log >&2
        exit 1
    }
    echo "export SLURM_CONF=$SLURM_CONF"
}

# A daemon that is dead already is no reason to leave the others.
stop() {
    local file pids=
    for file in "$dir"/d.n1.pid "$dir"/d.n2.pid "$dir"/ctld.pid "$dir"/munge.pid; do
        [ ! -f "$file" ] || pids="$pids $(cat "$file")"
    done
    # shellcheck disable=SC2086 # the ids are words
    kill $pids 2>/dev/null || true
    for _ in $(seq 40); do
        # shellcheck disable=SC2086
        kill -0 $pids 2>/dev/null || break
        sleep 0.25
    done
}

case $1 in
start) start ;;
stop) stop ;;
*) exit 64 ;;
esac
