/* select_write.c - train.h5, and what people see of a selection. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "h5/out.h"
#include "stage/formats.h"
#include "stage/select.h"

static const char *const reasons[SXT_REJECT_REASONS] = {
    "",          "verdict", "cut off", "format", "contaminated",
    "duplicate", "surplus", "quota"
};

/* "verdict: wrong" says more than "verdict". */
static void set_reason(struct sxt_frame *f, const struct sxt_selection *s,
                       size_t row)
{
    if (s->reason[row] == SXT_REJECT_VERDICT) {
        char *text = sxt_printf(
            "verdict: %s",
            sxt_verdict_name((enum sxt_verdict_kind)s->verdict[row]));
        sxt_frame_set_string(f, SXT_TRAIN_REASON, text);
        free(text);
    } else {
        sxt_frame_set_string(f, SXT_TRAIN_REASON, reasons[s->reason[row]]);
    }
}

static void add_row(struct sxt_frame *f, const struct sxt_selection *s,
                    size_t row)
{
    size_t problem = s->problem_of[row];
    struct sxt_span id = sxt_problems_id(s->problems, problem);
    struct sxt_span source = sxt_problems_source(s->problems, problem);
    struct sxt_span user = sxt_problems_prompt(s->problems, problem);
    struct sxt_span text = sxt_frame_text(s->texts, 0, row - s->first);
    int64_t sample = sxt_frame_i64(s->names, SXT_SELECT_SAMPLE, row);

    sxt_frame_add(f);
    sxt_frame_set_text(f, SXT_TRAIN_ID, id.data, id.len);
    sxt_frame_set_i64(f, SXT_TRAIN_SAMPLE, sample);
    sxt_frame_set_u64(f, SXT_TRAIN_KEY,
                      sxt_hash64_combine(sxt_problems_key(s->problems, problem),
                                         (uint64_t)sample));
    sxt_frame_set_text(f, SXT_TRAIN_SOURCE, source.data, source.len);
    if (s->system.len > 0)
        sxt_frame_set_text(f, SXT_TRAIN_SYSTEM, s->system.data, s->system.len);
    sxt_frame_set_text(f, SXT_TRAIN_USER, user.data, user.len);
    sxt_frame_set_text(f, SXT_TRAIN_ASSISTANT, text.data, text.len);
    set_reason(f, s, row);
}

int sxt_select_write(const struct sxt_run *run, const struct sxt_selection *s,
                     const char *output, const struct sxt_sources *from,
                     struct sxt_error *err)
{
    struct sxt_frame *kept = sxt_frame_create(sxt_train_columns);
    struct sxt_frame *rejects = sxt_frame_create(sxt_train_columns);
    struct sxt_out *out =
        sxt_run_create(run, output, SXT_TRAIN_FORMAT, 1, "Samples to train on",
                       (const char *const *)from->path, from->n, err);
    int rc = out ? 0 : -1;

    for (size_t i = s->first; i < s->first + s->count; i++)
        add_row(s->reason[i] == SXT_KEEP ? kept : rejects, s, i);
    if (rc == 0)
        rc = sxt_out_frame(out, "train", kept, err);
    if (rc == 0)
        rc = sxt_out_frame(out, "rejects", rejects, err);
    if (rc == 0)
        rc = sxt_out_commit(out, err);
    else
        sxt_out_abandon(out);
    sxt_frame_destroy(kept);
    sxt_frame_destroy(rejects);
    if (rc == 0)
        sxt_log(&run->log, SXT_LOG_INFO, "wrote  %s", output);
    return rc;
}

static void print_line(const struct sxt_run *run, struct sxt_span source,
                       const size_t *count)
{
    struct sxt_str line = SXT_STR_EMPTY;
    size_t all = 0;

    for (int r = 0; r < SXT_REJECT_REASONS; r++)
        all += count[r];
    if (all == 0)
        return;
    sxt_str_add(&line, "  %-20.*s %8zu %8zu %6.1f %%", (int)source.len,
                source.data, all, count[SXT_KEEP],
                100.0 * (double)count[SXT_KEEP] / (double)all);
    for (int r = 1; r < SXT_REJECT_REASONS; r++)
        if (count[r] > 0)
            sxt_str_add(&line, "  %s %zu", reasons[r], count[r]);
    sxt_log(&run->log, SXT_LOG_INFO, "%s", line.data);
    sxt_str_free(&line);
}

void sxt_select_print(const struct sxt_run *run, const struct sxt_selection *s)
{
    size_t n, total[SXT_REJECT_REASONS] = { 0 };
    struct sxt_span *source = sxt_problems_sources(s->problems, &n);

    sxt_log(&run->log, SXT_LOG_INFO, "  %-20s %8s %8s %8s", "source", "answers",
            "kept", "rate");
    for (size_t k = 0; k < n; k++) {
        size_t count[SXT_REJECT_REASONS] = { 0 };
        for (size_t i = 0; i < s->n; i++) {
            struct sxt_span own =
                sxt_problems_source(s->problems, s->problem_of[i]);
            bool mine = own.len == source[k].len &&
                        memcmp(own.data, source[k].data, own.len) == 0;
            count[s->reason[i]] += mine;
        }
        for (int r = 0; r < SXT_REJECT_REASONS; r++)
            total[r] += count[r];
        print_line(run, source[k], count);
    }
    if (n > 1)
        print_line(run, sxt_span("all"), total);
    if (total[SXT_KEEP] == 0)
        sxt_log(&run->log, SXT_LOG_WARN,
                "nothing is kept: there is nothing to train on");
    free(source);
}
