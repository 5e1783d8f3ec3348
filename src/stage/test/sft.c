/* sft.c - the fine-tuning stage on 1, 2 and 3 ranks: the same bytes, exact
 * resume, damaged checkpoints, and what happens when numbers go wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "fixture.h"
#include "h5/in.h"
#include "stage/formats.h"
#include "stage/stages.h"

#define ROOT "sft-mt.dir"
enum { MOST_SETTINGS = 24 };

static struct sxt_comm parts[4]; /* parts[p]: ranks 0 … p-1, on those ranks */
static struct sxt_comm world;

/* Settings of every run here, before those of a case. */
static const char *const common[] = {
    "epochs=2",       "batch=8",
    "max_tokens=128", "lr=0.003",
    "threads=1",      "schedule.warmup_steps=2",
    "backend=ref",    "adamw.weight_decay=0.1",
    "device=fake",
};
enum { N_COMMON = sizeof(common) / sizeof(*common), STEPS = 8 };

/* Run the stage on the first `ranks` ranks with the case's settings (ends with
 * NULL) in ROOT/DIR, what it says into ROOT/DIR.log.  Everybody gets the exit
 * code. */
static int run(int ranks, const char *dir, const char *const *settings,
               bool dry_run, struct sxt_error *err)
{
    static const struct sxt_cfg_section *const known[] = { NULL };
    const char *all[MOST_SETTINGS];
    size_t n = 0;
    volatile sig_atomic_t stop = 0;
    char *out = sxt_path_join(ROOT, dir), *log = sxt_printf("%s.log", out);
    void *values;
    int code = 0;

    for (; n < N_COMMON; n++)
        all[n] = common[n];
    for (; *settings && n < MOST_SETTINGS; settings++)
        all[n++] = *settings;
    *err = (struct sxt_error){ 0 };
    if (world.rank < ranks) {
        struct sxt_run r = { .comm = parts[ranks],
                             .log = { NULL, SXT_LOG_INFO, world.rank == 0,
                                      "sft" },
                             .command_line = "test",
                             .config = "",
                             .out_dir = out,
                             .dry_run = dry_run,
                             .stop = &stop };
        FILE *file = world.rank == 0 ? fopen(log, "w") : NULL;
        r.log.file = file;
        SXT_CHECK(sxt_cfg_read(NULL, &sxt_stage_sft.section, known, all, n,
                               &values, err) == 0);
        if (sxt_stage_sft.run(&r, values, err) != 0)
            code = err->code;
        sxt_cfg_free(&sxt_stage_sft.section, values);
        if (file)
            fclose(file);
    }
    free(out);
    free(log);
    sxt_comm_broadcast(world, &code, sizeof(code), 0);
    return code;
}

/* A directory with the model and samples of a case. */
static void prepare(const char *dir, bool tied, float sigma)
{
    if (world.rank == 0) {
        char *d = sxt_path_join(ROOT, dir);
        char *model = sxt_path_join(d, "base.h5");
        char *train = sxt_path_join(d, "train.h5");
        sxt_file_mkdirs(d, NULL);
        fixture_model(model, tied, sigma);
        fixture_train(train, 30);
        free(d);
        free(model);
        free(train);
    }
    sxt_comm_barrier(world);
}

static bool same_set(struct sxt_in *a, struct sxt_in *b, const char *object)
{
    struct sxt_h5_info x, y;
    bool same;

    if (sxt_in_info(a, object, &x, NULL) != 0 ||
        sxt_in_info(b, object, &y, NULL) != 0 || x.type != y.type ||
        x.count != y.count)
        return false;
    size_t bytes = x.count * sxt_h5_type_size(x.type);
    char *p = sxt_alloc(bytes, 1), *q = sxt_alloc(bytes, 1);
    same = sxt_in_range(a, object, 0, x.count, p, NULL) == 0 &&
           sxt_in_range(b, object, 0, y.count, q, NULL) == 0 &&
           memcmp(p, q, bytes) == 0;
    free(p);
    free(q);
    return same;
}

