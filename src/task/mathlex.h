/* mathlex.h - an answer's text as tokens: LaTeX, Unicode and plain words.
 *
 * What only changes the look ($, \left, \displaystyle, \, , \text around a
 * number, …) is gone afterwards, so equal token lists are equal answers. */
#ifndef SXT_TASK_MATHLEX_H
#define SXT_TASK_MATHLEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* ASCII operators stand for themselves; these stand for the rest. */
enum sxt_math_token_kind {
    SXT_TOK_END = 0,
    SXT_TOK_NUMBER = 'n',   /* 12, 0.5, 1,000 read as 1000 */
    SXT_TOK_NAME = 'v',     /* a letter or a Greek command: x, \alpha */
    SXT_TOK_FUNCTION = 'f', /* sin, log, …: text without the backslash */
    SXT_TOK_COMMAND = 'c',  /* frac, sqrt, begin, …: the same */
    SXT_TOK_TEXT = 't',     /* words: the text without its wrapper */
    SXT_TOK_LE = 'L',
    SXT_TOK_GE = 'G',
    SXT_TOK_NE = 'N',
    SXT_TOK_APPROX = 'A',
    SXT_TOK_IN = 'E',
    SXT_TOK_UNION = 'U',
    SXT_TOK_INTERSECT = 'I',
    SXT_TOK_MINUS_SET = 'O',
    SXT_TOK_PLUS_MINUS = 'P',
    SXT_TOK_MINUS_PLUS = 'M',
    SXT_TOK_DEGREE = 'D',
    SXT_TOK_SET_OPEN = 'S',
    SXT_TOK_SET_CLOSE = 's',
    SXT_TOK_ROW = 'R',      /* \\ */
    SXT_TOK_CURRENCY = 'C', /* \$ */
    SXT_TOK_INFINITY = 'Y',
    SXT_TOK_EMPTY_SET = 'Z'
};

struct sxt_math_token {
    char kind;
    bool space;           /* white space stands before it */
    struct sxt_span text; /* lies in the list's own text */
};

#define SXT_MATH_MAX_TOKENS 4096

struct sxt_math_tokens {
    struct sxt_math_token *item; /* owned; the last one is SXT_TOK_END */
    size_t count;                /* without the END */
    size_t cap;
    bool too_long; /* stopped at SXT_MATH_MAX_TOKENS */
    char *text;    /* owned: what the spans show */
    size_t used;
};

/* join_digits: read 1,000 and 1 000 as one number. */
void sxt_mathlex(struct sxt_span answer, bool join_digits,
                 struct sxt_math_tokens *out);
void sxt_mathlex_free(struct sxt_math_tokens *tokens);
/* The same kinds and texts in the same order. */
bool sxt_mathlex_same(const struct sxt_math_tokens *a,
                      const struct sxt_math_tokens *b);

#endif
