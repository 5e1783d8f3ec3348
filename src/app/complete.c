/* complete.c - completion for bash: tables of words, then what looks there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"

static void begin(const char *function)
{
    printf("\n%s() {\n    case $1 in\n", function);
}

static void end(void)
{
    fputs("    esac\n}\n", stdout);
}

static void print_options(void)
{
    fputs("_sextant_options=\"", stdout);
    for (const struct sxt_cli_option *o = sxt_cli_options; o->name; o++)
        if (o->value)
            printf("%s%s", o == sxt_cli_options ? "" : " ", o->name);
    fputs("\"\n_sextant_formats=\"", stdout);
    for (const struct sxt_cli_option *o = sxt_cli_options; o->name; o++)
        if (!o->value && o->arg[0] == '=')
            printf("%s ", o->arg + 1);
    fputs("\"\n", stdout);
}

/* The parameters of each command. */
static void print_names(void)
{
    begin("_sextant_names");
    for (size_t i = 0; sxt_stages[i]; i++) {
        struct sxt_cfg_list list = sxt_cfg_list(&sxt_stages[i]->section);
        printf("    %s) echo \"", sxt_stages[i]->section.name);
        for (size_t k = 0; k < list.n; k++)
            if (list.entry[k].param->type != SXT_CFG_GROUP)
                printf("%s ", list.entry[k].name);
        fputs("\" ;;\n", stdout);
        sxt_cfg_list_free(&list);
    }
    end();
}

/* Words that may stand for a value, "" if none can, NULL: any text may. */
static const char *words_of(const struct sxt_cfg_param *p)
{
    switch (p->type) {
    case SXT_CFG_BOOL:
        return "true|false";
    case SXT_CFG_CHOICE:
        return p->choices;
    case SXT_CFG_INT:
    case SXT_CFG_REAL:
        return p->choices ? p->choices : "";
    default:
        return NULL;
    }
}

/* The values of COMMAND.PARAMETER; files where there is no line of it. */
static void print_values(const char *command, const struct sxt_cfg_entry *e)
{
    const char *words = words_of(e->param);

    if (!words)
        return;
    printf("    %s.%s) echo \"", command, e->name);
    for (; *words; words++)
        putchar(*words == '|' ? ' ' : *words);
    fputs("\" ;;\n", stdout);
}

void sxt_cli_bash(void)
{
    static const char script[] =
#include "app/complete.inc"
        ;

    fputs("# Completion of sextant for bash, as sextant --help=bash prints "
          "it.\n_sextant_commands=\"",
          stdout);
    for (size_t i = 0; sxt_stages[i]; i++)
        printf("%s%s", i > 0 ? " " : "", sxt_stages[i]->section.name);
    fputs("\"\n", stdout);
    print_options();
    print_names();
    begin("_sextant_values");
    for (size_t i = 0; sxt_stages[i]; i++) {
        struct sxt_cfg_list list = sxt_cfg_list(&sxt_stages[i]->section);
        for (size_t k = 0; k < list.n; k++)
            print_values(sxt_stages[i]->section.name, &list.entry[k]);
        sxt_cfg_list_free(&list);
    }
    fputs("    *) return 1 ;;\n", stdout);
    end();
    fputs(script, stdout);
}
