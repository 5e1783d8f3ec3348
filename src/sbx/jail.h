/* jail.h - what the parts of the sandbox share; private to this folder.
 *
 * Three processes: the caller; "init", its child and first process of the
 * jail's namespaces, which builds the jail, starts the program, and takes
 * everything down with it; and the program.  Between clone and exec only
 * system calls are made, no allocation: the caller may have threads. */
#ifndef SXT_SBX_JAIL_H
#define SXT_SBX_JAIL_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sbx/sandbox.h"

/* The program's user and group as seen in the jail. */
enum { JAIL_ID = 1000, NOBODY = 65534 };

/* Files of init; the program keeps those up to FILE_PROGRAM. */
enum jail_file {
    FILE_IN,
    FILE_OUT,
    FILE_ERR,
    FILE_CHANNEL,
    FILE_LINK_IN,  /* from the other program of a pair */
    FILE_LINK_OUT, /* to it */
    FILE_PROGRAM,
    FILE_GATE,    /* closed by exec: the caller learns that it happened */
    FILE_CONTROL, /* messages with the caller */
    N_FILES
};

struct jail_bind {
    char *path;   /* absolute, the same inside and outside */
    char *target; /* of a symbolic link; NULL: a directory or file */
    bool directory;
};

/* Everything a jail needs, computed once, read by every child. */
struct sxt_sandbox {
    enum sxt_sandbox_tier tier;
    unsigned long namespaces; /* CLONE_NEW… of every run */
    bool two_ids;             /* we are root, the program becomes nobody */
    int landlock;             /* ABI, 0: none */
    char *python;             /* executable, no links in its path */
    char *version;            /* "3.11.2" */
    char *boot;               /* Python text that starts a program */
    struct jail_bind *binds;
    size_t n_binds;
    char base[16];              /* where the jail's root is mounted */
    struct sock_filter *filter; /* system calls */
    size_t n_filter;
    char *describe;
};

/* A message from init. */
struct jail_report {
    int failed;     /* errno of the step that failed, or 0: the program ended */
    int wait;       /* its wait status */
    int64_t cpu_us; /* of all processes together */
    int64_t max_kb; /* largest resident size of one */
    char step[64];  /* what failed */
};

/* The state of a jail at an instant. */
struct jail_usage {
    double cpu_s;
    size_t bytes;
    int tasks;       /* threads of all processes */
    double queued_s; /* longest that one was ready but had no processor */
};

/* python.c: fill python, version, boot and binds. */
int sxt_sbx_find_python(struct sxt_sandbox *sandbox, const char *wanted,
                        struct sxt_error *err);

/* filter.c: fill filter for the sandbox's tier. */
int sxt_sbx_make_filter(struct sxt_sandbox *sandbox, struct sxt_error *err);

/* landlock.c: ABI of the kernel, 0 if it has none; restrict this process. */
int sxt_sbx_landlock_abi(void);
int sxt_sbx_landlock(const struct sxt_sandbox *sandbox);

/* root.c: build and enter the jail's file system.  NULL, or the step that
 * failed, with errno. */
const char *sxt_sbx_enter_root(const struct sxt_sandbox *sandbox,
                               size_t disk_bytes);

/* init.c: life of init; files[i] is the caller's descriptor or -1. */
_Noreturn void sxt_sbx_init(const struct sxt_sandbox *sandbox,
                            const struct sxt_limits *limits,
                            const int files[N_FILES]);

/* watch.c: look at all that descends from `init` (not at init itself).
 * -1 if that cannot be seen. */
int sxt_sbx_watch(pid_t init, struct jail_usage *usage);

/* run.c: start a process in the sandbox's namespaces, as clone(2). */
pid_t sxt_sbx_clone(unsigned long namespaces);

/* battery.c: try the jail out.  Fails with what leaks. */
int sxt_sbx_battery(struct sxt_sandbox *sandbox, struct sxt_error *err);

#endif
