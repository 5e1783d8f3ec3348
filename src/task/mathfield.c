/* mathfield.c - arithmetic and functions in GF(p^2). */
#include "task/mathfield.h"

#include <string.h>

#include "base/hash.h"
#include "task/mathexact.h"

typedef struct sxt_field_value value; /* in this file only */
typedef struct sxt_field field;

/* e is UNIT-th power of a random element, so that e^(1/2) exists; the same
 * for e^i in angles.  So much fuel for each prime and point is half a second in
 * all. */
enum { UNIT = 5040, MAX_FACTORIAL = 20000, FUEL = 400000 };

/* The largest safe primes p < 2^61, p = 23 mod 24, for which all primes up to
 * 73 are squares mod p. */
static const uint64_t primes[SXT_FIELD_PRIMES] = {
    2305843009045133879u, 2305843008811413959u, 2305843005313677359u,
    2305843002668335919u, 2305843002641604599u, 2305842999416916119u,
    2305842999112689599u, 2305842992883776519u
};

void sxt_field_init(field *f, int prime, struct sxt_math_point point,
                    long *fuel)
{
    *f = (field){ .p = primes[prime], .point = point, .fuel = fuel };
}

/* ---- arithmetic ---- */

static uint64_t mul1(const field *f, uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b % f->p);
}

static uint64_t add1(const field *f, uint64_t a, uint64_t b)
{
    uint64_t s = a + b;

    return s >= f->p ? s - f->p : s;
}

static uint64_t neg1(const field *f, uint64_t a)
{
    return a == 0 ? 0 : f->p - a;
}

static uint64_t pow1(const field *f, uint64_t a, uint64_t n)
{
    uint64_t r = 1;

    for (; n > 0; n >>= 1) {
        if (n & 1)
            r = mul1(f, r, a);
        a = mul1(f, a, a);
        *f->fuel -= 2;
    }
    return r;
}

static value real(uint64_t x)
{
    return (value){ x, 0 };
}

static value integer(const field *f, int64_t x)
{
    uint64_t m = (uint64_t)(x < 0 ? -x : x) % f->p;

    return real(x < 0 ? neg1(f, m) : m);
}

static value add(const field *f, value a, value b)
{
    return (value){ add1(f, a.re, b.re), add1(f, a.im, b.im) };
}

static value negative(const field *f, value a)
{
    return (value){ neg1(f, a.re), neg1(f, a.im) };
}

value sxt_field_sub(const field *f, value a, value b)
{
    return add(f, a, negative(f, b));
}

value sxt_field_mul(const field *f, value a, value b)
{
    uint64_t rr = mul1(f, a.re, b.re), ii = mul1(f, a.im, b.im);

    if (a.im == 0 && b.im == 0)
        return real(rr);
    return (value){ add1(f, rr, neg1(f, ii)),
                    add1(f, mul1(f, a.re, b.im), mul1(f, a.im, b.re)) };
}

bool sxt_field_equal(value a, value b)
{
    return a.re == b.re && a.im == b.im;
}

bool sxt_field_is_zero(value a)
{
    return a.re == 0 && a.im == 0;
}

static uint64_t norm(const field *f, value a)
{
    return add1(f, mul1(f, a.re, a.re), mul1(f, a.im, a.im));
}

static bool invert(const field *f, value a, value *out)
{
    if (sxt_field_is_zero(a))
        return false;
    uint64_t n = pow1(f, norm(f, a), f->p - 2);
    *out = (value){ mul1(f, a.re, n), mul1(f, neg1(f, a.im), n) };
    return true;
}

static bool divide(const field *f, value a, value b, value *out)
{
    value inverse;

    if (!invert(f, b, &inverse))
        return false;
    *out = sxt_field_mul(f, a, inverse);
    return true;
}

static bool int_power(const field *f, value a, int64_t n, value *out)
{
    value r = real(1);
    uint64_t m = n < 0 ? -(uint64_t)n : (uint64_t)n;

    if (n <= 0 && sxt_field_is_zero(a))
        return false;
    for (; m > 0; m >>= 1) {
        if (m & 1)
            r = sxt_field_mul(f, r, a);
        a = sxt_field_mul(f, a, a);
        *f->fuel -= 2;
    }
    *out = r;
    return n >= 0 || invert(f, r, out);
}

