/* everywhere.h - functions in headers that GPU kernels call as well. */
#ifndef SXT_BASE_EVERYWHERE_H
#define SXT_BASE_EVERYWHERE_H

#ifdef __CUDACC__
#define SXT_EVERYWHERE __host__ __device__
#else
#define SXT_EVERYWHERE
#endif

#endif
