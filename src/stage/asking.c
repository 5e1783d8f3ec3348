/* asking.c - which problems a model is asked, and how. */
#include "stage/asking.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/file.h"

#define AT(field) offsetof(struct sxt_wanted, field)
const struct sxt_cfg_param sxt_wanted_params[] = {
    { "problems", SXT_CFG_STRING, "problems.h5", 0, 0, "1",
      "The problems to solve.", AT(problems), NULL, NULL },
    { "split", SXT_CFG_STRING, "", 0, 0, "1",
      "Only problems of this split; empty: any.", AT(split), NULL, NULL },
    { "domain", SXT_CFG_STRING, "", 0, 0, "1",
      "Only problems of this domain; empty: any.", AT(domain), NULL, NULL },
    { "sources", SXT_CFG_STRINGS, "", 0, 0, "1",
      "Only problems of these data sets; empty: any.", AT(sources), NULL,
      NULL },
    { "ids", SXT_CFG_STRINGS, "", 0, 0, "1", "Only these problems; empty: any.",
      AT(ids), NULL, NULL },
    { "limit", SXT_CFG_INT, "0", 0, 1e12, "problems",
      "Only the first so many of those; 0: all.", AT(limit), NULL, NULL },
    { .name = NULL }
};
#undef AT

#define AT(field) offsetof(struct sxt_asking, field)
const struct sxt_cfg_param sxt_asking_params[] = {
    { "n", SXT_CFG_INT, "1", 1, 100000, "answers", "Answers to each prompt.",
      AT(n), NULL, NULL },
    { "system", SXT_CFG_STRING, "", 0, 0, "1", "System message; empty: none.",
      AT(system), NULL, NULL },
    { "system_file", SXT_CFG_STRING, "", 0, 0, "1",
      "File with the system message, or the name of one that comes along "
      "(sky-t1, qwen-cot); empty: none.",
      AT(system_file), NULL, NULL },
    { "prefill", SXT_CFG_STRING, "", 0, 0, "1",
      "The begin of every answer, which is also the begin of its text.",
      AT(prefill), NULL, NULL },
    { "sampling", SXT_CFG_GROUP, "", 0, 0, "1",
      "How tokens are drawn; \"model\": as the model's "
      "generation_config.json says.",
      AT(sampling), NULL, sxt_sampling_params },
    { "engine", SXT_CFG_GROUP, "", 0, 0, "1", "What draws them.", AT(engine),
      NULL, sxt_serving_params },
    { .name = NULL }
};
#undef AT

int sxt_asking_system(const struct sxt_run *run, const struct sxt_asking *v,
                      struct sxt_str *out, struct sxt_error *err)
{
    sxt_str_add(out, "%s", v->system);
    if (v->system_file[0] == '\0')
        return 0;
    if (v->system[0] != '\0')
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "system and system_file are both given");
    char *path = sxt_run_prompt(run, v->system_file);
    int rc = sxt_file_read(path, out, err);
    free(path);
    return rc;
}

void sxt_asking_render(const struct sxt_chat *chat, struct sxt_span system,
                       struct sxt_span user, struct sxt_span prefill,
                       struct sxt_ids *out)
{
    struct sxt_message messages[] = { { "system", system }, { "user", user } };
    size_t first = system.len == 0; /* none is not an empty one */

    sxt_chat_render(chat, messages + first, 2 - first, true, out);
    if (prefill.len > 0)
        sxt_chat_begin(chat, prefill, out);
}

/* A token is at least a byte, but normalisation may lengthen a text. */
size_t sxt_asking_longest(size_t bytes)
{
    return 2 * bytes + 64;
}
