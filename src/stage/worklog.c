/* worklog.c - epochs, leases, manifests, and the index of all journals. */
#include "stage/worklog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

/* A journal of the directory. */
struct file {
    int epoch, rank;
    uint64_t length; /* sealed; UINT64_MAX: not yet */
};

/* A record of some journal. */
struct entry {
    uint64_t file;
    struct sxt_record record;
    uint64_t state; /* 0: begun */
};

struct sxt_worklog {
    struct sxt_comm comm;
    char *dir;
    int epoch;
    struct sxt_journal *journal; /* NULL once finished */
    struct file *file;           /* by (epoch, rank); same on all ranks */
    size_t n_files;
    struct entry *entry; /* by (file, number); same on all ranks */
    size_t n_entries;
    struct sxt_map *by_key; /* key to place in entry */
    struct sxt_worklog_facts facts;
    struct sxt_journal_reader *reader; /* of the file read last */
    uint64_t reader_file;
    struct sxt_str payload; /* of the record read last */
    double looked;          /* for a newer lease */
};

/* ---- names ---- */

static char *file_path(const struct sxt_worklog *log, int epoch, int rank)
{
    return sxt_printf("%s/e%04d.r%04d.log", log->dir, epoch, rank);
}

static char *epoch_path(const struct sxt_worklog *log, int epoch,
                        const char *what)
{
    return sxt_printf("%s/e%04d.%s", log->dir, epoch, what);
}

static int by_epoch(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return x->epoch != y->epoch ? (x->epoch > y->epoch) - (x->epoch < y->epoch)
                                : (x->rank > y->rank) - (x->rank < y->rank);
}

/* Journals in the directory, and the newest epoch that left any trace. */
static int list_files(struct sxt_worklog *log, int *newest,
                      struct sxt_error *err)
{
    DIR *dir = opendir(log->dir);
    struct dirent *d;
    size_t cap = 0;

    if (!dir)
        return sxt_err_errno(err, SXT_EXIT_IO, "%s", log->dir);
    free(log->file);
    log->file = NULL;
    log->n_files = 0;
    *newest = 0;
    while ((d = readdir(dir)) != NULL) {
        struct file f = { 0, 0, UINT64_MAX };
        int end = 0;
        if (sscanf(d->d_name, "e%d.", &f.epoch) == 1 && f.epoch > *newest)
            *newest = f.epoch;
        if (sscanf(d->d_name, "e%d.r%d.log%n", &f.epoch, &f.rank, &end) != 2 ||
            end == 0 || d->d_name[end] != '\0')
            continue;
        log->file =
            sxt_grow(log->file, &cap, log->n_files + 1, sizeof(*log->file));
        log->file[log->n_files++] = f;
    }
    closedir(dir);
    if (log->n_files > 0)
        qsort(log->file, log->n_files, sizeof(*log->file), by_epoch);
    return 0;
}

/* ---- leases and manifests: rank 0 only ---- */

/* Take the next free epoch.  *taken false: somebody else was faster. */
static int take_lease(struct sxt_worklog *log, bool *taken,
                      struct sxt_error *err)
{
    char *path = epoch_path(log, log->epoch, "lease");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    char host[256] = "";
    int rc = 0;

    *taken = fd >= 0;
    if (fd < 0 && errno != EEXIST)
        rc = sxt_err_errno(err, SXT_EXIT_IO, "%s", path);
    if (fd >= 0) {
        const char *job = getenv("SLURM_JOB_ID");
        gethostname(host, sizeof(host) - 1);
        if (dprintf(fd, "host %s\npid %ld\njob %s\n", host, (long)getpid(),
                    job ? job : "none") < 0 ||
            fsync(fd) != 0)
            rc = sxt_err_errno(err, SXT_EXIT_IO, "%s", path);
        close(fd);
    }
    free(path);
    return rc;
}

/* Sealed lengths from a manifest; one that does not check is as good as none,
 * for a record counts once wherever it is read. */
static void apply_manifest(struct sxt_worklog *log, const struct sxt_str *text)
{
    const char *sum = strstr(text->data, "sum ");
    struct file key = { 0, 0, 0 };
    unsigned long long length, stated;
    int used;

    if (!sum || sscanf(sum, "sum %llx", &stated) != 1 ||
        stated != sxt_hash64(text->data, (size_t)(sum - text->data), 0))
        return;
    for (const char *at = text->data;
         sscanf(at, "e%d.r%d.log %llu\n%n", &key.epoch, &key.rank, &length,
                &used) == 3;
         at += used) {
        struct file *f = bsearch(&key, log->file, log->n_files,
                                 sizeof(*log->file), by_epoch);
        if (f)
            f->length = length;
    }
}

