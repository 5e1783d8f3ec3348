/* mathclosed.c - hard comparisons, with bounds around the library. */
#define _GNU_SOURCE
#include "task/mathclosed.h"

#ifdef HAVE_FLINT

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "task/mathcalcium.h"

enum {
    MAX_NODES = 256, /* both trees */
    MAX_MEMORY = 48, /* MiB beyond what the process has */
    ENOUGH_POINTS = 4,
    FORK_US = 2000,  /* taken off for a child beside its own time */
    EXIT_EQUAL = 40, /* a code that no crash has */
    EXIT_DIFFERENT
};

static size_t size_of(const struct sxt_math_node *n)
{
    const struct sxt_math_node *c = n->child;
    size_t size = 1;

    for (size_t i = 0; i < n->count && size <= MAX_NODES; i++, c = c->next)
        size += size_of(c);
    return size;
}

static enum sxt_math_verdict work(const struct sxt_math_node *a,
                                  const struct sxt_math_node *b)
{
    bool constant = !sxt_math_has_names(a) && !sxt_math_has_names(b);
    bool complex =
        constant || sxt_math_has_name(a, "i") || sxt_math_has_name(b, "i");
    int same = 0, needed = constant ? 1 : ENOUGH_POINTS;

    for (int k = 0; k < (constant ? 1 : SXT_CALCIUM_POINTS); k++) {
        enum sxt_calcium_outcome o = sxt_mathcalcium(a, b, k, complex);
        if (o == SXT_CALCIUM_DIFFER)
            return SXT_MATH_DIFFERENT;
        if (o == SXT_CALCIUM_UNKNOWN)
            return SXT_MATH_UNDECIDED;
        same += o == SXT_CALCIUM_SAME;
    }
    return same >= needed ? SXT_MATH_EQUAL : SXT_MATH_UNDECIDED;
}

static void limit_memory(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (!statm)
        return;
    if (fscanf(statm, "%lu", &pages) == 1) {
        rlim_t size =
            pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)MAX_MEMORY << 20);
        setrlimit(RLIMIT_AS, &(struct rlimit){ size, size });
    }
    fclose(statm);
}

/* In the child: signals as at birth, a quiet death at any limit. */
static void confine(double budget_s)
{
    static const int fatal[] = { SIGPROF, SIGABRT, SIGSEGV, SIGFPE, SIGTERM };
    struct itimerval limit = {
        .it_value = { (time_t)budget_s,
                      (suseconds_t)(1e6 * (budget_s - floor(budget_s))) }
    };
    int null = open("/dev/null", O_WRONLY);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    if (null >= 0)
        dup2(null, STDERR_FILENO); /* FLINT says why it aborts */
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        signal(fatal[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    limit_memory();
    setitimer(ITIMER_PROF, &limit, NULL);
}

/* The verdict that a dead child leaves; what it used is taken off. */
static enum sxt_math_verdict outcome(pid_t child, double *budget_s)
{
    struct rusage used;
    int status = 0;

    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            return SXT_MATH_UNDECIDED;
    *budget_s -= (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec +
                                 FORK_US);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_EQUAL)
        return SXT_MATH_EQUAL;
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DIFFERENT
               ? SXT_MATH_DIFFERENT
               : SXT_MATH_UNDECIDED;
}

enum sxt_math_verdict sxt_mathclosed(const struct sxt_math_node *a,
                                     const struct sxt_math_node *b,
                                     double *budget_s)
{
    enum sxt_math_verdict v;

    if (*budget_s < 1e-3 || size_of(a) + size_of(b) > MAX_NODES)
        return SXT_MATH_UNDECIDED;
    pid_t child = fork();
    if (child < 0)
        return SXT_MATH_UNDECIDED;
    if (child > 0)
        return outcome(child, budget_s);
    confine(*budget_s);
    v = work(a, b);
    _exit(v == SXT_MATH_EQUAL       ? EXIT_EQUAL
          : v == SXT_MATH_DIFFERENT ? EXIT_DIFFERENT
                                    : 0);
}

#else

enum sxt_math_verdict sxt_mathclosed(const struct sxt_math_node *a,
                                     const struct sxt_math_node *b,
                                     double *budget_s)
{
    (void)a;
    (void)b;
    (void)budget_s;
    return SXT_MATH_UNDECIDED;
}

#endif
