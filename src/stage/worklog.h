/* worklog.h - work done so far, kept where no crash can reach it.
 *
 * A directory, OUTPUT.journal/ until OUTPUT is there, holds, of each run that
 * worked in it (an epoch, counted from 1),
 *
 *   eNNNN.lease     who runs it; taken with O_EXCL, so epochs are never shared
 *   eNNNN.manifest  the journals of earlier epochs and their sealed lengths
 *   eNNNN.rRRRR.log the journal of one rank (base/journal.h)
 *
 * Opening takes the next epoch and seals all journals at their present length:
 * what a rank of an earlier run, still alive somewhere, writes from then on
 * does not count, and that rank ends when it sees the newer lease.
 *
 * A record is a caller's, but for its first byte, its state: 0 if the work is
 * only begun.  Of several records under one key the first finished one by
 * (epoch, rank, number) counts, else the longest; they hold the same anyway,
 * for a key hashes all that decides the result. */
#ifndef SXT_STAGE_WORKLOG_H
#define SXT_STAGE_WORKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "par/comm.h"

struct sxt_worklog; /* opaque */

/* Take over the directory, which is made if need be.  Collective. */
struct sxt_worklog *sxt_worklog_open(struct sxt_comm comm, const char *dir,
                                     struct sxt_error *err);
/* Sync and close the journals and free; log may be NULL.  Returns rc, how the
 * run ends; or -1 if the journals could not be kept and so it is no success
 * and no clean stop.  Collective. */
int sxt_worklog_close(struct sxt_worklog *log, int rc, struct sxt_error *err);

/* What the journals hold. */
struct sxt_worklog_facts {
    int epoch;        /* this run's */
    size_t finished;  /* keys with a finished record */
    size_t begun;     /* keys with only the begin of one */
    uint64_t damaged; /* bytes that did not check */
};
struct sxt_worklog_facts sxt_worklog_facts(const struct sxt_worklog *log);
/* Log them, if there was an earlier run. */
void sxt_worklog_tell(const struct sxt_worklog *log, const struct sxt_log *to);

/* The state of the finished record under a key; 0 if there is none. */
int sxt_worklog_find(const struct sxt_worklog *log, uint64_t key, bool *begun);
/* The record under a key that find() knows, aligned for any type; borrowed
 * until the next read. */
int sxt_worklog_read(struct sxt_worklog *log, uint64_t key,
                     struct sxt_span *record, struct sxt_error *err);
/* Store a record of n > 0 bytes. */
int sxt_worklog_save(struct sxt_worklog *log, uint64_t key, const void *record,
                     size_t n, struct sxt_error *err);
/* To be called now and then: group commit, and the end (SXT_EXIT_IO) if a
 * newer run has taken the directory over. */
int sxt_worklog_tick(struct sxt_worklog *log, struct sxt_error *err);

/* Close this epoch's journals and index everything, for compaction.  find()
 * and read() see all ranks' records then; save() is over.  Collective. */
int sxt_worklog_finish(struct sxt_worklog *log, struct sxt_error *err);
/* Remove the directory's journals, when their contents are safe elsewhere.
 * Collective. */
int sxt_worklog_remove(struct sxt_worklog *log, struct sxt_error *err);

#endif
