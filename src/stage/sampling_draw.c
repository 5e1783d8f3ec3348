/* sampling_draw.c - one queue, an engine on every rank, and the progress. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "dev/room.h"
#include "par/queue.h"
#include "stage/sampling_impl.h"
#include "stage/status.h"

static const double progress_s = 10; /* between lines */
static const double totals_s = 0.5;  /* between additions to the totals */

/* What the totals of the queue are. */
enum { ANSWERS, TOKENS, TOKENS_DONE, LEAST_US, BUSY_US, IN_PASSES, PASSES };

/* A draw under way on this rank. */
struct drawing {
    struct sxt_sampler *s;
    const struct sxt_ask *ask;
    const struct sxt_draw *draw;
    struct sxt_engine *engine;
    struct sxt_queue *queue;
    struct sxt_error *err;
    int rc;
    size_t length, in_flight; /* of the engine; answers at a time, at most */
    size_t next, end;         /* items of the neighbours drawn last */
    struct sxt_prompt prompt; /* item `next`, if `ready` */
    bool ready, dry;          /* dry: the queue has nothing more */
    struct sxt_str news;      /* prompts that the group does not know of yet */
    struct sxt_sampling_report local;
    size_t done_tokens;             /* of finished answers */
    int64_t told[SXT_QUEUE_TOTALS]; /* part of the totals that is ours */
    double begin, told_at, line_at, shown_at;
    double looked, turned_at, longest_s; /* for the stop: file, turns */
    enum sxt_stop why;
};

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- sizes ---- */

static double weight_bytes(const struct sxt_sampler *s)
{
    double elements = 0;

    if (s->head.quantized)
        return (double)sxt_qmodel_bytes(&s->part, s->head.format, s->type);
    for (size_t i = 0; i < s->part.n_units; i++)
        elements += (double)s->part.unit_size[i];
    return elements * (double)sxt_dtype_size(s->type);
}

/* Bytes that are free for each rank, weights counted as loaded.  Before that,
 * of the node; then of the device.  A group's engines are alike, so this is the
 * least of its ranks'.  Collective. */
static double free_bytes(const struct sxt_sampler *s)
{
    double bytes = s->dev ? (double)sxt_dev_room(s->dev, s->on_node)
                          : (double)sxt_host_room("") / s->on_node;

    if (!s->weights)
        bytes -= weight_bytes(s);
    return -(double)sxt_comm_max(s->group, -(int64_t)bytes);
}

/* Bytes that the cache of each rank may take.  A GPU is for nothing else, but
 * its libraries take some too; a processor's memory holds files as well. */
static double cache_limit(const struct sxt_sampler *s, double left,
                          const struct sxt_engine_size *size)
{
    struct sxt_engine_size none = *size;

    if (s->serving->cache_mib > 0)
        return (double)s->serving->cache_mib * 1048576;
    none.pages = 0;
    if (s->dev && sxt_dev_gpus(s->dev) > 0)
        left = 0.9 * left - (double)sxt_engine_bytes(&s->part, s->type, &none);
    else
        left /= 2;
    return left > 0 ? left : 0;
}

/* No rank begins more than its share of a small job: the others would idle. */
static int size_engine(const struct sxt_sampler *s, const struct sxt_draw *draw,
                       const struct sxt_ask *ask, double left,
                       struct sxt_engine_size *size, struct sxt_error *err)
{
    const struct sxt_serving *v = s->serving;
    size_t groups = max((size_t)s->run->comm.size / s->part.parts, 1);
    size_t share = max(ask->together, (ask->n + groups - 1) / groups);
    size_t position = sxt_paged_position_bytes(&s->part.config, s->type);
    size_t length = s->context;

