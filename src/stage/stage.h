/* stage.h - a command: files in, files out, one section of parameters. */
#ifndef SXT_STAGE_STAGE_H
#define SXT_STAGE_STAGE_H

#include <signal.h>
#include <stdbool.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "h5/out.h"
#include "par/comm.h"

struct sxt_status; /* status.h */

/* What main hands to a command. */
struct sxt_run {
    struct sxt_comm comm;
    struct sxt_log log;
    const char *command_line;
    const char *config;          /* the resolved section, a valid input file */
    const char *config_path;     /* the file it came from, NULL: none */
    const char *const *settings; /* -s, as they were written */
    size_t n_settings;
    const char *out_dir; /* -o, "." by default: the files of the run */
    char *const *args;   /* operands: paths as the shell has them */
    size_t n_args;
    bool dry_run;       /* -n: check everything, write nothing */
    const char *hashed; /* sxt_prov_hash of its inputs, where a command makes
                           several files from the same; NULL: each asks */
    struct sxt_status *status; /* rank 0: the record it keeps; NULL: none */
    /* Set by USR1, TERM, INT: finish the step, save, return 75.  Local: ranks
     * agree before they act (sxt_run_stops). */
    volatile sig_atomic_t *stop;
    double ends;   /* when the job does, on sxt_clock(); 0: nobody said */
    double lead_s; /* how long before that it is signalled; 0: unknown */
};

/* Why a run stops; of several reasons the last one is told. */
enum sxt_stop { SXT_STOP_NOT, SXT_STOP_TIME, SXT_STOP_FILE, SXT_STOP_SIGNAL };

struct sxt_stage {
    struct sxt_cfg_section section; /* name, doc, params, size */
    const char *operands;           /* for --help, "" if none */
    /* values: the section's struct.  Collective.  Returns 0, or -1 with err;
     * SXT_EXIT_AGAIN is the code of a clean stop. */
    int (*run)(struct sxt_run *run, const void *values, struct sxt_error *err);
    /* Do the values ask for something only, and no output is made?  NULL: no.
     */
    bool (*asks)(const void *values);
    bool answers; /* its result is what it prints: the log goes to stderr */
};

/* All commands, ends with NULL. */
extern const struct sxt_stage *const sxt_stages[];

/* A path in a parameter, by one rule for inputs and outputs: a name without a
 * slash is a file of the run, DIR/NAME; what has a slash is a path like any
 * other ("./NAME" starts at the working directory).  Caller frees. */
char *sxt_run_path(const struct sxt_run *run, const char *name);
/* What an output is made from; the pipeline makes it anew when one changes. */
struct sxt_sources {
    char **path;
    size_t n;
};
/* Add the path of a parameter's file; nothing if the name is empty. */
void sxt_sources_add(struct sxt_sources *sources, const struct sxt_run *run,
                     const char *name);
void sxt_sources_free(struct sxt_sources *sources);
/* The file of a message: "sky-t1" is prompts/sky-t1.txt, which comes with the
 * program; what has a dot or a slash is a path.  Caller frees. */
char *sxt_run_prompt(const struct sxt_run *run, const char *name);
/* Seconds of the job that are left for work, INFINITY where nobody said; some
 * are kept back for the program's own end. */
double sxt_run_left(const struct sxt_run *run);
/* Must the run stop: was any rank told to, is there DIR/STOP, or are less than
 * need_s seconds left?  The same on every rank.  Collective. */
enum sxt_stop sxt_run_stops(const struct sxt_run *run, double need_s);
/* The same for a rank that works by itself, as it sees it.  *looked: when it
 * looked for the file, 0 at first; it does so once a second. */
enum sxt_stop sxt_run_told(const struct sxt_run *run, double *looked,
                           double need_s);
/* "  will reach the time limit at step 10 of 50", or "" if the total is there
 * before: what = "step ", done of total, left_s for the rest (NaN: unknown),
 * of which need_s seconds must not be used. */
enum { SXT_FORETOLD = 96 };
void sxt_run_foretell(const struct sxt_run *run, double need_s, double left_s,
                      const char *what, double done, double total,
                      char text[SXT_FORETOLD]);
/* SXT_EXIT_AGAIN: "WHAT (told by a signal)".  Returns -1. */
int sxt_run_stopped(enum sxt_stop why, struct sxt_error *err,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Fails if a parameter names the file that the command writes: found before
 * the work, not after it. */
int sxt_run_check_output(const struct sxt_run *run,
                         const struct sxt_stage *stage, const void *values,
                         struct sxt_error *err);
/* What sxt_prov_hash says of the inputs; of large ones it is told that they are
 * read.  Collective. */
int sxt_run_hash(const struct sxt_run *run, const char *const *inputs, size_t n,
                 struct sxt_str *lines, struct sxt_error *err);
/* Start an output with provenance: command line, configuration, inputs.  It
 * replaces none of these.  Collective. */
struct sxt_out *sxt_run_create(const struct sxt_run *run, const char *path,
                               const char *format, int version,
                               const char *title, const char *const *inputs,
                               size_t n_inputs, struct sxt_error *err);

#endif
