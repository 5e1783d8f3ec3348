/* generate_plan.c - selecting problems, naming draws, finding earlier ones. */
#include "stage/generate_plan.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "h5/in.h"
#include "stage/formats.h"

static const struct sxt_column kept_columns[] = {
    { "id", SXT_COL_TEXT, "1", "Name of the problem.", 0 },
    { "key", SXT_COL_U64, "1", "Hash of the id.", 0 },
    { "prompt", SXT_COL_TEXT, "1", "The user message.", 0 },
    { .name = NULL }
};

/* All that selection looks at. */
enum { ID, KEY, PROMPT, SOURCE, DOMAIN_, SPLIT };
static const struct sxt_column read_columns[] = {
    { "id", SXT_COL_TEXT, "1", "Name of the problem.", 0 },
    { "key", SXT_COL_U64, "1", "Hash of the id.", 0 },
    { "prompt", SXT_COL_TEXT, "1", "The user message.", 0 },
    { "source", SXT_COL_TEXT, "1", "Data set.", 0 },
    { "domain", SXT_COL_TEXT, "1", "math, code or choice.", 0 },
    { "split", SXT_COL_TEXT, "1", "train or test.", 0 },
    { .name = NULL }
};

static const struct sxt_column key_columns[] = {
    { "key", SXT_COL_U64, "1", "Hash that names the draw.", 0 },
    { .name = NULL }
};

/* "i/n": this job draws the problems i, i + n, i + 2 n, … */
static int parse_shard(const char *text, size_t *i, size_t *n,
                       struct sxt_error *err)
{
    unsigned long a, b;
    int end = 0;

    if (sscanf(text, "%lu/%lu%n", &a, &b, &end) != 2 || text[end] != '\0' ||
        a >= b)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "generate.shard = \"%s\": write \"i/n\" with i from 0 "
                       "to n - 1",
                       text);
    *i = a;
    *n = b;
    return 0;
}

static bool listed(const struct sxt_cfg_strings *list, struct sxt_span text)
{
    for (size_t i = 0; i < list->count; i++)
        if (sxt_span_equal(text, list->items[i]))
            return true;
    return list->count == 0;
}

static bool wanted(const struct sxt_wanted *v, const struct sxt_frame *f,
                   size_t row)
{
    return (v->split[0] == '\0' ||
            sxt_span_equal(sxt_frame_text(f, SPLIT, row), v->split)) &&
           (v->domain[0] == '\0' ||
            sxt_span_equal(sxt_frame_text(f, DOMAIN_, row), v->domain)) &&
           listed(&v->sources, sxt_frame_text(f, SOURCE, row)) &&
           listed(&v->ids, sxt_frame_text(f, ID, row));
}

static void keep_row(struct sxt_frame *to, const struct sxt_frame *from,
                     size_t row)
{
    struct sxt_span id = sxt_frame_text(from, ID, row);
    struct sxt_span prompt = sxt_frame_text(from, PROMPT, row);

    sxt_frame_add(to);
    sxt_frame_set_text(to, SXT_PLAN_ID, id.data, id.len);
    sxt_frame_set_u64(to, SXT_PLAN_KEY, sxt_frame_u64(from, KEY, row));
    sxt_frame_set_text(to, SXT_PLAN_PROMPT, prompt.data, prompt.len);
}

static void select_rows(struct sxt_plan *plan, const struct sxt_wanted *v,
                        const struct sxt_frame *all, size_t shard,
                        size_t shards)
{
    size_t most = v->limit > 0 ? (size_t)v->limit : SIZE_MAX, found = 0;

    plan->problem = sxt_frame_create(kept_columns);
    for (size_t row = 0; row < sxt_frame_rows(all) && found < most; row++) {
        if (!wanted(v, all, row))
            continue;
        if (found++ % shards == shard)
            keep_row(plan->problem, all, row);
    }
    plan->n_problems = sxt_frame_rows(plan->problem);
}

