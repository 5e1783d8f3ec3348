# SXT_CUDA - the CUDA toolkit (12 or 13) for the GPU backend, and a C++ compiler
# for the emulated GPU that tests the same sources; both optional.
#
# --with-cuda[=DIR|yes|no|check], --with-cuda-arch=80,90a,...,
# --with-nccl[=DIR|yes|no|check].  Sets NVCC, NVCCFLAGS, CUDA_LIBS; HAVE_CUDA,
# HAVE_NCCL, HAVE_EMU.  The program needs no CUDA library
# to start: the runtime is linked statically, cuBLASLt is opened when a GPU is
# used, NCCL when ranks have a GPU each (from CUDA_LIBDIR and NCCL_LIBDIR if the
# loader does not know them).
AC_DEFUN([SXT_CUDA], [
  AC_ARG_WITH([cuda],
    [AS_HELP_STRING([--with-cuda=DIR],
      [GPU backend (yes: required, no: off; default: if nvcc is found)])],
    [], [with_cuda=check])
  AC_ARG_WITH([cuda-arch],
    [AS_HELP_STRING([--with-cuda-arch=LIST],
      [compute capabilities, 80 or newer [80,90a]; the oldest also as PTX,
       which newer GPUs compile when the program starts])],
    [], [with_cuda_arch=80,90a])
  AC_ARG_VAR([NVCC], [CUDA compiler])
  AC_ARG_VAR([NVCCFLAGS], [flags of NVCC, instead of -O2])
  : ${NVCCFLAGS=-O2}
  sxt_cuda=no
  AS_CASE([$with_cuda],
    [no], [NVCC=],
    [yes|check], [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:/usr/local/cuda/bin])],
    [AC_PATH_PROG([NVCC], [nvcc], [], [$with_cuda/bin])])
  AS_IF([test -n "$NVCC"], [_SXT_CUDA_TRY])
  AS_IF([test "$sxt_cuda" = no && test "x$with_cuda" != xno &&
         test "x$with_cuda" != xcheck],
    [AC_MSG_ERROR([--with-cuda was given, but the toolkit cannot be used
  (nvcc: ${NVCC:-not found}; cublasLt.h and libcudart_static.a are needed too)])])
  AM_CONDITIONAL([HAVE_CUDA], [test "$sxt_cuda" != no])
  AC_ARG_WITH([nccl],
    [AS_HELP_STRING([--with-nccl=DIR],
      [NCCL 2.18 or newer, between GPUs (yes: required, no: off; default: if
       nccl.h is found)])],
    [], [with_nccl=check])
  sxt_nccl=no
  AS_IF([test "$sxt_cuda" != no && test "x$with_nccl" != xno], [_SXT_NCCL_TRY])
  AS_IF([test "$sxt_nccl" = no && test "x$with_nccl" != xno &&
         test "x$with_nccl" != xcheck],
    [AC_MSG_ERROR([--with-nccl was given, but nvcc finds no nccl.h of 2.18 or newer])])
  AM_CONDITIONAL([HAVE_NCCL], [test "$sxt_nccl" != no])
  AC_SUBST([NCCL_CPPFLAGS]) AC_SUBST([NCCL_LIBDIR])
  AC_SUBST([CUDA_FLAGS]) AC_SUBST([CUDA_ARCH_FLAGS])
  AC_SUBST([CUDA_LIBS]) AC_SUBST([CUDA_LIBDIR])

  # The emulated GPU: make check runs every kernel on it.
  AC_REQUIRE([AC_PROG_CXX])
  AC_LANG_PUSH([C++])
  sxt_save_CXXFLAGS=$CXXFLAGS
  CXXFLAGS="$CXXFLAGS -std=gnu++17"
  AC_MSG_CHECKING([for a C++17 compiler for the emulated GPU])
  sxt_emu=no
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <tuple>]],
      [[std::apply([](int) {}, std::tuple<int>(1));]])],
    [sxt_emu=yes])
  AC_MSG_RESULT([$sxt_emu])
  CXXFLAGS=$sxt_save_CXXFLAGS
  AC_LANG_POP([C++])
  AM_CONDITIONAL([HAVE_EMU], [test $sxt_emu = yes])
])

