/* mathlex.c - an answer's text as tokens. */
#include "task/mathlex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "task/mathplain.h"
#include "task/mathwords.h"

struct lexer {
    const char *p, *end;
    struct sxt_math_tokens *out;
    int brackets;     /* open ( [ \{ : a comma inside separates */
    int environments; /* open \begin: \\ inside ends a row */
    bool join, space;
    int nesting; /* of \text{…} */
};

enum { MAX_NESTING = 16 };

static void push(struct lexer *lx, char kind, const char *text, size_t n)
{
    struct sxt_math_tokens *out = lx->out;

    if (out->count >= SXT_MATH_MAX_TOKENS) {
        out->too_long = true;
        return;
    }
    out->item =
        sxt_grow(out->item, &out->cap, out->count + 2, sizeof(*out->item));
    out->item[out->count++] =
        (struct sxt_math_token){ kind, lx->space, { text, n } };
    lx->space = false;
    lx->brackets += kind == '(' || kind == '[' || kind == 'S';
    lx->brackets -= kind == ')' || kind == ']' || kind == 's';
}

/* The same with a copy of the text; the buffer was sized for all of it. */
static void push_copy(struct lexer *lx, char kind, const char *text, size_t n)
{
    char *copy = lx->out->text + lx->out->used;

    memcpy(copy, text, n);
    lx->out->used += n;
    push(lx, kind, copy, n);
}

static void push_entry(struct lexer *lx, const struct sxt_math_word *e)
{
    const char *text = e->text ? e->text : e->name;

    if (e->kind == 0)
        lx->space = true;
    else
        push(lx, e->kind, text, strlen(text));
}

/* Bytes of a separator of thousands at p, 0 if there is none.  *sure: it
 * cannot be a comma between two answers. */
static size_t thousands_mark(const struct lexer *lx, const char *p, bool *sure)
{
    static const char *const marks[] = { "{,}",    "{, }",   " {, }",  ",\\! ",
                                         ",\\!",   "\\!,",   "\\,",    "~",
                                         "\u2009", "\u202f", "\u00a0", NULL };
    size_t left = (size_t)(lx->end - p);

    *sure = true;
    for (size_t i = 0; marks[i]; i++)
        if (strlen(marks[i]) <= left &&
            memcmp(p, marks[i], strlen(marks[i])) == 0)
            return strlen(marks[i]);
    *sure = false;
    return left > 0 && (*p == ',' || *p == ' ') ? 1 : 0;
}

/* Bytes of ",123" at p if it goes on with a number, else 0. */
static size_t thousands_group(const struct lexer *lx, const char *p)
{
    bool sure;
    size_t mark = thousands_mark(lx, p, &sure);
    const char *d = p + mark;

    if (mark == 0 || lx->end - d < 3)
        return 0;
    if (!isdigit((unsigned char)d[0]) || !isdigit((unsigned char)d[1]) ||
        !isdigit((unsigned char)d[2]))
        return 0;
    bool may_be_item = lx->brackets > 0 || (!lx->join && d[0] != '0');
    if (!sure && may_be_item)
        return 0;
    if (d + 3 < lx->end &&
        (isdigit((unsigned char)d[3]) || (*p == ' ' && d[3] == '/')))
        return 0;
    return mark + 3;
}

/* 7.44e-4, with a sign: 2e3 may be 2 e 3. */
static void exponent(struct lexer *lx)
{
    const char *p = lx->p;
    size_t n = 2;

    if (lx->end - p < 3 || (*p != 'e' && *p != 'E') ||
        (p[1] != '-' && p[1] != '+') || !isdigit((unsigned char)p[2]))
        return;
    while (p + n < lx->end && isdigit((unsigned char)p[n]))
        n++;
    lx->p += n;
    push(lx, '*', "*", 1);
    push(lx, SXT_TOK_NUMBER, "10", 2);
    push(lx, '^', "^", 1);
    push(lx, '{', "{", 1);
    push_copy(lx, p[1], p + 1, 1);
    push_copy(lx, SXT_TOK_NUMBER, p + 2, n - 2);
    push(lx, '}', "}", 1);
}

