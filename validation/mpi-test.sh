#!/bin/sh
# mpi-test.sh NP PROGRAM [ARG...] - run a test program on NP ranks, or skip.
np=$1
shift
if [ -z "$MPIRUN" ]; then
    echo "1..0 # SKIP no MPI launcher works here"
    exit 0
fi
OMP_NUM_THREADS=1 exec "$MPIRUN" $MPIRUN_FLAGS -n "$np" "$@"
