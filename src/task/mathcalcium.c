/* mathcalcium.c - an expression as an element of one of Calcium's fields.
 *
 * Johansson, Calcium: computing in exact real and complex fields, ISSAC 2021.
 * Equality is decided by normal forms where the field is known and by balls
 * (Arb) up to the context's precision; "unknown" is an answer. */
#include "task/mathcalcium.h"

#ifdef SXT_FLINT_SPLIT
#include <calcium/ca.h>
#else
#include <flint/ca.h>
#endif

#include "base/str.h"
#include "task/mathexact.h"
#include "task/mathpoint.h"

typedef struct sxt_math_node node; /* in this file only */

enum {
    PRECISION = 2048, /* bits of the last ball */
    DEGREE = 64,      /* of a number field */
    MAX_DIGITS = 400,
    MAX_POWER = 64,
    MAX_ROOT = 24,
    MAX_FACTORIAL = 500,
    EXACT_FUEL = 256 /* nodes of an exponent, of n in n! */
};

struct evaluation {
    ca_ctx_t ctx;
    int point;
};

static bool eval(struct evaluation *e, const node *n, ca_t z);

static bool is_true(truth_t t)
{
    return t == T_TRUE;
}

/* Two operands at a time are enough: b of a node with two children. */
static bool eval_second(struct evaluation *e, const node *n, ca_t z)
{
    return n->count == 2 && eval(e, n->child->next, z);
}

/* ---- leaves ---- */

/* Digits without the point over a power of ten. */
static bool number(struct evaluation *e, struct sxt_span s, ca_t z)
{
    char digits[MAX_DIGITS + 1];
    size_t n = 0, places = 0;
    bool behind = false;
    fmpz_t num, den;

    if (s.len > MAX_DIGITS)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '.') {
            behind = true;
            continue;
        }
        digits[n++] = s.data[i];
        places += behind;
    }
    digits[n] = '\0';
    fmpz_init(num);
    fmpz_init(den);
    bool good = n > 0 && fmpz_set_str(num, digits, 10) == 0;
    if (good) {
        fmpz_ui_pow_ui(den, 10, places);
        ca_set_fmpz(z, num, e->ctx);
        ca_div_fmpz(z, z, den, e->ctx);
    }
    fmpz_clear(num);
    fmpz_clear(den);
    return good;
}

/* Prefix and then a block of digits for ever. */
static bool repeating(struct evaluation *e, const node *n, ca_t z)
{
    struct sxt_span block = n->child->text;
    size_t places = 0;
    bool behind = false;
    fmpz_t nines;
    ca_t y;

    for (size_t i = 0; i < n->text.len; i++) {
        places += behind;
        behind |= n->text.data[i] == '.';
    }
    if (block.len > MAX_DIGITS)
        return false;
    ca_init(y, e->ctx);
    fmpz_init(nines);
    bool good = number(e, n->text, z) && number(e, block, y);
    fmpz_ui_pow_ui(nines, 10, block.len);
    fmpz_sub_ui(nines, nines, 1);
    ca_div_fmpz(y, y, nines, e->ctx);
    fmpz_ui_pow_ui(nines, 10, places);
    ca_div_fmpz(y, y, nines, e->ctx);
    ca_add(z, z, y, e->ctx);
    fmpz_clear(nines);
    ca_clear(y, e->ctx);
    return good;
}

/* A random rational with 20 bits behind the point. */
static void sample(struct evaluation *e, struct sxt_span name, ca_t z)
{
    static const slong magnitude[] = { 1, 1, 10000, 1000000000000 };
    struct sxt_math_point seed = { 5000 + (uint64_t)e->point,
                                   SXT_NAMES_RESIDUES };
    uint64_t bits = sxt_mathpoint_bits(&seed, name);
    slong x = (slong)(bits >> 44) + 1;
    bool negative =
        e->point == 4 || e->point == 5 || (e->point > 5 && (bits & 1));

    ca_set_si(z, negative ? -x : x, e->ctx);
    ca_mul_si(z, z, magnitude[e->point % 4], e->ctx);
    ca_div_si(z, z, (slong)1 << 20, e->ctx);
}

