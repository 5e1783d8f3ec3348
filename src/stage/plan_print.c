/* plan_print.c - a plan as people read it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stage/plan_impl.h"

static const double mib = 1024 * 1024;

static void say(const struct sxt_planner *p, const char *text)
{
    sxt_log(&p->run->log, SXT_LOG_INFO, "%s", text);
}

void sxt_plan_print_machine(const struct sxt_planner *p)
{
    const struct sxt_machine *m = &p->place.machine;
    const struct sxt_log *log = &p->run->log;

    sxt_log(log, SXT_LOG_INFO,
            "%s  %d ranks, %d on a node  %.4g GB a rank, %.3g of it reserved",
            m->name, p->place.ranks, p->place.per_node, m->memory / 1e9,
            m->reserve / 1e9);
    sxt_log(log, SXT_LOG_INFO,
            "assumed: %.4g TFLOP/s in products (peak %.4g)  %.4g GB/s of "
            "memory, %.0f %% reached  %.4g GB/s in the node  %.3g GB/s between "
            "nodes",
            m->matmul / 1e12, m->peak / 1e12, m->bandwidth / 1e9,
            100 * m->stream, m->link / 1e9, m->network / 1e9);
    sxt_log(log, SXT_LOG_INFO, "from: %s; what was given goes over it",
            m->about);
}

/* ---- memory ---- */

static void row(const struct sxt_planner *p, const char *what, double bytes,
                const char *note)
{
    sxt_log(&p->run->log, SXT_LOG_INFO, "  %-12s %10.1f%s%s", what, bytes / mib,
            note[0] ? "  " : "", note);
}

static void print_memory(const struct sxt_planner *p)
{
    const struct sxt_plan_memory *m = &p->memory;
    const struct sxt_sft_memory *a = &m->all;
    char kept[80];

    sxt_sft_describe_room(&m->net, p->layout.config.layers, kept);
    say(p, "memory of a rank, MiB");
    row(p, "parameters", (double)a->zero3.params, "");
    row(p, "gathered", (double)a->zero3.gathered, "whole units");
    row(p, "optimizer", (double)a->optim.device, "moments and f32 remainders");
    row(p, "gradients", (double)a->zero3.grads, "f32 sums");
    row(p, "reducing", (double)a->zero3.reducing, "whole units");
    row(p, "activations", (double)sxt_sft_memory_for(a, SXT_DEV_ACTIVATIONS),
        kept);
    row(p, "  inputs", (double)a->net.inputs, "of blocks");
    row(p, "  made", (double)a->net.made, "by products and attention");
    row(p, "  work", (double)a->net.work, "of one block");
    row(p, "  logits", (double)a->net.head, "a chunk, with gradients");
    row(p, "together", (double)a->device, "");
    row(p, "there are", m->room, m->need <= m->room ? "fits" : "DOES NOT FIT");
    if (a->host > 0)
        row(p, "on the host", (double)a->host, "pinned");
}

/* ---- changes that would make it fit ---- */

struct change {
    struct sxt_plan_place place;
    struct sxt_sft_values sft;
};

static bool fits(const struct sxt_planner *p, const struct change *c)
{
    size_t most = p->work.most_inputs;

    if (most > (size_t)c->sft.max_tokens)
        most = (size_t)c->sft.max_tokens;
    struct sxt_plan_memory m =
        sxt_plan_memory(&c->place, &p->layout, &c->sft, most);
    return m.need <= m.room;
}

static void try_ranks(const struct sxt_planner *p, struct change c)
{
    for (int times = 2; times <= 64; times *= 2) {
        c.place.ranks = p->place.ranks * times;
        if (fits(p, &c)) {
            sxt_log(&p->run->log, SXT_LOG_INFO, "  plan.ranks=%d",
                    c.place.ranks);
            return;
        }
    }
}

static void try_tokens(const struct sxt_planner *p, struct change c)
{
    for (int64_t t = (c.sft.max_tokens - 1) / 512 * 512; t >= 512; t -= 512) {
        c.sft.max_tokens = t;
        if (fits(p, &c)) {
            sxt_log(&p->run->log, SXT_LOG_INFO,
                    "  sft.max_tokens=%" PRId64 "%s", t,
                    c.sft.cutoff > t ? "  and a cutoff as short: longer "
                                       "samples lose their end"
                                     : "");
            return;
        }
    }
}

static void try_offload(const struct sxt_planner *p, struct change c)
{
    for (int tenth = 0; tenth <= 10; tenth++) {
        c.sft.offload_fraction = tenth / 10.0;
        if (fits(p, &c)) {
            sxt_log(
                &p->run->log, SXT_LOG_INFO, "  sft.offload_fraction=%g%s%s",
                c.sft.offload_fraction,
                c.sft.offload_residuals ? " sft.offload_residuals=true" : "",
                c.sft.offload_parameters ? " sft.offload_parameters=true" : "");
            return;
        }
    }
}

/* The smallest change of each kind that fits. */
void sxt_plan_print_changes(const struct sxt_planner *p)
{
    struct change c = { p->place, *p->sft };
    char any[] = "auto";

    if (p->memory.need <= p->memory.room)
        return;
    say(p, "any of these would fit");
    if (strcmp(c.sft.recompute, "none") == 0) {
        c.sft.recompute = any;
        if (fits(p, &c))
            say(p, "  sft.recompute=auto");
    }
    try_tokens(p, c);
    try_ranks(p, c);
    for (const struct sxt_machine *m = sxt_machines; m->per_node > 0; m++) {
        struct change other = c;
        other.place.machine = *m;
        if (c.place.machine.per_node > 0 && fits(p, &other))
            sxt_log(&p->run->log, SXT_LOG_INFO, "  plan.machine=%s", m->name);
    }
    try_offload(p, c);
    c.sft.offload_residuals = true;
    try_offload(p, c);
    c.sft.offload_parameters = true;
    try_offload(p, c);
}

