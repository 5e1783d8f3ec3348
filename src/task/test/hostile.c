/* hostile.c (test) - answers and responses that are one thing over and over:
 * everything that reads them ends soon and takes little memory.
 *
 * SXT_HOSTILE_BYTES: length of each text (default 2,000).  With 1,000,000 and
 * more the limits are those that are promised: a second, and 64 MiB beside the
 * text; below, what no defect of growth could keep. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "task/codeextract.h"
#include "task/explain.h"
#include "task/extract.h"
#include "task/mathequal.h"
#include "task/restyle.h"
#include "task/upstream.h"

static const char *const units[] = {
    "(",
    "[",
    "{",
    "|",
    "\\{",
    "\\left(",
    "\\frac{",
    "\\frac1{",
    "\\sqrt{",
    "\\sqrt[",
    "\\sqrt\\sqrt ",
    "\\sin ",
    "\\sin^2 ",
    "\\ln(",
    "\\log_{",
    "x^{",
    "x^",
    "x_{",
    "x_",
    "2^",
    "-",
    "+",
    "\\pm ",
    "1+",
    "1-",
    "1\\pm ",
    "x\\mp ",
    "1*",
    "2 ",
    "1/",
    "1,",
    "1;",
    "1:",
    "1 and ",
    "1 or ",
    "1=",
    "1<",
    "1\\cup ",
    "(1,2)\\cup ",
    "[1,2),",
    "x>1 and ",
    "1!",
    "!",
    "'",
    "\\%",
    "\\circ",
    "^\\circ",
    "\\overline{",
    "0.\\overline{",
    "\\binom{",
    "{1 \\over ",
    "1{2 \\over ",
    "\\boxed{",
    "\\boxed{1}",
    "\\boxed{1} and ",
    "\\boxed",
    "\\fbox{1},",
    "\\text{",
    "\\text{a,",
    "\\text{1 and ",
    "\\mathrm{",
    "\\color{",
    "\\color{red}{",
    "\\textcolor[",
    "\\begin{pmatrix}",
    "\\begin{pmatrix}1&",
    "\\begin{matrix}1\\\\",
    "&",
    "\\\\",
    "\\",
    "$",
    "$$",
    "$1$ ",
    "\\(",
    "\\(1\\)",
    "\\[",
    "9",
    "9.",
    "9,999,",
    "9 999 ",
    "9e+",
    "0x",
    "1e9",
    ".",
    ",",
    " ",
    "\n",
    "\t",
    "a",
    "ab ",
    "seven ",
    "hundred ",
    "A",
    "A1",
    "1A_{",
    "US",
    "US\\$",
    "\\$",
    "\\$1 million ",
    "5 cm ",
    "cm/",
    "per ",
    "square ",
    "May ",
    "May 5, ",
    "12:",
    "12:30 ",
    "a.m. ",
    "&lt;",
    "&#60;",
    "&",
    "&#",
    "１",
    "，",
    "𝟐",
    "½",
    "²",
    "₂",
    "√",
    "≤",
    "∞",
    "é",
    "\xE2\x82",
    "\xFF",
    "\x01",
    "#### ",
    "#### 1\n",
    "final answer is ",
    "the answer is $1",
    "Answer: ",
    "answer to the problem ",
    "is ",
    "(A) ",
    "A\n",
    "```",
    "```\n",
    "```python\n",
    "```py\nx\n```\n",
    "~~~\n",
    "- ```\n",
    "    ",
    "def f(",
    "\"\"\"",
    "<think>",
    "</think>",
    "<|",
    "<|begin_of_thought|>",
    "<|begin_of_solution|>",
    "<|end_of_solution|>",
    "**",
    "*",
    "}",
    ")",
    "]",
    "\\}",
    "\\right)",
    "\\end{pmatrix}",
    "{",
    "[[",
    "{\"a\":",
    "[1,",
    "\"\\u00e9",
    "\"",
    "1e99999",
    "\\sum_{k=1}^{",
    "\\int ",
    "\\lfloor ",
    "f(",
    "\\ln((",
    "x\\in ",
    "\\{x|x>",
    "|x-1|<",
    "x \\ne ",
    "\\max(",
};

/* Behind which the unit is repeated, and what stands behind it. */
static const char *const frames[][2] = {
    { "", "" },
    { "\\boxed{", "}" },
    { "The final answer is $", "$." },
};

enum {
    UNITS = sizeof(units) / sizeof(units[0]),
    FRAMES = sizeof(frames) / sizeof(frames[0])
};

static void judge(struct sxt_span s)
{
    const struct sxt_question asked[] = {
        { .domain = sxt_span("math"), .answer = sxt_span("42") },
        { .domain = sxt_span("choice"),
          .answer = sxt_span("B"),
          .choices = sxt_span("[\"42\", \"x\"]") },
    };
    const struct sxt_grader grader = { .guess = true, .tolerance = -1 };

    for (size_t i = 0; i < 2; i++) {
        struct sxt_str text = SXT_STR_EMPTY;
        struct sxt_verdict v = { .rule = "" };
        struct sxt_error err = { 0 };
        sxt_explain(&grader, &asked[i], s, &v, &text, &err);
        sxt_verdict_free(&v);
        sxt_str_free(&text);
    }
}