/* Everything in a group; *count is how many data sets were compared. */
static bool same_group(struct sxt_in *a, struct sxt_in *b, const char *group,
                       int *count)
{
    char **names = NULL;
    struct sxt_h5_info info;
    size_t n = 0;
    bool same = sxt_in_list(a, group, &names, &n, NULL) == 0;

    for (size_t i = 0; i < n; i++) {
        char *object = sxt_printf("%s/%s", group, names[i]);
        if (!same)
            ;
        else if (sxt_in_info(a, object, &info, NULL) == 0)
            same = same_set(a, b, object) && ++*count > 0;
        else
            same = same_group(a, b, object, count);
        if (!same)
            printf("# %s differs\n", object);
        free(object);
        free(names[i]);
    }
    free(names);
    return same;
}

/* Two files in ROOT hold the same numbers; looked at by rank 0. */
static bool same_files(const char *x, const char *y)
{
    static const char *const groups[] = { "/tensors", "/hf",         "/rest",
                                          "/exp_avg", "/exp_avg_sq", "/state",
                                          "/steps" };
    char *path[2] = { sxt_path_join(ROOT, x), sxt_path_join(ROOT, y) };
    struct sxt_error err = { 0 };
    bool same = true;
    int count = 0;

    if (world.rank == 0) {
        struct sxt_in *a = sxt_in_open(path[0], NULL, &err);
        struct sxt_in *b = sxt_in_open(path[1], NULL, &err);
        same = a && b;
        if (!same)
            printf("# %s\n", err.text);
        for (size_t i = 0; i < 7 && same; i++)
            if (sxt_in_has(a, groups[i]) || sxt_in_has(b, groups[i]))
                same = same_group(a, b, groups[i], &count);
        if (a)
            sxt_in_close(a);
        if (b)
            sxt_in_close(b);
    }
    free(path[0]);
    free(path[1]);
    return same && (count > 5 || world.rank > 0);
}

/* A column of a run's metrics.h5; NaN if it has no such row. */
static double metric(const char *dir, enum sxt_metric_column col, size_t row)
{
    char *path = sxt_printf(ROOT "/%s/metrics.h5", dir);
    struct sxt_in *in = sxt_in_open(path, SXT_METRICS_FORMAT, NULL);
    struct sxt_frame *f = NULL;
    double x = NAN;

    if (in &&
        sxt_in_frame(in, "steps", sxt_metric_columns, row, 1, &f, NULL) == 0)
        x = sxt_metric_columns[col].type == SXT_COL_I64
                ? (double)sxt_frame_i64(f, col, 0)
                : sxt_frame_f64(f, col, 0);
    if (f)
        sxt_frame_destroy(f);
    if (in)
        sxt_in_close(in);
    free(path);
    return x;
}

static bool has_file(const char *name)
{
    char *path = sxt_path_join(ROOT, name);
    bool has = sxt_file_exists(path);

    free(path);
    return has;
}

static bool log_says(const char *dir, const char *text)
{
    char *path = sxt_printf(ROOT "/%s.log", dir);
    struct sxt_str log = SXT_STR_EMPTY;
    bool says = sxt_file_read(path, &log, NULL) == 0 && log.data &&
                strstr(log.data, text);

    sxt_str_free(&log);
    free(path);
    return says || world.rank > 0;
}

/* ---- claims ---- */

static const struct {
    const char *what, *name;
    bool tied;
    const char *settings[3];
} kinds[] = {
    { "f32 on a fake device",
      "a",
      false,
      { "dtype=f32", "reduce_type=f32", "device=fake" } },
    { "bf16", "b", false, { "dtype=bf16", "reduce_type=bf16", "device=cpu" } },
    { "bf16, tied, cpu kernels",
      "c",
      true,
      { "dtype=bf16", "reduce_type=f32", "backend=cpu" } },
};

