/* options.c - what every command line may hold, and what may come of it. */
#include <stddef.h>

#include "app/cli.h"

const struct sxt_cli_option sxt_cli_options[] = {
    { "set", 's', "=NAME=VALUE",
      "set a parameter (goes over CONFIG; repeatable)" },
    { "NAME", 0, " VALUE", "the same for a parameter of the command" },
    { "output", 'o', "=DIR",
      "keep the run's files in DIR (default .): a name\n"
      "without a slash in a parameter is one of them" },
    { "dry-run", 'n', "", "check everything, write nothing" },
    { "quiet", 'q', "", "warnings and errors only" },
    { "verbose", 'v', "", "say more; twice for still more" },
    { "help", 'h', "", "this text, or that of the command" },
    { "help", 0, "=params", "every parameter with default, range and meaning" },
    { "help", 0, "=man", "the manual page, for man -l -" },
    { "help", 0, "=bash", "completion for bash" },
    { "print-config", SXT_CLI_PRINT, "",
      "the resolved parameters as an input file" },
    { "version", 'V', "", "name and version" },
    { "build-info", SXT_CLI_BUILD, "", "compiler, libraries" },
    { NULL, 0, NULL, NULL },
};

const struct sxt_cli_exit sxt_cli_exits[] = {
    { SXT_EXIT_OK, "done", "The outputs are complete." },
    { SXT_EXIT_USAGE, "usage", "The command line cannot be understood." },
    { SXT_EXIT_DATA, "bad data", "An input holds something unusable." },
    { SXT_EXIT_NOINPUT, "missing input",
      "An input is not there or cannot be read." },
    { SXT_EXIT_UNAVAILABLE, "device not available",
      "No GPU, or not one for each rank." },
    { SXT_EXIT_BUG, "bug", "A fault of the program; please report it." },
    { SXT_EXIT_HELD, "held",
      "Another run is making this output; the message says where." },
    { SXT_EXIT_IO, "I/O", "Writing failed, or the disk is full." },
    { SXT_EXIT_AGAIN, "stopped cleanly (run again)",
      "The state is saved; the same command goes on." },
    { SXT_EXIT_NOSANDBOX, "no sandbox",
      "Programs of a model cannot be confined here, so none was run." },
    { SXT_EXIT_CONFIG, "configuration",
      "The input file or a setting is wrong; all faults are named at once." },
    { SXT_EXIT_NUMERIC, "numerical failure",
      "A loss or a gradient is not finite." },
    { SXT_EXIT_DIFFERS, "files differ",
      "diff found values outside the reference's tolerances." },
    { -1, NULL, NULL },
};
