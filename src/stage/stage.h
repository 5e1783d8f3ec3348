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
    const char *config;      /* the resolved section, a valid input file */
    const char *config_path; /* the file it came from, NULL: none */
    const char *const *settings; /* -s, as they were written */
    size_t n_settings;
    const char *out_dir;     /* -o, "." by default: the files of the run */
    char *const *args;       /* operands: paths as the shell has them */
    size_t n_args;
    bool dry_run; /* -n: check everything, write nothing */
    struct sxt_status *status; /* rank 0: the record it keeps; NULL: none */
    /* Set by USR1, TERM, INT: finish the step, save, return 75.  Local: ranks
     * agree before they act (sxt_run_stops). */
    volatile sig_atomic_t *stop;
};

struct sxt_stage {
    struct sxt_cfg_section section; /* name, doc, params, size */
    const char *operands;           /* for --help, "" if none */
    /* values: the section's struct.  Collective.  Returns 0, or -1 with err;
     * SXT_EXIT_AGAIN is the code of a clean stop. */
    int (*run)(struct sxt_run *run, const void *values, struct sxt_error *err);
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
/* True on every rank if any rank was asked to stop, or DIR/STOP exists.
 * Collective. */
bool sxt_run_stops(const struct sxt_run *run);
/* Start an output with provenance: command line, configuration, inputs. */
struct sxt_out *sxt_run_create(const struct sxt_run *run, const char *path,
                               const char *format, int version,
                               const char *title, const char *const *inputs,
                               size_t n_inputs, struct sxt_error *err);

#endif
