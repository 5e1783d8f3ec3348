# SXT_PKG(NAME, MODULE, DEBIAN-PACKAGE) - a required library by pkg-config.
# Sets NAME_CFLAGS and NAME_LIBS; both may be given by the user.
AC_DEFUN([SXT_PKG], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 is needed (Debian: $3).
  Install it, load its module, or set $1_CFLAGS and $1_LIBS.])])
])

# SXT_WARNINGS - warning flags for our own sources, in SXT_CFLAGS.
AC_DEFUN([SXT_WARNINGS], [
  SXT_CFLAGS="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla"
  # What an initializer leaves out is zero, and meant to be.
  SXT_CFLAGS="$SXT_CFLAGS -Wno-missing-field-initializers"
  AS_VAR_IF([enable_werror], [no], [], [SXT_CFLAGS="$SXT_CFLAGS -Werror"])
  AC_SUBST([SXT_CFLAGS])
])