static int read_problems(struct sxt_plan *plan, const struct sxt_run *run,
                         const struct sxt_generate *v, struct sxt_error *err)
{
    char *path = sxt_run_path(run, v->wanted.problems);
    struct sxt_frame *all = NULL;
    size_t rows, shard = 0, shards = 1;
    struct sxt_in *in = NULL;
    int rc = parse_shard(v->shard, &shard, &shards, err);

    if (rc == 0)
        in = sxt_in_open(path, SXT_PROBLEMS_FORMAT, err);
    if (!in || sxt_in_rows(in, "problems", &rows, err) != 0 ||
        sxt_in_frame(in, "problems", read_columns, 0, rows, &all, err) != 0)
        rc = -1;
    if (rc == 0)
        select_rows(plan, &v->wanted, all, shard, shards);
    if (rc == 0 && plan->n_problems == 0)
        rc = sxt_err(err, SXT_EXIT_DATA,
                     "%s: none of the %zu problems is selected; look at "
                     "generate.split, domain, sources, ids and shard",
                     path, rows);
    sxt_frame_destroy(all);
    sxt_in_close(in);
    free(path);
    return rc;
}

/* A key hashes all that decides the answer: another prompt, sample, model or
 * setting is another draw. */
static void name_draws(struct sxt_plan *plan, const struct sxt_generate *v,
                       const struct sxt_sampler *s)
{
    uint64_t h = sxt_sampler_settings(s, &v->asking.sampling);

    h = sxt_hash64(plan->system.data, plan->system.len, h);
    h = sxt_hash64(plan->prefill.data, plan->prefill.len, h);
    plan->n_samples = (size_t)v->asking.n;
    plan->n_keys = plan->n_problems * plan->n_samples;
    plan->key = sxt_alloc(plan->n_keys, sizeof(*plan->key));
    for (size_t i = 0; i < plan->n_problems; i++) {
        struct sxt_span text =
            sxt_frame_text(plan->problem, SXT_PLAN_PROMPT, i);
        uint64_t base =
            sxt_hash64_combine(sxt_hash64(text.data, text.len, h),
                               sxt_frame_u64(plan->problem, SXT_PLAN_KEY, i));
        for (size_t k = 0; k < plan->n_samples; k++)
            plan->key[i * plan->n_samples + k] = sxt_hash64_combine(base, k);
    }
    plan->keys_hash =
        sxt_hash64(plan->key, plan->n_keys * sizeof(*plan->key), 0);
}

/* ---- earlier files ---- */

static int read_keys(const char *path, struct sxt_frame **keys,
                     struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(path, SXT_GENERATIONS_FORMAT, err);
    size_t rows;
    int rc = -1;

    if (in && sxt_in_rows(in, "generations", &rows, err) == 0)
        rc = sxt_in_frame(in, "generations", key_columns, 0, rows, keys, err);
    sxt_in_close(in);
    return rc;
}

static void add_file(struct sxt_plan *plan, const char *path)
{
    plan->files =
        sxt_realloc(plan->files, plan->n_files + 1, sizeof(*plan->files));
    plan->files[plan->n_files++] = sxt_strdup(path);
}

/* What the shards of a job array wrote for this output: OUTPUT-I-of-N.h5. */
static void list_shards(struct sxt_plan *plan, const char *output)
{
    size_t stem = strlen(output) - (sxt_ends_with(output, ".h5") ? 3 : 0);
    struct sxt_str pattern = SXT_STR_EMPTY;
    glob_t found;

    for (size_t i = 0; i < stem; i++) {
        if (strchr("*?[\\", output[i]))
            sxt_str_add_char(&pattern, '\\');
        sxt_str_add_char(&pattern, output[i]);
    }
    sxt_str_add(&pattern, "-*-of-*.h5");
    if (glob(pattern.data, 0, NULL, &found) == 0)
        for (size_t k = 0; k < found.gl_pathc; k++)
            add_file(plan, found.gl_pathv[k]);
    globfree(&found);
    sxt_str_free(&pattern);
}

/* Names in generate.reuse may be patterns; one that matches nothing is an
 * error, for it is most likely misspelt. */
static int list_reuse(struct sxt_plan *plan, const struct sxt_run *run,
                      const struct sxt_generate *v, struct sxt_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < v->reuse.count && rc == 0; i++) {
        char *pattern = sxt_run_path(run, v->reuse.items[i]);
        glob_t found;
        if (glob(pattern, 0, NULL, &found) != 0)
            rc = sxt_err(err, SXT_EXIT_NOINPUT,
                         "generate.reuse: no file matches %s", pattern);
        for (size_t k = 0; rc == 0 && k < found.gl_pathc; k++)
            add_file(plan, found.gl_pathv[k]);
        globfree(&found);
        free(pattern);
    }
    return rc;
}

