/* genlog.h - answers drawn so far, kept where no crash can reach them.
 *
 * A directory holds, of each run that worked in it (an epoch, counted from 1),
 *
 *   eNNNN.lease     who runs it; taken with O_EXCL, so epochs are never shared
 *   eNNNN.manifest  the journals of earlier epochs and their sealed lengths
 *   eNNNN.rRRRR.log the journal of one rank (base/journal.h)
 *
 * Opening takes the next epoch and seals all journals at their present length:
 * what a rank of an earlier run, still alive somewhere, writes from then on
 * does not count, and that rank ends when it sees the newer lease.  Of several
 * records under one key the first by (epoch, rank, number) counts; they hold
 * the same draw anyway, for a draw is a function of its key. */
#ifndef SXT_STAGE_GENLOG_H
#define SXT_STAGE_GENLOG_H

#include "model/engine.h"
#include "par/comm.h"

struct sxt_genlog; /* opaque */

/* Take over the directory, which is made if need be.  Collective. */
struct sxt_genlog *sxt_genlog_open(struct sxt_comm comm, const char *dir,
                                   struct sxt_error *err);
/* Sync and close this rank's journal and free; log may be NULL. */
int sxt_genlog_close(struct sxt_genlog *log, struct sxt_error *err);

/* What the journals hold. */
struct sxt_genlog_facts {
    int epoch;        /* this run's */
    size_t finished;  /* keys with a finished answer */
    size_t begun;     /* keys with only the begin of one */
    uint64_t damaged; /* bytes that did not check */
};
struct sxt_genlog_facts sxt_genlog_facts(const struct sxt_genlog *log);

/* SXT_FINISH_NONE and *begun false: nothing under this key. */
enum sxt_finish sxt_genlog_find(const struct sxt_genlog *log, uint64_t key,
                                bool *begun);

/* A stored answer; arrays are borrowed until the next read. */
struct sxt_genlog_answer {
    enum sxt_finish finish;
    double logprob;
    const int32_t *ids;
    size_t n;
    struct sxt_span text;
};
/* Read what is stored under a key that find() knows. */
int sxt_genlog_read(struct sxt_genlog *log, uint64_t key,
                    struct sxt_genlog_answer *answer, struct sxt_error *err);

/* Store an answer, finished or (finish NONE) only begun, under its key. */
int sxt_genlog_save(struct sxt_genlog *log, const struct sxt_answer *answer,
                    struct sxt_error *err);
/* To be called now and then: group commit, and the end (SXT_EXIT_IO) if a
 * newer run has taken the directory over. */
int sxt_genlog_tick(struct sxt_genlog *log, struct sxt_error *err);

/* Close this epoch's journals and index everything, for compaction.  find()
 * and read() see all ranks' answers then; save() is over.  Collective. */
int sxt_genlog_finish(struct sxt_genlog *log, struct sxt_error *err);
/* Remove the directory's journals, when their contents are safe elsewhere.
 * Collective. */
int sxt_genlog_remove(struct sxt_genlog *log, struct sxt_error *err);

#endif
