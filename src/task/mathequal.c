/* mathequal.c - the rules by which two answers are the same. */
#include "task/mathequal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "task/extract.h"
#include "task/mathjudge.h"
#include "task/mathregion.h"
#include "task/mathsentence.h"
#include "task/mathtime.h"
#include "task/mathunit.h"

typedef struct sxt_math_node node; /* in this file only */
typedef enum sxt_math_verdict verdict;

enum { MAX_PAIRS = 20000 };

#define BUDGET_S 0.4 /* of processor time for closed forms */

static verdict compare(struct sxt_math_judge *j, const node *g, const node *p);

/* ---- small things ---- */

/* More items or pairs than are looked at. */
static verdict beyond(struct sxt_math_judge *j)
{
    j->rule = "limit";
    return SXT_MATH_UNDECIDED;
}

static const node *second(const node *n)
{
    return n->child->next;
}

/* The member that a chain ends at: c in a = b = c and in a = c ≈ d, S in
 * x ∈ S; else NULL. */
static const node *end_of_chain(const node *n)
{
    size_t equals = 0, rest;
    const node *c = n->child;

    if (n->kind != SXT_MATH_RELATION)
        return NULL;
    if (sxt_span_equal(n->text, "E"))
        return second(n);
    while (equals < n->text.len && n->text.data[equals] == '=')
        equals++;
    for (rest = equals; rest < n->text.len; rest++)
        if (n->text.data[rest] != 'A')
            return NULL;
    for (size_t i = equals > 0 ? equals : rest; i > 0; i--)
        c = c->next;
    return c;
}

/* What is said of a label: 5 in x = 5 and x = 2 + 3 = 5, S in x ∈ S; or what
 * a sum comes to: 5 in 2 + 3 = 5.  Else NULL. */
static const node *said(struct sxt_math_judge *j, const node *n)
{
    const node *end = end_of_chain(n);

    if (!end || sxt_math_is_label(n->child))
        return end;
    if (n->count == 2 && n->text.data[0] == '=' && sxt_math_is_label(end))
        return n->child;
    return n->text.data[0] == '=' &&
                   sxt_mathvalue_same(j, n->child, end) == SXT_MATH_EQUAL
               ? end
               : NULL;
}

/* ---- structures ---- */

/* The same number of children, equal one by one. */
static verdict compare_children(struct sxt_math_judge *j, const node *g,
                                const node *p, const char *rule)
{
    const node *a = g->child, *b = p->child;
    verdict all = SXT_MATH_EQUAL;

    if (g->count != p->count)
        return sxt_mathjudge_decide(j, false, rule);
    for (size_t i = 0; i < g->count && all == SXT_MATH_EQUAL; i++) {
        all = compare(j, a, b);
        a = a->next;
        b = b->next;
    }
    j->rule = rule;
    return all;
}

static size_t flatten(const node *n, enum sxt_math_kind kind,
                      const node *out[SXT_MATH_MAX_ITEMS], size_t count)
{
    if (n->kind == kind) {
        count = flatten(n->child, kind, out, count);
        return flatten(second(n), kind, out, count);
    }
    if (count < SXT_MATH_MAX_ITEMS)
        out[count++] = n;
    return count;
}

/* Unions and intersections in any order. */
static verdict compare_unordered(struct sxt_math_judge *j, const node *g,
                                 const node *p)
{
    const node *a[SXT_MATH_MAX_ITEMS], *b[SXT_MATH_MAX_ITEMS];
    size_t n = flatten(g, g->kind, a, 0), m = flatten(p, g->kind, b, 0);
    bool used[SXT_MATH_MAX_ITEMS] = { false };

    if (g->kind != p->kind || n != m || n == SXT_MATH_MAX_ITEMS)
        return sxt_mathjudge_decide(j, false, "union");
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < m && (used[k] || compare(j, a[i], b[k]) != SXT_MATH_EQUAL))
            k++;
        if (k == m)
            return sxt_mathjudge_decide(j, false, "union");
        used[k] = true;
    }
    return sxt_mathjudge_decide(j, true, "union");
}

static char flipped(char sign)
{
    static const char from[] = "<>LG", to[] = "><GL";
    const char *at = strchr(from, sign);

    return at ? to[at - from] : sign;
}

static verdict compare_chains(struct sxt_math_judge *j, const node *g,
                              const node *p)
{
    const node *a = g->child, *b[8], *c = p->child;
    bool forward = true, backward = true;
    size_t n = g->count;

    if (n != p->count || n > 8)
        return sxt_mathjudge_decide(j, false, "relation");
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
    return sxt_mathjudge_decide(j, forward || backward, "relation");
}

