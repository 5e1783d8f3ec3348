# SXT_KERNELS - flags for the fast kernels of src/num/cpu.
#
# On x86-64 they are compiled for AVX2 and FMA, and used only where the
# processor has both (src/num/cpu/cpu.c asks at run time).  Sets KERNEL_CFLAGS.
AC_DEFUN([SXT_KERNELS], [
  KERNEL_CFLAGS=
  sxt_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -mavx2 -mfma"
  AC_MSG_CHECKING([for flags of the fast kernels])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]],
      [[__m256 x = _mm256_setzero_ps(); x = _mm256_fmadd_ps(x, x, x);]])],
    [KERNEL_CFLAGS="-mavx2 -mfma"])
  CFLAGS=$sxt_save_CFLAGS
  AC_MSG_RESULT([${KERNEL_CFLAGS:-none}])
  # Neither changes a number: sqrt sets no errno, comparisons raise no signal.
  KERNEL_CFLAGS="$KERNEL_CFLAGS -fno-math-errno -fno-trapping-math"
  AC_SUBST([KERNEL_CFLAGS])
])
