/* doctor_machine.c - what one node offers: memory, processor, limits, sandbox.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dev/dev.h"
#include "dev/nvml.h"
#include "num/ops.h"
#include "sbx/sandbox.h"
#include "stage/doctor.h"

static const double gib = 1024. * 1024 * 1024;

/* One rank speaks for its node; all take part. */
static bool speaks(const struct sxt_doctor *d)
{
    return sxt_comm_rank_on_node(d->run->comm) == 0;
}

void sxt_doctor_memory(struct sxt_doctor *d)
{
    int ranks = sxt_comm_on_node(d->run->comm);
    double physical =
        (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / gib;
    struct sxt_dev *dev = sxt_dev_create("host", NULL);
    double room = dev ? (double)sxt_dev_room(dev, 1) / gib : physical;
    double each = room / ranks;
    const char *cure = "end what else runs here, or ask the job for more "
                       "memory (sbatch --mem)";

    sxt_dev_destroy(dev);
    if (!speaks(d))
        return;
    if (each < 0.25)
        sxt_doctor_note(d, SXT_PROBLEM, cure,
                        "memory: %.2f GiB are free for each of %d ranks", each,
                        ranks);
    else if (each < 2 || room < physical / 10)
        sxt_doctor_note(d, SXT_WARNING, cure,
                        "memory: %.1f of %.1f GiB are free under this job's "
                        "limits, %.1f for each of %d ranks",
                        room, physical, each, ranks);
    else
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "memory: %.1f of %.1f GiB are free under this job's "
                        "limits, %.1f for each of %d ranks",
                        room, physical, each, ranks);
}

void sxt_doctor_processor(struct sxt_doctor *d)
{
    struct sxt_error err = { 0 };
    struct sxt_dev *dev = sxt_dev_create("host", &err);
    struct sxt_num *num = dev ? sxt_num_create("auto", dev, 0, &err) : NULL;
    char text[200];

    if (!num) {
        sxt_doctor_note(d, SXT_PROBLEM, "configure for this processor",
                        "kernels: %s", err.text);
    } else {
        sxt_num_describe(num, text);
        if (strcmp(num->op.name, "ref") == 0)
            sxt_doctor_note(
                d, SXT_WARNING, "use a processor with AVX2, or a GPU",
                "kernels: only the slow reference works here: %s", text);
        else
            sxt_doctor_note(d, SXT_FINE, NULL, "kernels: %s", text);
    }
    sxt_num_destroy(num);
    sxt_dev_destroy(dev);
#if defined(__x86_64__)
    sxt_doctor_note(d, SXT_FINE, NULL, "processor:%s%s%s%s",
                    __builtin_cpu_supports("avx2") ? " AVX2" : " no AVX2",
                    __builtin_cpu_supports("fma") ? " FMA" : "",
                    __builtin_cpu_supports("avx512f") ? " AVX-512" : "",
                    __builtin_cpu_supports("avx512bf16") ? " AVX-512-BF16"
                                                         : "");
#endif
}

void sxt_doctor_gpus(struct sxt_doctor *d)
{
    struct sxt_str lines = SXT_STR_EMPTY;
    const char *seen = getenv("CUDA_VISIBLE_DEVICES");
    bool first = speaks(d);
    int n = first ? sxt_nvml_list(&lines) : 0;

    if (!first) {
        /* the node's first rank has said it */
    } else if (n < 0) {
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "GPUs: no NVIDIA driver, processors are used");
    } else if (n == 0) {
        sxt_doctor_note(d, SXT_FINE, NULL, "GPUs: the driver sees none");
    } else {
#ifdef HAVE_CUDA
        enum sxt_finding level = SXT_FINE;
        const char *cure = NULL;
#else
        enum sxt_finding level = SXT_WARNING;
        const char *cure = "this build computes on processors; configure "
                           "--with-cuda to use them";
#endif
        sxt_doctor_note(d, level, cure, "GPUs: %d%s%s: %s", n,
                        seen ? ", of them visible " : "", seen ? seen : "",
                        lines.data);
    }
    sxt_str_free(&lines);
}

