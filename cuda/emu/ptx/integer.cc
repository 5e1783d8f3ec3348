/* integer.cc - instructions on integers, bits and predicates; moves. */
#include "cuda/emu/ptx/lanes.h"

namespace ptx
{

/* Sums and products wrap: they are those of the unsigned type. */
template <class T> static T sub(T a, T b)
{
    return (T)(a - b);
}
template <class T> static T mul_low(T a, T b)
{
    return (T)((u64)a * (u64)b);
}
template <class T> static T mad_low(T a, T b, T c)
{
    return (T)((u64)a * (u64)b + (u64)c);
}
template <class T, class W> static W mul_wide(T a, T b)
{
    return (W)((W)a * (W)b);
}
template <class T, class W> static W mad_wide(T a, T b, W c)
{
    return (W)((u64)((W)a * (W)b) + (u64)c);
}
template <class T, class W> static T mul_high(T a, T b)
{
    return (T)((W)a * (W)b >> 8 * sizeof(T));
}
static u64 mul_high_u64(u64 a, u64 b)
{
    return (u64)((unsigned __int128)a * b >> 64);
}
/* What a division by nought gives is not defined: all ones, as GPUs do. */
template <class T> static T quotient(T a, T b)
{
    return b == 0 ? (T)-1 : b == (T)-1 && (T)-1 < 0 ? (T)(0 - (u64)a) : a / b;
}
template <class T> static T remainder(T a, T b)
{
    return b == 0 ? a : b == (T)-1 && (T)-1 < 0 ? 0 : a % b;
}
template <class T> static T negative(T a)
{
    return (T)(0 - (u64)a);
}
template <class T> static T magnitude(T a)
{
    return a < 0 ? (T)(0 - (u64)a) : a;
}

/* ---- bits; a shift by the width or more shifts all out ---- */

template <class T> static T differ(T a, T b)
{
    return a ^ b;
}
template <class T> static T inverse(T a)
{
    return (T)~a;
}
static bool inverse_bit(bool a)
{
    return !a;
}
template <class T> static T shift_left(T a, u32 n)
{
    return n < 8 * sizeof(T) ? (T)(a << n) : 0;
}
template <class T> static T shift_right(T a, u32 n)
{
    u32 most = 8 * (u32)sizeof(T) - 1;

    return n <= most ? (T)(a >> n) : a < 0 ? (T)-1 : 0;
}
static u32 funnel_left(u32 low, u32 high, u32 n)
{
    return (u32)(((u64)high << 32 | low) << (n & 31) >> 32);
}
static u32 funnel_right(u32 low, u32 high, u32 n)
{
    return (u32)(((u64)high << 32 | low) >> (n & 31));
}
template <class T> static T insert(T a, T b, u32 at, u32 n)
{
    u32 width = 8 * sizeof(T);
    T ones = (n &= 255) >= width ? (T)-1 : (T)(((T)1 << n) - 1);

    if ((at &= 255) >= width)
        return b;
    return (T)((b & ~(T)(ones << at)) | (T)((a & ones) << at));
}
static u32 extract_u32(u32 a, u32 at, u32 n)
{
    at &= 255;
    n &= 255;
    return at > 31 ? 0 : a >> at & (n > 31 ? 0xffffffffu : (1u << n) - 1);
}
static s32 extract_s32(s32 a, u32 at, u32 n)
{
    at &= 255;
    n &= 255;
    if (n == 0)
        return 0;
    u32 top = at + n - 1 > 31 ? 31 : at + n - 1;
    s64 shifted = (s64)((u64)(s64)a << (63 - top)) >> (63 - top);
    return (s32)(shifted >> (at > 31 ? 31 : at));
}
static u32 permute(u32 a, u32 b, u32 choice)
{
    u64 all = (u64)b << 32 | a;
    u32 d = 0;

    for (u32 k = 0; k < 4; k++) {
        u32 c = choice >> 4 * k;
        u32 byte = (u32)(all >> 8 * (c & 7)) & 255;
        if (c & 8)
            byte = byte & 128 ? 255 : 0;
        d |= byte << 8 * k;
    }
    return d;
}
static u32 lookup(u32 a, u32 b, u32 c, u32 table)
{
    u32 d = 0;

    for (u32 k = 0; k < 8; k++)
        if (table >> k & 1)
            d |= (k & 4 ? a : ~a) & (k & 2 ? b : ~b) & (k & 1 ? c : ~c);
    return d;
}
static u32 count_u32(u32 a)
{
    return (u32)__builtin_popcount(a);
}
static u32 count_u64(u64 a)
{
    return (u32)__builtin_popcountll(a);
}
static u32 leading_u32(u32 a)
{
    return a ? (u32)__builtin_clz(a) : 32;
}
static u32 leading_u64(u64 a)
{
    return a ? (u32)__builtin_clzll(a) : 64;
}
static u32 reversed(u32 a)
{
    u32 d = 0;

    for (u32 k = 0; k < 32; k++)
        d |= (a >> k & 1) << (31 - k);
    return d;
}

/* ---- comparing, choosing, moving ---- */

template <class T> static bool ne(T a, T b)
{
    return a != b;
}
template <class T> static T choose(T a, T b, bool first)
{
    return first ? a : b;
}
template <class T> static T same(T a)
{
    return a;
}

/* mov of a register to its halves and back; {0, half} makes an f32 of a
 * bf16. */
template <class W, class H> static void halve(warp &w, const insn &i, u32 mask)
{
    each(mask, [&](u32 lane) {
        W x = get<W>(w, i.slot[2], lane);
        put<H>(w, i.slot[0], lane, (H)x);
        put<H>(w, i.slot[1], lane, (H)(x >> 8 * sizeof(H)));
    });
}
template <class W, class H> static void join(warp &w, const insn &i, u32 mask)
{
    each(mask, [&](u32 lane) {
        W low = get<H>(w, i.slot[1], lane), high = get<H>(w, i.slot[2], lane);
        put<W>(w, i.slot[0], lane, (W)(high << 8 * sizeof(H) | low));
    });
}

template <class T>
static void compare_rows(std::vector<op> &t, const char *type)
{
    static const struct {
        const char *name;
        op (*make)(const char *, kind);
    } all[] = {
        { "eq", row<eq<T>> }, { "ne", row<ne<T>> }, { "lt", row<lt<T>> },
        { "le", row<le<T>> }, { "gt", row<gt<T>> }, { "ge", row<ge<T>> },
    };

    for (auto &a : all)
        t.push_back(a.make((std::string("setp.") + a.name + "." + type).c_str(),
                           INTEGER));
}

/* What exists for each of u16, u32, u64 and their signed twins. */
template <class U, class S>
static void sized_rows(std::vector<op> &t, const std::string &width)
{
    const struct {
        const char *name;
        op (*make)(const char *, kind);
    } all[] = {
        { "add.u", row<add<U>> },         { "add.s", row<add<U>> },
        { "sub.u", row<sub<U>> },         { "sub.s", row<sub<U>> },
        { "mul.lo.u", row<mul_low<U>> },  { "mul.lo.s", row<mul_low<U>> },
        { "mad.lo.u", row<mad_low<U>> },  { "mad.lo.s", row<mad_low<U>> },
        { "div.u", row<quotient<U>> },    { "div.s", row<quotient<S>> },
        { "rem.u", row<remainder<U>> },   { "rem.s", row<remainder<S>> },
        { "min.u", row<smaller<U>> },     { "min.s", row<smaller<S>> },
        { "max.u", row<larger<U>> },      { "max.s", row<larger<S>> },
        { "neg.s", row<negative<U>> },    { "abs.s", row<magnitude<S>> },
        { "and.b", row<both<U>> },        { "or.b", row<either<U>> },
        { "xor.b", row<differ<U>> },      { "not.b", row<inverse<U>> },
        { "shl.b", row<shift_left<U>> },  { "shr.b", row<shift_right<U>> },
        { "shr.u", row<shift_right<U>> }, { "shr.s", row<shift_right<S>> },
        { "selp.b", row<choose<U>> },     { "selp.u", row<choose<U>> },
        { "selp.s", row<choose<U>> },     { "mov.b", row<same<U>> },
        { "mov.u", row<same<U>> },        { "mov.s", row<same<U>> },
    };

    for (auto &a : all)
        t.push_back(a.make((a.name + width).c_str(), INTEGER));
    compare_rows<U>(t, ("u" + width).c_str());
    compare_rows<U>(t, ("b" + width).c_str());
    compare_rows<S>(t, ("s" + width).c_str());
}

std::vector<op> integer_ops()
{
    std::vector<op> t = {
        row<mul_wide<u16, u32>>("mul.wide.u16", INTEGER),
        row<mul_wide<s16, s32>>("mul.wide.s16", INTEGER),
        row<mul_wide<u32, u64>>("mul.wide.u32", INTEGER),
        row<mul_wide<s32, s64>>("mul.wide.s32", INTEGER),
        row<mad_wide<u32, u64>>("mad.wide.u32", INTEGER),
        row<mad_wide<s32, s64>>("mad.wide.s32", INTEGER),
        row<mul_high<u32, u64>>("mul.hi.u32", INTEGER),
        row<mul_high<s32, s64>>("mul.hi.s32", INTEGER),
        row<mul_high_u64>("mul.hi.u64", INTEGER),
        row<both<bool>>("and.pred", INTEGER),
        row<either<bool>>("or.pred", INTEGER),
        row<differ<bool>>("xor.pred", INTEGER),
        row<inverse_bit>("not.pred", INTEGER),
        row<same<bool>>("mov.pred", INTEGER),
        row<funnel_left>("shf.l.wrap.b32", INTEGER),
        row<funnel_right>("shf.r.wrap.b32", INTEGER),
        row<insert<u32>>("bfi.b32", INTEGER),
        row<insert<u64>>("bfi.b64", INTEGER),
        row<extract_u32>("bfe.u32", INTEGER),
        row<extract_s32>("bfe.s32", INTEGER),
        row<permute>("prmt.b32", INTEGER),
        row<lookup>("lop3.b32", INTEGER),
        row<count_u32>("popc.b32", INTEGER),
        row<count_u64>("popc.b64", INTEGER),
        row<leading_u32>("clz.b32", INTEGER),
        row<leading_u64>("clz.b64", INTEGER),
        row<reversed>("brev.b32", INTEGER),
        row<same<u32>>("mov.f32", INTEGER),
        row<same<u64>>("mov.f64", INTEGER),
        row<choose<u32>>("selp.f32", INTEGER),
        row<choose<u64>>("selp.f64", INTEGER),
        row<same<u64>>("cvta.to.global.u64", INTEGER),
        { "mov.b32", "w2w", INTEGER, halve<u32, u16>, NULL },
        { "mov.b64", "w2l", INTEGER, halve<u64, u32>, NULL },
        { "mov.b32", "ww2", INTEGER, join<u32, u16>, NULL },
        { "mov.b64", "lw2", INTEGER, join<u64, u32>, NULL },
    };

    sized_rows<u16, s16>(t, "16");
    sized_rows<u32, s32>(t, "32");
    sized_rows<u64, s64>(t, "64");
    return t;
}

} // namespace ptx
