/* blas_api.cu - finds cuBLASLt. */
#include "cuda/blas_api.h"

#include "cuda/library.h"

#ifdef SXT_EMU

int sxt_blas_load(struct sxt_blas_api *api, struct sxt_error *)
{
    *api = { cublasLtCreate,
             cublasLtDestroy,
             cublasLtGetVersion,
             cublasLtGetStatusString,
             cublasLtMatmulDescCreate,
             cublasLtMatmulDescDestroy,
             cublasLtMatmulDescSetAttribute,
             cublasLtMatrixLayoutCreate,
             cublasLtMatrixLayoutDestroy,
             cublasLtMatrixLayoutSetAttribute,
             cublasLtMatmulPreferenceCreate,
             cublasLtMatmulPreferenceDestroy,
             cublasLtMatmulPreferenceSetAttribute,
             cublasLtMatmulAlgoGetHeuristic,
             cublasLtMatmul };
    return 0;
}

#else

#define LIBRARY "libcublasLt.so." SXT_TEXT(CUBLAS_VER_MAJOR)

static void *open_library(struct sxt_error *err)
{
    static const char *const places[] = { LIBRARY,
                                          SXT_CUDA_LIBDIR "/" LIBRARY };
    char why[300];
    void *library = sxt_library_open(places, why);

    if (library)
        return library;
    sxt_err(err, SXT_EXIT_UNAVAILABLE,
            "matrix products on a GPU need cuBLASLt: %s.  Load the CUDA "
            "module of your site, or add its directory to LD_LIBRARY_PATH",
            why);
    return NULL;
}

int sxt_blas_load(struct sxt_blas_api *api, struct sxt_error *err)
{
    void *library = open_library(err);
    bool all = true;

    if (!library)
        return -1;
#define FIND(name) \
    all &= sxt_library_find(library, "cublasLt" #name, &api->name)
    FIND(Create);
    FIND(Destroy);
    FIND(GetVersion);
    FIND(GetStatusString);
    FIND(MatmulDescCreate);
    FIND(MatmulDescDestroy);
    FIND(MatmulDescSetAttribute);
    FIND(MatrixLayoutCreate);
    FIND(MatrixLayoutDestroy);
    FIND(MatrixLayoutSetAttribute);
    FIND(MatmulPreferenceCreate);
    FIND(MatmulPreferenceDestroy);
    FIND(MatmulPreferenceSetAttribute);
    FIND(MatmulAlgoGetHeuristic);
    FIND(Matmul);
#undef FIND
    return all ? 0
               : sxt_err(err, SXT_EXIT_UNAVAILABLE,
                         LIBRARY " lacks functions of version %d.%d",
                         CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR);
}

#endif
