/* watch.c - waits for other ranks, answers them, and ends what cannot go on. */
#define _GNU_SOURCE
#include "dev/watch.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "dev/driver.h"
#include "dev/guard.h"

enum {
    CALL = 1, /* tags */
    ANSWER = 2,
    MOST_SOURCES = 16,
    TURNS = 64, /* between looks at the clock and at other ranks' calls */
    NAP_US = 50,
    GRACE_S = 10,   /* to answer in, at most */
    MOST_NAMES = 16 /* of missing ranks, in a message */
};

/* A collective of this rank that has not ended. */
struct under_way {
    uint64_t number;
    struct sxt_coll_record record;
};

/* What a rank tells the others. */
struct word {
    uint64_t begun;  /* collectives */
    char newest[96]; /* of them */
};

struct sxt_watch {
    struct sxt_comm comm; /* owned */
    const struct sxt_dev *dev;
    int users;
    char (*hosts)[64]; /* (ranks) owned */
    struct under_way *open;
    size_t n_open, cap;
    uint64_t begun;
    struct sxt_coll_record newest;
    struct sxt_guard *guard; /* owned; NULL before it is needed */
    struct sxt_watch_source sources[MOST_SOURCES];
    int n_sources;
    /* Of a roll call: what was sent, and what the others said. */
    struct word *answers, *words; /* (ranks) owned */
    bool *here;                   /* (ranks) owned: rank r has said a word */
    bool quiet; /* a rank below this one has called: it will speak */
};

/* ---- the record ---- */

struct sxt_watch *sxt_watch_join(struct sxt_dev *dev, struct sxt_comm comm)
{
    struct sxt_watch *w = dev->watch;
    MPI_Comm own;
    char host[64] = "";

    if (w) {
        SXT_CHECK(w->comm.size == comm.size);
        w->users++;
        return w;
    }
    w = dev->watch = sxt_calloc(1, sizeof(*w));
    MPI_Comm_dup(comm.mpi, &own);
    w->comm = sxt_comm_from_mpi(own);
    w->dev = dev;
    w->users = 1;
    w->hosts = sxt_calloc((size_t)comm.size, sizeof(*w->hosts));
    w->answers = sxt_calloc((size_t)comm.size, sizeof(*w->answers));
    w->words = sxt_calloc((size_t)comm.size, sizeof(*w->words));
    w->here = sxt_calloc((size_t)comm.size, sizeof(*w->here));
    gethostname(host, sizeof(host) - 1);
    MPI_Allgather(host, sizeof(host), MPI_CHAR, w->hosts, sizeof(host),
                  MPI_CHAR, own);
    return w;
}

void sxt_watch_leave(struct sxt_dev *dev)
{
    struct sxt_watch *w = dev->watch;

    if (--w->users > 0)
        return;
    sxt_guard_destroy(w->guard);
    MPI_Comm_free(&w->comm.mpi);
    free(w->hosts);
    free(w->answers);
    free(w->words);
    free(w->here);
    free(w->open);
    free(w);
    dev->watch = NULL;
}

uint64_t sxt_watch_begin(struct sxt_watch *w,
                         const struct sxt_coll_record *record)
{
    w->open = sxt_grow(w->open, &w->cap, w->n_open + 1, sizeof(*w->open));
    w->open[w->n_open++] = (struct under_way){ ++w->begun, *record };
    w->newest = *record;
    return w->begun;
}

void sxt_watch_end(struct sxt_watch *w, uint64_t number)
{
    size_t i = 0;

    while (i < w->n_open && w->open[i].number != number)
        i++;
    SXT_CHECK(i < w->n_open);
    memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(*w->open));
}

void sxt_watch_add(struct sxt_watch *w, struct sxt_watch_source source)
{
    SXT_CHECK(w->n_sources < MOST_SOURCES);
    w->sources[w->n_sources++] = source;
}

