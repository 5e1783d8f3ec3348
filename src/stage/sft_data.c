/* sft_data.c - what is to be learned, and in which steps. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "stage/formats.h"
#include "stage/sft.h"

static const char *const too_long_words[] = { "truncate", "drop", "refuse" };

static int open_base(struct sxt_sft *s, struct sxt_error *err)
{
    char *path = sxt_run_path(s->run, s->v->model);
    int rc = -1;

    s->base = sxt_in_open(path, SXT_MODEL_FORMAT, err);
    if (s->base)
        rc = sxt_model_read_head(s->base, &s->head, err);
    if (rc == 0)
        rc = sxt_model_need_plain(&s->head, path, "fine-tuning", err);
    if (rc == 0) {
        s->tok = sxt_model_tokenizer(&s->head, path, err);
        rc = s->tok ? sxt_chat_init(&s->chat, s->tok, err) : -1;
    }
    free(path);
    return sxt_comm_agree(s->run->comm, rc, err);
}

/* Some values of every tensor: rank 0 reads them for all. */
static int identify_base(struct sxt_sft *s, struct sxt_error *err)
{
    int rc = 0;

    if (s->run->comm.rank == 0)
        rc = sxt_model_fingerprint(s->base, &s->head, &s->base_id, err);
    if (sxt_comm_agree(s->run->comm, rc, err) != 0)
        return -1;
    sxt_comm_broadcast(s->run->comm, &s->base_id, sizeof(s->base_id), 0);
    return 0;
}

/* Does generation with this model stop at the token? */
static bool model_stops_at(const struct sxt_sft *s, int32_t id)
{
    const struct sxt_model_config *config = &s->head.layout.config;

    for (size_t i = 0; i < config->n_eos; i++)
        if (config->eos[i] == id)
            return true;
    return false;
}

static int make_rule(struct sxt_sft *s, struct sxt_tokens_rule *rule,
                     struct sxt_error *err)
{
    const struct sxt_sft_values *v = s->v;
    size_t positions = s->head.layout.config.max_positions;

    *rule = (struct sxt_tokens_rule){
        .chat = &s->chat,
        .end_id = sxt_tokenizer_id(s->tok, v->end_token),
        .cutoff = (size_t)(v->cutoff > 0 ? v->cutoff : v->max_tokens),
    };
    for (size_t i = 0; i < 3; i++)
        if (strcmp(v->too_long, too_long_words[i]) == 0)
            rule->too_long = (enum sxt_too_long)i;
    if (rule->end_id < 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "end_token: the tokenizer has no token %s",
                       v->end_token);
    if (v->cutoff > v->max_tokens)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "cutoff (%" PRId64 ") must not exceed max_tokens "
                       "(%" PRId64 ")",
                       v->cutoff, v->max_tokens);
    if (rule->cutoff > positions) {
        if (v->cutoff > 0)
            return sxt_err(err, SXT_EXIT_CONFIG,
                           "cutoff (%zu) exceeds the model's %zu positions",
                           rule->cutoff, positions);
        rule->cutoff = positions;
    }
    if (!model_stops_at(s, rule->end_id))
        sxt_log(&s->run->log, SXT_LOG_WARN,
                "end_token %s is not among the model's end ids: generation "
                "must be told to stop at it",
                v->end_token);
    return 0;
}

static int read_tokens(struct sxt_sft *s, const char *name,
                       const struct sxt_tokens_rule *rule,
                       struct sxt_tokens *tokens, struct sxt_error *err)
{
    char *path = sxt_run_path(s->run, name);
    struct sxt_in *in = sxt_in_open(path, SXT_TRAIN_FORMAT, err);
    int rc = sxt_comm_agree(s->run->comm, in ? 0 : -1, err);

    if (rc == 0)
        rc = sxt_tokens_read(tokens, s->run->comm, in, rule, err);
    if (in)
        sxt_in_close(in);
    if (rc == 0)
        sxt_log(&s->run->log, SXT_LOG_INFO,
                "%s  %zu samples  %" PRIu64 " tokens  %zu truncated  %zu "
                "dropped",
                path, tokens->n, tokens->first[tokens->n], tokens->n_cut,
                tokens->n_dropped);
    free(path);
    return rc;
}

