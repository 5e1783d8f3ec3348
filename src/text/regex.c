/* regex.c - Oniguruma patterns translated for PCRE2, with limits. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Steps of one search; a search over sane text needs a few per byte. */
enum { STEP_LIMIT = 10000000 };

/* White_Space of the Unicode Standard.  PCRE2's own \s also has U+180E, which
 * left that property in Unicode 6.3. */
static const char spaces[] =
    "\\t-\\r \\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}"
    "\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";

struct sxt_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

/* ---- translation */

struct pattern {
    struct sxt_span text;
    size_t at; /* next byte to read */
    bool in_class;
    struct sxt_str out;
    const char *where;
    struct sxt_error *err;
};

static int peek(const struct pattern *p, size_t ahead)
{
    return p->at + ahead < p->text.len
               ? (unsigned char)p->text.data[p->at + ahead]
               : -1;
}

static bool follows(const struct pattern *p, const char *text)
{
    size_t n = strlen(text);

    return p->text.len - p->at >= n &&
           memcmp(p->text.data + p->at, text, n) == 0;
}

/* Refuse the n bytes at the reading place. */
static int refuse(struct pattern *p, size_t n)
{
    if (n > p->text.len - p->at)
        n = p->text.len - p->at;
    return sxt_err(p->err, SXT_EXIT_DATA,
                   "%s: regex \"%.*s\": \"%.*s\" at byte %zu is not supported",
                   p->where, (int)(p->text.len < 300 ? p->text.len : 300),
                   p->text.data, (int)n, p->text.data + p->at, p->at);
}

static void take(struct pattern *p, size_t n)
{
    sxt_str_add_bytes(&p->out, p->text.data + p->at, n);
    p->at += n;
}

/* \p{L}, \P{Lu}, \p{^Han}.  General categories mean the same to both; a
 * script is its Script property, not PCRE2's default Script_Extensions. */
static int property(struct pattern *p)
{
    bool negative = peek(p, 1) == 'P';
    size_t begin = 3, n = 0;

    if (peek(p, 2) != '{')
        return refuse(p, 3);
    if (peek(p, 3) == '^') {
        negative = !negative;
        begin = 4;
    }
    while (isalpha(peek(p, begin + n)) || peek(p, begin + n) == '_')
        n++;
    if (n == 0 || peek(p, begin + n) != '}')
        return refuse(p, begin + n + 1);
    const char *name = p->text.data + p->at + begin;
    bool category = n <= 2 && strchr("CLMNPSZ", name[0]);
    sxt_str_add(&p->out, "\\%c{%s%.*s}", negative ? 'P' : 'p',
                category ? "" : "sc:", (int)n, name);
    p->at += begin + n + 1;
    return 0;
}

/* \x{3000} or \x41; above 7F the short form would be a byte, not a letter. */
static int hex(struct pattern *p)
{
    size_t n = 2;

    if (peek(p, 2) == '{') {
        while (isxdigit(peek(p, n + 1)))
            n++;
        if (peek(p, n + 1) != '}')
            return refuse(p, n + 2);
        take(p, n + 2);
        return 0;
    }
    if (peek(p, 2) < '0' || peek(p, 2) > '7' || !isxdigit(peek(p, 3)))
        return refuse(p, 4);
    take(p, 4);
    return 0;
}

static int escape(struct pattern *p)
{
    int c = peek(p, 1);

    if (c == 's' || (c == 'S' && !p->in_class)) {
        if (p->in_class)
            sxt_str_add(&p->out, "%s", spaces);
        else
            sxt_str_add(&p->out, "[%s%s]", c == 'S' ? "^" : "", spaces);
        p->at += 2;
        return 0;
    }
    if (c == 'p' || c == 'P')
        return property(p);
    if (c == 'x')
        return hex(p);
    if (c == 'v') { /* a vertical tab; to PCRE2 any vertical space */
        sxt_str_add(&p->out, "\\x0B");
        p->at += 2;
        return 0;
    }
    if (c < 0 || !(ispunct(c) || strchr("rntfdD", c)))
        return refuse(p, 2);
    take(p, 2);
    return 0;
}

static int class_byte(struct pattern *p)
{
    if (peek(p, 0) == '[' || follows(p, "&&"))
        return refuse(p, 2); /* nested class, [:name:], intersection */
    if (peek(p, 0) == ']')
        p->in_class = false;
    take(p, 1);
    return 0;
}

static int open_class(struct pattern *p)
{
    take(p, peek(p, 1) == '^' ? 2 : 1);
    p->in_class = true;
    return peek(p, 0) == ']' ? refuse(p, 1) : 0; /* a bracket in itself */
}

