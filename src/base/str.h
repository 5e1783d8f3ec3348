/* str.h - a growable byte string that always ends with a NUL.
 *
 *     struct sxt_str s = SXT_STR_EMPTY;
 *     sxt_str_add(&s, "step %d", 3);
 *     puts(s.data);
 *     sxt_str_free(&s);
 */
#ifndef SXT_BASE_STR_H
#define SXT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

struct sxt_str {
    char *data; /* owned; never NULL once something was added */
    size_t len; /* bytes before the NUL; NULs inside are legal */
    size_t cap;
};

/* A piece of somebody else's text; not NUL-terminated. */
struct sxt_span {
    const char *data; /* borrowed */
    size_t len;
};

#define SXT_STR_EMPTY ((struct sxt_str){ NULL, 0, 0 })

void sxt_str_add(struct sxt_str *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sxt_str_add_bytes(struct sxt_str *s, const void *bytes, size_t n);
void sxt_str_add_char(struct sxt_str *s, char c);
/* Shorten to n bytes (n <= len); keeps the memory. */
void sxt_str_cut(struct sxt_str *s, size_t n);
void sxt_str_free(struct sxt_str *s);

struct sxt_span sxt_span(const char *text); /* of a whole C string */
bool sxt_span_equal(struct sxt_span a, const char *b);
bool sxt_span_same(struct sxt_span a, struct sxt_span b);
struct sxt_span sxt_span_trim(struct sxt_span s); /* ASCII white space */
/* First or last place of needle in s, or -1. */
long sxt_span_find(struct sxt_span s, const char *needle);
long sxt_span_find_last(struct sxt_span s, const char *needle);

bool sxt_starts_with(const char *text, const char *prefix);
bool sxt_ends_with(const char *text, const char *suffix);
/* Levenshtein distance, for "did you mean". */
size_t sxt_edit_distance(const char *a, const char *b);
/* True if the bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool sxt_utf8_valid(const char *data, size_t len);

#endif
