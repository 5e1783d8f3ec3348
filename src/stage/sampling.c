/* sampling.c - opening a model, and what a command's values ask of it. */
#include "stage/sampling.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dev/coll.h"
#include "stage/sampling_impl.h"
#include "stage/status.h"

#define AT(field) offsetof(struct sxt_sampling, field)
const struct sxt_cfg_param sxt_sampling_params[] = {
    { "temperature", SXT_CFG_REAL, "model", 0, 100, "1",
      "Divides the logits; 0 takes the most probable token.", AT(temperature),
      "model", NULL },
    { "top_p", SXT_CFG_REAL, "model", 0, 1, "1",
      "Keep the most probable tokens that reach this sum; 1: off.", AT(top_p),
      "model", NULL },
    { "top_k", SXT_CFG_INT, "model", 0, 1e6, "tokens",
      "Keep this many of the most probable tokens; 0: off.", AT(top_k), "model",
      NULL },
    { "min_p", SXT_CFG_REAL, "model", 0, 1, "1",
      "Keep tokens at least this probable relative to the best; 0: off.",
      AT(min_p), "model", NULL },
    { "repetition_penalty", SXT_CFG_REAL, "model", 0.1, 10, "1",
      "Divides the positive logits of tokens that were there; 1: off.",
      AT(repetition_penalty), "model", NULL },
    { "seed", SXT_CFG_INT, "1", 0, 9e15, "1", "Seed of all draws.", AT(seed),
      NULL, NULL },
    { "max_tokens", SXT_CFG_INT, "4096", 1, 1e7, "tokens",
      "An answer ends here at the latest.", AT(max_tokens), NULL, NULL },
    { "min_tokens", SXT_CFG_INT, "0", 0, 1e7, "tokens",
      "No end token and no stop string before this many.", AT(min_tokens), NULL,
      NULL },
    { "stop", SXT_CFG_STRINGS, "", 0, 0, "1",
      "Texts that end an answer, besides the model's end tokens.", AT(stop),
      NULL, NULL },
    { "stop_loops", SXT_CFG_BOOL, "true", 0, 0, "1",
      "End an answer that repeats itself without end.", AT(stop_loops), NULL,
      NULL },
    { .name = NULL }
};
#undef AT

#define AT(field) offsetof(struct sxt_serving, field)
const struct sxt_cfg_param sxt_serving_params[] = {
    { "", SXT_CFG_GROUP, "", 0, 0, "1", "Where to draw.", AT(placement), NULL,
      sxt_placement_params },
    { "dtype", SXT_CFG_CHOICE, "bf16", 0, 0, "1",
      "Type of weights, cache and activations.", AT(dtype), "bf16|f32", NULL },
    { "tensor_parallel", SXT_CFG_INT, "1", 1, 64, "ranks",
      "Neighbouring ranks that have one model between them; divides the ranks, "
      "and the model's key-value heads.",
      AT(tensor_parallel), NULL, NULL },
    { "batch", SXT_CFG_INT, "64", 1, 4096, "answers",
      "Answers under way at a time on each rank (group of ranks), at most.",
      AT(batch), NULL, NULL },
    { "chunk", SXT_CFG_INT, "256", 1, 65536, "tokens",
      "Tokens of a prompt per pass.", AT(chunk), NULL, NULL },
    { "block", SXT_CFG_INT, "32", 1, 4096, "positions",
      "Positions of a page of the key-value cache.", AT(block), NULL, NULL },
    { "context", SXT_CFG_INT, "0", 0, 1e8, "positions",
      "Prompt and answer together, at most; 0: what the model allows.",
      AT(context), NULL, NULL },
    { "cache_mib", SXT_CFG_INT, "0", 0, 1e9, "MiB",
      "Key-value cache of each rank; 0: as needed, up to half the free memory, "
      "on a GPU up to nine tenths.",
      AT(cache_mib), NULL, NULL },
    { "replay", SXT_CFG_BOOL, "true", 0, 0, "1",
      "Record a step of decoding once for a number of answers, and replay it "
      "(CUDA graphs).",
      AT(replay), NULL, NULL },
    { "bandwidth_gbs", SXT_CFG_REAL, "0.0", 0, 1e6, "GB/s",
      "Memory bandwidth of each rank, for the roofline; 0: measured.",
      AT(bandwidth_gbs), NULL, NULL },
    { "gflops", SXT_CFG_REAL, "0.0", 0, 1e9, "GFLOP/s",
      "Matrix rate of each rank, for the roofline; 0: measured.", AT(gflops),
      NULL, NULL },
    { .name = NULL }
};
#undef AT