/* Lengths that the newest manifest sealed. */
static int read_manifest(struct sxt_worklog *log, struct sxt_error *err)
{
    for (int epoch = log->epoch; epoch > 0; epoch--) {
        char *path = epoch_path(log, epoch, "manifest");
        struct sxt_str text = SXT_STR_EMPTY;
        bool there = sxt_file_exists(path);
        int rc = there ? sxt_file_read(path, &text, err) : 0;
        if (rc == 0 && text.len > 0)
            apply_manifest(log, &text);
        sxt_str_free(&text);
        free(path);
        if (rc != 0 || there)
            return rc;
    }
    return 0;
}

static int write_manifest(struct sxt_worklog *log, struct sxt_error *err)
{
    char *path = epoch_path(log, log->epoch, "manifest");
    struct sxt_str text = SXT_STR_EMPTY;

    for (size_t i = 0; i < log->n_files; i++)
        sxt_str_add(&text, "e%04d.r%04d.log %llu\n", log->file[i].epoch,
                    log->file[i].rank, (unsigned long long)log->file[i].length);
    uint64_t sum = sxt_hash64(text.len ? text.data : "", text.len, 0);
    sxt_str_add(&text, "sum %016llx\n", (unsigned long long)sum);
    int rc = sxt_file_write(path, text.data, text.len, err);
    sxt_str_free(&text);
    free(path);
    return rc;
}

static int take_over(struct sxt_worklog *log, struct sxt_error *err)
{
    bool taken = false;

    if (sxt_file_mkdirs(log->dir, err) != 0)
        return -1;
    while (!taken) {
        if (list_files(log, &log->epoch, err) != 0)
            return -1;
        log->epoch++;
        if (take_lease(log, &taken, err) != 0)
            return -1;
    }
    return read_manifest(log, err);
}

/* ---- the index ---- */

/* Find the records of one journal, and where it ends. */
static int scan_file(struct sxt_worklog *log, size_t i, struct entry **list,
                     size_t *n, size_t *cap, struct sxt_error *err)
{
    struct file *f = &log->file[i];
    char *path = file_path(log, f->epoch, f->rank);
    struct sxt_journal_reader *in = sxt_journal_open(path, f->length, err);
    struct sxt_str payload = SXT_STR_EMPTY;
    struct entry e = { .file = i };
    int rc = in ? 1 : -1;

    while (rc == 1) {
        rc = sxt_journal_next(in, &e.record, &payload, err);
        if (rc != 1 || payload.len == 0)
            continue;
        e.state = (unsigned char)payload.data[0];
        *list = sxt_grow(*list, cap, *n + 1, sizeof(**list));
        (*list)[(*n)++] = e;
    }
    if (in) {
        log->facts.damaged += sxt_journal_damaged(in);
        f->length = sxt_journal_end(in);
    }
    sxt_journal_reader_close(in);
    sxt_str_free(&payload);
    free(path);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->file != y->file)
        return (x->file > y->file) - (x->file < y->file);
    return (x->record.number > y->record.number) -
           (x->record.number < y->record.number);
}

/* Of the records of a key the first finished one counts, else the longest. */
static void index_entries(struct sxt_worklog *log)
{
    sxt_map_destroy(log->by_key);
    log->by_key = sxt_map_create();
    log->facts.finished = log->facts.begun = 0;
    qsort(log->entry, log->n_entries, sizeof(*log->entry), by_place);
    for (size_t i = 0; i < log->n_entries; i++) {
        const struct entry *e = &log->entry[i];
        if (sxt_map_put(log->by_key, &e->record.key, 8, i)) {
            *(e->state ? &log->facts.finished : &log->facts.begun) += 1;
            continue;
        }
        uint64_t *at = sxt_map_get(log->by_key, &e->record.key, 8);
        const struct entry *old = &log->entry[*at];
        if (old->state || (!e->state && e->record.n <= old->record.n))
            continue;
        *at = i;
        log->facts.finished += e->state != 0;
        log->facts.begun -= e->state != 0;
    }
}

