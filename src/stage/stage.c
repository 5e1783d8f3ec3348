/* stage.c - what every command needs from its run. */
#include "stage/stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

char *sxt_run_path(const struct sxt_run *run, const char *name)
{
    return strchr(name, '/') ? sxt_strdup(name)
                             : sxt_path_join(run->out_dir, name);
}

void sxt_sources_add(struct sxt_sources *sources, const struct sxt_run *run,
                     const char *name)
{
    if (!name[0])
        return;
    sources->path =
        sxt_realloc(sources->path, sources->n + 1, sizeof(*sources->path));
    sources->path[sources->n++] = sxt_run_path(run, name);
}

void sxt_sources_free(struct sxt_sources *sources)
{
    for (size_t i = 0; i < sources->n; i++)
        free(sources->path[i]);
    free(sources->path);
    *sources = (struct sxt_sources){ 0 };
}

char *sxt_run_prompt(const struct sxt_run *run, const char *name)
{
    if (strpbrk(name, "./"))
        return sxt_run_path(run, name);
    char *file = sxt_printf("prompts/%s.txt", name);
    char *path = sxt_file_data(file);
    free(file);
    return path;
}

bool sxt_run_stops(const struct sxt_run *run)
{
    int64_t asked = *run->stop;

    if (run->comm.rank == 0) {
        char *path = sxt_run_path(run, "STOP");
        asked = asked || sxt_file_exists(path);
        free(path);
    }
    return sxt_comm_max(run->comm, asked) != 0;
}

struct sxt_out *sxt_run_create(const struct sxt_run *run, const char *path,
                               const char *format, int version,
                               const char *title, const char *const *inputs,
                               size_t n_inputs, struct sxt_error *err)
{
    struct sxt_prov prov = { run->command_line, run->config, inputs, n_inputs };

    return sxt_out_create(path, run->comm, format, version, title, &prov, err);
}
