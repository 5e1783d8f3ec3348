/* ops.h - the table of kernels that everything above is written in.
 *
 * A backend is a table of function pointers.  `ref` fills every entry,
 * readably, with wide sums; `cpu` overrides entries with fast ones and inherits
 * the rest.  `cuda` has its own entries or none, for nothing else can reach a
 * GPU's memory; ask sxt_num_lacks() before the work starts.  Nothing above this
 * header knows which backend runs.
 *
 * Conventions.  Matrices are row-major; ld is the distance of rows in
 * elements.  T is the number of tokens of all documents of a packed batch.
 * Activations and weights have one type, `type`; gradients of weights,
 * statistics and losses are f32.  Pointers are device memory unless said
 * otherwise.  No entry allocates device memory, fails, or touches MPI.  Every
 * entry is deterministic: same input, same bits, for any number of threads. */
#ifndef SXT_NUM_OPS_H
#define SXT_NUM_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "dev/dev.h"
#include "num/dtype.h"

struct sxt_num;

/* C = alpha op(A) op(B) + beta C + bias:  op(A) (m, k), op(B) (k, n),
 * C (m, n), bias (n) added to every row.  A Hugging Face linear layer
 * y = x W^T + b is tb = true with W (n, k). */
struct sxt_gemm {
    size_t m, n, k;
    bool ta, tb; /* op transposes: A is stored (k, m), B is stored (n, k) */
    float alpha, beta;
    const void *a, *b, *bias; /* of type `type`; bias may be NULL */
    void *c;                  /* of type c_type */
    size_t lda, ldb, ldc;
    enum sxt_dtype type, c_type;
    /* Row i of C must not depend on m nor on the other rows, to the bit:
     * generation relies on it.  (ta must be false.) */
    bool rows_independent;
};

/* Weights in 8 or 4 bits, W (n, k); see ref/quantize.c for the codes. */
enum sxt_qformat { SXT_INT8, SXT_NF4 };
struct sxt_qmat {
    enum sxt_qformat format;
    size_t n, k;          /* NF4: k is a multiple of 64 */
    uint8_t *q;           /* INT8: (n, k) int8; NF4: (n, k / 2), low nibble
                             first */
    float *scale;         /* INT8: (n) absmax / 127 of each row */
    uint8_t *block_scale; /* NF4: (n, k / 64) 8-bit block maxima */
    float *group_scale;   /* NF4: one per 256 consecutive blocks */
    float offset;         /* NF4: mean of the block maxima */
};

/* Queries, keys and values live in one projection, qkv (T, (hq + 2 hk) d):
 * hq query heads, hk key heads, hk value heads, each d wide. */
struct sxt_rope {
    void *qkv;          /* in place: add bias, then rotate queries and keys */
    const void *bias;   /* ((hq + 2 hk) d) or NULL */
    const int32_t *pos; /* (T) position in its document */
    const float *cos, *sin; /* (positions, d / 2) */
    size_t t, hq, hk, d;
    enum sxt_dtype type;
    /* If k_cache is not NULL, also store rotated keys and values of token t at
     * row slot[t] of the caches (slots, hk, d); slot < 0: nowhere. */
    void *k_cache, *v_cache;
    const int32_t *slot;
};

/* Causal attention inside each document of a packed batch, grouped queries.
 * Document i is the tokens [cu_seqlens[i], cu_seqlens[i + 1]). */
struct sxt_attn {
    const void *qkv; /* (T, (hq + 2 hk) d) after rope */
    void *o;         /* (T, hq d) */
    float *lse;      /* (T, hq): log sum exp of the scaled scores; out, may be
                        NULL in forward only */
    const int32_t *cu_seqlens; /* (n_docs + 1) */
    size_t t, n_docs, max_len, hq, hk, d;
    float scale;
    enum sxt_dtype type;
    /* backward only */
    const void *d_o; /* (T, hq d) */
    void *dqkv;      /* (T, (hq + 2 hk) d), overwritten */
};

/* Attention of T query tokens to a paged cache: decode and chunked prefill.
 * Token t belongs to sequence seq[t], sits at position pos[t] and sees
 * positions 0 … pos[t], which must be in the cache.  Position p of sequence s
 * is cache row  block_table[s, p / block] * block + p % block.  The sums run
 * over fixed splits of SXT_ATTN_SPLIT positions, combined in order, so a
 * token's output does not depend on the batch around it. */