/* Hold out a part of the training samples, the same whatever the rank. */
static int hold_out(struct sxt_sft *s, struct sxt_error *err)
{
    struct sxt_tokens all = s->train.tokens;
    struct sxt_rng rng = { (uint64_t)s->v->seed,
                           sxt_rng_stream("hold out", 0, 0) };
    size_t n = (size_t)ceil(s->v->eval_fraction * (double)all.n);
    uint64_t *order;

    if (n == 0)
        return 0;
    if (n >= all.n)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "eval_fraction leaves none of %zu samples to train on",
                       all.n);
    order = sxt_alloc(all.n, sizeof(*order));
    sxt_rng_permutation(rng, order, all.n);
    sxt_tokens_pick(&all, order, n, &s->eval.tokens);
    sxt_tokens_pick(&all, order + n, all.n - n, &s->train.tokens);
    free(order);
    sxt_tokens_free(&all);
    return 0;
}

/* Cost of a sample in forward FLOP: matrices, and the triangle of scores. */
struct sxt_pack sxt_sft_pack(const struct sxt_sft_values *v,
                             const struct sxt_model_config *c,
                             const size_t *length, size_t n)
{
    return (struct sxt_pack){
        .seed = (uint64_t)v->seed,
        .n_samples = n,
        .length = length,
        .batch = (size_t)v->batch,
        .drop_rest = v->drop_rest,
        .max_tokens = (size_t)v->max_tokens,
        .bin_multiple = (size_t)v->bin_multiple,
        .token_cost = sxt_model_flop_per_token(c),
        .pair_cost = 2.0 * (double)(c->layers * c->heads * c->head_dim),
    };
}

static struct sxt_pack make_pack(const struct sxt_sft *s,
                                 const struct sxt_tokens *tokens)
{
    return sxt_sft_pack(s->v, &s->head.layout.config, tokens->length,
                        tokens->n);
}

static void count_bins(struct sxt_sft *s, const struct sxt_sft_set *set,
                       const struct sxt_bins *bins)
{
    for (size_t b = 0; b < bins->n_bins; b++) {
        size_t n = 0;
        for (size_t i = bins->first[b]; i < bins->first[b + 1]; i++)
            n += set->pack.length[bins->sample[i]];
        s->most_inputs = n > s->most_inputs ? n : s->most_inputs;
    }
}

static void plan_schedule(struct sxt_sft *s)
{
    const struct sxt_sft_values *v = s->v;
    double total = (double)s->total_steps;
    int64_t warmup = v->schedule.warmup_steps;

    if (warmup == 0)
        warmup = (int64_t)ceil(v->schedule.warmup_ratio * total);
    s->sched = (struct sxt_lrsched){
        .kind = (enum sxt_lr_kind)sxt_lrsched_kind(v->schedule.kind),
        .lr = v->lr,
        .floor = v->schedule.floor < v->lr ? v->schedule.floor : v->lr,
        .warmup = warmup,
        .total = s->total_steps,
        .t_0 = v->schedule.t_0,
        .t_mult = v->schedule.t_mult,
        .decay = (int64_t)ceil(v->schedule.decay_ratio * total),
    };
}

/* Steps, and the largest bin there will be: it sizes the work space. */
static int plan_steps(struct sxt_sft *s, struct sxt_error *err)
{
    const struct sxt_sft_values *v = s->v;
    struct sxt_bins bins;

    s->train.pack = make_pack(s, &s->train.tokens);
    s->steps_per_epoch = sxt_pack_steps_per_epoch(&s->train.pack);
    if (s->steps_per_epoch == 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "%zu samples do not fill one batch of %" PRId64
                       ", and drop_rest leaves them out",
                       s->train.tokens.n, v->batch);
    s->total_steps =
        v->max_steps > 0 ? v->max_steps : v->epochs * s->steps_per_epoch;
    plan_schedule(s);
    for (int64_t step = 1; step <= s->total_steps; step++) {
        sxt_pack_step(&s->train.pack, step, &bins);
        count_bins(s, &s->train, &bins);
        sxt_bins_free(&bins);
    }
    if (s->eval.tokens.n == 0)
        return 0;
    s->eval.pack = make_pack(s, &s->eval.tokens);
    sxt_pack_all(&s->eval.pack, &bins);
    count_bins(s, &s->eval, &bins);
    sxt_bins_free(&bins);
    return 0;
}

