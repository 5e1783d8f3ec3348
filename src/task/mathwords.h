/* mathwords.h - the vocabulary of answers: what commands, words and characters
 * beyond ASCII mean to the lexer. */
#ifndef SXT_TASK_MATHWORDS_H
#define SXT_TASK_MATHWORDS_H

#include <stdbool.h>
#include <stddef.h>

struct sxt_math_word {
    const char *name;
    char kind;        /* of enum sxt_math_token_kind; 0: skip */
    const char *text; /* of the token; NULL: the name */
};

/* A LaTeX command without its backslash; NULL if it is not known. */
const struct sxt_math_word *sxt_mathwords_command(const char *p, size_t n);
/* A bare word that is an operator or a sign: and, infinity, percent. */
const struct sxt_math_word *sxt_mathwords_bare(const char *p, size_t n);
/* A short word that is text rather than a product of letters: cm, no. */
bool sxt_mathwords_is_short(const char *p, size_t n);
/* lb, oz and the like, which are units only behind a number. */
bool sxt_mathwords_is_unit(const char *p, size_t n);
/* \text, \mathrm and the like. */
bool sxt_mathwords_is_wrapper(const char *p, size_t n);
/* How many arguments of \color and the like are not shown; -1: it is none. */
int sxt_mathwords_dress(const char *p, size_t n);
/* Bytes of the ½ that begins at p, 0 if there is none; what stands in it. */
size_t sxt_mathwords_fraction(const char *p, size_t left, const char **above,
                              const char **below);
/* Bytes of the ² or ₂ that begins at p, 0 if there is none; *place: ^ or _,
 * *digit: what it is, or a minus sign. */
size_t sxt_mathwords_small(const char *p, size_t left, char *place,
                           char *digit);
/* The character that begins at p, with at most `left` bytes. */
const struct sxt_math_word *sxt_mathwords_unicode(const char *p, size_t left);

#endif
