# SXT_BUILT - what was found, for sextant --build-info.
AC_DEFUN([SXT_BUILT], [
  AC_DEFINE_UNQUOTED([SXT_BUILT_BY], ["$CC $CFLAGS"], [The C compiler.])
  AC_DEFINE_UNQUOTED([SXT_BUILT_HDF5], ["$sxt_hdf5"], [Parallel HDF5.])
  AC_DEFINE_UNQUOTED([SXT_BUILT_ONEDNN], ["$sxt_onednn"], [oneDNN?])
  AC_DEFINE_UNQUOTED([SXT_BUILT_ZSTD], ["$sxt_zstd"], [Zstandard?])
  AC_DEFINE_UNQUOTED([SXT_BUILT_FLINT], ["$sxt_flint"], [FLINT?])
  AC_DEFINE_UNQUOTED([SXT_BUILT_CUDA], ["$sxt_cuda"], [CUDA toolkit.])
  AC_DEFINE_UNQUOTED([SXT_BUILT_DEBUG], ["$enable_debug"], [Debug checks?])
])

# SXT_SUMMARY - what was found, and what to type next.
AC_DEFUN([SXT_SUMMARY], [
AS_CASE([$sxt_flint],
  [no], [sxt_flint_says="no (hard closed forms stay undecided: doc/grading.md)"],
  [split], [sxt_flint_says="yes, with Arb and Calcium"],
  [sxt_flint_says="yes, version 3"])
cat <<EOF

  $PACKAGE_NAME $PACKAGE_VERSION

  C compiler ........ $CC $CFLAGS $OPENMP_CFLAGS
  Test launcher ..... $sxt_launcher
  Parallel HDF5 ..... $sxt_hdf5
  oneDNN ............ $sxt_onednn
  Zstandard ......... $sxt_zstd
  FLINT ............. $sxt_flint_says
  CUDA backend ...... $sxt_cuda
  NCCL .............. $sxt_nccl
  Debug checks ...... $enable_debug
  Installs under .... $prefix

  Now:  make            build sextant
        make check      unit tests and small validation runs (no GPU needed)
        make validate   longer validation runs
        make install
        make distcheck  build and test the tarball

EOF
])
