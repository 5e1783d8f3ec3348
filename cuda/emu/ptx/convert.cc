/* convert.cc - cvt: between integers of all widths, f32, f64 and bf16. */
#include <math.h>

#include <limits>

#include "cuda/emu/ptx/lanes.h"

namespace ptx
{

template <class D, class S> static D change(S x)
{
    return (D)x;
}

static double toward_zero(double x)
{
    return trunc(x);
}
static double to_even(double x)
{
    return nearbyint(x);
}
static double down(double x)
{
    return floor(x);
}
static double up(double x)
{
    return ceil(x);
}

/* To an integer: what does not fit is the nearest that does. */
template <class D, class S, double (*ROUND)(double)> static D whole(S x)
{
    const D most = std::numeric_limits<D>::max();
    const D least = std::numeric_limits<D>::min();

    if (x != x)
        return sizeof(D) < 8 && sizeof(S) < 8
                   ? (D)0
                   : (D)((D)1 << (8 * sizeof(D) - 1));
    double y = ROUND((double)x);
    return y >= (double)most ? most : y <= (double)least ? least : (D)y;
}

/* To a whole number of the same type. */
template <class T, double (*ROUND)(double)> static T integral(T x)
{
    return (T)ROUND((double)x);
}

template <class T> static T saturate(T x)
{
    return x > 1 ? (T)1 : x > 0 ? x : (T)0;
}

static u16 to_bf16(float x)
{
    u32 u;

    memcpy(&u, &x, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return 0x7fff; /* the only NaN */
    return (u16)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}
static u32 to_bf16x2(float upper, float lower)
{
    return (u32)to_bf16(upper) << 16 | to_bf16(lower);
}
static float from_bf16(u16 x)
{
    u32 u = (u32)x << 16;
    float y;

    memcpy(&y, &u, 4);
    return y;
}

template <class D, class S>
static void change_row(std::vector<op> &t, const char *to, const char *from)
{
    t.push_back(row<change<D, S>>(
        (std::string("cvt.") + to + "." + from).c_str(), CONVERT));
}

/* From S to every integer. */
template <class S> static void from_rows(std::vector<op> &t, const char *from)
{
    change_row<u8, S>(t, "u8", from);
    change_row<s8, S>(t, "s8", from);
    change_row<u16, S>(t, "u16", from);
    change_row<s16, S>(t, "s16", from);
    change_row<u32, S>(t, "u32", from);
    change_row<s32, S>(t, "s32", from);
    change_row<u64, S>(t, "u64", from);
    change_row<s64, S>(t, "s64", from);
    change_row<float, S>(t, "rn.f32", from);
    change_row<double, S>(t, "rn.f64", from);
}

template <class D, class S>
static void whole_rows(std::vector<op> &t, const std::string &types)
{
    const struct {
        const char *name;
        op (*make)(const char *, kind);
    } all[] = {
        { "cvt.rzi.", row<whole<D, S, toward_zero>> },
        { "cvt.rni.", row<whole<D, S, to_even>> },
        { "cvt.rmi.", row<whole<D, S, down>> },
        { "cvt.rpi.", row<whole<D, S, up>> },
    };

    for (auto &a : all)
        t.push_back(a.make((a.name + types).c_str(), CONVERT));
}

template <class T>
static void float_rows(std::vector<op> &t, const std::string &type)
{
    const struct {
        const char *name;
        op (*make)(const char *, kind);
    } all[] = {
        { "cvt.rzi.", row<integral<T, toward_zero>> },
        { "cvt.rni.", row<integral<T, to_even>> },
        { "cvt.rmi.", row<integral<T, down>> },
        { "cvt.rpi.", row<integral<T, up>> },
        { "cvt.sat.", row<saturate<T>> },
    };

    for (auto &a : all)
        t.push_back(a.make((a.name + type + "." + type).c_str(), CONVERT));
    whole_rows<s32, T>(t, "s32." + type);
    whole_rows<u32, T>(t, "u32." + type);
    whole_rows<s64, T>(t, "s64." + type);
    whole_rows<u64, T>(t, "u64." + type);
}

std::vector<op> convert_ops()
{
    std::vector<op> t = {
        row<change<double, float>>("cvt.f64.f32", CONVERT),
        row<change<float, double>>("cvt.rn.f32.f64", CONVERT),
        row<to_bf16>("cvt.rn.bf16.f32", CONVERT),
        row<to_bf16x2>("cvt.rn.bf16x2.f32", CONVERT),
        row<from_bf16>("cvt.f32.bf16", CONVERT),
    };

    from_rows<u8>(t, "u8");
    from_rows<s8>(t, "s8");
    from_rows<u16>(t, "u16");
    from_rows<s16>(t, "s16");
    from_rows<u32>(t, "u32");
    from_rows<s32>(t, "s32");
    from_rows<u64>(t, "u64");
    from_rows<s64>(t, "s64");
    float_rows<float>(t, "f32");
    float_rows<double>(t, "f64");
    return t;
}

} // namespace ptx
