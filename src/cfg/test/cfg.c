/* cfg.c - tables against good and bad input files. */
#include "cfg/cfg.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test/tap.h"

struct sampling {
    double top_p, min_p;
    int64_t top_k;
};
struct wanted {
    char *split;
    int64_t limit;
};
struct values {
    int64_t n, seed;
    struct wanted wanted;
    double temperature;
    bool loop;
    char *model, *device;
    struct sxt_cfg_strings stop;
    struct sampling sampling;
};

static const struct sxt_cfg_param sampling_params[] = {
    { "top_p", SXT_CFG_REAL, "0.8", 0, 1, "1", "Nucleus.",
      offsetof(struct sampling, top_p), NULL, NULL },
    { "min_p", SXT_CFG_REAL, "model", 0, 1, "1", "Least.",
      offsetof(struct sampling, min_p), "model", NULL },
    { "top_k", SXT_CFG_INT, "model", 0, 100, "tokens", "Most.",
      offsetof(struct sampling, top_k), "model", NULL },
    { .name = NULL }
};
static const struct sxt_cfg_param wanted_params[] = {
    { "split", SXT_CFG_STRING, "", 0, 0, "1", "Of this split.",
      offsetof(struct wanted, split), NULL, NULL },
    { "limit", SXT_CFG_INT, "0", 0, 1e12, "problems", "At most.",
      offsetof(struct wanted, limit), NULL, NULL },
    { .name = NULL }
};
static const struct sxt_cfg_param params[] = {
    { "n", SXT_CFG_INT, "4", 1, 64, "samples", "Samples per problem.",
      offsetof(struct values, n), NULL, NULL },
    { "seed", SXT_CFG_INT, "1", 0, 9223372036854775807.0, "1", "Seed.",
      offsetof(struct values, seed), NULL, NULL },
    { "", SXT_CFG_GROUP, "split=test", 0, 0, "1", "Which.",
      offsetof(struct values, wanted), NULL, wanted_params },
    { "temperature", SXT_CFG_REAL, "0.7", 0, 2, "1", "Spread.",
      offsetof(struct values, temperature), NULL, NULL },
    { "loop", SXT_CFG_BOOL, "true", 0, 0, "1", "Stop loops.",
      offsetof(struct values, loop), NULL, NULL },
    { "model", SXT_CFG_STRING, "model.h5", 0, 0, "1", "Model file.",
      offsetof(struct values, model), NULL, NULL },
    { "device", SXT_CFG_CHOICE, "auto", 0, 0, "1", "Where.",
      offsetof(struct values, device), "auto|cpu|cuda", NULL },
    { "stop", SXT_CFG_STRINGS, "a, b", 0, 0, "1", "Stop strings.",
      offsetof(struct values, stop), NULL, NULL },
    { "sampling", SXT_CFG_GROUP, NULL, 0, 0, "1", "How to draw.",
      offsetof(struct values, sampling), NULL, sampling_params },
    { .name = NULL }
};
static const struct sxt_cfg_section section = { .name = "demo",
                                                .doc = "A demonstration.",
                                                .params = params,
                                                .size = sizeof(struct values) };
static const struct sxt_cfg_section other = { .name = "sft",
                                              .doc = "Another.",
                                              .params = params,
                                              .size = sizeof(struct values) };
static const struct sxt_cfg_section *const known[] = { &section, &other, NULL };

