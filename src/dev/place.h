/* place.h - which rank works on which device. */
#ifndef SXT_DEV_PLACE_H
#define SXT_DEV_PLACE_H

#include "dev/dev.h"
#include "par/comm.h"

/* Open this rank's device.  Collective; all ranks pass the same.
 *
 * kind: "cpu" (host memory), "host", "fake", or "cuda": the ranks of a node
 * take its GPUs in turn, in the order of comm; where the launcher shows each
 * rank a GPU of its own, they take that.  Two ranks on one GPU are refused,
 * for they would halve its memory and its speed, unless `share`.
 *
 * *table (caller frees; NULL on failure) has a line for each rank: "rank 0
 * node17  GPU-… NVIDIA H100, 79.1 GiB"; empty for other kinds.  NULL on all
 * ranks if any fails. */
struct sxt_dev *sxt_dev_place(struct sxt_comm comm, const char *kind,
                              bool share, char **table, struct sxt_error *err);

#endif