/* ---- roots ---- */

static bool is_square(const field *f, uint64_t a)
{
    return a == 0 || pow1(f, a, (f->p - 1) / 2) == 1;
}

/* The root that is a square itself: on squares a homomorphism. */
static uint64_t sqrt1(const field *f, uint64_t a)
{
    return pow1(f, a, (f->p + 1) / 4);
}

/* Some square root of a; false if it lies in a larger field. */
static bool square_root(const field *f, value a, value *out)
{
    if (a.im == 0) {
        bool real_root = is_square(f, a.re);
        uint64_t r = sqrt1(f, real_root ? a.re : neg1(f, a.re));
        *out = real_root ? real(r) : (value){ 0, r };
        return true;
    }
    uint64_t n = norm(f, a), half = (f->p + 1) / 2;
    if (!is_square(f, n))
        return false;
    uint64_t s = sqrt1(f, n), x2 = mul1(f, add1(f, a.re, s), half);
    if (!is_square(f, x2))
        x2 = mul1(f, add1(f, a.re, neg1(f, s)), half);
    uint64_t x = sqrt1(f, x2);
    value twice = real(add1(f, x, x)), y;
    if (!divide(f, real(a.im), twice, &y))
        return false;
    *out = (value){ x, y.re };
    return true;
}

/* The sign of a root whose sign means nothing, consistent by radicand. */
static value choose_sign(field *f, value radicand, value root)
{
    size_t k = 0;

    f->ambiguous = true;
    while (k < f->n_roots && !sxt_field_equal(f->root[k], radicand))
        k++;
    if (k == f->n_roots && k < SXT_FIELD_MAX_ROOTS)
        f->root[f->n_roots++] = radicand;
    return f->flip >> k & 1 ? negative(f, root) : root;
}

/* x with x k = 1 mod p - 1, k odd and below p. */
static uint64_t inverse_exponent(const field *f, uint64_t k)
{
    __int128 m = f->p - 1, a = k, b = m, x = 1, y = 0;

    while (b != 0) {
        __int128 q = a / b, t = a - q * b;
        a = b;
        b = t;
        t = x - q * y;
        x = y;
        y = t;
    }
    return (uint64_t)((x % m + m) % m);
}

/* sure: the radicand is a positive rational whose root has a sign here. */
static bool take_root(field *f, value a, int64_t k, bool sure, value *out)
{
    int64_t odd = k;

    if (k < 1 || k > 1000)
        return false;
    while (odd % 2 == 0)
        odd /= 2;
    if (odd > 1) {
        if (a.im != 0)
            return false;
        a = real(pow1(f, a.re, inverse_exponent(f, (uint64_t)odd)));
    }
    for (int64_t two = k / odd; two > 1; two /= 2) {
        value radicand = a;
        if (!square_root(f, radicand, &a))
            return false;
        if (!sure || a.im != 0)
            a = choose_sign(f, radicand, a);
    }
    *out = a;
    return true;
}

/* ---- exact values ---- */

static bool rational(const field *f, const struct sxt_math_node *n,
                     struct sxt_rational *x)
{
    return sxt_mathexact_rational(n, &f->point, f->fuel, x);
}

static bool is_integer(const field *f, const struct sxt_math_node *n,
                       int64_t *x)
{
    return sxt_mathexact_integer(n, &f->point, f->fuel, x);
}

/* ---- leaves ---- */

static value hashed(const field *f, const char *name)
{
    return real(sxt_mathpoint_bits(&(struct sxt_math_point){ f->p, 0 },
                                   sxt_span(name)) %
                f->p);
}

static value number(const field *f, struct sxt_span digits)
{
    uint64_t x = 0, scale = 1;
    bool behind_point = false;

    *f->fuel -= (long)digits.len;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] == '.') {
            behind_point = true;
            continue;
        }
        x = add1(f, mul1(f, x, 10), (uint64_t)(digits.data[i] - '0'));
        if (behind_point)
            scale = mul1(f, scale, 10);
    }
    return real(mul1(f, x, pow1(f, scale, f->p - 2)));
}