/* ---- time and the rest ---- */

static void print_work(const struct sxt_planner *p)
{
    const struct sxt_plan_work *w = &p->work;
    char parameters[32], tokens[32], step[32];

    sxt_log_count((double)sxt_model_parameters(&p->layout.config), parameters);
    sxt_log_count(w->tokens, tokens);
    sxt_log_count(p->time.tokens, step);
    sxt_log(&p->run->log, SXT_LOG_INFO,
            "sft  %s  %s parameters  %zu samples, %s tokens an epoch, %s",
            p->model_name, parameters, w->pack.n_samples, tokens,
            p->from_files ? "as they are in the files" : "lengths assumed");
    sxt_log(&p->run->log, SXT_LOG_INFO,
            "%" PRId64 " steps of %" PRId64
            " samples  %s tokens a step in %.1f rounds  largest bin %zu tokens",
            w->steps, p->sft->batch, step, p->time.rounds, w->most_inputs);
}

static void print_step(const struct sxt_planner *p)
{
    const struct sxt_plan_time *t = &p->time;
    const struct sxt_log *log = &p->run->log;

    say(p, "seconds of a step, projected");
    if (p->v->mfu > 0) {
        sxt_log(log, SXT_LOG_INFO, "  together     %10.4g  from mfu %.3g",
                t->step, p->v->mfu);
    } else {
        sxt_log(log, SXT_LOG_INFO, "  computing    %10.4g", t->compute);
        sxt_log(log, SXT_LOG_INFO,
                "  idling       %10.4g  the slowest rank is %.1f %% above the "
                "mean",
                t->compute * (t->imbalance - 1), 100 * (t->imbalance - 1));
        sxt_log(log, SXT_LOG_INFO,
                "  waiting      %10.4g  of %.4g s of transfers", t->exposed,
                t->wire);
        sxt_log(log, SXT_LOG_INFO, "  optimizer    %10.4g", t->update);
        sxt_log(log, SXT_LOG_INFO, "  together     %10.4g", t->step);
    }
    sxt_log(log, SXT_LOG_INFO,
            "a rank receives %.4g GB of parameters and %.4g GB of gradients a "
            "step",
            t->gathered / 1e9, t->reduced / 1e9);
}

/* What lies on disks and in the nodes' own memory. */
static void print_storage(const struct sxt_planner *p)
{
    const struct sxt_plan_place *place = &p->place;
    const struct sxt_sft_values *v = p->sft;
    struct sxt_sft_disk disk = sxt_sft_disk(&p->layout, v);
    double in_node =
        place->per_node < place->ranks ? place->per_node : place->ranks;
    double host = (double)p->memory.all.host + 4 * p->work.tokens;

    if (place->machine.per_node == 0)
        host += p->memory.need;
    sxt_log(
        &p->run->log, SXT_LOG_INFO,
        "disk: %" PRId64 " checkpoints of %.4g GB and one being written, "
        "the base model and the tuned one of %.4g GB each: %.4g GB in "
        "%" PRId64 " files",
        v->checkpoint.keep, disk.checkpoint / 1e9, disk.model / 1e9,
        (disk.checkpoint * (double)(v->checkpoint.keep + 1) + 2 * disk.model) /
            1e9,
        v->checkpoint.keep + 5);
    sxt_log(&p->run->log, SXT_LOG_INFO,
            "host memory: %.4g GB on a node, and what the libraries need",
            host * in_node / 1e9);
}

static double saves(const struct sxt_planner *p, double hours)
{
    const struct sxt_sft_values *v = p->sft;
    double n = 0;

    if (v->checkpoint.every_steps > 0)
        n += floor((double)(p->work.steps - 1) /
                   (double)v->checkpoint.every_steps);
    if (v->checkpoint.every_minutes > 0)
        n += floor(60 * hours / v->checkpoint.every_minutes);
    return n;
}

static void print_total(const struct sxt_planner *p)
{
    const struct sxt_machine *m = &p->place.machine;
    const struct sxt_log *log = &p->run->log;
    double step = p->time.step, rate = p->time.tokens / step;
    double hours = step * (double)p->work.steps / 3600;
    double n = saves(p, hours);
    double save = sxt_sft_disk(&p->layout, p->sft).checkpoint / m->disk;
    double all = hours + n * save / 3600, ranks = p->place.ranks;
    double share = p->time.flop / (step * ranks * m->peak);

    sxt_log(log, SXT_LOG_INFO,
            "projected: %.4g tokens/s, %.4g a rank, %.1f %% of the peak rate "
            "in model FLOP",
            rate, rate / ranks, 100 * share);
    sxt_log(log, SXT_LOG_INFO,
            "projected: %.3g h of steps and %.2g h for %.0f checkpoints of "
            "%.3g s  %.4g rank-hours  %.4g $",
            hours, n * save / 3600, n, save, all * ranks,
            all * ranks * m->price);
    sxt_log(log, SXT_LOG_INFO,
            "Projection: %.6g s/step  %.6g tokens/s  %.6g h  %.6g $  %.6g "
            "GB/rank  %s",
            step, rate, all, all * ranks * m->price, p->memory.need / 1e9,
            p->memory.need <= p->memory.room ? "fits" : "does not fit");
}

void sxt_plan_print_sft(const struct sxt_planner *p)
{
    print_work(p);
    print_memory(p);
    print_step(p);
    print_storage(p);
    print_total(p);
}
