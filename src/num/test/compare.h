/* compare.h - two backends side by side, over every operation and shape. */
#ifndef SXT_NUM_TEST_COMPARE_H
#define SXT_NUM_TEST_COMPARE_H

#include <stdlib.h>
#include <string.h>

#include "base/test/tap.h"
#include "num/test/runs.h"

/* All cases of one operation and type in two labs: true if the outcomes differ
 * by `tolerance` at most (0: not by a bit).  *worst: by how much; *hash, if not
 * NULL: of the first lab's outcomes. */
bool compare_op(const struct run *run, enum sxt_dtype type, struct lab *lab,
                struct lab *ref, double tolerance, double *worst,
                uint64_t *hash);

/* hash, gone on with an outcome. */
uint64_t compare_hash(const struct outcome *x, uint64_t hash);

/* Where time is dear, SXT_TEST_OPS names the operations to run. */
static inline bool compare_wants(const struct run *run)
{
    const char *only = getenv("SXT_TEST_OPS");

    return !only || strstr(only, run->op);
}

/* One claim per operation and type, "PREFIXoperation: …": the labs' outcomes
 * agree within the operation's tolerance, or to the bit. */
static inline void compare_all(const char *prefix, const char *what,
                               struct lab *lab, struct lab *ref,
                               bool to_the_bit)
{
    static const char *const name[] = { "f32", "bf16" };

    for (const struct run *run = sxt_runs; run->op; run++) {
        if (!compare_wants(run))
            continue;
        for (int type = SXT_F32; type <= SXT_BF16; type++) {
            double worst, limit = to_the_bit ? 0 : run->tolerance[type];
            bool same = compare_op(run, (enum sxt_dtype)type, lab, ref, limit,
                                   &worst, NULL);
            ok(same, "%s%s: %s, %s (largest difference %.2g of %.2g)", prefix,
               run->op, name[type], what, worst, limit);
        }
    }
}

#endif