/* ---- limits of a process ---- */

struct bound {
    int which;
    const char *name;
    double problem, warning; /* if the soft limit is below */
    const char *cure;
};

static const struct bound bounds[] = {
    { RLIMIT_NOFILE, "open files (ulimit -n)", 128, 512,
      "ulimit -n 4096 before the launch" },
    { RLIMIT_NPROC, "processes (ulimit -u)", 128, 1024,
      "ulimit -u 4096 before the launch; threads count, and programs being "
      "graded" },
    { RLIMIT_STACK, "stack, bytes (ulimit -s)", 1 << 20, 4 << 20,
      "ulimit -s 8192 before the launch" },
    { RLIMIT_FSIZE, "size of a file, bytes (ulimit -f)", 1e9, 1e12,
      "ulimit -f unlimited before the launch: a checkpoint is one file" },
    { RLIMIT_AS, "address space, bytes (ulimit -v)", 4e9, 64e9,
      "ulimit -v unlimited before the launch; bound memory by the job" },
};

void sxt_doctor_limits(struct sxt_doctor *d)
{
    bool good = true;
    struct rlimit r;

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        const struct bound *b = &bounds[i];
        if (getrlimit(b->which, &r) != 0 || r.rlim_cur == RLIM_INFINITY ||
            (double)r.rlim_cur >= b->warning)
            continue;
        good = false;
        sxt_doctor_note(
            d, (double)r.rlim_cur < b->problem ? SXT_PROBLEM : SXT_WARNING,
            b->cure, "limit: %" PRIu64 " %s", (uint64_t)r.rlim_cur, b->name);
    }
    if (getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == RLIM_INFINITY)
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "limit: a crash writes all its memory to a core file "
                        "(ulimit -c 0 prevents that)");
    if (good)
        sxt_doctor_note(d, SXT_FINE, NULL,
                        "limits: files, processes, stack, file size and "
                        "address space are wide enough");
}

/* ---- locale, sandbox ---- */

void sxt_doctor_locale(struct sxt_doctor *d)
{
    locale_t here = newlocale(LC_ALL_MASK, "", (locale_t)0);

    if (!here) {
        sxt_doctor_note(d, SXT_WARNING, "export LC_ALL=C.UTF-8",
                        "locale: the one that the environment names is not "
                        "installed");
        return;
    }
    const char *codes = nl_langinfo_l(CODESET, here);
    sxt_doctor_note(d, SXT_FINE, NULL, "locale: %s%s", codes,
                    strcmp(codes, "UTF-8") == 0
                        ? ""
                        : "; files are UTF-8 in any case, a terminal may not "
                          "show all of them");
    freelocale(here);
}

void sxt_doctor_sandbox(struct sxt_doctor *d)
{
    struct sxt_sandbox_options options = { .python = d->v->python,
                                           .wrapper = d->v->wrapper,
                                           .accept_reduced = true };
    struct sxt_error err = { 0 };
    struct sxt_sandbox *sandbox;

    if (!d->v->sandbox || !speaks(d))
        return;
    sandbox = sxt_sandbox_create(&options, &err);
    if (!sandbox)
        sxt_doctor_note(d, SXT_PROBLEM,
                        "see doc/sandbox.md, or doctor.sandbox=false on nodes "
                        "that never grade code",
                        "sandbox: %s", err.text);
    else if (sxt_sandbox_tier(sandbox) == SXT_SANDBOX_REDUCED)
        sxt_doctor_note(d, SXT_WARNING,
                        "have user namespaces enabled "
                        "(user.max_user_namespaces), name a wrapper, or accept "
                        "this tier when grading",
                        "sandbox: %s", sxt_sandbox_describe(sandbox));
    else
        sxt_doctor_note(d, SXT_FINE, NULL, "sandbox: %s",
                        sxt_sandbox_describe(sandbox));
    sxt_sandbox_destroy(sandbox);
}
