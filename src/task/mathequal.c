/* mathequal.c - the rules by which two answers are the same. */
#include "task/mathequal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "task/extract.h"
#include "task/mathclosed.h"

typedef struct sxt_math_node node; /* in this file only */
typedef enum sxt_math_verdict verdict;

enum { MAX_ITEMS = 64, MAX_COPIES = 100000, MAX_PAIRS = 20000 };

#define BUDGET_S 0.4 /* of processor time for closed forms */

/* One comparison: memory for copies of trees, and what is left of patience. */
struct judge {
    node **block; /* owned */
    size_t n_blocks, cap_blocks;
    size_t copies, pairs;
    double budget_s; /* for closed forms */
    const char *rule;
    bool doubt; /* something looked equal and was not proved */
};

/* An answer without ± and units; its unit apart. */
struct item {
    const node *n;
    struct sxt_span unit;
};

struct items {
    struct item at[MAX_ITEMS];
    size_t count;
    bool is_set, overflow;
};

static verdict compare(struct judge *j, const node *g, const node *p);

/* ---- copies ---- */

static size_t tree_size(const node *n)
{
    size_t size = 1, i = 0;

    for (const node *c = n->child; i < n->count; c = c->next, i++)
        size += tree_size(c);
    return size;
}

/* A copy with ± resolved to `sign` and units taken off into *unit. */
static node *copy(const node *n, int sign, struct sxt_span *unit, node **free)
{
    while (n->kind == SXT_MATH_UNIT) {
        *unit = n->text;
        n = n->child;
    }
    node *c = (*free)++;
    *c = *n;
    c->next = NULL;
    if (n->kind == SXT_MATH_PLUS_MINUS)
        c->kind = sign > 0 ? SXT_MATH_ADD : SXT_MATH_SUB;
    if (n->kind == SXT_MATH_MINUS_PLUS)
        c->kind = sign > 0 ? SXT_MATH_SUB : SXT_MATH_ADD;
    node **link = &c->child;
    const node *from = n->child;
    for (size_t i = 0; i < n->count; i++, from = from->next) {
        *link = copy(from, sign, unit, free);
        link = &(*link)->next;
    }
    return c;
}

static void add_item(struct judge *j, struct items *out, const node *n)
{
    bool twice = sxt_math_contains(n, SXT_MATH_PLUS_MINUS) ||
                 sxt_math_contains(n, SXT_MATH_MINUS_PLUS);
    size_t size = tree_size(n);

    if (!twice && !sxt_math_contains(n, SXT_MATH_UNIT) &&
        out->count < MAX_ITEMS) {
        out->at[out->count++] = (struct item){ n, { "", 0 } };
        return;
    }

    for (int sign = 1; sign >= (twice ? -1 : 1); sign -= 2) {
        j->copies += size;
        if (out->count >= MAX_ITEMS || j->copies > MAX_COPIES) {
            out->overflow = true;
            return;
        }
        node *block = sxt_alloc(size, sizeof(*block)), *free = block;
        j->block = sxt_grow(j->block, &j->cap_blocks, j->n_blocks + 1,
                            sizeof(*j->block));
        j->block[j->n_blocks++] = block;
        struct item *item = &out->at[out->count++];
        item->unit = (struct sxt_span){ "", 0 };
        item->n = copy(n, sign, &item->unit, &free);
    }
}

static void take_apart(struct judge *j, const node *n, struct items *out)
{
    const node *c = n->child;

    out->count = 0;
    out->overflow = false;
    out->is_set = n->kind == SXT_MATH_SET;
    if (n->kind != SXT_MATH_LIST && n->kind != SXT_MATH_SET) {
        add_item(j, out, n);
        return;
    }
    for (size_t i = 0; i < n->count; i++, c = c->next)
        add_item(j, out, c);
}

/* ---- small things ---- */

static const node *second(const node *n)
{
    return n->child->next;
}

static const node *last(const node *n)
{
    const node *c = n->child;

    while (c->next)
        c = c->next;
    return c;
}

