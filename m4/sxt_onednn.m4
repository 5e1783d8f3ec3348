# SXT_ONEDNN - oneDNN (2.6 or 3.x) for matmuls on the CPU; optional.
#
# --with-onednn[=DIR|yes|no|check].  Sets ONEDNN_LIBS, HAVE_ONEDNN.
AC_DEFUN([SXT_ONEDNN], [
  AC_ARG_WITH([onednn],
    [AS_HELP_STRING([--with-onednn=DIR],
      [oneDNN for CPU matmuls (yes: required, no: off; default: if found)])],
    [], [with_onednn=check])
  sxt_onednn=no
  AS_CASE([$with_onednn],
    [no], [],
    [yes|check], [ONEDNN_CFLAGS= ONEDNN_LIBS=-ldnnl],
    [ONEDNN_CFLAGS="-I$with_onednn/include"
     ONEDNN_LIBS="-L$with_onednn/lib -Wl,-rpath,$with_onednn/lib -ldnnl"])
  AS_VAR_IF([with_onednn], [no], [], [
    sxt_save_CPPFLAGS=$CPPFLAGS; sxt_save_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS $ONEDNN_CFLAGS"; LIBS="$ONEDNN_LIBS $LIBS"
    AC_MSG_CHECKING([for oneDNN])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <dnnl.h>]],
        [[dnnl_engine_t e; dnnl_engine_create(&e, dnnl_cpu, 0);]])],
      [sxt_onednn=yes], [ONEDNN_CFLAGS= ONEDNN_LIBS=])
    AC_MSG_RESULT([$sxt_onednn])
    CPPFLAGS=$sxt_save_CPPFLAGS; LIBS=$sxt_save_LIBS
    AS_IF([test $sxt_onednn = no && test "x$with_onednn" != xcheck],
      [AC_MSG_ERROR([--with-onednn was given, but oneDNN cannot be linked
  (Debian: libdnnl-dev)])])])
  AS_VAR_IF([sxt_onednn], [yes],
    [AC_DEFINE([HAVE_ONEDNN], [1], [oneDNN is there.])])
  AM_CONDITIONAL([HAVE_ONEDNN], [test $sxt_onednn = yes])
  AC_SUBST([ONEDNN_CFLAGS]) AC_SUBST([ONEDNN_LIBS])
])