/* Bytes of "th", "^{th}", "^\\text{th}" and the like at p, or 0. */
static size_t ordinal_suffix(const struct lexer *lx, const char *p)
{
    static const char *const ends[] = { "st", "nd", "rd", "th" };
    const char *start = p;
    int open = 0;
    bool found = false;

    while (p < lx->end && strchr("^{\\ ", *p)) {
        open += *p == '{';
        if (*p++ != '\\')
            continue;
        const char *name = p;
        while (p < lx->end && isalpha((unsigned char)*p))
            p++;
        if (!sxt_mathwords_is_wrapper(name, (size_t)(p - name)))
            return 0;
    }
    for (int i = 0; i < 4 && lx->end - p >= 2; i++)
        found |= memcmp(p, ends[i], 2) == 0;
    if (!found || (p > start && *start == ' '))
        return 0;
    p += 2;
    if (p < lx->end && isalpha((unsigned char)*p))
        return 0;
    for (; open > 0 && p < lx->end && *p == '}'; open--)
        p++;
    return open == 0 ? (size_t)(p - start) : 0;
}

static void number(struct lexer *lx)
{
    char *start = lx->out->text + lx->out->used, *w = start;
    size_t group;

    while (lx->p < lx->end && isdigit((unsigned char)*lx->p))
        *w++ = *lx->p++;
    bool may_group = w > start && w - start <= 3;
    while (may_group && (group = thousands_group(lx, lx->p)) > 0) {
        memcpy(w, lx->p + group - 3, 3);
        w += 3;
        lx->p += group;
    }
    if (lx->end - lx->p >= 2 && *lx->p == '.' &&
        (isdigit((unsigned char)lx->p[1]) || lx->p[1] == '\\')) {
        do
            *w++ = *lx->p++;
        while (lx->p < lx->end && isdigit((unsigned char)*lx->p));
    }
    lx->out->used += (size_t)(w - start);
    push(lx, SXT_TOK_NUMBER, start, (size_t)(w - start));
    if (!memchr(start, '.', (size_t)(w - start)))
        lx->p += ordinal_suffix(lx, lx->p);
    exponent(lx);
}

/* (0, 1) U (2, 3): a U that stands for a union sign was just read. */
static bool joins_sets(const struct lexer *lx)
{
    const char *p = lx->p;
    size_t count = lx->out->count;
    bool blank = lx->space || (p < lx->end && *p == ' ');

    while (p < lx->end && *p == ' ')
        p++;
    return blank && count > 0 && p < lx->end &&
           strchr(")]s", lx->out->item[count - 1].kind) && strchr("([\\", *p);
}

/* Bytes of 2A in 2A_{16}: digits and capitals, and a base above ten. */
static size_t digits_and_capitals(const struct lexer *lx)
{
    enum { LONGEST = 1000 }; /* looked for at every letter */
    size_t n = 0, left = (size_t)(lx->end - lx->p), digits = 0, at;
    bool index = false;

    if (left > LONGEST)
        left = LONGEST;
    for (; n < left && (isdigit((unsigned char)lx->p[n]) ||
                        isupper((unsigned char)lx->p[n]));
         n++)
        digits += isdigit((unsigned char)lx->p[n]) != 0;
    for (at = n; at < left && strchr(" })_{", lx->p[at]); at++)
        index |= lx->p[at] == '_';
    bool above_ten = at + 1 < left && strchr("123", lx->p[at]) &&
                     isdigit((unsigned char)lx->p[at + 1]);
    bool base =
        at < left ? index && above_ten : lx->nesting > 0 && left < LONGEST;
    return base && digits > 0 && digits < n ? n : 0;
}

/* A blank behind a number or a fraction was just read: 5\,\mathrm{m}. */
static bool behind_number(const struct lexer *lx)
{
    size_t n = lx->out->count;
    char before = n > 0 ? lx->out->item[n - 1].kind : '\0';

    return lx->space && (before == SXT_TOK_NUMBER || before == '}');
}

/* 5 m/s and no product. */
static bool is_speed(const struct lexer *lx, const char *p)
{
    return behind_number(lx) && lx->end - p >= 3 && memcmp(p, "m/s", 3) == 0 &&
           (lx->end - p == 3 || !isalpha((unsigned char)p[3]));
}

