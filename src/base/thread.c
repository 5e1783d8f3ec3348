/* thread.c - a thread beside its owner's. */
#include "base/thread.h"

#include <signal.h>

#include "base/error.h"

/* A new thread inherits what is blocked. */
void sxt_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    SXT_CHECK(pthread_create(thread, NULL, run, arg) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
