/* mathregion.c - sets of real numbers as unions of intervals. */
#include "task/mathregion.h"

#include <math.h>
#include <string.h>

#include "task/mathidentity.h"
#include "task/mathpoint.h"

typedef struct sxt_math_node node; /* in this file only */
typedef struct sxt_math_interval interval;
typedef struct sxt_math_region region;

static bool add_set(region *r, const node *n);

/* Functions whose values problems ask for: cos A, |AB|. */
static bool measures(const node *n)
{
    static const char *const names[] = { "abs", "bar", "vec", "prime", "sin",
                                         "cos", "tan", "cot", "max",   "min" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (sxt_span_equal(n->text, names[i]))
            return true;
    return false;
}

bool sxt_math_is_label(const node *n)
{
    const node *c = n->child;
    bool function = n->kind == SXT_MATH_FUNCTION;

    if (n->kind == SXT_MATH_NAME || (function && n->text.len == 1)) /* f(3) */
        return true;
    if (n->kind != SXT_MATH_MUL && n->kind != SXT_MATH_DIV &&
        n->kind != SXT_MATH_TUPLE && n->kind != SXT_MATH_RATIO &&
        !(function && measures(n)))
        return false;
    for (size_t i = 0; i < n->count; i++, c = c->next)
        if (!sxt_math_is_label(c))
            return false;
    return n->count > 0;
}

bool sxt_math_is_written_alike(const node *a, const node *b)
{
    const node *x = a->child, *y = b->child;

    if (a->kind != b->kind || a->count != b->count ||
        !sxt_span_same(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->count; i++, x = x->next, y = y->next)
        if (!sxt_math_is_written_alike(x, y))
            return false;
    return true;
}

/* ---- pieces ---- */

/* A bound's place on the line; false if it is no real constant. */
static bool place(const region *r, const node *n, long double other,
                  long double *x)
{
    *x = other;
    return !n || sxt_math_constant(n, r->fuel, x);
}

static bool add_piece(region *r, const node *low, bool low_closed,
                      const node *high, bool high_closed)
{
    interval i = { low, high, low && low_closed, high && high_closed, 0, 0 };

    if (r->count == SXT_REGION_PIECES)
        return false;
    bool ordered =
        place(r, low, -HUGE_VALL, &i.from) && place(r, high, HUGE_VALL, &i.to);
    if (!ordered)
        i.from = i.to = NAN; /* one piece alone needs no order */
    else if (i.from > i.to)
        return false;
    r->at[r->count++] = i;
    return true;
}

static const node *made(region *r, enum sxt_math_kind kind, const node *a,
                        const node *b)
{
    node *n = &r->made[r->n_made];

    if (r->n_made + 3 > sizeof(r->made) / sizeof(r->made[0]))
        return a;
    r->n_made += 3;
    n[1] = *a;
    n[1].next = b ? &n[2] : NULL;
    if (b) {
        n[2] = *b;
        n[2].next = NULL;
    }
    n[0] = (node){
        .kind = kind, .count = b ? 2 : 1, .text = sxt_span(""), .child = &n[1]
    };
    return n;
}

static const node *infinite(const node *n, int *sign)
{
    *sign = 1;
    for (; n->kind == SXT_MATH_NEG; n = n->child)
        *sign = -*sign;
    return n->kind == SXT_MATH_INFINITY ? n : NULL;
}

/* An end of an interval: NULL for infinity on its own side, which no bracket
 * can include. */
static bool end_of(const node *n, int side, bool closed, const node **out)
{
    int sign;

    *out = n;
    if (!infinite(n, &sign))
        return true;
    *out = NULL;
    return sign == side && !closed;
}

static bool add_brackets(region *r, const node *n)
{
    const node *low, *high;
    bool from = n->text.data[0] == '[', to = n->text.data[1] == ']';

    if (n->count != 2 || !end_of(n->child, -1, from, &low) ||
        !end_of(n->child->next, 1, to, &high))
        return false;
    r->certain = r->certain && (from || to || !low || !high);
    return add_piece(r, low, from, high, to);
}

/* ---- relations ---- */

static bool is_variable(const node *n)
{
    return sxt_math_is_label(n) &&
           !(n->kind == SXT_MATH_NAME && sxt_mathpoint_is_constant(n->text));
}

static bool set_label(region *r, const node *n)
{
    if (r->label && !sxt_math_is_written_alike(r->label, n))
        return false;
    r->label = n;
    return true;
}

/* |x - c|: *centre is c, or NULL for 0. */
static bool is_distance(region *r, const node *n, const node **centre)
{
    if (n->kind != SXT_MATH_FUNCTION || !sxt_span_equal(n->text, "abs") ||
        n->count != 1)
        return false;
    n = n->child;
    *centre = NULL;
    if (n->kind == SXT_MATH_NAME && is_variable(n))
        return set_label(r, n);
    if ((n->kind != SXT_MATH_SUB && n->kind != SXT_MATH_ADD) ||
        n->child->kind != SXT_MATH_NAME || !is_variable(n->child) ||
        sxt_math_has_names(n->child->next))
        return false;
    *centre = n->kind == SXT_MATH_SUB
                  ? n->child->next
                  : made(r, SXT_MATH_NEG, n->child->next, NULL);
    return set_label(r, n->child);
}

/* centre + sign * n */
static const node *at_distance(region *r, const node *centre, const node *n,
                               int sign)
{
    if (!centre)
        return sign > 0 ? n : made(r, SXT_MATH_NEG, n, NULL);
    return made(r, sign > 0 ? SXT_MATH_ADD : SXT_MATH_SUB, centre, n);
}

/* low < |x - c| < high, either NULL for none. */
static bool add_shell(region *r, const node *centre, const interval *i)
{
    if (!i->low)
        return add_piece(r, at_distance(r, centre, i->high, -1), i->high_closed,
                         at_distance(r, centre, i->high, 1), i->high_closed);
    const node *far = i->high;
    return add_piece(r, far ? at_distance(r, centre, far, -1) : NULL,
                     i->high_closed, at_distance(r, centre, i->low, -1),
                     i->low_closed) &&
           add_piece(r, at_distance(r, centre, i->low, 1), i->low_closed,
                     far ? at_distance(r, centre, far, 1) : NULL,
                     i->high_closed);
}

/* Put "middle SIGN n" (or n SIGN middle, if n is on the left) into *i. */
static bool narrow(interval *i, char sign, const node *n, bool on_left)
{
    bool closed = sign == 'L' || sign == 'G';
    bool below = sign == '<' || sign == 'L';

    if (!below && sign != '>' && sign != 'G')
        return false;
    if (below == on_left) {
        if (i->low)
            return false;
        i->low = n;
        i->low_closed = closed;
        return true;
    }
    if (i->high)
        return false;
    i->high = n;
    i->high_closed = closed;
    return true;
}

static bool add_middle(region *r, const node *middle, const interval *i)
{
    const node *centre;

    if (is_distance(r, middle, &centre))
        return add_shell(r, centre, i);
    return is_variable(middle) && set_label(r, middle) &&
           add_piece(r, i->low, i->low_closed, i->high, i->high_closed);
}

/* All but one number. */
static bool add_hole(region *r, const node *n)
{
    return add_piece(r, NULL, false, n, false) &&
           add_piece(r, n, false, NULL, false);
}

static bool add_relation(region *r, const node *n)
{
    const node *a = n->child, *b = a->next;
    interval i = { 0 };
    char s = n->text.data[0];

    r->rich = true;
    if (n->count == 3) {
        char t = n->text.data[1];
        bool same_way = (strchr("<L", s) != NULL) == (strchr("<L", t) != NULL);
        return same_way && narrow(&i, s, a, true) &&
               narrow(&i, t, b->next, false) && add_middle(r, b, &i);
    }
    if (n->count != 2)
        return false;
    bool left = is_variable(a) || a->kind == SXT_MATH_FUNCTION;
    const node *x = left ? a : b, *c = left ? b : a;
    if (s == 'E')
        return is_variable(a) && set_label(r, a) && add_set(r, b) &&
               (r->certain = true);
    if (s == 'N')
        return is_variable(x) && set_label(r, x) && add_hole(r, c);
    if (s == '=')
        return is_variable(x) && set_label(r, x) &&
               add_piece(r, c, true, c, true);
    return narrow(&i, s, c, !left) && add_middle(r, x, &i);
}

/* ---- sets ---- */

static bool add_children(region *r, const node *n, bool points)
{
    const node *c = n->child;

    for (size_t i = 0; i < n->count; i++, c = c->next)
        if (points ? !add_piece(r, c, true, c, true) : !add_set(r, c))
            return false;
    return n->count > 0;
}

/* All numbers but some: holes in ascending order. */
static bool add_complement(region *r, const node *set)
{
    const node *hole[SXT_REGION_PIECES], *c = set->child, *low = NULL;
    long double at[SXT_REGION_PIECES];
    size_t n = 0;

    if (set->kind != SXT_MATH_SET || set->count >= SXT_REGION_PIECES)
        return false;
    for (size_t i = 0; i < set->count; i++, c = c->next) {
        long double x;
        if (!sxt_math_constant(c, r->fuel, &x))
            return set->count == 1 && add_hole(r, c);
        size_t k = n++;
        for (; k > 0 && at[k - 1] > x; k--) {
            at[k] = at[k - 1];
            hole[k] = hole[k - 1];
        }
        at[k] = x;
        hole[k] = c;
    }
    for (size_t i = 0; i <= n; i++) {
        const node *high = i < n ? hole[i] : NULL;
        if (!add_piece(r, low, false, high, false))
            return false;
        low = high;
    }
    return true;
}

static bool is_reals(const node *n)
{
    return n->kind == SXT_MATH_NAME && sxt_span_equal(n->text, "reals");
}

static bool add_set(region *r, const node *n)
{
    switch (n->kind) {
    case SXT_MATH_TUPLE:
        return add_brackets(r, n);
    case SXT_MATH_SET:
        return add_children(r, n, true);
    case SXT_MATH_UNION:
        r->rich = true;
        if (!add_children(r, n, false))
            return false;
        r->certain = true;
        return true;
    case SXT_MATH_MINUS_SET:
        r->rich = true;
        return is_reals(n->child) && add_complement(r, n->child->next);
    case SXT_MATH_RELATION:
        return add_relation(r, n);
    case SXT_MATH_BUILDER:
        if (n->child->kind == SXT_MATH_RELATION) /* {x ∈ R | …} */
            return n->child->text.data[0] == 'E' &&
                   is_reals(n->child->child->next) &&
                   set_label(r, n->child->child) && add_set(r, n->child->next);
        return is_variable(n->child) && set_label(r, n->child) &&
               n->child->next->kind == SXT_MATH_RELATION &&
               add_set(r, n->child->next);
    case SXT_MATH_LIST: /* x < 1 or x > 2 */
        return sxt_span_equal(n->text, "or") && add_children(r, n, false);
    default:
        return is_reals(n) && add_piece(r, NULL, false, NULL, false);
    }
}

/* Sort by place and join what touches. */
static bool normalise(region *r)
{
    size_t n = 0;

    if (r->count == 1)
        return true;
    for (size_t i = 0; i < r->count; i++) {
        interval key = r->at[i];
        size_t k = i;
        if (isnan(key.from))
            return false;
        for (; k > 0 && (r->at[k - 1].from > key.from ||
                         (r->at[k - 1].from == key.from && key.low_closed));
             k--)
            r->at[k] = r->at[k - 1];
        r->at[k] = key;
    }
    for (size_t i = 1; i < r->count; i++) {
        interval *a = &r->at[n], *b = &r->at[i];
        bool touch = b->from < a->to ||
                     (b->from == a->to && (a->high_closed || b->low_closed));
        if (!touch) {
            r->at[++n] = *b;
            continue;
        }
        if (b->to > a->to || (b->to == a->to && b->high_closed)) {
            a->to = b->to;
            a->high = b->high;
            a->high_closed = b->high_closed;
        }
    }
    r->count = n + 1;
    return true;
}

bool sxt_mathregion_of(const node *n, long *fuel, region *out)
{
    memset(out, 0, sizeof(*out));
    out->fuel = fuel;
    out->certain = true;
    return add_set(out, n) && out->count > 0 && normalise(out);
}
