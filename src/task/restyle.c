/* restyle.c - a raw response as thought and solution. */
#include "task/restyle.h"

#include <string.h>

#include "task/codeextract.h"
#include "task/extract.h"

struct markers {
    const char *begin_thought, *end_thought, *begin_solution, *end_solution;
};

/* Empty: nothing marks that place. */
static const struct markers styles[] = {
    { "<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>",
      "<|end_of_solution|>" },
    { "<thinking>", "</thinking>", "", "" },
    { "<think>", "</think>", "", "" },
    { "<|begin_of_slow_thought|>", "<|end_of_slow_thought|>",
      "<|begin_of_solution|>", "<|end_of_solution|>" }, /* STILL-2's */
};
enum { N_STYLES = sizeof(styles) / sizeof(styles[0]) };

/* What must not stand inside a section. */
static const char *const reserved[] = { "<|begin_of_thought|>",
                                        "<|end_of_thought|>",
                                        "<|begin_of_solution|>",
                                        "<|end_of_solution|>",
                                        "<thinking>",
                                        "</thinking>",
                                        "<think>",
                                        "</think>",
                                        "<|im_start|>",
                                        "<|im_end|>",
                                        "<|endoftext|>",
                                        NULL };

static struct sxt_span cut(struct sxt_span s, size_t from, size_t to)
{
    return (struct sxt_span){ s.data + from, to - from };
}

static bool clean(struct sxt_span s)
{
    for (int i = 0; reserved[i]; i++)
        if (sxt_span_find(s, reserved[i]) >= 0)
            return false;
    return true;
}

static bool sections_of(struct sxt_span text, const struct markers *m,
                        struct sxt_sections *out)
{
    size_t n = strlen(m->begin_thought);
    text = sxt_span_trim(text);
    if (text.len < n || memcmp(text.data, m->begin_thought, n) != 0)
        return false;
    text = cut(text, n, text.len);

    long end = sxt_span_find(text, m->end_thought);
    if (end < 0)
        return false;
    out->thought = sxt_span_trim(cut(text, 0, (size_t)end));
    text = sxt_span_trim(
        cut(text, (size_t)end + strlen(m->end_thought), text.len));

    n = strlen(m->begin_solution);
    if (text.len < n || memcmp(text.data, m->begin_solution, n) != 0)
        return false;
    size_t tail = strlen(m->end_solution);
    if (text.len < n + tail ||
        memcmp(text.data + text.len - tail, m->end_solution, tail) != 0)
        return false;
    out->solution = sxt_span_trim(cut(text, n, text.len - tail));
    return true;
}

bool sxt_restyle_sections(struct sxt_span text, struct sxt_sections *out)
{
    for (int i = 0; i < N_STYLES; i++)
        if (sections_of(text, &styles[i], out))
            return out->thought.len > 0 && out->solution.len > 0 &&
                   clean(out->thought) && clean(out->solution);
    return false;
}

/* ---- where the solution begins ---- */

/* Start of the paragraph that holds byte `at`. */
static size_t paragraph_start(struct sxt_span s, size_t at)
{
    while (at > 1 && !(s.data[at - 1] == '\n' && s.data[at - 2] == '\n'))
        at--;
    return at > 1 ? at : 0;
}

/* A paragraph that only announces the next one: a heading, or it ends with a
 * colon. */
static bool announces(struct sxt_span paragraph)
{
    struct sxt_span p = sxt_span_trim(paragraph);
    bool one_line = memchr(p.data, '\n', p.len) == NULL;

    if (p.len == 0 || !one_line)
        return false;
    bool heading =
        p.data[0] == '#' || (p.len > 4 && p.len < 60 && p.data[0] == '*' &&
                             p.data[1] == '*' && p.data[p.len - 1] == '*');
    return heading || p.data[p.len - 1] == ':';
}

/* Take announcing paragraphs before `at` along. */
static size_t with_heading(struct sxt_span s, size_t at)
{
    while (at > 0) {
        size_t end = at;
        while (end > 0 && s.data[end - 1] == '\n')
            end--;
        size_t start = paragraph_start(s, end);
        if (end == 0 || !announces(cut(s, start, end)))
            break;
        at = start;
    }
    return at;
}