/* x = 5 beside x = 2 + 3 = 5: what the chains say of the same label. */
static bool same_ends(struct sxt_math_judge *j, const node *g, const node *p)
{
    const node *a = end_of_chain(g), *b = end_of_chain(p);

    return a && b && g->text.data[0] == '=' && p->text.data[0] == '=' &&
           sxt_math_is_label(g->child) &&
           compare(j, g->child, p->child) == SXT_MATH_EQUAL &&
           compare(j, a, b) == SXT_MATH_EQUAL;
}

static verdict compare_relations(struct sxt_math_judge *j, const node *g,
                                 const node *p)
{
    char s = g->text.data[0], t = p->text.data[0];
    int sign;

    if (g->count + p->count > 4 && same_ends(j, g, p))
        return sxt_mathjudge_decide(j, true, "relation");
    if (g->count > 2 || p->count > 2 || (s == 'E' && t == 'E'))
        return compare_chains(j, g, p);
    bool sides_have_values = !sxt_math_contains(g, SXT_MATH_TUPLE) &&
                             !sxt_math_contains(p, SXT_MATH_TUPLE) &&
                             !sxt_math_contains(g, SXT_MATH_RATIO);
    if (!sides_have_values)
        return compare_chains(j, g, p);
    verdict v = sxt_math_proportional(g->child, second(g), p->child, second(p),
                                      &j->fuel, &sign);
    if (v == SXT_MATH_EQUAL && s != '=' && s != 'N') {
        bool holds = (sign > 0 && s == t) || (sign < 0 && s == flipped(t));
        v = holds ? SXT_MATH_EQUAL : SXT_MATH_DIFFERENT;
    } else if (s != t) {
        v = SXT_MATH_DIFFERENT;
    }
    j->rule = "relation";
    return v;
}

/* ---- solution sets ---- */

static bool is_inequality(const node *n)
{
    return n->kind == SXT_MATH_RELATION &&
           strchr("<>LG", n->text.data[0]) != NULL;
}

/* Worth a look as parts of the line: [0, 1), x < 1, R, a union, a builder. */
static bool may_be_region(const node *n)
{
    bool neq = n->kind == SXT_MATH_RELATION && n->text.data[0] == 'N';

    return n->kind == SXT_MATH_TUPLE || n->kind == SXT_MATH_BUILDER ||
           n->kind == SXT_MATH_UNION || n->kind == SXT_MATH_MINUS_SET || neq ||
           is_inequality(n) ||
           (n->kind == SXT_MATH_LIST && sxt_span_equal(n->text, "or")) ||
           (n->kind == SXT_MATH_RELATION && n->text.data[0] == 'E') ||
           (n->kind == SXT_MATH_NAME && sxt_span_equal(n->text, "reals"));
}

static bool same_end(struct sxt_math_judge *j, const node *a, const node *b)
{
    if (!a || !b)
        return a == b;
    return sxt_mathvalue(j, a, b) == SXT_MATH_EQUAL;
}

static bool same_regions(struct sxt_math_judge *j,
                         const struct sxt_math_region *a,
                         const struct sxt_math_region *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct sxt_math_interval *x = &a->at[i], *y = &b->at[i];
        if (x->low_closed != y->low_closed ||
            x->high_closed != y->high_closed || !same_end(j, x->low, y->low) ||
            !same_end(j, x->high, y->high))
            return false;
    }
    return true;
}

/* The same part of the line in two ways of writing?  (1, 2) as a reference may
 * be a point: then an inequality does not match it. */
static bool compare_regions(struct sxt_math_judge *j, const node *g,
                            const node *p)
{
    struct sxt_math_region a, b;

    if (!may_be_region(g) || !may_be_region(p) ||
        (g->kind == SXT_MATH_TUPLE && p->kind == SXT_MATH_TUPLE) ||
        !sxt_mathregion_of(g, &j->fuel, &a) ||
        !sxt_mathregion_of(p, &j->fuel, &b))
        return false;
    bool labels =
        !a.label || !b.label || sxt_math_is_written_alike(a.label, b.label);
    return a.certain && labels && same_regions(j, &a, &b);
}

static verdict compare_builders(struct sxt_math_judge *j, const node *g,
                                const node *p)
{
    verdict v = compare(j, g->child, p->child);

    if (v == SXT_MATH_EQUAL)
        v = compare(j, second(g), second(p));
    j->rule = "set builder";
    return v;
}

