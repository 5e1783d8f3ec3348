# SXT_SUMMARY - what was found, and what to type next.
AC_DEFUN([SXT_SUMMARY], [
cat <<EOF

  $PACKAGE_NAME $PACKAGE_VERSION

  C compiler ........ $CC $CFLAGS $OPENMP_CFLAGS
  Test launcher ..... $sxt_launcher
  Parallel HDF5 ..... $sxt_hdf5
  oneDNN ............ $sxt_onednn
  CUDA backend ...... $sxt_cuda
  Debug checks ...... $enable_debug
  Installs under .... $prefix

  Now:  make            build sextant
        make check      unit tests and small validation runs (no GPU needed)
        make validate   longer validation runs
        make install
        make distcheck  build and test the tarball

EOF
])
