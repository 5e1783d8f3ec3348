/* split.c - stages of regular expressions, each cutting the pieces of the one
 * before it. */
#include "text/split.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/regex.h"

enum { MAX_STAGES = 8 };

/* The pattern of GPT-2 (Radford et al. 2019), which ByteLevel has built in. */
static const char gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
    "|\\s+(?!\\S)|\\s+";

struct stage {
    struct sxt_regex *regex; /* NULL: put a space before each piece instead */
    bool drop_matches, drop_gaps;
};

struct sxt_split {
    struct stage stages[MAX_STAGES];
    size_t n;
};

/* ---- reading */

static int add_regex(struct sxt_split *split, struct sxt_span pattern,
                     bool literal, const char *where, struct sxt_error *err)
{
    struct sxt_regex *regex = sxt_regex_create(pattern, literal, where, err);

    if (!regex)
        return -1;
    split->stages[split->n++] = (struct stage){ .regex = regex };
    return 0;
}

static int parse_split(struct sxt_split *split, const struct sxt_json *json,
                       const char *where, struct sxt_error *err)
{
    const struct sxt_json *pattern = sxt_json_get(json, "pattern");
    const char *behavior = sxt_json_string(sxt_json_get(json, "behavior"), "");
    bool invert = sxt_json_bool(sxt_json_get(json, "invert"), false);
    struct sxt_span regex = sxt_json_text(sxt_json_get(pattern, "Regex"));
    struct sxt_span text = sxt_json_text(sxt_json_get(pattern, "String"));
    bool removes = strcmp(behavior, "Removed") == 0;

    if (!removes && strcmp(behavior, "Isolated") != 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: Split: behavior \"%s\" is not supported (only "
                       "Isolated and Removed)",
                       where, behavior);
    if (!regex.data && !text.data)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s: Split: no pattern {\"Regex\": …} or "
                       "{\"String\": …}",
                       where);
    if (add_regex(split, regex.data ? regex : text, !regex.data, where, err))
        return -1;
    split->stages[split->n - 1].drop_matches = removes && !invert;
    split->stages[split->n - 1].drop_gaps = removes && invert;
    return 0;
}

static int parse_byte_level(struct sxt_split *split,
                            const struct sxt_json *json, const char *where,
                            struct sxt_error *err)
{
    if (sxt_json_bool(sxt_json_get(json, "add_prefix_space"), true))
        split->stages[split->n++] = (struct stage){ .regex = NULL };
    if (!sxt_json_bool(sxt_json_get(json, "use_regex"), true))
        return 0;
    return add_regex(split, sxt_span(gpt2_pattern), false, where, err);
}

static int parse_stage(struct sxt_split *split, const struct sxt_json *json,
                       bool last, const char *where, struct sxt_error *err)
{
    const char *type = sxt_json_string(sxt_json_get(json, "type"), "(none)");
    bool byte_level = strcmp(type, "ByteLevel") == 0;

    if (split->n + 2 > MAX_STAGES)
        return sxt_err(err, SXT_EXIT_DATA, "%s: too many stages", where);
    if (byte_level != last)
        return sxt_err(err, SXT_EXIT_DATA,
                       last ? "%s: its last stage is %s, not ByteLevel: only "
                              "byte-level BPE is supported"
                            : "%s: %s must be the last stage",
                       where, type);
    if (byte_level)
        return parse_byte_level(split, json, where, err);
    if (strcmp(type, "Split") == 0)
        return parse_split(split, json, where, err);
    if (strcmp(type, "Digits") == 0) {
        bool each =
            sxt_json_bool(sxt_json_get(json, "individual_digits"), false);
        return add_regex(split, sxt_span(each ? "\\p{N}" : "\\p{N}+"), false,
                         where, err);
    }
    return sxt_err(err, SXT_EXIT_DATA, "%s: type %s is not supported", where,
                   type);
}

struct sxt_split *sxt_split_parse(const struct sxt_json *json,
                                  const char *where, struct sxt_error *err)
{
    struct sxt_split *split = sxt_calloc(1, sizeof(*split));
    const char *type = sxt_json_string(sxt_json_get(json, "type"), "(none)");
    int rc = 0;

    if (strcmp(type, "Sequence") != 0) {
        rc = parse_stage(split, json, true, where, err);
    } else {
        const struct sxt_json *list = sxt_json_get(json, "pretokenizers");
        size_t n = sxt_json_count(list);
        if (n == 0)
            rc = sxt_err(err, SXT_EXIT_DATA, "%s: an empty Sequence", where);
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = parse_stage(split, sxt_json_item(list, i), i + 1 == n, where,
                             err);
    }
    if (rc == 0)
        return split;
    sxt_split_destroy(split);
    return NULL;
}

void sxt_split_destroy(struct sxt_split *split)
{
    if (!split)
        return;
    for (size_t i = 0; i < split->n; i++)
        sxt_regex_destroy(split->stages[i].regex);
    free(split);
}

/* ---- running */

struct walk {
    const struct sxt_split *split;
    struct sxt_regex_space *space;
    void (*piece)(void *user, struct sxt_span piece);
    void *user;
};

static void run_stage(const struct walk *walk, size_t i, struct sxt_span text);

static void run_prefix(const struct walk *walk, size_t i, struct sxt_span text)
{
    struct sxt_str copy = SXT_STR_EMPTY;

    if (text.data[0] == ' ') {
        run_stage(walk, i + 1, text);
        return;
    }
    sxt_str_add_char(&copy, ' ');
    sxt_str_add_bytes(&copy, text.data, text.len);
    run_stage(walk, i + 1, (struct sxt_span){ copy.data, copy.len });
    sxt_str_free(&copy);
}

/* The place one character behind `at`. */
static size_t step(struct sxt_span text, size_t at)
{
    do
        at++;
    while (at < text.len && ((unsigned char)text.data[at] & 0xC0) == 0x80);
    return at;
}

static void run_regex(const struct walk *walk, size_t i, struct sxt_span text)
{
    const struct stage *stage = &walk->split->stages[i];
    size_t done = 0, from = 0, start, end;

    while (from <= text.len && sxt_regex_find(stage->regex, walk->space, text,
                                              from, &start, &end)) {
        if (start > done && !stage->drop_gaps)
            run_stage(walk, i + 1,
                      (struct sxt_span){ text.data + done, start - done });
        if (end > start && !stage->drop_matches)
            run_stage(walk, i + 1,
                      (struct sxt_span){ text.data + start, end - start });
        done = end;
        from = end > start ? end : step(text, end); /* empty: a mere border */
    }
    if (text.len > done && !stage->drop_gaps)
        run_stage(walk, i + 1,
                  (struct sxt_span){ text.data + done, text.len - done });
}

static void run_stage(const struct walk *walk, size_t i, struct sxt_span text)
{
    if (i == walk->split->n)
        walk->piece(walk->user, text);
    else if (walk->split->stages[i].regex)
        run_regex(walk, i, text);
    else
        run_prefix(walk, i, text);
}

void sxt_split_run(const struct sxt_split *split, struct sxt_span text,
                   struct sxt_regex_space *space,
                   void (*piece)(void *user, struct sxt_span piece), void *user)
{
    struct walk walk = { split, space, piece, user };

    if (text.len > 0)
        run_stage(&walk, 0, text);
}
