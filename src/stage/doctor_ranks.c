/* doctor_ranks.c - the ranks together: launcher, hosts, cores, clocks, job. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "stage/doctor.h"

/* Ranks that the launcher says there are; 0 if it says nothing. */
static long launched(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                         "MPI_LOCALNRANKS", "PMIX_SIZE" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = getenv(names[i]);
        if (text && atol(text) > 0)
            return atol(text);
    }
    /* srun says so, unless this is the batch script itself. */
    const char *step = getenv("SLURM_STEP_NUM_TASKS");
    const char *id = getenv("SLURM_STEP_ID");
    return step && id && strtol(id, NULL, 10) >= 0 ? atol(step) : 0;
}

void sxt_doctor_mpi(struct sxt_doctor *d)
{
    struct sxt_comm comm = d->run->comm;
    const char *threads = sxt_comm_threads();
    long expected = launched();
    char library[200], sum[SXT_SHA256_TEXT] = "?";

    sxt_comm_library(library, sizeof(library));
    if (strcmp(threads, "single") == 0)
        sxt_doctor_note(d, SXT_PROBLEM,
                        "use an MPI library that was built for threads",
                        "MPI: %s grants no threads", library);
    else
        sxt_doctor_note(d, SXT_FINE, NULL, "MPI: %s, %d rank%s, threads %s",
                        library, comm.size, comm.size == 1 ? "" : "s", threads);
    if (comm.size == 1 && expected > 1)
        sxt_doctor_note(d, SXT_PROBLEM,
                        "launch with the mpirun of this MPI library, or srun "
                        "--mpi=pmix (see srun --mpi=list)",
                        "MPI: the launcher started %ld processes that do not "
                        "know of each other",
                        expected);
    sxt_digest_file("/proc/self/exe", sum, NULL);
    int64_t first = (int64_t)sxt_hash64(sum, strlen(sum), 0) >> 1, mine = first;
    sxt_comm_broadcast(comm, &first, sizeof(first), 0);
    if (first != mine)
        sxt_doctor_note(d, SXT_PROBLEM,
                        "install one build for all nodes and check $PATH on "
                        "each",
                        "MPI: this rank runs another program file than rank 0");
}

/* ---- hosts and cores ---- */

/* What a rank tells the others of itself. */
struct about_rank {
    char host[64];
    int32_t cores, threads; /* that it may run on; that it will start */
    double clock;           /* seconds since 1970, at about the same moment */
};

static struct about_rank describe(struct sxt_comm comm)
{
    struct about_rank me = { .threads = 0 };
    cpu_set_t set;
    struct timespec now;
    const char *threads = getenv("OMP_NUM_THREADS");

    gethostname(me.host, sizeof(me.host) - 1);
    me.cores =
        sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    me.threads = threads && atoi(threads) > 0 ? atoi(threads) : me.cores;
    sxt_comm_barrier(comm);
    clock_gettime(CLOCK_REALTIME, &now);
    me.clock = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    return me;
}

/* Ranks, threads and cores of the node of rank r. */
static void check_host(struct sxt_doctor *d, const struct about_rank *all,
                       int size, int r)
{
    int ranks = 0, threads = 0, bound = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    for (int i = 0; i < size; i++)
        if (strcmp(all[i].host, all[r].host) == 0) {
            ranks++;
            threads += all[i].threads;
            bound += all[i].cores;
        }
    if (threads > cores)
        sxt_doctor_note(d, SXT_WARNING,
                        "set OMP_NUM_THREADS to the cores of a rank, or start "
                        "fewer ranks",
                        "%s: %d ranks with %d threads together on %ld cores",
                        all[r].host, ranks, threads, cores);
    else if (threads * 2 <= cores)
        sxt_doctor_note(d, SXT_WARNING,
                        bound * 2 <= cores
                            ? "let ranks use all cores: mpirun --bind-to none, "
                              "srun --cpu-bind=none, or --cpus-per-task"
                            : "set OMP_NUM_THREADS to the cores of a rank, or "
                              "start more ranks",
                        "%s: %d ranks use %d of %ld cores", all[r].host, ranks,
                        threads, cores);
    else
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "%s: %d rank%s, %d threads on %ld cores", all[r].host,
                        ranks, ranks == 1 ? "" : "s", threads, cores);
}