/* 0.3 and then 8 for ever is 0.3 + 8 / (10 (10 - 1)). */
static bool repeating(const field *f, const struct sxt_math_node *n, value *out)
{
    const char *point = memchr(n->text.data, '.', n->text.len);
    size_t places =
        point ? (size_t)(n->text.data + n->text.len - point) - 1 : 0;
    value nines = integer(f, -1);

    nines = add(f, nines, real(pow1(f, 10, n->child->text.len)));
    nines = sxt_field_mul(f, nines, real(pow1(f, 10, places)));
    if (!divide(f, number(f, n->child->text), nines, out))
        return false;
    *out = add(f, *out, number(f, n->text));
    return true;
}

static value name(const field *f, struct sxt_span text)
{
    if (sxt_span_equal(text, "i"))
        return (value){ 0, 1 };
    if (sxt_span_equal(text, "e"))
        return real(pow1(f, hashed(f, "e").re, UNIT));
    if (sxt_span_equal(text, "pi"))
        return hashed(f, "pi");
    if (f->point.names != SXT_NAMES_RESIDUES)
        return integer(f, sxt_mathpoint_integer(&f->point, text));
    uint64_t r = sxt_mathpoint_bits(&f->point, text) % f->p;
    return real(mul1(f, r, r));
}

static bool in_base(const field *f, const struct sxt_math_node *n, value *out)
{
    const struct sxt_math_node *digits = n->child, *base = digits->next;
    uint64_t x = 0;
    int64_t b;

    if ((digits->kind != SXT_MATH_NUMBER && digits->kind != SXT_MATH_TEXT) ||
        !is_integer(f, base, &b) || b < 2 || b > 36)
        return false;
    for (size_t i = 0; i < digits->text.len; i++) {
        char c = digits->text.data[i];
        int digit = c >= 'A' ? c - 'A' + 10 : c - '0';
        if (digit < 0 || digit >= b)
            return false;
        x = add1(f, mul1(f, x, (uint64_t)b), (uint64_t)digit);
    }
    *out = real(x);
    return true;
}

/* ---- functions ---- */

/* An element named by what stands here and the values of its parts. */
static bool opaque(field *f, const struct sxt_math_node *n, value *out)
{
    const struct sxt_math_node *c = n->child;
    uint64_t h = sxt_hash64(n->text.data, n->text.len, f->p + n->kind);

    for (size_t i = 0; i < n->count; i++, c = c->next) {
        value v;
        if (!sxt_field_eval(f, c, &v))
            return false;
        h = sxt_hash64_combine(h, v.re);
        h = sxt_hash64_combine(h, v.im);
    }
    *out = real(h % f->p);
    return true;
}

/* The same for f (-x) = sign f (x). */
static bool opaque_parity(field *f, const struct sxt_math_node *n, bool odd,
                          value *out)
{
    value v, minus;

    if (n->count != 1 || !sxt_field_eval(f, n->child, &v))
        return false;
    minus = negative(f, v);
    bool swap = minus.re < v.re || (minus.re == v.re && minus.im < v.im);
    value key = swap ? minus : v;
    uint64_t h = sxt_hash64(n->text.data, n->text.len, f->p);
    h = sxt_hash64_combine(sxt_hash64_combine(h, key.re), key.im);
    *out = real(sxt_field_is_zero(v) && odd ? 0 : h % f->p);
    if (swap && odd)
        *out = negative(f, *out);
    return true;
}

/* base^(UNIT x) for a rational x whose denominator divides UNIT. */
static bool unit_power(const field *f, uint64_t base, struct sxt_rational x,
                       value *out)
{
    int64_t n;

    if (UNIT % x.den != 0 || __builtin_mul_overflow(x.num, UNIT / x.den, &n))
        return false;
    return int_power(f, real(base), n, out);
}

/* e^(i pi x): a root of unity for multiples of 15 degrees. */
static bool half_turns(const field *f, struct sxt_rational x, value *out)
{
    if (12 % x.den != 0)
        return unit_power(f, hashed(f, "half turn").re, x, out);
    uint64_t r2 = sqrt1(f, 2), r6 = mul1(f, r2, sqrt1(f, 3));
    uint64_t quarter = pow1(f, 4, f->p - 2);
    value w = { mul1(f, add1(f, r6, r2), quarter),
                mul1(f, add1(f, r6, neg1(f, r2)), quarter) };
    return int_power(f, w, x.num % (2 * x.den) * (12 / x.den), out);
}

