/* asking.h - which problems a model is asked, and how: the parameters that
 * generate, evaluate and solve share. */
#ifndef SXT_STAGE_ASKING_H
#define SXT_STAGE_ASKING_H

#include "stage/sampling.h"

/* Nameless parameter group: which problems.  The group's default of `split` is
 * any; a command may have its own. */
struct sxt_wanted {
    char *problems, *split, *domain;
    struct sxt_cfg_strings sources, ids;
    int64_t limit;
};
extern const struct sxt_cfg_param sxt_wanted_params[];

/* Nameless parameter group: how many answers, in which words, how drawn. */
struct sxt_asking {
    int64_t n;
    char *system, *system_file, *prefill;
    struct sxt_sampling sampling;
    struct sxt_serving engine;
};
extern const struct sxt_cfg_param sxt_asking_params[];

/* Append the system message; nothing if there is none. */
int sxt_asking_system(const struct sxt_run *run, const struct sxt_asking *v,
                      struct sxt_str *out, struct sxt_error *err);

/* Append the ids of a prompt up to where the answer begins: system message,
 * user message, what every answer begins with.  An empty system message is
 * none: a model that never met one gives other answers with it. */
void sxt_asking_render(const struct sxt_chat *chat, struct sxt_span system,
                       struct sxt_span user, struct sxt_span prefill,
                       struct sxt_ids *out);
/* No such prompt has more tokens, if its texts have this many bytes. */
size_t sxt_asking_longest(size_t bytes);

#endif