    if (ask->longest > 0)
        length = min(length, ask->longest + draw->max_tokens);
    *size =
        (struct sxt_engine_size){ .batch = min((size_t)v->batch, max(share, 1)),
                                  .chunk = (size_t)v->chunk,
                                  .length = length,
                                  .block = (size_t)v->block };
    size_t each = (length + size->block - 1) / size->block;
    double limit = cache_limit(s, left, size);
    double fit = limit / (double)(position * size->block);
    size->pages =
        min(each * size->batch, fit < 1e9 ? (size_t)fit : (size_t)1e9);
    if (size->pages < each)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "one answer of %zu positions needs %.0f MiB of cache, "
                       "and there are %.0f MiB beside weights and work space: "
                       "raise engine.tensor_parallel or engine.cache_mib, or "
                       "lower sampling.max_tokens, engine.context, "
                       "engine.batch or engine.chunk",
                       length,
                       (double)(each * size->block * position) / 1048576,
                       limit / 1048576);
    return 0;
}

static void tell_memory(const struct sxt_sampler *s, double left,
                        const struct sxt_engine_size *size,
                        enum sxt_log_level level)
{
    const struct sxt_layout *layout = &s->part;
    double cache = (double)(size->pages * size->block) *
                   (double)sxt_paged_position_bytes(&layout->config, s->type);
    double logits = (double)size->batch * (double)layout->config.vocab * 4;
    double engine = (double)sxt_engine_bytes(layout, s->type, size);
    char weights[32], pages[32], drawn[32], rest[32], room[32];

    sxt_log_count(weight_bytes(s), weights);
    sxt_log_count(cache, pages);
    sxt_log_count(logits, drawn);
    sxt_log_count(engine - cache - logits, rest);
    sxt_log_count(left + (s->weights ? 0 : weight_bytes(s)), room);
    sxt_log(&s->run->log, level,
            "memory of a rank  weights %sB  cache %sB  logits %sB  "
            "activations %sB  free %sB",
            weights, pages, drawn, rest, room);
    sxt_log(&s->run->log, level,
            "engine  %zu answers at a time  %zu positions each, at most  "
            "%zu pages of %zu",
            size->batch, size->length, size->pages, size->block);
    if (engine > left)
        sxt_log(&s->run->log, SXT_LOG_WARN,
                "this rank's share of the node's free memory is too small for "
                "that: use fewer ranks on a node, or lower engine.batch, "
                "engine.chunk or engine.cache_mib");
}

/* What an engine gets; logged.  Collective. */
static int plan_engine(const struct sxt_sampler *s, const struct sxt_draw *draw,
                       const struct sxt_ask *ask, enum sxt_log_level level,
                       struct sxt_engine_size *size, struct sxt_error *err)
{
    double left = free_bytes(s);
    int rc = size_engine(s, draw, ask, left, size, err);

    if (sxt_comm_agree(s->run->comm, rc, err) != 0)
        return -1;
    tell_memory(s, left, size, level);
    return 0;
}

/* ---- items ---- */

static void give(struct drawing *d, const struct sxt_answer *a)
{
    if (d->rc == 0)
        d->rc = d->ask->answer(d->ask->context, a, d->err);
}

static void take_answer(void *context, const struct sxt_answer *a)
{
    struct drawing *d = context;

    d->local.answers++;
    d->done_tokens += a->n;
    d->local.stopped += a->finish == SXT_FINISH_STOP;
    d->local.loops += a->finish == SXT_FINISH_LOOP;
    give(d, a);
}

static void take_unfinished(void *context, const struct sxt_answer *a)
{
    if (a->n > 0)
        give(context, a);
}

/* Nothing can be drawn: an empty answer, finish length. */
static void refuse(struct drawing *d)
{
    struct sxt_answer a = { .item = d->prompt.item,
                            .key = d->prompt.key,
                            .prompt_ids = d->prompt.ids,
                            .n_prompt = d->prompt.n,
                            .finish = SXT_FINISH_LENGTH,
                            .text = { "", 0 } };

    d->local.answers++;
    d->local.too_long++;
    d->ready = false;
    give(d, &a);
}

/* Have the next prompt ready; false if there is none (yet). */
static bool next_prompt(struct drawing *d)
{
    uint64_t group;

    if (d->ready)
        return true;
    if (d->next == d->end) {
        int rc = d->dry ? -1 : sxt_queue_poll(d->queue, &group);
        d->dry = rc < 0;
        if (rc != 1)
            return false;
        d->next = (size_t)group * d->ask->together;
        d->end = min(d->next + d->ask->together, d->ask->n);
    }
    d->prompt = (struct sxt_prompt){ .item = d->next };
    d->rc = d->ask->prompt(d->ask->context, d->next, &d->prompt, d->err);
    d->next++;
    d->ready = d->rc == 0;
    return d->ready;
}

