/* sandbox.c - what a test in the sandbox costs beside the program's own time.
 *
 * usage: sandbox [TESTS [anew]]
 *
 * Programs that read a number and print its square, one after the other, all
 * processes on one core.  The cost is a run's wall time less the CPU time of
 * the program; the rate by CPU time is what one core does when it has nothing
 * else to do. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "sbx/sandbox.h"

struct sample {
    double wall, cost;
};

static double cpu_of(int who)
{
    struct rusage u;

    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int by_cost(const void *a, const void *b)
{
    double x = ((const struct sample *)a)->cost;
    double y = ((const struct sample *)b)->cost;

    return (x > y) - (x < y);
}

static int by_wall(const void *a, const void *b)
{
    double x = ((const struct sample *)a)->wall;
    double y = ((const struct sample *)b)->wall;

    return (x > y) - (x < y);
}

static struct sample run(struct sxt_sandbox *sandbox)
{
    const struct sxt_job job = {
        .program = sxt_span("print(int(input()) ** 2)\n"),
        .input = sxt_span("12\n"),
        .limits = sxt_limits_default(),
    };
    struct sxt_result res;
    struct sample s;

    sxt_sandbox_run(sandbox, &job, &res);
    if (res.status != SXT_RUN_EXITED || res.code != 0 ||
        strcmp(res.out.data, "144\n") != 0) {
        fprintf(stderr, "sandbox: wrong result: %s\n", res.trouble);
        exit(1);
    }
    s = (struct sample){ res.wall_s, res.wall_s - res.cpu_s };
    sxt_result_free(&res);
    return s;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 500;
    struct sxt_sandbox_options options = { .python = getenv("PYTHON3"),
                                           .anew = argc > 2 };
    struct sample *samples = sxt_alloc((size_t)n, sizeof(*samples));
    struct sxt_error err = { 0 };
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    struct sxt_sandbox *sandbox = sxt_sandbox_create(&options, &err);
    if (!sandbox) {
        fprintf(stderr, "sandbox: %s\n", err.text);
        return err.code;
    }
    fprintf(stderr, "%s\n", sxt_sandbox_describe(sandbox));
    double before = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
    double start = sxt_clock();
    for (int i = 0; i < n; i++)
        samples[i] = run(sandbox);
    double wall = sxt_clock() - start;
    sxt_sandbox_destroy(sandbox); /* the zygotes' time counts from here */
    double cpu = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) - before;
    qsort(samples, (size_t)n, sizeof(*samples), by_wall);
    printf("wall_median_ms %.2f", samples[n / 2].wall * 1e3);
    qsort(samples, (size_t)n, sizeof(*samples), by_cost);
    printf("  cost_median_ms %.2f  cpu_ms %.2f  tests_per_s %.0f  "
           "tests_per_cpu_s %.0f\n",
           samples[n / 2].cost * 1e3, cpu / n * 1e3, n / wall, n / cpu);
    free(samples);
    return 0;
}
