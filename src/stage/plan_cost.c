/* plan_cost.c - memory and time of fine-tuning and of drawing answers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/engine.h"
#include "model/paged.h"
#include "stage/plan.h"

static enum sxt_dtype type_of(const char *word)
{
    return strcmp(word, "f32") == 0 ? SXT_F32 : SXT_BF16;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* ---- memory ---- */

struct sxt_plan_memory sxt_plan_memory(const struct sxt_plan_place *place,
                                       const struct sxt_layout *layout,
                                       const struct sxt_sft_values *v,
                                       size_t most_inputs)
{
    struct sxt_comm ranks = { .size = place->ranks };
    struct sxt_zero3_setup setup = sxt_sft_setup(layout, v, ranks);
    struct sxt_plan_memory m = { .room = place->machine.memory -
                                         place->machine.reserve };

    m.net =
        sxt_sft_room(&setup, v, most_inputs, m.room > 0 ? (size_t)m.room : 0);
    m.all = sxt_sft_memory(&setup, &m.net);
    m.need = (double)m.all.device;
    return m;
}

/* ---- a block ---- */

static double qkv_width(const struct sxt_model_config *c)
{
    return (double)((c->heads + 2 * c->kv_heads) * c->head_dim);
}

/* Two norms (3 and 5 passes over the residual stream with the additions beside
 * them), rotation in place, and gate times up. */
double sxt_plan_moved(const struct sxt_model_config *c, bool backward)
{
    double h = (double)c->hidden, f = (double)c->ffn;

    return 10 * h + 2 * qkv_width(c) + (backward ? 5 : 3) * f;
}

/* Seconds until every rank has `bytes` that lie in equal parts on all, or has
 * sent as much: each byte comes once over the node's links, and once into each
 * node. */
static double wire_time(const struct sxt_plan_place *p, double bytes)
{
    double in_node = p->per_node < p->ranks ? p->per_node : p->ranks;
    double nodes = ceil((double)p->ranks / in_node);
    double near = bytes * (in_node - 1) / in_node / p->machine.link;
    double far = bytes * (nodes - 1) / nodes / (p->machine.network * in_node);

    return larger(near, far);
}

struct sxt_plan_block sxt_plan_block(const struct sxt_plan_place *place,
                                     const struct sxt_layout *layout,
                                     const struct sxt_sft_values *v,
                                     double tokens, double squares)
{
    const struct sxt_model_config *c = &layout->config;
    const struct sxt_machine *m = &place->machine;
    double head = (double)c->vocab * (double)c->hidden;
    double flop = (sxt_model_flop_per_token(c) - 2 * head) / (double)c->layers;
    double down = 2 * (double)c->ffn * (double)c->hidden;
    double norm_and_act = 0.5; /* of what is moved forward */
    double elem = (double)sxt_dtype_size(type_of(v->dtype));
    double speed = m->bandwidth * m->stream / elem;
    double move = tokens * sxt_plan_moved(c, false) / speed;
    /* Scores and sums over values, half of the square: causal. */
    double scores = 2 * squares * (double)(c->heads * c->head_dim);
    double size = (double)layout->unit_size[1];
    double reduce = (double)sxt_dtype_size(type_of(v->reduce_type));

    return (struct sxt_plan_block){
        .forward = tokens * flop / m->matmul + move,
        .again = tokens * (flop - down) / m->matmul + move,
        .again_ffn = tokens * 2 * down / m->matmul + norm_and_act * move,
        .backward = 2 * tokens * flop / m->matmul +
                    tokens * sxt_plan_moved(c, true) / speed,
        .attn = scores / (m->matmul * m->attn),
        .attn_bwd = 2.5 * scores / (m->matmul * m->attn_bwd),
        .gather = wire_time(place, size * elem),
        .reduce = wire_time(place, size * reduce),
    };
}

/* ---- a step ---- */

/* What a round of bins, one for each rank, costs. */
struct round {
    double compute, wire, time; /* of the slowest rank */
};

/* The head's products, forward and backward, and its logits. */
static double head_time(const struct sxt_plan_place *p,
                        const struct sxt_model_config *c, double tokens)
{
    double vocab = (double)c->vocab;

    return tokens * (6 * vocab * (double)c->hidden / p->machine.matmul +
                     10 * vocab / (p->machine.bandwidth * p->machine.stream));
}

static double unit_wire(const struct sxt_plan_place *p,
                        const struct sxt_layout *layout, size_t unit,
                        const char *type)
{
    return wire_time(p, (double)layout->unit_size[unit] *
                            (double)sxt_dtype_size(type_of(type)));
}

/* Blocks forward, the head, blocks backward.  A block's transfer runs beside
 * the kernels of the one before; those of the embedding beside nothing. */
