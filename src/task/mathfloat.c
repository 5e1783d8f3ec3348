/* mathfloat.c - expressions as complex floating point numbers. */
#include "task/mathfloat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

typedef long double complex cplx; /* in this file only */

enum { STEP = 16 }; /* fuel for a node, of which a function is the dearest */

static const long double pi = 3.14159265358979323846264338327950288L;

struct evaluation {
    int point;
    long *fuel;
    long double scale, least;
};

static bool eval(struct evaluation *e, const struct sxt_math_node *n, cplx *z);

static bool keep(struct evaluation *e, cplx z, cplx *out)
{
    long double size = cabsl(z);

    if (!isfinite(size))
        return false;
    if (size > e->scale)
        e->scale = size;
    if (size > 0 && size < e->least)
        e->least = size;
    *out = z;
    return true;
}

static bool number(struct evaluation *e, struct sxt_span digits, cplx *z)
{
    long double x = 0, place = 1;
    bool behind_point = false;

    *e->fuel -= (long)digits.len;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] == '.') {
            behind_point = true;
            continue;
        }
        int digit = digits.data[i] - '0';
        if (behind_point)
            x += digit * (place /= 10);
        else
            x = 10 * x + digit;
    }
    return keep(e, x, z);
}

static bool repeating(struct evaluation *e, const struct sxt_math_node *n,
                      cplx *z)
{
    const char *point = memchr(n->text.data, '.', n->text.len);
    size_t places =
        point ? (size_t)(n->text.data + n->text.len - point) - 1 : 0;
    cplx prefix, block;

    if (!number(e, n->text, &prefix) || !number(e, n->child->text, &block))
        return false;
    block /= powl(10, (long double)places) *
             (powl(10, (long double)n->child->text.len) - 1);
    return keep(e, prefix + block, z);
}

static long double sample(int point, struct sxt_span name)
{
    uint64_t bits = sxt_hash64(name.data, name.len, (uint64_t)point + 77);

    if (point >= 2 && point < 4)
        return (long double)(bits % 7 + 2);
    long double x = 0.3L + 3 * (long double)(bits >> 11) / 0x1p53L;
    if (point >= SXT_FLOAT_POINTS)
        x *= powl(10, (long double)(3 * ((point - SXT_FLOAT_POINTS) / 2 + 1)));
    return point % 2 == 0 && point >= 4 ? -x : x + 0.1L * (long double)point;
}

static bool name(struct evaluation *e, struct sxt_span text, cplx *z)
{
    if (sxt_span_equal(text, "pi"))
        return keep(e, pi, z);
    if (sxt_span_equal(text, "e"))
        return keep(e, expl(1), z);
    if (sxt_span_equal(text, "i"))
        return keep(e, I, z);
    return keep(e, sample(e->point, text), z);
}

/* Real for real bases and odd roots, else the principal value. */
static bool power(struct evaluation *e, cplx base, cplx exponent, cplx *z)
{
    long double x = creall(base), y = creall(exponent);

    if (cimagl(base) == 0 && cimagl(exponent) == 0) {
        if (x > 0 || y == floorl(y))
            return keep(e, powl(x, y), z);
        for (int odd = 3; odd < 32; odd += 2) { /* (-8)^(1/3) */
            long double p = y * odd, r = roundl(p);
            if (fabsl(p - r) > 1e-15L)
                continue;
            long double size = powl(-x, y);
            return keep(e, fmodl(r, 2) != 0 ? -size : size, z);
        }
    }
    if (x == 0 && cimagl(base) == 0)
        return false;
    if (cimagl(base) == 0)
        base = x; /* no negative zero */
    return keep(e, cexpl(exponent * clogl(base)), z);
}

static bool root(struct evaluation *e, const struct sxt_math_node *n, cplx *z)
{
    cplx a, k;

    if (!eval(e, n->child, &a) || !eval(e, n->child->next, &k) ||
        cimagl(k) != 0 || creall(k) < 1)
        return false;
    long double index = creall(k), x = creall(a);
    if (cimagl(a) == 0)
        a = x; /* no negative zero: it would choose the other root */
    if (cimagl(a) == 0 && (x >= 0 || fmodl(index, 2) == 1)) {
        long double size = powl(fabsl(x), 1 / index);
        return keep(e, x < 0 ? -size : size, z);
    }
    if (index == 2)
        return keep(e, csqrtl(a), z);
    return keep(e, cexpl(clogl(a) / index), z);
}

static cplx reciprocal_of(cplx (*f)(cplx), cplx x)
{
    return 1 / f(x);
}