static verdict compare_pair(struct sxt_math_judge *j, const node *g,
                            const node *p)
{
    bool relations =
        g->kind == SXT_MATH_RELATION && p->kind == SXT_MATH_RELATION;
    const node *value;

    if (++j->pairs > MAX_PAIRS || j->fuel < 0)
        return beyond(j);
    if (compare_regions(j, g, p))
        return sxt_mathjudge_decide(j, true, "interval");
    if (!relations && (value = said(j, g)))
        return compare(j, value, p);
    if ((!relations || (is_inequality(g) && p->text.data[0] == 'E')) &&
        (value = said(j, p)))
        return compare(j, g, value);
    if (g->kind == SXT_MATH_BUILDER && p->kind == SXT_MATH_BUILDER)
        return compare_builders(j, g, p);
    if (g->kind == SXT_MATH_SET || g->kind == SXT_MATH_LIST ||
        p->kind == SXT_MATH_SET || p->kind == SXT_MATH_LIST)
        return compare(j, g, p);
    if (g->kind == SXT_MATH_UNION || g->kind == SXT_MATH_INTERSECT)
        return compare_unordered(j, g, p);
    if (relations)
        return compare_relations(j, g, p);
    if (g->kind == SXT_MATH_TUPLE || g->kind == SXT_MATH_MATRIX ||
        g->kind == SXT_MATH_MINUS_SET) {
        bool same_shape = g->kind == p->kind && g->rows == p->rows &&
                          sxt_mathvalue_words(g->text, p->text);
        return same_shape ? compare_children(j, g, p, "elements")
                          : sxt_mathjudge_decide(j, false, "elements");
    }
    return sxt_mathvalue(j, g, p);
}

/* 100 cm for 1 m: the answer's number, converted. */
static verdict compare_converted(struct sxt_math_judge *j,
                                 const struct sxt_math_item *g,
                                 const struct sxt_math_item *p)
{
    struct sxt_rational factor;
    char num[24], den[24];

    if (!sxt_mathunit_factor(p->unit, g->unit, &factor))
        return sxt_mathjudge_decide(j, false, "unit");
    snprintf(num, sizeof(num), "%lld", (long long)factor.num);
    snprintf(den, sizeof(den), "%lld", (long long)factor.den);
    node below = { .kind = SXT_MATH_NUMBER, .text = sxt_span(den) };
    node above = { .kind = SXT_MATH_NUMBER, .text = sxt_span(num) };
    node ratio = { .kind = SXT_MATH_DIV, .count = 2, .text = sxt_span("") };
    node value = *p->n,
         product = { .kind = SXT_MATH_MUL, .count = 2, .text = sxt_span("") };
    above.next = &below;
    ratio.child = &above;
    value.next = &ratio;
    product.child = &value;
    verdict v = sxt_mathvalue_same(j, g->n, &product);
    j->rule = "unit";
    return v;
}

static verdict compare_items(struct sxt_math_judge *j,
                             const struct sxt_math_item *g,
                             const struct sxt_math_item *p)
{
    bool signs = (g->unit.len > 0 && sxt_mathvalue_has_sign(p->n)) ||
                 (p->unit.len > 0 && sxt_mathvalue_has_sign(g->n));

    if (signs)
        return sxt_mathjudge_decide(j, false, "unit");
    if (!sxt_mathunit_agree(g->unit, p->unit))
        return compare_converted(j, g, p);
    verdict v = compare_pair(j, g->n, p->n);
    j->doubt |= v == SXT_MATH_UNDECIDED;
    return v;
}