enum { SXT_ATTN_SPLIT = 256 };
struct sxt_attn_paged {
    const void *qkv; /* (T, (hq + 2 hk) d); only the queries are read */
    void *o;         /* (T, hq d) */
    const void *k_cache, *v_cache; /* (blocks, block, hk, d) */
    const int32_t *block_table;    /* (sequences, max_blocks) */
    const int32_t *seq, *pos;      /* (T) */
    size_t t, max_blocks, block, hq, hk, d;
    float scale;
    enum sxt_dtype type;
};

/* AdamW (Loshchilov & Hutter, arXiv:1711.05101) on n parameters.
 *   m = b1 m + (1-b1) g,  v = b2 v + (1-b2) g^2
 *   p = p - lr (m / c1 / (sqrt(v / c2) + eps) + wd p),  ci = 1 - bi^step
 * with g = grad * grad_scale; num/adamw.h has the order of roundings.
 * F32: p is `p`.  BF16: the parameter is the f32 sxt_join_master(p, rest).
 * An element's bits do not depend on where it lies in the array nor on n:
 * shards of any cut give the same parameters. */
struct sxt_adamw {
    void *p;
    uint16_t *rest; /* BF16 only */
    float *m, *v;
    const float *grad;
    size_t n;
    double lr, b1, b2, eps, wd, grad_scale;
    int64_t step; /* from 1 */
    enum sxt_dtype type;
};

/* Draw one token for each of `rows` rows of logits (f32, ld).
 * Order: repetition penalty (Keskar et al., arXiv:1909.05858: divide positive,
 * multiply negative logits of tokens in `seen`) → temperature → top-k → top-p
 * → min-p → Gumbel-max with Philox(seed, stream[row], index[row] * vocab +
 * token).  temperature 0 is argmax, lowest id on ties.  Tokens >= vocab and
 * those whose bit is 0 in `allowed` (if not NULL) never appear. */
struct sxt_sample_row {
    float temperature, top_p, min_p, repetition_penalty; /* off: 1, 0, 1 */
    int32_t top_k;                                       /* off: 0 */
    uint64_t seed, stream, index;
    const int32_t *seen; /* ids in prompt and output so far; host memory */
    size_t n_seen;
};
struct sxt_sample {
    const float *logits; /* (rows, ld) */
    size_t rows, vocab, ld;
    const struct sxt_sample_row *row; /* (rows), host memory */
    const uint64_t *allowed; /* (vocab / 64 rounded up) or NULL, host */
    int32_t *id;             /* (rows), host memory: out */
    float *logprob; /* (rows), host: out; of id under the temperature-1 softmax
                       of the raw logits */
};

/* The table.  gemm … sample run on the current contents of their arguments;
 * the functions below are the way to call them. */
