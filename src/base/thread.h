/* thread.h - a thread beside its owner's. */
#ifndef SXT_BASE_THREAD_H
#define SXT_BASE_THREAD_H

#include <pthread.h>

/* Start run(arg), to be joined.  Signals are for the owner's thread: all are
 * blocked in the new one. */
void sxt_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
