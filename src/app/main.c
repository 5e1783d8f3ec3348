/* main.c - start, run one command on all ranks, say how it ended. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/cli.h"
#include "base/file.h"
#include "h5/out.h"
#include "stage/status.h"

static volatile sig_atomic_t stop_asked;
static volatile sig_atomic_t told_at; /* by TERM or INT; tenths of seconds */

/* First signal: finish the step and save.  Second TERM or INT: now; but what
 * comes within a second of the first is the same one, which batch systems and
 * launchers bring to a rank in more than one way. */
static void on_signal(int number)
{
    struct timespec t;

    stop_asked = 1;
    if (number == SIGUSR1)
        return;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int now = (int)(t.tv_sec % 100000000 * 10 + t.tv_nsec / 100000000) + 1;
    if (told_at && now - told_at >= 10)
        _exit(128 + number);
    if (!told_at)
        told_at = now;
}

static void catch_signals(void)
{
    static const int signals[] = { SIGUSR1, SIGTERM, SIGINT };
    struct sigaction action = { .sa_handler = on_signal,
                                .sa_flags = SA_RESTART };

    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        sigaction(signals[i], &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file too large is an error, not a death */
    signal(SIGPIPE, SIG_IGN);
}

/* When the job ends, as rank 0's environment and clock say.  An end long past
 * is a job that got more time.  Collective. */
static void read_job(struct sxt_run *run)
{
    static const double long_s = 600;
    const char *lead = getenv("SEXTANT_LEAD");
    const char *end = getenv("SEXTANT_END_TIME");
    double job[2] = { -INFINITY, lead ? strtod(lead, NULL) : 0 };

    if (!end)
        end = getenv("SLURM_JOB_END_TIME");
    if (end)
        job[0] = difftime((time_t)strtoll(end, NULL, 10), time(NULL));
    sxt_comm_broadcast(run->comm, job, sizeof(job), 0);
    run->ends = job[0] > -long_s ? sxt_clock() + job[0] : 0;
    run->lead_s = job[1];
}

static int prepare(const struct sxt_cli *cli, struct sxt_run *run,
                   void **values, struct sxt_str *config, struct sxt_error *err)
{
    int rc = sxt_cli_values(cli, values, err);

    if (sxt_comm_agree(run->comm, rc, err) != 0)
        return -1;
    sxt_cfg_print(&cli->stage->section, *values, config);
    run->config = config->data;
    sxt_comm_assert_same(run->comm, config->data, config->len);
    rc = run->comm.rank == 0 && !cli->dry_run
             ? sxt_file_mkdirs(cli->out_dir, err)
             : 0;
    return sxt_comm_agree(run->comm, rc, err);
}

static void report(const struct sxt_cli *cli, const struct sxt_run *run,
                   const void *values, const struct sxt_error *err)
{
    char *hint = sxt_cli_hint(cli->stage, values, run, err);

    sxt_log(&run->log, SXT_LOG_ERROR, "%s%s", err->text, hint);
    free(hint);
}

/* Launchers give ranks a terminal to write to that is none; stderr is then a
 * pipe. */
static bool is_live(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && term &&
           strcmp(term, "dumb") != 0;
}

static int run_command(const struct sxt_cli *cli, struct sxt_comm comm)
{
    struct sxt_error err = { 0 };
    struct sxt_str config = SXT_STR_EMPTY;
    struct sxt_run run = {
        .comm = comm,
        .log = { cli->stage->answers ? stderr : stdout, cli->level,
                 comm.rank == 0, cli->stage->section.name, is_live() },
        .command_line = cli->line,
        .config_path = cli->config,
        .settings = cli->settings,
        .n_settings = cli->n_settings,
        .out_dir = cli->out_dir,
        .args = cli->operands,
        .n_args = cli->n_operands,
        .dry_run = cli->dry_run,
        .stop = &stop_asked,
    };
    void *values = NULL;
    read_job(&run);
    int rc = prepare(cli, &run, &values, &config, &err);

    if (rc == 0)
        rc = sxt_status_run(&run, cli->stage, values, &err);
    if (rc != 0 && err.code == SXT_EXIT_AGAIN)
        sxt_log(&run.log, SXT_LOG_INFO,
                "stopped cleanly: %s; the same command goes on", err.text);
    else if (rc != 0)
        report(cli, &run, values, &err);
    sxt_cfg_free(&cli->stage->section, values);
    sxt_str_free(&config);
    return rc == 0 ? 0 : err.code != 0 ? err.code : SXT_EXIT_BUG;
}

int main(int argc, char **argv)
{
    struct sxt_cli cli = { 0 };
    int code = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (sxt_cli_parse(&cli, argc, argv, &code) != 0) {
        sxt_cli_free(&cli);
        return code;
    }
    catch_signals(); /* first: one that comes during the start counts too */
    sxt_h5_start();
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    code = run_command(&cli, comm);
    sxt_cli_free(&cli);
    sxt_comm_finalize();
    return code;
}