/* Stands for something: x, x_1, f(x), AB, (x, y). */
static bool is_label(const node *n)
{
    const node *c = n->child;

    if (n->kind == SXT_MATH_NAME)
        return true;
    if (n->kind != SXT_MATH_MUL && n->kind != SXT_MATH_TUPLE &&
        n->kind != SXT_MATH_RATIO && n->kind != SXT_MATH_FUNCTION)
        return false;
    if (n->kind == SXT_MATH_FUNCTION && n->text.len > 1)
        return false;
    for (size_t i = 0; i < n->count; i++, c = c->next)
        if (!is_label(c) && n->kind != SXT_MATH_FUNCTION)
            return false;
    return n->count > 0;
}

/* What is said of a label: 5 in x = 5, S in x ∈ S; else NULL. */
static const node *said_of_label(const node *n)
{
    if (n->kind != SXT_MATH_RELATION || !strchr("=EA", n->text.data[0]))
        return NULL;
    for (size_t i = 0; i < n->text.len; i++)
        if (n->text.data[i] != n->text.data[0])
            return NULL;
    if (is_label(n->child))
        return last(n);
    return n->count == 2 && is_label(second(n)) && n->text.data[0] == '='
               ? n->child
               : NULL;
}

static bool same_words(struct sxt_span a, struct sxt_span b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.len && strchr(" .~{}", a.data[i]))
            i++;
        while (k < b.len && strchr(" .~{}", b.data[k]))
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (tolower((unsigned char)a.data[i++]) !=
            tolower((unsigned char)b.data[k++]))
            return false;
    }
}

static struct sxt_span singular(struct sxt_span s)
{
    while (s.len > 1 && strchr(" .s", s.data[s.len - 1]))
        s.len--;
    return s;
}

static bool units_agree(struct sxt_span a, struct sxt_span b)
{
    return a.len == 0 || b.len == 0 || same_words(singular(a), singular(b));
}

/* A percent or degree sign, which is a unit as well. */
static bool has_sign(const node *n)
{
    while (n->kind == SXT_MATH_NEG)
        n = n->child;
    return n->kind == SXT_MATH_PERCENT || n->kind == SXT_MATH_DEGREE;
}

static verdict decided(struct judge *j, bool equal, const char *rule)
{
    j->rule = rule;
    return equal ? SXT_MATH_EQUAL : SXT_MATH_DIFFERENT;
}

/* More items or pairs than are looked at. */
static verdict beyond(struct judge *j)
{
    j->rule = "limit";
    return SXT_MATH_UNDECIDED;
}

/* ---- decimals ---- */

/* Digits from the first that is not zero; *places behind the point. */
static size_t significant(const node *n, int *places)
{
    size_t digits = 0;
    bool behind = false;

    *places = 0;
    for (size_t i = 0; i < n->text.len; i++) {
        char c = n->text.data[i];
        if (c == '.') {
            behind = true;
            continue;
        }
        *places += behind;
        digits += digits > 0 || c != '0';
    }
    return digits;
}

/* d is a decimal of at least six significant digits and exact rounds to it. */
static bool rounds_to(const node *exact, const node *d)
{
    enum { ENOUGH = 6 };
    const node *digits = d->kind == SXT_MATH_NEG ? d->child : d;
    long double x, y;
    int places;

    if (digits->kind != SXT_MATH_NUMBER || exact->kind == SXT_MATH_NUMBER ||
        !memchr(digits->text.data, '.', digits->text.len) ||
        significant(digits, &places) < ENOUGH)
        return false;
    if (!sxt_math_constant(exact, &x) || !sxt_math_constant(d, &y))
        return false;
    return fabsl(x - y) <= 0.5000001L * powl(10, -places) &&
           fabsl(x - roundl(x)) > 1e-9L;
}

/* ---- values ---- */

