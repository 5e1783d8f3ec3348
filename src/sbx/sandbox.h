/* sandbox.h - Python programs nobody trusts, run where they can do no harm.
 *
 * Whatever a model wrote runs in a jail: own user, mount, process, IPC, host
 * name and network namespaces, an own small file system, Landlock, a list of
 * allowed system calls, limits on CPU time, memory, processes, files and
 * output, and an empty environment.  The jail is tried out on the node before
 * it is used: a battery of attacks runs in it, and what leaks is not used.
 * There is no way to run a program outside.  doc/sandbox.md has the attacks
 * and what holds each. */
#ifndef SXT_SBX_SANDBOX_H
#define SXT_SBX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

enum sxt_sandbox_tier {
    SXT_SANDBOX_FULL,     /* namespaces, Landlock, system call filter */
    SXT_SANDBOX_EXTERNAL, /* the reduced one, inside the jail of a site's
                             wrapper, which may do without Landlock */
    SXT_SANDBOX_REDUCED   /* no namespaces, so no writable directory at all;
                             programs can learn which paths exist */
};

struct sxt_sandbox_options {
    const char *python;  /* interpreter; NULL or "": python3 of $PATH */
    const char *wrapper; /* command in whose jail the interpreter starts where
                            the full tier cannot be had: words between blanks,
                            no shell; NULL or "": none */
    bool accept_reduced; /* where neither can be had */
    bool anew;           /* start the interpreter for each program, which is
                            done in any case where it cannot be copied */
};

struct sxt_limits {
    double cpu_s;        /* decides; of all processes together */
    size_t memory_bytes; /* resident, of all processes together */
    size_t output_bytes; /* each of stdout and channel; stderr 64 KiB */
    size_t disk_bytes;   /* of /tmp in the jail */
    int processes;       /* and threads */
};

/* 10 s, 1 GiB, 8 MiB, 64 MiB, 32. */
struct sxt_limits sxt_limits_default(void);

/* A program and what it reads.  It runs as __main__ in an empty directory. */
struct sxt_job {
    struct sxt_span program; /* Python text, borrowed */
    struct sxt_span input;   /* its standard input, borrowed */
    bool channel;            /* file 3 takes output apart from stdout */
    struct sxt_limits limits;
};

enum sxt_run_status {
    SXT_RUN_EXITED,    /* code: exit status */
    SXT_RUN_SIGNALLED, /* code: signal */
    SXT_RUN_CPU,       /* used up its CPU time */
    SXT_RUN_WALL,      /* took 5 x CPU limit + 2 s, not counting what it had
                          to wait for a processor */
    SXT_RUN_MEMORY,
    SXT_RUN_OUTPUT,    /* wrote more than allowed; the first bytes are kept */
    SXT_RUN_PROCESSES, /* more processes than allowed */
    SXT_RUN_ERROR      /* the jail failed, not the program: `trouble` */
};

struct sxt_result {
    enum sxt_run_status status;
    int code;
    struct sxt_str out, err, channel; /* owned */
    double cpu_s;
    double wall_s;
    size_t peak_bytes; /* largest resident sum seen */
    char trouble[256]; /* why SXT_RUN_ERROR */
};

struct sxt_sandbox;

/* Find the interpreter, build a jail around it, try it out (about 1 s).
 * Every rank makes its own; not collective.  Fails with SXT_EXIT_NOSANDBOX,
 * naming what leaks or is missing and what an administrator would change. */
struct sxt_sandbox *sxt_sandbox_create(
    const struct sxt_sandbox_options *options, struct sxt_error *err);
void sxt_sandbox_destroy(struct sxt_sandbox *sandbox); /* NULL is legal */

enum sxt_sandbox_tier sxt_sandbox_tier(const struct sxt_sandbox *sandbox);
/* "full", "external" or "reduced". */
const char *sxt_sandbox_tier_name(const struct sxt_sandbox *sandbox);
/* What holds programs here, in words ("full: user mount pid … namespaces,
 * Landlock ABI 7, …; Python 3.11.2 at /usr/bin/python3.11"); borrowed. */
const char *sxt_sandbox_describe(const struct sxt_sandbox *sandbox);

/* Run a program to its end.  Nothing of it is left afterwards.  Cannot fail:
 * the jail's own trouble is a status.  Free with sxt_result_free().
 *
 * For one thread at a time.  The kernel ends a jail with the thread that
 * started it: where that ends first, the next run is an SXT_RUN_ERROR, and the
 * one after it starts another jail. */
void sxt_sandbox_run(struct sxt_sandbox *sandbox, const struct sxt_job *job,
                     struct sxt_result *result);

/* Run two programs that talk to each other: file 4 of each reads what the
 * other writes to its file 5.  Each has its own jail and its own limits; when
 * one ends, the other finds its file 4 at the end. */
void sxt_sandbox_run_pair(struct sxt_sandbox *sandbox,
                          const struct sxt_job jobs[2],
                          struct sxt_result results[2]);

void sxt_result_free(struct sxt_result *result);

#endif
