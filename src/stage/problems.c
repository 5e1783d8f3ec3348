/* problems.c - a problems.h5 in memory. */
#include "stage/problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "h5/in.h"
#include "stage/formats.h"

enum { ID, KEY, SOURCE, DOMAIN, SPLIT, TEXT, PROMPT, ANSWER, CHOICES, N_NAMES };
enum { BLOCK = 32 }; /* rows of tests held at a time */

struct sxt_problems {
    struct sxt_column columns[N_NAMES + 1], tests_column[2];
    struct sxt_in *in;
    struct sxt_frame *names, *tests;
    size_t count, block; /* the block of `tests` */
    struct sxt_map *row_of;
};

static int read_names(struct sxt_problems *p, struct sxt_error *err)
{
    static const enum sxt_problem_column which[N_NAMES] = {
        SXT_PROBLEM_ID,     SXT_PROBLEM_KEY,    SXT_PROBLEM_SOURCE,
        SXT_PROBLEM_DOMAIN, SXT_PROBLEM_SPLIT,  SXT_PROBLEM_QUESTION,
        SXT_PROBLEM_PROMPT, SXT_PROBLEM_ANSWER, SXT_PROBLEM_CHOICES
    };

    for (int i = 0; i < N_NAMES; i++)
        p->columns[i] = sxt_problem_columns[which[i]];
    p->tests_column[0] = sxt_problem_columns[SXT_PROBLEM_TESTS];
    if (sxt_in_rows(p->in, "problems", &p->count, err) != 0 ||
        sxt_in_frame(p->in, "problems", p->columns, 0, p->count, &p->names,
                     err) != 0)
        return -1;
    p->row_of = sxt_map_create();
    for (size_t i = 0; i < p->count; i++) {
        struct sxt_span id = sxt_problems_id(p, i);
        if (!sxt_map_put(p->row_of, id.data, id.len, i))
            return sxt_err(err, SXT_EXIT_DATA,
                           "%s: two problems are named %.*s",
                           sxt_in_path(p->in), (int)id.len, id.data);
    }
    return 0;
}

struct sxt_problems *sxt_problems_open(const char *path, struct sxt_error *err)
{
    struct sxt_problems *p = sxt_calloc(1, sizeof(*p));

    p->in = sxt_in_open(path, SXT_PROBLEMS_FORMAT, err);
    if (p->in && read_names(p, err) == 0)
        return p;
    sxt_problems_close(p);
    return NULL;
}

void sxt_problems_close(struct sxt_problems *p)
{
    if (!p)
        return;
    if (p->row_of)
        sxt_map_destroy(p->row_of);
    sxt_frame_destroy(p->names);
    sxt_frame_destroy(p->tests);
    if (p->in)
        sxt_in_close(p->in);
    free(p);
}

size_t sxt_problems_count(const struct sxt_problems *p)
{
    return p->count;
}

long sxt_problems_find(const struct sxt_problems *p, struct sxt_span id)
{
    const uint64_t *row = sxt_map_get(p->row_of, id.data, id.len);

    return row ? (long)*row : -1;
}

struct sxt_span sxt_problems_id(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_text(p->names, ID, row);
}

struct sxt_span sxt_problems_source(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_text(p->names, SOURCE, row);
}

struct sxt_span sxt_problems_domain(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_text(p->names, DOMAIN, row);
}

struct sxt_span sxt_problems_split(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_text(p->names, SPLIT, row);
}

struct sxt_span sxt_problems_text(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_text(p->names, TEXT, row);
}

struct sxt_span sxt_problems_choices(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_text(p->names, CHOICES, row);
}

struct sxt_span sxt_problems_prompt(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_text(p->names, PROMPT, row);
}

uint64_t sxt_problems_key(const struct sxt_problems *p, size_t row)
{
    return sxt_frame_u64(p->names, KEY, row);
}

static int read_tests(struct sxt_problems *p, size_t block,
                      struct sxt_error *err)
{
    size_t first = block * BLOCK, rows = p->count - first;

    if (p->tests && p->block == block)
        return 0;
    sxt_frame_destroy(p->tests);
    p->tests = NULL;
    p->block = block;
    return sxt_in_frame(p->in, "problems", p->tests_column, first,
                        rows < BLOCK ? rows : BLOCK, &p->tests, err);
}

int sxt_problems_question(struct sxt_problems *p, size_t row,
                          struct sxt_question *q, struct sxt_error *err)
{
    *q = (struct sxt_question){ .id = sxt_problems_id(p, row),
                                .domain = sxt_problems_domain(p, row),
                                .source = sxt_problems_source(p, row),
                                .answer = sxt_frame_text(p->names, ANSWER, row),
                                .choices = sxt_problems_choices(p, row) };
    if (!sxt_grade_needs_sandbox(q->domain))
        return 0;
    if (read_tests(p, row / BLOCK, err) != 0)
        return -1;
    q->tests = sxt_frame_text(p->tests, 0, row % BLOCK);
    return 0;
}

struct sxt_span *sxt_problems_sources(const struct sxt_problems *p,
                                      size_t *count)
{
    struct sxt_map *seen = sxt_map_create();
    struct sxt_span *out = NULL;
    size_t cap = 0, n = 0;

    for (size_t i = 0; i < p->count; i++) {
        struct sxt_span source = sxt_problems_source(p, i);
        if (!sxt_map_put(seen, source.data, source.len, n))
            continue;
        out = sxt_grow(out, &cap, n + 1, sizeof(*out));
        out[n++] = source;
    }
    sxt_map_destroy(seen);
    *count = n;
    return out;
}
