/* journal.h - an append-only file of checked records that survives a crash.
 *
 * A record is a 40-byte head and its payload, all little-endian:
 *
 *   magic u32 · payload bytes u32 · key u64 · number u64 ·
 *   XXH3-64 of the payload · XXH3-64 of the 32 bytes before
 *
 * Both hashes are seeded by the journal's name, so that a record of one journal
 * (or one quoted inside a payload) is not a record of another.
 *
 * Each record is handed to the kernel as a whole at append: the death of the
 * process loses none.  They are synced every 5 s: the death of the node loses
 * at most what came since.  A reader skips what is torn or damaged and goes on
 * at the next record that checks. */
#ifndef SXT_BASE_JOURNAL_H
#define SXT_BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum {
    SXT_JOURNAL_SECONDS = 5, /* between syncs, at most */
    SXT_JOURNAL_HEAD = 40    /* bytes before each payload */
};

struct sxt_journal; /* opaque: a journal being written */

/* A new file; it is an error if it exists.  NULL on failure. */
struct sxt_journal *sxt_journal_create(const char *path, struct sxt_error *err);
/* Append n (< 2^31) bytes under a key, and tick.  After a failure the file ends
 * at the last whole record and takes no more. */
int sxt_journal_append(struct sxt_journal *journal, uint64_t key,
                       const void *data, size_t n, struct sxt_error *err);
/* Sync if the oldest unsynced record is SXT_JOURNAL_SECONDS old. */
int sxt_journal_tick(struct sxt_journal *journal, struct sxt_error *err);
int sxt_journal_sync(struct sxt_journal *journal, struct sxt_error *err);
/* Sync, close and free; journal may be NULL. */
int sxt_journal_close(struct sxt_journal *journal, struct sxt_error *err);

/* Where a record lies, and whose it is. */
struct sxt_record {
    uint64_t key, number; /* numbers count from 0 in one journal */
    uint64_t offset;      /* of the payload in the file */
    size_t n;             /* bytes of payload */
};

struct sxt_journal_reader; /* opaque */

/* Read the first `length` bytes (UINT64_MAX: all there are). */
struct sxt_journal_reader *sxt_journal_open(const char *path, uint64_t length,
                                            struct sxt_error *err);
/* The next record that checks, its payload in *payload (replaced).  Returns 1,
 * 0 at the end, -1 if the file cannot be read. */
int sxt_journal_next(struct sxt_journal_reader *reader,
                     struct sxt_record *record, struct sxt_str *payload,
                     struct sxt_error *err);
/* The payload of a record found before; fails (SXT_EXIT_DATA) if it no longer
 * checks. */
int sxt_journal_fetch(struct sxt_journal_reader *reader,
                      const struct sxt_record *record, struct sxt_str *payload,
                      struct sxt_error *err);
/* Bytes up to the end of the last good record, and bytes skipped before it. */
uint64_t sxt_journal_end(const struct sxt_journal_reader *reader);
uint64_t sxt_journal_damaged(const struct sxt_journal_reader *reader);
void sxt_journal_reader_close(struct sxt_journal_reader *reader);

#endif
