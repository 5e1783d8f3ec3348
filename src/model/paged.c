/* paged.c - qwen2 / llama inference over a paged cache. */
#include "model/paged.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dev/coll.h"
#include "model/qweights.h"
#include "model/rope.h"

enum { DECODES = 24 }; /* sizes of recorded passes: up to 4096 rows */

struct sxt_paged {
    const struct sxt_layout *layout;
    struct sxt_params *params;
    struct sxt_num *num;
    struct sxt_dev *dev;
    enum sxt_dtype type;
    struct sxt_paged_size size;
    size_t max_blocks;        /* pages of a sequence, at most */
    size_t qkv_width;         /* (hq + 2 hk) d */
    struct sxt_block_at part; /* where a block's tensors lie */
    /* Device memory. */
    char *k_cache, *v_cache; /* (layers, pages, block, hk, d) */
    int32_t *block_table;    /* (slots, max_blocks) */
    float *cos, *sin;        /* (length, d / 2) */
    int32_t *ints; /* id, seq, pos, row: ROW_INTS arrays of `stride` */
    int32_t *id, *seq, *pos, *row; /* (rows): row is the row of the cache */
    void *x;                       /* (rows, hidden): the residual stream */
    void *y;       /* (rows, hidden): normalised, then a block half's output */
    void *wide;    /* (rows, qkv_width) or (rows, 2 ffn) */
    void *deep;    /* (rows, hq d) or (rows, ffn) */
    void *parts;   /* (parts, rows, hidden): all ranks' y, before the sum */
    float *sum;    /* (rows, hidden): theirs, where y is bf16 */
    void *last;    /* (logits, hidden): the rows whose logits are wanted */
    float *logits; /* (logits, vocab) */
    /* Host memory; what is copied to the device is written into pinned memory
     * first, when the copy before it has passed. */
    int32_t *table;                    /* the block table again */
    size_t changed_first, changed_end; /* of it, not on the device yet */
    int32_t *pinned_table, *pinned_ints;
    struct sxt_event *copied;
    struct sxt_recording *decode[DECODES]; /* of decode_rows(i), or NULL */
    bool replay;
    uint64_t replays;
};

/* Integers of a row, and how far apart their arrays lie: on cache lines. */
enum { ROW_INTS = 4, LINE_INTS = 16 };

static size_t stride(size_t rows)
{
    return (rows + LINE_INTS - 1) / LINE_INTS * LINE_INTS;
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t sxt_paged_position_bytes(const struct sxt_model_config *c,
                                enum sxt_dtype type)
{
    return 2 * c->layers * c->kv_heads * c->head_dim * sxt_dtype_size(type);
}

/* One walk over all device arrays: allocate them, or only add up (p NULL). */
static size_t arrays(struct sxt_paged *p, const struct sxt_layout *layout,
                     enum sxt_dtype type, const struct sxt_paged_size *s)
{
    const struct sxt_model_config *c = &layout->config;
    size_t parts = layout->parts > 1 ? layout->parts : 0;
    size_t sum = parts > 0 && type != SXT_F32 ? s->rows * c->hidden : 0;
    size_t e = sxt_dtype_size(type), f = sizeof(float);
    size_t qkv = (c->heads + 2 * c->kv_heads) * c->head_dim;
    size_t blocks = (s->length + s->block - 1) / s->block;
    size_t cache = s->pages * s->block * sxt_paged_position_bytes(c, type) / 2;
    struct {
        size_t at; /* of the pointer in struct sxt_paged */
        size_t bytes;
        enum sxt_dev_purpose purpose;
    } list[] = {
        { offsetof(struct sxt_paged, k_cache), cache, SXT_DEV_CACHE },
        { offsetof(struct sxt_paged, v_cache), cache, SXT_DEV_CACHE },
        { offsetof(struct sxt_paged, block_table),
          s->slots * blocks * sizeof(int32_t), SXT_DEV_CACHE },
        { offsetof(struct sxt_paged, cos), s->length * c->head_dim / 2 * f,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, sin), s->length * c->head_dim / 2 * f,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, ints),
          ROW_INTS * stride(s->rows) * sizeof(int32_t), SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, x), s->rows * c->hidden * e,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, y), s->rows * c->hidden * e,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, wide), s->rows * max(qkv, 2 * c->ffn) * e,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, deep),
          s->rows * max(c->heads * c->head_dim, c->ffn) * e,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, parts), parts * s->rows * c->hidden * e,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, sum), sum * f, SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, last), s->logits * c->hidden * e,
          SXT_DEV_ACTIVATIONS },
        { offsetof(struct sxt_paged, logits), s->logits * c->vocab * f,
          SXT_DEV_LOGITS },
    };
    size_t bytes = 0;

    for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
        if (p && list[i].bytes > 0)
            *(void **)(void *)((char *)p + list[i].at) =
                sxt_dev_alloc_for(p->dev, list[i].purpose, list[i].bytes);
        bytes += list[i].bytes;
    }
    return bytes;
}