# Its header is enough: the library is opened at run time.
AC_DEFUN([_SXT_NCCL_TRY], [
  NCCL_LIBDIR=$CUDA_LIBDIR
  NCCL_CPPFLAGS=
  AS_CASE([$with_nccl], [yes|check], [],
    [NCCL_CPPFLAGS="-I$with_nccl/include"
     NCCL_LIBDIR=$with_nccl/lib
     AS_IF([test -d "$with_nccl/lib64"], [NCCL_LIBDIR=$with_nccl/lib64])])
  AC_MSG_CHECKING([for nccl.h])
  cat >conftest.cu <<'END'
#include <nccl.h>
#if NCCL_VERSION_CODE < 21800
#error
#endif
ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
END
  AS_IF([$NVCC $NVCCFLAGS $CUDA_FLAGS $NCCL_CPPFLAGS -c -o conftest.$OBJEXT conftest.cu >&AS_MESSAGE_LOG_FD 2>&1],
    [sxt_nccl=yes])
  rm -f conftest.cu conftest.$OBJEXT
  AC_MSG_RESULT([$sxt_nccl])
])

# Root of the toolkit, flags for each architecture; compile and link a kernel.
AC_DEFUN([_SXT_CUDA_TRY], [
  sxt_cuda_home=$(dirname "$(dirname "$(readlink -f "$NVCC")")")
  # Distributions spread the toolkit over /usr; nvcc knows where it links.
  : >conftest.cu
  sxt_dirs=$($NVCC --dryrun -o conftest conftest.cu 2>&1 |
    sed -n 's/.*LIBRARIES=//p' | tr ' ' '\n' | sed -n 's/^"*-L\(@<:@^"@:>@*\)"*$/\1/p')
  rm -f conftest.cu
  for sxt_dir in "$sxt_cuda_home/lib64" "$sxt_cuda_home/lib" \
      "$sxt_cuda_home/targets/x86_64-linux/lib" $sxt_dirs; do
    AS_IF([test -f "$sxt_dir/libcudart_static.a"],
      [CUDA_LIBDIR=$sxt_dir; break])
  done
  # No contraction of a * b + c: kernels say fmaf() where they mean it.  Plain
  # C++ without exceptions and types at run time can be linked by C.
  CUDA_FLAGS="-std=c++17 -fmad=false -Xcompiler=-fno-exceptions,-fno-rtti,-fno-threadsafe-statics"
  CUDA_LIBS="-L$CUDA_LIBDIR -lcudart_static -lrt -lpthread -ldl"
  CUDA_ARCH_FLAGS=
  for sxt_arch in $(echo "$with_cuda_arch" | tr ',' ' '); do
    CUDA_ARCH_FLAGS="$CUDA_ARCH_FLAGS -gencode arch=compute_$sxt_arch,code=sm_$sxt_arch"
  done
  sxt_arch=$(echo "$with_cuda_arch" | tr ',' '\n' | grep -v '@<:@a-z@:>@' | sort -n | head -n 1)
  AS_IF([test -n "$sxt_arch"],
    [CUDA_ARCH_FLAGS="$CUDA_ARCH_FLAGS -gencode arch=compute_$sxt_arch,code=compute_$sxt_arch"])
  AC_MSG_CHECKING([whether $NVCC compiles for $with_cuda_arch])
  cat >conftest.cu <<'END'
#include <cuda_bf16.h>
#include <cublasLt.h>
__global__ void k(__nv_bfloat16 *x) { *x = __float2bfloat16_rn(1); }
extern "C" int start(void) { k<<<1, 1>>>(0); return cudaGetLastError(); }
END
  AS_IF([$NVCC $NVCCFLAGS $CUDA_FLAGS $CUDA_ARCH_FLAGS -c -o conftest.$OBJEXT conftest.cu >&AS_MESSAGE_LOG_FD 2>&1],
    [sxt_save_LIBS=$LIBS
     LIBS="conftest_cuda.$OBJEXT $CUDA_LIBS $LIBS"
     mv conftest.$OBJEXT conftest_cuda.$OBJEXT
     AC_LINK_IFELSE([AC_LANG_PROGRAM([[int start(void);]], [[start();]])],
       [sxt_cuda="$($NVCC --version | sed -n 's/.*release \(@<:@0-9.@:>@*\),.*/\1/p') for $with_cuda_arch"])
     LIBS=$sxt_save_LIBS
     rm -f conftest_cuda.$OBJEXT])
  rm -f conftest.cu
  AC_MSG_RESULT([$sxt_cuda])
])
