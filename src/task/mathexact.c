/* mathexact.c - exact values r + s pi of small expressions. */
#include "task/mathexact.h"

#include <string.h>

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a < 0 ? -a : a;
}

static bool reduce(int64_t num, int64_t den, struct sxt_rational *value)
{
    if (den == 0 || num == INT64_MIN || den == INT64_MIN)
        return false;
    int64_t g = gcd(num, den);
    if (den < 0)
        g = -g;
    *value = (struct sxt_rational){ num / g, den / g };
    return true;
}

bool sxt_rational_add(struct sxt_rational a, struct sxt_rational b,
                      struct sxt_rational *value)
{
    int64_t x, y, num, den;

    return !__builtin_mul_overflow(a.num, b.den, &x) &&
           !__builtin_mul_overflow(b.num, a.den, &y) &&
           !__builtin_add_overflow(x, y, &num) &&
           !__builtin_mul_overflow(a.den, b.den, &den) &&
           reduce(num, den, value);
}

bool sxt_rational_mul(struct sxt_rational a, struct sxt_rational b,
                      struct sxt_rational *value)
{
    int64_t num, den;

    return !__builtin_mul_overflow(a.num, b.num, &num) &&
           !__builtin_mul_overflow(a.den, b.den, &den) &&
           reduce(num, den, value);
}

bool sxt_rational_parse(struct sxt_span digits, struct sxt_rational *value)
{
    int64_t num = 0, den = 1;
    bool behind_point = false;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] == '.') {
            behind_point = true;
            continue;
        }
        if (__builtin_mul_overflow(num, 10, &num) ||
            __builtin_add_overflow(num, digits.data[i] - '0', &num) ||
            (behind_point && __builtin_mul_overflow(den, 10, &den)))
            return false;
    }
    return reduce(num, den, value);
}

static const struct sxt_rational zero = { 0, 1 };

static bool plain(const struct sxt_exact *x)
{
    return x->pi.num == 0;
}

static bool add(struct sxt_exact a, struct sxt_exact b, int64_t sign,
                struct sxt_exact *value)
{
    b.plain.num *= sign; /* never INT64_MIN, see reduce() */
    b.pi.num *= sign;
    return sxt_rational_add(a.plain, b.plain, &value->plain) &&
           sxt_rational_add(a.pi, b.pi, &value->pi);
}

static bool multiply(struct sxt_exact a, struct sxt_exact b,
                     struct sxt_exact *value)
{
    struct sxt_exact r = { zero, zero };

    if (!plain(&a) && !plain(&b))
        return false;
    if (!plain(&b)) {
        struct sxt_exact t = a;
        a = b;
        b = t;
    }
    if (!sxt_rational_mul(a.plain, b.plain, &r.plain) ||
        !sxt_rational_mul(a.pi, b.plain, &r.pi))
        return false;
    *value = r;
    return true;
}

static bool divide(struct sxt_exact a, struct sxt_exact b,
                   struct sxt_exact *value)
{
    if (plain(&b)) {
        struct sxt_exact inverse = { zero, zero };
        return reduce(b.plain.den, b.plain.num, &inverse.plain) &&
               multiply(a, inverse, value);
    }
    if (a.plain.num != 0 || b.plain.num != 0)
        return false;
    struct sxt_rational inverse; /* a pi / b pi */
    value->pi = zero;
    return reduce(b.pi.den, b.pi.num, &inverse) &&
           sxt_rational_mul(a.pi, inverse, &value->plain);
}

static bool power(struct sxt_exact a, struct sxt_exact b,
                  struct sxt_exact *value)
{
    struct sxt_exact r = { { 1, 1 }, zero };

    if (!plain(&a) || !plain(&b) || b.plain.den != 1)
        return false;
    int64_t n = b.plain.num;
    if (n < -64 || n > 64 || (n <= 0 && a.plain.num == 0))
        return false;
    for (int64_t i = 0; i < (n < 0 ? -n : n); i++)
        if (!sxt_rational_mul(r.plain, a.plain, &r.plain))
            return false;
    if (n < 0 && !reduce(r.plain.den, r.plain.num, &r.plain))
        return false;
    *value = r;
    return true;
}

static bool name(const struct sxt_math_node *n,
                 const struct sxt_math_point *point, struct sxt_exact *value)
{
    *value = (struct sxt_exact){ zero, zero };
    if (sxt_span_equal(n->text, "pi")) {
        value->pi = (struct sxt_rational){ 1, 1 };
        return true;
    }
    if (sxt_mathpoint_is_constant(n->text) || !point ||
        point->names == SXT_NAMES_RESIDUES)
        return false;
    value->plain.num = sxt_mathpoint_integer(point, n->text);
    return true;
}

bool sxt_mathexact(const struct sxt_math_node *n,
                   const struct sxt_math_point *point, long *fuel,
                   struct sxt_exact *value)
{
    static const struct sxt_exact hundredth = { { 1, 100 }, { 0, 1 } },
                                  degree = { { 0, 1 }, { 1, 180 } },
                                  nothing = { { 0, 1 }, { 0, 1 } };
    const struct sxt_math_node *b = n->count > 1 ? n->child->next : NULL;
    struct sxt_exact x, y;

    *value = nothing;
    if (--*fuel < 0)
        return false;
    if (n->kind == SXT_MATH_NUMBER)
        return sxt_rational_parse(n->text, &value->plain);
    if (n->kind == SXT_MATH_NAME)
        return name(n, point, value);
    if (n->kind < SXT_MATH_NEG || n->kind > SXT_MATH_PERCENT ||
        !sxt_mathexact(n->child, point, fuel, &x) ||
        (b && !sxt_mathexact(b, point, fuel, &y)))
        return false;
    switch (n->kind) {
    case SXT_MATH_NEG:
        return add(nothing, x, -1, value);
    case SXT_MATH_ADD:
        return add(x, y, 1, value);
    case SXT_MATH_SUB:
        return add(x, y, -1, value);
    case SXT_MATH_MUL:
        return multiply(x, y, value);
    case SXT_MATH_DIV:
        return divide(x, y, value);
    case SXT_MATH_POW:
        return power(x, y, value);
    case SXT_MATH_PERCENT:
        return multiply(x, hundredth, value);
    case SXT_MATH_DEGREE:
        return multiply(x, degree, value);
    default:
        return false; /* roots and functions */
    }
}

bool sxt_mathexact_rational(const struct sxt_math_node *n,
                            const struct sxt_math_point *point, long *fuel,
                            struct sxt_rational *value)
{
    struct sxt_exact x;

    if (!sxt_mathexact(n, point, fuel, &x) || !plain(&x))
        return false;
    *value = x.plain;
    return true;
}

bool sxt_mathexact_integer(const struct sxt_math_node *n,
                           const struct sxt_math_point *point, long *fuel,
                           int64_t *value)
{
    struct sxt_rational x;

    if (!sxt_mathexact_rational(n, point, fuel, &x) || x.den != 1)
        return false;
    *value = x.num;
    return true;
}