/* Every rank reads a share of the journals; all learn of all records. */
static int build_index(struct sxt_worklog *log, struct sxt_error *err)
{
    struct entry *mine = NULL;
    size_t n = 0, cap = 0, *offsets;
    int rc = 0;
    char *all;

    for (size_t i = (size_t)log->comm.rank; i < log->n_files && rc == 0;
         i += (size_t)log->comm.size)
        rc = scan_file(log, i, &mine, &n, &cap, err);
    rc = sxt_comm_agree(log->comm, rc, err);
    if (rc == 0) {
        sxt_comm_allgather_bytes(log->comm, mine, n * sizeof(*mine), &all,
                                 &offsets);
        free(log->entry);
        log->entry = (struct entry *)(void *)all;
        log->n_entries = offsets[log->comm.size] / sizeof(struct entry);
        free(offsets);
        index_entries(log);
        log->facts.damaged =
            (uint64_t)sxt_comm_sum(log->comm, (int64_t)log->facts.damaged);
        for (size_t i = 0; i < log->n_files; i++)
            sxt_comm_broadcast(log->comm, &log->file[i].length, 8,
                               (int)(i % (size_t)log->comm.size));
    }
    free(mine);
    return rc;
}

/* Rank 0's list of files to everybody. */
static void share_files(struct sxt_worklog *log)
{
    uint64_t head[2] = { (uint64_t)log->epoch, log->n_files };

    sxt_comm_broadcast(log->comm, head, sizeof(head), 0);
    log->epoch = log->facts.epoch = (int)head[0];
    log->n_files = head[1];
    if (log->comm.rank != 0)
        log->file = sxt_realloc(log->file, log->n_files, sizeof(*log->file));
    sxt_comm_broadcast(log->comm, log->file, log->n_files * sizeof(*log->file),
                       0);
}

/* ---- a life ---- */

static int open_epoch(struct sxt_worklog *log, struct sxt_error *err)
{
    int rc = log->comm.rank == 0 ? take_over(log, err) : 0;

    if (sxt_comm_agree(log->comm, rc, err) != 0)
        return -1;
    share_files(log);
    if (build_index(log, err) != 0)
        return -1;
    rc = log->comm.rank == 0 ? write_manifest(log, err) : 0;
    if (sxt_comm_agree(log->comm, rc, err) != 0)
        return -1;
    char *path = file_path(log, log->epoch, log->comm.rank);
    log->journal = sxt_journal_create(path, err);
    free(path);
    return sxt_comm_agree(log->comm, log->journal ? 0 : -1, err);
}

struct sxt_worklog *sxt_worklog_open(struct sxt_comm comm, const char *dir,
                                     struct sxt_error *err)
{
    struct sxt_worklog *log = sxt_calloc(1, sizeof(*log));

    log->comm = comm;
    log->dir = sxt_strdup(dir);
    log->looked = sxt_clock();
    if (open_epoch(log, err) == 0)
        return log;
    sxt_worklog_close(log, -1, NULL);
    return NULL;
}

int sxt_worklog_close(struct sxt_worklog *log, int rc, struct sxt_error *err)
{
    struct sxt_error late = { 0 };
    bool replaces = rc == 0 || (err && err->code == SXT_EXIT_AGAIN);

    if (!log)
        return rc;
    int closed = sxt_journal_close(log->journal, &late);
    closed = sxt_comm_agree(log->comm, closed, &late);
    sxt_journal_reader_close(log->reader);
    sxt_map_destroy(log->by_key);
    sxt_str_free(&log->payload);
    free(log->entry);
    free(log->file);
    free(log->dir);
    free(log);
    if (closed == 0 || !replaces)
        return rc;
    if (err)
        *err = late;
    return -1;
}

struct sxt_worklog_facts sxt_worklog_facts(const struct sxt_worklog *log)
{
    return log->facts;
}

void sxt_worklog_tell(const struct sxt_worklog *log, const struct sxt_log *to)
{
    const struct sxt_worklog_facts *f = &log->facts;

    if (f->epoch > 1)
        sxt_log(to, SXT_LOG_INFO, "resume  epoch %d  finished %zu  begun %zu",
                f->epoch, f->finished, f->begun);
    if (f->damaged > 0)
        sxt_log(to, SXT_LOG_WARN,
                "%s: %llu damaged bytes skipped; what they held is done anew",
                log->dir, (unsigned long long)f->damaged);
}

