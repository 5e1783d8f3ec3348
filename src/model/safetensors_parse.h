/* safetensors_parse.h - the header of a weight file; private to safetensors*.c.
 */
#ifndef SXT_MODEL_SAFETENSORS_PARSE_H
#define SXT_MODEL_SAFETENSORS_PARSE_H

#include <stdbool.h>

#include "base/json.h"
#include "model/safetensors.h"

struct sxt_st_list {
    struct sxt_st_tensor *items; /* owned, and so are their names */
    size_t count, cap;
};

/* Append the tensors of one file's header.  They must tile the data_bytes that
 * begin at byte data_at of the file; path is for messages.  On failure what was
 * appended is still the list's. */
int sxt_st_parse_header(struct sxt_st_list *list, const struct sxt_json *header,
                        const char *path, size_t shard, uint64_t data_at,
                        uint64_t data_bytes, struct sxt_error *err);

/* A name fit for messages and files: no controls, not empty, not endless. */
bool sxt_st_printable(const char *name);

#endif
