/* mathidentity.c - equality of expressions by their values. */
#include "task/mathidentity.h"

#include <math.h>

#include "task/mathfield.h"
#include "task/mathfloat.h"

bool sxt_math_contains(const struct sxt_math_node *n, enum sxt_math_kind kind)
{
    if (n->kind == kind)
        return true;
    const struct sxt_math_node *c = n->child;
    for (size_t i = 0; i < n->count; i++, c = c->next)
        if (sxt_math_contains(c, kind))
            return true;
    return false;
}

static bool contains_text(const struct sxt_math_node *n,
                          enum sxt_math_kind kind, const char *text)
{
    if (n->kind == kind && sxt_span_equal(n->text, text))
        return true;
    const struct sxt_math_node *c = n->child;
    for (size_t i = 0; i < n->count; i++, c = c->next)
        if (contains_text(c, kind, text))
            return true;
    return false;
}

bool sxt_math_has_names(const struct sxt_math_node *n)
{
    if (n->kind == SXT_MATH_NAME && !sxt_mathpoint_is_constant(n->text))
        return true;
    const struct sxt_math_node *c = n->child;
    for (size_t i = 0; i < n->count; i++, c = c->next)
        if (sxt_math_has_names(c))
            return true;
    return false;
}

bool sxt_math_has_name(const struct sxt_math_node *n, const char *name)
{
    return contains_text(n, SXT_MATH_NAME, name);
}

bool sxt_math_constant(const struct sxt_math_node *n, long *fuel,
                       long double *value)
{
    struct sxt_float x;

    if (sxt_math_has_names(n) || !sxt_float_eval(n, 0, fuel, &x) ||
        !sxt_float_real(&x, &x))
        return false;
    *value = creall(x.value);
    return true;
}

/* Names must be small where a factorial of them is taken. */
static enum sxt_math_names integer_names(const struct sxt_math_node *a,
                                         const struct sxt_math_node *b)
{
    bool small = contains_text(a, SXT_MATH_FUNCTION, "factorial") ||
                 contains_text(b, SXT_MATH_FUNCTION, "factorial") ||
                 contains_text(a, SXT_MATH_FUNCTION, "binom") ||
                 contains_text(b, SXT_MATH_FUNCTION, "binom");

    return small ? SXT_NAMES_SMALL : SXT_NAMES_INTEGERS;
}

struct numeric {
    int agree, disagree;
    bool sound; /* agreement that also tells the signs of roots */
    bool blind; /* a kink may lie farther away than we looked */
};

/* A root with the other sign moves a sum by at least twice the least magnitude
 * met: seen, if that is far above the noise.  A function may flatten it. */
static bool tells_signs(const struct sxt_float *x, const struct sxt_float *y,
                        bool constant_function)
{
    long double least = fminl(x->least, y->least);

    return !constant_function && fmaxl(x->scale, y->scale) <= 1e6L * least;
}

