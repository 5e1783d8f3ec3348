/* qweights.h - weights in 8 or 4 bits: which of a model's they are, and how a
 * model file holds them.
 *
 * The matrices of the blocks are quantised, each as one product reads it (q, k
 * and v together, gate and up together); embedding, head, norms and biases stay
 * as they are.  Such a file says `quantized` (int8 | nf4) at its root and has
 * the arrays of struct sxt_qmat under /quantized/MATRIX/. */
#ifndef SXT_MODEL_QWEIGHTS_H
#define SXT_MODEL_QWEIGHTS_H

#include "h5/in.h"
#include "h5/out.h"
#include "model/layout.h"
#include "num/ops.h"

/* The matrices of a block. */
enum sxt_part { SXT_QKV, SXT_O, SXT_GATE_UP, SXT_DOWN, SXT_PARTS };

struct sxt_matrix {
    char name[96];
    size_t unit, offset; /* where it lies, as in struct sxt_tensor */
    size_t n, k;
};
struct sxt_matrix sxt_matrix_of(const struct sxt_layout *layout, size_t layer,
                                enum sxt_part part);
/* True if the tensor is (a part of) such a matrix. */
bool sxt_matrix_has(const struct sxt_layout *layout,
                    const struct sxt_tensor *tensor);

const char *sxt_qformat_name(enum sxt_qformat format); /* int8 | nf4 */
/* *quantized: whether the file has such weights; if so, *format. */
int sxt_qfile_format(struct sxt_in *in, bool *quantized,
                     enum sxt_qformat *format, struct sxt_error *err);
/* The arrays of all matrices are there and have the right shapes. */
int sxt_qfile_check(struct sxt_in *in, const struct sxt_layout *layout,
                    enum sxt_qformat format, struct sxt_error *err);
/* The first n bytes of a matrix's codes, or as many as there are; returns their
 * number, 0 on failure. */
size_t sxt_qfile_peek(struct sxt_in *in, const struct sxt_matrix *m,
                      enum sxt_qformat format, void *to, size_t n,
                      struct sxt_error *err);

/* Arrays for a matrix, in device memory. */
void sxt_qmat_alloc(struct sxt_qmat *w, const struct sxt_matrix *m,
                    enum sxt_qformat format, struct sxt_dev *dev);
void sxt_qmat_free(struct sxt_qmat *w, struct sxt_dev *dev);
/* Bytes that a product reads of it. */
size_t sxt_qmat_bytes(const struct sxt_qmat *w);
/* Of a whole model so quantised, with the rest in `type`. */
size_t sxt_qmodel_bytes(const struct sxt_layout *layout,
                        enum sxt_qformat format, enum sxt_dtype type);
/* Fill the arrays from a file. */
int sxt_qmat_read(struct sxt_in *in, const struct sxt_matrix *m,
                  struct sxt_qmat *w, struct sxt_dev *dev,
                  struct sxt_error *err);
/* Create a matrix's datasets.  Collective. */
int sxt_qmat_declare(struct sxt_out *out, const struct sxt_matrix *m,
                     enum sxt_qformat format, struct sxt_error *err);
/* Write what is in the arrays.  Not collective. */
int sxt_qmat_write(struct sxt_out *out, const struct sxt_matrix *m,
                   const struct sxt_qmat *w, struct sxt_dev *dev,
                   struct sxt_error *err);

#endif