/* e^(i x) */
static bool turn(field *f, const struct sxt_math_node *arg, value *out)
{
    struct sxt_exact x;
    value a, b;

    if (!sxt_mathexact(arg, &f->point, f->fuel, &x) ||
        !unit_power(f, hashed(f, "turn").re, x.plain, &a) ||
        !half_turns(f, x.pi, &b))
        return false;
    *out = sxt_field_mul(f, a, b);
    return true;
}

/* From E = e^(ix), or e^x for the hyperbolic ones (then i is 1). */
static bool circular(field *f, value e, char kind, bool hyperbolic, value *out)
{
    value inverse, unit = hyperbolic ? real(1) : (value){ 0, 1 };

    if (!invert(f, e, &inverse))
        return false;
    value sine = sxt_field_sub(f, e, inverse), cosine = add(f, e, inverse);
    value two = real(2);
    switch (kind) {
    case 's':
        return divide(f, sine, sxt_field_mul(f, two, unit), out);
    case 'c':
        return divide(f, cosine, two, out);
    case 't':
        return divide(f, sine, sxt_field_mul(f, cosine, unit), out);
    case 'o': /* cot */
        return divide(f, sxt_field_mul(f, cosine, unit), sine, out);
    case 'e': /* sec */
        return divide(f, two, cosine, out);
    default: /* csc */
        return divide(f, sxt_field_mul(f, two, unit), sine, out);
    }
}

/* Functions of circles and hyperbolas, where their angle is known; others are
 * hashed. */
static bool trigonometric(field *f, const struct sxt_math_node *n, value *out)
{
    static const struct {
        const char *name;
        char kind;
        bool hyperbolic, odd;
    } table[] = {
        { "sin", 's', false, true },  { "cos", 'c', false, false },
        { "tan", 't', false, true },  { "cot", 'o', false, true },
        { "sec", 'e', false, false }, { "csc", 'k', false, true },
        { "sinh", 's', true, true },  { "cosh", 'c', true, false },
        { "tanh", 't', true, true },
    };
    struct sxt_rational x;
    value e;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!sxt_span_equal(n->text, table[i].name) || n->count != 1)
            continue;
        bool known = table[i].hyperbolic
                         ? rational(f, n->child, &x) &&
                               unit_power(f, hashed(f, "e").re, x, &e)
                         : turn(f, n->child, &e);
        if (!known)
            return opaque_parity(f, n, table[i].odd, out);
        return circular(f, e, table[i].kind, table[i].hyperbolic, out) ||
               opaque(f, n, out);
    }
    return opaque(f, n, out);
}

/* Sum of v log q over the primes q of n. */
static value log_integer(field *f, int64_t n)
{
    value sum = real(0);

    for (int64_t q = 2; n > 1; q++) {
        if (q > 65536 || q * q > n)
            q = n; /* a prime, or as good as one */
        for (; n % q == 0; n /= q)
            sum = add(f, sum, real(sxt_hash64(&q, sizeof(q), f->p) % f->p));
        --*f->fuel;
    }
    return sum;
}

static bool natural_log(field *f, const struct sxt_math_node *arg, value *out)
{
    struct sxt_rational x;
    value a, b;

    if (arg->kind == SXT_MATH_NAME && sxt_span_equal(arg->text, "e")) {
        *out = real(1);
        return true;
    }
    if (rational(f, arg, &x)) {
        if (x.num <= 0)
            return false;
        *out = sxt_field_sub(f, log_integer(f, x.num), log_integer(f, x.den));
        return true;
    }
    if ((arg->kind == SXT_MATH_POW || arg->kind == SXT_MATH_ROOT) &&
        natural_log(f, arg->child, &a) &&
        sxt_field_eval(f, arg->child->next, &b)) {
        *out = sxt_field_mul(f, a, b);
        return arg->kind == SXT_MATH_POW || divide(f, a, b, out);
    }
    struct sxt_math_node ln = { .kind = SXT_MATH_FUNCTION,
                                .count = 1,
                                .text = sxt_span("ln"),
                                .child = (struct sxt_math_node *)arg };
    return opaque(f, &ln, out);
}