static void check_clocks(struct sxt_doctor *d, const struct about_rank *all,
                         int size)
{
    double least = all[0].clock, most = all[0].clock;

    for (int i = 1; i < size; i++) {
        least = fmin(least, all[i].clock);
        most = fmax(most, all[i].clock);
    }
    if (size == 1)
        return;
    /* The moments differ by as much as a barrier lets ranks go at different
     * times: a busy node's time slices. */
    if (most - least > 1)
        sxt_doctor_note(d, SXT_WARNING,
                        "let chrony or ntpd set the clocks of all nodes",
                        "clocks: %.1f s apart", most - least);
    else
        sxt_doctor_note(d, SXT_FINE, NULL, "clocks: less than a second apart");
}

void sxt_doctor_ranks(struct sxt_doctor *d)
{
    struct sxt_comm comm = d->run->comm;
    struct about_rank me = describe(comm);
    int first = sxt_comm_rank_on_node(comm) == 0;
    char *all;
    size_t *begin;

    sxt_comm_allgather_bytes(comm, &me, sizeof(me), &all, &begin);
    const struct about_rank *ranks = (const void *)all;
    if (first)
        check_host(d, ranks, comm.size, comm.rank);
    if (comm.rank == 0)
        check_clocks(d, ranks, comm.size);
    free(all);
    free(begin);
}

/* ---- the job ---- */

/* The longest step that RUN's metrics tell of, or 0. */
static double longest_step(const struct sxt_run *run)
{
    char *path = sxt_run_path(run, "metrics.jsonl");
    struct sxt_jsonl *in = sxt_jsonl_open(path, NULL);
    struct sxt_json *line;
    double longest = 0;
    size_t number;

    while (in && sxt_jsonl_next(in, &line, &number, NULL) == 1) {
        double s = sxt_json_number(sxt_json_get(line, "seconds"), 0);
        longest = s > longest ? s : longest;
        sxt_json_free(line);
    }
    if (in)
        sxt_jsonl_close(in);
    free(path);
    return longest;
}

/* What the job script said, else what the configuration says. */
static double lead_of(const struct sxt_doctor *d)
{
    return d->run->lead_s > 0 ? d->run->lead_s : d->v->lead_s;
}

/* The lead must hold a step, and as long again for the checkpoint. */
static void check_lead(struct sxt_doctor *d)
{
    double step = longest_step(d->run), lead = lead_of(d);

    if (step > 0 && lead < 3 * step)
        sxt_doctor_note(d, SXT_WARNING,
                        "sbatch --signal=B:USR1@SECONDS with three steps' time "
                        "or more (and doctor.lead_s, so that it is checked)",
                        "Slurm: signalled %.0f s before the end, but a step of "
                        "the run here took %.1f s",
                        lead, step);
}

void sxt_doctor_slurm(struct sxt_doctor *d)
{
    const char *job = getenv("SLURM_JOB_ID");
    double left, lead = lead_of(d);

    if (d->run->comm.rank != 0)
        return;
    if (!job) {
        sxt_doctor_note(d, SXT_FINE, NULL, "Slurm: this is no job of it");
        return;
    }
    left = d->run->ends - sxt_clock();
    if (d->run->ends == 0)
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "Slurm: job %s; its end is not in the environment",
                        job);
    else if (left < 2 * lead)
        sxt_doctor_note(d, SXT_WARNING, "sbatch -t with more time",
                        "Slurm: job %s has %.0f s left, and is told to stop "
                        "%.0f s before its end",
                        job, left, lead);
    else
        sxt_doctor_note(d, SXT_FINE, NULL, "Slurm: job %s has %.1f h left", job,
                        left / 3600);
    check_lead(d);
}