static int check_context(struct sxt_sampler *s, struct sxt_error *err)
{
    size_t most = s->head.layout.config.max_positions;
    size_t asked = (size_t)s->serving->context;

    if (asked > most)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "engine.context = %zu, but %s has %zu positions", asked,
                       s->path, most);
    s->context = asked > 0 ? asked : most;
    return 0;
}

static int open_model(struct sxt_sampler *s, struct sxt_error *err)
{
    s->in = sxt_in_open(s->path, SXT_MODEL_FORMAT, err);
    if (!s->in || sxt_model_read_head(s->in, &s->head, err) != 0)
        return -1;
    s->tok = sxt_model_tokenizer(&s->head, s->path, err);
    if (!s->tok || sxt_chat_init(&s->chat, s->tok, err) != 0)
        return -1;
    if (check_context(s, err) != 0)
        return -1;
    if (s->run->comm.rank != 0)
        return 0;
    return sxt_model_fingerprint(s->in, &s->head, &s->fingerprint, err);
}

struct sxt_sampler *sxt_sampler_open(const struct sxt_run *run,
                                     const char *model,
                                     const struct sxt_serving *serving,
                                     struct sxt_error *err)
{
    struct sxt_sampler *s = sxt_calloc(1, sizeof(*s));

    s->run = run;
    s->serving = serving;
    s->path = sxt_run_path(run, model);
    s->type = strcmp(serving->dtype, "f32") == 0 ? SXT_F32 : SXT_BF16;
    s->on_node = sxt_comm_on_node(run->comm);
    if (sxt_comm_agree(run->comm, open_model(s, err), err) != 0 ||
        sxt_sampler_join(s, err) != 0) {
        sxt_sampler_close(s);
        return NULL;
    }
    sxt_comm_broadcast(run->comm, &s->fingerprint, sizeof(s->fingerprint), 0);
    return s;
}

void sxt_sampler_close(struct sxt_sampler *s)
{
    if (!s)
        return;
    sxt_weights_destroy(s->weights);
    sxt_coll_destroy(s->coll);
    sxt_num_destroy(s->num);
    sxt_dev_destroy(s->dev);
    sxt_tokenizer_destroy(s->tok);
    sxt_layout_free(&s->part);
    sxt_model_head_free(&s->head);
    if (s->joined)
        sxt_comm_free(&s->group);
    sxt_in_close(s->in);
    free(s->path);
    free(s);
}

static int load_weights(struct sxt_sampler *s, struct sxt_error *err)
{
    s->weights = sxt_weights_load(s->in, &s->part, s->dev, s->type, err);
    if (!s->weights)
        return -1;
    s->weights->params.group = s->coll;
    return 0;
}

int sxt_sampler_load(struct sxt_sampler *s, struct sxt_error *err)
{
    char text[200];

    if (s->weights)
        return 0;
    sxt_status_doing(s->run, "loading");
    if (sxt_placement_open(s->run, &s->serving->placement, SXT_NUM_GENERATE,
                           &s->dev, &s->num, err) != 0)
        return -1;
    if (s->group.size > 1) {
        s->coll = sxt_coll_create(s->dev, s->group);
        sxt_log(&s->run->log, SXT_LOG_INFO, "groups exchange by %s",
                sxt_coll_about(s->coll));
    }
    if (sxt_comm_agree(s->run->comm, load_weights(s, err), err) != 0)
        return -1;
    sxt_in_close(s->in);
    s->in = NULL;
    s->peak = sxt_peak_measure(
        s->num, s->type,
        (struct sxt_peak){ .bytes_per_s = 1e9 * s->serving->bandwidth_gbs,
                           .flop_per_s = 1e9 * s->serving->gflops });
    sxt_num_describe(s->num, text);
    sxt_log(&s->run->log, SXT_LOG_INFO, "kernels  %s", text);
    sxt_log(&s->run->log, SXT_LOG_INFO,
            "limits  memory %.3g GB/s  matrices %.3g GFLOP/s  per rank",
            s->peak.bytes_per_s / 1e9, s->peak.flop_per_s / 1e9);
    return 0;
}

const struct sxt_tokenizer *sxt_sampler_tokenizer(const struct sxt_sampler *s)
{
    return s->tok;
}

const struct sxt_chat *sxt_sampler_chat(const struct sxt_sampler *s)
{
    return &s->chat;
}

const struct sxt_model_config *sxt_sampler_config(const struct sxt_sampler *s)
{
    return &s->head.layout.config;
}

uint64_t sxt_sampler_fingerprint(const struct sxt_sampler *s)
{
    return s->fingerprint;
}

static void add_stop_id(struct sxt_draw *d, int32_t id)
{
    for (size_t i = 0; i < d->n_stop_ids; i++)
        if (d->stop_id[i] == id)
            return;
    if (id >= 0 && d->n_stop_ids < SXT_MAX_STOP_IDS)
        d->stop_id[d->n_stop_ids++] = id;
}

