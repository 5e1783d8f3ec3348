/* plan_ask.c - what a plan is made for: sections, machine, model, samples. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/roofline.h"
#include "stage/plan_impl.h"
#include "stage/select.h"
#include "stage/stages.h"

/* ---- sections ---- */

static bool for_section(const char *setting, const char *name)
{
    size_t n = strlen(name);

    return strncmp(setting, name, n) == 0 && setting[n] == '.';
}

int sxt_plan_section(const struct sxt_run *run, const char *name, void **values,
                     struct sxt_error *err)
{
    const struct sxt_cfg_section **known = sxt_stage_sections();
    const char **own = sxt_calloc(run->n_settings + 1, sizeof(*own));
    size_t n_own = 0;

    for (size_t i = 0; i < run->n_settings; i++)
        if (for_section(run->settings[i], name))
            own[n_own++] = run->settings[i];
    int rc = sxt_cfg_read(run->config_path, &sxt_stage_find(name)->section,
                          known, own, n_own, values, err);
    free(known);
    free(own);
    return rc;
}

bool sxt_plan_mentions(const struct sxt_run *run, const char *name)
{
    bool found = run->config_path && sxt_cfg_has(run->config_path, name);

    for (size_t i = 0; i < run->n_settings; i++)
        found = found || for_section(run->settings[i], name);
    return found;
}

/* ---- the machine ---- */

/* Rates and free memory of the computer that plan runs on.  Collective. */
static int ask_here(struct sxt_planner *p, struct sxt_error *err)
{
    struct sxt_machine *m = &p->place.machine;
    struct sxt_dev *dev = sxt_dev_create("host", err);
    struct sxt_num *num =
        dev ? sxt_num_create("auto", dev, (int)p->sft->placement.threads, err)
            : NULL;
    int rc = sxt_comm_agree(p->run->comm, num ? 0 : -1, err);

    if (rc == 0) {
        bool wide = strcmp(p->sft->dtype, "f32") == 0;
        struct sxt_peak peak = sxt_peak_measure(num, wide ? SXT_F32 : SXT_BF16,
                                                (struct sxt_peak){ 0, 0 });
        double here = sxt_comm_on_node(p->run->comm);
        double share = here / p->place.per_node;
        m->memory = (double)sxt_dev_room(dev, p->place.per_node);
        m->reserve = m->memory / 4; /* as sft leaves it */
        m->matmul = peak.flop_per_s * (share < 1 ? share : 1);
        m->peak = m->matmul;
        m->bandwidth = peak.bytes_per_s * (share < 1 ? share : 1);
    }
    sxt_num_destroy(num);
    sxt_dev_destroy(dev);
    return rc;
}

/* Of the 8 or so, those that were given. */
static void take_measured(const struct sxt_plan_values *v,
                          struct sxt_machine *m)
{
    const struct {
        double given, unit;
        double *to;
    } list[] = {
        { v->memory_gb, 1e9, &m->memory },
        { v->tflops, 1e12, &m->matmul },
        { v->bandwidth_gbs, 1e9, &m->bandwidth },
        { v->link_gbs, 1e9, &m->link },
        { v->network_gbs, 1e9, &m->network },
        { v->host_gbs, 1e9, &m->host_link },
        { v->disk_gbs, 1e9, &m->disk },
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (list[i].given > 0)
            *list[i].to = list[i].given * list[i].unit;
    if (v->price >= 0)
        m->price = v->price;
}

int sxt_plan_read_machine(struct sxt_planner *p, struct sxt_error *err)
{
    const struct sxt_plan_values *v = p->v;
    const struct sxt_machine *m = sxt_machines;
    int rc = 0;

    while (strcmp(m->name, v->machine) != 0)
        m++;
    p->place.machine = *m;
    p->place.ranks = v->ranks > 0      ? (int)v->ranks
                     : m->per_node > 0 ? m->per_node
                                       : p->run->comm.size;
    p->place.per_node = v->ranks_per_node > 0 ? (int)v->ranks_per_node
                        : m->per_node > 0     ? m->per_node
                                              : p->place.ranks;
    if (m->per_node == 0)
        rc = ask_here(p, err);
    take_measured(v, &p->place.machine);
    return rc;
}

/* ---- the model ---- */

static int read_config(const char *path, struct sxt_layout *layout,
                       struct sxt_error *err)
{
    struct sxt_model_config config;
    struct sxt_json *json = sxt_json_read(path, err);
    int rc = -1;

    if (json)
        rc = sxt_model_config_parse(&config, json, NULL, path, err);
    if (rc == 0)
        sxt_layout_init(layout, &config);
    sxt_json_free(json);
    return rc;
}

static int read_head(const char *path, struct sxt_layout *layout,
                     struct sxt_error *err)
{
    struct sxt_model_head head = { 0 };
    struct sxt_in *in = sxt_in_open(path, NULL, err);
    int rc = in ? sxt_model_read_head(in, &head, err) : -1;

