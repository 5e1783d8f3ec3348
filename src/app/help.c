/* help.c - what --help, --version and --build-info print. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "base/file.h"
#include "base/mem.h"

static const char program_help[] =
    "Usage: sextant COMMAND [CONFIG.cfg] [OPTION]... [OPERAND]...\n"
    "Distil a reasoning model: generate, grade, select, fine-tune, evaluate.\n"
    "\n"
    "Start more ranks with mpirun or srun; outputs do not depend on their\n"
    "number.\n";

/* Columns before an option's explanation. */
#define INDENT 25

static void print_options(void)
{
    fputs("\nOptions:\n", stdout);
    for (const struct sxt_cli_option *o = sxt_cli_options; o->name; o++) {
        char *name = sxt_printf("--%s%s", o->name, o->arg);
        if (o->value > 0 && o->value < SXT_CLI_BUILD)
            printf("  -%c, %-*s", o->value, INDENT - 6, name);
        else
            printf("      %-*s", INDENT - 6, name);
        for (const char *c = o->doc; *c; c++)
            if (*c == '\n')
                printf("\n%*s", INDENT, "");
            else
                putchar(*c);
        putchar('\n');
        free(name);
    }
}

static void print_exits(void)
{
    enum { COLUMNS = 78 };
    int used = printf("\nExit status:") - 1;

    for (const struct sxt_cli_exit *e = sxt_cli_exits; e->word; e++) {
        char *text =
            sxt_printf("%d %s%s", e->code, e->word, e[1].word ? "," : ".\n");
        int n = (int)strlen(text);
        if (used + 1 + n > COLUMNS)
            used = -1;
        used += printf(used < 0 ? "\n%s" : " %s", text);
        free(text);
    }
}

void sxt_cli_help(const struct sxt_stage *stage)
{
    if (stage) {
        const char *examples = sxt_cli_examples(stage->section.name);
        printf("Usage: sextant %s [CONFIG.cfg] [OPTION]...%s%s\n%s\n",
               stage->section.name, stage->operands[0] ? " " : "",
               stage->operands, stage->section.doc);
        if (examples)
            printf("\nExamples:\n%s", examples);
    } else {
        fputs(program_help, stdout);
        fputs("\nCommands:\n", stdout);
        for (size_t i = 0; sxt_stages[i]; i++)
            printf("  %-10s %s\n", sxt_stages[i]->section.name,
                   sxt_stages[i]->section.doc);
        fputs("sextant COMMAND --help gives examples.\n", stdout);
    }
    print_options();
    print_exits();
}

void sxt_cli_version(void)
{
    printf("sextant %s\n", PACKAGE_VERSION);
}

void sxt_cli_build_info(void)
{
    static const char *const parts[][2] = {
        { "compiler",
#ifdef __clang__
          __VERSION__
#else
          "GCC " __VERSION__
#endif
        },
        { "built by", SXT_BUILT_BY },
        { "HDF5", SXT_BUILT_HDF5 },
        { "oneDNN", SXT_BUILT_ONEDNN },
        { "Zstandard", SXT_BUILT_ZSTD },
        { "FLINT", SXT_BUILT_FLINT },
        { "CUDA", SXT_BUILT_CUDA },
        { "debug", SXT_BUILT_DEBUG },
    };
    char mpi[200], *data = sxt_file_data("");

    sxt_comm_library(mpi, sizeof(mpi));
    printf("sextant %s\n", PACKAGE_VERSION);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        printf("%-9s %s\n", parts[i][0], parts[i][1]);
    printf("%-9s %s\n%-9s %s (SEXTANT_DATADIR)\n", "MPI", mpi, "data", data);
    free(data);
}
