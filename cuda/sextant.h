/* sextant.h - the C contracts that this folder fulfils, for C++. */
#ifndef SXT_CUDA_SEXTANT_H
#define SXT_CUDA_SEXTANT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#ifndef _Noreturn
#define _Noreturn __attribute__((noreturn))
#endif
extern "C" {
#endif

#include "base/error.h"
#include "base/mem.h"
#include "dev/driver.h"
#include "dev/link.h"
#include "dev/stream.h"
#include "num/ops.h"

#ifdef __cplusplus
}
#endif
#endif
