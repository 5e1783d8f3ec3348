/* blas_api.h - cuBLASLt's functions, found when they are needed: a program that
 * starts on a machine without the library must not be linked to it. */
#ifndef SXT_CUDA_BLAS_API_H
#define SXT_CUDA_BLAS_API_H

#include <cublasLt.h>

#include "cuda/sextant.h"

/* Each member is the function cublasLt<Member>. */
struct sxt_blas_api {
    decltype(&cublasLtCreate) Create;
    decltype(&cublasLtDestroy) Destroy;
    decltype(&cublasLtGetVersion) GetVersion;
    decltype(&cublasLtGetStatusString) GetStatusString;
    decltype(&cublasLtMatmulDescCreate) MatmulDescCreate;
    decltype(&cublasLtMatmulDescDestroy) MatmulDescDestroy;
    decltype(&cublasLtMatmulDescSetAttribute) MatmulDescSetAttribute;
    decltype(&cublasLtMatrixLayoutCreate) MatrixLayoutCreate;
    decltype(&cublasLtMatrixLayoutDestroy) MatrixLayoutDestroy;
    decltype(&cublasLtMatrixLayoutSetAttribute) MatrixLayoutSetAttribute;
    decltype(&cublasLtMatmulPreferenceCreate) MatmulPreferenceCreate;
    decltype(&cublasLtMatmulPreferenceDestroy) MatmulPreferenceDestroy;
    decltype(&cublasLtMatmulPreferenceSetAttribute)
        MatmulPreferenceSetAttribute;
    decltype(&cublasLtMatmulAlgoGetHeuristic) MatmulAlgoGetHeuristic;
    decltype(&cublasLtMatmul) Matmul;
};

/* Load the library of this build's major version: from the usual places, then
 * from where configure found it.  It stays loaded until the process ends. */
int sxt_blas_load(struct sxt_blas_api *api, struct sxt_error *err);

#endif