void sxt_watch_remove(struct sxt_watch *w, void *arg)
{
    int i = 0;

    while (i < w->n_sources && w->sources[i].arg != arg)
        i++;
    SXT_CHECK(i < w->n_sources);
    w->sources[i] = w->sources[--w->n_sources];
}

/* "all_gather of 1.2 MB for parameters of unit 5" */
static void describe(const struct sxt_coll_record *r, char *text, size_t size)
{
    char bytes[32];

    if (!r->operation) {
        snprintf(text, size, "none");
        return;
    }
    sxt_log_count((double)r->bytes, bytes);
    if (r->what && r->bytes == 0)
        snprintf(text, size, "%s for %s", r->operation, r->what);
    else if (r->what)
        snprintf(text, size, "%s of %sB for %s of unit %zu", r->operation,
                 bytes, r->what, r->unit);
    else
        snprintf(text, size, "%s of %sB", r->operation, bytes);
}

static struct word my_word(const struct sxt_watch *w)
{
    struct word word = { .begun = w->begun };

    describe(&w->newest, word.newest, sizeof(word.newest));
    return word;
}

/* ---- the roll call ---- */

/* Take a message if there is one, and answer a call.  Who has called ends, so
 * that an answer is sent once and not waited for. */
static bool take_word(struct sxt_watch *w)
{
    MPI_Request request;
    MPI_Status status;
    int there, from;

    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, w->comm.mpi, &there, &status);
    if (!there)
        return false;
    from = status.MPI_SOURCE;
    MPI_Recv(&w->words[from], sizeof(*w->words), MPI_BYTE, from, status.MPI_TAG,
             w->comm.mpi, MPI_STATUS_IGNORE);
    w->here[from] = true;
    if (status.MPI_TAG == ANSWER)
        return true;
    w->quiet = w->quiet || from < w->comm.rank;
    w->answers[from] = my_word(w);
    MPI_Isend(&w->answers[from], sizeof(*w->answers), MPI_BYTE, from, ANSWER,
              w->comm.mpi, &request);
    MPI_Request_free(&request);
    return true;
}

static bool all_here(const struct sxt_watch *w)
{
    for (int r = 0; r < w->comm.size; r++)
        if (!w->here[r])
            return false;
    return true;
}

/* Ask all, and give them time to answer. */
static void call_roll(struct sxt_watch *w)
{
    bool hurries = w->dev->patience > 0 && w->dev->patience < GRACE_S;
    double until = sxt_clock() + (hurries ? w->dev->patience : GRACE_S);
    struct word *mine = &w->words[w->comm.rank];
    MPI_Request request;

    *mine = my_word(w);
    w->here[w->comm.rank] = true;
    for (int r = 0; r < w->comm.size; r++) {
        if (r == w->comm.rank)
            continue;
        MPI_Isend(mine, sizeof(*mine), MPI_BYTE, r, CALL, w->comm.mpi,
                  &request);
        MPI_Request_free(&request);
    }
    while (!all_here(w) && sxt_clock() < until)
        if (!take_word(w))
            usleep(NAP_US);
}

static void tell_missing(const struct sxt_watch *w, uint64_t number)
{
    int told = 0, missing = 0;

    for (int r = 0; r < w->comm.size; r++) {
        const struct word *word = &w->words[r];
        if (w->here[r] && word->begun >= number)
            continue;
        missing++;
        if (told++ >= MOST_NAMES)
            continue;
        if (!w->here[r])
            fprintf(stderr,
                    "sextant: error:   missing: rank %d on %s does not answer: "
                    "it has stopped, has died or is busy elsewhere\n",
                    r, w->hosts[r]);
        else
            fprintf(stderr,
                    "sextant: error:   missing: rank %d on %s has begun "
                    "%" PRIu64 " collectives, the newest %s\n",
                    r, w->hosts[r], word->begun, word->newest);
    }
    if (missing > MOST_NAMES)
        fprintf(stderr, "sextant: error:   missing: %d more ranks\n",
                missing - MOST_NAMES);
    if (missing == 0)
        fprintf(stderr,
                "sextant: error:   all ranks take part: the network or a GPU "
                "between them does not deliver\n");
}