static void any_ranks(void)
{
    struct sxt_error err;

    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        const char *set[8] = { "checkpoint.every_steps=3",
                               "eval_fraction=0.1" };
        char dir[4][20], files[2][60];
        for (size_t i = 0; i < 3; i++)
            set[2 + i] = kinds[k].settings[i];
        for (int p = 1; p <= 3; p++) {
            snprintf(dir[p], sizeof(dir[p]), "%s%d", kinds[k].name, p);
            prepare(dir[p], kinds[k].tied, 0.1f);
            int code = run(p, dir[p], set, false, &err);
            ok(code == 0, "%s: trains on %d rank%s %s", kinds[k].what, p,
               p > 1 ? "s" : "", err.text);
            for (int f = 0; f < 2; f++) {
                const char *name = f ? "model.h5" : "checkpoints/step-6.h5";
                snprintf(files[0], 60, "%s/%s", dir[1], name);
                snprintf(files[1], 60, "%s/%s", dir[p], name);
                ok(p == 1 || same_files(files[0], files[1]),
                   "… %s holds the bytes of 1 rank", name);
            }
        }
        double first = metric(dir[3], SXT_METRIC_LOSS, 0);
        double last = metric(dir[3], SXT_METRIC_LOSS, STEPS - 1);
        ok(last < 0.8 * first, "… loss falls from %.3f to %.3f", first, last);
        ok(metric(dir[1], SXT_METRIC_EVAL_LOSS, STEPS - 1) ==
                   metric(dir[3], SXT_METRIC_EVAL_LOSS, STEPS - 1) &&
               isnan(metric(dir[3], SXT_METRIC_EVAL_LOSS, 0)),
           "… and the held-out loss is the same, and taken after an epoch");
    }
}

/* Stop behind step k on p ranks, go on with q: compare with "a1" or "b1". */
static void resume(void)
{
    static const struct {
        int k, p, q, kind;
    } table[] = {
        { 1, 1, 1, 0 }, { 3, 2, 2, 1 }, { 5, 3, 1, 1 },
        { 7, 1, 3, 0 }, { 4, 2, 3, 2 },
    };
    struct sxt_error err;

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const char *set[8] = { "checkpoint.every_steps=3",
                               "eval_fraction=0.1" };
        char dir[20], stop[40], model[40], whole[40];
        int kind = table[i].kind;
        snprintf(dir, sizeof(dir), "resume%zu", i);
        snprintf(stop, sizeof(stop), "stop_after=%d", table[i].k);
        snprintf(model, sizeof(model), "%s/model.h5", dir);
        snprintf(whole, sizeof(whole), "%s1/model.h5", kinds[kind].name);
        for (size_t n = 0; n < 3; n++)
            set[2 + n] = kinds[kind].settings[n];
        set[5] = stop;
        prepare(dir, kinds[kind].tied, 0.1f);
        ok(run(table[i].p, dir, set, false, &err) == SXT_EXIT_AGAIN &&
               !has_file(model),
           "stops behind step %d with code 75 %s", table[i].k, "");
        set[5] = NULL;
        ok(run(table[i].q, dir, set, false, &err) == 0,
           "… the same command on %d rank%s goes on %s", table[i].q,
           table[i].q > 1 ? "s" : "", err.text);
        ok(log_says(dir, "goes on behind step") && same_files(model, whole),
           "… and ends with the bytes of a run that was never stopped");
    }
}

/* Change 64 bytes in the middle, or cut the second half off. */
static void damage(const char *name, bool cut)
{
    char *path = sxt_path_join(ROOT, name);
    struct stat info;

    if (world.rank == 0 && stat(path, &info) == 0) {
        char bytes[64];
        FILE *f = fopen(path, "r+");
        fseek(f, info.st_size / 2, SEEK_SET);
        SXT_CHECK(fread(bytes, 1, 64, f) == 64);
        for (int i = 0; i < 64; i++)
            bytes[i] ^= 0x55;
        fseek(f, info.st_size / 2, SEEK_SET);
        fwrite(bytes, 1, 64, f);
        fclose(f);
        SXT_CHECK(!cut || truncate(path, info.st_size / 2) == 0);
    }
    sxt_comm_barrier(world);
    free(path);
}

