/* cli.c - parsing the command line. */
#include "app/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "stage/stages.h"

#define SHORT "s:o:nqvhV"

enum { PARAMETER = 512 }; /* an option that is a parameter */

/* The word that is nearest to a name so far, for "did you mean". */
struct nearest {
    const char *to, *word; /* word NULL: nothing is near */
    size_t distance;
};

static struct nearest nothing_near(const char *to)
{
    return (struct nearest){ to, NULL, strlen(to) / 3 + 2 };
}

static void look_at(struct nearest *near, const char *word)
{
    size_t d = sxt_edit_distance(word, near->to);

    if (d < near->distance) {
        near->distance = d;
        near->word = word;
    }
}

/* `what` is wrong; returns the exit status. */
static int wrong_word(const char *what, const struct nearest *near,
                      const char *dashes, const char *see)
{
    fprintf(stderr, "sextant: error: %s '%s'", what, near->to);
    if (near->word)
        fprintf(stderr, " (did you mean %s%s?)", dashes, near->word);
    fprintf(stderr, "; see sextant %s\n", see);
    return SXT_EXIT_USAGE;
}

static int unknown_command(const char *name)
{
    struct nearest near = nothing_near(name);

    for (size_t i = 0; sxt_stages[i]; i++)
        look_at(&near, sxt_stages[i]->section.name);
    return wrong_word(sxt_ends_with(name, ".cfg")
                          ? "a command comes first, then its file"
                          : "unknown command",
                      &near, "", "--help");
}

static int unknown_format(const char *name)
{
    struct nearest near = nothing_near(name);

    for (const struct sxt_cli_option *o = sxt_cli_options; o->name; o++)
        if (strcmp(o->name, "help") == 0 && o->arg[0])
            look_at(&near, o->arg + 1);
    return wrong_word("unknown format of help", &near, "", "--help");
}

/* The options of a command line: the general ones and --PARAMETER. */
struct words {
    struct option *all; /* ends with a NULL name; names are owned */
    size_t n;
};

/* What getopt stopped at. */
static int wrong_option(const struct sxt_cli *cli, const struct words *known,
                        const char *word)
{
    char letter[] = { '-', (char)optopt, '\0' };
    char *see = sxt_printf("%s%s", cli->stage ? cli->stage->section.name : "",
                           cli->stage ? " --help=params" : "--help");
    char *name = sxt_strndup(word + strspn(word, "-"),
                             strcspn(word + strspn(word, "-"), "="));
    struct nearest near = nothing_near(name);
    const char *what = "unknown option";

    for (size_t i = 0; optopt == 0 && i < known->n; i++)
        look_at(&near, known->all[i].name);
    if (optopt > 255 || (optopt && strchr(SHORT, optopt)))
        what = strchr(word, '=') ? "no value belongs to" : "no value behind";
    near.to = optopt == 0 || word[1] == '-' ? word : letter;
    int code = wrong_word(what, &near, "--", see);
    free(name);
    free(see);
    return code;
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
static void set_parameter(struct sxt_cli *cli, const char *name)
{
    cli->made = sxt_realloc(cli->made, cli->n_made + 1, sizeof(*cli->made));
    char *setting = sxt_printf("%s=%s", name, optarg ? optarg : "true");
    cli->made[cli->n_made++] = setting;
    add_setting(cli, setting);
}

static void add_option(struct words *w, char *name, int has_arg, int value)
{
    w->all = sxt_realloc(w->all, w->n + 2, sizeof(*w->all));
    w->all[w->n++] = (struct option){ name, has_arg, NULL, value };
    w->all[w->n] = (struct option){ 0 };
}

/* Parameters as --NAME, those of groups as --GROUP.NAME; the general options
 * of such names have them already. */
static void add_parameters(struct words *w, const char *prefix,
                           const struct sxt_cfg_param *p)
{
    for (; p->name; p++) {
        char *name =
            sxt_printf("%s%s%s", prefix, p->name,
                       p->type == SXT_CFG_GROUP && p->name[0] ? "." : "");
        bool taken = false;
        for (size_t i = 0; i < w->n; i++)
            taken |= strcmp(w->all[i].name, name) == 0;
        if (p->type == SXT_CFG_GROUP)
            add_parameters(w, name, p->group);
        if (p->type == SXT_CFG_GROUP || taken)
            free(name);
        else
            add_option(w, name,
                       p->type == SXT_CFG_BOOL ? optional_argument
                                               : required_argument,
                       PARAMETER);
    }
}

static void free_words(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free((char *)w->all[i].name);
    free(w->all);
    *w = (struct words){ 0 };
}

static void make_words(struct words *w, const struct sxt_stage *stage)
{
    free_words(w);
    for (const struct sxt_cli_option *o = sxt_cli_options; o->name; o++)
        if (o->value)
            add_option(w, sxt_strdup(o->name),
                       o->value == 'h'  ? optional_argument
                       : o->arg[0] != 0 ? required_argument
                                        : no_argument,
                       o->value);
    if (stage)
        add_parameters(w, "", stage->section.params);
}

/* What the options ask for besides running the command. */
struct wish {
    bool help, version, build, print;
    const char *format; /* of --help=FORMAT, or NULL */
};

static void take_option(struct sxt_cli *cli, int c, struct wish *wish)
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
        wish->format = optarg;
        break;
    case 'V':
        wish->version = true;
        break;
    case SXT_CLI_BUILD:
        wish->build = true;
        break;
    case SXT_CLI_PRINT:
        wish->print = true;
        break;
    }
}

