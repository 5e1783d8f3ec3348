/* sandbox.c - find out what this node offers and make the strongest jail. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sbx/jail.h"

enum { LANDLOCK_TRUNCATE = 3 }; /* first ABI that guards every way to write */

static const struct {
    unsigned long flag;
    const char *name;
    bool needed;
} spaces[] = {
    { CLONE_NEWUSER, "user", true }, { CLONE_NEWNS, "mount", true },
    { CLONE_NEWPID, "pid", true },   { CLONE_NEWIPC, "ipc", true },
    { CLONE_NEWUTS, "uts", false },  { CLONE_NEWCGROUP, "cgroup", false },
    { CLONE_NEWNET, "net", false },
};
enum { N_SPACES = sizeof(spaces) / sizeof(*spaces) };

/* Can this process make these namespaces? */
static bool can_clone(unsigned long flags)
{
    pid_t pid = sxt_sbx_clone(flags);

    if (pid == 0)
        _exit(0);
    if (pid < 0)
        return false;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return true;
}

/* Sites forbid some namespaces and not others: ask for each. */
static int find_namespaces(struct sxt_sandbox *sandbox, struct sxt_error *err)
{
    sandbox->namespaces = 0;
    for (size_t i = 0; i < N_SPACES; i++) {
        unsigned long more = sandbox->namespaces | spaces[i].flag;
        if (can_clone(more))
            sandbox->namespaces = more;
        else if (spaces[i].needed)
            return sxt_err_errno(
                err, SXT_EXIT_NOSANDBOX,
                "no sandbox: the kernel refuses a %s namespace; an "
                "administrator would set user.max_%s_namespaces above 0 "
                "(and, where they exist, kernel.unprivileged_userns_clone=1, "
                "kernel.apparmor_restrict_unprivileged_userns=0)",
                spaces[i].name, i == 1 ? "mnt" : spaces[i].name);
    }
    return 0;
}

/* Are we a root that can make itself nobody?  Root of a user namespace with
 * one user cannot, and is an ordinary user outside. */
static bool can_become_nobody(void)
{
    unsigned long inside, outside, n;
    bool found = false;
    FILE *map = geteuid() == 0 ? fopen("/proc/self/uid_map", "re") : NULL;

    if (!map)
        return false;
    while (!found && fscanf(map, "%lu %lu %lu", &inside, &outside, &n) == 3)
        found = inside <= NOBODY && NOBODY - inside < n;
    fclose(map);
    return found;
}

/* Root of a user namespace whose one user is the machine's root: the kernel
 * holds that user to no process limit, so a fork bomb would win. */
static bool is_unlimited_root(void)
{
    unsigned long inside = 1, outside = 1;
    FILE *map = geteuid() == 0 ? fopen("/proc/self/uid_map", "re") : NULL;

    if (!map)
        return false;
    bool read = fscanf(map, "%lu %lu", &inside, &outside) == 2;
    fclose(map);
    return read && inside == 0 && outside == 0 && !can_become_nobody();
}

static void describe(struct sxt_sandbox *sandbox)
{
    struct sxt_str s = SXT_STR_EMPTY;

    sxt_str_add(&s, "%s:", sxt_sandbox_tier_name(sandbox));
    if (sandbox->tier == SXT_SANDBOX_EXTERNAL)
        sxt_str_add(&s, " %s,", sandbox->wrapped[0]);
    for (size_t i = 0; i < N_SPACES; i++)
        if (sandbox->namespaces & spaces[i].flag)
            sxt_str_add(&s, " %s", spaces[i].name);
    sxt_str_add(&s, "%s", sandbox->namespaces ? " namespaces" : "");
    if (sandbox->landlock)
        sxt_str_add(&s, "%s Landlock ABI %d", sandbox->namespaces ? "," : "",
                    sandbox->landlock);
    sxt_str_add(&s, ", system call filter; Python %s at %s, %s",
                sandbox->version, sandbox->python,
                sandbox->anew ? "started for each program" : "started once");
    free(sandbox->describe);
    sandbox->describe = sxt_strndup(s.data, s.len);
    sxt_str_free(&s);
}

/* With zygotes if they start and hold; then without. */
static int try_out(struct sxt_sandbox *sandbox, bool anew,
                   struct sxt_error *err)
{
    const char *step;

    sandbox->anew = anew || sxt_sbx_start_zygote(sandbox, 0, &step) != 0;
    if (sxt_sbx_battery(sandbox, err) == 0)
        return 0;
    if (sandbox->anew)
        return -1;
    for (int i = 0; i < 2; i++)
        sxt_sbx_end_zygote(sandbox, i);
    return try_out(sandbox, true, err);
}

static int try_full(struct sxt_sandbox *sandbox, bool anew,
                    struct sxt_error *err)
{
    sandbox->tier = SXT_SANDBOX_FULL;
    if (find_namespaces(sandbox, err) != 0 ||
        sxt_sbx_make_filter(sandbox, err) != 0)
        return -1;
    /* Root has the right to map two users, unless a container took it. */
    sandbox->two_ids = can_become_nobody();
    if (try_out(sandbox, anew, err) == 0)
        return 0;
    if (!sandbox->two_ids)
        return -1;
    sandbox->two_ids = false;
    return try_out(sandbox, anew, err);
}

