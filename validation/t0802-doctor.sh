#!/bin/sh
# t0802-doctor.sh - a fit machine is found fit, and provoked ills are found.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

# doctor ARGUMENT...: without the sandbox, which other tests try; it may not be
# had where this runs.
doctor() {
    "$SEXTANT" doctor -s sandbox=false -s need_gb=0 "$@"
}

ok "no problem here" doctor -o run
for what in MPI kernels GPUs memory limits disk locale; do
    says " $what: " "... it looked at $what"
done
says "wrote, checked and read 1 x 4 MiB" "... really wrote"
says "0 problems" "... and counts"
ok "... and left nothing behind" test -z "$(ls -A run)"
ok "a dry run writes nothing" doctor -n -o run
says "nothing was written" "... and says so"

if [ -n "$MPIRUN" ]; then
    ok "three ranks" on_ranks 3 "$SEXTANT" doctor -s sandbox=false \
        -s need_gb=0 -s write_mib=1 -o run
    says "3 ranks, threads" "... know of each other"
    says "wrote, checked and read 3 x 1 MiB" "... and of each other's bytes"
    says "clocks: " "... and of each other's clocks"
    exits 69 "programs that a launcher did not join are a problem" \
        env OMPI_COMM_WORLD_SIZE=4 PMIX_SIZE=4 "$SEXTANT" doctor \
        -s sandbox=false
    says "do not know of each other" "... that has a name"
fi

# /proc can be written to by nobody, root neither.
exits 69 "a directory that cannot be written to is a problem" doctor -o /proc
says "PROBLEM  disk: parallel HDF5 cannot write" "... that has a name"
says "cure: name a directory with -o" "... and a cure"
exits 69 "few open files are a problem" sh -c 'ulimit -n 100 &&
    "$SEXTANT" doctor -s sandbox=false -s need_gb=0 -o run'
says "PROBLEM  limit: 100 open files" "... that has a name"
says "cure: ulimit -n" "... and a cure"
exits 69 "so are short files" sh -c 'ulimit -f 200000 &&
    "$SEXTANT" doctor -s sandbox=false -s need_gb=0 -o run'
says "limit: " "... with a name"
ok "a missing locale is only a warning" env LC_ALL=xx_YY.none "$SEXTANT" \
    doctor -s sandbox=false -s need_gb=0 -o run
says "cure: export LC_ALL" "... with a cure"
ok "little room is only a warning" "$SEXTANT" doctor -s sandbox=false \
    -s need_gb=1e8 -o run
says "cure: remove files" "... with a cure"
exits 69 "an interpreter that is not there is a problem" "$SEXTANT" doctor \
    -s python=/no/python3 -o run
says "PROBLEM  sandbox: " "... of the sandbox"

# The job's end and the signal before it.
ok "a job with an hour left" env SLURM_JOB_ID=7 \
    SLURM_JOB_END_TIME=$(($(date +%s) + 3600)) \
    "$SEXTANT" doctor -s sandbox=false -s need_gb=0 -o run
says "job 7 has 1.0 h left" "... is told so"
echo '{"step": 1, "seconds": 100.5}' >run/metrics.jsonl
ok "steps that are long for the lead" env SLURM_JOB_ID=7 \
    SLURM_JOB_END_TIME=$(($(date +%s) + 60)) \
    "$SEXTANT" doctor -s sandbox=false -s need_gb=0 -o run
says "cure: sbatch -t" "... and little time are warned of"
says "cure: sbatch --signal" "... each with its cure"
done_testing