static bool elementary(struct evaluation *e, struct sxt_span f, cplx x, cplx *z)
{
    static const struct {
        const char *name;
        cplx (*f)(cplx);
        bool inverted;
    } table[] = {
        { "sin", csinl, false },     { "cos", ccosl, false },
        { "tan", ctanl, false },     { "cot", ctanl, true },
        { "sec", ccosl, true },      { "csc", csinl, true },
        { "sinh", csinhl, false },   { "cosh", ccoshl, false },
        { "tanh", ctanhl, false },   { "exp", cexpl, false },
        { "arcsin", casinl, false }, { "arccos", cacosl, false },
        { "arctan", catanl, false },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (sxt_span_equal(f, table[i].name))
            return keep(e,
                        table[i].inverted ? reciprocal_of(table[i].f, x)
                                          : table[i].f(x),
                        z);
    return false;
}

/* Functions of reals only. */
static bool real_function(struct evaluation *e, struct sxt_span f,
                          long double x, cplx *z)
{
    if (sxt_span_equal(f, "floor"))
        return keep(e, floorl(x + 1e-12L), z);
    if (sxt_span_equal(f, "ceil"))
        return keep(e, ceill(x - 1e-12L), z);
    if (sxt_span_equal(f, "factorial") && x >= 0)
        return keep(e, tgammal(x + 1), z);
    return false;
}

static bool logarithm(struct evaluation *e, const struct sxt_math_node *n,
                      cplx x, cplx *z)
{
    cplx base;

    if (x == 0)
        return false;
    if (n->count > 1)
        return eval(e, n->child->next, &base) && base != 0 &&
               keep(e, clogl(x) / clogl(base), z);
    if (sxt_span_equal(n->text, "lg"))
        return keep(e, clogl(x) / logl(10), z);
    /* "log" may have any base: a number that no real base gives by chance */
    bool natural = sxt_span_equal(n->text, "ln");
    return keep(e, clogl(x) * (natural ? 1 : 0.7390851332L), z);
}

static bool function(struct evaluation *e, const struct sxt_math_node *n,
                     cplx *z)
{
    cplx x, y;

    if (n->count == 0 || n->count > 2 || !eval(e, n->child, &x))
        return false;
    if (sxt_span_equal(n->text, "log") || sxt_span_equal(n->text, "ln") ||
        sxt_span_equal(n->text, "lg"))
        return logarithm(e, n, x, z);
    if (n->count == 2 && sxt_span_equal(n->text, "binom")) {
        if (!eval(e, n->child->next, &y) || cimagl(x) != 0 || cimagl(y) != 0 ||
            creall(y) < 0 || creall(y) > creall(x))
            return false;
        return keep(e,
                    tgammal(creall(x) + 1) / tgammal(creall(y) + 1) /
                        tgammal(creall(x - y) + 1),
                    z);
    }
    if (n->count != 1)
        return false;
    if (sxt_span_equal(n->text, "abs"))
        return keep(e, cabsl(x), z);
    return elementary(e, n->text, x, z) ||
           (cimagl(x) == 0 && real_function(e, n->text, creall(x), z));
}

static bool arithmetic(struct evaluation *e, const struct sxt_math_node *n,
                       cplx *z)
{
    cplx a, b = 0;

    if (!eval(e, n->child, &a) ||
        (n->count > 1 && !eval(e, n->child->next, &b)))
        return false;
    switch (n->kind) {
    case SXT_MATH_NEG:
        return keep(e, -a, z);
    case SXT_MATH_ADD:
        return keep(e, a + b, z);
    case SXT_MATH_SUB:
        return keep(e, a - b, z);
    case SXT_MATH_MUL:
        return keep(e, a * b, z);
    case SXT_MATH_POW:
        return power(e, a, b, z);
    case SXT_MATH_DEGREE:
        return keep(e, a * pi / 180, z);
    case SXT_MATH_PERCENT:
        return keep(e, a / 100, z);
    default: /* DIV, RATIO */
        return n->count == 2 && b != 0 && keep(e, a / b, z);
    }
}

static bool eval(struct evaluation *e, const struct sxt_math_node *n, cplx *z)
{
    if ((*e->fuel -= STEP) < 0)
        return false;
    switch (n->kind) {
    case SXT_MATH_NUMBER:
        return number(e, n->text, z);
    case SXT_MATH_REPEATING:
        return repeating(e, n, z);
    case SXT_MATH_NAME:
        return name(e, n->text, z);
    case SXT_MATH_NEG:
    case SXT_MATH_ADD:
    case SXT_MATH_SUB:
    case SXT_MATH_MUL:
    case SXT_MATH_DIV:
    case SXT_MATH_POW:
    case SXT_MATH_DEGREE:
    case SXT_MATH_PERCENT:
    case SXT_MATH_RATIO:
        return arithmetic(e, n, z);
    case SXT_MATH_ROOT:
        return root(e, n, z);
    case SXT_MATH_FUNCTION:
        return function(e, n, z);
    default:
        return false;
    }
}

bool sxt_float_eval(const struct sxt_math_node *n, int point, long *fuel,
                    struct sxt_float *x)
{
    struct evaluation e = { point, fuel, 0, HUGE_VALL };

    if (!eval(&e, n, &x->value))
        return false;
    x->scale = e.scale;
    x->least = e.least;
    return true;
}

bool sxt_float_real(const struct sxt_float *a, const struct sxt_float *b)
{
    return fabsl(cimagl(a->value)) <= 1e-12L * a->scale &&
           fabsl(cimagl(b->value)) <= 1e-12L * b->scale;
}

/* Noise: 64-bit mantissas lose a few digits in sums; 1e-15 of the largest
 * term is 10^4 units in the last place. */
bool sxt_float_close(const struct sxt_float *a, const struct sxt_float *b)
{
    long double size = fmaxl(cabsl(a->value), cabsl(b->value));
    long double noise = fmaxl(a->scale, b->scale) * 1e-15L;

    return cabsl(a->value - b->value) <= 1e-10L * size + noise;
}