size_t sxt_paged_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                       const struct sxt_paged_size *size)
{
    return arrays(NULL, layout, type, size);
}

static void fill_rope(struct sxt_paged *p)
{
    size_t n = p->size.length * p->layout->config.head_dim / 2;
    float *cosine = sxt_alloc(n, sizeof(float));
    float *sine = sxt_alloc(n, sizeof(float));

    sxt_rope_tables(&p->layout->config, p->size.length, cosine, sine);
    sxt_dev_put(p->dev, p->cos, cosine, n * sizeof(float));
    sxt_dev_put(p->dev, p->sin, sine, n * sizeof(float));
    free(cosine);
    free(sine);
}

static void alloc_host(struct sxt_paged *p)
{
    size_t n = p->size.slots * p->max_blocks;
    size_t apart = stride(p->size.rows), bytes = sizeof(int32_t);

    p->id = p->ints;
    p->seq = p->ints + apart;
    p->pos = p->ints + 2 * apart;
    p->row = p->ints + 3 * apart;
    p->table = sxt_calloc(n, bytes);
    p->pinned_table = sxt_pinned_alloc(p->dev, n * bytes);
    p->pinned_ints = sxt_pinned_alloc(p->dev, ROW_INTS * apart * bytes);
    p->copied = sxt_event_create(p->dev);
}

/* All ranks' parts to every rank, which has its own in its place. */
static void exchange(struct sxt_paged *p, size_t rows)
{
    size_t bytes = rows * p->layout->config.hidden * sxt_dtype_size(p->type);

    sxt_coll_all_gather(p->params->group, p->parts,
                        (char *)p->parts + p->layout->part * bytes, bytes);
    sxt_coll_wait(p->params->group);
}

struct sxt_paged *sxt_paged_create(const struct sxt_layout *layout,
                                   struct sxt_params *params,
                                   struct sxt_num *num,
                                   const struct sxt_paged_size *size)
{
    const struct sxt_model_config *c = &layout->config;
    struct sxt_paged *p = sxt_calloc(1, sizeof(*p));

    SXT_CHECK(size->rows > 0 && size->slots > 0 && size->block > 0);
    SXT_CHECK(size->pages * size->block <= INT32_MAX);
    SXT_CHECK((layout->parts > 1) == (params->group != NULL));
    p->layout = layout;
    p->params = params;
    p->num = num;
    p->dev = num->dev;
    p->type = params->type;
    p->size = *size;
    p->max_blocks = (size->length + size->block - 1) / size->block;
    size_t vectors;
    p->part = params->matrices ? sxt_layout_vectors(layout, &vectors)
                               : sxt_layout_block(layout);
    p->qkv_width = (c->heads + 2 * c->kv_heads) * c->head_dim;
    sxt_paged_set_replay(p, true);
    arrays(p, layout, p->type, size);
    alloc_host(p);
    fill_rope(p);
    if (params->group) /* what moves the bytes allocates now, not in a pass */
        exchange(p, size->rows);
    return p;
}

