/* mathpoint.c - values for the names of an expression. */
#include "task/mathpoint.h"

#include "base/hash.h"

uint64_t sxt_mathpoint_bits(const struct sxt_math_point *point,
                            struct sxt_span name)
{
    return sxt_hash64(name.data, name.len, point->seed);
}

int64_t sxt_mathpoint_integer(const struct sxt_math_point *point,
                              struct sxt_span name)
{
    static const int primes[] = { 2,  3,  5,  7,  11, 13, 17, 19, 23, 29,
                                  31, 37, 41, 43, 47, 53, 59, 61, 67, 71 };
    uint64_t bits = sxt_mathpoint_bits(point, name);
    bool small = point->names == SXT_NAMES_SMALL;
    int64_t x = 1;

    for (int i = 0; i < (small ? 2 : 4); i++) {
        x *= primes[bits % (small ? 6 : 20)];
        bits >>= 12;
    }
    return x;
}

bool sxt_mathpoint_is_constant(struct sxt_span name)
{
    return sxt_span_equal(name, "e") || sxt_span_equal(name, "i") ||
           sxt_span_equal(name, "pi");
}