static bool is_infinite(const node *n, int *sign)
{
    *sign = 1;
    for (; n->kind == SXT_MATH_NEG; n = n->child)
        *sign = -*sign;
    return n->kind == SXT_MATH_INFINITY;
}

static verdict same_value(struct judge *j, const node *g, const node *p)
{
    verdict v = sxt_math_identity(g, p);

    j->rule = "identity";
    if (v != SXT_MATH_UNDECIDED)
        return v;
    v = sxt_mathclosed(g, p, &j->budget_s);
    if (v != SXT_MATH_UNDECIDED)
        j->rule = "closed form";
    return v;
}

static verdict compare_based(struct judge *j, const node *g, const node *p)
{
    if (g->kind == SXT_MATH_BASE && p->kind == SXT_MATH_BASE) {
        bool same = same_value(j, second(g), second(p)) == SXT_MATH_EQUAL &&
                    same_value(j, g->child, p->child) == SXT_MATH_EQUAL;
        return decided(j, same || same_value(j, g, p) == SXT_MATH_EQUAL,
                       "base");
    }
    const node *based = g->kind == SXT_MATH_BASE ? g : p;
    const node *other = g->kind == SXT_MATH_BASE ? p : g;
    bool equal = same_value(j, based->child, other) == SXT_MATH_EQUAL ||
                 same_value(j, based, other) == SXT_MATH_EQUAL;
    return decided(j, equal, "base");
}

/* 50 % is 0.5; and it is 50 where the reference has the sign. */
static verdict compare_percent(struct judge *j, const node *g, const node *p)
{
    bool dropped = g->kind == SXT_MATH_PERCENT && p->kind != SXT_MATH_PERCENT &&
                   same_value(j, g->child, p) == SXT_MATH_EQUAL;

    return decided(j, dropped || same_value(j, g, p) == SXT_MATH_EQUAL,
                   "percent");
}

static verdict compare_degrees(struct judge *j, const node *g, const node *p)
{
    bool both = g->kind == SXT_MATH_DEGREE && p->kind == SXT_MATH_DEGREE;
    const node *a = g->kind == SXT_MATH_DEGREE ? g->child : g;
    const node *b = p->kind == SXT_MATH_DEGREE ? p->child : p;
    bool equal = same_value(j, a, b) == SXT_MATH_EQUAL ||
                 (!both && same_value(j, g, p) == SXT_MATH_EQUAL);

    return decided(j, equal, "degrees");
}

static verdict compare_values(struct judge *j, const node *g, const node *p)
{
    int a, b;

    while (g->kind == SXT_MATH_NEG && p->kind == SXT_MATH_NEG) {
        g = g->child;
        p = p->child;
    }
    if (is_infinite(g, &a) || is_infinite(p, &b))
        return decided(j, is_infinite(g, &a) && is_infinite(p, &b) && a == b,
                       "infinity");
    if (g->kind == SXT_MATH_EMPTY_SET || p->kind == SXT_MATH_EMPTY_SET)
        return decided(j, g->kind == p->kind, "set");
    if (g->kind == SXT_MATH_TEXT || p->kind == SXT_MATH_TEXT)
        return decided(j, g->child == p->child && same_words(g->text, p->text),
                       "text");
    if ((g->kind == SXT_MATH_RATIO) != (p->kind == SXT_MATH_RATIO))
        return decided(j, false, "ratio");
    if (g->kind == SXT_MATH_BASE || p->kind == SXT_MATH_BASE)
        return compare_based(j, g, p);
    if (g->kind == SXT_MATH_PERCENT || p->kind == SXT_MATH_PERCENT)
        return compare_percent(j, g, p);
    if (g->kind == SXT_MATH_DEGREE || p->kind == SXT_MATH_DEGREE)
        return compare_degrees(j, g, p);

    verdict v = same_value(j, g, p);
    if (v != SXT_MATH_EQUAL && (rounds_to(g, p) || rounds_to(p, g)))
        return decided(j, true, "rounded");
    return v;
}

/* ---- structures ---- */