static struct round run_round(const struct sxt_plan_place *p,
                              const struct sxt_layout *layout,
                              const struct sxt_sft_values *v,
                              const struct sxt_net_room *room, double tokens,
                              double squares)
{
    struct sxt_plan_block b = sxt_plan_block(p, layout, v, tokens, squares);
    size_t last = layout->n_units - 1;
    double blocks = (double)layout->config.layers;
    /* shares that compute all twice, and the feed-forward part only */
    double again = 1 - (double)room->keep_attn / blocks;
    double again_ffn = (double)(room->keep_attn - room->keep) / blocks;
    double forward = b.forward + b.attn;
    double backward = b.backward + b.attn_bwd + again * (b.again + b.attn) +
                      again_ffn * b.again_ffn;
    double head = head_time(p, &layout->config, tokens);
    double head_in = unit_wire(p, layout, last, v->dtype);
    double head_out = unit_wire(p, layout, last, v->reduce_type);
    double edges = unit_wire(p, layout, 0, v->dtype) +
                   unit_wire(p, layout, 0, v->reduce_type);
    struct round r;

    r.compute = blocks * (forward + backward) + head;
    r.wire = blocks * (2 * b.gather + b.reduce) + head_in + head_out + edges;
    if (!p->machine.overlaps) {
        r.time = r.compute + r.wire;
        return r;
    }
    r.time = (blocks - 1) * (larger(forward, b.gather) +
                             larger(backward, b.gather + b.reduce)) +
             larger(forward, head_in) + head +
             larger(backward, b.gather + head_out) + edges;
    return r;
}

/* Tokens and squared lengths of a bin. */
static void sum_bin(const struct sxt_pack *pack, const struct sxt_bins *bins,
                    size_t b, double *tokens, double *squares)
{
    *tokens = *squares = 0;
    for (size_t i = bins->first[b]; i < bins->first[b + 1]; i++) {
        double n = (double)pack->length[bins->sample[i]];
        *tokens += n;
        *squares += n * n;
    }
}

/* One step's bins, dealt out in rounds of one for each rank. */
static void add_step(const struct sxt_plan_place *p,
                     const struct sxt_layout *layout,
                     const struct sxt_sft_values *v,
                     const struct sxt_pack *pack, int64_t step,
                     const struct sxt_net_room *room, struct sxt_plan_time *sum)
{
    size_t ranks = (size_t)p->ranks;
    struct sxt_bins bins;

    sxt_pack_step(pack, step, &bins);
    for (size_t begin = 0; begin < bins.n_bins; begin += ranks) {
        struct round slowest = { 0 };
        for (size_t b = begin; b < begin + ranks && b < bins.n_bins; b++) {
            double tokens, squares;
            sum_bin(pack, &bins, b, &tokens, &squares);
            struct round r = run_round(p, layout, v, room, tokens, squares);
            if (r.compute > slowest.compute)
                slowest = r;
            sum->compute += r.compute / (double)ranks;
            sum->tokens += tokens;
            /* two products, forward once and backward twice */
            sum->flop += 3 * 2 * squares *
                         (double)(layout->config.layers * layout->config.heads *
                                  layout->config.head_dim);
        }
        sum->rounds += 1;
        sum->step += slowest.time;
        sum->imbalance += slowest.compute; /* a ratio only in the end */
        sum->wire += slowest.wire;
        sum->exposed += slowest.time - slowest.compute;
    }
    sxt_bins_free(&bins);
}

/* AdamW moves 28 bytes a parameter; what is on the host is hidden behind the
 * next forward pass (a quarter of a round) but must cross the link. */
static double update_time(const struct sxt_plan_place *p,
                          const struct sxt_layout *layout,
                          const struct sxt_sft_values *v, double round)
{
    const struct sxt_machine *m = &p->machine;
    struct sxt_comm ranks = { .size = p->ranks };
    struct sxt_zero3_setup setup = sxt_sft_setup(layout, v, ranks);
    struct sxt_optim_bytes state = sxt_optim_bytes(&setup);
    double mine = (double)sxt_model_parameters(&layout->config) / p->ranks;
    double away =
        mine * (double)state.host / (double)(state.host + state.device);
    double in_node = p->per_node < p->ranks ? p->per_node : p->ranks;
    double device = 28 * (mine - away) / (m->bandwidth * m->stream);
    double host =
        m->host_bandwidth > 0
            ? 28 * away * in_node / m->host_bandwidth + 6 * away / m->host_link
            : 0;

    return device + larger(0, host - round / 4);
}