/* log x without a base is an unknown multiple of ln x. */
static bool logarithm(field *f, const struct sxt_math_node *n, value *out)
{
    static const struct sxt_math_node ten = { .kind = SXT_MATH_NUMBER,
                                              .text = { "10", 2 } };
    const struct sxt_math_node *base = n->count > 1 ? n->child->next : NULL;
    value x, b;

    if (!natural_log(f, n->child, &x))
        return false;
    if (sxt_span_equal(n->text, "ln")) {
        *out = x;
        return n->count == 1;
    }
    if (sxt_span_equal(n->text, "lg"))
        base = &ten;
    if (!base) {
        *out = sxt_field_mul(f, x, hashed(f, "log"));
        return true;
    }
    return natural_log(f, base, &b) && divide(f, x, b, out);
}

/* An integer argument from 0 to MAX_FACTORIAL. */
static bool small_integer(field *f, const struct sxt_math_node *n, int64_t *out)
{
    return is_integer(f, n, out) && *out >= 0 && *out <= MAX_FACTORIAL;
}

static uint64_t factorial(field *f, int64_t n)
{
    uint64_t r = 1;

    for (int64_t k = 2; k <= n; k++)
        r = mul1(f, r, (uint64_t)k);
    *f->fuel -= n;
    return r;
}

static bool combinatorial(field *f, const struct sxt_math_node *n, value *out)
{
    int64_t a, b;

    if (!small_integer(f, n->child, &a))
        return opaque(f, n, out);
    if (n->count == 1) {
        *out = real(factorial(f, a));
        return true;
    }
    if (!small_integer(f, n->child->next, &b) || b > a)
        return opaque(f, n, out);
    uint64_t low = mul1(f, factorial(f, b), factorial(f, a - b));
    return divide(f, real(factorial(f, a)), real(low), out);
}

/* floor, ceil and abs of a known rational. */
static bool rounding(field *f, const struct sxt_math_node *n, value *out)
{
    struct sxt_rational x;

    if (!rational(f, n->child, &x))
        return sxt_span_equal(n->text, "abs") ? opaque_parity(f, n, false, out)
                                              : opaque(f, n, out);
    int64_t num = x.num, den = x.den;
    if (sxt_span_equal(n->text, "abs"))
        return divide(f, integer(f, num < 0 ? -num : num), integer(f, den),
                      out);
    bool up = sxt_span_equal(n->text, "ceil");
    int64_t q = num / den - (num % den < 0 && !up) + (num % den > 0 && up);
    *out = integer(f, q);
    return true;
}

static bool exponential(field *f, const struct sxt_math_node *arg, value *out)
{
    struct sxt_rational x;

    if (rational(f, arg, &x))
        return unit_power(f, hashed(f, "e").re, x, out);
    struct sxt_math_node exp = { .kind = SXT_MATH_FUNCTION,
                                 .count = 1,
                                 .text = sxt_span("exp"),
                                 .child = (struct sxt_math_node *)arg };
    return opaque(f, &exp, out);
}

static bool function(field *f, const struct sxt_math_node *n, value *out)
{
    static const char *const odd[] = { "arcsin", "arctan" };

    if (n->count == 0)
        return false;
    if (sxt_span_equal(n->text, "log") || sxt_span_equal(n->text, "ln") ||
        sxt_span_equal(n->text, "lg"))
        return logarithm(f, n, out);
    if (sxt_span_equal(n->text, "exp") && n->count == 1)
        return exponential(f, n->child, out);
    if ((sxt_span_equal(n->text, "factorial") && n->count == 1) ||
        (sxt_span_equal(n->text, "binom") && n->count == 2))
        return combinatorial(f, n, out);
    if (n->count == 1 &&
        (sxt_span_equal(n->text, "floor") || sxt_span_equal(n->text, "ceil") ||
         sxt_span_equal(n->text, "abs")))
        return rounding(f, n, out);
    for (size_t i = 0; i < 2; i++)
        if (sxt_span_equal(n->text, odd[i]))
            return opaque_parity(f, n, true, out);
    return trigonometric(f, n, out);
}