/* The same number of children, equal one by one. */
static verdict compare_children(struct judge *j, const node *g, const node *p,
                                const char *rule)
{
    const node *a = g->child, *b = p->child;
    verdict all = SXT_MATH_EQUAL;

    if (g->count != p->count)
        return decided(j, false, rule);
    for (size_t i = 0; i < g->count && all == SXT_MATH_EQUAL; i++) {
        all = compare(j, a, b);
        a = a->next;
        b = b->next;
    }
    j->rule = rule;
    return all;
}

static size_t flatten(const node *n, enum sxt_math_kind kind,
                      const node *out[MAX_ITEMS], size_t count)
{
    if (n->kind == kind) {
        count = flatten(n->child, kind, out, count);
        return flatten(second(n), kind, out, count);
    }
    if (count < MAX_ITEMS)
        out[count++] = n;
    return count;
}

/* Unions and intersections in any order. */
static verdict compare_unordered(struct judge *j, const node *g, const node *p)
{
    const node *a[MAX_ITEMS], *b[MAX_ITEMS];
    size_t n = flatten(g, g->kind, a, 0), m = flatten(p, g->kind, b, 0);
    bool used[MAX_ITEMS] = { false };

    if (g->kind != p->kind || n != m || n == MAX_ITEMS)
        return decided(j, false, "union");
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < m && (used[k] || compare(j, a[i], b[k]) != SXT_MATH_EQUAL))
            k++;
        if (k == m)
            return decided(j, false, "union");
        used[k] = true;
    }
    return decided(j, true, "union");
}

/* ---- intervals and inequalities ---- */

struct interval {
    const node *low, *high; /* NULL: infinite */
    bool low_closed, high_closed;
};

static bool bound(const node *n, int infinite_sign, const node **out)
{
    int sign;

    *out = n;
    if (!is_infinite(n, &sign))
        return true;
    *out = NULL;
    return sign == infinite_sign;
}

static bool interval_of_tuple(const node *n, struct interval *out)
{
    if (n->count != 2)
        return false;
    out->low_closed = n->text.data[0] == '[';
    out->high_closed = n->text.data[1] == ']';
    return bound(n->child, -1, &out->low) && bound(second(n), 1, &out->high);
}

static bool less(char sign)
{
    return sign == '<' || sign == 'L';
}

static bool greater(char sign)
{
    return sign == '>' || sign == 'G';
}

static bool interval_of_relation(const node *n, struct interval *out)
{
    char s = n->text.data[0];
    const node *a = n->child, *b = second(n);
    bool closed = s == 'L' || s == 'G';

    *out = (struct interval){ NULL, NULL, false, false };
    if (n->count == 2 && (less(s) || greater(s))) {
        bool label_first = is_label(a);
        if (!label_first && !is_label(b))
            return false;
        if (label_first == less(s)) {
            out->high = label_first ? b : a;
            out->high_closed = closed;
        } else {
            out->low = label_first ? b : a;
            out->low_closed = closed;
        }
        return true;
    }
    if (n->count != 3)
        return false;
    char t = n->text.data[1];
    bool closed2 = t == 'L' || t == 'G';
    if (less(s) && less(t))
        return *out = (struct interval){ a, b->next, closed, closed2 }, true;
    if (greater(s) && greater(t))
        return *out = (struct interval){ b->next, a, closed2, closed }, true;
    return false;
}

static bool interval_of(const node *n, struct interval *out)
{
    if (n->kind == SXT_MATH_BUILDER && is_label(n->child))
        n = second(n);
    if (n->kind == SXT_MATH_TUPLE)
        return interval_of_tuple(n, out);
    if (n->kind == SXT_MATH_RELATION)
        return interval_of_relation(n, out);
    *out = (struct interval){ NULL, NULL, false, false };
    return n->kind == SXT_MATH_NAME && sxt_span_equal(n->text, "reals");
}

static bool same_bound(struct judge *j, const node *a, const node *b)
{
    if (!a || !b)
        return a == b;
    return compare_values(j, a, b) == SXT_MATH_EQUAL;
}