static void fill_engine(struct drawing *d)
{
    while (d->rc == 0 && sxt_engine_active(d->engine) < d->in_flight &&
           next_prompt(d)) {
        if (d->prompt.n == 0 || d->prompt.n + d->prompt.n_given >= d->length) {
            refuse(d);
            continue;
        }
        if (!sxt_engine_room(d->engine, &d->prompt))
            return;
        sxt_engine_add(d->engine, &d->prompt);
        sxt_group_add(&d->news, &d->prompt);
        d->ready = false;
    }
}

/* ---- progress ---- */

/* Bring our part of the totals up to date. */
static void tell_totals(struct drawing *d)
{
    struct sxt_engine_stats e = sxt_engine_stats(d->engine);
    int64_t now[SXT_QUEUE_TOTALS] = {
        [ANSWERS] = (int64_t)d->local.answers,
        [TOKENS] = (int64_t)e.drawn_tokens,
        [TOKENS_DONE] = (int64_t)d->done_tokens,
        [LEAST_US] = (int64_t)(e.least_seconds * 1e6),
        [BUSY_US] = (int64_t)(e.seconds * 1e6),
        [IN_PASSES] = (int64_t)e.answer_steps,
        [PASSES] = (int64_t)e.steps,
    };
    int64_t more[SXT_QUEUE_TOTALS];

    for (int i = 0; i < SXT_QUEUE_TOTALS; i++) {
        more[i] = now[i] - d->told[i];
        d->told[i] = now[i];
    }
    sxt_queue_add(d->queue, more);
    d->told_at = sxt_clock();
}

/* Seconds until all answers are there.  Tokens by answers ended is the mean
 * length if any token may be the last; but no answer exceeds max_tokens. */
static double seconds_left(const struct drawing *d,
                           const int64_t t[SXT_QUEUE_TOTALS], double elapsed)
{
    double open = (double)((int64_t)d->ask->n - t[ANSWERS]);
    double most = open * (double)d->draw->max_tokens -
                  (double)(t[TOKENS] - t[TOKENS_DONE]);
    double tokens = (double)t[TOKENS], left = most;

    if (t[ANSWERS] > 0 && open * tokens / (double)t[ANSWERS] < most)
        left = open * tokens / (double)t[ANSWERS];
    return elapsed / tokens * left;
}

static void tell_status(const struct drawing *d,
                        const int64_t t[SXT_QUEUE_TOTALS], double left)
{
    size_t before = d->ask->before;
    struct sxt_status_now now = {
        .doing = "drawing",
        .unit = "answers",
        .done = (double)((int64_t)before + t[ANSWERS]),
        .total = (double)(before + d->ask->n),
        .tokens = (double)t[TOKENS],
        .left_s = left,
        .gpus = sxt_dev_gpus(d->s->dev),
    };

    sxt_status_tell(d->s->run, &now);
}

/* Rank 0: print a line if it is time; true if all answers are there. */
static bool watch_totals(struct drawing *d)
{
    int64_t t[SXT_QUEUE_TOTALS];
    double now = sxt_clock(), elapsed = now - d->begin;
    double left = 0;
    char tokens[32], rate[32], rest[32], limit[SXT_FORETOLD] = "";

    sxt_queue_totals(d->queue, t);
    if (t[TOKENS] > 0)
        left = seconds_left(d, t, elapsed);
    tell_status(d, t, left);
    if (now - d->line_at >= progress_s) {
        d->line_at = now;
        sxt_log_count((double)t[TOKENS], tokens);
        sxt_log_count((double)t[TOKENS] / elapsed, rate);
        snprintf(rest, sizeof(rest), "unknown");
        if (t[TOKENS] > 0) {
            sxt_log_duration(left, rest);
            sxt_run_foretell(d->s->run, 2 * d->longest_s, left, "answer ",
                             (double)t[ANSWERS], (double)d->ask->n, limit);
        }
        sxt_log(&d->s->run->log, SXT_LOG_INFO,
                "answers %lld of %zu  tokens %s  rate %s tok/s  batch %.1f  "
                "roofline %.0f %%  ETA %s%s",
                (long long)t[ANSWERS], d->ask->n, tokens, rate,
                (double)t[IN_PASSES] / (double)(t[PASSES] + !t[PASSES]),
                100 * (double)t[LEAST_US] / (double)(t[BUSY_US] + !t[BUSY_US]),
                rest, limit);
    }
    return t[ANSWERS] >= (int64_t)d->ask->n;
}