void sxt_paged_destroy(struct sxt_paged *p)
{
    if (!p)
        return;
    /* Pinned memory outlives the copies from it. */
    sxt_stream_finish(p->dev, SXT_STREAM_MAIN);
    void *const device[] = { p->k_cache, p->v_cache, p->block_table, p->cos,
                             p->sin,     p->ints,    p->x,           p->y,
                             p->wide,    p->deep,    p->parts,       p->sum,
                             p->last,    p->logits };
    for (size_t i = 0; i < DECODES; i++)
        sxt_recording_destroy(p->dev, p->decode[i]);
    for (size_t i = 0; i < sizeof(device) / sizeof(*device); i++)
        sxt_dev_free(p->dev, device[i]);
    sxt_event_destroy(p->dev, p->copied);
    sxt_pinned_free(p->dev, p->pinned_table);
    sxt_pinned_free(p->dev, p->pinned_ints);
    free(p->table);
    free(p);
}

void sxt_paged_map(struct sxt_paged *p, size_t slot, size_t first,
                   const int32_t *pages, size_t n)
{
    size_t at = slot * p->max_blocks + first;
    bool none = p->changed_first == p->changed_end;

    SXT_CHECK(slot < p->size.slots && first + n <= p->max_blocks);
    memcpy(p->table + at, pages, n * sizeof(*pages));
    p->changed_first = none ? at : min(p->changed_first, at);
    p->changed_end = max(p->changed_end, at + n);
}

/* c (m, n) = a (m, k) W^T. */
static void linear(struct sxt_paged *p, void *c, enum sxt_dtype c_type,
                   const void *a, const void *w, size_t m, size_t n, size_t k)
{
    struct sxt_gemm g = { .m = m,
                          .n = n,
                          .k = k,
                          .tb = true,
                          .alpha = 1,
                          .a = a,
                          .b = w,
                          .c = c,
                          .lda = k,
                          .ldb = k,
                          .ldc = n,
                          .type = p->type,
                          .c_type = c_type,
                          .rows_independent = true };

    sxt_gemm(p->num, &g);
}

/* The same with a block's matrix; w is not looked at if it is quantised. */
static void project(struct sxt_paged *p, size_t layer, enum sxt_part part,
                    void *c, const void *a, const void *w, size_t m, size_t n,
                    size_t k)
{
    if (p->params->matrices)
        sxt_qgemm(p->num, m, a,
                  &p->params->matrices(p->params, layer + 1)[part], c, p->type);
    else
        linear(p, c, p->type, a, w, m, n, k);
}

static const char *at(const struct sxt_paged *p, const void *unit,
                      size_t offset)
{
    return (const char *)unit + offset * sxt_dtype_size(p->type);
}

/* y (n, hidden) = a (n, k) W^T with o_proj or down_proj.  In a group a and W
 * are this rank's columns, and y is the sum over the ranks: in f32 and in their
 * order, so that all of them get the same bits. */
static void project_back(struct sxt_paged *p, size_t layer, enum sxt_part part,
                         const void *a, const void *w, size_t n, size_t k)
{
    struct sxt_coll *group = p->params->group;
    size_t hidden = p->layout->config.hidden, parts = p->layout->parts;
    size_t bytes = n * hidden * sxt_dtype_size(p->type);
    char *mine = group ? (char *)p->parts + p->layout->part * bytes : p->y;

    project(p, layer, part, mine, a, w, n, hidden, k);
    if (!group)
        return;
    exchange(p, n);
    sxt_sum_pieces(p->num, p->sum ? p->sum : p->y, p->parts, parts, n * hidden,
                   0, p->type);
    if (p->sum)
        sxt_cast(p->num, p->y, p->type, p->sum, SXT_F32, n * hidden);
}

