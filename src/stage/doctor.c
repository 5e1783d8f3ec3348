/* doctor.c - is this machine fit for a run?  What is not, and the cure. */
#include "stage/doctor.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage/stages.h"

#define AT(field) offsetof(struct sxt_doctor_values, field)
static const struct sxt_cfg_param params[] = {
    { "sandbox", SXT_CFG_BOOL, "true", 0, 0, "1",
      "Try the sandbox: code is going to be graded here.", AT(sandbox), NULL,
      NULL },
    { "python", SXT_CFG_STRING, "", 0, 0, "1",
      "Interpreter for programs; empty: python3 of $PATH.", AT(python), NULL,
      NULL },
    { "wrapper", SXT_CFG_STRING, "", 0, 0, "1", "As grading.wrapper.",
      AT(wrapper), NULL, NULL },
    { "write_mib", SXT_CFG_INT, "4", 1, 4096, "MiB",
      "What each rank writes to try the file system.", AT(write_mib), NULL,
      NULL },
    { "need_gb", SXT_CFG_REAL, "10", 0, 1e9, "GB",
      "Warn if less than this is free on the disk.", AT(need_gb), NULL, NULL },
    { "lead_s", SXT_CFG_REAL, "180", 0, 1e6, "s",
      "How long before its end the job is signalled, as in sbatch "
      "--signal=B:USR1@180.",
      AT(lead_s), NULL, NULL },
    { .name = NULL }
};

void sxt_doctor_note(struct sxt_doctor *d, enum sxt_finding level,
                     const char *cure, const char *format, ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    sxt_str_add(&d->findings, "%d%s\t%s\n", (int)level, text, cure ? cure : "");
}

/* One line of findings, of the ranks that have it. */
static void tell(struct sxt_doctor *d, const char *line, const char *who)
{
    static const char *const words[] = { "ok", "warning", "PROBLEM" };
    int level = line[0] - '0';
    const char *tab = strchr(line, '\t');
    const char *cure = tab + 1, *end = strchr(line, '\n');
    enum sxt_log_level loud = level == SXT_FINE ? SXT_LOG_INFO : SXT_LOG_WARN;
    struct sxt_log log = d->run->log;

    if (log.level >= loud) { /* all in one place, in their order */
        log.level = SXT_LOG_INFO;
        sxt_log(&log, SXT_LOG_INFO, "%-7s  %.*s%s", words[level],
                (int)(tab - line - 1), line + 1, who);
        if (end > cure)
            sxt_log(&log, SXT_LOG_INFO, "         cure: %.*s",
                    (int)(end - cure), cure);
    }
    d->warnings += level == SXT_WARNING;
    d->problems += level == SXT_PROBLEM;
}

/* Does a rank's part of all findings hold this line? */
static bool has_line(const char *all, size_t begin, size_t end,
                     const char *line, size_t n)
{
    for (size_t at = begin; at < end;) {
        size_t len = (size_t)(strchr(all + at, '\n') + 1 - (all + at));
        if (len == n && memcmp(all + at, line, n) == 0)
            return true;
        at += len;
    }
    return false;
}

/* " (rank 0 3 4 …)"; empty if all have it, or if one speaks for the only node.
 */
static char *name_ranks(const struct sxt_doctor *d, const char *all,
                        const size_t *begin, const char *line, size_t n)
{
    struct sxt_str who = SXT_STR_EMPTY;
    int size = d->run->comm.size, found = 0;

    sxt_str_add(&who, "%s", "");
    for (int r = 0; r < size; r++)
        if (has_line(all, begin[r], begin[r + 1], line, n)) {
            if (found++ < 8)
                sxt_str_add(&who, "%s%d", found == 1 ? "  (rank " : " ", r);
        }
    sxt_str_add(&who, found > 8 ? " and %d more)" : ")", found - 8);
    if (found == size || (d->one_speaks && d->nodes == 1))
        sxt_str_cut(&who, 0);
    return who.data;
}

/* Bring all ranks' findings together and tell each once.  Collective. */
static void tell_all(struct sxt_doctor *d)
{
    char *all;
    size_t *begin;
    int size = d->run->comm.size;

    sxt_str_add(&d->findings, "%s", "");
    sxt_comm_allgather_bytes(d->run->comm, d->findings.data, d->findings.len,
                             &all, &begin);
    char *text = sxt_strndup(all, begin[size]);
    for (int r = 0; r < size; r++)
        for (size_t at = begin[r]; at < begin[r + 1];) {
            size_t n = (size_t)(strchr(text + at, '\n') + 1 - (text + at));
            if (!has_line(text, 0, begin[r], text + at, n)) {
                char *who = name_ranks(d, text, begin, text + at, n);
                tell(d, text + at, who);
                free(who);
            }
            at += n;
        }
    free(text);
    free(all);
    free(begin);
    sxt_str_cut(&d->findings, 0);
}

static int run_doctor(struct sxt_run *run, const void *values,
                      struct sxt_error *err)
{
    static const struct {
        void (*check)(struct sxt_doctor *d);
        bool one_speaks; /* for its node, or for all */
    } checks[] = {
        { sxt_doctor_mpi, false },    { sxt_doctor_ranks, true },
        { sxt_doctor_slurm, true },   { sxt_doctor_processor, false },
        { sxt_doctor_gpus, true },    { sxt_doctor_memory, true },
        { sxt_doctor_limits, false }, { sxt_doctor_disk, true },
        { sxt_doctor_locale, false }, { sxt_doctor_sandbox, true },
    };
    struct sxt_doctor d = { .run = run, .v = values };

    d.nodes = sxt_comm_sum(run->comm, sxt_comm_rank_on_node(run->comm) == 0);
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        checks[i].check(&d);
        d.one_speaks = checks[i].one_speaks;
        tell_all(&d);
    }
    sxt_str_free(&d.findings);
    sxt_log(&run->log, SXT_LOG_INFO,
            "%" PRId64 " problems, %" PRId64 " warnings", d.problems,
            d.warnings);
    if (d.problems > 0)
        return sxt_err(err, SXT_EXIT_UNAVAILABLE,
                       "%" PRId64 " problem%s to be cured before a run",
                       d.problems, d.problems == 1 ? "" : "s");
    return 0;
}

const struct sxt_stage sxt_stage_doctor = {
    .section = { "doctor",
                 "Check machine, MPI, file system and sandbox for a run.",
                 params, sizeof(struct sxt_doctor_values) },
    .operands = "",
    .run = run_doctor,
};