static verdict compare_intervals(struct judge *j, const node *g, const node *p)
{
    struct interval a, b;
    bool equal = interval_of(g, &a) && interval_of(p, &b) &&
                 (!a.low || a.low_closed == b.low_closed) &&
                 (!a.high || a.high_closed == b.high_closed) &&
                 same_bound(j, a.low, b.low) && same_bound(j, a.high, b.high);

    return decided(j, equal, "interval");
}

static char flipped(char sign)
{
    static const char from[] = "<>LG", to[] = "><GL";
    const char *at = strchr(from, sign);

    return at ? to[at - from] : sign;
}

static verdict compare_chains(struct judge *j, const node *g, const node *p)
{
    const node *a = g->child, *b[8], *c = p->child;
    bool forward = true, backward = true;
    size_t n = g->count;

    if (n != p->count || n > 8)
        return decided(j, false, "relation");
    for (size_t i = 0; i < n; i++, c = c->next)
        b[i] = c;
    for (size_t i = 0; i + 1 < n; i++) {
        forward = forward && g->text.data[i] == p->text.data[i];
        backward =
            backward && g->text.data[i] == flipped(p->text.data[n - 2 - i]);
    }
    for (size_t i = 0; i < n && (forward || backward); i++, a = a->next) {
        forward = forward && compare(j, a, b[i]) == SXT_MATH_EQUAL;
        backward = backward && compare(j, a, b[n - 1 - i]) == SXT_MATH_EQUAL;
    }
    return decided(j, forward || backward, "relation");
}

static verdict compare_relations(struct judge *j, const node *g, const node *p)
{
    char s = g->text.data[0], t = p->text.data[0];
    int sign;

    if (g->count > 2 || p->count > 2 || (s == 'E' && t == 'E'))
        return compare_chains(j, g, p);
    bool sides_have_values = !sxt_math_contains(g, SXT_MATH_TUPLE) &&
                             !sxt_math_contains(p, SXT_MATH_TUPLE) &&
                             !sxt_math_contains(g, SXT_MATH_RATIO);
    if (!sides_have_values)
        return compare_chains(j, g, p);
    verdict v =
        sxt_math_proportional(g->child, second(g), p->child, second(p), &sign);
    if (v == SXT_MATH_EQUAL && s != '=' && s != 'N') {
        bool holds = (sign > 0 && s == t) || (sign < 0 && s == flipped(t));
        v = holds ? SXT_MATH_EQUAL : SXT_MATH_DIFFERENT;
    } else if (s != t) {
        v = SXT_MATH_DIFFERENT;
    }
    j->rule = "relation";
    return v;
}

static bool is_inequality(const node *n)
{
    return n->kind == SXT_MATH_RELATION &&
           (less(n->text.data[0]) || greater(n->text.data[0]));
}

/* A reference that is a set of numbers may be answered as an interval; an
 * inequality that only repeats the question answers nothing. */
static bool intervals_apply(const node *g, const node *p)
{
    bool gold = is_inequality(g) || g->kind == SXT_MATH_BUILDER ||
                g->kind == SXT_MATH_TUPLE ||
                (g->kind == SXT_MATH_NAME && sxt_span_equal(g->text, "reals"));
    bool answer =
        p->kind == SXT_MATH_TUPLE || p->kind == SXT_MATH_BUILDER ||
        (p->kind == SXT_MATH_NAME && sxt_span_equal(p->text, "reals")) ||
        (is_inequality(p) && g->kind == SXT_MATH_BUILDER);

    return gold && answer && g->kind != p->kind;
}

static verdict compare_builders(struct judge *j, const node *g, const node *p)
{
    verdict v = compare_intervals(j, g, p);

    if (v != SXT_MATH_EQUAL && compare(j, g->child, p->child) == SXT_MATH_EQUAL)
        v = compare(j, second(g), second(p));
    j->rule = "set builder";
    return v;
}

