/* cli.c - parsing the command line. */
#include "app/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "stage/stages.h"

enum { OPT_VERSION = 256, OPT_BUILD, OPT_PRINT, OPT_PARAM };

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

static void add_setting(struct sxt_cli *cli, const char *setting)
{
    cli->settings =
        sxt_realloc(cli->settings, cli->n_settings + 1, sizeof(*cli->settings));
    cli->settings[cli->n_settings++] = setting;
}

/* --NAME VALUE (a switch: --NAME) is short for -s NAME=VALUE. */
static void set_parameter(struct sxt_cli *cli, size_t index)
{
    const char *name = cli->stage->section.params[index].name;

    cli->made = sxt_realloc(cli->made, cli->n_made + 1, sizeof(*cli->made));
    char *setting = sxt_printf("%s=%s", name, optarg ? optarg : "true");
    cli->made[cli->n_made++] = setting;
    add_setting(cli, setting);
}

/* The general options and, behind them, the command's parameters that are no
 * groups and have no such name.  Owned by the caller. */
static struct option *options_of(const struct sxt_stage *stage)
{
    const struct sxt_cfg_param *params = stage ? stage->section.params : NULL;
    size_t general = sizeof(options) / sizeof(options[0]) - 1, n = 0, count;

    while (params && params[n].name)
        n++;
    struct option *all = sxt_calloc(general + n + 1, sizeof(*all));
    memcpy(all, options, general * sizeof(*all));
    count = general;
    for (size_t i = 0; i < n; i++) {
        bool taken = params[i].type == SXT_CFG_GROUP;
        for (size_t k = 0; k < general; k++)
            taken |= strcmp(options[k].name, params[i].name) == 0;
        if (!taken)
            all[count++] = (struct option){ params[i].name,
                                            params[i].type == SXT_CFG_BOOL
                                                ? optional_argument
                                                : required_argument,
                                            NULL, OPT_PARAM + (int)i };
    }
    return all;
}

/* What the options ask for besides running the command. */
struct wish {
    bool help, params, version, build, print;
};

static int take_option(struct sxt_cli *cli, int c, struct wish *wish)
{
    switch (c) {
    case 's':
        add_setting(cli, optarg);
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
    default:
        if (c < OPT_PARAM) /* getopt has said what is wrong */
            return SXT_EXIT_USAGE;
        set_parameter(cli, (size_t)(c - OPT_PARAM));
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

/* One word of the command line.  Returns an exit status, 0 to go on. */
static int take_word(struct sxt_cli *cli, int c, struct wish *wish,
                     struct option **known)
{
    if (c != 1)
        return take_option(cli, c == 'V' ? OPT_VERSION : c, wish);
    if (cli->stage) {
        take_operand(cli, optarg);
        return 0;
    }
    cli->stage = sxt_stage_find(optarg);
    free(*known);
    *known = options_of(cli->stage);
    return cli->stage ? 0 : unknown_command(optarg);
}

int sxt_cli_parse(struct sxt_cli *cli, int argc, char **argv, int *code)
{
    struct option *known = options_of(NULL);
    struct wish wish = { 0 };
    int c;

    cli->out_dir = ".";
    cli->level = SXT_LOG_INFO;
    join_line(cli, argc, argv);
    /* '-' first: operands come as option 1, in their place. */
    while (*code == 0 &&
           (c = getopt_long(argc, argv, "-s:o:nqvhV", known, NULL)) != -1)
        *code = take_word(cli, c, &wish, &known);
    free(known);
    if (*code != 0)
        return -1;
    while (optind < argc)
        take_operand(cli, argv[optind++]);
    *code = fulfil(cli, &wish);
    if (*code >= 0 && argc == 1)
        *code = SXT_EXIT_USAGE;
    return *code < 0 ? 0 : -1;
}

void sxt_cli_free(struct sxt_cli *cli)
{
    for (size_t i = 0; i < cli->n_made; i++)
        free(cli->made[i]);
    free(cli->made);
    free(cli->settings);
    free(cli->operands);
    free(cli->line);
}

int sxt_cli_values(const struct sxt_cli *cli, void **values,
                   struct sxt_error *err)
{
    const struct sxt_cfg_section **known = sxt_stage_sections();
    int rc = sxt_cfg_read(cli->config, &cli->stage->section, known,
                          cli->settings, cli->n_settings, values, err);
    free(known);
    return rc;
}
