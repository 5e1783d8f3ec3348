/* weights.c - tests of model files: written in pieces by several ranks, read by
 * units; broken ones. */
#include "model/weights.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"

static const char config_json[] =
    "{\"model_type\": \"qwen2\", \"vocab_size\": 37, \"hidden_size\": 24,"
    "\"intermediate_size\": 21, \"num_hidden_layers\": 2,"
    "\"num_attention_heads\": 6, \"num_key_value_heads\": 3,"
    "\"eos_token_id\": 5}";
static const char tokenizer_json[] = "{\"any\": \"bytes\"}\n";

static char *path_of(const char *name)
{
    const char *dir = getenv("TMPDIR");

    /* All ranks have the same parent: mpirun, or the shell. */
    return sxt_printf("%s/sxt-weights-%d-%s", dir ? dir : "/tmp",
                      (int)getppid(), name);
}

static void drop(struct sxt_comm comm, char *path)
{
    sxt_comm_barrier(comm);
    if (comm.rank == 0)
        sxt_file_remove(path, NULL);
    free(path);
}

static void parse(struct sxt_layout *layout)
{
    struct sxt_model_config config;
    struct sxt_json *json = sxt_json_parse(config_json, sizeof(config_json) - 1,
                                           "config.json", NULL);

    SXT_CHECK(
        sxt_model_config_parse(&config, json, NULL, "config.json", NULL) == 0);
    sxt_layout_init(layout, &config);
    sxt_json_free(json);
}

/* A number that f32 has and bf16 has not, different everywhere. */
static float number(size_t unit, size_t i)
{
    return (float)(unit * 10000 + i) + 0.125f;
}

/* A file with /hf only. */
static void write_hf(struct sxt_comm comm, const char *path)
{
    struct sxt_out *out =
        sxt_out_create(path, comm, "sextant/model", 1, "A test", NULL, NULL);

    SXT_CHECK(out);
    SXT_CHECK(sxt_out_bytes(out, "/hf/config.json", "Test.", config_json,
                            sizeof(config_json) - 1, NULL) == 0);
    SXT_CHECK(sxt_out_bytes(out, "/hf/tokenizer.json", "Test.", tokenizer_json,
                            sizeof(tokenizer_json) - 1, NULL) == 0);
    SXT_CHECK(sxt_out_commit(out, NULL) == 0);
}

/* Ranks cut every unit into ranges of 50 elements, padding included. */
static int write_model(struct sxt_comm comm, const struct sxt_layout *layout,
                       const char *from, const char *path,
                       struct sxt_error *err)
{
    struct sxt_in *in = sxt_in_open(from, NULL, err);
    struct sxt_out *out =
        sxt_out_create(path, comm, SXT_MODEL_FORMAT, 1, "A test", NULL, err);
    int rc = sxt_model_out_begin(out, layout, SXT_H5_F32, in, err);
    size_t turn = 0;

    if (rc == 0)
        rc = sxt_out_data(out, err);
    for (size_t u = 0; u < layout->n_units && rc == 0; u++) {
        for (size_t at = 0; at < layout->unit_size[u]; at += 50) {
            float x[50];
            size_t left = layout->unit_size[u] - at;
            size_t n = left < 50 ? left : 50;
            for (size_t i = 0; i < n; i++)
                x[i] = number(u, at + i);
            if (turn++ % (size_t)comm.size == (size_t)comm.rank && rc == 0)
                rc = sxt_model_out_unit(out, layout, "/tensors", SXT_H5_F32, u,
                                        at, n, x, err);
        }
    }
    sxt_in_close(in);
    rc = sxt_comm_agree(comm, rc, err);
    if (rc == 0)
        return sxt_out_commit(out, err);
    sxt_out_abandon(out);
    return -1;
}

static bool in_a_tensor(const struct sxt_layout *layout, size_t unit, size_t i)
{
    for (size_t k = 0; k < layout->n_tensors; k++) {
        const struct sxt_tensor *t = &layout->tensors[k];
        if (t->unit == unit && i >= t->offset &&
            i < t->offset + t->rows * t->cols)
            return true;
    }
    return false;
}

/* Any range of any unit, in either type. */
static void test_ranges(struct sxt_in *in, const struct sxt_layout *layout,
                        enum sxt_dtype type)
{
    static const size_t steps[] = { 1, 63, 64, 1000000 };
    bool right = true;

