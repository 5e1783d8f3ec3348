/* mathfield.h - the value of an expression in a finite field GF(p^2).
 *
 * Names get random elements, pi, e and what is no arithmetic (arctan 3, F(n))
 * get elements drawn from a hash, so two expressions that are equal by the
 * laws of algebra, powers, logarithms of rationals and angle sums have equal
 * values, and two that differ have equal values with a chance of about degree
 * / 2^61 (Schwartz 1980; Zippel 1979).  Numbers of any size cost one pass over
 * their digits.
 *
 * p is a safe prime, 7 mod 8, with every prime up to 73 a square.  So -1 is no
 * square (i exists in GF(p^2) only), odd roots are unique, and roots of
 * positive rationals with small factors multiply as real ones do.  Roots of
 * other elements have an arbitrary sign: `ambiguous` says that one was taken,
 * `flip` chooses the signs, and the caller needs other evidence for them. */
#ifndef SXT_TASK_MATHFIELD_H
#define SXT_TASK_MATHFIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "task/mathexpr.h"
#include "task/mathpoint.h"

#define SXT_FIELD_PRIMES 8
#define SXT_FIELD_MAX_ROOTS 4

struct sxt_field_value {
    uint64_t re, im;
};

struct sxt_field {
    uint64_t p;
    struct sxt_math_point point;
    unsigned flip;  /* bit k: negate the k-th root */
    bool ambiguous; /* out: signs were chosen */
    size_t n_roots; /* out: different radicands */
    struct sxt_field_value root[SXT_FIELD_MAX_ROOTS];
    bool undefined; /* a part had no value: the whole has none */
    long *fuel;     /* borrowed: multiplications left */
};

/* prime: 0 … SXT_FIELD_PRIMES - 1. */
void sxt_field_init(struct sxt_field *f, int prime, struct sxt_math_point point,
                    long *fuel);
/* False: undefined (0 in a denominator), not arithmetic, or out of fuel. */
bool sxt_field_eval(struct sxt_field *f, const struct sxt_math_node *n,
                    struct sxt_field_value *value);

bool sxt_field_equal(struct sxt_field_value a, struct sxt_field_value b);
bool sxt_field_is_zero(struct sxt_field_value a);
struct sxt_field_value sxt_field_mul(const struct sxt_field *f,
                                     struct sxt_field_value a,
                                     struct sxt_field_value b);
struct sxt_field_value sxt_field_sub(const struct sxt_field *f,
                                     struct sxt_field_value a,
                                     struct sxt_field_value b);

#endif
