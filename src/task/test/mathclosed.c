/* mathclosed.c (test) - what FLINT proves, and that hostile input is bounded.
 */
#include "task/mathclosed.h"

#include <sys/resource.h>

#include "base/test/tap.h"

static const struct {
    enum sxt_math_verdict verdict;
    const char *a, *b;
} cases[] = {
    { SXT_MATH_EQUAL, "\\pi-\\arccos\\frac18", "\\frac\\pi2+\\arcsin\\frac18" },
    { SXT_MATH_EQUAL, "4\\arctan\\frac15-\\arctan\\frac1{239}", "\\frac\\pi4" },
    { SXT_MATH_EQUAL, "\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3" },
    { SXT_MATH_EQUAL, "\\sqrt[3]{2+\\sqrt5}+\\sqrt[3]{2-\\sqrt5}", "1" },
    { SXT_MATH_EQUAL, "\\sqrt{11-6\\sqrt2}", "3-\\sqrt2" },
    { SXT_MATH_EQUAL, "\\cos\\frac\\pi5-\\cos\\frac{2\\pi}5", "\\frac12" },
    { SXT_MATH_EQUAL, "\\sin\\frac\\pi{10}", "\\frac{\\sqrt5-1}4" },
    { SXT_MATH_EQUAL, "\\tan\\frac\\pi8", "\\sqrt2-1" },
    { SXT_MATH_EQUAL, "\\ln(2+\\sqrt3)", "-\\ln(2-\\sqrt3)" },
    { SXT_MATH_EQUAL, "e^{\\ln 7}", "7" },
    { SXT_MATH_EQUAL, "\\log_2 3\\cdot\\log_3 4", "2" },
    { SXT_MATH_EQUAL, "|3-2\\sqrt3|", "2\\sqrt3-3" },
    { SXT_MATH_EQUAL, "\\lfloor 10\\pi\\rfloor", "31" },
    { SXT_MATH_EQUAL, "(-8)^{1/3}", "-2" },
    { SXT_MATH_EQUAL, "|x|", "\\sqrt{x^2}" },
    { SXT_MATH_EQUAL, "\\sqrt{x^2+2x+1}", "|x+1|" },
    { SXT_MATH_DIFFERENT, "\\pi", "\\frac{355}{113}" },
    { SXT_MATH_DIFFERENT, "e^{\\pi\\sqrt{163}}", "262537412640768744" },
    { SXT_MATH_DIFFERENT, "\\sqrt{11-6\\sqrt2}", "\\sqrt2-3" },
    { SXT_MATH_DIFFERENT, "10^{20}+\\sqrt{11-6\\sqrt2}", "10^{20}+\\sqrt2-3" },
    { SXT_MATH_DIFFERENT, "\\arctan 1+\\arctan 2", "\\arctan(-3)" },
    { SXT_MATH_DIFFERENT, "|x|", "x" },
    { SXT_MATH_DIFFERENT, "|x+500|", "x+500" },
    { SXT_MATH_UNDECIDED, "\\log 2", "\\ln 2" }, /* which base? */
    { SXT_MATH_UNDECIDED, "\\frac10", "\\frac10" },
    { SXT_MATH_UNDECIDED, "0^0", "1" },
};

/* Each would keep the library busy or make it abort. */
static const char *const hostile[] = {
    "\\sqrt{2+\\sqrt{3+\\sqrt{5+\\sqrt{7+\\sqrt{11+\\sqrt{13+\\sqrt{17}}}}}}}",
    "(\\sqrt2+\\sqrt3+\\sqrt5+\\sqrt7+\\sqrt{11}+\\sqrt{13}+\\sqrt{17})^{64}",
    "(((((2+\\sqrt3)^{64})^{64})^{64})^{64})^{64}",
    "e^{e^{e^{e^{e^{e^{e}}}}}}",
    "\\sin(10^{60}\\sqrt{2}^{63})^{61}+\\cos(e^{e^{e^5}})",
    "\\lfloor e^{e^{e^{e}}}\\rfloor",
    "500!^{64}+\\sqrt[23]{499!}",
    "\\arctan(\\arctan(\\arctan(\\sqrt[23]{\\sqrt[19]{2}+\\sqrt[17]{3}})))",
    "\\sin\\frac{\\pi}{8191}+\\cos\\frac{\\pi}{8219}",
};

static struct sxt_math_tree parsed(const char *text)
{
    struct sxt_math_tree tree;

    sxt_mathexpr_parse(sxt_span(text), true, &tree);
    ok(tree.root != NULL, "%s is in the grammar", text);
    return tree;
}

static void decide(const char *a, const char *b, enum sxt_math_verdict verdict)
{
    struct sxt_math_tree x = parsed(a), y = parsed(b);
    double budget_s = 0.4;

    ok(sxt_mathclosed(x.root, y.root, &budget_s) == verdict,
       "%s beside %s is %s", a, b,
       verdict == SXT_MATH_EQUAL       ? "proved equal"
       : verdict == SXT_MATH_DIFFERENT ? "proved different"
                                       : "left open");
    sxt_mathexpr_free(&x);
    sxt_mathexpr_free(&y);
}

/* CPU time of this process and its children; on a busy machine everything
 * takes long. */
static double used_s(void)
{
    static const int whose[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
    struct rusage r;
    double s = 0;

    for (int i = 0; i < 2; i++) {
        getrusage(whose[i], &r);
        s += (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
             1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
    }
    return s;
}

/* Against itself a little disguised: nothing refutes early. */
static void endure(const char *text)
{
    struct sxt_str other = SXT_STR_EMPTY;
    double budget_s = 0.4, start = used_s();

    sxt_str_add(&other, "\\frac{2(%s)+0}{2}", text);
    struct sxt_math_tree x = parsed(text), y = parsed(other.data);
    (void)sxt_mathclosed(x.root, y.root, &budget_s);
    double spent = used_s() - start;
    ok(spent < 1, "%s takes less than a second of CPU time (%.0f ms)", text,
       1e3 * spent);
    sxt_mathexpr_free(&x);
    sxt_mathexpr_free(&y);
    sxt_str_free(&other);
}

int main(void)
{
#ifndef HAVE_FLINT
    double budget_s = 0.4;
    struct sxt_math_tree x = parsed("1"), y = parsed("1");
    ok(sxt_mathclosed(x.root, y.root, &budget_s) == SXT_MATH_UNDECIDED,
       "without FLINT nothing is decided here");
    sxt_mathexpr_free(&x);
    sxt_mathexpr_free(&y);
#else
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        decide(cases[i].a, cases[i].b, cases[i].verdict);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
        endure(hostile[i]);
    struct rusage own, children;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    ok(children.ru_maxrss - own.ru_maxrss <= 64 << 10,
       "no child took 64 MiB more than this process (%ld MiB, %ld)",
       children.ru_maxrss >> 10, own.ru_maxrss >> 10);
#endif
    (void)decide;
    (void)endure;
    (void)cases;
    (void)hostile;
    return done_testing();
}
