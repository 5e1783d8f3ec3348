# SXT_MPI - the C compiler is an MPI wrapper; find its launcher for tests.
#
# Call AC_PROG_CC([mpicc …]) before.  The launcher is looked for beside the
# wrapper first, and under the wrapper's ending (mpicc.mpich: mpirun.mpich):
# where several MPIs are installed, another's launcher starts N programs of one
# rank each.  MPIRUN may be given; MPIRUN_FLAGS is what a test needs to start
# more ranks than cores.  Sets sxt_mpi (openmpi, mpich, other) for SXT_HDF5 and
# sxt_launcher for the summary.
AC_DEFUN([SXT_MPI], [
  AC_CHECK_FUNC([MPI_Init], [],
    [AC_MSG_ERROR([$CC cannot link MPI programs.
  Install Open MPI or MPICH (Debian: libopenmpi-dev openmpi-bin), or load your
  site's MPI module, or say CC=/path/to/mpicc.])])
  AC_MSG_CHECKING([whose MPI this is])
  sxt_mpi=other
  _SXT_MPI_DEFINES([OPEN_MPI], [openmpi])
  _SXT_MPI_DEFINES([MPICH_VERSION], [mpich])
  AC_MSG_RESULT([$sxt_mpi])
  AC_ARG_VAR([MPIRUN], [launcher for tests (mpirun, mpiexec, srun)])
  AC_ARG_VAR([MPIRUN_FLAGS], [flags of the launcher before -n])
  sxt_ending= sxt_beside=
  for sxt_word in $CC; do
    AS_CASE([$sxt_word], [*mpi*cc*],
      [sxt_ending=$(basename "$sxt_word" | sed 's/^mpi[[a-z]]*cc//')
       sxt_beside=$(dirname "$(command -v "$sxt_word")")])
  done
  AC_PATH_PROGS([MPIRUN],
    [mpirun$sxt_ending mpiexec$sxt_ending mpirun mpiexec], [],
    [$sxt_beside$PATH_SEPARATOR$PATH])
  AS_VAR_IF([sxt_mpi], [openmpi],
    [: ${MPIRUN_FLAGS="--oversubscribe --bind-to none"}])
  AC_MSG_CHECKING([whether the launcher starts ranks])
  sxt_launcher="none found: MPI tests are skipped"
  AS_IF([test -n "$MPIRUN"], [_SXT_MPI_TRY])
  AC_MSG_RESULT([$sxt_launcher])
])

AC_DEFUN([_SXT_MPI_DEFINES], [
  AC_PREPROC_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>
#ifndef $1
#error no
#endif
]])], [sxt_mpi=$2])
])

# Two ranks that see each other?  Open MPI refuses to start as root, as in
# containers, unless it is told to.
AC_DEFUN([_SXT_MPI_TRY], [
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>
]], [[int n = 0;
MPI_Init(0, 0);
MPI_Comm_size(MPI_COMM_WORLD, &n);
MPI_Finalize();
return n != 2;]])],
    [AS_IF([OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
            $MPIRUN $MPIRUN_FLAGS -n 2 ./conftest$EXEEXT >conftest.out 2>&1],
       [sxt_launcher="$MPIRUN $MPIRUN_FLAGS -n NP"],
       [sxt_launcher="$MPIRUN does not ($(grep -v '^ *$' conftest.out | sed -n 2p)): MPI tests are skipped"
        MPIRUN=])
     rm -f conftest.out])
])
