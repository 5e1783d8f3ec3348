# SXT_ZSTD - libzstd 1.4 or newer, to read .zst files; optional.
#
# --with-zstd[=DIR|yes|no|check].  Sets ZSTD_CFLAGS, ZSTD_LIBS, HAVE_ZSTD.
AC_DEFUN([SXT_ZSTD], [
  AC_ARG_WITH([zstd],
    [AS_HELP_STRING([--with-zstd=DIR],
      [libzstd for .zst inputs (yes: required, no: off; default: if found)])],
    [], [with_zstd=check])
  sxt_zstd=no ZSTD_CFLAGS= ZSTD_LIBS=
  AS_CASE([$with_zstd],
    [no], [],
    [yes|check], [ZSTD_LIBS=-lzstd],
    [ZSTD_CFLAGS="-I$with_zstd/include"
     ZSTD_LIBS="-L$with_zstd/lib -Wl,-rpath,$with_zstd/lib -lzstd"])
  AS_VAR_IF([with_zstd], [no], [], [
    sxt_save_CPPFLAGS=$CPPFLAGS; sxt_save_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS $ZSTD_CFLAGS"; LIBS="$ZSTD_LIBS $LIBS"
    AC_MSG_CHECKING([for libzstd])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <zstd.h>]],
        [[ZSTD_DCtx_setParameter(ZSTD_createDCtx(), ZSTD_d_windowLogMax, 27);]])],
      [sxt_zstd=yes], [ZSTD_CFLAGS= ZSTD_LIBS=])
    AC_MSG_RESULT([$sxt_zstd])
    CPPFLAGS=$sxt_save_CPPFLAGS; LIBS=$sxt_save_LIBS
    AS_IF([test $sxt_zstd = no && test "x$with_zstd" != xcheck],
      [AC_MSG_ERROR([--with-zstd was given, but libzstd cannot be linked
  (Debian: libzstd-dev)])])])
  AS_VAR_IF([sxt_zstd], [yes],
    [AC_DEFINE([HAVE_ZSTD], [1], [libzstd is there.])])
  AC_SUBST([ZSTD_CFLAGS]) AC_SUBST([ZSTD_LIBS])
])