/* {n}, {n,}, {n,m}; elsewhere a brace is ambiguous. */
static int repeat(struct pattern *p)
{
    size_t n = 1;

    while (isdigit(peek(p, n)))
        n++;
    if (n > 1 && peek(p, n) == ',')
        n++;
    while (isdigit(peek(p, n)))
        n++;
    /* {n,m}+ is possessive to PCRE2 only. */
    if (!isdigit(peek(p, 1)) || peek(p, n) != '}' || peek(p, n + 1) == '+')
        return refuse(p, n + 2);
    take(p, n + 1);
    return 0;
}

static int group(struct pattern *p)
{
    static const char *const known[] = { "(?:",  "(?=",  "(?!",  "(?>",
                                         "(?<=", "(?<!", "(?i:", NULL };

    if (peek(p, 1) != '?') {
        take(p, 1);
        return 0;
    }
    for (int i = 0; known[i]; i++) {
        if (!follows(p, known[i]))
            continue;
        take(p, strlen(known[i]));
        return 0;
    }
    return refuse(p, 4);
}

static int translate(struct pattern *p)
{
    while (p->at < p->text.len) {
        int c = peek(p, 0), rc = 0;
        if (c == '\\')
            rc = escape(p);
        else if (p->in_class)
            rc = class_byte(p);
        else if (c == '[')
            rc = open_class(p);
        else if (c == '(')
            rc = group(p);
        else if (c == '{')
            rc = repeat(p);
        else if (c == '^' || c == '$')
            rc = refuse(p, 1); /* lines to one, text to the other */
        else
            take(p, 1);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* ---- compiling and matching */

static pcre2_code *compile(const char *pattern, size_t n, bool literal,
                           const char *where, struct sxt_error *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    uint32_t options =
        literal ? PCRE2_LITERAL | PCRE2_UTF : PCRE2_UTF | PCRE2_UCP;
    int code;
    size_t at;

    SXT_CHECK(context != NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, n, options, &code, &at, context);
    pcre2_compile_context_free(context);
    if (!compiled) {
        PCRE2_UCHAR why[160];
        pcre2_get_error_message(code, why, sizeof(why));
        sxt_err(err, SXT_EXIT_DATA, "%s: regex \"%.*s\": %s (near byte %zu)",
                where, (int)(n < 300 ? n : 300), pattern, (const char *)why,
                at);
        return NULL;
    }
    /* A refusal (hardened kernels) leaves the interpreter: slower, equal. */
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    return compiled;
}

struct sxt_regex *sxt_regex_create(struct sxt_span pattern, bool literal,
                                   const char *where, struct sxt_error *err)
{
    struct pattern p = { pattern, 0, false, SXT_STR_EMPTY, where, err };
    pcre2_code *code = NULL;

    if (literal)
        code = compile(pattern.data, pattern.len, true, where, err);
    else if (translate(&p) == 0)
        code =
            compile(p.out.data ? p.out.data : "", p.out.len, false, where, err);
    sxt_str_free(&p.out);
    if (!code)
        return NULL;
    struct sxt_regex *re = sxt_calloc(1, sizeof(*re));
    re->code = code;
    re->limits = pcre2_match_context_create(NULL);
    SXT_CHECK(re->limits != NULL);
    pcre2_set_match_limit(re->limits, STEP_LIMIT);
    return re;
}

void sxt_regex_destroy(struct sxt_regex *re)
{
    if (!re)
        return;
    pcre2_match_context_free(re->limits);
    pcre2_code_free(re->code);
    free(re);
}

/* struct sxt_regex_space is never defined: a pointer to it is a
 * pcre2_match_data pointer. */
struct sxt_regex_space *sxt_regex_space_create(void)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);

    SXT_CHECK(data != NULL);
    return (struct sxt_regex_space *)data;
}

void sxt_regex_space_destroy(struct sxt_regex_space *space)
{
    pcre2_match_data_free((pcre2_match_data *)space);
}

bool sxt_regex_find(const struct sxt_regex *re, struct sxt_regex_space *space,
                    struct sxt_span text, size_t from, size_t *start,
                    size_t *end)
{
    pcre2_match_data *data = (pcre2_match_data *)space;
    PCRE2_SPTR subject = (PCRE2_SPTR)text.data;
    int rc = pcre2_match(re->code, subject, text.len, from, PCRE2_NO_UTF_CHECK,
                         data, re->limits);

    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter has the heap */
        rc = pcre2_match(re->code, subject, text.len, from,
                         PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, re->limits);
    if (rc == PCRE2_ERROR_NOMATCH || from == text.len)
        return false;
    if (rc < 0) { /* gave up */
        *start = from;
        *end = text.len;
        return true;
    }
    *start = pcre2_get_ovector_pointer(data)[0];
    *end = pcre2_get_ovector_pointer(data)[1];
    return true;
}
