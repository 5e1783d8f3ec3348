/* responses.c - what is graded. */
#include "stage/responses.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "h5/in.h"
#include "stage/formats.h"

enum { ID, SAMPLE, FINISH, N_NAMES };
enum { TEXT, TOKENS };
enum { SHOWN_FAULTS = 20 };

struct sxt_responses {
    struct sxt_column names_columns[N_NAMES + 1], text_columns[3];
    const char *group;
    bool tokens;
    struct sxt_in *in; /* NULL for JSON lines, whose texts are all here */
    struct sxt_frame *names, *texts;
    size_t count, first; /* first: row of texts' row 0 */
};

static void columns_of(struct sxt_responses *r, const struct sxt_column *all,
                       int id, int sample, int finish, int text, int tokens)
{
    r->names_columns[ID] = all[id];
    r->names_columns[SAMPLE] = all[sample];
    r->names_columns[FINISH] = all[finish];
    r->text_columns[TEXT] = all[text];
    r->tokens = tokens >= 0;
    if (r->tokens)
        r->text_columns[TOKENS] = all[tokens];
}

static void generation_columns(struct sxt_responses *r)
{
    r->group = "generations";
    columns_of(r, sxt_generation_columns, SXT_GENERATION_ID,
               SXT_GENERATION_SAMPLE, SXT_GENERATION_FINISH,
               SXT_GENERATION_TEXT, SXT_GENERATION_OUTPUT_IDS);
}

static int open_table(struct sxt_responses *r, const char *path,
                      struct sxt_error *err)
{
    r->in = sxt_in_open(path, NULL, err);
    if (!r->in)
        return -1;
    const char *format = sxt_in_format(r->in);
    if (strcmp(format, SXT_GENERATIONS_FORMAT) == 0) {
        generation_columns(r);
    } else if (strcmp(format, SXT_TRACES_FORMAT) == 0) {
        r->group = "traces";
        columns_of(r, sxt_trace_columns, SXT_TRACE_ID, SXT_TRACE_SAMPLE,
                   SXT_TRACE_FINISH, SXT_TRACE_TEXT, -1);
    } else {
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s is %s: neither generations nor traces", path,
                       format);
    }
    if (sxt_in_rows(r->in, r->group, &r->count, err) != 0)
        return -1;
    return sxt_in_frame(r->in, r->group, r->names_columns, 0, r->count,
                        &r->names, err);
}

/* What is wrong with a line, NULL if nothing. */
static const char *line_fault(const struct sxt_json *v)
{
    const struct sxt_json *sample = sxt_json_get(v, "sample");

    if (sxt_json_type(v) != SXT_JSON_OBJECT)
        return "no JSON object";
    if (sxt_json_text(sxt_json_get(v, "id")).len == 0)
        return "no \"id\"";
    if (!sxt_json_text(sxt_json_get(v, "response")).data)
        return "no \"response\"";
    if (sample &&
        (sxt_json_type(sample) != SXT_JSON_INT || sxt_json_int(sample, -1) < 0))
        return "\"sample\" is no number from 0";
    return NULL;
}

/* What has been read: how many answers of an id, and which samples. */
struct seen {
    struct sxt_map *count, *sample;
};

/* True if this sample of the id was not there yet. */
static bool is_new(struct seen *seen, struct sxt_span id, int64_t sample)
{
    char *name = sxt_printf("%" PRId64 " %.*s", sample, (int)id.len, id.data);
    bool put = sxt_map_put(seen->sample, name, strlen(name), 1);

    free(name);
    return put;
}

/* Samples without a number count up.  Returns what is wrong, NULL: nothing. */
static const char *add_line(struct sxt_responses *r, const struct sxt_json *v,
                            struct seen *seen)
{
    struct sxt_span id = sxt_json_text(sxt_json_get(v, "id"));
    struct sxt_span text = sxt_json_text(sxt_json_get(v, "response"));
    uint64_t *count = sxt_map_get(seen->count, id.data, id.len);
    int64_t sample =
        sxt_json_int(sxt_json_get(v, "sample"), count ? (int64_t)*count : 0);