static const struct entry *entry_of(const struct sxt_worklog *log, uint64_t key)
{
    const uint64_t *at = sxt_map_get(log->by_key, &key, 8);

    return at ? &log->entry[*at] : NULL;
}

int sxt_worklog_find(const struct sxt_worklog *log, uint64_t key, bool *begun)
{
    const struct entry *e = entry_of(log, key);

    *begun = e && e->state == 0;
    return e ? (int)e->state : 0;
}

int sxt_worklog_read(struct sxt_worklog *log, uint64_t key,
                     struct sxt_span *record, struct sxt_error *err)
{
    const struct entry *e = entry_of(log, key);

    SXT_CHECK(e != NULL);
    if (!log->reader || log->reader_file != e->file) {
        const struct file *f = &log->file[e->file];
        char *path = file_path(log, f->epoch, f->rank);
        sxt_journal_reader_close(log->reader);
        log->reader = sxt_journal_open(path, UINT64_MAX, err);
        log->reader_file = e->file;
        free(path);
        if (!log->reader)
            return -1;
    }
    if (sxt_journal_fetch(log->reader, &e->record, &log->payload, err) != 0)
        return -1;
    *record = (struct sxt_span){ log->payload.data, log->payload.len };
    return 0;
}

int sxt_worklog_save(struct sxt_worklog *log, uint64_t key, const void *record,
                     size_t n, struct sxt_error *err)
{
    SXT_CHECK(log->journal != NULL && n > 0);
    return sxt_journal_append(log->journal, key, record, n, err);
}

/* A newer lease ends this run. */
static int check_lease(struct sxt_worklog *log, struct sxt_error *err)
{
    char *path = epoch_path(log, log->epoch + 1, "lease");
    bool newer = sxt_file_exists(path);

    log->looked = sxt_clock();
    if (newer)
        sxt_err(err, SXT_EXIT_IO,
                "%s: a newer run has taken this directory over; this one ends",
                path);
    free(path);
    return newer ? -1 : 0;
}

int sxt_worklog_tick(struct sxt_worklog *log, struct sxt_error *err)
{
    if (sxt_clock() - log->looked >= SXT_JOURNAL_SECONDS &&
        check_lease(log, err) != 0)
        return -1;
    return sxt_journal_tick(log->journal, err);
}

int sxt_worklog_finish(struct sxt_worklog *log, struct sxt_error *err)
{
    struct sxt_journal *journal = log->journal;
    int newest, rc;

    log->journal = NULL;
    rc = sxt_journal_close(journal, err);
    if (rc == 0)
        rc = check_lease(log, err);
    if (sxt_comm_agree(log->comm, rc, err) != 0)
        return -1;
    if (log->comm.rank == 0) {
        rc = list_files(log, &newest, err);
        if (rc == 0)
            rc = read_manifest(log, err);
    }
    if (sxt_comm_agree(log->comm, rc, err) != 0)
        return -1;
    share_files(log);
    log->facts.damaged = 0;
    return build_index(log, err);
}

/* Remove what this run sealed or wrote: not the files of a newer epoch. */
static int remove_all(struct sxt_worklog *log, struct sxt_error *err)
{
    static const char *const kinds[] = { "manifest", "manifest.part", "lease" };
    int newest, rc = list_files(log, &newest, err);

    for (size_t i = 0; i < log->n_files && rc == 0; i++) {
        char *path = file_path(log, log->file[i].epoch, log->file[i].rank);
        if (log->file[i].epoch <= log->epoch)
            rc = sxt_file_remove(path, err);
        free(path);
    }
    for (int epoch = 1; epoch <= log->epoch; epoch++)
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && rc == 0; i++) {
            char *path = epoch_path(log, epoch, kinds[i]);
            rc = sxt_file_remove(path, err);
            free(path);
        }
    if (rc == 0)
        rmdir(log->dir); /* not if somebody put other files there */
    return rc;
}

int sxt_worklog_remove(struct sxt_worklog *log, struct sxt_error *err)
{
    int rc = sxt_journal_close(log->journal, err);

    log->journal = NULL;
    sxt_journal_reader_close(log->reader);
    log->reader = NULL;
    rc = sxt_comm_agree(log->comm, rc, err);
    if (rc == 0 && log->comm.rank == 0)
        rc = remove_all(log, err);
    return sxt_comm_agree(log->comm, rc, err);
}