static void name(struct evaluation *e, struct sxt_span text, ca_t z)
{
    if (sxt_span_equal(text, "pi")) {
        ca_pi(z, e->ctx);
    } else if (sxt_span_equal(text, "i")) {
        ca_i(z, e->ctx);
    } else if (sxt_span_equal(text, "e")) {
        ca_one(z, e->ctx);
        ca_exp(z, z, e->ctx);
    } else {
        sample(e, text, z);
    }
}

/* ---- powers ---- */

/* The k-th root of z: real for real z and odd k, else the principal one. */
static bool take_root(struct evaluation *e, int64_t k, ca_t z)
{
    truth_t negative = ca_check_is_negative_real(z, e->ctx);
    fmpq_t exponent;

    if (k < 1 || k > MAX_ROOT || negative == T_UNKNOWN)
        return false;
    bool flip = k % 2 == 1 && negative == T_TRUE;
    if (flip)
        ca_neg(z, z, e->ctx);
    if (k == 2) {
        ca_sqrt(z, z, e->ctx);
    } else if (k > 2) {
        fmpq_init(exponent);
        fmpq_set_si(exponent, 1, (ulong)k);
        ca_pow_fmpq(z, z, exponent, e->ctx);
        fmpq_clear(exponent);
    }
    if (flip)
        ca_neg(z, z, e->ctx);
    return true;
}

static bool root(struct evaluation *e, const node *n, ca_t z)
{
    long fuel = EXACT_FUEL;
    int64_t k;

    return sxt_mathexact_integer(n->child->next, NULL, &fuel, &k) &&
           eval(e, n->child, z) && take_root(e, k, z);
}

static bool power(struct evaluation *e, const node *n, ca_t z)
{
    const node *base = n->child, *exponent = base->next;
    long fuel = EXACT_FUEL;
    struct sxt_rational x;
    ca_t y;

    if (base->kind == SXT_MATH_NAME && sxt_span_equal(base->text, "e")) {
        if (!eval(e, exponent, z))
            return false;
        ca_exp(z, z, e->ctx);
        return true;
    }
    if (!eval(e, base, z))
        return false;
    if (sxt_mathexact_rational(exponent, NULL, &fuel, &x)) {
        int64_t p = x.num;
        if (p > MAX_POWER || p < -MAX_POWER)
            return false;
        if (p <= 0 && !is_true(ca_check_is_number(z, e->ctx)))
            return false;
        if (p <= 0 && ca_check_is_zero(z, e->ctx) != T_FALSE)
            return false; /* 0^0 and 1/0 */
        if (!take_root(e, x.den, z))
            return false;
        ca_pow_si(z, z, p, e->ctx);
        return true;
    }
    ca_init(y, e->ctx);
    bool good = eval(e, exponent, y) && ca_check_is_zero(z, e->ctx) == T_FALSE;
    if (good)
        ca_pow(z, z, y, e->ctx);
    ca_clear(y, e->ctx);
    return good;
}

/* ---- functions ---- */

/* log x has an unknown base unless it is written. */
static bool logarithm(struct evaluation *e, const node *n, ca_t z)
{
    bool good = true;
    ca_t base;

    if (ca_check_is_zero(z, e->ctx) != T_FALSE)
        return false;
    ca_log(z, z, e->ctx);
    if (sxt_span_equal(n->text, "ln"))
        return n->count == 1;
    ca_init(base, e->ctx);
    if (sxt_span_equal(n->text, "lg"))
        ca_set_si(base, 10, e->ctx);
    else
        good = eval_second(e, n, base);
    ca_log(base, base, e->ctx);
    good = good && ca_check_is_zero(base, e->ctx) == T_FALSE;
    if (good)
        ca_div(z, z, base, e->ctx);
    ca_clear(base, e->ctx);
    return good;
}

