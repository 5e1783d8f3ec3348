/* mathequal.c (test) - what is the same answer, what is not, and how well it
 * does on labelled pairs (directory $SXT_TEST_DATA/equivalence). */
#define _GNU_SOURCE
#include "task/mathequal.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "task/extract.h"

static const struct {
    const char *rule, *gold, *answer;
} same[] = {
    { "same", "\\dfrac{1}{2}", "$\\frac{1}{2}$" },
    { "same", "1,234,567", "1234567" },
    { "identity", "\\frac{1}{2}", "0.5" },
    { "identity", "2^{100}-2", "1267650600228229401496703205374" },
    { "identity", "\\frac{9}{4}", "2\\frac{1}{4}" },
    { "identity", "\\sqrt{12}", "2\\sqrt3" },
    { "identity", "3-\\sqrt{2}", "\\sqrt{11-6\\sqrt{2}}" },
    { "identity", "1279", "\\sqrt{1635841}" },
    { "identity", "\\sqrt{10403}", "\\sqrt{101}\\sqrt{103}" },
    { "identity", "-2", "\\sqrt[3]{-8}" },
    { "identity", "\\frac13", "0.\\overline{3}" },
    { "identity", "x^2+2x+1", "(x+1)^2" },
    { "identity", "\\cos 2x", "1-2\\sin^2 x" },
    { "identity", "\\sin 75^\\circ", "\\frac{\\sqrt6+\\sqrt2}{4}" },
    { "identity", "e^{2t}", "(e^t)^2" },
    { "identity", "2^{n+1}", "2 \\cdot 2^n" },
    { "identity", "\\ln 8", "3\\ln 2" },
    { "identity", "\\binom{2n}{n}", "\\frac{(2n)!}{(n!)^2}" },
    { "identity", "\\frac{2}{1+i}", "1-i" },
    { "identity", "\\arctan(-3)", "-\\arctan 3" },
    { "identity", "x=5", "5" },
    { "identity", "15\\text{ cm}^2", "15" },
    { "identity", "\\$36", "36 dollars" },
    { "rounded", "\\frac13", "0.333333" },
    { "rounded", "1.41421356", "\\sqrt2" },
    { "percent", "50\\%", "\\frac12" },
    { "percent", "50\\%", "50" },
    { "degrees", "90^\\circ", "90" },
    { "degrees", "90^\\circ", "\\frac{\\pi}{2}" },
    { "base", "52_8", "52_{8}" },
    { "list", "1, 2, 3", "3, 1 \\text{ and } 2" },
    { "set", "1,2", "\\{2,1\\}" },
    { "list", "1\\pm\\sqrt2", "1-\\sqrt2, 1+\\sqrt2" },
    { "elements", "(1,\\frac92)", "(1, 4.5)" },
    { "elements", "(8,-2)", "(x,y) = (8,-2)" },
    { "elements", "\\begin{pmatrix}1\\\\2\\end{pmatrix}",
      "\\begin{bmatrix}1\\\\2.0\\end{bmatrix}" },
    { "interval", "(-\\infty,1)\\cup(2,\\infty)",
      "(2,\\infty)\\cup(-\\infty,1)" },
    { "interval", "-2 \\le x \\le 7", "[-2,7]" },
    { "interval", "x \\ge 5", "5 \\le x" },
    { "relation", "x < 1", "-x > -1" },
    { "relation", "y = 2x+3", "2x - y + 3 = 0" },
    { "infinity", "\\infty", "+\\infty" },
    { "text", "\\text{Evelyn}", "evelyn" },
    { "text", "\\text{(B)}", "B" },
    { "letter", "C", "c" },
};

static const struct {
    const char *gold, *answer;
} different[] = {
    { "0.75", "75" },
    { "2.0001", "2" },
    { "1000000", "999999" },
    { "1{,}002", "2{,}001" },
    { "\\frac{1}{2004!}", "\\frac{1}{2006!}" },
    { "2^{-99}", "2^{-98}" },
    { "2^{n+1}", "2^n+1" },
    { "\\sqrt{x^2}", "x" },
    { "3-\\sqrt2", "\\sqrt2-3" },
    { "\\sqrt{10403}", "-\\sqrt{101}\\sqrt{103}" },
    { "\\frac13", "0.333" },
    { "33.3", "33" },
    { "[2,\\infty)", "(2,\\infty)" },
    { "(1,2)", "[1,2]" },
    { "(1,2)", "(2,1)" },
    { "(1,2)", "\\{1,2\\}" },
    { "5", "5, or maybe 6" },
    { "5", "5 \\text{ or } 6" },
    { "3\\pm2\\sqrt2", "3+2\\sqrt2" },
    { "15\\text{ cm}", "15\\text{ m}" },
    { "40\\%", "40\\text{ dollars}" },
    { "x=5", "y=5" },
    { "2x-y+3=0", "0" },
    { "x > 5", "x \\ge 5" },
    { "x \\ge 5", "x \\le 5" },
    { "x < 1", "-x < -1" },
    { "a+b=0", "a-b=0" },
    { "42_7", "42_8" },
    { "3:1", "3" },
    { "x^2+1", "t^2+1" },
    { "\\sin^2 x", "\\sin x^2" },
    { "\\begin{pmatrix}1\\\\2\\end{pmatrix}",
      "\\begin{pmatrix}1&2\\end{pmatrix}" },
    { "0", "\\infty-\\infty" },
    { "1", "\\frac00" },
    { "\\text{Thursday}", "\\text{Friday}" },
    { "\\text{A}", "\\text{B}" },
    { "5", "" },
};

static struct sxt_math_judgement judge(const char *gold, const char *answer)
{
    return sxt_mathequal(sxt_span(gold), sxt_span(answer));
}