static void upstream(struct sxt_span s)
{
    struct sxt_str out = SXT_STR_EMPTY;

    sxt_upstream_extract(s, &out);
    sxt_str_free(&out);
    sxt_upstream_equal(s, sxt_span("42"));
}

static void programs(struct sxt_span s)
{
    struct sxt_str out = SXT_STR_EMPTY;

    sxt_code_program(s, sxt_span("f"), &out);
    sxt_str_free(&out);
    sxt_code_upstream_extract(s);
}

static void sections(struct sxt_span s)
{
    struct sxt_sections parts;

    sxt_restyle_split(s, sxt_span("math"), &parts);
}

static void json(struct sxt_span s)
{
    struct sxt_error err = { 0 };

    sxt_json_free(sxt_json_parse(s.data, s.len, "hostile", &err));
}

static void against_one(struct sxt_span s)
{
    sxt_mathequal(sxt_span("1"), s);
}

static void as_reference(struct sxt_span s)
{
    sxt_mathequal(s, sxt_span("1"));
}

/* All but the last bytes are alike. */
static void against_itself(struct sxt_span s)
{
    struct sxt_str other = SXT_STR_EMPTY;

    sxt_str_add_bytes(&other, s.data, s.len);
    sxt_str_add(&other, "+2");
    sxt_mathequal(s, (struct sxt_span){ other.data, other.len });
    sxt_str_free(&other);
}

static const struct {
    const char *name;
    void (*read)(struct sxt_span s);
    size_t copies; /* of the text, that it may hold beside 64 MiB */
} readers[] = {
    { "an answer beside 1", against_one, 0 },
    { "a reference", as_reference, 0 },
    { "a pair that differs in its end", against_itself, 1 },
    { "an explained response", judge, 0 },
    { "a response under SkyThought's rules", upstream, 0 },
    { "a program", programs, 0 },
    { "thoughts and solution", sections, 0 },
    { "JSON", json, 64 }, /* a tree of what is there */
};

/* ---- how long, and how much ---- */

static double cpu_s(int who)
{
    struct rusage r;

    getrusage(who, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* A line of /proc/self/status in bytes, 0 if there is none. */
static size_t memory(const char *name)
{
    FILE *in = fopen("/proc/self/status", "r");
    char line[128];
    size_t kib = 0;

    while (in && fgets(line, sizeof(line), in))
        if (sxt_starts_with(line, name))
            kib = strtoul(line + strlen(name), NULL, 10);
    if (in)
        fclose(in);
    return kib << 10;
}

/* Let the largest size begin anew. */
static void forget_peak(void)
{
    FILE *out = fopen("/proc/self/clear_refs", "w");

    if (!out)
        return;
    fputs("5", out);
    fclose(out);
}

static size_t fill(char *text, size_t size, const char *unit,
                   const char *const frame[2])
{
    size_t before = strlen(frame[0]), behind = strlen(frame[1]);
    size_t n = before, unit_size = strlen(unit);

    memcpy(text, frame[0], before);
    for (; n + unit_size + behind <= size; n += unit_size)
        memcpy(text + n, unit, unit_size);
    memcpy(text + n, frame[1], behind);
    return n + behind;
}

struct worst {
    double s;
    size_t bytes;
    const char *slow, *large; /* units */
};

static void read_all(void (*read)(struct sxt_span s), char *text, size_t size,
                     struct worst *w)
{
    for (size_t i = 0; i < UNITS * FRAMES; i++) {
        const char *unit = units[i / FRAMES];
        size_t n = fill(text, size, unit, frames[i % FRAMES]);
        forget_peak();
        size_t rss = memory("VmRSS:");
        double s = cpu_s(RUSAGE_SELF) + cpu_s(RUSAGE_CHILDREN);
        read((struct sxt_span){ text, n });
        s = cpu_s(RUSAGE_SELF) + cpu_s(RUSAGE_CHILDREN) - s;
        size_t peak = memory("VmHWM:");
        size_t more = peak > rss ? peak - rss : 0;
        if (s > w->s) {
            w->s = s;
            w->slow = unit;
        }
        if (more > w->bytes) {
            w->bytes = more;
            w->large = unit;
        }
    }
}

int main(void)
{
    const char *said = getenv("SXT_HOSTILE_BYTES");
    size_t size = said ? strtoul(said, NULL, 10) : 2000;
    bool full = size >= 1000000;
    char *text = sxt_alloc(size + 1, 1);

    for (size_t r = 0; r < sizeof(readers) / sizeof(readers[0]); r++) {
        struct worst w = { .slow = "", .large = "" };
        size_t room = ((size_t)64 << 20) + readers[r].copies * size;
        read_all(readers[r].read, text, size, &w);
        printf("# %s of %zu bytes: at most %.3f s (%s), %.1f MiB (%s)\n",
               readers[r].name, size, w.s, w.slow, (double)w.bytes / 0x1p20,
               w.large);
        ok(w.s <= (full ? 1 : 60), "%s: the time is bounded", readers[r].name);
        ok(w.bytes <= room, "%s: and the memory", readers[r].name);
    }
    free(text);
    return done_testing();
}