/* y = o(attn(rope(qkv(y) + bias))), and this layer's part of the cache. */
static void attention(struct sxt_paged *p, size_t layer, const void *unit,
                      size_t n)
{
    const struct sxt_model_config *c = &p->layout->config;
    const struct sxt_block_at b = p->part;
    size_t part = layer * p->size.pages * p->size.block * c->kv_heads *
                  c->head_dim * sxt_dtype_size(p->type);

    project(p, layer, SXT_QKV, p->wide, p->y, at(p, unit, b.qkv), n,
            p->qkv_width, c->hidden);
    sxt_rope(p->num, &(struct sxt_rope){
                         .qkv = p->wide,
                         .bias = c->qkv_bias ? at(p, unit, b.qkv_bias) : NULL,
                         .pos = p->pos,
                         .cos = p->cos,
                         .sin = p->sin,
                         .t = n,
                         .hq = c->heads,
                         .hk = c->kv_heads,
                         .d = c->head_dim,
                         .type = p->type,
                         .k_cache = p->k_cache + part,
                         .v_cache = p->v_cache + part,
                         .slot = p->row });
    sxt_attn_paged(p->num, &(struct sxt_attn_paged){
                               .qkv = p->wide,
                               .o = p->deep,
                               .k_cache = p->k_cache + part,
                               .v_cache = p->v_cache + part,
                               .block_table = p->block_table,
                               .seq = p->seq,
                               .pos = p->pos,
                               .t = n,
                               .max_blocks = p->max_blocks,
                               .block = p->size.block,
                               .hq = c->heads,
                               .hk = c->kv_heads,
                               .d = c->head_dim,
                               .scale = 1.0f / sqrtf((float)c->head_dim),
                               .type = p->type });
    project_back(p, layer, SXT_O, p->deep, at(p, unit, b.o), n,
                 c->heads * c->head_dim);
}

/* y = down(swiglu(gate_up(y))). */
static void feed_forward(struct sxt_paged *p, size_t layer, const void *unit,
                         size_t n)
{
    const struct sxt_model_config *c = &p->layout->config;
    const struct sxt_block_at b = p->part;

    project(p, layer, SXT_GATE_UP, p->wide, p->y, at(p, unit, b.gate_up), n,
            2 * c->ffn, c->hidden);
    sxt_swiglu(p->num, p->deep, p->wide, n, c->ffn, p->type);
    project_back(p, layer, SXT_DOWN, p->deep, at(p, unit, b.down), n, c->ffn);
}

/* x += add (NULL: nothing), y = norm(x). */
static void norm(struct sxt_paged *p, const void *add, const void *weight,
                 size_t n)
{
    const struct sxt_model_config *c = &p->layout->config;

    sxt_add_rmsnorm(p->num, p->y, NULL, p->x, add, weight, n, c->hidden,
                    (float)c->norm_eps, p->type);
}

/* The part of the block table that changed since the last pass. */
static void put_table(struct sxt_paged *p)
{
    size_t first = p->changed_first;
    size_t bytes = (p->changed_end - first) * sizeof(int32_t);

    memcpy(p->pinned_table + first, p->table + first, bytes);
    sxt_dev_put_on(p->dev, SXT_STREAM_MAIN, p->block_table + first,
                   p->pinned_table + first, bytes);
    p->changed_first = p->changed_end = 0;
}

/* The rows' integers, in one copy.  Up to n they are filled up with rows that
 * look at one position and are kept nowhere. */
static void put_rows(struct sxt_paged *p, const struct sxt_paged_rows *rows,
                     size_t n)
{
    size_t apart = stride(p->size.rows), block = p->size.block;
    int32_t *id = p->pinned_ints, *seq = id + apart, *pos = seq + apart;
    int32_t *row = pos + apart;

    for (size_t i = 0; i < rows->n; i++) {
        size_t at = (size_t)rows->pos[i], slot = (size_t)rows->slot[i];
        SXT_CHECK(slot < p->size.slots && at < p->size.length);
        id[i] = rows->id[i];
        seq[i] = rows->slot[i];
        pos[i] = rows->pos[i];
        row[i] = p->table[slot * p->max_blocks + at / block] * (int32_t)block +
                 (int32_t)(at % block);
    }
    for (size_t i = rows->n; i < n; i++) {
        id[i] = seq[i] = pos[i] = 0;
        row[i] = -1;
    }
    sxt_dev_put_on(p->dev, SXT_STREAM_MAIN, p->ints, p->pinned_ints,
                   (3 * apart + n) * sizeof(int32_t));
}

/* What the host knows of the pass, which has n rows; it goes on while this is
 * copied. */
static void put_pass(struct sxt_paged *p, const struct sxt_paged_rows *rows,
                     size_t n)
{
    sxt_event_wait(p->dev, p->copied);
    put_table(p);
    put_rows(p, rows, n);
    sxt_event_record(p->dev, p->copied, SXT_STREAM_MAIN);
}

/* Collect the wanted rows of y, a run of neighbours at a time; where all are
 * wanted they are there. */