/* US before a dollar sign or the word: no other dollars are meant. */
static bool american(struct lexer *lx, struct sxt_span s)
{
    const char *p = lx->p;

    if (!sxt_span_equal(s, "US") && !sxt_span_equal(s, "U.S."))
        return false;
    while (p < lx->end && strchr(" ~", *p))
        p++;
    size_t left = (size_t)(lx->end - p);
    lx->space = true;
    if (left > 1 && *p == '$' && isdigit((unsigned char)p[1])) {
        lx->p = p + 1;
        push(lx, SXT_TOK_CURRENCY, "dollar", 6);
        return true;
    }
    return (left > 1 && p[0] == '\\' && p[1] == '$') ||
           (left > 5 && memcmp(p, "dollar", 6) == 0);
}

/* A run of letters: a name, a function, a product of names, or a word. */
static void letters(struct lexer *lx)
{
    const char *p = lx->p;
    size_t n = 0;

    while (p + n < lx->end && isalpha((unsigned char)p[n]))
        n++;
    lx->p += n;
    const struct sxt_math_word *word = sxt_mathwords_bare(p, n);
    const struct sxt_math_word *command =
        word ? NULL : sxt_mathwords_command(p, n);
    if (word)
        push_entry(lx, word);
    else if (american(lx, (struct sxt_span){ p, n }))
        return;
    else if (n == 1 && *p == 'U' && joins_sets(lx))
        push(lx, SXT_TOK_UNION, "U", 1);
    else if (sxt_mathwords_is_short(p, n) ||
             (behind_number(lx) && sxt_mathwords_is_unit(p, n)) ||
             (n == 1 && is_speed(lx, p)))
        push_copy(lx, SXT_TOK_TEXT, p, n);
    else if (n >= 2 && command &&
             (command->kind == 'v' || command->kind == 'f'))
        push_entry(lx, command);
    else if (n >= 4)
        push_copy(lx, SXT_TOK_TEXT, p, n);
    else
        for (size_t i = 0; i < n; i++)
            push_copy(lx, SXT_TOK_NAME, p + i, 1);
}

/* Nothing that a function could be of follows, be there a power before it. */
static bool ends_item(const struct lexer *lx)
{
    const char *p = lx->p;

    if (lx->end - p >= 2 && *p == '^')
        p += p[1] != '{' ? 2 : lx->end - p >= 4 && p[3] == '}' ? 4 : 0;
    while (p < lx->end && strchr(" ~", *p))
        p++;
    return p >= lx->end || strchr(".,;})$", *p);
}

enum style { WORDS, UPRIGHT, SLANTED }; /* the last two are maths */

/* Words from inside \text{…}: lists are taken apart, numbers are numbers. */
static void words_inside(struct lexer *lx, struct sxt_span s, enum style style)
{
    s = sxt_span_trim(s);
    const struct sxt_math_word *e = sxt_mathwords_bare(s.data, s.len);
    const struct sxt_math_word *f = sxt_mathwords_command(s.data, s.len);
    bool measures = style == UPRIGHT && behind_number(lx);
    bool letter = style != WORDS && s.len == 1 &&
                  !(measures && strchr("mgshlLJVWN", s.data[0]));
    bool is_short = sxt_mathwords_is_short(s.data, s.len); /* min, sec */

    if (s.len == 0)
        lx->space = true;
    else if (american(lx, s))
        return;
    else if (e)
        push_entry(lx, e);
    else if (f && f->kind == SXT_TOK_FUNCTION &&
             !(is_short && (style == WORDS || (measures && ends_item(lx)))))
        push_entry(lx, f);
    else
        push_copy(lx, letter ? SXT_TOK_NAME : SXT_TOK_TEXT, s.data, s.len);
}

/* Length of a list separator at the start of s. */
static size_t separator(struct sxt_span s)
{
    if (s.data[0] == ',' || s.data[0] == ';')
        return 1;
    if (s.len > 5 && strncasecmp(s.data, " and ", 5) == 0)
        return 5;
    return s.len > 4 && strncasecmp(s.data, " or ", 4) == 0 ? 4 : 0;
}