static const struct {
    const char *what, *text, *setting, *message;
} bad[] = {
    { "a near miss is named", "demo: {\n n = 3;\n temprature = 1.0;\n};", NULL,
      "t.cfg:3: unknown parameter temprature (did you mean temperature?)" },
    { "a stranger is named", "demo: { zzzzzzzz = 1; };", NULL,
      "t.cfg:1: unknown parameter zzzzzzzz; see sextant demo --help=params" },
    { "a range has its unit", "demo: { n = 65; };", NULL,
      "t.cfg:1: n must be in [1, 64] samples, not 65" },
    { "a type is checked", "demo: { n = \"four\"; };", NULL,
      "t.cfg:1: n must be a whole number" },
    { "a choice is checked", "demo: { device = \"gpu\"; };", NULL,
      "t.cfg:1: device must be one of auto|cpu|cuda, not 'gpu'" },
    { "all faults come at once", "demo: {\n n = 0;\n loop = 3;\n};", NULL,
      "t.cfg:2: n must be in [1, 64] samples, not 0\n"
      "t.cfg:3: loop must be true or false" },
    { "a section's name is checked", "dmeo: { n = 1; };", NULL,
      "t.cfg:1: unknown section dmeo (did you mean demo?)" },
    { "a nested name is checked", "demo: { sampling: { topp = 1.0; }; };", NULL,
      "t.cfg:1: unknown parameter sampling.topp (did you mean "
      "sampling.top_p?)" },
    { "a syntax error has its line", "demo: {\n n = ;\n};", NULL,
      "t.cfg:2: syntax error" },
    { "a word that is not the word is refused",
      "demo: { sampling: { top_k = \"best\"; }; };", NULL,
      "t.cfg:1: top_k must be a whole number or \"model\", not 'best'" },
    { "one beyond the range is beyond it, above 2^53 too",
      "demo: { limit = 1000000000001L; };", NULL,
      "t.cfg:1: limit must be in [0, 1e+12] problems, not 1000000000001" },
    { "a near miss in a shared table is named", "demo: { splits = \"\"; };",
      NULL, "t.cfg:1: unknown parameter splits (did you mean split?)" },
    { "a setting is checked", "", "n=many",
      "-s: n must be a whole number, not 'many'" },
    { "a setting needs a value", "", "n", "-s: 'n' should be name=value" },
    { "a setting needs a name", "", "=5",
      "-s: unknown parameter  (did you mean n?)" },
    { "a setting's name is checked", "", "sampling.top_q=1",
      "-s: unknown parameter top_q (did you mean sampling.top_p?)" },
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct sxt_error err = { 0 };
        void *values = NULL;
        sxt_file_write("t.cfg", bad[i].text, strlen(bad[i].text), NULL);
        int rc = sxt_cfg_read("t.cfg", &section, known, &bad[i].setting,
                              bad[i].setting != NULL, &values, &err);
        ok(rc == -1 && err.code == SXT_EXIT_CONFIG && !values,
           "refused with code 78: %s", bad[i].what);
        is_text(err.text, bad[i].message, bad[i].what);
    }
}

static void test_good(void)
{
    static const char text[] = "demo: { n = 2; stop = [ \"x\" ];\n"
                               " sampling: { top_p = 1; };\n"
                               " model = \"@/m.h5\"; };\n"
                               "sft: { n = 9; };";
    static const char *const settings[] = { "n=3", "demo.loop=false",
                                            "sampling.top_p=0.5" };
    struct sxt_error err = { 0 };
    void *p = NULL;

    sxt_file_mkdirs("cfg.dir", NULL);
    sxt_file_write("cfg.dir/t.cfg", text, strlen(text), NULL);
    int rc =
        sxt_cfg_read("cfg.dir/t.cfg", &section, known, settings, 3, &p, &err);
    if (!ok(rc == 0, "a good file is read: %s", err.text))
        return;
    const struct values *v = p;
    ok(v->n == 3, "a setting goes over the file");
    ok(!v->loop, "a setting may name its section");
    ok(v->sampling.top_p == 0.5, "a setting may name a group");
    ok(v->temperature == 0.7, "what is not given keeps its default");
    ok(v->model[0] == '/' && sxt_ends_with(v->model, "/cfg.dir/m.h5"),
       "@/ is the file's directory, from the root");
    ok(v->stop.count == 1 && strcmp(v->stop.items[0], "x") == 0,
       "a list of strings is read");

    struct sxt_str first = SXT_STR_EMPTY, second = SXT_STR_EMPTY;
    sxt_cfg_print(&section, v, &first);
    sxt_file_write("t.cfg", first.data, first.len, NULL);
    void *again = NULL;
    rc = sxt_cfg_read("t.cfg", &section, known, NULL, 0, &again, &err);
    ok(rc == 0, "what is printed can be read: %s", err.text);
    if (rc == 0)
        sxt_cfg_print(&section, again, &second);
    is_text(second.data, first.data, "and prints the same again");
    sxt_cfg_free(&section, p);
    sxt_cfg_free(&section, again);
    sxt_str_free(&first);
    sxt_str_free(&second);
}