    for (size_t s = 0; s < 4; s++) {
        for (size_t u = 0; u < layout->n_units; u++) {
            size_t step = steps[s], size = layout->unit_size[u];
            for (size_t at = 0; at < size; at += 7 * step) {
                size_t n = size - at < step ? size - at : step;
                float *x = sxt_alloc(n, sizeof(float));
                right = right && sxt_model_read_unit(in, layout, u, at, n, type,
                                                     x, NULL) == 0;
                for (size_t i = 0; i < n; i++) {
                    float truth = number(u, at + i);
                    if (!in_a_tensor(layout, u, at + i))
                        truth = 0;
                    if (type == SXT_BF16)
                        truth = sxt_bf16_to_f32(sxt_f32_to_bf16(truth));
                    right = right && sxt_load(x, type, i) == truth;
                }
                free(x);
            }
        }
    }
    ok(right, "ranges of units are read as %s, padding as zeros",
       type == SXT_F32 ? "f32" : "bf16");
}

/* The whole tensor's number at (r, c) of a part's: by rows where heads or
 * feed-forward width go out, by columns where they come in. */
static float number_of_part(const struct sxt_layout *whole,
                            const struct sxt_layout *part,
                            const struct sxt_tensor *t, size_t r, size_t c)
{
    const struct sxt_tensor *w = sxt_layout_find(whole, t->name);

    if (strstr(t->name, "o_proj") || strstr(t->name, "down_proj") ||
        strstr(t->name, "bias"))
        c += part->part * t->cols;
    else if (strstr(t->name, "_proj"))
        r += part->part * t->rows;
    return number(w->unit, w->offset + r * w->cols + c);
}

static void test_parts(struct sxt_in *in, const struct sxt_layout *whole,
                       size_t parts)
{
    static const size_t steps[] = { 5, 1000000 };
    bool right = true;
    size_t elements = 0;

    for (size_t i = 0; i < 2 * parts; i++) {
        struct sxt_layout part;
        size_t step = steps[i % 2];
        SXT_CHECK(sxt_layout_part(&part, whole, i / 2, parts, NULL) == 0);
        for (size_t k = 0; k < part.n_tensors; k++) {
            const struct sxt_tensor *t = &part.tensors[k];
            size_t n = t->rows * t->cols;
            float *x = sxt_alloc(n, sizeof(*x));
            for (size_t at = 0; at < n; at += step)
                right &= sxt_model_read_unit(in, &part, t->unit, t->offset + at,
                                             n - at < step ? n - at : step,
                                             SXT_F32, x + at, NULL) == 0;
            for (size_t e = 0; e < n; e++)
                right &= x[e] == number_of_part(whole, &part, t, e / t->cols,
                                                e % t->cols);
            elements += n;
            free(x);
        }
        sxt_layout_free(&part);
    }
    ok(right && elements > 0, "%zu parts of a model are read", parts);
}

static void test_undivided(const struct sxt_layout *whole)
{
    struct sxt_error err = { 0 };
    struct sxt_layout part;

    ok(sxt_layout_part(&part, whole, 0, 2, &err) == -1 &&
           err.code == SXT_EXIT_CONFIG && strstr(err.text, "these do: 1, 3"),
       "a group that does not divide the heads is refused: %s", err.text);
}

static void test_resident(struct sxt_in *in, const struct sxt_layout *layout)
{
    struct sxt_dev *dev = sxt_dev_create("fake", NULL);
    struct sxt_weights *w = sxt_weights_load(in, layout, dev, SXT_F32, NULL);
    bool right = w != NULL;

    for (size_t u = 0; u < layout->n_units && right; u++) {
        float *x = sxt_alloc(layout->unit_size[u], sizeof(float));
        const void *unit = w->params.get(&w->params, u);
        sxt_dev_get(dev, x, unit, layout->unit_size[u] * sizeof(float));
        for (size_t i = 0; i < layout->unit_size[u]; i++)
            right =
                right && x[i] == (in_a_tensor(layout, u, i) ? number(u, i) : 0);
        w->params.release(&w->params, u);
        free(x);
    }
    ok(right, "resident weights are those of the file");
    sxt_weights_destroy(w);
    ok(sxt_dev_in_use(dev) == 0, "and give their memory back");
    sxt_dev_destroy(dev);
}

