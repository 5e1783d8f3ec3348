/* warp.cc - what the lanes of a warp do together: shuffles, votes, matrix loads
 * and products on tensor cores. */
#include "cuda/emu/ptx/lanes.h"
#include "cuda/emu/ptx/report.h"

namespace ptx
{

static u32 whole_warp(const warp &, const insn &, u32)
{
    return 0xffffffffu;
}

/* The last operand is the mask of lanes that meet. */
static u32 member_mask(const warp &w, const insn &i, u32 lane)
{
    return word(w, i.slot[i.n - 1], lane) & w.lanes;
}

static void nothing(warp &, const insn &, u32)
{
}

/* ---- shuffles ---- */

enum way { UP, DOWN, BUTTERFLY, INDEX };

/* The lane from which `lane` takes; *inside: it is in its segment. */
template <way W> static u32 source(u32 lane, u32 b, u32 c, bool *inside)
{
    u32 segment = c >> 8 & 31, clamp = c & 31;
    u32 least = lane & segment, most = least | (clamp & ~segment);
    s32 from = W == UP          ? (s32)(lane - (b & 31))
               : W == DOWN      ? (s32)(lane + (b & 31))
               : W == BUTTERFLY ? (s32)(lane ^ (b & 31))
                                : (s32)(least | ((b & 31) & ~segment));

    *inside = W == UP ? from >= (s32)most : from <= (s32)most;
    return *inside ? (u32)from : lane;
}

/* shfl d, a, b, c, mask or, with a predicate, d|p, ... */
template <way W> static void shuffle(warp &w, const insn &i, u32 mask)
{
    u32 a = i.n - 4, values[LANES], yes = 0;

    for (u32 lane = 0; lane < LANES; lane++)
        values[lane] = word(w, i.slot[a], lane);
    for (u32 m = mask; m; m &= m - 1) {
        u32 lane = (u32)__builtin_ctz(m);
        bool inside;
        u32 from = source<W>(lane, word(w, i.slot[a + 1], lane),
                             word(w, i.slot[a + 2], lane), &inside);
        if (!(mask >> from & 1))
            fail(w, i, lane, "takes from lane %u, which takes no part", from);
        word(w, i.slot[0], lane) = values[from];
        yes |= (u32)inside << lane;
    }
    if (i.n == 6)
        bits(w, i.slot[1]) = (bits(w, i.slot[1]) & ~mask) | yes;
}

/* ---- votes ---- */

static void ballot(warp &w, const insn &i, u32 mask)
{
    u32 yes = bits(w, i.slot[1]) & mask;

    each(mask, [&](u32 lane) { word(w, i.slot[0], lane) = yes; });
}

static void decide(warp &w, const insn &i, u32 mask, bool yes)
{
    u32 &d = bits(w, i.slot[0]);

    d = yes ? d | mask : d & ~mask;
}
static void any(warp &w, const insn &i, u32 mask)
{
    decide(w, i, mask, (bits(w, i.slot[1]) & mask) != 0);
}
static void all(warp &w, const insn &i, u32 mask)
{
    decide(w, i, mask, (bits(w, i.slot[1]) & mask) == mask);
}

static void active_mask(warp &w, const insn &i, u32 mask)
{
    each(mask, [&](u32 lane) { word(w, i.slot[0], lane) = mask; });
}

template <class T> static void match_any(warp &w, const insn &i, u32 mask)
{
    for (u32 m = mask; m; m &= m - 1) {
        u32 lane = (u32)__builtin_ctz(m), equal = 0;
        for (u32 o = mask; o; o &= o - 1) {
            u32 other = (u32)__builtin_ctz(o);
            equal |=
                (u32)(get<T>(w, i.slot[1], lane) == get<T>(w, i.slot[1], other))
                << other;
        }
        word(w, i.slot[0], lane) = equal;
    }
}

template <class T, T (*F)(T, T)>
static void reduce(warp &w, const insn &i, u32 mask)
{
    T x = get<T>(w, i.slot[1], (u32)__builtin_ctz(mask));

    for (u32 m = mask & (mask - 1); m; m &= m - 1)
        x = F(x, get<T>(w, i.slot[1], (u32)__builtin_ctz(m)));
    each(mask, [&](u32 lane) { put<T>(w, i.slot[0], lane, x); });
}

/* ---- tensor cores ---- */

/* Lane i gives the row i % 8 of matrix i / 8; element (r, c) goes to lane
 * 4 r + c / 2, transposed to 4 c + r / 2. */
template <u32 MATRICES, bool TRANSPOSED>
static void load_matrices(warp &w, const insn &i, u32)
{
    const char *row[LANES];
    request r = { (u32)((1ull << MATRICES * 8) - 1), 16, {} };

    for (u32 lane = 0; lane < MATRICES * 8; lane++) {
        r.at[lane] = address(w, i.at[0], lane);
        row[lane] = shared_at(w, i, lane, r.at[lane], 16);
    }
    if (is_counting)
        count_shared(w, i, r);
    for (u32 m = 0; m < MATRICES; m++)
        for (u32 lane = 0; lane < LANES; lane++) {
            u32 g = lane / 4, t = lane % 4, x;
            u16 half[2];
            for (u32 k = 0; k < 2; k++)
                memcpy(&half[k],
                       TRANSPOSED ? row[8 * m + 2 * t + k] + 2 * g
                                  : row[8 * m + g] + 4 * t + 2 * k,
                       2);
            memcpy(&x, half, 4);
            word(w, i.slot[m], lane) = x;
        }
}

static double half_of(u32 two, u32 upper)
{
    u32 bits = upper ? two & 0xffff0000u : two << 16;
    float x;

    memcpy(&x, &bits, 4);
    return x;
}

/* d = a b + c, summed in f64 and rounded once, as emu/mma.h does. */
static void product_bf16(warp &w, const insn &i, u32)
{
    double a[16][16], b[16][8], sum[16][8];

    for (u32 lane = 0; lane < LANES; lane++) {
        u32 g = lane / 4, t = lane % 4;
        for (u32 k = 0; k < 8; k++)
            a[g + k / 2 % 2 * 8][2 * t + k / 4 * 8 + k % 2] =
                half_of(word(w, i.slot[4 + k / 2], lane), k % 2);
        for (u32 k = 0; k < 4; k++)
            b[2 * t + k / 2 * 8 + k % 2][g] =
                half_of(word(w, i.slot[8 + k / 2], lane), k % 2);
        for (u32 k = 0; k < 4; k++)
            sum[g + k / 2 * 8][2 * t + k % 2] =
                get<float>(w, i.slot[10 + k], lane);
    }
    for (u32 r = 0; r < 16; r++)
        for (u32 k = 0; k < 16; k++)
            for (u32 c = 0; c < 8; c++)
                sum[r][c] += a[r][k] * b[k][c];
    for (u32 lane = 0; lane < LANES; lane++)
        for (u32 k = 0; k < 4; k++)
            put<float>(w, i.slot[k], lane,
                       (float)sum[lane / 4 + k / 2 * 8][lane % 4 * 2 + k % 2]);
}

/* ---- barriers: the block's scheduler does the rest ---- */

static u32 existing(const warp &w, const insn &, u32)
{
    return w.lanes;
}

static void arrive(warp &w, const insn &i, u32 mask)
{
    w.now = AT_BARRIER;
    w.vote = i.n == 3 ? (u32)__builtin_popcount(bits(w, i.slot[2]) & mask) : 0;
}

/* ---- the table ---- */

template <way W> static void shuffle_rows(std::vector<op> &t, const char *name)
{
    t.push_back({ name, "wwwww", CONTROL, shuffle<W>, member_mask });
    t.push_back({ name, "wpwwww", CONTROL, shuffle<W>, member_mask });
}

template <u32 N> static void matrix_rows(std::vector<op> &t)
{
    std::string n = std::to_string(N);
    std::string to = N == 1 ? "wm" : "w" + n + "m";
    std::string name = "ldmatrix.sync.aligned.m8n8.x" + n;

    t.push_back({ name + ".shared.b16", to, MEMORY, load_matrices<N, false>,
                  whole_warp });
    t.push_back({ name + ".trans.shared.b16", to, MEMORY,
                  load_matrices<N, true>, whole_warp });
}

std::vector<op> warp_ops()
{
    std::vector<op> t = {
        { "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", "w4w4w2w4",
          TENSOR, product_bf16, whole_warp },
        { "bar.warp.sync", "w", CONTROL, nothing, member_mask },
        { "bar.sync", "w", CONTROL, arrive, existing },
        { "barrier.sync", "w", CONTROL, arrive, existing },
        { "bar.red.popc.u32", "wwp", CONTROL, arrive, existing },
        { "bar.red.and.pred", "pwp", CONTROL, arrive, existing },
        { "bar.red.or.pred", "pwp", CONTROL, arrive, existing },
        { "vote.sync.ballot.b32", "wpw", CONTROL, ballot, member_mask },
        { "vote.sync.any.pred", "ppw", CONTROL, any, member_mask },
        { "vote.sync.all.pred", "ppw", CONTROL, all, member_mask },
        { "activemask.b32", "w", CONTROL, active_mask, NULL },
        { "match.any.sync.b32", "www", CONTROL, match_any<u32>, member_mask },
        { "match.any.sync.b64", "wlw", CONTROL, match_any<u64>, member_mask },
        { "redux.sync.add.u32", "www", CONTROL, reduce<u32, add<u32>>,
          member_mask },
        { "redux.sync.add.s32", "www", CONTROL, reduce<u32, add<u32>>,
          member_mask },
        { "redux.sync.min.u32", "www", CONTROL, reduce<u32, smaller<u32>>,
          member_mask },
        { "redux.sync.max.u32", "www", CONTROL, reduce<u32, larger<u32>>,
          member_mask },
        { "redux.sync.min.s32", "www", CONTROL, reduce<s32, smaller<s32>>,
          member_mask },
        { "redux.sync.max.s32", "www", CONTROL, reduce<s32, larger<s32>>,
          member_mask },
    };

    shuffle_rows<UP>(t, "shfl.sync.up.b32");
    shuffle_rows<DOWN>(t, "shfl.sync.down.b32");
    shuffle_rows<BUTTERFLY>(t, "shfl.sync.bfly.b32");
    shuffle_rows<INDEX>(t, "shfl.sync.idx.b32");
    matrix_rows<1>(t);
    matrix_rows<2>(t);
    matrix_rows<4>(t);
    return t;
}

} // namespace ptx