/* n! and binomials of known integers. */
static bool combinatorial(struct evaluation *e, const node *n, ca_t z)
{
    long fuel = EXACT_FUEL;
    int64_t a, b;
    fmpz_t value;

    if (!sxt_mathexact_integer(n->child, NULL, &fuel, &a) || a < 0 ||
        a > MAX_FACTORIAL)
        return false;
    if (n->count == 2 &&
        (!sxt_mathexact_integer(n->child->next, NULL, &fuel, &b) || b < 0 ||
         b > a))
        return false;
    fmpz_init(value);
    if (n->count == 2)
        fmpz_bin_uiui(value, (ulong)a, (ulong)b);
    else
        fmpz_fac_ui(value, (ulong)a);
    ca_set_fmpz(z, value, e->ctx);
    fmpz_clear(value);
    return true;
}

static void secant(ca_t res, const ca_t x, ca_ctx_t ctx)
{
    ca_cos(res, x, ctx);
    ca_inv(res, res, ctx);
}

static void cosecant(ca_t res, const ca_t x, ca_ctx_t ctx)
{
    ca_sin(res, x, ctx);
    ca_inv(res, res, ctx);
}

/* (e^x + sign e^-x) / 2 */
static void hyperbolic(ca_t res, const ca_t x, slong sign, ca_ctx_t ctx)
{
    ca_t inverse;

    ca_init(inverse, ctx);
    ca_exp(res, x, ctx);
    ca_inv(inverse, res, ctx);
    ca_mul_si(inverse, inverse, sign, ctx);
    ca_add(res, res, inverse, ctx);
    ca_div_si(res, res, 2, ctx);
    ca_clear(inverse, ctx);
}

static void hyperbolic_sine(ca_t res, const ca_t x, ca_ctx_t ctx)
{
    hyperbolic(res, x, -1, ctx);
}

static void hyperbolic_cosine(ca_t res, const ca_t x, ca_ctx_t ctx)
{
    hyperbolic(res, x, 1, ctx);
}

static bool elementary(struct evaluation *e, struct sxt_span f, ca_t z)
{
    static const struct {
        const char *name;
        void (*f)(ca_t res, const ca_t x, ca_ctx_t ctx);
    } table[] = {
        { "sin", ca_sin },           { "cos", ca_cos },
        { "tan", ca_tan },           { "cot", ca_cot },
        { "sec", secant },           { "csc", cosecant },
        { "sinh", hyperbolic_sine }, { "cosh", hyperbolic_cosine },
        { "exp", ca_exp },           { "arcsin", ca_asin },
        { "arccos", ca_acos },       { "arctan", ca_atan },
        { "abs", ca_abs },           { "floor", ca_floor },
        { "ceil", ca_ceil },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!sxt_span_equal(f, table[i].name))
            continue;
        ca_t x;
        ca_init(x, e->ctx);
        ca_swap(x, z, e->ctx);
        table[i].f(z, x, e->ctx);
        ca_clear(x, e->ctx);
        return true;
    }
    return false;
}

static bool function(struct evaluation *e, const node *n, ca_t z)
{
    if (n->count == 0)
        return false;
    if (sxt_span_equal(n->text, "factorial") ||
        sxt_span_equal(n->text, "binom"))
        return combinatorial(e, n, z);
    if (!eval(e, n->child, z))
        return false;
    if (sxt_span_equal(n->text, "ln") || sxt_span_equal(n->text, "lg") ||
        sxt_span_equal(n->text, "log"))
        return logarithm(e, n, z);
    return n->count == 1 && elementary(e, n->text, z);
}

/* ---- expressions ---- */