    if (!is_new(seen, id, sample))
        return "this \"sample\" of the \"id\" is there already";
    if (count)
        ++*count;
    else
        sxt_map_put(seen->count, id.data, id.len, 1);
    sxt_frame_add(r->names);
    sxt_frame_set_text(r->names, ID, id.data, id.len);
    sxt_frame_set_i64(r->names, SAMPLE, sample);
    sxt_frame_set_string(r->names, FINISH, "external");
    sxt_frame_add(r->texts);
    sxt_frame_set_text(r->texts, TEXT, text.data, text.len);
    r->count++;
    return NULL;
}

static int read_lines(struct sxt_responses *r, const char *path,
                      struct sxt_jsonl *in, struct sxt_error *err)
{
    struct seen seen = { sxt_map_create(), sxt_map_create() };
    struct sxt_str faults = SXT_STR_EMPTY;
    size_t line = 0, n_faults = 0;
    struct sxt_error one = { 0 };
    struct sxt_json *v;
    int more;

    while ((more = sxt_jsonl_next(in, &v, &line, &one)) != 0) {
        const char *fault = more < 0 ? one.text : line_fault(v);
        if (!fault)
            fault = add_line(r, v, &seen);
        if (fault && n_faults++ < SHOWN_FAULTS) {
            sxt_str_add(&faults, "\n  ");
            if (more > 0) /* else the text begins with the place */
                sxt_str_add(&faults, "%s:%zu: ", path, line);
            sxt_str_add(&faults, "%s", fault);
        }
        if (more > 0)
            sxt_json_free(v);
        else if (one.code != SXT_EXIT_DATA)
            break; /* the file, not a line */
    }
    sxt_map_destroy(seen.count);
    sxt_map_destroy(seen.sample);
    if (n_faults > 0)
        sxt_err(err, more < 0 ? one.code : SXT_EXIT_DATA,
                "%s: %zu unusable lines%s", path, n_faults, faults.data);
    else if (r->count == 0)
        sxt_err(err, SXT_EXIT_DATA, "%s: no answers", path);
    sxt_str_free(&faults);
    return r->count == 0 || n_faults > 0 ? -1 : 0;
}

static int open_lines(struct sxt_responses *r, const char *path,
                      struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(path, err);

    if (!in)
        return -1;
    generation_columns(r);
    r->tokens = false;
    r->text_columns[TOKENS] = (struct sxt_column){ .name = NULL };
    r->names = sxt_frame_create(r->names_columns);
    r->texts = sxt_frame_create(r->text_columns);
    int rc = read_lines(r, path, in, err);
    sxt_jsonl_close(in);
    return rc;
}

struct sxt_responses *sxt_responses_open(const char *path,
                                         struct sxt_error *err)
{
    struct sxt_responses *r = sxt_calloc(1, sizeof(*r));

    int rc = sxt_jsonl_named(path) ? open_lines(r, path, err)
                                   : open_table(r, path, err);
    if (rc == 0)
        return r;
    sxt_responses_close(r);
    return NULL;
}

void sxt_responses_close(struct sxt_responses *r)
{
    if (!r)
        return;
    sxt_frame_destroy(r->names);
    sxt_frame_destroy(r->texts);
    if (r->in)
        sxt_in_close(r->in);
    free(r);
}

size_t sxt_responses_count(const struct sxt_responses *r)
{
    return r->count;
}

struct sxt_span sxt_responses_id(const struct sxt_responses *r, size_t row)
{
    return sxt_frame_text(r->names, ID, row);
}

int64_t sxt_responses_sample(const struct sxt_responses *r, size_t row)
{
    return sxt_frame_i64(r->names, SAMPLE, row);
}

struct sxt_span sxt_responses_finish(const struct sxt_responses *r, size_t row)
{
    return sxt_frame_text(r->names, FINISH, row);
}

bool sxt_responses_have_tokens(const struct sxt_responses *r)
{
    return r->tokens;
}

int sxt_responses_load(struct sxt_responses *r, size_t first, size_t count,
                       struct sxt_error *err)
{
    if (!r->in)
        return 0;
    sxt_frame_destroy(r->texts);
    r->texts = NULL;
    r->first = first;
    return sxt_in_frame(r->in, r->group, r->text_columns, first, count,
                        &r->texts, err);
}

struct sxt_span sxt_responses_text(const struct sxt_responses *r, size_t row)
{
    return sxt_frame_text(r->texts, TEXT, row - r->first);
}

size_t sxt_responses_tokens(const struct sxt_responses *r, size_t row)
{
    size_t n = 0;

    if (r->tokens)
        sxt_frame_ids(r->texts, TOKENS, row - r->first, &n);
    return n;
}