static void damaged(void)
{
    const char *set[] = { "dtype=bf16",        "reduce_type=bf16",
                          "eval_fraction=0.1", "checkpoint.every_steps=3",
                          "stop_after=7",      NULL };
    struct sxt_error err;

    prepare("hurt", false, 0.1f);
    run(2, "hurt", set, false, &err); /* leaves steps 6 and 7 */
    ok(has_file("hurt/checkpoints/step-7.h5") &&
           has_file("hurt/checkpoints/step-6.h5") &&
           !has_file("hurt/checkpoints/step-3.h5"),
       "the two newest checkpoints are kept");
    set[4] = "stop_after=1";
    damage("hurt/checkpoints/step-7.h5", false);
    ok(run(2, "hurt", set, false, &err) == SXT_EXIT_AGAIN &&
           log_says("hurt", "goes on behind step 6"),
       "a checkpoint with flipped bits is passed over %s", "");
    damage("hurt/checkpoints/step-7.h5", true);
    if (world.rank == 0)
        SXT_CHECK(symlink("step-6.h5", ROOT "/hurt/checkpoints/step-9.h5") ==
                  0);
    sxt_comm_barrier(world);
    set[4] = NULL;
    ok(run(3, "hurt", set, false, &err) == 0 &&
           log_says("hurt", "goes on behind step 6") &&
           same_files("hurt/model.h5", "b1/model.h5"),
       "so are one of another step and one that was cut; the run ends as if "
       "nothing had been");
    damage("hurt/checkpoints/step-6.h5", false);
    damage("hurt/checkpoints/step-7.h5", false);
    ok(run(3, "hurt", set, false, &err) == SXT_EXIT_DATA &&
           (world.rank > 0 || strstr(err.text, "step-6.h5")),
       "if none is good the run does not begin anew by itself: %s",
       world.rank == 0 ? err.text : "");
}

static void refusals(void)
{
    const char *set[] = { "dtype=bf16", "reduce_type=bf16", "stop_after=2",
                          NULL, NULL };
    struct sxt_error err;

    prepare("no", false, 0.1f);
    ok(run(3, "no", set, true, &err) == 0 && !has_file("no/checkpoints") &&
           !has_file("no/metrics.jsonl") && log_says("no", "together"),
       "a dry run tells the memory and writes nothing");
    run(2, "no", set, false, &err);
    set[3] = "lr=0.004";
    ok(run(2, "no", set, false, &err) == SXT_EXIT_CONFIG &&
           (world.rank > 0 || strstr(err.text, "'lr = 0.003")),
       "other parameters do not go on from a checkpoint: %s",
       world.rank == 0 ? err.text : "");
    set[3] = NULL;
    prepare("no", false, 0.2f);
    ok(run(2, "no", set, false, &err) == SXT_EXIT_CONFIG &&
           (world.rank > 1 || strstr(err.text, "'model = ")),
       "nor does another base model of the same shape and norms");
    set[3] = "end_token=</s>";
    ok(run(2, "no", set, false, &err) == SXT_EXIT_CONFIG,
       "an end token that the tokenizer lacks is refused");
    set[3] = "output=base.h5";
    ok(run(2, "no", set, false, &err) == SXT_EXIT_CONFIG &&
           has_file("no/base.h5"),
       "the base model is not overwritten");
    set[3] = "cutoff=600";
    ok(run(2, "no", set, false, &err) == SXT_EXIT_CONFIG,
       "a cutoff beyond the bins is refused");
    set[3] = "show_sample=1";
    ok(run(1, "no", set, false, &err) == 0 &&
           log_says("no", "assistant\n\n---- learned: 4 tokens\nl10<|im_end|>"),
       "a sample can be shown with what is learned apart");
}

static void not_finite(void)
{
    const char *set[] = { "dtype=f32", "reduce_type=f32", NULL, NULL };
    struct sxt_error err;

    prepare("nan", false, 1e25f);
    ok(run(2, "nan", set, false, &err) == SXT_EXIT_NUMERIC &&
           (world.rank > 1 ||
            (strstr(err.text, "step 1:") && strstr(err.text, "rank 0"))),
       "numbers that overflow end the run with code 79: %s",
       world.rank == 0 ? err.text : "");
    ok(!has_file("nan/model.h5") && !has_file("nan/checkpoints/step-1.h5"),
       "… and nothing is saved");
    set[2] = "on_nonfinite=skip";
    ok(run(2, "nan", set, false, &err) == 0 && has_file("nan/model.h5"),
       "… or the steps are left out, if so asked");
}

