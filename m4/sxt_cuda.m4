# SXT_CUDA - look for the CUDA toolkit and say what was found.
#
# --with-cuda[=DIR|yes|no|check].  The CUDA backend is not part of this release:
# the macro reports the toolkit so that a site sees early whether configure
# would find it, and --with-cuda=yes fails with that reason.
AC_DEFUN([SXT_CUDA], [
  AC_ARG_WITH([cuda],
    [AS_HELP_STRING([--with-cuda=DIR], [CUDA toolkit (not used yet)])],
    [], [with_cuda=check])
  AS_CASE([$with_cuda],
    [no], [sxt_cuda="no"],
    [check],
    [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:/usr/local/cuda/bin])
     AS_IF([test -n "$NVCC"],
       [sxt_cuda="toolkit found ($NVCC); this release has no CUDA backend"],
       [sxt_cuda="no"])],
    [AC_MSG_ERROR([this release has no CUDA backend; leave --with-cuda out])])
])
