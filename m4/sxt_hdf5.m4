# SXT_HDF5 - parallel HDF5 1.10.8 or newer, C API.
#
# --with-hdf5=DIR, else pkg-config (hdf5-openmpi, hdf5-mpich, hdf5-mpi, hdf5),
# else h5pcc.  Sets HDF5_CFLAGS, HDF5_LIBS.
AC_DEFUN([SXT_HDF5], [
  AC_ARG_WITH([hdf5],
    [AS_HELP_STRING([--with-hdf5=DIR], [parallel HDF5 installed under DIR])])
  sxt_hdf5=
  AS_IF([test -n "$with_hdf5" && test "x$with_hdf5" != xyes],
    [HDF5_CFLAGS="-I$with_hdf5/include"
     HDF5_LIBS="-L$with_hdf5/lib -Wl,-rpath,$with_hdf5/lib -lhdf5"
     sxt_hdf5=$with_hdf5],
    [for sxt_module in hdf5-openmpi hdf5-mpich hdf5-mpi hdf5; do
       AS_IF([test -z "$sxt_hdf5" && $PKG_CONFIG --exists $sxt_module],
         [HDF5_CFLAGS=$($PKG_CONFIG --cflags $sxt_module)
          HDF5_LIBS=$($PKG_CONFIG --libs $sxt_module)
          sxt_hdf5="$sxt_module $($PKG_CONFIG --modversion $sxt_module)"])
     done
     AS_IF([test -z "$sxt_hdf5" && h5pcc -show >/dev/null 2>&1],
       [sxt_prefix=$(h5pcc -showconfig | sed -n 's/.*Installation point: *//p')
        HDF5_CFLAGS="-I$sxt_prefix/include"
        HDF5_LIBS="-L$sxt_prefix/lib -Wl,-rpath,$sxt_prefix/lib -lhdf5"
        sxt_hdf5="h5pcc in $sxt_prefix"])])
  sxt_save_CPPFLAGS=$CPPFLAGS; sxt_save_LIBS=$LIBS
  CPPFLAGS="$CPPFLAGS $HDF5_CFLAGS"; LIBS="$HDF5_LIBS $LIBS"
  AC_MSG_CHECKING([for parallel HDF5])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <mpi.h>
#include <hdf5.h>
#if !defined H5_HAVE_PARALLEL || !H5_VERSION_GE(1, 10, 5)
#error serial or too old
#endif
]], [[H5Pset_fapl_mpio(0, MPI_COMM_WORLD, MPI_INFO_NULL);]])],
    [AC_MSG_RESULT([$sxt_hdf5])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([parallel HDF5 >= 1.10.5 is needed.
  Debian: libhdf5-openmpi-dev; sites: load a parallel HDF5 module; or say
  --with-hdf5=DIR.])])
  CPPFLAGS=$sxt_save_CPPFLAGS; LIBS=$sxt_save_LIBS
  AC_SUBST([HDF5_CFLAGS]) AC_SUBST([HDF5_LIBS])
])
