/* open.h - a device and a backend for a command, as its user wants them. */
#ifndef SXT_NUM_OPEN_H
#define SXT_NUM_OPEN_H

#include "num/ops.h"
#include "par/comm.h"

struct sxt_num_wish {
    const char *device;  /* "auto", "cuda", "cpu", "host" or "fake" */
    const char *backend; /* of sxt_num_create; "auto" for the device's best */
    bool share;          /* ranks may share a GPU */
    int threads;         /* as sxt_num_create has it */
    enum sxt_num_use use;
};

/* Collective; all ranks get the same kind, or all fail.  auto takes GPUs if
 * every rank can have its own and the backend does all that `use` needs, else
 * the CPU.  *report (caller frees; NULL on failure) is for the log: what auto
 * chose and why, and the ranks' GPUs, a line each; it may be empty. */
int sxt_num_open(struct sxt_comm comm, const struct sxt_num_wish *wish,
                 struct sxt_dev **dev, struct sxt_num **num, char **report,
                 struct sxt_error *err);
/* Both are gone; they may be NULL. */
void sxt_num_close(struct sxt_dev *dev, struct sxt_num *num);

#endif
