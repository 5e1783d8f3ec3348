/* convert.h - between Hugging Face directories and model files; private to
 * convert*.c. */
#ifndef SXT_STAGE_CONVERT_H
#define SXT_STAGE_CONVERT_H

#include "model/layout.h"
#include "model/safetensors.h"
#include "stage/stage.h"

struct sxt_convert {
    char *from, *output;
    char *init; /* weights | random */
    int64_t seed;
    char *type; /* keep | f32 | bf16 */
    double shard_gb;
    bool allow_nonfinite;
};

/* The files of a Hugging Face directory that a model file keeps, byte for byte;
 * ends with NULL. */
extern const char *const sxt_convert_files[];

/* A directory to a model file; a model file or checkpoint to a directory.
 * Collective. */
int sxt_convert_import(const struct sxt_run *run, const struct sxt_convert *v,
                       const char *from, const char *to, struct sxt_error *err);
int sxt_convert_export(const struct sxt_run *run, const struct sxt_convert *v,
                       const char *from, const char *to, struct sxt_error *err);

/* Elements on their way at a time; a rank needs memory for this many only. */
enum { SXT_CONVERT_PIECE = 1 << 22 };

/* Cut all tensors into pieces and deal them out: this rank calls move(self, …)
 * for its own, unless the run is told to stop.  Collective. */
int sxt_convert_deal(const struct sxt_run *run, const struct sxt_layout *layout,
                     int (*move)(void *self, size_t tensor, size_t first,
                                 size_t count, struct sxt_error *err),
                     void *self, struct sxt_error *err);

/* What a tensor stored as `stored` becomes. */
enum sxt_st_type sxt_convert_type(const struct sxt_convert *v,
                                  enum sxt_st_type stored);
/* n numbers of any type into f32 or bf16; same types: the same bits. */
void sxt_convert_numbers(void *to, enum sxt_st_type to_type, const void *from,
                         enum sxt_st_type from_type, size_t n);

/* The closing line: what was written, how much, how fast. */
void sxt_convert_report(const struct sxt_run *run, const char *to,
                        const struct sxt_layout *layout, double seconds);

#endif
