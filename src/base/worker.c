/* worker.c - a thread that works through numbered items in order. */
#include "base/worker.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"

struct sxt_worker {
    void (*work)(void *arg, size_t item);
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below */
    size_t next, end;       /* items before next are done */
    bool quit;
};

static void *run(void *self)
{
    struct sxt_worker *w = self;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->next == w->end && !w->quit)
            pthread_cond_wait(&w->changed, &w->lock);
        if (w->next == w->end)
            break;
        size_t item = w->next;
        pthread_mutex_unlock(&w->lock);
        w->work(w->arg, item);
        pthread_mutex_lock(&w->lock);
        w->next++;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct sxt_worker *sxt_worker_create(void (*work)(void *arg, size_t item),
                                     void *arg)
{
    struct sxt_worker *w = sxt_calloc(1, sizeof(*w));

    w->work = work;
    w->arg = arg;
    SXT_CHECK(pthread_mutex_init(&w->lock, NULL) == 0);
    SXT_CHECK(pthread_cond_init(&w->changed, NULL) == 0);
    sxt_thread_start(&w->thread, run, w);
    return w;
}

void sxt_worker_destroy(struct sxt_worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->quit = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void sxt_worker_start(struct sxt_worker *w, size_t first, size_t end)
{
    SXT_CHECK(first <= end);
    pthread_mutex_lock(&w->lock);
    while (w->next < w->end)
        pthread_cond_wait(&w->changed, &w->lock);
    w->next = first;
    w->end = end;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void sxt_worker_wait(struct sxt_worker *w, size_t item)
{
    pthread_mutex_lock(&w->lock);
    while (w->next <= item && item < w->end)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
}