/* ---- expressions ---- */

/* Nothing is left of n without its factors up to 73. */
static bool smooth(int64_t n)
{
    for (int64_t q = 2; q <= 73; q++)
        while (n % q == 0)
            n /= q;
    return n == 1;
}

/* Positive, and a product of squares of the field: its root has a sign. */
static bool surely_square(const field *f, const struct sxt_math_node *n)
{
    struct sxt_rational x;

    return (n->kind == SXT_MATH_NAME && !sxt_mathpoint_is_constant(n->text)) ||
           (rational(f, n, &x) && x.num > 0 && smooth(x.num) && smooth(x.den));
}

static bool power(field *f, const struct sxt_math_node *n, value *out)
{
    const struct sxt_math_node *base = n->child, *exponent = base->next;
    struct sxt_rational x;
    value a;

    if (base->kind == SXT_MATH_NAME && sxt_span_equal(base->text, "e"))
        return exponential(f, exponent, out);
    if (!rational(f, exponent, &x))
        return opaque(f, n, out);
    if (!sxt_field_eval(f, base, &a))
        return false;
    if (x.den > 1 && !take_root(f, a, x.den, surely_square(f, base), &a))
        return false;
    return int_power(f, a, x.num, out);
}

static bool root(field *f, const struct sxt_math_node *n, value *out)
{
    int64_t k;
    value a;

    if (!is_integer(f, n->child->next, &k))
        return opaque(f, n, out);
    return sxt_field_eval(f, n->child, &a) &&
           take_root(f, a, k, surely_square(f, n->child), out);
}

static bool arithmetic(field *f, const struct sxt_math_node *n, value *out)
{
    value a, b;

    if (!sxt_field_eval(f, n->child, &a) ||
        (n->count > 1 && !sxt_field_eval(f, n->child->next, &b)))
        return false;
    switch (n->kind) {
    case SXT_MATH_NEG:
        *out = negative(f, a);
        return true;
    case SXT_MATH_ADD:
        *out = add(f, a, b);
        return true;
    case SXT_MATH_SUB:
        *out = sxt_field_sub(f, a, b);
        return true;
    case SXT_MATH_MUL:
        *out = sxt_field_mul(f, a, b);
        return true;
    case SXT_MATH_DEGREE:
        a = sxt_field_mul(f, a, hashed(f, "pi"));
        return divide(f, a, real(180), out);
    case SXT_MATH_PERCENT:
        return divide(f, a, real(100), out);
    default:
        return n->count == 2 && divide(f, a, b, out); /* DIV, RATIO */
    }
}

static bool eval(field *f, const struct sxt_math_node *n, value *out)
{
    switch (n->kind) {
    case SXT_MATH_NUMBER:
        *out = number(f, n->text);
        return true;
    case SXT_MATH_REPEATING:
        return repeating(f, n, out);
    case SXT_MATH_NAME:
        *out = name(f, n->text);
        return true;
    case SXT_MATH_NEG:
    case SXT_MATH_ADD:
    case SXT_MATH_SUB:
    case SXT_MATH_MUL:
    case SXT_MATH_DIV:
    case SXT_MATH_DEGREE:
    case SXT_MATH_PERCENT:
    case SXT_MATH_RATIO:
        return arithmetic(f, n, out);
    case SXT_MATH_POW:
        return power(f, n, out);
    case SXT_MATH_ROOT:
        return root(f, n, out);
    case SXT_MATH_FUNCTION:
        return function(f, n, out);
    case SXT_MATH_BASE:
        return in_base(f, n, out);
    case SXT_MATH_RELATION: /* the bounds of a sum */
    case SXT_MATH_MATRIX:
        return opaque(f, n, out);
    default:
        return false;
    }
}

/* What fails, fails for good: a rule that tries another way round, as those of
 * logarithms do, would visit a tower of them 2^height times. */
bool sxt_field_eval(field *f, const struct sxt_math_node *n, value *out)
{
    f->undefined = f->undefined || --*f->fuel < 0 || !eval(f, n, out);
    return !f->undefined;
}