static void text_content(struct lexer *lx, struct sxt_span s, enum style style)
{
    size_t from = 0;

    for (size_t i = 0; i < s.len && !lx->out->too_long; i++) {
        size_t n = separator((struct sxt_span){ s.data + i, s.len - i });
        if (n == 0)
            continue;
        words_inside(lx, (struct sxt_span){ s.data + from, i - from }, style);
        push(lx, ',', n == 4 ? "or" : n == 5 ? "and" : ",", n == 1 ? 1 : n - 2);
        i += n - 1;
        from = i + 1;
    }
    words_inside(lx, (struct sxt_span){ s.data + from, s.len - from }, style);
}

/* The group that opens at lx->p, without its braces; unclosed: the rest. */
static struct sxt_span braced(struct lexer *lx)
{
    const char *p = lx->p + 1, *start = p;
    int depth = 1;

    for (; p < lx->end; p++) {
        depth += *p == '{';
        depth -= *p == '}';
        if (depth == 0)
            break;
    }
    lx->p = p < lx->end ? p + 1 : p;
    return (struct sxt_span){ start, (size_t)(p - start) };
}

static void run(struct lexer *lx);

static void wrapper(struct lexer *lx, const char *name, size_t n)
{
    while (lx->p < lx->end && *lx->p == ' ')
        lx->p++;
    if (lx->p >= lx->end || *lx->p != '{')
        return;
    struct sxt_span s = sxt_span_trim(braced(lx));
    bool upright = name[0] == 'o' || (n == 6 && memcmp(name, "mathrm", 6) == 0);
    bool is_maths = memcmp(name, "math", n < 4 ? n : 4) == 0 || name[0] == 'b';
    enum style style = upright ? UPRIGHT : is_maths ? SLANTED : WORDS;
    bool is_number = s.len > 0 && (isdigit((unsigned char)s.data[0]) ||
                                   strchr("-+.$\\", s.data[0]));
    if (s.len > 0 && s.data[0] == '~') { /* a unit */
        s = (struct sxt_span){ s.data + 1, s.len - 1 };
        style = WORDS;
    }
    if (!is_number) {
        text_content(lx, s, style);
        return;
    }
    if (++lx->nesting > MAX_NESTING) {
        lx->out->too_long = true;
        return;
    }
    const char *p = lx->p, *end = lx->end; /* the inside, as maths */
    lx->p = s.data;
    lx->end = s.data + s.len;
    run(lx);
    lx->p = p;
    lx->end = end;
    lx->nesting--;
}

static void blackboard(struct lexer *lx)
{
    struct sxt_span s = { lx->p, lx->p < lx->end ? 1 : 0 };

    if (s.len > 0 && *lx->p == '{')
        s = braced(lx);
    else
        lx->p += s.len;
    if (sxt_span_equal(sxt_span_trim(s), "R"))
        push(lx, SXT_TOK_NAME, "reals", 5);
    else
        push_copy(lx, SXT_TOK_TEXT, s.data, s.len);
}

/* Step over what a command says of looks: [rgb]{1,0,0}. */
static void undress(struct lexer *lx, int arguments)
{
    enum { LONGEST = 64 };
    size_t left = (size_t)(lx->end - lx->p);
    const char *close =
        left > 0 && *lx->p == '['
            ? memchr(lx->p, ']', left < LONGEST ? left : LONGEST)
            : NULL;

    if (close)
        lx->p = close + 1;
    for (; arguments > 0 && lx->p < lx->end && *lx->p == '{'; arguments--)
        braced(lx);
}

static void named_command(struct lexer *lx)
{
    const char *name = lx->p;
    size_t n = 0;
    int arguments;

    while (name + n < lx->end && isalpha((unsigned char)name[n]))
        n++;
    const struct sxt_math_word *e = sxt_mathwords_command(name, n);
    if (!e && n > 4 && memcmp(name, "quad", 4) == 0)
        n = 4; /* \quadx */
    lx->p += n;
    if (n == 4 && memcmp(name, "quad", 4) == 0)
        lx->space = true;
    else if (sxt_mathwords_is_wrapper(name, n))
        wrapper(lx, name, n);
    else if ((arguments = sxt_mathwords_dress(name, n)) >= 0)
        undress(lx, arguments);
    else if (n == 6 && memcmp(name, "mathbb", 6) == 0)
        blackboard(lx);
    else if (e)
        push_entry(lx, e);
    else
        push_copy(lx, SXT_TOK_COMMAND, name, n);
    if (e && e->kind == 'c' && strcmp(e->name, "begin") == 0)
        lx->environments++;
    if (e && e->kind == 'c' && strcmp(e->name, "end") == 0)
        lx->environments--;
}