static const void *gather(struct sxt_paged *p,
                          const struct sxt_paged_rows *rows)
{
    size_t bytes = p->layout->config.hidden * sxt_dtype_size(p->type);
    size_t i = 0;

    if (rows->n_logits == rows->n)
        return p->y;
    while (i < rows->n_logits) {
        size_t n = 1, first = (size_t)rows->logit_row[i];
        while (i + n < rows->n_logits &&
               (size_t)rows->logit_row[i + n] == first + n)
            n++;
        sxt_dev_copy(p->dev, (char *)p->last + i * bytes,
                     (const char *)p->y + first * bytes, n * bytes);
        i += n;
    }
    return p->last;
}

static void head(struct sxt_paged *p, const struct sxt_paged_rows *rows)
{
    const struct sxt_model_config *c = &p->layout->config;
    size_t unit = c->layers + 1;
    const void *w = p->params->get(p->params, unit);

    norm(p, p->y, w, rows->n);
    const void *last = gather(p, rows);
    const void *table = at(p, w, sxt_layout_head_at(p->layout));
    if (c->tied)
        table = p->params->get(p->params, 0);
    if (rows->n_logits > 0)
        linear(p, p->logits, SXT_F32, last, table, rows->n_logits, c->vocab,
               c->hidden);
    if (c->tied)
        p->params->release(p->params, 0);
    p->params->release(p->params, unit);
}

/* The pass over what put_pass() put. */
static void run(struct sxt_paged *p, const struct sxt_paged_rows *rows)
{
    const struct sxt_model_config *c = &p->layout->config;
    const struct sxt_block_at b = p->part;
    size_t n = rows->n;

    const void *w = p->params->get(p->params, 0);
    sxt_embed(p->num, p->x, w, p->id, n, c->hidden, p->type);
    p->params->release(p->params, 0);
    for (size_t layer = 0; layer < c->layers; layer++) {
        w = p->params->get(p->params, layer + 1);
        if (p->params->hint)
            p->params->hint(p->params, layer + 2);
        norm(p, layer > 0 ? p->y : NULL, at(p, w, b.norm1), n);
        attention(p, layer, w, n);
        norm(p, p->y, at(p, w, b.norm2), n);
        feed_forward(p, layer, w, n);
        p->params->release(p->params, layer + 1);
    }
    head(p, rows);
}

/* ---- decoding, recorded and replayed ---- */

/* 1, 2, 3, 4, 6, 8, 12, …: not many, and less than half as many again as
 * there is work for. */
static size_t decode_rows(size_t i)
{
    return i % 2 ? (size_t)2 << i / 2 : i > 0 ? (size_t)3 << (i / 2 - 1) : 1;
}

/* The first pass of a size is warm-up: it may plan its products, which waits
 * for the device, and so cannot be part of a recording. */
static void decode(struct sxt_paged *p, const struct sxt_paged_rows *rows)
{
    size_t i = 0;

    while (decode_rows(i) < rows->n)
        i++;
    SXT_CHECK(i < DECODES);
    size_t n = min(decode_rows(i), min(p->size.logits, p->size.rows));
    const struct sxt_paged_rows full = { .n = n, .n_logits = n };
    put_pass(p, rows, n);
    if (p->decode[i]) {
        sxt_dev_replay(p->dev, p->decode[i]);
        p->replays++;
        return;
    }
    run(p, &full);
    sxt_dev_record(p->dev);
    run(p, &full);
    p->decode[i] = sxt_dev_recorded(p->dev);
}

const float *sxt_paged_forward(struct sxt_paged *p,
                               const struct sxt_paged_rows *rows)
{
    size_t n = rows->n;

    SXT_CHECK(n > 0 && n <= p->size.rows && rows->n_logits <= p->size.logits);
    if (p->replay && rows->n_logits == n && n <= decode_rows(DECODES - 1)) {
        decode(p, rows);
    } else {
        put_pass(p, rows, n);
        run(p, rows);
    }
    return p->logits;
}

uint64_t sxt_paged_replays(const struct sxt_paged *p)
{
    return p->replays;
}

void sxt_paged_set_replay(struct sxt_paged *p, bool replay)
{
    p->replay = replay && p->params->resident && !p->params->group &&
                sxt_dev_records(p->dev);
}
