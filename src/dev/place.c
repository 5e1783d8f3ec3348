/* place.c - gives each rank its GPU, and looks at what the others got. */
#define _GNU_SOURCE
#include "dev/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "dev/driver.h"

/* What a rank tells the others. */
struct seat {
    char host[64], uuid[40], about[160];
};

static int check_seats(const struct seat *seats, int n, struct sxt_error *err)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(seats[i].uuid, seats[k].uuid) == 0)
                return sxt_err(
                    err, SXT_EXIT_UNAVAILABLE,
                    "ranks %d and %d on %s would share one GPU (%s); start no "
                    "more ranks than the node has GPUs, or set share_device = "
                    "true",
                    k, i, seats[i].host, seats[i].uuid);
    return 0;
}

static char *make_table(const struct seat *seats, int n)
{
    size_t line = sizeof(*seats) + 30, used = 0;
    char *text = sxt_alloc((size_t)n * line + 1, 1);

    text[0] = '\0';
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, line, "%srank %d  %s  GPU-%s  %s",
                                 i > 0 ? "\n" : "", i, seats[i].host,
                                 seats[i].uuid, seats[i].about);
    return text;
}

/* All ranks' seats, in rank order; caller frees. */
static struct seat *gather_seats(struct sxt_comm comm,
                                 const struct sxt_dev *dev, int ordinal)
{
    struct seat mine = { .uuid = "" };
    size_t *offsets;
    char *all;

    gethostname(mine.host, sizeof(mine.host) - 1);
    sxt_dev_cuda_uuid(ordinal, mine.uuid);
    snprintf(mine.about, sizeof(mine.about), "%s", sxt_dev_about(dev));
    sxt_comm_allgather_bytes(comm, &mine, sizeof(mine), &all, &offsets);
    free(offsets);
    return (struct seat *)all;
}

/* The GPU of this rank, or NULL; not collective. */
static struct sxt_dev *open_gpu(int rank_on_node, int *ordinal,
                                struct sxt_error *err)
{
    int count = sxt_dev_cuda_count(err);

    if (count < 0)
        return NULL;
    *ordinal = rank_on_node % count;
    return sxt_dev_create_at("cuda", *ordinal, err);
}

static int count_seats(const struct seat *seats, int n, const char *uuid)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        count += strcmp(seats[i].uuid, uuid) == 0;
    return count;
}

/* Different GPUs among the ranks'. */
static int count_gpus(const struct seat *seats, int n)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        count += count_seats(seats, i, seats[i].uuid) == 0;
    return count;
}

static struct sxt_dev *place_gpu(struct sxt_comm comm, bool share, char **table,
                                 struct sxt_error *err)
{
    int ordinal = 0, rc = 0;
    struct sxt_dev *dev = open_gpu(sxt_comm_rank_on_node(comm), &ordinal, err);

    if (sxt_comm_agree(comm, dev ? 0 : -1, err) != 0) {
        sxt_dev_destroy(dev);
        return NULL;
    }
    struct seat *seats = gather_seats(comm, dev, ordinal);
    if (!share)
        rc = check_seats(seats, comm.size, err);
    if (rc == 0) {
        *table = make_table(seats, comm.size);
        dev->sharers = count_seats(seats, comm.size, seats[comm.rank].uuid);
        dev->gpus = count_gpus(seats, comm.size);
    } else {
        sxt_dev_destroy(dev);
        dev = NULL;
    }
    free(seats);
    return dev;
}

struct sxt_dev *sxt_dev_place(struct sxt_comm comm, const char *kind,
                              bool share, char **table, struct sxt_error *err)
{
    *table = NULL;
    if (strcmp(kind, "cuda") == 0)
        return place_gpu(comm, share, table, err);
    struct sxt_dev *dev =
        sxt_dev_create(strcmp(kind, "cpu") == 0 ? "host" : kind, err);
    if (sxt_comm_agree(comm, dev ? 0 : -1, err) != 0) {
        sxt_dev_destroy(dev);
        return NULL;
    }
    *table = sxt_strdup("");
    return dev;
}