static bool binary(struct evaluation *e, const node *n, ca_t z)
{
    bool good;
    ca_t y;

    ca_init(y, e->ctx);
    good = eval(e, n->child, z) && eval_second(e, n, y);
    if (good && n->kind == SXT_MATH_ADD)
        ca_add(z, z, y, e->ctx);
    else if (good && n->kind == SXT_MATH_SUB)
        ca_sub(z, z, y, e->ctx);
    else if (good && n->kind == SXT_MATH_MUL)
        ca_mul(z, z, y, e->ctx);
    else if (good) {
        good = ca_check_is_zero(y, e->ctx) == T_FALSE;
        if (good)
            ca_div(z, z, y, e->ctx);
    }
    ca_clear(y, e->ctx);
    return good;
}

static bool scaled(struct evaluation *e, const node *n, ca_t z)
{
    ca_t pi;

    if (!eval(e, n->child, z))
        return false;
    if (n->kind == SXT_MATH_NEG) {
        ca_neg(z, z, e->ctx);
    } else if (n->kind == SXT_MATH_PERCENT) {
        ca_div_si(z, z, 100, e->ctx);
    } else {
        ca_init(pi, e->ctx);
        ca_pi(pi, e->ctx);
        ca_mul(z, z, pi, e->ctx);
        ca_div_si(z, z, 180, e->ctx);
        ca_clear(pi, e->ctx);
    }
    return true;
}

static bool eval(struct evaluation *e, const node *n, ca_t z)
{
    switch (n->kind) {
    case SXT_MATH_NUMBER:
        return number(e, n->text, z);
    case SXT_MATH_REPEATING:
        return repeating(e, n, z);
    case SXT_MATH_NAME:
        name(e, n->text, z);
        return true;
    case SXT_MATH_NEG:
    case SXT_MATH_PERCENT:
    case SXT_MATH_DEGREE:
        return scaled(e, n, z);
    case SXT_MATH_ADD:
    case SXT_MATH_SUB:
    case SXT_MATH_MUL:
    case SXT_MATH_DIV:
    case SXT_MATH_RATIO:
        return binary(e, n, z);
    case SXT_MATH_POW:
        return power(e, n, z);
    case SXT_MATH_ROOT:
        return root(e, n, z);
    case SXT_MATH_FUNCTION:
        return function(e, n, z);
    default:
        return false;
    }
}

static enum sxt_calcium_outcome compare(struct evaluation *e, const ca_t x,
                                        const ca_t y, bool complex)
{
    if (!is_true(ca_check_is_number(x, e->ctx)) ||
        !is_true(ca_check_is_number(y, e->ctx)))
        return SXT_CALCIUM_UNDEFINED;
    if (!complex && (ca_check_is_real(x, e->ctx) == T_FALSE ||
                     ca_check_is_real(y, e->ctx) == T_FALSE))
        return SXT_CALCIUM_UNDEFINED;
    truth_t equal = ca_check_equal(x, y, e->ctx);
    if (equal == T_UNKNOWN)
        return SXT_CALCIUM_UNKNOWN;
    return equal == T_TRUE ? SXT_CALCIUM_SAME : SXT_CALCIUM_DIFFER;
}

enum sxt_calcium_outcome sxt_mathcalcium(const node *a, const node *b,
                                         int point, bool complex)
{
    enum sxt_calcium_outcome out = SXT_CALCIUM_UNKNOWN;
    struct evaluation e = { .point = point };
    ca_t x, y;

    ca_ctx_init(e.ctx);
    e.ctx->options[CA_OPT_PREC_LIMIT] = PRECISION;
    e.ctx->options[CA_OPT_QQBAR_DEG_LIMIT] = DEGREE;
    ca_init(x, e.ctx);
    ca_init(y, e.ctx);
    if (eval(&e, a, x) && eval(&e, b, y))
        out = compare(&e, x, y, complex);
    ca_clear(x, e.ctx);
    ca_clear(y, e.ctx);
    ca_ctx_clear(e.ctx);
    return out;
}
