/* cfg.c - tables against good and bad input files. */
#include "cfg/cfg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test/tap.h"

struct sampling {
    double top_p;
};
struct values {
    int64_t n;
    double temperature;
    bool loop;
    char *model, *device;
    struct sxt_cfg_strings stop;
    struct sampling sampling;
};

static const struct sxt_cfg_param sampling_params[] = {
    { "top_p", SXT_CFG_REAL, "0.8", 0, 1, "1", "Nucleus.",
      offsetof(struct sampling, top_p), NULL, NULL },
    { .name = NULL }
};
static const struct sxt_cfg_param params[] = {
    { "n", SXT_CFG_INT, "4", 1, 64, "samples", "Samples per problem.",
      offsetof(struct values, n), NULL, NULL },
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
static const struct sxt_cfg_section section = { "demo", "A demonstration.",
                                                params,
                                                sizeof(struct values) };
static const struct sxt_cfg_section other = { "sft", "Another.", params,
                                              sizeof(struct values) };
static const struct sxt_cfg_section *const known[] = { &section, &other,
                                                       NULL };

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
    { "a nested name is checked", "demo: { sampling: { topp = 1.0; }; };",
      NULL,
      "t.cfg:1: unknown parameter sampling.topp (did you mean "
      "sampling.top_p?)" },
    { "a syntax error has its line", "demo: {\n n = ;\n};", NULL,
      "t.cfg:2: syntax error" },
    { "a setting is checked", "", "n=many",
      "-s: n must be a whole number, not 'many'" },
    { "a setting needs a value", "", "n", "-s: 'n' should be name=value" },
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
    int rc = sxt_cfg_read("cfg.dir/t.cfg", &section, known, settings, 3, &p,
                          &err);
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

int main(void)
{
    struct sxt_error err = { 0 };
    void *values = NULL;

    test_bad();
    test_good();
    ok(sxt_cfg_read("no-such.cfg", &section, known, NULL, 0, &values, &err) ==
               -1 &&
           err.code == SXT_EXIT_NOINPUT,
       "a missing file is code 66");
    unlink("t.cfg");
    unlink("cfg.dir/t.cfg");
    rmdir("cfg.dir");
    return done_testing();
}
