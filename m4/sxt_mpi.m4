# SXT_MPI - the C compiler is an MPI wrapper; find the launcher for tests.
#
# Call AC_PROG_CC([mpicc …]) before.  MPIRUN may be given; MPIRUN_FLAGS is what a test needs
# to start more ranks than cores.  Sets sxt_launcher for the summary.
AC_DEFUN([SXT_MPI], [
  AC_CHECK_FUNC([MPI_Init], [],
    [AC_MSG_ERROR([$CC cannot link MPI programs.
  Install Open MPI or MPICH (Debian: libopenmpi-dev openmpi-bin), or load your
  site's MPI module, or say CC=/path/to/mpicc.])])
  AC_ARG_VAR([MPIRUN], [launcher for tests (mpirun, mpiexec, srun)])
  AC_ARG_VAR([MPIRUN_FLAGS], [flags of the launcher before -n])
  AC_PATH_PROGS([MPIRUN], [mpirun mpiexec])
  AS_IF([test -n "$MPIRUN" && $MPIRUN --version 2>/dev/null | grep -q "Open MPI\|OpenRTE"],
    [: ${MPIRUN_FLAGS="--oversubscribe --bind-to none"}])
  # Open MPI refuses to start as root, as in containers, unless it is told to.
  AC_MSG_CHECKING([whether the launcher starts programs])
  sxt_launcher="none found: MPI tests are skipped"
  AS_IF([test -n "$MPIRUN"],
    [AS_IF([OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
            $MPIRUN $MPIRUN_FLAGS -n 2 true >conftest.out 2>&1],
       [sxt_launcher="$MPIRUN $MPIRUN_FLAGS -n NP"],
       [sxt_launcher="$MPIRUN refuses ($(grep -v '^ *$' conftest.out | sed -n 2p)): MPI tests are skipped"
        MPIRUN=])
     rm -f conftest.out])
  AC_MSG_RESULT([$sxt_launcher])
])