static void count_bytes(const struct sxt_plan_place *p,
                        const struct sxt_layout *layout,
                        const struct sxt_sft_values *v, struct sxt_plan_time *t)
{
    double part = (p->ranks - 1.0) / p->ranks, blocks = 0, edges;
    size_t last = layout->n_units - 1;

    for (size_t u = 1; u < last; u++)
        blocks += (double)layout->unit_size[u];
    edges = (double)layout->unit_size[0] + (double)layout->unit_size[last];
    t->gathered = t->rounds * part * (2 * blocks + edges) *
                  (double)sxt_dtype_size(type_of(v->dtype));
    t->reduced = t->rounds * part * (blocks + edges) *
                 (double)sxt_dtype_size(type_of(v->reduce_type));
}

struct sxt_plan_time sxt_plan_time(const struct sxt_plan_place *place,
                                   const struct sxt_layout *layout,
                                   const struct sxt_sft_values *v,
                                   const struct sxt_plan_work *work,
                                   const struct sxt_net_room *room)
{
    enum { MOST = 32 }; /* steps that are looked at */
    struct sxt_plan_time t = { 0 };
    int64_t n = work->steps < MOST ? work->steps : MOST;
    double slowest;

    for (int64_t i = 0; i < n; i++)
        add_step(place, layout, v, &work->pack, 1 + i * work->steps / n, room,
                 &t);
    slowest = t.imbalance / (double)n;
    t.tokens /= (double)n;
    t.rounds /= (double)n;
    t.compute /= (double)n;
    t.wire /= (double)n;
    t.exposed /= (double)n;
    t.step /= (double)n;
    t.flop = t.flop / (double)n +
             3 * t.tokens * sxt_model_flop_per_token(&layout->config);
    t.imbalance = slowest / t.compute;
    t.update = update_time(place, layout, v, t.step / t.rounds);
    t.step += t.update;
    count_bytes(place, layout, v, &t);
    return t;
}

/* ---- drawing answers ---- */

/* Of a step in a group: a rank receives the others' outputs, twice a block,
 * and nothing hides that. */
static double exchange_time(const struct sxt_machine *m,
                            const struct sxt_layout *layout, double rows_bytes)
{
    const struct sxt_model_config *c = &layout->config;
    double others = (double)layout->parts - 1;

    if (others == 0)
        return 0;
    return others * 2 * (double)(c->layers * c->hidden) * rows_bytes / m->link;
}

struct sxt_plan_serve sxt_plan_serve(const struct sxt_machine *m,
                                     const struct sxt_layout *layout,
                                     const struct sxt_plan_ask *ask)
{
    struct sxt_plan_serve s = { .room = m->memory - m->reserve };
    double elem = (double)sxt_dtype_size(ask->type);
    double position =
        (double)sxt_paged_position_bytes(&layout->config, ask->type);
    /* Seen at a random moment, an answer is E[l^2] / (2 E[l]) long. */
    double live =
        ask->prompt + ask->answer * (1 + ask->spread * ask->spread) / 2;
    struct sxt_engine_size none = { (size_t)ask->batch, 1, 1, 1, 1 };

    for (size_t u = 0; u < layout->n_units; u++)
        s.weights += elem * (double)layout->unit_size[u];
    s.work = (double)sxt_engine_bytes(layout, ask->type, &none);
    s.cache = s.room - s.weights - s.work;
    if (ask->cache > 0 && ask->cache < s.cache)
        s.cache = ask->cache;
    if (s.cache < position * (ask->prompt + ask->answer))
        return s;
    s.batch = floor(s.cache / (position * live));
    s.batch = s.batch < ask->batch ? s.batch : ask->batch;
    s.batch = larger(s.batch, 1);
    s.cache = s.batch * position * live;
    double bytes = s.weights + s.cache;
    double flop = s.batch * sxt_model_flop_per_token(&layout->config);
    double compute =
        larger(bytes / (m->bandwidth * m->stream), flop / m->matmul);
    s.rate = s.batch / (compute + exchange_time(m, layout, s.batch * elem)) /
             (double)layout->parts;
    return s;
}

/* ---- samples nobody has seen yet ---- */

size_t *sxt_plan_lengths(size_t n, double mean, double spread, size_t most,
                         uint64_t seed)
{
    struct sxt_rng rng = { seed, sxt_rng_stream("plan lengths", 0, 0) };
    double variance = log(1 + spread * spread);
    size_t *length = sxt_alloc(n, sizeof(*length));

    for (size_t i = 0; i < n; i++) {
        double x =
            mean * exp(sqrt(variance) * sxt_rng_normal(rng, i) - variance / 2);
        length[i] = x < 1 ? 1 : x > (double)most ? most : (size_t)x;
    }
    return length;
}
