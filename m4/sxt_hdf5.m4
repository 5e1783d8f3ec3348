# SXT_HDF5 - parallel HDF5 1.10.5 or newer, C API, of the same MPI.
#
# Call SXT_MPI before.  --with-hdf5=DIR, else pkg-config (hdf5-openmpi or
# hdf5-mpich, as the MPI is; hdf5-mpi, hdf5), else what h5pcc says: the folders
# of its -show (Fedora's headers and libraries have no common parent), or its
# installation point.  Sets HDF5_CFLAGS, HDF5_LIBS.
AC_DEFUN([SXT_HDF5], [
  AC_ARG_WITH([hdf5],
    [AS_HELP_STRING([--with-hdf5=DIR], [parallel HDF5 installed under DIR])])
  sxt_hdf5=no
  sxt_save_CPPFLAGS=$CPPFLAGS; sxt_save_LIBS=$LIBS
  AC_MSG_CHECKING([for parallel HDF5])
  AS_IF([test -n "$with_hdf5" && test "x$with_hdf5" != xyes],
    [_SXT_HDF5_IN([$with_hdf5], [$with_hdf5])],
    [for sxt_module in hdf5-$sxt_mpi hdf5-mpi hdf5; do
       AS_IF([test "$sxt_hdf5" = no && $PKG_CONFIG --exists $sxt_module],
         [HDF5_CFLAGS=$($PKG_CONFIG --cflags $sxt_module)
          HDF5_LIBS=$($PKG_CONFIG --libs $sxt_module)
          _SXT_HDF5_TRY([$sxt_module $($PKG_CONFIG --modversion $sxt_module)])])
     done
     AS_IF([test "$sxt_hdf5" = no && h5pcc -show >/dev/null 2>&1],
       [_SXT_HDF5_SHOWN([$(h5pcc -show)])])
     AS_IF([test "$sxt_hdf5" = no && h5pcc -show >/dev/null 2>&1],
       [sxt_prefix=$(h5pcc -showconfig | sed -n 's/.*Installation point: *//p')
        _SXT_HDF5_IN([$sxt_prefix], [h5pcc in $sxt_prefix])])])
  AC_MSG_RESULT([$sxt_hdf5])
  CPPFLAGS=$sxt_save_CPPFLAGS; LIBS=$sxt_save_LIBS
  AS_VAR_IF([sxt_hdf5], [no],
    [AC_MSG_ERROR([parallel HDF5 >= 1.10.5 for this MPI ($sxt_mpi) is needed.
  Debian: libhdf5-openmpi-dev or libhdf5-mpich-dev; sites: load a parallel HDF5
  module; or say --with-hdf5=DIR.])])
  AC_SUBST([HDF5_CFLAGS]) AC_SUBST([HDF5_LIBS])
])

# Installed under $1; the summary calls it $2.
AC_DEFUN([_SXT_HDF5_IN], [
  HDF5_CFLAGS="-I$1/include"
  HDF5_LIBS="-L$1/lib -Wl,-rpath,$1/lib -lhdf5"
  _SXT_HDF5_TRY([$2])
])

# The folders in the compiler's command line $1.
AC_DEFUN([_SXT_HDF5_SHOWN], [
  HDF5_CFLAGS= HDF5_LIBS=
  for sxt_word in $1; do
    AS_CASE([$sxt_word],
      [-I*], [HDF5_CFLAGS="$HDF5_CFLAGS $sxt_word"],
      [-L*], [HDF5_LIBS="$HDF5_LIBS $sxt_word -Wl,-rpath,${sxt_word@%:@-L}"])
  done
  HDF5_LIBS="$HDF5_LIBS -lhdf5"
  _SXT_HDF5_TRY([h5pcc])
])

AC_DEFUN([_SXT_HDF5_TRY], [
  CPPFLAGS="$sxt_save_CPPFLAGS $HDF5_CFLAGS"; LIBS="$HDF5_LIBS $sxt_save_LIBS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <mpi.h>
#include <hdf5.h>
#if !defined H5_HAVE_PARALLEL || !H5_VERSION_GE(1, 10, 5)
#error serial or too old
#endif
]], [[H5Pset_fapl_mpio(0, MPI_COMM_WORLD, MPI_INFO_NULL);]])],
    [sxt_hdf5="$1"])
])