static int no_command(void)
{
    fputs("sextant: error: no command; see sextant --help\n", stderr);
    return SXT_EXIT_USAGE;
}

/* -o FILE.h5 is most likely meant as the parameter `output`. */
static int no_folder(const char *dir)
{
    fprintf(stderr,
            "sextant: error: -o, --output: %s is no name of a directory; the "
            "file to write is named by -s output=FILE.h5\n",
            dir);
    return SXT_EXIT_USAGE;
}

/* Most likely a parameter without its -s, or a second input file. */
static int no_operand(const struct sxt_cli *cli)
{
    const char *word = cli->operands[0];

    fprintf(stderr, "sextant: error: %s takes no operand, such as '%s'%s%s\n",
            cli->stage->section.name, word,
            strchr(word, '=') ? "; a parameter is set by -s " : "",
            strchr(word, '=') ? word : "");
    return SXT_EXIT_USAGE;
}

/* --help, --help=FORMAT; returns the exit status. */
static int help(const struct sxt_cli *cli, const char *format)
{
    if (!format)
        sxt_cli_help(cli->stage);
    else if (strcmp(format, "params") == 0)
        print_config(cli);
    else if (strcmp(format, "man") == 0)
        sxt_cli_man(cli->stage);
    else if (strcmp(format, "bash") == 0)
        sxt_cli_bash();
    else
        return unknown_format(format);
    return 0;
}

/* -1: run the command; else the exit status. */
static int fulfil(const struct sxt_cli *cli, const struct wish *wish)
{
    if (wish->version)
        sxt_cli_version();
    else if (wish->build)
        sxt_cli_build_info();
    else if (wish->help)
        return help(cli, wish->format);
    else if (wish->print && !cli->stage)
        print_config(cli);
    else if (!cli->stage)
        return no_command();
    else if (wish->print)
        return print_resolved(cli);
    else if (sxt_ends_with(cli->out_dir, ".h5"))
        return no_folder(cli->out_dir);
    else if (cli->n_operands > 0 && !cli->stage->operands[0])
        return no_operand(cli);
    else
        return -1;
    return 0;
}

static int take_stage(struct sxt_cli *cli, const char *name,
                      struct words *known)
{
    cli->stage = sxt_stage_find(name);
    make_words(known, cli->stage);
    return cli->stage ? 0 : unknown_command(name);
}

/* All words.  Returns an exit status, 0 if they can be understood. */
static int take_words(struct sxt_cli *cli, int argc, char **argv,
                      struct wish *wish, struct words *known)
{
    int code = 0, c, index = 0;

    opterr = 0; /* wrong_option says it better */
    /* '-' first: operands come as option 1, in their place. */
    while (code == 0 &&
           (c = getopt_long(argc, argv, "-" SHORT, known->all, &index)) != -1) {
        if (c == '?')
            code = wrong_option(cli, known, argv[optind - 1]);
        else if (c == 1 && !cli->stage && strcmp(optarg, "help") == 0)
            wish->help = true; /* help COMMAND, as other programs have it */
        else if (c == 1 && !cli->stage)
            code = take_stage(cli, optarg, known);
        else if (c == 1)
            take_operand(cli, optarg);
        else if (c == PARAMETER)
            set_parameter(cli, known->all[index].name);
        else
            take_option(cli, c, wish);
    }
    while (optind < argc)
        take_operand(cli, argv[optind++]);
    return code;
}

int sxt_cli_parse(struct sxt_cli *cli, int argc, char **argv, int *code)
{
    struct words known = { 0 };
    struct wish wish = { 0 };

    cli->out_dir = ".";
    cli->level = SXT_LOG_INFO;
    join_line(cli, argc, argv);
    make_words(&known, NULL);
    *code = take_words(cli, argc, argv, &wish, &known);
    free_words(&known);
    if (*code != 0)
        return -1;
    *code = fulfil(cli, &wish);
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
