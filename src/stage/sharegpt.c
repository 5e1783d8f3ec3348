/* sharegpt.c - training samples from and to ShareGPT lines. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "h5/out.h"
#include "stage/formats.h"
#include "stage/select.h"

/* ---- export ---- */

static struct sxt_json *turn(const char *from, struct sxt_span value)
{
    struct sxt_json *v = sxt_json_object();

    sxt_json_set(v, "from", sxt_json_new_text(from, strlen(from)));
    sxt_json_set(v, "value", sxt_json_new_text(value.data, value.len));
    return v;
}

static void add_line(const struct sxt_frame *f, size_t row, struct sxt_str *out)
{
    struct sxt_json *line = sxt_json_object(), *turns = sxt_json_array();
    struct sxt_span system = sxt_frame_text(f, SXT_TRAIN_SYSTEM, row);
    struct sxt_span id = sxt_frame_text(f, SXT_TRAIN_ID, row);
    struct sxt_span source = sxt_frame_text(f, SXT_TRAIN_SOURCE, row);

    sxt_json_append(turns,
                    turn("user", sxt_frame_text(f, SXT_TRAIN_USER, row)));
    sxt_json_append(
        turns, turn("assistant", sxt_frame_text(f, SXT_TRAIN_ASSISTANT, row)));
    sxt_json_set(line, "system", sxt_json_new_text(system.data, system.len));
    sxt_json_set(line, "conversations", turns);
    sxt_json_set(line, "id", sxt_json_new_text(id.data, id.len));
    sxt_json_set(line, "sample",
                 sxt_json_new_int(sxt_frame_i64(f, SXT_TRAIN_SAMPLE, row)));
    sxt_json_set(line, "source", sxt_json_new_text(source.data, source.len));
    sxt_json_print(line, 0, out);
    sxt_str_add_char(out, '\n');
    sxt_json_free(line);
}

int sxt_select_export(const struct sxt_run *run, const char *train,
                      const char *lines, struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(train, SXT_TRAIN_FORMAT, err);
    struct sxt_str out = SXT_STR_EMPTY;
    struct sxt_frame *f = NULL;
    size_t rows = 0;
    int rc = -1;

    if (in && sxt_in_rows(in, "train", &rows, err) == 0)
        rc = sxt_in_frame(in, "train", sxt_train_columns, 0, rows, &f, err);
    for (size_t i = 0; rc == 0 && i < rows; i++)
        add_line(f, i, &out);
    if (rc == 0)
        rc = sxt_file_write(lines, out.data ? out.data : "", out.len, err);
    if (rc == 0)
        sxt_log(&run->log, SXT_LOG_INFO, "wrote  %s  %zu samples", lines, rows);
    sxt_frame_destroy(f);
    sxt_str_free(&out);
    if (in)
        sxt_in_close(in);
    return rc;
}

/* ---- import ---- */

/* The value of the first turn by one of two names; {NULL, 0} if none. */
static struct sxt_span value_of(const struct sxt_json *turns, const char *name,
                                const char *other)
{
    for (size_t i = 0; i < sxt_json_count(turns); i++) {
        const struct sxt_json *t = sxt_json_item(turns, i);
        const char *from = sxt_json_string(sxt_json_get(t, "from"), "");
        if (strcmp(from, name) == 0 || strcmp(from, other) == 0)
            return sxt_json_text(sxt_json_get(t, "value"));
    }
    return (struct sxt_span){ NULL, 0 };
}

static void set_text(struct sxt_frame *f, size_t column,
                     const struct sxt_json *text, struct sxt_span other)
{
    struct sxt_span s = sxt_json_text(text);

    s = s.data ? s : other;
    if (s.len > 0)
        sxt_frame_set_text(f, column, s.data, s.len);
}

static int add_sample(struct sxt_frame *f, const struct sxt_json *v,
                      const char *path, size_t line, struct sxt_error *err)
{
    const struct sxt_json *turns = sxt_json_get(v, "conversations");
    struct sxt_span user = value_of(turns, "user", "human");
    struct sxt_span assistant = value_of(turns, "assistant", "gpt");

    if (sxt_json_count(turns) != 2 || !user.data || assistant.len == 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%s:%zu: no conversation of one question and one "
                       "answer",
                       path, line);
    const char *name = sxt_path_base(path);
    char *id = sxt_printf("%.*s/%zu", (int)strcspn(name, "."), name, line);
    sxt_frame_add(f);
    set_text(f, SXT_TRAIN_ID, sxt_json_get(v, "id"), sxt_span(id));
    sxt_frame_set_i64(f, SXT_TRAIN_SAMPLE,
                      sxt_json_int(sxt_json_get(v, "sample"), 0));
    sxt_frame_set_u64(f, SXT_TRAIN_KEY, sxt_hash64(id, strlen(id), 0));
    set_text(f, SXT_TRAIN_SOURCE, sxt_json_get(v, "source"),
             sxt_span("sharegpt"));
    set_text(f, SXT_TRAIN_SYSTEM, sxt_json_get(v, "system"),
             (struct sxt_span){ "", 0 });
    sxt_frame_set_text(f, SXT_TRAIN_USER, user.data, user.len);
    sxt_frame_set_text(f, SXT_TRAIN_ASSISTANT, assistant.data, assistant.len);
    free(id);
    return 0;
}

/* Rank 0 reads; the file is read once and written once. */
static int read_samples(const char *path, struct sxt_frame *f,
                        struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(path, err);
    struct sxt_json *v;
    size_t line;
    int rc;

    if (!in)
        return -1;
    while ((rc = sxt_jsonl_next(in, &v, &line, err)) > 0) {
        int bad = add_sample(f, v, path, line, err);
        sxt_json_free(v);
        if (bad) {
            rc = -1;
            break;
        }
    }
    sxt_jsonl_close(in);
    return rc;
}

int sxt_select_import(const struct sxt_run *run, const struct sxt_select *v,
                      const char *output, struct sxt_error *err)
{
    struct sxt_frame *train = sxt_frame_create(sxt_train_columns);
    struct sxt_frame *rejects = sxt_frame_create(sxt_train_columns);
    char *path = sxt_run_path(run, v->from_sharegpt);
    const char *inputs[] = { path };
    struct sxt_out *out = NULL;
    int rc = run->comm.rank == 0 ? read_samples(path, train, err) : 0;

    rc = sxt_comm_agree(run->comm, rc, err);
    int64_t rows = sxt_comm_sum(run->comm, (int64_t)sxt_frame_rows(train));
    if (rc == 0 && !run->dry_run) {
        out = sxt_run_create(run, output, SXT_TRAIN_FORMAT, 1,
                             "Samples to train on", inputs, 1, err);
        rc = out ? 0 : -1;
        if (rc == 0)
            rc = sxt_out_frame(out, "train", train, err);
        if (rc == 0)
            rc = sxt_out_frame(out, "rejects", rejects, err);
        if (rc == 0)
            rc = sxt_out_commit(out, err);
        else
            sxt_out_abandon(out);
    }
    if (rc == 0)
        sxt_log(&run->log, SXT_LOG_INFO, "%s  %s  %lld samples",
                run->dry_run ? "would write" : "wrote", output,
                (long long)rows);
    sxt_frame_destroy(train);
    sxt_frame_destroy(rejects);
    free(path);
    return rc;
}
