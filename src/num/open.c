/* open.c - chooses between GPUs and the CPU, for all ranks alike. */
#include "num/open.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dev/place.h"

void sxt_num_close(struct sxt_dev *dev, struct sxt_num *num)
{
    sxt_num_destroy(num);
    sxt_dev_destroy(dev);
}

static int refuse_missing(const struct sxt_num *num, enum sxt_num_use use,
                          struct sxt_error *err)
{
    char names[300];

    if (!sxt_num_lacks(num, use, names))
        return 0;
    return sxt_err(err, SXT_EXIT_UNAVAILABLE,
                   "the %s backend of this version cannot %s yet: it lacks %s",
                   num->op.name, use == SXT_NUM_TRAIN ? "train" : "generate",
                   names);
}

/* One device, not auto. */
static int open_on(struct sxt_comm comm, const struct sxt_num_wish *wish,
                   const char *device, struct sxt_dev **dev,
                   struct sxt_num **num, char **table, struct sxt_error *err)
{
    int rc = -1;

    *num = NULL;
    *dev = sxt_dev_place(comm, device, wish->share, table, err);
    if (!*dev)
        return -1;
    *num = sxt_num_create(wish->backend, *dev, wish->threads, err);
    if (*num)
        rc = refuse_missing(*num, wish->use, err);
    rc = sxt_comm_agree(comm, rc, err);
    if (rc != 0) {
        free(*table);
        *table = NULL;
        sxt_num_close(*dev, *num);
        *dev = NULL;
        *num = NULL;
    }
    return rc;
}

static int open_auto(struct sxt_comm comm, const struct sxt_num_wish *wish,
                     struct sxt_dev **dev, struct sxt_num **num, char **report,
                     struct sxt_error *err)
{
    bool wants_cpu =
        strcmp(wish->backend, "cpu") == 0 || strcmp(wish->backend, "ref") == 0;
    struct sxt_error why = { 0 };
    char *table;

    sxt_err(&why, SXT_EXIT_OK, "backend = %s", wish->backend);
    if (!wants_cpu &&
        open_on(comm, wish, "cuda", dev, num, &table, &why) == 0) {
        *report = sxt_printf("device auto: GPUs, one for each rank\n%s", table);
        free(table);
        return 0;
    }
    if (open_on(comm, wish, "cpu", dev, num, &table, err) != 0)
        return -1;
    free(table);
    *report = sxt_printf("device auto: the CPU (%s)", why.text);
    return 0;
}

int sxt_num_open(struct sxt_comm comm, const struct sxt_num_wish *wish,
                 struct sxt_dev **dev, struct sxt_num **num, char **report,
                 struct sxt_error *err)
{
    *report = NULL;
    if (strcmp(wish->device, "auto") == 0)
        return open_auto(comm, wish, dev, num, report, err);
    return open_on(comm, wish, wish->device, dev, num, report, err);
}