/* \\, perhaps with more room below: \\[2mm] */
static void row(struct lexer *lx)
{
    const char *p = lx->p;
    size_t number, unit;

    push(lx, SXT_TOK_ROW, "\\\\", 2);
    if (p >= lx->end || *p != '[')
        return;
    p++;
    for (number = 0; p < lx->end && strchr("-.0123456789", *p); number++)
        p++;
    for (unit = 0; p < lx->end && isalpha((unsigned char)*p); unit++)
        p++;
    if (number > 0 && unit == 2 && p < lx->end && *p == ']')
        lx->p = p + 1;
}

/* Behind a backslash that is not followed by a letter. */
static void escaped(struct lexer *lx)
{
    char c = *lx->p++;
    bool doubled = lx->environments <= 0 && lx->p < lx->end &&
                   isalpha((unsigned char)*lx->p);

    if (c == '\\' && doubled)
        named_command(lx); /* \\frac from somebody's double escaping */
    else if (c == '\\')
        row(lx);
    else if (c == '{')
        push(lx, SXT_TOK_SET_OPEN, "{", 1);
    else if (c == '}')
        push(lx, SXT_TOK_SET_CLOSE, "}", 1);
    else if (c == '$')
        push(lx, SXT_TOK_CURRENCY, "dollar", 6);
    else if (c == '%' || c == '|')
        push_copy(lx, c, &c, 1);
    else if (c != '!')
        lx->space = true; /* \, \; \: \( \) \[ \] and the like */
}

/* ½ as \frac12, so that 2½ is 2\frac12. */
static bool fraction_sign(struct lexer *lx)
{
    const char *above, *below;
    size_t n = sxt_mathwords_fraction(lx->p, (size_t)(lx->end - lx->p), &above,
                                      &below);

    if (n == 0)
        return false;
    lx->p += n;
    push(lx, SXT_TOK_COMMAND, "frac", 4);
    push(lx, SXT_TOK_NUMBER, above, 1);
    push(lx, SXT_TOK_NUMBER, below, 1);
    return true;
}

/* x² as x^{2}, log₂ as log_{2}. */
static bool small_digits(struct lexer *lx)
{
    char place, digit, next;
    size_t n =
        sxt_mathwords_small(lx->p, (size_t)(lx->end - lx->p), &place, &digit);

    if (n == 0)
        return false;
    push(lx, place, place == '^' ? "^" : "_", 1);
    push(lx, '{', "{", 1);
    if (digit == '-') {
        push(lx, '-', "-", 1);
        lx->p += n;
        n = sxt_mathwords_small(lx->p, (size_t)(lx->end - lx->p), &next,
                                &digit);
    }
    char *start = lx->out->text + lx->out->used, *w = start;
    for (next = place; n > 0 && next == place && digit != '-';) {
        *w++ = digit;
        lx->p += n;
        n = sxt_mathwords_small(lx->p, (size_t)(lx->end - lx->p), &next,
                                &digit);
    }
    lx->out->used += (size_t)(w - start);
    push(lx, SXT_TOK_NUMBER, start, (size_t)(w - start));
    push(lx, '}', "}", 1);
    return true;
}

static void beyond_ascii(struct lexer *lx)
{
    const char *p = lx->p;
    size_t n = 0;
    const struct sxt_math_word *e =
        sxt_mathwords_unicode(p, (size_t)(lx->end - p));
    if (e) {
        lx->p += strlen(e->name);
        push_entry(lx, e);
        return;
    }
    if (fraction_sign(lx) || small_digits(lx))
        return;
    for (n = 0; p + n < lx->end && (unsigned char)p[n] >= 0x80; n++)
        ;
    lx->p += n;
    push_copy(lx, SXT_TOK_TEXT, p, n);
}

