/* hint.c - what somebody may not know who reads an error message. */
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "base/file.h"
#include "base/mem.h"

/* The parameter whose file the message is about, NULL: none of these. */
static const char *parameter_of(const struct sxt_cfg_param *p,
                                const char *values, const struct sxt_run *run,
                                const char *message)
{
    const char *found = NULL;

    for (; p->name && !found; p++) {
        const char *place = values + p->offset;
        if (p->type == SXT_CFG_GROUP && !p->name[0]) {
            found = parameter_of(p->group, place, run, message);
        } else if (p->type == SXT_CFG_STRING && (*(char *const *)place)[0]) {
            char *path = sxt_run_path(run, *(char *const *)place);
            char *start = sxt_printf("%s:", path);
            found = strstr(message, start) ? p->name : NULL;
            free(start);
            free(path);
        }
    }
    return found;
}

char *sxt_cli_hint(const struct sxt_stage *stage, const void *values,
                   const struct sxt_run *run, const struct sxt_error *err)
{
    if (err->code != SXT_EXIT_NOINPUT)
        return sxt_strdup("");
    char *ours = sxt_file_data(""), *below = sxt_path_join(run->out_dir, "");
    const char *name =
        values ? parameter_of(stage->section.params, values, run, err->text)
               : NULL;
    const char *rule = "a name without a slash is a file of the run, below -o "
                       "DIR; ./NAME is one where you are";
    char *hint = NULL;

    if (strstr(err->text, ours))
        hint = sxt_file_is_directory(ours)
                   ? sxt_printf("\n  (nothing of this name comes with the "
                                "program; see what is in %s)",
                                ours)
                   : sxt_printf("\n  (it comes with the program: make install, "
                                "or set SEXTANT_DATADIR to inputs/ of the "
                                "sources)");
    else if (name)
        hint = sxt_printf("\n  (parameter %s; %s)", name, rule);
    else if (strcmp(run->out_dir, ".") != 0 && strstr(err->text, below))
        hint = sxt_printf("\n  (%s)", rule);
    free(ours);
    free(below);
    return hint ? hint : sxt_strdup("");
}
