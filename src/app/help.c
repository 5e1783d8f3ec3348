/* help.c - what --help, --version and --build-info print. */
#include <stdio.h>
#include <stdlib.h>

#include "app/cli.h"
#include "base/file.h"

static const char program_help[] =
    "Usage: sextant COMMAND [CONFIG.cfg] [OPTION]... [OPERAND]...\n"
    "Distil a reasoning model: generate, grade, select, fine-tune, evaluate.\n"
    "\n"
    "Start more ranks with mpirun or srun; outputs do not depend on their\n"
    "number.\n";

static const char option_help[] =
    "\n"
    "Options:\n"
    "  -s, --set=NAME=VALUE   set a parameter (goes over CONFIG; repeatable)\n"
    "      --NAME VALUE       the same for a parameter of the command\n"
    "  -o, --output=DIR       keep the run's files in DIR (default .): a name\n"
    "                         without a slash in a parameter is one of them\n"
    "  -n, --dry-run          check everything, write nothing\n"
    "  -q, --quiet            warnings and errors only\n"
    "  -v, --verbose          say more; twice for still more\n"
    "  -h, --help             this text, or that of the command\n"
    "      --help=params      every parameter with default, range and meaning\n"
    "      --print-config     the resolved parameters as an input file\n"
    "  -V, --version          name and version\n"
    "      --build-info       compiler, libraries\n"
    "\n"
    "Exit status: 0 done, 64 usage, 65 bad data, 66 missing input, 69 device\n"
    "not available, 70 bug, 74 I/O, 75 stopped cleanly (run again), 76 no\n"
    "sandbox, 78 configuration, 79 numerical failure, 80 files differ.\n";

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
    fputs(option_help, stdout);
}

void sxt_cli_version(void)
{
    printf("sextant %s\n", PACKAGE_VERSION);
}

void sxt_cli_build_info(void)
{
    char mpi[200], *data = sxt_file_data("");

    sxt_comm_library(mpi, sizeof(mpi));
    printf("sextant %s\ncompiler  %s\nMPI       %s\n"
           "Zstandard %s\noneDNN    %s\nFLINT     %s\n"
           "CUDA      no\ndebug     %s\n"
           "data      %s (SEXTANT_DATADIR)\n",
           PACKAGE_VERSION, __VERSION__, mpi,
#ifdef HAVE_ZSTD
           "yes",
#else
           "no",
#endif
#ifdef HAVE_ONEDNN
           "yes",
#else
           "no",
#endif
#ifdef HAVE_FLINT
           "yes",
#else
           "no",
#endif
#ifdef SXT_DEBUG
           "yes",
#else
           "no",
#endif
           data);
    free(data);
}