/* Whatever changes the numbers of a run, a line each. */
static void list_settings(struct sxt_sft *s)
{
    const struct sxt_sft_values *v = s->v;
    const struct sxt_lrsched *l = &s->sched;
    struct sxt_str *t = &s->settings;

    sxt_str_add(t, "model = %zu parameters, %016" PRIx64 "\n",
                sxt_model_parameters(&s->head.layout.config), s->base_id);
    sxt_str_add(t, "train = %016" PRIx64 "\n",
                sxt_tokens_hash(&s->train.tokens));
    sxt_str_add(t, "eval = %016" PRIx64 "\n",
                s->eval.tokens.n > 0 ? sxt_tokens_hash(&s->eval.tokens) : 0);
    sxt_str_add(t,
                "batch = %" PRId64 "\nmax_tokens = %" PRId64
                "\nbin_multiple = %" PRId64 "\ndrop_rest = %d\n",
                v->batch, v->max_tokens, v->bin_multiple, v->drop_rest);
    sxt_str_add(t, "steps = %" PRId64 "\nseed = %" PRId64 "\n", s->total_steps,
                v->seed);
    sxt_str_add(t, "dtype = %s\nreduce_type = %s\nbackend = %s\n", v->dtype,
                v->reduce_type, v->placement.backend);
    sxt_str_add(t, "lr = %.17g\nschedule = %s, floor %.17g, warm-up %" PRId64,
                l->lr, v->schedule.kind, l->floor, l->warmup);
    sxt_str_add(t, ", t_0 %" PRId64 ", t_mult %" PRId64 ", decay %" PRId64 "\n",
                l->t_0, l->t_mult, l->decay);
    sxt_str_add(t, "adamw = %.17g %.17g %.17g\nweight_decay = %.17g\n",
                v->adamw.beta1, v->adamw.beta2, v->adamw.eps,
                v->adamw.weight_decay);
    sxt_str_add(t, "clip = %.17g\non_nonfinite = %s\n", v->clip,
                v->on_nonfinite);
}

int sxt_sft_load(struct sxt_sft *s, struct sxt_error *err)
{
    struct sxt_tokens_rule rule;

    if (open_base(s, err) != 0 || identify_base(s, err) != 0 ||
        make_rule(s, &rule, err) != 0 ||
        read_tokens(s, s->v->train, &rule, &s->train.tokens, err) != 0)
        return -1;
    if (s->v->eval[0] != '\0') {
        if (read_tokens(s, s->v->eval, &rule, &s->eval.tokens, err) != 0)
            return -1;
    } else if (hold_out(s, err) != 0) {
        return -1;
    }
    if (plan_steps(s, err) != 0)
        return -1;
    list_settings(s);
    return 0;
}

void sxt_sft_unload(struct sxt_sft *s)
{
    sxt_str_free(&s->settings);
    sxt_tokens_free(&s->train.tokens);
    sxt_tokens_free(&s->eval.tokens);
    sxt_tokenizer_destroy(s->tok);
    sxt_model_head_free(&s->head);
    if (s->base)
        sxt_in_close(s->base);
}

int sxt_sft_show_sample(const struct sxt_sft *s, struct sxt_error *err)
{
    const struct sxt_tokens *t = &s->train.tokens;
    size_t i = (size_t)s->v->show_sample;
    struct sxt_str text[2] = { SXT_STR_EMPTY, SXT_STR_EMPTY };
    const int32_t *ids;
    size_t n, prompt;

    if (i >= t->n)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "show_sample: there are samples 0 to %zu", t->n - 1);
    ids = t->ids + t->first[i];
    n = t->length[i] + 1;
    prompt = t->prompt[i];
    sxt_tokenizer_decode(s->tok, ids, prompt, false, &text[0]);
    sxt_tokenizer_decode(s->tok, ids + prompt, n - prompt, false, &text[1]);
    sxt_log(&s->run->log, SXT_LOG_INFO,
            "sample %zu\n---- read only: %zu tokens\n%s\n---- learned: %zu "
            "tokens\n%s\n----",
            i, prompt, text[0].data, n - prompt, text[1].data);
    sxt_str_free(&text[0]);
    sxt_str_free(&text[1]);
    return 0;
}