static void test_whole(struct sxt_comm comm, const struct sxt_layout *layout)
{
    char *hf = path_of("hf.h5"), *path = path_of("model.h5");
    struct sxt_error err = { 0 };
    struct sxt_model_head head;
    struct sxt_in *in;

    write_hf(comm, hf);
    ok(write_model(comm, layout, hf, path, &err) == 0,
       "%d ranks write a model %s", comm.size, err.text);
    in = sxt_in_open(path, SXT_MODEL_FORMAT, &err);
    if (ok(in && sxt_model_read_head(in, &head, &err) == 0, "it is read %s",
           err.text)) {
        ok(head.layout.config.n_eos == 1 && head.layout.config.eos[0] == 5 &&
               head.layout.n_tensors == layout->n_tensors,
           "its configuration");
        is_text(head.tokenizer_json.data, tokenizer_json, "its tokenizer");
        test_ranges(in, &head.layout, SXT_F32);
        test_ranges(in, &head.layout, SXT_BF16);
        test_parts(in, &head.layout, 1);
        test_parts(in, &head.layout, 3);
        test_undivided(&head.layout);
        test_resident(in, &head.layout);
        sxt_model_head_free(&head);
    }
    sxt_in_close(in);
    drop(comm, hf);
    drop(comm, path);
}

/* ---- broken models ---- */

enum flaw { NO_CONFIG, BAD_CONFIG, MISSING, EXTRA, SHAPE, TYPE };

static const struct {
    const char *what, *message;
    enum flaw flaw;
} broken[] = {
    { "without config.json", "/hf/config.json is missing", NO_CONFIG },
    { "with half a config.json", "/hf/config.json:1:", BAD_CONFIG },
    { "without a tensor", "no /tensors/lm_head.weight", MISSING },
    { "with a tensor too many", "/tensors/extra.weight is no tensor", EXTRA },
    { "with another shape", "has another shape", SHAPE },
    { "with integers for weights", "is neither f32 nor bfloat16", TYPE },
};

static void create_tensors(struct sxt_out *out, const struct sxt_layout *layout,
                           enum flaw flaw)
{
    const char *victim = "lm_head.weight";
    uint64_t three = 3;

    for (size_t i = 0; i < layout->n_tensors; i++) {
        struct sxt_tensor t = layout->tensors[i];
        bool hit = strcmp(t.name, victim) == 0;
        if (hit && flaw == MISSING)
            continue;
        t.cols += hit && flaw == SHAPE;
        SXT_CHECK(
            sxt_model_out_tensor(out, "/tensors", &t,
                                 hit && flaw == TYPE ? SXT_H5_I32 : SXT_H5_BF16,
                                 "Test.", NULL) == 0);
    }
    if (flaw == EXTRA)
        SXT_CHECK(sxt_out_tensor(out, "/tensors/extra.weight", SXT_H5_F32, 1,
                                 &three, "1", "Test.", NULL) == 0);
}

static void test_broken(struct sxt_comm comm, const struct sxt_layout *layout)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        char *path = path_of("broken.h5");
        struct sxt_out *out = sxt_out_create(path, comm, SXT_MODEL_FORMAT, 1,
                                             "A test", NULL, NULL);
        size_t n = sizeof(config_json) - 1;
        struct sxt_error err = { 0 };
        struct sxt_model_head head;
        SXT_CHECK(out);
        if (broken[i].flaw != NO_CONFIG)
            sxt_out_bytes(out, "/hf/config.json", "Test.", config_json,
                          broken[i].flaw == BAD_CONFIG ? n / 2 : n, NULL);
        create_tensors(out, layout, broken[i].flaw);
        SXT_CHECK(sxt_out_commit(out, NULL) == 0);
        struct sxt_in *in = sxt_in_open(path, SXT_MODEL_FORMAT, NULL);
        ok(in && sxt_model_read_head(in, &head, &err) == -1 &&
               err.code == SXT_EXIT_DATA && strstr(err.text, broken[i].message),
           "a model %s: %s", broken[i].what, err.text);
        sxt_in_close(in);
        drop(comm, path);
    }
}

int main(int argc, char **argv)
{
    struct sxt_layout layout;

    sxt_h5_start();
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    tap_silent = comm.rank != 0;
    parse(&layout);
    test_whole(comm, &layout);
    test_broken(comm, &layout);
    sxt_layout_free(&layout);
    sxt_comm_finalize();
    return done_testing();
}
