/* cli.h - the command line: GNU conventions, one command, its input file. */
#ifndef SXT_APP_CLI_H
#define SXT_APP_CLI_H

#include "base/log.h"
#include "stage/stage.h"

/* What was asked for; strings are borrowed from argv unless said otherwise. */
struct sxt_cli {
    const struct sxt_stage *stage;
    const char *config;    /* input file, NULL: defaults only */
    const char **settings; /* of -s and --PARAMETER; owned */
    size_t n_settings;
    char **made; /* settings put together here; owned */
    size_t n_made;
    char **operands; /* owned array */
    size_t n_operands;
    const char *out_dir;
    enum sxt_log_level level;
    bool dry_run;
    char *line; /* the whole command line; owned */
};

/* Parse.  Returns 0 if a command is to be run; otherwise (help, version,
 * listings, a wrong line) everything has been printed and *code is the exit
 * status.  Needs no MPI, so it works on a login node. */
int sxt_cli_parse(struct sxt_cli *cli, int argc, char **argv, int *code);
void sxt_cli_free(struct sxt_cli *cli);

/* The command's values from its file and settings, for sxt_cfg_free(). */
int sxt_cli_values(const struct sxt_cli *cli, void **values,
                   struct sxt_error *err);

/* Lines to go behind an error message, "" if there is nothing to add; caller
 * frees.  values may be NULL. */
char *sxt_cli_hint(const struct sxt_stage *stage, const void *values,
                   const struct sxt_run *run, const struct sxt_error *err);

/* An option that every command has, or a line about options. */
struct sxt_cli_option {
    const char *name; /* behind two dashes */
    int value;        /* its letter or SXT_CLI_...; 0: only a line of --help */
    const char *arg;  /* what follows, as --help has it: "", "=DIR" */
    const char *doc;
};
enum { SXT_CLI_BUILD = 256, SXT_CLI_PRINT };
extern const struct sxt_cli_option sxt_cli_options[]; /* ends with NULL */

/* What an exit status says. */
struct sxt_cli_exit {
    int code;
    const char *word, *doc;
};
extern const struct sxt_cli_exit sxt_cli_exits[]; /* ends with word NULL */

/* Texts of --help, --help=..., --version, --build-info on stdout; stage NULL
 * means the program. */
void sxt_cli_help(const struct sxt_stage *stage);
void sxt_cli_man(const struct sxt_stage *stage);
void sxt_cli_bash(void); /* completion of every command */
/* Lines of examples of a command, NULL if it has none. */
const char *sxt_cli_examples(const char *command);
void sxt_cli_version(void);
void sxt_cli_build_info(void);

#endif
