/* mathjudge.h - what the files of the judge share: one comparison's state.
 * For math*.c only; the judge's door is mathequal.h. */
#ifndef SXT_TASK_MATHJUDGE_H
#define SXT_TASK_MATHJUDGE_H

#include "task/mathidentity.h"

#define SXT_MATH_MAX_ITEMS 64

/* Memory for copies of trees, and what is left of patience for all readings
 * of one question. */
struct sxt_math_judge {
    struct sxt_math_node **block; /* owned */
    size_t n_blocks, cap_blocks;
    size_t copies, pairs;
    long fuel;       /* of evaluations, see mathidentity.h */
    double budget_s; /* of processor time, for closed forms */
    const char *rule;
    bool doubt; /* something looked equal and was not proved */
};

/* An answer without ± and units; its unit apart. */
struct sxt_math_item {
    const struct sxt_math_node *n;
    struct sxt_span unit;
};

struct sxt_math_items {
    struct sxt_math_item at[SXT_MATH_MAX_ITEMS];
    size_t count;
    bool is_set, overflow;
};

/* mathitems.c: a list or set as its items, ± as two of them. */
void sxt_mathitems_of(struct sxt_math_judge *j, const struct sxt_math_node *n,
                      struct sxt_math_items *out);
void sxt_mathitems_free(struct sxt_math_judge *j);

/* mathvalue.c: rules for what is no structure: numbers, words, infinity. */
enum sxt_math_verdict sxt_mathvalue(struct sxt_math_judge *j,
                                    const struct sxt_math_node *g,
                                    const struct sxt_math_node *p);
/* Identity, and what FLINT can prove. */
enum sxt_math_verdict sxt_mathvalue_same(struct sxt_math_judge *j,
                                         const struct sxt_math_node *g,
                                         const struct sxt_math_node *p);
/* Equal but for case, blanks and stops. */
bool sxt_mathvalue_words(struct sxt_span a, struct sxt_span b);
/* A percent or degree sign, which is a unit as well. */
bool sxt_mathvalue_has_sign(const struct sxt_math_node *n);

/* A verdict, and the rule that it was decided by. */
static inline enum sxt_math_verdict sxt_mathjudge_decide(
    struct sxt_math_judge *j, bool equal, const char *rule)
{
    j->rule = rule;
    return equal ? SXT_MATH_EQUAL : SXT_MATH_DIFFERENT;
}

#endif
