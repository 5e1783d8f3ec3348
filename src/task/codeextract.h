/* codeextract.h - the program in a response. */
#ifndef SXT_TASK_CODEEXTRACT_H
#define SXT_TASK_CODEEXTRACT_H

#include <stdbool.h>

#include "base/str.h"

/* The fenced block that is the program, borrowed from the response; .data
 * NULL if there is none.  Of several blocks the last of the best kind: one
 * that defines `entry` (may be empty), then one tagged Python, then one
 * without tag, then any other.  Blank blocks do not count; a block may be left
 * open. */
struct sxt_span sxt_code_block(struct sxt_span response, struct sxt_span entry);
/* The same where no function's name is known. */
struct sxt_span sxt_code_extract(struct sxt_span response);

/* Append that block as a program: without the indentation of its fence, which
 * a block in a list has.  False if there is none. */
bool sxt_code_program(struct sxt_span response, struct sxt_span entry,
                      struct sxt_str *out);

/* The block that SkyThought would run: the last between three backquotes that
 * a tag of letters and a line's end follow, and the next three.  It knows
 * neither python3 nor blanks behind the tag nor CRLF.  .data NULL if none. */
struct sxt_span sxt_code_upstream_extract(struct sxt_span response);

#endif
