/* queue.c - the counter and the totals, in a window on rank 0. */
#include "par/queue.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

/* Words of the window. */
enum { NEXT, STOP, TOTAL, WORDS = TOTAL + SXT_QUEUE_TOTALS };

static const double watch_s = 0.2; /* between looks at STOP */

struct sxt_queue {
    struct sxt_comm comm;
    MPI_Win win;
    int64_t *word; /* the window's memory; rank 0 only */
    int64_t n;
    int64_t one, drawn;     /* operand and result of the draw under way */
    int64_t zero, stop;     /* of the look under way */
    MPI_Request draw, look; /* MPI_REQUEST_NULL if none */
    int64_t sent[SXT_QUEUE_TOTALS]; /* operand of sxt_queue_add */
    double looked;
    bool empty, stopped;
};

/* Let MPI serve the others; on rank 0 this is what keeps them going where
 * atomics are not the hardware's. */
static void serve(struct sxt_queue *q)
{
    int flag;

    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, q->comm.mpi, &flag,
               MPI_STATUS_IGNORE);
}

/* Start the atomic *result = word, word += *operand. */
static void start(struct sxt_queue *q, int word, const int64_t *operand,
                  int64_t *result, MPI_Request *request)
{
    MPI_Rget_accumulate(operand, 1, MPI_INT64_T, result, 1, MPI_INT64_T, 0,
                        word, 1, MPI_INT64_T, MPI_SUM, q->win, request);
}

struct sxt_queue *sxt_queue_create(struct sxt_comm comm, uint64_t n)
{
    struct sxt_queue *q = sxt_calloc(1, sizeof(*q));
    MPI_Aint bytes = comm.rank == 0 ? WORDS * (MPI_Aint)sizeof(int64_t) : 0;

    q->comm = comm;
    q->n = (int64_t)n;
    q->one = 1;
    q->draw = q->look = MPI_REQUEST_NULL;
    MPI_Win_allocate(bytes, sizeof(int64_t), MPI_INFO_NULL, comm.mpi, &q->word,
                     &q->win);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, q->win);
    if (comm.rank == 0) {
        for (int i = 0; i < WORDS; i++)
            q->word[i] = 0;
        MPI_Win_sync(q->win);
    }
    MPI_Barrier(comm.mpi);
    /* The first access may wait for rank 0; have it while rank 0 is here. */
    start(q, STOP, &q->zero, &q->stop, &q->look);
    MPI_Wait(&q->look, MPI_STATUS_IGNORE);
    MPI_Barrier(comm.mpi);
    return q;
}

void sxt_queue_destroy(struct sxt_queue *q)
{
    if (!q)
        return;
    MPI_Wait(&q->draw, MPI_STATUS_IGNORE);
    MPI_Wait(&q->look, MPI_STATUS_IGNORE);
    MPI_Win_unlock_all(q->win);
    MPI_Barrier(q->comm.mpi);
    MPI_Win_free(&q->win);
    free(q);
}

int sxt_queue_poll(struct sxt_queue *q, uint64_t *item)
{
    int done;

    if (q->empty || sxt_queue_stopped(q))
        return -1;
    if (q->draw == MPI_REQUEST_NULL)
        start(q, NEXT, &q->one, &q->drawn, &q->draw);
    MPI_Test(&q->draw, &done, MPI_STATUS_IGNORE);
    if (!done)
        return 0;
    q->empty = q->drawn >= q->n;
    *item = (uint64_t)q->drawn;
    return q->empty ? -1 : 1;
}

void sxt_queue_stop(struct sxt_queue *q)
{
    if (q->stopped)
        return;
    q->stopped = true;
    MPI_Accumulate(&q->one, 1, MPI_INT64_T, 0, STOP, 1, MPI_INT64_T, MPI_SUM,
                   q->win);
    MPI_Win_flush_local(0, q->win);
}

bool sxt_queue_stopped(struct sxt_queue *q)
{
    int done;

    serve(q);
    if (q->stopped)
        return true;
    if (q->look == MPI_REQUEST_NULL) {
        if (sxt_clock() - q->looked < watch_s)
            return false;
        q->looked = sxt_clock();
        start(q, STOP, &q->zero, &q->stop, &q->look);
    }
    MPI_Test(&q->look, &done, MPI_STATUS_IGNORE);
    if (done)
        q->stopped = q->stop != 0;
    return q->stopped;
}

void sxt_queue_add(struct sxt_queue *q, const int64_t amount[SXT_QUEUE_TOTALS])
{
    for (int i = 0; i < SXT_QUEUE_TOTALS; i++)
        q->sent[i] = amount[i];
    MPI_Accumulate(q->sent, SXT_QUEUE_TOTALS, MPI_INT64_T, 0, TOTAL,
                   SXT_QUEUE_TOTALS, MPI_INT64_T, MPI_SUM, q->win);
    MPI_Win_flush_local(0, q->win);
}

void sxt_queue_totals(struct sxt_queue *q, int64_t total[SXT_QUEUE_TOTALS])
{
    int64_t nothing[SXT_QUEUE_TOTALS] = { 0 };

    MPI_Get_accumulate(nothing, SXT_QUEUE_TOTALS, MPI_INT64_T, total,
                       SXT_QUEUE_TOTALS, MPI_INT64_T, 0, TOTAL,
                       SXT_QUEUE_TOTALS, MPI_INT64_T, MPI_SUM, q->win);
    MPI_Win_flush(0, q->win);
}