/* Every item of one side has its own in the other; in sets it may share. */
static bool matched(struct sxt_math_judge *j, const struct sxt_math_items *g,
                    const struct sxt_math_items *p, bool share)
{
    bool used[SXT_MATH_MAX_ITEMS] = { false };

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

static bool all_tuples(const struct sxt_math_items *items)
{
    for (size_t i = 0; i < items->count; i++)
        if (items->at[i].n->kind != SXT_MATH_TUPLE)
            return false;
    return true;
}

/* x = 1, y = 2 in the order of the names. */
static bool are_coordinates(const struct sxt_math_items *items)
{
    struct sxt_span before = sxt_span("");

    for (size_t i = 0; i < items->count; i++) {
        const node *n = items->at[i].n;
        if (n->kind != SXT_MATH_RELATION || !sxt_span_equal(n->text, "=") ||
            n->child->kind != SXT_MATH_NAME || n->child->text.len != 1 ||
            (i > 0 && n->child->text.data[0] <= before.data[0]))
            return false;
        before = n->child->text;
    }
    return items->count > 1;
}

/* (1, 2) beside x = 1, y = 2: false if it is not that. */
static bool as_coordinates(struct sxt_math_judge *j,
                           const struct sxt_math_items *g,
                           const struct sxt_math_items *p, verdict *v)
{
    const struct sxt_math_items *list = are_coordinates(g) ? g : p;
    const node *tuple = (list == g ? p : g)->at[0].n, *c = tuple->child;

    if ((list == g ? p : g)->count != 1 || !are_coordinates(list) ||
        tuple->kind != SXT_MATH_TUPLE || tuple->count != list->count ||
        !sxt_span_equal(tuple->text, "()"))
        return false;
    *v = SXT_MATH_EQUAL;
    for (size_t i = 0; i < list->count && *v == SXT_MATH_EQUAL; i++) {
        const node *value = second(list->at[i].n);
        *v = list == g ? compare(j, value, c) : compare(j, c, value);
        c = c->next;
    }
    return true;
}

static verdict compare(struct sxt_math_judge *j, const node *g, const node *p)
{
    struct sxt_math_items *a, *b;
    verdict v;

    if ((g->kind == SXT_MATH_LIST || p->kind == SXT_MATH_LIST) &&
        compare_regions(j, g, p))
        return sxt_mathjudge_decide(j, true, "interval");
    if (g->kind == SXT_MATH_LIST && p->kind == SXT_MATH_LIST &&
        g->text.len + p->text.len == strlen("andor") &&
        g->child->kind == SXT_MATH_RELATION) /* x < 1 or, and x > 2 */
        return sxt_mathjudge_decide(j, false, "list");
    a = sxt_alloc(2, sizeof(*a));
    b = a + 1;
    sxt_mathitems_of(j, g, a);
    sxt_mathitems_of(j, p, b);
    if (a->overflow || b->overflow)
        v = beyond(j);
    else if (a->count == 1 && b->count == 1)
        v = compare_items(j, &a->at[0], &b->at[0]);
    else if (as_coordinates(j, a, b, &v))
        j->rule = "elements";
    else {
        bool sets = a->is_set || b->is_set || (all_tuples(a) && all_tuples(b));
        bool equal = (sets || a->count == b->count) && matched(j, a, b, sets);
        v = sxt_mathjudge_decide(j, equal, sets ? "set" : "list");
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
        bool unit = i > 0 && t->item[i - 1].kind == SXT_TOK_NUMBER; /* mW, MW */
        for (size_t k = 0; k < s.len; k++)
            if (!strchr(" .{}\\", s.data[k]))
                sxt_str_add_char(
                    out,
                    unit ? s.data[k] : (char)tolower((unsigned char)s.data[k]));
    }
    bool letter = out->len == 3 && out->data[0] == '(' && out->data[2] == ')';
    if (letter) { /* (B) is B */
        out->data[0] = out->data[1];
        sxt_str_cut(out, 1);
    }
}

/* Do both print alike, and something? */
static bool print_alike(void (*print)(const struct sxt_math_tokens *,
                                      struct sxt_str *),
                        const struct sxt_math_tokens *g,
                        const struct sxt_math_tokens *p)
{
    struct sxt_str a = SXT_STR_EMPTY, b = SXT_STR_EMPTY;

    print(g, &a);
    print(p, &b);
    bool same =
        a.len > 0 && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
    sxt_str_free(&a);
    sxt_str_free(&b);
    return same;
}

static bool same_text(const struct sxt_math_tokens *g,
                      const struct sxt_math_tokens *p)
{
    bool words = (is_wordy(g) && !p->too_long) || (is_wordy(p) && !g->too_long);

    return words && print_alike(plain_words, g, p);
}

/* One by one as written, be a letter a unit or a name; runs of letters are
 * the same however they are cut. */
static void writing(const struct sxt_math_tokens *t, struct sxt_str *out)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct sxt_math_token *it = &t->item[i];
        bool letters = it->kind == SXT_TOK_TEXT ||
                       (it->kind == SXT_TOK_NAME && it->text.len == 1);
        if (!letters)
            sxt_str_add(out, "\\%c", it->kind);
        for (size_t k = 0; k < it->text.len; k++)
            if (!letters || it->text.data[k] != ' ')
                sxt_str_add_char(out, it->text.data[k]);
        if (!letters)
            sxt_str_add_char(out, ' ');
    }
}

