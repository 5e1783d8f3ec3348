/* float.cc - instructions on f32 and f64.
 *
 * Results are rounded as they say.  The approximations of a GPU are computed
 * as exactly as the host can: tests must allow for theirs. */
#include <fenv.h>
#include <math.h>

#include "cuda/emu/ptx/lanes.h"

namespace ptx
{

template <class T> static T sub(T a, T b)
{
    return a - b;
}
template <class T> static T mul(T a, T b)
{
    return a * b;
}
template <class T> static T quotient(T a, T b)
{
    return a / b;
}
template <class T> static T reciprocal(T a)
{
    return 1 / a;
}
static float fma32(float a, float b, float c)
{
    return fmaf(a, b, c);
}
static double fma64(double a, double b, double c)
{
    return fma(a, b, c);
}
/* Rounded down, up or towards nought. */
template <int MODE> static void fma_towards(warp &w, const insn &i, u32 mask)
{
    int mode = fegetround();

    fesetround(MODE);
    for (; mask; mask &= mask - 1) {
        u32 lane = (u32)__builtin_ctz(mask);
        volatile float d =
            fmaf(get<float>(w, i.slot[1], lane), get<float>(w, i.slot[2], lane),
                 get<float>(w, i.slot[3], lane));
        put<float>(w, i.slot[0], lane, d);
    }
    fesetround(mode);
}
template <class T> static T root(T a)
{
    return (T)sqrt(a);
}
template <class T> static T inverse_root(T a)
{
    return (T)(1 / sqrt((double)a));
}
template <class T> static T negative(T a)
{
    return -a;
}
template <class T> static T magnitude(T a)
{
    return a < 0 || (a == 0 && signbit(a)) ? -a : a;
}
/* Of a number and NaN the number; -0 is less than +0. */
template <class T> static T minimum(T a, T b)
{
    if (a != a || b != b)
        return a != a ? b : a;
    return a < b || (a == b && signbit(a)) ? a : b;
}
template <class T> static T maximum(T a, T b)
{
    if (a != a || b != b)
        return a != a ? b : a;
    return a > b || (a == b && !signbit(a)) ? a : b;
}

/* ---- approximations; ftz: what is subnormal is nought ---- */

static float flush(float x)
{
    return fabsf(x) < 1.17549435e-38f ? copysignf(0, x) : x;
}
static float exp2_near(float a)
{
    return exp2f(a);
}
static float exp2_flush(float a)
{
    return flush(exp2f(flush(a)));
}
static float log2_near(float a)
{
    return log2f(a);
}
static float sin_near(float a)
{
    return sinf(a);
}
static float cos_near(float a)
{
    return cosf(a);
}
static float tanh_near(float a)
{
    return tanhf(a);
}
static double reciprocal_upper(double a)
{
    double d = 1 / a;
    u64 bits;

    memcpy(&bits, &d, 8); /* the lower word of the result is nought */
    bits &= 0xffffffff00000000u;
    memcpy(&d, &bits, 8);
    return d;
}

/* ---- comparing: ordered ones are false with NaN, the others true ---- */

template <class T> static bool ne(T a, T b)
{
    return a < b || a > b;
}
template <class T> static bool equ(T a, T b)
{
    return !ne(a, b);
}
template <class T> static bool neu(T a, T b)
{
    return a != b;
}
template <class T> static bool ltu(T a, T b)
{
    return !(a >= b);
}
template <class T> static bool leu(T a, T b)
{
    return !(a > b);
}
template <class T> static bool gtu(T a, T b)
{
    return !(a <= b);
}
template <class T> static bool geu(T a, T b)
{
    return !(a < b);
}
template <class T> static bool num(T a, T b)
{
    return a == a && b == b;
}
template <class T> static bool nan(T a, T b)
{
    return a != a || b != b;
}

template <class T>
static void typed_rows(std::vector<op> &t, const std::string &type, kind what)
{
    const struct {
        const char *name;
        op (*make)(const char *, kind);
    } all[] = {
        { "add.rn.", row<add<T>> },      { "add.", row<add<T>> },
        { "sub.rn.", row<sub<T>> },      { "sub.", row<sub<T>> },
        { "mul.rn.", row<mul<T>> },      { "mul.", row<mul<T>> },
        { "div.rn.", row<quotient<T>> }, { "rcp.rn.", row<reciprocal<T>> },
        { "sqrt.rn.", row<root<T>> },    { "neg.", row<negative<T>> },
        { "abs.", row<magnitude<T>> },   { "min.", row<minimum<T>> },
        { "max.", row<maximum<T>> },     { "setp.eq.", row<eq<T>> },
        { "setp.ne.", row<ne<T>> },      { "setp.lt.", row<lt<T>> },
        { "setp.le.", row<le<T>> },      { "setp.gt.", row<gt<T>> },
        { "setp.ge.", row<ge<T>> },      { "setp.equ.", row<equ<T>> },
        { "setp.neu.", row<neu<T>> },    { "setp.ltu.", row<ltu<T>> },
        { "setp.leu.", row<leu<T>> },    { "setp.gtu.", row<gtu<T>> },
        { "setp.geu.", row<geu<T>> },    { "setp.num.", row<num<T>> },
        { "setp.nan.", row<nan<T>> },
    };

    for (auto &a : all)
        t.push_back(a.make((a.name + type).c_str(), what));
}

std::vector<op> float_ops()
{
    std::vector<op> t = {
        row<fma32>("fma.rn.f32", FLOAT),
        row<fma64>("fma.rn.f64", DOUBLE),
        { "fma.rm.f32", "wwww", FLOAT, fma_towards<FE_DOWNWARD>, NULL },
        { "fma.rp.f32", "wwww", FLOAT, fma_towards<FE_UPWARD>, NULL },
        { "fma.rz.f32", "wwww", FLOAT, fma_towards<FE_TOWARDZERO>, NULL },
        row<exp2_near>("ex2.approx.f32", FLOAT),
        row<exp2_flush>("ex2.approx.ftz.f32", FLOAT),
        row<log2_near>("lg2.approx.f32", FLOAT),
        row<sin_near>("sin.approx.f32", FLOAT),
        row<cos_near>("cos.approx.f32", FLOAT),
        row<tanh_near>("tanh.approx.f32", FLOAT),
        row<reciprocal<float>>("rcp.approx.f32", FLOAT),
        row<reciprocal_upper>("rcp.approx.ftz.f64", DOUBLE),
        row<quotient<float>>("div.approx.f32", FLOAT),
        row<quotient<float>>("div.full.f32", FLOAT),
        row<root<float>>("sqrt.approx.f32", FLOAT),
        row<inverse_root<float>>("rsqrt.approx.f32", FLOAT),
        row<inverse_root<double>>("rsqrt.approx.f64", DOUBLE),
    };

    typed_rows<float>(t, "f32", FLOAT);
    typed_rows<double>(t, "f64", DOUBLE);
    return t;
}

} // namespace ptx