static verdict compare_pair(struct judge *j, const node *g, const node *p)
{
    const node *a = said_of_label(g), *b = said_of_label(p);

    if (++j->pairs > MAX_PAIRS)
        return beyond(j);
    if (intervals_apply(g, p))
        return compare_intervals(j, g, p);
    if (a && p->kind != SXT_MATH_RELATION)
        return compare(j, a, p);
    if (b && (g->kind != SXT_MATH_RELATION ||
              (is_inequality(g) && p->text.data[0] == 'E')))
        return compare(j, g, b);
    if (g->kind == SXT_MATH_BUILDER && p->kind == SXT_MATH_BUILDER)
        return compare_builders(j, g, p);
    if (g->kind == SXT_MATH_SET || g->kind == SXT_MATH_LIST ||
        p->kind == SXT_MATH_SET || p->kind == SXT_MATH_LIST)
        return compare(j, g, p);
    if (g->kind == SXT_MATH_UNION || g->kind == SXT_MATH_INTERSECT)
        return compare_unordered(j, g, p);
    if (g->kind == SXT_MATH_RELATION && p->kind == SXT_MATH_RELATION)
        return compare_relations(j, g, p);
    if (g->kind == SXT_MATH_TUPLE || g->kind == SXT_MATH_MATRIX ||
        g->kind == SXT_MATH_MINUS_SET) {
        bool same_shape = g->kind == p->kind && g->rows == p->rows &&
                          same_words(g->text, p->text);
        return same_shape ? compare_children(j, g, p, "elements")
                          : decided(j, false, "elements");
    }
    return compare_values(j, g, p);
}

static verdict compare_items(struct judge *j, const struct item *g,
                             const struct item *p)
{
    bool signs = (g->unit.len > 0 && has_sign(p->n)) ||
                 (p->unit.len > 0 && has_sign(g->n));
    if (signs || !units_agree(g->unit, p->unit))
        return decided(j, false, "unit");
    verdict v = compare_pair(j, g->n, p->n);
    j->doubt |= v == SXT_MATH_UNDECIDED;
    return v;
}

/* Every item of one side has its own in the other; in sets it may share. */
static bool matched(struct judge *j, const struct items *g,
                    const struct items *p, bool share)
{
    bool used[MAX_ITEMS] = { false };

    for (size_t i = 0; i < g->count; i++) {
        size_t k = 0;
        while (k < p->count &&
               ((used[k] && !share) ||
                compare_items(j, &g->at[i], &p->at[k]) != SXT_MATH_EQUAL))
            k++;
        if (k == p->count)
            return false;
        used[k] = true;
    }
    for (size_t k = 0; k < p->count; k++) {
        size_t i = 0;
        while (!used[k] && i < g->count &&
               compare_items(j, &g->at[i], &p->at[k]) != SXT_MATH_EQUAL)
            i++;
        if (i == g->count)
            return false;
    }
    return true;
}

static verdict compare(struct judge *j, const node *g, const node *p)
{
    struct items *a = sxt_alloc(2, sizeof(*a)), *b = a + 1;
    verdict v;

    take_apart(j, g, a);
    take_apart(j, p, b);
    if (a->overflow || b->overflow)
        v = beyond(j);
    else if (a->count == 1 && b->count == 1)
        v = compare_items(j, &a->at[0], &b->at[0]);
    else {
        bool sets = a->is_set || b->is_set;
        bool equal = (sets || a->count == b->count) && matched(j, a, b, sets);
        v = decided(j, equal, sets ? "set" : "list");
    }
    free(a);
    return v;
}

/* ---- whole answers ---- */

/* Words and letters without maths around them, and at least one word. */
static bool is_wordy(const struct sxt_math_tokens *t)
{
    bool words = false;

    for (size_t i = 0; i < t->count; i++) {
        if (!strchr("tvn(),:.-'{}", t->item[i].kind))
            return false;
        words |= t->item[i].kind == SXT_TOK_TEXT;
    }
    return words;
}