static bool same_writing(const struct sxt_math_tokens *g,
                         const struct sxt_math_tokens *p)
{
    return !g->too_long && !p->too_long && print_alike(writing, g, p);
}

/* A choice may be written small: c for C. */
static bool same_letter(const struct sxt_math_tokens *g,
                        const struct sxt_math_tokens *p)
{
    if (g->count != 1 || p->count != 1 || g->item[0].text.len != 1 ||
        p->item[0].text.len != 1)
        return false;
    char a = g->item[0].text.data[0], b = p->item[0].text.data[0];
    return a >= 'A' && a <= 'E' && b == a - 'A' + 'a';
}

static verdict compare_trees(struct sxt_math_judge *j, const node *g,
                             const node *p)
{
    j->doubt = false;
    verdict v = compare(j, g, p);
    sxt_mathitems_free(j);
    if (v == SXT_MATH_DIFFERENT && j->doubt)
        v = SXT_MATH_UNDECIDED;
    return v;
}

static bool is_list(const struct sxt_math_tree *t)
{
    return t->root &&
           (t->root->kind == SXT_MATH_LIST || t->root->kind == SXT_MATH_SET);
}

static struct sxt_math_judgement judge_once(struct sxt_math_judge *j,
                                            struct sxt_span gold,
                                            struct sxt_span answer, bool join,
                                            bool *one_is_list)
{
    struct sxt_math_judgement out = { SXT_MATH_DIFFERENT, "unparsed" };
    struct sxt_math_tree g, p;
    verdict v;

    sxt_mathexpr_parse(gold, join, &g);
    sxt_mathexpr_parse(answer, join, &p);
    *one_is_list = is_list(&g) != is_list(&p);
    if (sxt_mathlex_same(&g.tokens, &p.tokens) && g.tokens.count > 0) {
        out = (struct sxt_math_judgement){ SXT_MATH_EQUAL, "same" };
    } else if (same_text(&g.tokens, &p.tokens) ||
               same_writing(&g.tokens, &p.tokens)) {
        out = (struct sxt_math_judgement){ SXT_MATH_EQUAL, "text" };
    } else if (same_letter(&g.tokens, &p.tokens)) {
        out = (struct sxt_math_judgement){ SXT_MATH_EQUAL, "letter" };
    } else if ((v = sxt_mathtime_compare(&g.tokens, &p.tokens)) !=
               SXT_MATH_UNDECIDED) {
        out = (struct sxt_math_judgement){ v, "time" };
    } else if (g.root && p.root) {
        out.verdict = compare_trees(j, g.root, p.root);
        out.rule = j->rule;
    }
    sxt_mathexpr_free(&g);
    sxt_mathexpr_free(&p);
    return out;
}

static bool is_empty(struct sxt_span s)
{
    return sxt_span_trim(s).len == 0;
}

/* A reference may be a whole solution. */
static bool stated(struct sxt_span gold, struct sxt_str *out)
{
    if (sxt_span_find(gold, "answer is") < 0)
        return sxt_extract_boxed(gold, out);
    return sxt_extract_answer(gold, false, out) != SXT_EXTRACT_NONE;
}

struct sxt_math_judgement sxt_mathequal(struct sxt_span gold,
                                        struct sxt_span answer)
{
    struct sxt_str g = SXT_STR_EMPTY, p = SXT_STR_EMPTY;
    struct sxt_math_judgement out = { SXT_MATH_DIFFERENT, "empty" };
    struct sxt_span inside;
    struct sxt_math_judge j = { .fuel = SXT_MATH_FUEL, .budget_s = BUDGET_S };
    bool one_is_list;

    if (stated(gold, &g))
        gold = (struct sxt_span){ g.data, g.len };
    if (sxt_extract_boxed(answer, &p))
        answer = (struct sxt_span){ p.data, p.len };
    if (!is_empty(gold) && !is_empty(answer)) {
        out = judge_once(&j, gold, answer, true, &one_is_list);
        if (out.verdict != SXT_MATH_EQUAL && sxt_mathsentence(answer, &inside))
            out = judge_once(&j, gold, inside, true, &one_is_list);
        /* 100,200 beside 100, 200: then the first was a list too */
        if (out.verdict != SXT_MATH_EQUAL && one_is_list)
            out = judge_once(&j, gold, answer, false, &one_is_list);
    }
    sxt_str_free(&g);
    sxt_str_free(&p);
    return out;
}