/* ---- the loop ---- */

/* The longest turn so far, with the saving in it: as long as that and once more
 * must be left before the next one. */
static void measure_turn(struct drawing *d)
{
    double now = sxt_clock();

    if (now - d->turned_at > d->longest_s)
        d->longest_s = now - d->turned_at;
    d->turned_at = now;
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* Tell all ranks if this one was told to stop, or has failed. */
static void pass_on(struct drawing *d)
{
    measure_turn(d);
    if (d->why == SXT_STOP_NOT)
        d->why = sxt_run_told(d->s->run, &d->looked, 2 * d->longest_s);
    if (d->why != SXT_STOP_NOT || d->rc != 0)
        sxt_queue_stop(d->queue);
}

/* One turn; false at the end. */
static bool turn(struct drawing *d)
{
    bool leader = d->s->run->comm.rank == 0, all = false;

    pass_on(d);
    if (sxt_queue_stopped(d->queue))
        return false;
    fill_engine(d);
    if (sxt_engine_active(d->engine) > 0)
        sxt_group_step(d->s->group, &d->news);
    sxt_engine_step(d->engine, take_answer, d);
    if (d->rc == 0 && d->ask->tick)
        d->rc = d->ask->tick(d->ask->context, d->err);
    if (d->ask->snapshot_s > 0 &&
        sxt_clock() - d->shown_at >= d->ask->snapshot_s) {
        sxt_engine_each(d->engine, take_unfinished, d);
        d->shown_at = sxt_clock();
    }
    bool idle = sxt_engine_active(d->engine) == 0;
    if (idle || sxt_clock() - d->told_at > totals_s) {
        tell_totals(d);
        all = leader && watch_totals(d);
    }
    if (idle)
        nap();
    /* Rank 0 stays to print, and to serve the queue, until all are done. */
    return d->rc != 0 || !idle || d->ready || !d->dry || (leader && !all);
}

/* A group's work is counted once. */
static void report(struct drawing *d, struct sxt_sampling_report *r)
{
    struct sxt_comm comm = d->s->run->comm;
    struct sxt_engine_stats e = { 0 };

    if (d->s->group.rank == 0)
        e = sxt_engine_stats(d->engine);
    double busy = sxt_comm_sum_f64(comm, e.seconds);
    double passes = sxt_comm_sum_f64(comm, (double)e.steps);
    struct rusage use;

    *r = d->local;
    r->answers = (size_t)sxt_comm_sum(comm, (int64_t)d->local.answers);
    r->stopped = (size_t)sxt_comm_sum(comm, (int64_t)d->local.stopped);
    r->loops = (size_t)sxt_comm_sum(comm, (int64_t)d->local.loops);
    r->too_long = (size_t)sxt_comm_sum(comm, (int64_t)d->local.too_long);
    r->prompt_tokens = sxt_comm_sum_f64(comm, (double)e.prompt_tokens);
    r->shared_tokens = sxt_comm_sum_f64(comm, (double)e.shared_tokens);
    r->drawn_tokens = sxt_comm_sum_f64(comm, (double)e.drawn_tokens);
    r->waits = sxt_comm_sum_f64(comm, (double)e.waits);
    r->steps = passes;
    r->replays = sxt_comm_sum_f64(comm, (double)e.replays);
    r->roofline = busy > 0 ? sxt_comm_sum_f64(comm, e.least_seconds) / busy : 0;
    r->batch =
        sxt_comm_sum_f64(comm, e.answer_steps) / (passes > 0 ? passes : 1);
    r->seconds = sxt_clock() - d->begin;
    getrusage(RUSAGE_SELF, &use);
    r->peak_bytes = 1024 * (double)sxt_comm_max(comm, use.ru_maxrss);
}

static int draw_all(struct drawing *d, struct sxt_sampling_report *r,
                    struct sxt_error *err)
{
    struct sxt_comm comm = d->s->run->comm;
    size_t groups = (d->ask->n + d->ask->together - 1) / d->ask->together;

    sxt_engine_set_peak(d->engine, d->s->peak.bytes_per_s,
                        d->s->peak.flop_per_s);
    d->queue = sxt_queue_create(comm, groups);
    d->begin = sxt_clock();
    d->told_at = d->line_at = d->shown_at = d->turned_at = d->begin;
    if (d->s->group.rank == 0) {
        while (turn(d))
            continue;
        sxt_group_end(d->s->group);
    } else {
        while (sxt_group_follow(d->s->group, d->engine))
            pass_on(d);
    }
    bool stopped = sxt_queue_stopped(d->queue);
    if (d->s->group.rank == 0)
        sxt_engine_abandon(d->engine, take_unfinished, d);
    sxt_queue_destroy(d->queue);
    if (r)
        report(d, r);
    if (sxt_comm_agree(comm, d->rc, err) != 0)
        return -1;
    enum sxt_stop why = (enum sxt_stop)sxt_comm_max(comm, d->why);
    if (sxt_comm_max(comm, stopped) == 0)
        return 0;
    return sxt_run_stopped(why, err, "while drawing answers");
}

int sxt_sampler_draw(struct sxt_sampler *s, const struct sxt_draw *draw,
                     const struct sxt_ask *ask, struct sxt_sampling_report *r,
                     struct sxt_error *err)
{
    struct drawing d = { .s = s, .draw = draw, .ask = ask, .err = err };
    struct sxt_engine_size size;

    SXT_CHECK(ask->together > 0);
    if (sxt_sampler_load(s, err) != 0)
        return -1;
    if (plan_engine(s, draw, ask, SXT_LOG_VERBOSE, &size, err) != 0)
        return -1;
    d.length = size.length;
    d.in_flight = size.batch;
    d.engine = sxt_engine_create(&s->part, &s->weights->params, s->num, s->tok,
                                 &size, draw);
    sxt_engine_set_replay(d.engine, s->serving->replay);
    int rc = draw_all(&d, r, err);
    sxt_str_free(&d.news);
    sxt_engine_destroy(d.engine);
    return rc;
}

int sxt_sampler_estimate(struct sxt_sampler *s, const struct sxt_draw *draw,
                         const struct sxt_ask *ask, struct sxt_error *err)
{
    struct sxt_engine_size size;

    return plan_engine(s, draw, ask, SXT_LOG_INFO, &size, err);
}

void sxt_sampling_report_print(const struct sxt_run *run,
                               const struct sxt_sampling_report *r)
{
    char drawn[32], prompts[32], shared[32], wall[32], peak[32];
    double rate = r->seconds > 0 ? r->drawn_tokens / r->seconds : 0;

    sxt_log_count(r->drawn_tokens, drawn);
    sxt_log_count(r->prompt_tokens, prompts);
    sxt_log_count(r->shared_tokens, shared);
    sxt_log_duration(r->seconds, wall);
    sxt_log_count(r->peak_bytes, peak);
    sxt_log(&run->log, SXT_LOG_INFO,
            "drawn  %zu answers  %s tokens  in %s  (%zu ended by the model, "
            "%zu loops, %zu prompts too long)",
            r->answers, drawn, wall, r->stopped, r->loops, r->too_long);
    sxt_log(&run->log, SXT_LOG_INFO,
            "prompts  %s tokens computed  %s shared  waits for pages %.0f  "
            "memory of a rank %sB  steps %.0f  of them replayed %.0f",
            prompts, shared, r->waits, peak, r->steps, r->replays);
    sxt_log(&run->log, SXT_LOG_INFO,
            "Performance: %.6g tokens/s  %.3g tokens/s/rank  batch %.3g  "
            "roofline %.3g %%",
            rate, rate / run->comm.size, r->batch, 100 * r->roofline);
}
