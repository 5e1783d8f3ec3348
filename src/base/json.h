/* json.h - reading and writing JSON values, through jansson.
 *
 * Strict: UTF-8, no duplicate keys, depth at most 2048; an error names line
 * and column.  Values are reference-free trees: free the root only. */
#ifndef SXT_BASE_JSON_H
#define SXT_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct sxt_json; /* opaque */

enum sxt_json_type {
    SXT_JSON_NULL,
    SXT_JSON_BOOL,
    SXT_JSON_INT,
    SXT_JSON_REAL,
    SXT_JSON_BIG, /* a number that neither int64_t nor a finite double holds */
    SXT_JSON_STRING,
    SXT_JSON_ARRAY,
    SXT_JSON_OBJECT
};

/* Parse n bytes holding exactly one value.  `where` (a path, "FILE:LINE") goes
 * before the message.  NULL on failure, SXT_EXIT_DATA. */
struct sxt_json *sxt_json_parse(const char *text, size_t n, const char *where,
                                struct sxt_error *err);
struct sxt_json *sxt_json_read(const char *path, struct sxt_error *err);
void sxt_json_free(struct sxt_json *root); /* roots only; NULL is legal */

/* Looking.  All are NULL-safe: a NULL value has type NULL, count 0. */
enum sxt_json_type sxt_json_type(const struct sxt_json *v);
size_t sxt_json_count(const struct sxt_json *v); /* items or members */
const struct sxt_json *sxt_json_item(const struct sxt_json *array, size_t i);
/* Member by name, NULL if absent or if v is no object. */
const struct sxt_json *sxt_json_get(const struct sxt_json *v, const char *key);
/* The member behind *key in file order (*key NULL: the first), or NULL at the
 * end; moves *key on, which is borrowed. */
const struct sxt_json *sxt_json_next(const struct sxt_json *object,
                                     const char **key);
/* The string's bytes (may hold NULs), or {NULL, 0} if v is no string. */
struct sxt_span sxt_json_text(const struct sxt_json *v);
/* The string as a C string, or `other` if v is no string. */
const char *sxt_json_string(const struct sxt_json *v, const char *other);
int64_t sxt_json_int(const struct sxt_json *v, int64_t other);
double sxt_json_number(const struct sxt_json *v, double other);
/* The text of a number of type BIG: its digits, NaN or ±Infinity, which Python
 * writes; sxt_json_number () gives the nearest double. */
struct sxt_span sxt_json_big(const struct sxt_json *v);
bool sxt_json_bool(const struct sxt_json *v, bool other);

/* Making.  Children are owned by the parent they are put into. */
struct sxt_json *sxt_json_object(void);
struct sxt_json *sxt_json_array(void);
/* Bytes that are no valid UTF-8 are replaced by U+FFFD. */
struct sxt_json *sxt_json_new_text(const char *data, size_t n);
struct sxt_json *sxt_json_new_int(int64_t x);
struct sxt_json *sxt_json_new_number(double x); /* non-finite: null */
struct sxt_json *sxt_json_new_bool(bool x);
void sxt_json_set(struct sxt_json *object, const char *key,
                  struct sxt_json *value);
void sxt_json_append(struct sxt_json *array, struct sxt_json *value);

/* Append the value's text, on one line (indent 0) or indented. */
void sxt_json_print(const struct sxt_json *v, int indent, struct sxt_str *out);

/* Whether a file's name says so: .jsonl, .jsonl.gz, .jsonl.zst. */
bool sxt_jsonl_named(const char *path);
/* Lines of a JSONL file, also gzip (and Zstandard where built in), or the
 * items of one file-wide JSON array. */
struct sxt_jsonl;
struct sxt_jsonl *sxt_jsonl_open(const char *path, struct sxt_error *err);
/* Next value, to be freed by the caller; *line is its number from 1 (for an
 * array: the item's).  Returns 1, 0 at the end, -1 on failure; after a failed
 * line the next call goes on with the line behind it.  Blank lines are
 * skipped. */
int sxt_jsonl_next(struct sxt_jsonl *in, struct sxt_json **value, size_t *line,
                   struct sxt_error *err);
void sxt_jsonl_close(struct sxt_jsonl *in);

#endif