/* Functions that are not one analytic piece: look far away, too. */
static bool has_kinks(const struct sxt_math_node *n)
{
    static const char *const names[] = { "abs", "floor", "ceil", "max", "min" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (contains_text(n, SXT_MATH_FUNCTION, names[i]))
            return true;
    return sxt_math_contains(n, SXT_MATH_ROOT);
}

/* Values that are not real count only if the expressions are about complex
 * numbers: ln x^2 and 2 ln x are taken as equal. */
static struct numeric numeric_evidence(const struct sxt_math_node *a,
                                       const struct sxt_math_node *b,
                                       long *fuel)
{
    bool is_complex = contains_text(a, SXT_MATH_NAME, "i") ||
                      contains_text(b, SXT_MATH_NAME, "i");
    bool constant = !sxt_math_has_names(a) && !sxt_math_has_names(b);
    bool flat = constant && (sxt_math_contains(a, SXT_MATH_FUNCTION) ||
                             sxt_math_contains(b, SXT_MATH_FUNCTION));
    bool far = !constant && (has_kinks(a) || has_kinks(b));
    int points = constant ? 1 : far ? SXT_FLOAT_FAR_POINTS : SXT_FLOAT_POINTS;
    struct numeric n = { 0 };
    struct sxt_float x, y;

    for (int k = 0; k < points; k++) {
        if (!sxt_float_eval(a, k, fuel, &x) || !sxt_float_eval(b, k, fuel, &y))
            continue;
        if (!constant && !is_complex && !sxt_float_real(&x, &y))
            continue;
        bool close = sxt_float_close(&x, &y);
        n.agree += close;
        n.sound |= close && tells_signs(&x, &y, flat);
        n.blind |=
            far && k < SXT_FLOAT_POINTS && fmaxl(x.scale, y.scale) > 1e11L;
        n.disagree += !close;
    }
    return n;
}

enum outcome { HIT, MISS, NOTHING };

/* Equal in one field, for some choice of the signs of roots? */
static enum outcome field_outcome(const struct sxt_math_node *a,
                                  const struct sxt_math_node *b, int prime,
                                  enum sxt_math_names names, long *fuel,
                                  bool *ambiguous)
{
    struct sxt_math_point point = { 1000 + (uint64_t)prime, names };
    struct sxt_field_value x, y;
    unsigned choices = 1;

    for (unsigned flip = 0; flip < choices; flip++) {
        struct sxt_field f;
        sxt_field_init(&f, prime, point, fuel);
        f.flip = flip;
        if (!sxt_field_eval(&f, a, &x) || !sxt_field_eval(&f, b, &y))
            return NOTHING;
        if (f.ambiguous) {
            *ambiguous = true;
            choices = 1u << f.n_roots;
        }
        if (sxt_field_equal(x, y))
            return HIT;
    }
    return MISS;
}

/* Two hits in independent fields; a miss refutes unless signs were open. */
static bool field_evidence(const struct sxt_math_node *a,
                           const struct sxt_math_node *b,
                           enum sxt_math_names names, long *fuel,
                           bool *ambiguous)
{
    int hits = 0;

    for (int prime = 0; prime < SXT_FIELD_PRIMES && hits < 2; prime++) {
        bool open = false;
        enum outcome o = field_outcome(a, b, prime, names, fuel, &open);
        if (o == MISS && !open)
            return false;
        hits += o == HIT;
        *ambiguous |= open;
    }
    return hits >= 2;
}

enum sxt_math_verdict sxt_math_identity(const struct sxt_math_node *a,
                                        const struct sxt_math_node *b,
                                        long *fuel)
{
    if (sxt_math_contains(a, SXT_MATH_INFINITY) ||
        sxt_math_contains(b, SXT_MATH_INFINITY))
        return SXT_MATH_UNDECIDED;
    struct numeric n = numeric_evidence(a, b, fuel);
    if (n.disagree > 0 || n.blind)
        return SXT_MATH_DIFFERENT;

    enum sxt_math_names modes[] = { SXT_NAMES_RESIDUES, integer_names(a, b) };
    for (size_t m = 0; m < 2; m++) {
        bool ambiguous = false;
        if (field_evidence(a, b, modes[m], fuel, &ambiguous) &&
            (!ambiguous || n.sound))
            return SXT_MATH_EQUAL;
    }
    return n.agree > 0 || *fuel < 0 ? SXT_MATH_UNDECIDED : SXT_MATH_DIFFERENT;
}

/* a1 - a2 in the field. */
static bool field_difference(const struct sxt_math_node *a1,
                             const struct sxt_math_node *a2, int prime, int k,
                             enum sxt_math_names names, long *fuel,
                             struct sxt_field_value *out)
{
    struct sxt_math_point point = { 2000 + (uint64_t)(16 * prime + k), names };
    struct sxt_field_value x, y;
    struct sxt_field f;

    sxt_field_init(&f, prime, point, fuel);
    if (!sxt_field_eval(&f, a1, &x) || !sxt_field_eval(&f, a2, &y))
        return false;
    *out = sxt_field_sub(&f, x, y);
    return true;
}

/* The cross products of the differences at three points agree. */
static bool field_proportional(const struct sxt_math_node *const side[4],
                               int prime, enum sxt_math_names names, long *fuel)
{
    enum { POINTS = 3 };
    struct sxt_field_value a[POINTS], b[POINTS];
    struct sxt_field f;

    sxt_field_init(&f, prime, (struct sxt_math_point){ 0, names }, fuel);
    for (int k = 0; k < POINTS; k++) {
        if (!field_difference(side[0], side[1], prime, k, names, fuel, &a[k]) ||
            !field_difference(side[2], side[3], prime, k, names, fuel, &b[k]))
            return false;
        if (sxt_field_is_zero(a[k]) || sxt_field_is_zero(b[k]))
            return false;
        if (!sxt_field_equal(sxt_field_mul(&f, a[0], b[k]),
                             sxt_field_mul(&f, a[k], b[0])))
            return false;
    }
    return true;
}

static bool float_difference(const struct sxt_math_node *a1,
                             const struct sxt_math_node *a2, int k, long *fuel,
                             struct sxt_float *out)
{
    struct sxt_float x, y;

    if (!sxt_float_eval(a1, k, fuel, &x) || !sxt_float_eval(a2, k, fuel, &y) ||
        !sxt_float_real(&x, &y))
        return false;
    *out = (struct sxt_float){ .value = x.value - y.value,
                               .scale = fmaxl(x.scale, y.scale) };
    return cabsl(out->value) > 1e-9L * out->scale;
}

/* Sign of the ratio; 0 if no point shows it.  False: the ratio varies. */
static bool float_ratio(const struct sxt_math_node *const side[4], long *fuel,
                        int *sign)
{
    long double first = 0;
    struct sxt_float a, b;

    *sign = 0;
    for (int k = 0; k < SXT_FLOAT_POINTS; k++) {
        if (!float_difference(side[0], side[1], k, fuel, &a) ||
            !float_difference(side[2], side[3], k, fuel, &b))
            continue;
        long double ratio = creall(a.value) / creall(b.value);
        if (*sign != 0 && fabsl(ratio - first) > 1e-6L * fabsl(first))
            return false;
        first = ratio;
        *sign = ratio > 0 ? 1 : -1;
    }
    return true;
}

enum sxt_math_verdict sxt_math_proportional(const struct sxt_math_node *a1,
                                            const struct sxt_math_node *a2,
                                            const struct sxt_math_node *b1,
                                            const struct sxt_math_node *b2,
                                            long *fuel, int *sign)
{
    const struct sxt_math_node *const side[4] = { a1, a2, b1, b2 };
    enum sxt_math_names modes[] = { SXT_NAMES_RESIDUES, integer_names(a1, a2) };

    if (modes[1] == SXT_NAMES_INTEGERS)
        modes[1] = integer_names(b1, b2);
    if (!float_ratio(side, fuel, sign) ||
        (!sxt_math_has_names(a1) && !sxt_math_has_names(a2)) ||
        (!sxt_math_has_names(b1) && !sxt_math_has_names(b2)))
        return SXT_MATH_DIFFERENT;
    for (int i = 0; i < 4; i++)
        if (sxt_math_contains(side[i], SXT_MATH_INFINITY))
            return SXT_MATH_UNDECIDED;
    for (size_t m = 0; m < 2; m++)
        if (field_proportional(side, 0, modes[m], fuel) &&
            field_proportional(side, 1, modes[m], fuel))
            return SXT_MATH_EQUAL;
    return *sign != 0 || *fuel < 0 ? SXT_MATH_UNDECIDED : SXT_MATH_DIFFERENT;
}