static void plain_words(const struct sxt_math_tokens *t, struct sxt_str *out)
{
    for (size_t i = 0; i < t->count; i++) {
        struct sxt_span s = t->item[i].text;
        for (size_t k = 0; k < s.len; k++)
            if (!strchr(" .{}\\", s.data[k]))
                sxt_str_add_char(out, (char)tolower((unsigned char)s.data[k]));
    }
    bool letter = out->len == 3 && out->data[0] == '(' && out->data[2] == ')';
    if (letter) { /* (B) is B */
        out->data[0] = out->data[1];
        sxt_str_cut(out, 1);
    }
}

static bool same_text(const struct sxt_math_tokens *g,
                      const struct sxt_math_tokens *p)
{
    struct sxt_str a = SXT_STR_EMPTY, b = SXT_STR_EMPTY;
    bool words = (is_wordy(g) && !p->too_long) || (is_wordy(p) && !g->too_long);

    if (words) {
        plain_words(g, &a);
        plain_words(p, &b);
    }
    bool same = words && a.len > 0 && a.len == b.len &&
                memcmp(a.data, b.data, a.len) == 0;
    sxt_str_free(&a);
    sxt_str_free(&b);
    return same;
}

static verdict compare_trees(struct judge *j, const node *g, const node *p)
{
    verdict v = compare(j, g, p);

    for (size_t i = 0; i < j->n_blocks; i++)
        free(j->block[i]);
    free(j->block);
    if (v == SXT_MATH_DIFFERENT && j->doubt)
        v = SXT_MATH_UNDECIDED;
    return v;
}

static bool is_list(const struct sxt_math_tree *t)
{
    return t->root &&
           (t->root->kind == SXT_MATH_LIST || t->root->kind == SXT_MATH_SET);
}

static struct sxt_math_judgement judge_once(struct sxt_span gold,
                                            struct sxt_span answer, bool join,
                                            bool *one_is_list)
{
    struct sxt_math_judgement out = { SXT_MATH_DIFFERENT, "unparsed" };
    struct judge j = { .rule = "", .budget_s = BUDGET_S };
    struct sxt_math_tree g, p;

    sxt_mathexpr_parse(gold, join, &g);
    sxt_mathexpr_parse(answer, join, &p);
    *one_is_list = is_list(&g) != is_list(&p);
    if (sxt_mathlex_same(&g.tokens, &p.tokens) && g.tokens.count > 0) {
        out = (struct sxt_math_judgement){ SXT_MATH_EQUAL, "same" };
    } else if (same_text(&g.tokens, &p.tokens)) {
        out = (struct sxt_math_judgement){ SXT_MATH_EQUAL, "text" };
    } else if (g.root && p.root) {
        out.verdict = compare_trees(&j, g.root, p.root);
        out.rule = j.rule;
    }
    sxt_mathexpr_free(&g);
    sxt_mathexpr_free(&p);
    return out;
}

static bool is_empty(struct sxt_span s)
{
    return sxt_span_trim(s).len == 0;
}

struct sxt_math_judgement sxt_mathequal(struct sxt_span gold,
                                        struct sxt_span answer)
{
    struct sxt_str g = SXT_STR_EMPTY, p = SXT_STR_EMPTY;
    struct sxt_math_judgement out = { SXT_MATH_DIFFERENT, "empty" };
    bool one_is_list;

    if (sxt_extract_boxed(gold, &g))
        gold = (struct sxt_span){ g.data, g.len };
    if (sxt_extract_boxed(answer, &p))
        answer = (struct sxt_span){ p.data, p.len };
    if (!is_empty(gold) && !is_empty(answer)) {
        out = judge_once(gold, answer, true, &one_is_list);
        /* 100,200 beside 100, 200: then the first was a list too */
        if (out.verdict != SXT_MATH_EQUAL && one_is_list)
            out = judge_once(gold, answer, false, &one_is_list);
    }
    sxt_str_free(&g);
    sxt_str_free(&p);
    return out;
}