struct sxt_ops {
    const char *name;
    void (*gemm)(struct sxt_num *num, const struct sxt_gemm *g);
    void (*qgemm)(struct sxt_num *num, size_t m, const void *a,
                  const struct sxt_qmat *w, void *c, enum sxt_dtype type);
    void (*quantize)(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                     enum sxt_dtype type);
    void (*dequantize)(struct sxt_num *num, void *x, const struct sxt_qmat *w,
                       enum sxt_dtype type);
    void (*embed)(struct sxt_num *num, void *y, const void *table,
                  const int32_t *ids, size_t t, size_t h, enum sxt_dtype type);
    void (*embed_bwd)(struct sxt_num *num, float *dtable, const void *dy,
                      const int32_t *ids, size_t t, size_t h, size_t vocab,
                      enum sxt_dtype type);
    void (*add_rmsnorm)(struct sxt_num *num, void *y, float *rstd, void *r,
                        const void *x, const void *w, size_t t, size_t h,
                        float eps, enum sxt_dtype type);
    void (*rmsnorm_bwd)(struct sxt_num *num, void *dr, float *dw,
                        const void *dy, const void *r, const void *w,
                        const float *rstd, size_t t, size_t h,
                        enum sxt_dtype type);
    void (*rope)(struct sxt_num *num, const struct sxt_rope *a);
    void (*rope_bwd)(struct sxt_num *num, const struct sxt_rope *a,
                     float *dbias);
    void (*attn)(struct sxt_num *num, const struct sxt_attn *a);
    void (*attn_bwd)(struct sxt_num *num, const struct sxt_attn *a);
    void (*attn_paged)(struct sxt_num *num, const struct sxt_attn_paged *a);
    void (*swiglu)(struct sxt_num *num, void *y, const void *gu, size_t t,
                   size_t f, enum sxt_dtype type);
    void (*swiglu_bwd)(struct sxt_num *num, void *dgu, const void *dy,
                       const void *gu, size_t t, size_t f, enum sxt_dtype type);
    void (*xent)(struct sxt_num *num, float *loss, void *dlogits, float *logits,
                 const int32_t *target, size_t t, size_t vocab, size_t ld,
                 float grad_scale, enum sxt_dtype d_type);
    void (*adamw)(struct sxt_num *num, const struct sxt_adamw *a);
    void (*sumsq)(struct sxt_num *num, double *sums, const float *x, size_t n,
                  size_t leaf);
    void (*sum_pieces)(struct sxt_num *num, float *y, const void *x,
                       size_t pieces, size_t n, float beta,
                       enum sxt_dtype type);
    void (*add)(struct sxt_num *num, void *y, const void *x, size_t n,
                enum sxt_dtype type);
    void (*cast)(struct sxt_num *num, void *y, enum sxt_dtype y_type,
                 const void *x, enum sxt_dtype x_type, size_t n);
    void (*sample)(struct sxt_num *num, const struct sxt_sample *s);
};

/* A backend at work on one device. */
struct sxt_num {
    struct sxt_ops op;
    struct sxt_dev *dev; /* borrowed */
    void *state;         /* the backend's own (primitive cache, scratch) */
    void (*destroy_state)(void *state);
    int threads;     /* OpenMP threads of this rank */
    char about[120]; /* for sxt_num_describe: instruction set, library */
};

/* name: "ref", "cpu", "cuda" or "auto" (the best one for the device).  Memory
 * of a GPU is for cuda, any other for ref and cpu.  threads 0: all that OpenMP
 * would use. */
struct sxt_num *sxt_num_create(const char *name, struct sxt_dev *dev,
                               int threads, struct sxt_error *err);
void sxt_num_destroy(struct sxt_num *num);
/* One line for logs: instruction set, library, threads. */
void sxt_num_describe(const struct sxt_num *num, char text[200]);

/* What a command needs of the table. */
enum sxt_num_use { SXT_NUM_GENERATE, SXT_NUM_TRAIN };
/* The entries that the backend lacks for it, "attn sample"; true if any.  To
 * call one that is not there ends the process. */
bool sxt_num_lacks(const struct sxt_num *num, enum sxt_num_use use,
                   char names[300]);

/* True if this entry is the backend's own: it is there, and not ref's. */
bool sxt_num_owns(const struct sxt_num *num, const char *entry);

/* Entries of the backends, for num.c. */
extern const struct sxt_ops sxt_ops_ref;
int sxt_cpu_install(struct sxt_num *num, struct sxt_error *err);
/* In cuda/; -1 also where the build has no CUDA. */
int sxt_cuda_install(struct sxt_num *num, struct sxt_error *err);

/* ---- the operations; each opens the device around one entry ---- */

void sxt_gemm(struct sxt_num *num, const struct sxt_gemm *g);
/* C (m, n) = A (m, k) W^T with W quantised. */
void sxt_qgemm(struct sxt_num *num, size_t m, const void *a,
               const struct sxt_qmat *w, void *c, enum sxt_dtype type);
/* x (n, k) to w; w's arrays are allocated by the caller. */
void sxt_quantize(struct sxt_num *num, struct sxt_qmat *w, const void *x,
                  enum sxt_dtype type);
void sxt_dequantize(struct sxt_num *num, void *x, const struct sxt_qmat *w,
                    enum sxt_dtype type);

