/* weights.h - model files: whole models in memory, and to and from disk. */
#ifndef SXT_MODEL_WEIGHTS_H
#define SXT_MODEL_WEIGHTS_H

#include "h5/in.h"
#include "h5/out.h"
#include "model/layout.h"
#include "model/params.h"
#include "model/qweights.h"
#include "num/ops.h"
#include "text/tokenizer.h"

/* model.h5: /tensors/<Hugging Face name> and /hf/<file> as bytes
 * (config.json, generation_config.json, tokenizer.json, …).  A checkpoint has
 * the same two groups, so it can be read as a model. */
#define SXT_MODEL_FORMAT "sextant/model"

/* What a model file says without its tensors. */
struct sxt_model_head {
    struct sxt_layout layout;
    struct sxt_str tokenizer_json; /* empty if the file has none */
    bool quantized;                /* the blocks' matrices: see qweights.h */
    enum sxt_qformat format;
};
int sxt_model_read_head(struct sxt_in *in, struct sxt_model_head *head,
                        struct sxt_error *err);
void sxt_model_head_free(struct sxt_model_head *head);

/* Flat elements [first, first + count) of a unit, converted to `type`, padding
 * as zeros, into host memory.  This is how a rank reads just its shard, and
 * with the layout of a part its rows and columns of the tensors. */
int sxt_model_read_unit(struct sxt_in *in, const struct sxt_layout *layout,
                        size_t unit, size_t first, size_t count,
                        enum sxt_dtype type, void *to, struct sxt_error *err);

/* Hash of all names and shapes and of the first values of every tensor: another
 * training, or another merge of it, has another one. */
int sxt_model_fingerprint(struct sxt_in *in, const struct sxt_model_head *head,
                          uint64_t *hash, struct sxt_error *err);

/* For commands that need every number: refuses a quantised model, and says why
 * (what: "fine-tuning"). */
int sxt_model_need_plain(const struct sxt_model_head *head, const char *path,
                         const char *what, struct sxt_error *err);

/* The tokenizer that is in a model's file; NULL if there is none, or one with
 * ids that the model knows not.  Caller destroys. */
struct sxt_tokenizer *sxt_model_tokenizer(const struct sxt_model_head *head,
                                          const char *path,
                                          struct sxt_error *err);

/* All units resident on one device, quantised if the file's are. */
struct sxt_weights {
    struct sxt_params params; /* first: hand &w->params to the network */
    struct sxt_dev *dev;
    size_t n_units;
    void **unit;             /* device memory */
    struct sxt_qmat *matrix; /* (layers, SXT_PARTS) or NULL */
    size_t n_matrices;
};
struct sxt_weights *sxt_weights_load(struct sxt_in *in,
                                     const struct sxt_layout *layout,
                                     struct sxt_dev *dev, enum sxt_dtype type,
                                     struct sxt_error *err);
void sxt_weights_destroy(struct sxt_weights *w);

/* Copy the bytes under /hf.  Collective. */
int sxt_model_copy_hf(struct sxt_out *out, struct sxt_in *from,
                      struct sxt_error *err);
/* Create the dataset GROUP/NAME of one tensor.  Collective. */
int sxt_model_out_tensor(struct sxt_out *out, const char *group,
                         const struct sxt_tensor *tensor, enum sxt_h5_type type,
                         const char *doc, struct sxt_error *err);
/* Both for a whole model, with its tensors in /tensors.  When all else has been
 * created too, sxt_out_data(), then the ranks write unit ranges.  Collective.
 */
int sxt_model_out_begin(struct sxt_out *out, const struct sxt_layout *layout,
                        enum sxt_h5_type type, struct sxt_in *from,
                        struct sxt_error *err);
/* Write flat elements of a unit from host memory (elements of `type`). */
int sxt_model_out_unit(struct sxt_out *out, const struct sxt_layout *layout,
                       const char *group, enum sxt_h5_type type, size_t unit,
                       size_t first, size_t count, const void *from,
                       struct sxt_error *err);

#endif
