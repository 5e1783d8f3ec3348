/* cli.c - parsing the command line. */
#include "app/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { OPT_VERSION = 256, OPT_BUILD, OPT_PRINT };

static const struct option options[] = {
    { "set", required_argument, NULL, 's' },
    { "output", required_argument, NULL, 'o' },
    { "dry-run", no_argument, NULL, 'n' },
    { "quiet", no_argument, NULL, 'q' },
    { "verbose", no_argument, NULL, 'v' },
    { "help", optional_argument, NULL, 'h' },
    { "version", no_argument, NULL, OPT_VERSION },
    { "build-info", no_argument, NULL, OPT_BUILD },
    { "print-config", no_argument, NULL, OPT_PRINT },
    { NULL, 0, NULL, 0 }
};

static const struct sxt_stage *find_stage(const char *name)
{
    for (size_t i = 0; sxt_stages[i]; i++)
        if (strcmp(sxt_stages[i]->section.name, name) == 0)
            return sxt_stages[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *near = NULL;
    size_t best = strlen(name) / 3 + 2;

    for (size_t i = 0; sxt_stages[i]; i++) {
        size_t d = sxt_edit_distance(sxt_stages[i]->section.name, name);
        if (d < best) {
            best = d;
            near = sxt_stages[i]->section.name;
        }
    }
    fprintf(stderr, "sextant: unknown command '%s'%s%s%s; see sextant --help\n",
            name, near ? " (did you mean " : "", near ? near : "",
            near ? "?)" : "");
    return SXT_EXIT_USAGE;
}

static void join_line(struct sxt_cli *cli, int argc, char **argv)
{
    struct sxt_str s = SXT_STR_EMPTY;

    for (int i = 0; i < argc; i++)
        sxt_str_add(&s, "%s%s", i > 0 ? " " : "", argv[i]);
    cli->line = s.data;
}

/* Print sections as an input file: of one command, or of all. */
static void print_config(const struct sxt_cli *cli)
{
    struct sxt_str s = SXT_STR_EMPTY;

    for (size_t i = 0; sxt_stages[i]; i++)
        if ((!cli->stage || cli->stage == sxt_stages[i]) &&
            sxt_stages[i]->section.params[0].name) {
            sxt_str_add(&s, s.len > 0 ? "\n" : "");
            sxt_cfg_print(&sxt_stages[i]->section, NULL, &s);
        }
    fwrite(s.data, 1, s.len, stdout);
    sxt_str_free(&s);
}

static int print_resolved(const struct sxt_cli *cli)
{
    struct sxt_error err = { 0 };
    struct sxt_str s = SXT_STR_EMPTY;
    void *values = NULL;

    if (sxt_cli_values(cli, &values, &err) != 0) {
        fprintf(stderr, "sextant: error: %s\n", err.text);
        return err.code;
    }
    sxt_cfg_print(&cli->stage->section, values, &s);
    fwrite(s.data, 1, s.len, stdout);
    sxt_str_free(&s);
    sxt_cfg_free(&cli->stage->section, values);
    return 0;
}

static void take_operand(struct sxt_cli *cli, char *word)
{
    if (!cli->config && cli->n_operands == 0 && sxt_ends_with(word, ".cfg")) {
        cli->config = word;
        return;
    }
    cli->operands =
        sxt_realloc(cli->operands, cli->n_operands + 1, sizeof(char *));
    cli->operands[cli->n_operands++] = word;
}

/* What the options ask for besides running the command. */
struct wish {
    bool help, params, version, build, print;
};

static int take_option(struct sxt_cli *cli, int c, struct wish *wish)
{
    switch (c) {
    case 's':
        cli->settings = sxt_realloc(cli->settings, cli->n_settings + 1,
                                    sizeof(*cli->settings));
        cli->settings[cli->n_settings++] = optarg;
        break;
    case 'o':
        cli->out_dir = optarg;
        break;
    case 'n':
        cli->dry_run = true;
        break;
    case 'q':
        cli->level = SXT_LOG_WARN;
        break;
    case 'v':
        cli->level++;
        break;
    case 'h':
        wish->help = true;
        wish->params = optarg && strcmp(optarg, "params") == 0;
        break;
    case OPT_VERSION:
        wish->version = true;
        break;
    case OPT_BUILD:
        wish->build = true;
        break;
    case OPT_PRINT:
        wish->print = true;
        break;
    default: /* getopt has said what is wrong */
        return SXT_EXIT_USAGE;
    }
    return 0;
}

/* -1: run the command; else the exit status. */
static int fulfil(const struct sxt_cli *cli, const struct wish *wish)
{
    if (wish->version)
        sxt_cli_version();
    else if (wish->build)
        sxt_cli_build_info();
    else if (wish->params || (wish->print && !cli->stage))
        print_config(cli);
    else if (wish->help || !cli->stage)
        sxt_cli_help(cli->stage);
    else if (wish->print)
        return print_resolved(cli);
    else
        return -1;
    return 0;
}

int sxt_cli_parse(struct sxt_cli *cli, int argc, char **argv, int *code)
{
    struct wish wish = { 0 };
    int c;

    cli->out_dir = ".";
    cli->level = SXT_LOG_INFO;
    join_line(cli, argc, argv);
    /* '-' first: operands come as option 1, in their place. */
    while ((c = getopt_long(argc, argv, "-s:o:nqvhV", options, NULL)) != -1) {
        if (c == 1 && !cli->stage) {
            cli->stage = find_stage(optarg);
            *code = cli->stage ? 0 : unknown_command(optarg);
        } else if (c == 1) {
            take_operand(cli, optarg);
        } else {
            *code = take_option(cli, c == 'V' ? OPT_VERSION : c, &wish);
        }
        if (*code != 0)
            return -1;
    }
    while (optind < argc)
        take_operand(cli, argv[optind++]);
    *code = fulfil(cli, &wish);
    if (*code >= 0 && argc == 1)
        *code = SXT_EXIT_USAGE;
    return *code < 0 ? 0 : -1;
}

void sxt_cli_free(struct sxt_cli *cli)
{
    free(cli->settings);
    free(cli->operands);
    free(cli->line);
}

int sxt_cli_values(const struct sxt_cli *cli, void **values,
                   struct sxt_error *err)
{
    size_t n = 0;

    while (sxt_stages[n])
        n++;
    const struct sxt_cfg_section **known = sxt_calloc(n + 1, sizeof(*known));
    for (size_t i = 0; i < n; i++)
        known[i] = &sxt_stages[i]->section;
    int rc = sxt_cfg_read(cli->config, &cli->stage->section, known,
                          cli->settings, cli->n_settings, values, err);
    free(known);
    return rc;
}