    if (rc == 0)
        sxt_layout_init(layout, &head.layout.config);
    sxt_model_head_free(&head);
    sxt_in_close(in);
    return rc;
}

static int no_model(const char *path, struct sxt_error *err)
{
    struct sxt_str names = SXT_STR_EMPTY;

    sxt_plan_model_names(&names);
    sxt_err(err, SXT_EXIT_NOINPUT,
            "%s is not there yet: say with plan.model what it will be: a "
            "config.json, or one of %s",
            path, names.data);
    sxt_str_free(&names);
    return -1;
}

int sxt_plan_read_model(const struct sxt_run *run, const char *name,
                        struct sxt_layout *layout, struct sxt_error *err)
{
    struct sxt_model_config config;
    char *path = sxt_run_path(run, name);
    int rc;

    if (sxt_plan_model(name, &config)) {
        sxt_layout_init(layout, &config);
        rc = 0;
    } else if (sxt_file_is_directory(path)) {
        char *file = sxt_path_join(path, "config.json");
        rc = read_config(file, layout, err);
        free(file);
    } else if (!sxt_file_exists(path)) {
        rc = no_model(path, err);
    } else if (sxt_ends_with(path, ".json")) {
        rc = read_config(path, layout, err);
    } else {
        rc = read_head(path, layout, err);
    }
    free(path);
    return sxt_comm_agree(run->comm, rc, err);
}

/* ---- samples ---- */

/* The numbers behind the colons of select.quotas. */
static int sum_quotas(const struct sxt_planner *p, int64_t *sum,
                      struct sxt_error *err)
{
    struct sxt_select *select = NULL;

    *sum = 0;
    if (sxt_plan_section(p->run, "select", (void **)&select, err) != 0)
        return -1;
    for (size_t i = 0; i < select->quotas.count; i++) {
        const char *colon = strrchr(select->quotas.items[i], ':');
        *sum += colon ? strtoll(colon + 1, NULL, 10) : 0;
    }
    sxt_cfg_free(&sxt_stage_select.section, select);
    return 0;
}

static int draw_work(struct sxt_planner *p, struct sxt_error *err)
{
    const struct sxt_sft_values *v = p->sft;
    struct sxt_plan_work *w = &p->work;
    int64_t n = p->v->samples, per_epoch;
    size_t cutoff = (size_t)(v->cutoff > 0 ? v->cutoff : v->max_tokens);

    if (n == 0 && sum_quotas(p, &n, err) != 0)
        return -1;
    if (n == 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "how many samples?  %s is not there; say it with "
                       "plan.samples",
                       v->train);
    if (cutoff > (size_t)v->max_tokens)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "sft.cutoff (%zu) must not exceed sft.max_tokens "
                       "(%" PRId64 ")",
                       cutoff, v->max_tokens);
    p->lengths =
        sxt_plan_lengths((size_t)n, p->v->sample_tokens, p->v->sample_spread,
                         cutoff, (uint64_t)v->seed);
    w->pack = sxt_sft_pack(v, &p->layout.config, p->lengths, (size_t)n);
    per_epoch = sxt_pack_steps_per_epoch(&w->pack);
    w->steps = v->max_steps > 0 ? v->max_steps : v->epochs * per_epoch;
    w->most_inputs = (size_t)v->max_tokens; /* it may be full */
    if (w->steps == 0)
        return sxt_err(err, SXT_EXIT_CONFIG,
                       "%" PRId64 " samples do not fill a batch of %" PRId64, n,
                       v->batch);
    return 0;
}

static bool files_are_there(const struct sxt_planner *p)
{
    char *model = sxt_run_path(p->run, p->sft->model);
    char *train = sxt_run_path(p->run, p->sft->train);
    bool there = sxt_file_exists(model) && sxt_file_exists(train);

    free(model);
    free(train);
    return there && p->v->read_samples && p->v->model[0] == '\0' &&
           p->v->samples == 0;
}

int sxt_plan_read_work(struct sxt_planner *p, struct sxt_error *err)
{
    struct sxt_plan_work *w = &p->work;
    int rc = 0;

    p->from_files = files_are_there(p);
    if (p->from_files) {
        p->loaded.run = p->run;
        p->loaded.v = p->sft;
        rc = sxt_sft_load(&p->loaded, err);
        w->pack = p->loaded.train.pack;
        w->steps = p->loaded.total_steps;
        w->most_inputs = p->loaded.most_inputs;
    } else {
        rc = draw_work(p, err);
    }
    for (size_t i = 0; rc == 0 && i < w->pack.n_samples; i++)
        w->tokens += (double)w->pack.length[i];
    return rc;
}
