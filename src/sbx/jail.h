/* jail.h - what the parts of the sandbox share; private to this folder.
 *
 * Every program has a jail of its own, and "init" in it: the first process of
 * the jail's namespaces, which builds it, starts the program, and takes
 * everything down with it.  There are two ways to start one:
 *
 *   anew         caller -> init -> program, which executes the interpreter
 *   by a zygote  caller -> zygote -> init -> program: the zygote has executed
 *                the interpreter once, in an outer jail, and runs nothing but
 *                zygote.c; init and program are copies of it, in namespaces
 *                within its own
 *
 * The reduced tier has the same processes without namespaces; in the external
 * one a wrapper makes the outer jail, for zygotes only.
 *
 * Between clone and exec only system calls are made, no allocation: the caller
 * may have threads. */
#ifndef SXT_SBX_JAIL_H
#define SXT_SBX_JAIL_H

#include <linux/filter.h>
#include <signal.h>
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

/* What the mounts of jails are called in /proc/PID/mountinfo. */
#define JAIL_MOUNT "sextant-jail"

enum { STACK_BYTES = 256 << 20 }; /* of a main thread */

/* Where the zygote's part of this program lies in the outer jail. */
#define ZYGOTE_PATH "/zygote.so"

/* A zygote, as its caller sees it.  One for each program of a pair. */
struct jail_zygote {
    pid_t pid;   /* 0: none */
    pid_t owner; /* process whose child it is: not ours after a fork */
    int socket;  /* requests go there, and come back at the end of each */
};

#define ZYGOTE_FILE FILE_LINK_IN
#define ZYGOTE_FILE_PATH "/proc/self/fd/4"

/* What a zygote reads from FILE_PROGRAM when it starts.  Behind it stand the
 * filter, and for each path that programs may read 'd' (directory) or 'f' and
 * the path with its 0. */
struct zygote_config {
    enum sxt_sandbox_tier tier;
    bool two_ids;
    int landlock;
    unsigned n_filter, n_binds;
};

/* A program to start; its files come along, in order, those that there are. */
struct zygote_request {
    struct sxt_limits limits;
    bool has[N_FILES];
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
    char *zygote_boot;        /* the same, for the zygote and its copies */
    char **wrapped;           /* wrapper, interpreter and their arguments; each
                                 owned, NULL behind the last; or NULL */
    bool anew;                /* no zygotes */
    struct jail_zygote zygotes[2];
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
    double queued_s; /* when ready, but without a processor; summed */
};

/* python.c: fill python, version, boot and binds. */
int sxt_sbx_find_python(struct sxt_sandbox *sandbox, const char *wanted,
                        struct sxt_error *err);

/* init.c: the environment of programs.  python.c: fill wrapped. */
extern const char *const sxt_sbx_environment[];
void sxt_sbx_wrap(struct sxt_sandbox *sandbox, const char *wrapper);

/* filter.c: fill filter for the sandbox's tier. */
int sxt_sbx_make_filter(struct sxt_sandbox *sandbox, struct sxt_error *err);

/* landlock.c: ABI of the kernel, 0 if it has none; restrict this process. */
int sxt_sbx_landlock_abi(void);
int sxt_sbx_landlock(const struct sxt_sandbox *sandbox);

/* root.c: build and enter the jail's file system.  NULL, or the step that
 * failed, with errno. */
const char *sxt_sbx_enter_root(const struct sxt_sandbox *sandbox,
                               size_t disk_bytes);

/* confine.c: the life of any init and of its program, in steps.  Those that
 * cannot go on tell the caller over FILE_CONTROL and end. */
_Noreturn void sxt_sbx_give_up(const char *step);
/* Put the files at their numbers and close all others; -1: none to tell. */
int sxt_sbx_take_files(const int files[N_FILES]);
void sxt_sbx_reset_signals(void);
/* Init: end when who started it ends; fills the signals to wait for then. */
void sxt_sbx_follow_parent(const struct sxt_sandbox *sandbox, sigset_t *wait);
/* The caller's word that the jail may be built; false if it is dead. */
bool sxt_sbx_caller_is_ready(void);
/* An own /tmp with a quota. */
int sxt_sbx_mount_tmp(const char *path, size_t bytes);
/* The program's process: take every right from it.  `others`: processes of
 * the same user in its user namespace, if it has one. */
void sxt_sbx_confine(const struct sxt_sandbox *sandbox,
                     const struct sxt_limits *limits, int others);
/* Wait for the program, end whatever else lives in the jail, and report. */
void sxt_sbx_supervise(const struct sxt_sandbox *sandbox, pid_t program,
                       sigset_t *watched);

/* init.c: life of an init whose program starts anew; files[i] is the caller's
 * descriptor or -1.  Without limits: of a zygote. */
_Noreturn void sxt_sbx_init(const struct sxt_sandbox *sandbox,
                            const struct sxt_limits *limits,
                            const int files[N_FILES]);

/* image.c: zygote.c as a library for the interpreter to load. */
extern const unsigned char sxt_sbx_zygote_image[];
extern const size_t sxt_sbx_zygote_bytes;

/* watch.c: look at all that descends from `init` (not at it); -1: it cannot. */
int sxt_sbx_watch(pid_t init, struct jail_usage *usage);
double sxt_sbx_own_queue(void); /* s that this thread was ready, not running */

/* start.c: start a process in new namespaces, as clone(2). */
pid_t sxt_sbx_clone(unsigned long namespaces);
/* A read-only file without a name that holds the bytes; -1 on failure. */
int sxt_sbx_sealed_file(struct sxt_span bytes);
/* Start init, for program `slot` (0 or 1) of those that run at once.  theirs:
 * its ends of the files, closed here; control: our end of FILE_CONTROL.
 * Returns its number, or -1 with *step and errno. */
pid_t sxt_sbx_start(struct sxt_sandbox *sandbox, int slot,
                    const struct sxt_limits *limits, int theirs[N_FILES],
                    int control, const char **step);
/* Wait until init is gone, and all that was in its jail.  -1: it will not. */
int sxt_sbx_await(struct sxt_sandbox *sandbox, int slot, pid_t init);
/* Start the zygote of a slot unless it runs; end it. */
int sxt_sbx_start_zygote(struct sxt_sandbox *sandbox, int slot,
                         const char **step);
void sxt_sbx_end_zygote(struct sxt_sandbox *sandbox, int slot);

/* battery.c: try the jail out.  Fails with what leaks. */
int sxt_sbx_battery(struct sxt_sandbox *sandbox, struct sxt_error *err);

#endif
