/* convert.c - tests of number conversion between weight files. */
#include "stage/convert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test/tap.h"

/* IEEE 754-2008, 3.4: what a binary16 stands for. */
static double meaning(unsigned bits)
{
    double sign = bits & 0x8000 ? -1.0 : 1.0;
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);

    if (exponent == 31)
        return fraction ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(1024 + fraction, exponent - 25);
}

static void test_f16(void)
{
    uint16_t *half = sxt_alloc(65536, sizeof(*half));
    float *wide = sxt_alloc(65536, sizeof(*wide));
    bool same = true, nans = true, signs = true;

    for (size_t i = 0; i < 65536; i++)
        half[i] = (uint16_t)i;
    sxt_convert_numbers(wide, SXT_ST_F32, half, SXT_ST_F16, 65536);
    for (unsigned i = 0; i < 65536; i++) {
        double truth = meaning(i);
        if (isnan(truth))
            nans = nans && isnan(wide[i]);
        else
            same = same && (double)wide[i] == truth;
        signs = signs && !signbit(wide[i]) == !(i & 0x8000);
    }
    ok(same, "every finite or infinite float16 is the same f32");
    ok(nans, "NaNs stay NaNs");
    ok(signs, "signs stay, those of zeros too");
    free(half);
    free(wide);
}

static void test_others(void)
{
    uint32_t odd[] = { 0x7fc12345u, 0xffc00001u, 0x7f800000u, 1u, 0x80000000u };
    uint32_t copy[5];
    float x[] = { 1.0f, 1.00390625f, 1.01171875f, -3e38f, INFINITY };
    uint16_t half[5], again[5];
    float back[5];

    sxt_convert_numbers(copy, SXT_ST_F32, odd, SXT_ST_F32, 5);
    ok(memcmp(copy, odd, sizeof(odd)) == 0,
       "f32 to f32 keeps every bit, of NaNs too");
    sxt_convert_numbers(half, SXT_ST_BF16, x, SXT_ST_F32, 5);
    ok(half[0] == 0x3f80 && half[1] == 0x3f80 && half[2] == 0x3f82 &&
           half[4] == 0x7f80,
       "f32 to bf16 rounds to nearest, ties to even");
    sxt_convert_numbers(back, SXT_ST_F32, half, SXT_ST_BF16, 5);
    sxt_convert_numbers(again, SXT_ST_BF16, back, SXT_ST_F32, 5);
    ok(memcmp(half, again, sizeof(half)) == 0, "bf16 to f32 and back is exact");
}

int main(void)
{
    test_f16();
    test_others();
    return done_testing();
}
