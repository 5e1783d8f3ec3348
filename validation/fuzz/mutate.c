/* mutate.c - mutations that know brackets, words and a target's grammar.
 *
 * Bytes turned at random seldom get past a lexer.  So most mutations take out,
 * copy, swap or replace whole groups, "(…)" or "{…}" or a word, and put in what
 * the grammar derives; the rest are libFuzzer's own. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed);

/* ---- random numbers (xorshift64*, Vigna, arXiv:1402.6246) ---- */

static uint64_t state;

static size_t below(size_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return n > 0 ? (size_t)((state * 2685821657736338717u) >> 33) % n : 0;
}

/* ---- derivations ---- */

enum { DEEPEST = 12, LONGEST = 2000 };

static void derive(const char *text, int depth, struct sxt_str *out);

static void derive_rule(char letter, int depth, struct sxt_str *out)
{
    const char *const *rule = fuzz_grammar.rules[letter - 'a'];
    size_t n = 0;

    while (rule && rule[n])
        n++;
    /* Deep down only the first alternative, which ends soon. */
    if (n > 0 && out->len < LONGEST)
        derive(rule[depth > DEEPEST ? 0 : below(n)], depth + 1, out);
}

static void derive(const char *text, int depth, struct sxt_str *out)
{
    for (; *text; text++) {
        if (text[0] == '@' && islower((unsigned char)text[1]))
            derive_rule(*++text, depth, out);
        else
            sxt_str_add_char(out, *text == '\1' ? '\0' : *text);
    }
}

static char some_rule(void)
{
    char letter;

    do
        letter = (char)('a' + below(26));
    while (!fuzz_grammar.rules[letter - 'a']);
    return letter;
}

/* ---- groups ---- */

static size_t word_end(const uint8_t *s, size_t n, size_t at)
{
    size_t i = at + 1;

    if (s[at] == '\\' && i < n && !isalpha(s[i]))
        return i + 1;
    if (s[at] == '\\' || isalpha(s[at]))
        while (i < n && isalpha(s[i]))
            i++;
    else if (isdigit(s[at]))
        while (i < n && isdigit(s[i]))
            i++;
    else if (s[at] >= 0x80)
        while (i < n && (s[i] & 0xC0) == 0x80)
            i++;
    return i;
}

/* Behind the group that begins at `at`. */
static size_t group_end(const uint8_t *s, size_t n, size_t at)
{
    static const char open[] = "([{", close[] = ")]}";
    size_t depth = 0;

    if (s[at] == 0 || !strchr(open, s[at]))
        return word_end(s, n, at);
    for (size_t i = at; i < n; i++) {
        depth += s[i] && strchr(open, s[i]) != NULL;
        depth -= s[i] && strchr(close, s[i]) != NULL;
        if (depth == 0)
            return i + 1;
    }
    return n;
}

struct group {
    size_t from, to;
};

/* A group, sometimes with a few behind it. */
static struct group some_group(const uint8_t *s, size_t n)
{
    struct group g = { below(n), n };

    if (n == 0)
        return (struct group){ 0, 0 };
    g.to = group_end(s, n, g.from);
    for (size_t more = below(4); more > 1 && g.to < n; more--)
        g.to = group_end(s, n, g.to);
    return g;
}

/* ---- mutations ---- */

/* old[0 … g.from) + text + old[g.to …) */
static void splice(const uint8_t *old, size_t n, struct group g,
                   const void *text, size_t len, struct sxt_str *out)
{
    sxt_str_add_bytes(out, old, g.from);
    sxt_str_add_bytes(out, text, len);
    sxt_str_add_bytes(out, old + g.to, n - g.to);
}

static void insert_derived(const uint8_t *old, size_t n, struct group g,
                           struct sxt_str *out)
{
    struct sxt_str text = SXT_STR_EMPTY;

    derive_rule(some_rule(), (int)below(DEEPEST), &text);
    splice(old, n, g, text.data, text.len, out);
    sxt_str_free(&text);
}

static void swap_groups(const uint8_t *old, size_t n, struct sxt_str *out)
{
    struct group a = some_group(old, n), b = some_group(old, n);

    if (a.from > b.from) {
        struct group c = a;
        a = b;
        b = c;
    }
    if (a.to > b.from)
        a.to = b.from;
    sxt_str_add_bytes(out, old, a.from);
    sxt_str_add_bytes(out, old + b.from, b.to - b.from);
    sxt_str_add_bytes(out, old + a.to, b.from - a.to);
    sxt_str_add_bytes(out, old + a.from, a.to - a.from);
    sxt_str_add_bytes(out, old + b.to, n - b.to);
}

/* A group many times over: what is cheap once must stay so. */
static void repeat_group(const uint8_t *old, size_t n, size_t max,
                         struct sxt_str *out)
{
    struct group g = some_group(old, n);
    size_t len = g.to - g.from, times = (size_t)1 << below(10);

    sxt_str_add_bytes(out, old, g.from);
    for (size_t i = 0; i < times && out->len + len < max; i++)
        sxt_str_add_bytes(out, old + g.from, len);
    sxt_str_add_bytes(out, old + g.to, n - g.to);
}

/* One part becomes a copy of another: pairs that nearly agree. */
static void copy_part(const uint8_t *old, size_t n, struct sxt_str *out)
{
    struct sxt_span rest = { (const char *)old, n };
    struct sxt_span first = fuzz_part(&rest);

    sxt_str_add_bytes(out, first.data, first.len);
    sxt_str_add_char(out, '\0');
    sxt_str_add_bytes(out, first.data, first.len);
    if (below(2) && rest.len > 0) {
        sxt_str_cut(out, 0);
        sxt_str_add_bytes(out, rest.data, rest.len);
        sxt_str_add_char(out, '\0');
        sxt_str_add_bytes(out, rest.data, rest.len);
    }
}

static void mutate(const uint8_t *old, size_t n, size_t max,
                   struct sxt_str *out)
{
    struct group g = some_group(old, n), from;

    switch (below(8)) {
    case 0:
        derive(fuzz_grammar.start, 0, out);
        break;
    case 1:
        splice(old, n, g, "", 0, out);
        break;
    case 2:
        from = some_group(old, n);
        g.to = below(2) ? g.to : g.from;
        splice(old, n, g, old + from.from, from.to - from.from, out);
        break;
    case 3:
        swap_groups(old, n, out);
        break;
    case 4:
        repeat_group(old, n, max, out);
        break;
    case 5:
        copy_part(old, n, out);
        break;
    case 6:
        g.to = g.from;
        insert_derived(old, n, g, out);
        break;
    default:
        insert_derived(old, n, g, out);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed)
{
    struct sxt_str out = SXT_STR_EMPTY;

    state = ((uint64_t)seed << 1 | 1) * 0x9E3779B97F4A7C15u;
    if (below(4) == 0)
        return LLVMFuzzerMutate(data, size, max);
    mutate(data, size, max, &out);
    for (size_t more = below(3); more > 0; more--) {
        struct sxt_str again = SXT_STR_EMPTY;
        mutate((const uint8_t *)(out.data ? out.data : ""), out.len, max,
               &again);
        sxt_str_free(&out);
        out = again;
    }
    size = out.len < max ? out.len : max;
    if (size > 0)
        memcpy(data, out.data, size);
    sxt_str_free(&out);
    return size;
}