/* The last place of a phrase in any of its spellings, or -1. */
static long last_statement(struct sxt_span s)
{
    static const char *const phrases[] = { "\\boxed", "nswer is",
                                           "nswer:", "####", "hoice is" };
    long best = -1;

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        long at = sxt_span_find_last(s, phrases[i]);
        if (i == 0 && at >= 0)
            return at; /* a box is what the grader takes */
        if (at > best)
            best = at;
    }
    return best;
}

/* Start of the sentence that holds byte `at`, for a single paragraph. */
static size_t sentence_start(struct sxt_span s, size_t at)
{
    while (at > 1 &&
           !(s.data[at - 1] == ' ' && strchr(".!?", s.data[at - 2])) &&
           s.data[at - 1] != '\n')
        at--;
    return at > 1 ? at : 0;
}

static long code_start(struct sxt_span s)
{
    struct sxt_span program = sxt_code_extract(s);

    if (!program.data || program.data < s.data)
        return -1;
    struct sxt_span before = { s.data, (size_t)(program.data - s.data) };
    return sxt_span_find_last(before, "```");
}

bool sxt_restyle_split(struct sxt_span response, struct sxt_span domain,
                       struct sxt_sections *out)
{
    struct sxt_span s = sxt_span_trim(response);
    bool is_code = sxt_span_equal(domain, "code");
    long at = is_code ? code_start(s) : last_statement(s);

    if (at < 0)
        return false;
    size_t start = with_heading(s, paragraph_start(s, (size_t)at));
    if (start == 0)
        start = sentence_start(s, (size_t)at);
    if (start == 0 && is_code)
        start = (size_t)at;
    out->thought = sxt_span_trim(cut(s, 0, start));
    out->solution = sxt_span_trim(cut(s, start, s.len));
    if (out->thought.len == 0) /* one sentence is both */
        out->thought = out->solution;
    return true;
}

void sxt_restyle_render(const struct sxt_sections *sections,
                        enum sxt_style style, struct sxt_str *out)
{
    const struct markers *m = &styles[style];

    sxt_str_add(out, "%s\n\n", m->begin_thought);
    sxt_str_add_bytes(out, sections->thought.data, sections->thought.len);
    sxt_str_add(out, "\n\n%s\n\n", m->end_thought);
    if (m->begin_solution[0])
        sxt_str_add(out, "%s\n\n", m->begin_solution);
    sxt_str_add_bytes(out, sections->solution.data, sections->solution.len);
    if (m->end_solution[0])
        sxt_str_add(out, "\n\n%s", m->end_solution);
}

/* ---- validation ---- */

static bool same_trimmed(struct sxt_span a, struct sxt_span b)
{
    return sxt_span_same(sxt_span_trim(a), sxt_span_trim(b));
}

static bool same_answer(struct sxt_span response, struct sxt_span text)
{
    struct sxt_str a = SXT_STR_EMPTY, b = SXT_STR_EMPTY;
    bool same = sxt_extract_answer(response, false, &a) != SXT_EXTRACT_NONE &&
                sxt_extract_answer(text, false, &b) != SXT_EXTRACT_NONE &&
                same_trimmed((struct sxt_span){ a.data, a.len },
                             (struct sxt_span){ b.data, b.len });

    sxt_str_free(&a);
    sxt_str_free(&b);
    return same;
}

static bool same_choice(struct sxt_span response, struct sxt_span text)
{
    char a = sxt_extract_choice(response, 26);

    return a == sxt_extract_choice(text, 26) &&
           (a != 0 || same_answer(response, text));
}

static bool same_program(struct sxt_span response, struct sxt_span text)
{
    struct sxt_span a = sxt_code_extract(sxt_extract_solution(response));
    struct sxt_span b = sxt_code_extract(sxt_extract_solution(text));

    return a.data && b.data && same_trimmed(a, b);
}

bool sxt_restyle_valid(struct sxt_span response, struct sxt_span text,
                       struct sxt_span domain, const char **why)
{
    struct sxt_sections sections;
    bool same;

    *why = "sections missing or markers forged";
    if (!sxt_restyle_sections(text, &sections))
        return false;
    if (sxt_span_equal(domain, "code"))
        same = same_program(response, text);
    else if (sxt_span_equal(domain, "choice"))
        same = same_choice(response, text);
    else
        same = same_answer(response, text);
    *why = same ? "" : "no answer, or not the response's";
    return same;
}