struct counts {
    int pairs, right, false_accepts;
    double total_s;
};

static void count(const struct sxt_json *v, struct counts *c)
{
    struct sxt_span gold = sxt_json_text(sxt_json_get(v, "gold"));
    struct sxt_span pred = sxt_json_text(sxt_json_get(v, "pred"));
    const struct sxt_json *label = sxt_json_get(v, "equal");
    bool whole = sxt_json_get(v, "boxed") != NULL ||
                 sxt_span_equal(sxt_json_text(sxt_json_get(v, "mode")), "text");
    struct sxt_str answer = SXT_STR_EMPTY;

    if (sxt_json_text(sxt_json_get(v, "contested")).len > 0)
        return; /* graders disagree */
    if (whole && sxt_extract_answer(pred, true, &answer) != SXT_EXTRACT_NONE)
        pred = (struct sxt_span){ answer.data, answer.len };
    double start = sxt_clock();
    bool equal = sxt_mathequal(gold, pred).verdict == SXT_MATH_EQUAL;
    c->total_s += sxt_clock() - start;
    c->pairs++;
    if (sxt_json_type(label) == SXT_JSON_BOOL) {
        c->right += equal == sxt_json_bool(label, false);
        c->false_accepts += equal && !sxt_json_bool(label, false);
    }
    sxt_str_free(&answer);
}

/* What a process and those that it waited for have used.  Of its memory the
 * kernel keeps the peak of the largest. */
struct use {
    double cpu_s;
    long mib;
};

/* Extract and compare in a process of its own, or do nothing there. */
static struct use use_of(const struct sxt_json *v)
{
    struct counts ignored = { 0 };
    struct rusage r;
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (v)
            count(v, &ignored);
        _exit(0);
    }
    SXT_CHECK(pid > 0 && wait4(pid, &status, 0, &r) == pid && status == 0);
    return (struct use){ (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
                             1e-6 * (double)(r.ru_utime.tv_usec +
                                             r.ru_stime.tv_usec),
                         r.ru_maxrss >> 10 };
}

/* CPU time: on a busy machine everything takes long. */
static void test_hostile(const char *directory)
{
    enum { MOST_MIB = 64 };
    char *path = sxt_printf("%s/equivalence/hostile.jsonl", directory);
    struct sxt_error err = { 0 };
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    const long before = use_of(NULL).mib;
    struct use worst = { 0, 0 };
    struct sxt_json *v;
    size_t line;
    int n = 0;

    for (; in && sxt_jsonl_next(in, &v, &line, &err) > 0; n++) {
        const struct use use = use_of(v);
        if (use.cpu_s >= 1 || use.mib - before > MOST_MIB)
            printf("# line %zu: %.2f s, %ld MiB\n", line, use.cpu_s,
                   use.mib - before);
        worst.cpu_s = use.cpu_s > worst.cpu_s ? use.cpu_s : worst.cpu_s;
        worst.mib = use.mib > worst.mib ? use.mib : worst.mib;
        sxt_json_free(v);
    }
    ok(n > 0 && worst.cpu_s < 1,
       "each of %d hostile inputs takes less than a second of CPU time "
       "(%.2f s)",
       n, worst.cpu_s);
    ok(n > 0 && worst.mib - before <= MOST_MIB,
       "and adds at most %d MiB to a process of %ld (%ld)", MOST_MIB, before,
       worst.mib - before);
    if (in)
        sxt_jsonl_close(in);
    free(path);
}

static struct counts measure(const char *directory, const char *name)
{
    char *path = sxt_printf("%s/equivalence/%s", directory, name);
    struct sxt_error err = { 0 };
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    struct counts c = { 0 };
    struct sxt_json *v;
    size_t line;

    while (in && sxt_jsonl_next(in, &v, &line, &err) > 0) {
        count(v, &c);
        sxt_json_free(v);
    }
    if (in)
        sxt_jsonl_close(in);
    free(path);
    return c;
}

static void measure_all(void)
{
    const char *dir = getenv("SXT_TEST_DATA");
    char *path = dir ? sxt_path_join(dir, "equivalence") : NULL;

    if (!path || !sxt_file_is_directory(path)) {
        ok(true, "labelled pairs # SKIP no $SXT_TEST_DATA/equivalence");
        free(path);
        return;
    }
    free(path);
    struct counts own = measure(dir, "own.jsonl");
    struct counts suites = measure(dir, "suites.jsonl");
    ok(suites.pairs > 0 && suites.right >= 0.97 * suites.pairs,
       "%d of %d uncontested pairs of other graders' tests are judged right",
       suites.right, suites.pairs);
    ok(own.pairs > 0 && own.right >= 0.99 * own.pairs,
       "%d of %d pairs on real references are judged right", own.right,
       own.pairs);
    printf("# %.1f us a pair\n", 1e6 * own.total_s / own.pairs);
    ok(own.false_accepts == 0, "and no wrong answer is accepted (%d)",
       own.false_accepts);
    struct counts real = measure(dir, "real.jsonl");
    ok(real.pairs > 0 && real.right == real.pairs,
       "%d of %d whole responses are judged right", real.right, real.pairs);
    test_hostile(dir);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct sxt_math_judgement j = judge(same[i].gold, same[i].answer);
        ok(j.verdict == SXT_MATH_EQUAL && strcmp(j.rule, same[i].rule) == 0,
           "%s is %s by rule %s (%s)", same[i].gold, same[i].answer,
           same[i].rule, j.rule);
    }
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++)
        ok(judge(different[i].gold, different[i].answer).verdict !=
               SXT_MATH_EQUAL,
           "%s is not %s", different[i].gold, different[i].answer);
    measure_all();
    return done_testing();
}