static void tell(struct sxt_watch *w, const char *why)
{
    char what[96] = "nothing";
    uint64_t number = 0;

    if (w->n_open > 0) {
        describe(&w->open[0].record, what, sizeof(what));
        number = w->open[0].number;
    }
    fflush(stdout);
    fprintf(stderr,
            "sextant: error: rank %d on %s, collective %" PRIu64 " (%s): %s\n",
            w->comm.rank, w->hosts[w->comm.rank], number, what, why);
    tell_missing(w, number);
    fflush(stderr);
}

/* Call the roll, tell, and end all ranks. */
_Noreturn static void give_up(struct sxt_watch *w, const char *why)
{
    if (!w->quiet)
        call_roll(w);
    if (!w->quiet)
        tell(w, why);
    else
        sleep(2 * GRACE_S); /* who speaks ends this rank too */
    for (int i = 0; i < w->n_sources; i++)
        w->sources[i].abort(w->sources[i].arg);
    MPI_Abort(w->comm.mpi, SXT_EXIT_UNAVAILABLE);
    exit(SXT_EXIT_UNAVAILABLE);
}

/* ---- waiting ---- */

static void look(struct sxt_watch *w)
{
    char why[200] = "";

    for (int i = 0; i < w->n_sources; i++)
        if (!w->sources[i].look(w->sources[i].arg, why))
            give_up(w, why);
    take_word(w);
}

void sxt_watch_wait(struct sxt_watch *w, bool (*passed)(void *arg), void *arg,
                    bool nap)
{
    double since = 0, now;
    uint64_t oldest = 0;
    char why[100];

    for (unsigned turn = 1; !passed(arg); turn++) {
        sched_yield();
        if (turn % TURNS != 0)
            continue;
        look(w);
        now = sxt_clock();
        if (w->n_open == 0 || w->open[0].number != oldest || since == 0) {
            oldest = w->n_open > 0 ? w->open[0].number : 0;
            since = now;
        } else if (w->dev->patience > 0 && now - since > w->dev->patience) {
            snprintf(why, sizeof(why), "nothing has moved for %.3g s",
                     now - since);
            give_up(w, why);
        }
        if (nap)
            usleep(NAP_US);
    }
}

/* ---- waits that cannot be looked into ---- */

static bool have_met(void *request)
{
    int flag;

    MPI_Test(request, &flag, MPI_STATUS_IGNORE);
    return flag;
}

void sxt_watch_meet(struct sxt_dev *dev, const char *what)
{
    struct sxt_watch *w = dev->watch;
    struct sxt_coll_record record = { .operation = "meeting", .what = what };
    MPI_Request request;
    uint64_t number;

    if (!w || w->comm.size == 1)
        return;
    number = sxt_watch_begin(w, &record);
    MPI_Ibarrier(w->comm.mpi, &request);
    sxt_watch_wait(w, have_met, &request, false);
    sxt_watch_end(w, number);
}

/* Its patience ends behind that of the watch, which knows more. */
void sxt_watch_guard(struct sxt_dev *dev, const char *what)
{
    struct sxt_watch *w = dev->watch;
    double grace = dev->patience < GRACE_S ? dev->patience : GRACE_S;

    if (!w || w->comm.size == 1)
        return;
    if (!w->guard)
        w->guard = sxt_guard_create(w->comm.rank, w->hosts[w->comm.rank]);
    sxt_guard_enter(w->guard, what, dev->patience + 2 * grace, grace);
}

void sxt_watch_enter(struct sxt_dev *dev, const char *what)
{
    sxt_watch_meet(dev, what);
    sxt_watch_guard(dev, what);
}

void sxt_watch_back(struct sxt_dev *dev)
{
    if (dev->watch && dev->watch->guard)
        sxt_guard_back(dev->watch->guard);
}