/* Rows of the file that are wanted; how many are not, in *others. */
static int match_file(struct sxt_plan *plan, const struct sxt_map *place,
                      size_t file, size_t *others, struct sxt_error *err)
{
    struct sxt_frame *keys = NULL;
    int rc = read_keys(plan->files[file], &keys, err);

    *others = 0;
    for (size_t row = 0; rc == 0 && row < sxt_frame_rows(keys); row++) {
        uint64_t key = sxt_frame_u64(keys, 0, row);
        const uint64_t *at = sxt_map_get(place, &key, sizeof(key));
        if (!at) {
            ++*others;
        } else if (plan->reuse[*at].file == 0) {
            plan->reuse[*at] =
                (struct sxt_plan_reuse){ (uint32_t)file + 1, (uint32_t)row };
            plan->n_reused++;
        }
    }
    sxt_frame_destroy(keys);
    return rc;
}

/* The output, which is the last file, holds answers to something else. */
static int take_apart(struct sxt_plan *plan, const char *output, size_t others,
                      bool renew, struct sxt_error *err)
{
    if (!renew)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s holds %zu answers to other prompts or from other "
                       "settings; move it away or choose another "
                       "generate.output",
                       output, others);
    plan->aside = sxt_printf("%s.old", output);
    free(plan->files[plan->n_files - 1]);
    plan->files[plan->n_files - 1] = sxt_strdup(plan->aside);
    return 0;
}

/* An output that is there is extended, never thrown away. */
static int find_earlier(struct sxt_plan *plan, const char *output, bool renew,
                        struct sxt_error *err)
{
    struct sxt_map *place = sxt_map_create();
    bool there = sxt_file_exists(output);
    size_t others;
    int rc = 0;

    plan->reuse = sxt_calloc(plan->n_keys, sizeof(*plan->reuse));
    for (size_t i = 0; i < plan->n_keys; i++)
        sxt_map_put(place, &plan->key[i], sizeof(*plan->key), i);
    if (there)
        add_file(plan, output);
    for (size_t i = 0; i < plan->n_files && rc == 0; i++) {
        rc = match_file(plan, place, i, &others, err);
        if (rc == 0 && there && i + 1 == plan->n_files && others > 0)
            rc = take_apart(plan, output, others, renew, err);
    }
    sxt_map_destroy(place);
    return rc;
}

int sxt_plan_make(struct sxt_plan *plan, const struct sxt_run *run,
                  const struct sxt_generate *v, const struct sxt_sampler *s,
                  const char *output, struct sxt_error *err)
{
    *plan = (struct sxt_plan){ 0 };
    sxt_str_add(&plan->prefill, "%s", v->asking.prefill);
    if (sxt_asking_system(run, &v->asking, &plan->system, err) != 0 ||
        read_problems(plan, run, v, err) != 0)
        return -1;
    name_draws(plan, v, s);
    if (list_reuse(plan, run, v, err) != 0)
        return -1;
    if (!sxt_file_exists(output))
        list_shards(plan, output);
    return find_earlier(plan, output, v->renew, err);
}

void sxt_plan_free(struct sxt_plan *plan)
{
    sxt_frame_destroy(plan->problem);
    sxt_str_free(&plan->system);
    sxt_str_free(&plan->prefill);
    for (size_t i = 0; i < plan->n_files; i++)
        free(plan->files[i]);
    free(plan->files);
    free(plan->aside);
    free(plan->key);
    free(plan->reuse);
    *plan = (struct sxt_plan){ 0 };
}

/* ---- prompts ---- */

void sxt_plan_render(const struct sxt_plan *plan, const struct sxt_chat *chat,
                     size_t i, struct sxt_ids *out)
{
    sxt_asking_render(
        chat, (struct sxt_span){ plan->system.data, plan->system.len },
        sxt_frame_text(plan->problem, SXT_PLAN_PROMPT, i),
        (struct sxt_span){ plan->prefill.data, plan->prefill.len }, out);
}

size_t sxt_plan_longest(const struct sxt_plan *plan)
{
    size_t longest = 0;

    for (size_t i = 0; i < plan->n_problems; i++) {
        size_t n = sxt_frame_text(plan->problem, SXT_PLAN_PROMPT, i).len;
        longest = n > longest ? n : longest;
    }
    return sxt_asking_longest(longest + plan->system.len + plan->prefill.len);
}