static int try_reduced(struct sxt_sandbox *sandbox, bool anew,
                       struct sxt_error *err)
{
    sandbox->tier = SXT_SANDBOX_REDUCED;
    sandbox->namespaces = 0;
    sandbox->two_ids = can_become_nobody();
    free(sandbox->filter);
    sandbox->filter = NULL;
    if (sandbox->landlock < LANDLOCK_TRUNCATE)
        return sxt_err(err, SXT_EXIT_NOSANDBOX,
                       "the reduced tier needs Landlock ABI %d (Linux 6.2 and "
                       "\"landlock\" in the kernel's lsm= list), this kernel "
                       "has %d",
                       LANDLOCK_TRUNCATE, sandbox->landlock);
    if (sxt_sbx_make_filter(sandbox, err) != 0)
        return -1;
    return try_out(sandbox, anew, err);
}

/* Zygotes only: the wrapper makes a jail around each. */
static int try_external(struct sxt_sandbox *sandbox, const char *wrapper,
                        struct sxt_error *err)
{
    const char *step;

    sandbox->tier = SXT_SANDBOX_EXTERNAL;
    sandbox->namespaces = 0;
    sandbox->anew = false;
    sandbox->two_ids = can_become_nobody();
    free(sandbox->filter);
    sandbox->filter = NULL;
    if (sxt_sbx_make_filter(sandbox, err) != 0)
        return -1;
    sxt_sbx_wrap(sandbox, wrapper);
    if (sxt_sbx_start_zygote(sandbox, 0, &step) != 0)
        return sxt_err(err, SXT_EXIT_NOSANDBOX,
                       "no interpreter started inside \"%s\": it must run %s "
                       "there with the files 0 to 8 and the environment that "
                       "it is given, and with an own /proc",
                       wrapper, sandbox->python);
    int rc = sxt_sbx_battery(sandbox, err);
    for (int i = 0; i < 2 && rc != 0; i++)
        sxt_sbx_end_zygote(sandbox, i);
    return rc;
}

/* The full tier, else a wrapper's if one is named, else the reduced one if it
 * was asked for, else nothing. */
static int choose_tier(struct sxt_sandbox *sandbox,
                       const struct sxt_sandbox_options *options,
                       struct sxt_error *err)
{
    struct sxt_error full = { 0 }, reduced = { 0 };
    bool wrapper = options->wrapper && options->wrapper[0];

    if (try_full(sandbox, options->anew, &full) == 0)
        return 0;
    if (wrapper && try_external(sandbox, options->wrapper, &reduced) == 0)
        return 0;
    if (wrapper && !options->accept_reduced)
        return sxt_err(err, SXT_EXIT_NOSANDBOX,
                       "%.900s; nor does the wrapper give one: %.900s",
                       full.text, reduced.text);
    if (!options->accept_reduced) {
        if (err)
            *err = full;
        return -1;
    }
    if (try_reduced(sandbox, options->anew, &reduced) == 0)
        return 0;
    return sxt_err(err, SXT_EXIT_NOSANDBOX,
                   "%.900s; nor is there a reduced "
                   "one: %.900s",
                   full.text, reduced.text);
}

struct sxt_sandbox *sxt_sandbox_create(
    const struct sxt_sandbox_options *options, struct sxt_error *err)
{
    struct sxt_sandbox *sandbox = sxt_calloc(1, sizeof(*sandbox));

    if (is_unlimited_root()) {
        sxt_err(err, SXT_EXIT_NOSANDBOX,
                "no sandbox: this user is the machine's root, alone in its "
                "user namespace, and the kernel holds it to no process limit; "
                "run as an ordinary user, or as root outside the namespace");
        sxt_sandbox_destroy(sandbox);
        return NULL;
    }
    sandbox->landlock = sxt_sbx_landlock_abi();
    if (sxt_sbx_find_python(sandbox, options->python, err) != 0 ||
        choose_tier(sandbox, options, err) != 0) {
        sxt_sandbox_destroy(sandbox);
        return NULL;
    }
    describe(sandbox);
    return sandbox;
}

void sxt_sandbox_destroy(struct sxt_sandbox *sandbox)
{
    if (!sandbox)
        return;
    for (int i = 0; i < 2; i++)
        sxt_sbx_end_zygote(sandbox, i);
    for (size_t i = 0; i < sandbox->n_binds; i++) {
        free(sandbox->binds[i].path);
        free(sandbox->binds[i].target);
    }
    free(sandbox->binds);
    free(sandbox->filter);
    free(sandbox->python);
    free(sandbox->version);
    for (char **word = sandbox->wrapped; word && *word; word++)
        free(*word);
    free(sandbox->wrapped);
    free(sandbox->boot);
    free(sandbox->zygote_boot);
    free(sandbox->describe);
    free(sandbox);
}

enum sxt_sandbox_tier sxt_sandbox_tier(const struct sxt_sandbox *sandbox)
{
    return sandbox->tier;
}

const char *sxt_sandbox_tier_name(const struct sxt_sandbox *sandbox)
{
    static const char *const names[] = { "full", "external", "reduced" };

    return names[sandbox->tier];
}

const char *sxt_sandbox_describe(const struct sxt_sandbox *sandbox)
{
    return sandbox->describe;
}
