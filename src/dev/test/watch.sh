#!/bin/sh
# watch.sh - a rank that misses a collective is named, and all ranks end: over
# MPI between processors and, where the emulated GPU is built, over NCCL and
# over MPI between GPUs.
. "$SRCDIR/validation/lib.sh"

# A rank that is missing never comes, so that no machine is too slow for this.
missing() { # PROGRAM DEVICE HOW WHAT
    exits 69 "$4: rank 2 $3, all ranks end" on_ranks 3 "$1" "$2" "$3"
    says "missing: rank 2 on $(uname -n)" "$4:   and it is named"
}

if [ -z "$MPIRUN" ]; then
    skip "watch: missing ranks" "no MPI launcher works here"
    done_testing
    exit
fi
cpu=$BUILDDIR/src/dev/test/ranks
ok "MPI: three ranks" on_ranks 3 "$cpu" host fine
missing "$cpu" host stops MPI
says "all_gather of 1.00 kB for weights of unit 7" "MPI:   and in what"
missing "$cpu" host sum MPI
missing "$cpu" host meets "a file's writers"
says "(meeting for a file)" "a file's writers:   and in what"
exits 69 "a file: rank 2 stops inside, all ranks end" on_ranks 3 "$cpu" host \
    inside
says "waits in a file: nothing has moved" "a file:   and who waits says so"

gpu=$BUILDDIR/cuda/test/emu-ranks
if [ ! -x "$gpu" ]; then
    skip "watch: GPUs" "the emulated GPU was not built"
    done_testing
    exit
fi
ok "NCCL: three ranks" on_ranks 3 "$gpu" cuda fine
says "NCCL 2" "NCCL:   it is NCCL"
missing "$gpu" cuda stops NCCL
says "all_gather of 1.00 kB for weights of unit 7" "NCCL:   and in what"
missing "$gpu" cuda never NCCL
ok "NCCL: to read before the wait" on_ranks 3 "$gpu" cuda early
says "early: not all is there" "NCCL:   shows on the emulated GPU"
exits 134 "NCCL: to write what is being sent" on_ranks 3 "$gpu" cuda writes
says "changed while they were sent" "NCCL:   is found there"
ok "NCCL: a machine without it" env SXT_EMU_NO_NCCL=1 \
    "$MPIRUN" $MPIRUN_FLAGS -n 3 "$gpu" cuda fine
says "no NCCL)" "NCCL:   takes MPI, and says why"
done_testing