static void symbol(struct lexer *lx)
{
    char c = *lx->p++, next = lx->p < lx->end ? *lx->p : '\0';

    if (next == '=' && strchr("<>=", c)) {
        lx->p++;
        push(lx, c == '<' ? 'L' : c == '>' ? 'G' : '=', "=", 1);
    } else if (next == '=' && c == '!' && lx->space) {
        lx->p++;
        push(lx, SXT_TOK_NE, "=", 1);
    } else if (next == '*' && c == '*') {
        lx->p++;
        push(lx, '^', "^", 1);
    } else if (!strchr("$\"`", c)) {
        push_copy(lx, c, &c, 1);
    }
}

static void run(struct lexer *lx)
{
    while (lx->p < lx->end && !lx->out->too_long) {
        unsigned char c = (unsigned char)*lx->p;
        bool point =
            c == '.' && lx->end - lx->p > 1 && isdigit((unsigned char)lx->p[1]);
        size_t based = isalnum(c) ? digits_and_capitals(lx) : 0;
        if (isspace(c) || c == '~') {
            lx->space = true;
            lx->p++;
        } else if (based > 0) {
            push_copy(lx, SXT_TOK_TEXT, lx->p, based);
            lx->p += based;
        } else if (isdigit(c) || point) {
            number(lx);
        } else if (c == '\\' && lx->end - lx->p > 1) {
            lx->p++;
            if (isalpha((unsigned char)*lx->p))
                named_command(lx);
            else
                escaped(lx);
        } else if (isalpha(c)) {
            letters(lx);
        } else if (c >= 0x80) {
            beyond_ascii(lx);
        } else {
            symbol(lx);
        }
    }
}

/* Punctuation and emphasis around an answer are not part of it. */
static struct sxt_span trimmed(struct sxt_span s)
{
    s = sxt_span_trim(s);
    while (s.len > 0) {
        char end = s.data[s.len - 1];
        bool escaped = s.len > 1 && s.data[s.len - 2] == '\\';
        if (!memchr(".,;:*", end, 5) && !(end == '$' && !escaped) &&
            !(escaped && (end == ')' || end == ']')))
            break;
        s = sxt_span_trim((struct sxt_span){ s.data, s.len - 1 - escaped });
    }
    while (s.len > 1 && s.data[0] == '*' && s.data[1] == '*')
        s = sxt_span_trim((struct sxt_span){ s.data + 2, s.len - 2 });
    return s;
}

void sxt_mathlex(struct sxt_span answer, bool join_digits,
                 struct sxt_math_tokens *out)
{
    struct sxt_str buffer = SXT_STR_EMPTY;
    struct sxt_span s = trimmed(sxt_mathplain(answer, &buffer));
    struct lexer lx = {
        .p = s.data, .end = s.data + s.len, .out = out, .join = join_digits
    };

    *out = (struct sxt_math_tokens){ .text = sxt_alloc(s.len + 1, 1) };
    out->item = sxt_grow(NULL, &out->cap, 2, sizeof(*out->item));
    if (s.len > 0)
        run(&lx);
    out->item[out->count] =
        (struct sxt_math_token){ SXT_TOK_END, false, { "", 0 } };
    sxt_str_free(&buffer);
}

void sxt_mathlex_free(struct sxt_math_tokens *tokens)
{
    free(tokens->item);
    free(tokens->text);
    *tokens = (struct sxt_math_tokens){ .item = NULL };
}

bool sxt_mathlex_same(const struct sxt_math_tokens *a,
                      const struct sxt_math_tokens *b)
{
    if (a->count != b->count || a->too_long || b->too_long)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        struct sxt_span x = a->item[i].text, y = b->item[i].text;
        bool wordy = strchr("ntvfcC", a->item[i].kind) != NULL ||
                     (a->item[i].kind == ',' && x.len > 1 && y.len > 1);
        if (a->item[i].kind != b->item[i].kind)
            return false;
        if (wordy && !sxt_span_same(x, y))
            return false;
    }
    return true;
}