/* f32: only the order of sums differs. */
static void any_bins(void)
{
    const char *set[] = { "dtype=f32",  "reduce_type=f32", "max_tokens=4096",
                          "cutoff=128", "backend=cpu",     NULL };
    struct sxt_error err;
    double most = 0;

    prepare("one-bin", false, 0.1f);
    prepare("bins", false, 0.1f);
    run(1, "one-bin", set, false, &err);
    set[2] = "max_tokens=64";
    set[3] = "cutoff=64";
    run(2, "bins", set, false, &err);
    for (size_t i = 0; i < STEPS; i++) {
        double a = metric("one-bin", SXT_METRIC_LOSS, i);
        double b = metric("bins", SXT_METRIC_LOSS, i);
        most = fmax(most, fabs(a - b) / a);
        if (isnan(a) || isnan(b))
            most = INFINITY;
    }
    /* 8 steps of AdamW at 3e-3 magnify f32 rounding (6e-8) a little */
    ok(most < 1e-5, "one bin or many: losses agree to %.1e", most);
}

/* Ten steps against PyTorch, in validation/golden/sft-run.h5.  f32 sums in
 * another order, ten steps on: 1e-6.  bf16 rounds to 3 digits everywhere. */
static void golden(const char *dtype, double tolerance)
{
    const char *top = getenv("SRCDIR"), *set[16] = { "batch=30",
                                                     "epochs=10",
                                                     "lr=0.005",
                                                     "schedule.floor=0.001",
                                                     "schedule.warmup_steps=3",
                                                     "clip=0.5",
                                                     "backend=cpu" };
    char *path = sxt_printf("%s/validation/golden/sft-run.h5", top ? top : ".");
    char *model = sxt_printf("model=%s", path);
    char *type = sxt_printf("dtype=%s", dtype);
    char *reduce = sxt_printf("reduce_type=%s", dtype);
    struct sxt_in *in = sxt_in_open(path, NULL, NULL);
    double truth[3][10], off[3] = { 0 };
    int64_t learned = 0;
    struct sxt_error err;

    set[7] = model;
    set[8] = type;
    set[9] = reduce;
    prepare(dtype, false, 0.1f);
    ok(run(3, dtype, set, false, &err) == 0, "%s: ten steps of PyTorch's %s",
       dtype, err.text);
    SXT_CHECK(in &&
              sxt_in_range(in, "/golden/loss", 0, 10, truth[0], NULL) == 0);
    SXT_CHECK(sxt_in_range(in, "/golden/grad_norm", 0, 10, truth[1], NULL) ==
              0);
    SXT_CHECK(sxt_in_range(in, "/golden/lr", 0, 10, truth[2], NULL) == 0);
    sxt_in_attr_i64(in, "/golden", "learned", &learned, NULL);
    sxt_in_close(in);
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < 10; i++) {
            double x = metric(dtype, SXT_METRIC_LOSS + (unsigned)c, i);
            double e = fabs(x - truth[c][i]);
            e = c == 2 ? e / 0.005 : e / truth[c][i];
            off[c] = e <= off[c] ? off[c] : e;
        }
    ok((double)learned == metric(dtype, SXT_METRIC_TOKENS, 0),
       "… as many tokens are learned: %ld", (long)learned);
    ok(off[0] < tolerance, "… losses differ by %.1e of themselves", off[0]);
    ok(off[1] < 10 * tolerance, "… gradient norms by %.1e", off[1]);
    ok(off[2] < 1e-14, "… learning rates by %.1e of the highest", off[2]);
    free(path);
    free(model);
    free(type);
    free(reduce);
}

int main(int argc, char **argv)
{
    world = sxt_comm_init(&argc, &argv);
    tap_silent = world.rank != 0;
    for (int p = 1; p <= 3 && p <= world.size; p++) {
        MPI_Comm part;
        MPI_Comm_split(world.mpi, world.rank < p, 0, &part);
        parts[p] = sxt_comm_from_mpi(part);
    }
    if (world.rank == 0 && system("rm -rf " ROOT) != 0)
        return 1;
    if (world.size < 3) {
        skip_all("needs 3 ranks");
    } else {
        any_ranks();
        resume();
        damaged();
        refusals();
        not_finite();
        any_bins();
        golden("f32", 1e-6);
        golden("bf16", 3e-3);
    }
    int rc = world.size < 3 ? 0 : done_testing();
    sxt_comm_barrier(world);
    if (world.rank == 0 && tap_failed == 0 && system("rm -rf " ROOT) != 0)
        printf("# " ROOT " stays\n");
    for (int p = 1; p <= 3 && p <= world.size; p++)
        MPI_Comm_free(&parts[p].mpi);
    sxt_comm_finalize();
    return rc;
}