/* y (T, h) = rows ids[t] of table (vocab, h). */
void sxt_embed(struct sxt_num *num, void *y, const void *table,
               const int32_t *ids, size_t t, size_t h, enum sxt_dtype type);
/* dtable (vocab, h) += dy rows, in token order. */
void sxt_embed_bwd(struct sxt_num *num, float *dtable, const void *dy,
                   const int32_t *ids, size_t t, size_t h, size_t vocab,
                   enum sxt_dtype type);

/* r += x (x NULL: no addition), then
 *   y[t,c] = w[c] r[t,c] / sqrt(mean_c(r[t,c]^2) + eps),  rstd[t] = 1/sqrt(…)
 * r, x, y: (T, h); w: (h); rstd: (T) or NULL.  y may be x, and r if x is NULL.
 * Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4. */
void sxt_add_rmsnorm(struct sxt_num *num, void *y, float *rstd, void *r,
                     const void *x, const void *w, size_t t, size_t h,
                     float eps, enum sxt_dtype type);
/* dr += gradient through the normalisation; dw += sum over tokens. */
void sxt_rmsnorm_bwd(struct sxt_num *num, void *dr, float *dw, const void *dy,
                     const void *r, const void *w, const float *rstd, size_t t,
                     size_t h, enum sxt_dtype type);

/* Rotary embedding, Su et al., arXiv:2104.09864, in Hugging Face's layout:
 * element i of a head is paired with element i + d/2. */
void sxt_rope(struct sxt_num *num, const struct sxt_rope *a);
/* a->qkv holds gradients: rotate back in place; dbias += column sums (NULL:
 * none). */
void sxt_rope_bwd(struct sxt_num *num, const struct sxt_rope *a, float *dbias);

void sxt_attn(struct sxt_num *num, const struct sxt_attn *a);
/* From qkv, o, lse and d_o to dqkv.  Dao, arXiv:2307.08691, section 3.1. */
void sxt_attn_bwd(struct sxt_num *num, const struct sxt_attn *a);
void sxt_attn_paged(struct sxt_num *num, const struct sxt_attn_paged *a);

/* y (T, f) = silu(g) * u with g, u the halves of gu (T, 2 f).
 * Shazeer, arXiv:2002.05202. */
void sxt_swiglu(struct sxt_num *num, void *y, const void *gu, size_t t,
                size_t f, enum sxt_dtype type);
/* dgu may be gu. */
void sxt_swiglu_bwd(struct sxt_num *num, void *dgu, const void *dy,
                    const void *gu, size_t t, size_t f, enum sxt_dtype type);

/* loss[t] = lse(logits[t, :vocab]) - logits[t, target[t]]; 0 where target < 0.
 * If dlogits is not NULL it receives grad_scale (softmax - onehot) with the
 * same ld, 0 in masked rows and in columns vocab … ld-1; it may be the memory
 * of logits (d_type f32), or of type d_type apart from it. */
void sxt_xent(struct sxt_num *num, float *loss, void *dlogits, float *logits,
              const int32_t *target, size_t t, size_t vocab, size_t ld,
              float grad_scale, enum sxt_dtype d_type);

void sxt_adamw(struct sxt_num *num, const struct sxt_adamw *a);
/* Sums of squares, in f64, of every `leaf` consecutive elements (the last may
 * be fewer) into host memory, in an order that depends on leaf only. */
void sxt_sumsq_leaves(struct sxt_num *num, double *sums, const float *x,
                      size_t n, size_t leaf);
double sxt_sumsq(struct sxt_num *num, const float *x, size_t n); /* one leaf */
/* y (n) = beta y + sum over p of x (pieces, n), p ascending, in f32: starts
 * with beta y and rounds after every addition, so that pieces added one by one
 * or all at once give the same bits. */
void sxt_sum_pieces(struct sxt_num *num, float *y, const void *x, size_t pieces,
                    size_t n, float beta, enum sxt_dtype type);
void sxt_add(struct sxt_num *num, void *y, const void *x, size_t n,
             enum sxt_dtype type); /* y += x */
void sxt_cast(struct sxt_num *num, void *y, enum sxt_dtype y_type,
              const void *x, enum sxt_dtype x_type, size_t n);
void sxt_sample(struct sxt_num *num, const struct sxt_sample *s);

#endif
