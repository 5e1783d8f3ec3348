# SXT_FLINT - FLINT with Arb and Calcium, for proofs about closed forms.
#
# --with-flint[=DIR|yes|no|check].  FLINT 3 is one library; before it there were
# several (Debian 12: libflint-dev, libflint-arb-dev, libantic-dev,
# libcalcium-dev).  Sets FLINT_CFLAGS, FLINT_LIBS, HAVE_FLINT, and
# SXT_FLINT_SPLIT for the several.
AC_DEFUN([SXT_FLINT_TRY], [
  LIBS="$FLINT_LDFLAGS $2 $sxt_save_LIBS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$1>]],
      [[ca_ctx_t c; arb_t x; ca_ctx_init(c); ca_ctx_clear(c); arb_init(x);]])],
    [sxt_flint=$3 FLINT_LIBS="$FLINT_LDFLAGS $2"])
])
AC_DEFUN([SXT_FLINT], [
  AC_ARG_WITH([flint],
    [AS_HELP_STRING([--with-flint=DIR],
      [FLINT for exact closed forms (yes: required, no: off; default: if found)])],
    [], [with_flint=check])
  sxt_flint=no FLINT_CFLAGS= FLINT_LIBS= FLINT_LDFLAGS=
  AS_CASE([$with_flint], [no|yes|check], [],
    [FLINT_CFLAGS="-I$with_flint/include"
     FLINT_LDFLAGS="-L$with_flint/lib -Wl,-rpath,$with_flint/lib"])
  AS_VAR_IF([with_flint], [no], [], [
    sxt_save_CPPFLAGS=$CPPFLAGS; sxt_save_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS $FLINT_CFLAGS"
    AC_MSG_CHECKING([for FLINT with Arb and Calcium])
    SXT_FLINT_TRY([flint/ca.h], [-lflint -lmpfr -lgmp], [3])
    for sxt_arb in flint-arb arb; do
      AS_VAR_IF([sxt_flint], [no],
        [SXT_FLINT_TRY([calcium/ca.h],
          [-lcalcium -l$sxt_arb -lflint -lmpfr -lgmp], [split])])
    done
    AC_MSG_RESULT([$sxt_flint])
    CPPFLAGS=$sxt_save_CPPFLAGS; LIBS=$sxt_save_LIBS
    AS_IF([test $sxt_flint = no && test "x$with_flint" != xcheck],
      [AC_MSG_ERROR([--with-flint was given, but FLINT cannot be linked
  (Debian 12: libflint-dev libflint-arb-dev libantic-dev libcalcium-dev;
  later: libflint-dev)])])])
  AS_VAR_IF([sxt_flint], [no], [FLINT_CFLAGS= FLINT_LIBS=],
    [AC_DEFINE([HAVE_FLINT], [1], [FLINT, Arb and Calcium are there.])])
  AS_VAR_IF([sxt_flint], [split],
    [AC_DEFINE([SXT_FLINT_SPLIT], [1], [Calcium has its own include folder.])])
  AM_CONDITIONAL([HAVE_FLINT], [test $sxt_flint != no])
  AC_SUBST([FLINT_CFLAGS]) AC_SUBST([FLINT_LIBS])
])