/* The numbers that the model may decide. */
enum { TEMPERATURE, TOP_P, MIN_P, REPETITION_PENALTY, TOP_K, N_KNOBS };

struct knob {
    const char *name;
    double value;
    const char *origin;
};

static void turn_knobs(const struct sxt_sampler *s,
                       const struct sxt_sampling *v, struct knob knob[N_KNOBS])
{
    const struct sxt_model_draw *m = &s->head.layout.config.draw;
    const struct {
        const char *name;
        double set, model, other;
    } from[N_KNOBS] = {
        [TEMPERATURE] = { "temperature", v->temperature, m->temperature, 0.7 },
        [TOP_P] = { "top_p", v->top_p, m->top_p, 0.95 },
        [MIN_P] = { "min_p", v->min_p, m->min_p, 0 },
        [REPETITION_PENALTY] = { "repetition_penalty", v->repetition_penalty,
                                 m->repetition_penalty, 1 },
        [TOP_K] = { "top_k", v->top_k == SXT_CFG_WORD ? NAN : (double)v->top_k,
                    m->top_k < 0 ? NAN : (double)m->top_k, 0 },
    };

    for (int i = 0; i < N_KNOBS; i++) {
        bool set = !isnan(from[i].set), model = !isnan(from[i].model);
        knob[i] = (struct knob){ from[i].name,
                                 set     ? from[i].set
                                 : model ? from[i].model
                                         : from[i].other,
                                 set     ? "set"
                                 : model ? "model"
                                         : "default" };
    }
}

void sxt_sampler_describe(const struct sxt_sampler *s,
                          const struct sxt_sampling *v, struct sxt_str *out)
{
    struct knob knob[N_KNOBS];

    turn_knobs(s, v, knob);
    for (int i = 0; i < N_KNOBS; i++)
        sxt_str_add(out, "%s%s %g (%s)", i > 0 ? "  " : "", knob[i].name,
                    knob[i].value, knob[i].origin);
}

void sxt_sampler_tell(const struct sxt_sampler *s, const struct sxt_sampling *v)
{
    struct sxt_str line = SXT_STR_EMPTY;

    sxt_sampler_describe(s, v, &line);
    sxt_log(&s->run->log, SXT_LOG_INFO, "sampling  %s", line.data);
    sxt_str_free(&line);
}

struct sxt_draw sxt_sampler_plan(const struct sxt_sampler *s,
                                 const struct sxt_sampling *v)
{
    const struct sxt_model_config *c = &s->head.layout.config;
    struct knob knob[N_KNOBS];

    turn_knobs(s, v, knob);
    struct sxt_draw d = { .temperature = knob[TEMPERATURE].value,
                          .top_p = knob[TOP_P].value,
                          .min_p = knob[MIN_P].value,
                          .repetition_penalty = knob[REPETITION_PENALTY].value,
                          .top_k = (int32_t)knob[TOP_K].value,
                          .seed = (uint64_t)v->seed,
                          .max_tokens = (size_t)v->max_tokens,
                          .min_tokens = (size_t)v->min_tokens,
                          .stop = v->stop.items,
                          .n_stop = v->stop.count,
                          .stop_loops = v->stop_loops };

    add_stop_id(&d, s->chat.end);
    for (size_t i = 0; i < c->n_eos; i++)
        add_stop_id(&d, c->eos[i]);
    for (size_t i = 0; i < v->stop.count; i++) {
        int32_t id = sxt_tokenizer_id(s->tok, v->stop.items[i]);
        if (id >= 0 && sxt_tokenizer_is_special(s->tok, id))
            add_stop_id(&d, id);
    }
    return d;
}

uint64_t sxt_sampler_settings(const struct sxt_sampler *s,
                              const struct sxt_sampling *v)
{
    struct sxt_draw d = sxt_sampler_plan(s, v);
    double real[] = { d.temperature, d.top_p, d.min_p, d.repetition_penalty };
    uint64_t whole[] = {
        s->fingerprint,          (uint64_t)s->type, s->context,
        (uint64_t)d.top_k,       (uint64_t)v->seed, (uint64_t)v->max_tokens,
        (uint64_t)v->min_tokens, v->stop_loops,     v->stop.count
    };
    uint64_t h = sxt_hash64(real, sizeof(real), 1);

    h = sxt_hash64(whole, sizeof(whole), h);
    for (size_t i = 0; i < v->stop.count; i++)
        h = sxt_hash64(v->stop.items[i], strlen(v->stop.items[i]) + 1, h);
    return h;
}