/* 2^53 + 1 is the least whole number that is no double. */
static void test_whole(void)
{
    static const char text[] = "demo: { seed = 9007199254740993L; };";
    static const char *const settings[] = { "seed=9223372036854775807" };
    void *p = NULL, *q = NULL;
    struct sxt_str out = SXT_STR_EMPTY;

    sxt_file_write("t.cfg", text, strlen(text), NULL);
    if (ok(sxt_cfg_read("t.cfg", &section, known, NULL, 0, &p, NULL) == 0,
           "a number above 2^53 is read from a file"))
        ok(((struct values *)p)->seed == 9007199254740993, "to the last digit");
    if (ok(sxt_cfg_read(NULL, &section, known, settings, 1, &q, NULL) == 0,
           "the greatest number is read from a setting"))
        ok(((struct values *)q)->seed == INT64_MAX, "to the last digit");
    sxt_cfg_print(&section, p, &out);
    ok(strstr(out.data, "seed = 9007199254740993L;"), "and so it is printed");
    sxt_str_free(&out);
    sxt_cfg_free(&section, p);
    sxt_cfg_free(&section, q);
}

/* A table that several commands share, and a word in the place of a number. */
static void test_shared(void)
{
    static const char text[] =
        "demo: { limit = 3; sampling: { min_p = 0.5; top_k = 7; }; };";
    static const char *const back[] = { "sampling.min_p=model",
                                        "sampling.top_k=model", "split=" };
    struct sxt_str out = SXT_STR_EMPTY;
    void *p = NULL;

    sxt_file_write("t.cfg", text, strlen(text), NULL);
    sxt_cfg_read("t.cfg", &section, known, NULL, 0, &p, NULL);
    struct values *v = p;
    ok(v->wanted.limit == 3, "a shared parameter is set without a prefix");
    is_text(v->wanted.split, "test", "a command may have its own default");
    ok(v->sampling.min_p == 0.5 && v->sampling.top_k == 7,
       "a number goes over the word that is its default");
    sxt_cfg_print(&section, v, &out);
    ok(strstr(out.data, "\n    limit = 3;"), "and is printed without one");
    sxt_cfg_free(&section, p);
    sxt_cfg_read("t.cfg", &section, known, back, 3, &p, NULL);
    v = p;
    ok(isnan(v->sampling.min_p) && v->sampling.top_k == SXT_CFG_WORD,
       "the word goes over a number");
    ok(v->wanted.split[0] == '\0', "and nothing over the command's default");
    sxt_str_cut(&out, 0);
    sxt_cfg_print(&section, v, &out);
    ok(strstr(out.data, "top_k = \"model\";"), "the word is printed");
    ok(strstr(out.data, "tokens or \"model\""), "and said to be possible");
    sxt_str_free(&out);
    sxt_cfg_free(&section, p);
}

int main(void)
{
    struct sxt_error err = { 0 };
    void *values = NULL;

    test_bad();
    test_good();
    test_whole();
    test_shared();
    ok(sxt_cfg_read("no-such.cfg", &section, known, NULL, 0, &values, &err) ==
               -1 &&
           err.code == SXT_EXIT_NOINPUT,
       "a missing file is code 66");
    unlink("t.cfg");
    unlink("cfg.dir/t.cfg");
    rmdir("cfg.dir");
    return done_testing();
}
