/* error.h - how things fail: bugs abort, the world returns -1, data is data.
 *
 * A function that can fail takes `struct sxt_error *err` last and returns 0 or
 * -1 (or NULL).  Whoever detects a failure words it once; callers may only put
 * a prefix before it.  A function without `err` cannot fail. */
#ifndef SXT_BASE_ERROR_H
#define SXT_BASE_ERROR_H

#include <stdarg.h>

/* What the program's exit status says; the values follow sysexits.h. */
enum sxt_exit {
    SXT_EXIT_OK = 0,
    SXT_EXIT_USAGE = 64,       /* wrong command line */
    SXT_EXIT_DATA = 65,        /* an input file holds something unusable */
    SXT_EXIT_NOINPUT = 66,     /* an input file is missing or unreadable */
    SXT_EXIT_UNAVAILABLE = 69, /* GPU, NCCL or another service */
    SXT_EXIT_BUG = 70,         /* ours */
    SXT_EXIT_HELD = 73,        /* another run makes this output */
    SXT_EXIT_IO = 74,          /* writing, syncing, full disk */
    SXT_EXIT_AGAIN = 75,       /* stopped cleanly, state saved: run again */
    SXT_EXIT_NOSANDBOX = 76,   /* untrusted code cannot be confined here */
    SXT_EXIT_CONFIG = 78,      /* configuration file or -s */
    SXT_EXIT_NUMERIC = 79,     /* loss or gradient not finite */
    SXT_EXIT_DIFFERS = 80      /* a comparison failed */
};

struct sxt_error {
    int code; /* enum sxt_exit; 0 while nothing failed */
    char text[2000];
};

/* Record a failure and return -1, so that `return sxt_err(...)` reads well.
 * err may be NULL. */
int sxt_err(struct sxt_error *err, enum sxt_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: appends ": " and strerror(errno). */
int sxt_err_errno(struct sxt_error *err, enum sxt_exit code, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

/* Put "PREFIX: " before the text that is there; returns -1. */
int sxt_err_prefix(struct sxt_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A broken promise inside the program: print where and abort. */
#define SXT_CHECK(claim) \
    ((claim) ? (void)0 : sxt_bug(__FILE__, __LINE__, #claim))

/* The same, in builds configured with --enable-debug only. */
#ifdef SXT_DEBUG
#define SXT_ASSERT(claim) SXT_CHECK(claim)
#else
#define SXT_ASSERT(claim) ((void)0)
#endif

_Noreturn void sxt_bug(const char *file, int line, const char *claim);

#endif
