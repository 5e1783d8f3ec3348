/* math.c - fuzz target: two answers, and what the judge promises of any two.
 *
 * Input: REFERENCE NUL ANSWER. */
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "task/mathequal.h"
#include "task/mathexpr.h"
#include "task/mathsentence.h"

static const char *const answers[] = {
    "@e",
    "@e",
    "@e",
    "@e, @e",
    "(@e, @e)",
    "[@e, @e)",
    "\\{@e, @e\\}",
    "@v = @e",
    "@e \\le @v < @e",
    "@e \\cup @e",
    "@e \\pm @e",
    "\\boxed{@e}",
    "@e\\%",
    "@e^\\circ",
    "@e \\text{ @w}",
    "@n_{@n}",
    "\\text{(@w)}",
    "@w",
    "\\begin{pmatrix} @e & @e \\\\ @e & @e \\end{pmatrix}",
    "@v \\in @e",
    "\\{@v | @v > @e\\}",
    "@e : @e",
    "\\$@n",
    "@n,@n",
    "x \\ne @e",
    "@t",
    NULL
};
static const char *const expressions[] = { "@n",
                                           "@n",
                                           "@v",
                                           "@e + @e",
                                           "@e - @e",
                                           "-@e",
                                           "@e @e",
                                           "@e \\cdot @e",
                                           "\\frac{@e}{@e}",
                                           "@e / @e",
                                           "@e^{@e}",
                                           "@e^@n",
                                           "\\sqrt{@e}",
                                           "\\sqrt[@e]{@e}",
                                           "(@e)",
                                           "|@e|",
                                           "\\left( @e \\right)",
                                           "\\@f @e",
                                           "\\@f(@e)",
                                           "\\@f^{@n} @e",
                                           "\\log_{@e} @e",
                                           "@e!",
                                           "\\binom{@e}{@e}",
                                           "@n \\frac{@n}{@n}",
                                           "\\lfloor @e \\rfloor",
                                           "\\sum_{k=@n}^{@n} @e",
                                           "\\overline{@n}",
                                           "0.\\overline{@n}",
                                           "\\dfrac@n@n",
                                           "@e \\times 10^{@e}",
                                           NULL };
static const char *const functions[] = { "sin",  "cos",  "tan",    "ln",
                                         "log",  "exp",  "arcsin", "arctan",
                                         "sqrt", "sinh", "gcd",    "max",
                                         "cot",  NULL };
static const char *const numbers[] = { "1",
                                       "0",
                                       "2",
                                       "3",
                                       "10",
                                       "12",
                                       "-1",
                                       "0.5",
                                       "1.41421356",
                                       ".25",
                                       "100",
                                       "1000",
                                       "1,000",
                                       "1{,}000",
                                       "99999999999999999999",
                                       "9223372036854775807",
                                       "123456789",
                                       "2^{100}",
                                       "10^{10^{10}}",
                                       "1e9",
                                       "007",
                                       "3.",
                                       "0x1F",
                                       NULL };
static const char *const names[] = {
    "x",       "y",   "n",       "e",          "i",           "\\pi",
    "\\alpha", "x_1", "a",       "C",          "f(x)",        "\\infty",
    "k",       "AB",  "\\theta", "\\emptyset", "\\mathbb{R}", NULL
};
static const char *const words[] = { "cm",    "m^2",          "dollars",
                                     "and",   "or",           "A",
                                     "B",     "Evelyn",       "east",
                                     "none",  "five",         "2:30 PM",
                                     "May 5", "\\mathrm{km}", NULL };
static const char *const pieces[] = { "\\left",
                                      "\\right",
                                      "{",
                                      "}",
                                      "(",
                                      ")",
                                      "[",
                                      "]",
                                      "$",
                                      "\\(",
                                      "\\)",
                                      "&",
                                      "\\\\",
                                      ",",
                                      ";",
                                      "_",
                                      "^",
                                      "'",
                                      "\\,",
                                      "\\!",
                                      "\\text{",
                                      "\\mathbf{",
                                      "\xE2\x88\x9A",
                                      "\xC2\xBD",
                                      "\xCF\x80",
                                      "\xC2\xB0",
                                      "\xE2\x89\xA4",
                                      "<",
                                      "\\ge",
                                      "=",
                                      "\\approx",
                                      "!",
                                      "%",
                                      "\\begin{cases}",
                                      "\\end{cases}",
                                      "#",
                                      "\\operatorname{",
                                      "\\displaystyle",
                                      "~",
                                      "|",
                                      "\\to",
                                      "\\cap",
                                      "\\mod",
                                      NULL };
static const char *const pairs[] = { "@a\1@a", "@e\1@e", "@e\1(@e)", NULL };

const struct fuzz_grammar fuzz_grammar = {
    .rules = { ['a' - 'a'] = answers,
               ['e' - 'a'] = expressions,
               ['f' - 'a'] = functions,
               ['n' - 'a'] = numbers,
               ['v' - 'a'] = names,
               ['w' - 'a'] = words,
               ['t' - 'a'] = pieces,
               ['p' - 'a'] = pairs },
    .start = "@p",
};

static struct sxt_math_judgement judge(struct sxt_span a, struct sxt_span b)
{
    fuzz_start();
    struct sxt_math_judgement j = sxt_mathequal(a, b);
    fuzz_stop(FUZZ_BYTES);
    SXT_CHECK(j.rule && j.rule[0]);
    return j;
}

static bool one_of(const char *rule, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(rule, *list) == 0)
            return true;
    return false;
}

/* An answer is itself, unless nothing can be read. */
static void check_itself(struct sxt_span a)
{
    static const char *const nothing[] = { "empty", "unparsed", NULL };
    struct sxt_math_judgement j = judge(a, a);

    SXT_CHECK(j.verdict == SXT_MATH_EQUAL || one_of(j.rule, nothing));
}

/* Never "equal" and "different" both; a limit may cut a proof short. */
static bool agree(struct sxt_math_judgement a, struct sxt_math_judgement b)
{
    return a.verdict == b.verdict || a.verdict == SXT_MATH_UNDECIDED ||
           b.verdict == SXT_MATH_UNDECIDED;
}

/* Rules that ask for a value, not who said it, do not care for the order; but
 * only an answer is read as a sentence ("the sum is 2"), never a reference. */
static void check_order(struct sxt_span a, struct sxt_span b)
{
    static const char *const both_ways[] = { "same", "text", "identity", NULL };
    struct sxt_math_judgement j = judge(a, b), again = judge(a, b);
    struct sxt_math_judgement back = judge(b, a);
    struct sxt_span inside;
    bool told = sxt_mathsentence(a, &inside) || sxt_mathsentence(b, &inside);

    SXT_CHECK(agree(j, again));
    if (!told && one_of(j.rule, both_ways) && one_of(back.rule, both_ways))
        SXT_CHECK(agree(j, back));
}

static bool arithmetic(const struct sxt_math_node *n)
{
    const struct sxt_math_node *c = n->child;

    switch (n->kind) {
    case SXT_MATH_NUMBER:
    case SXT_MATH_NAME:
    case SXT_MATH_NEG:
    case SXT_MATH_ADD:
    case SXT_MATH_SUB:
    case SXT_MATH_MUL:
    case SXT_MATH_DIV:
    case SXT_MATH_POW:
    case SXT_MATH_ROOT:
        break;
    default:
        return false;
    }
    for (size_t i = 0; i < n->count; i++, c = c->next)
        if (!arithmetic(c))
            return false;
    return true;
}

/* x + 1 is not x, whatever x: a false accept in its simplest form. */
static void check_plus_one(struct sxt_span a)
{
    struct sxt_str more = SXT_STR_EMPTY;
    struct sxt_math_tree tree;

    sxt_mathexpr_parse(a, true, &tree);
    sxt_str_add(&more, "{%.*s}+1", (int)a.len, a.data);
    /* With a box in it, only the box would count. */
    if (tree.root && arithmetic(tree.root) && sxt_span_find(a, "box") < 0) {
        struct sxt_span b = { more.data, more.len };
        SXT_CHECK(judge(a, b).verdict != SXT_MATH_EQUAL);
        SXT_CHECK(judge(b, a).verdict != SXT_MATH_EQUAL);
    }
    sxt_str_free(&more);
    sxt_mathexpr_free(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sxt_span rest = { (const char *)data, size };
    struct sxt_span a = fuzz_part(&rest), b = fuzz_part(&rest);

    check_itself(a);
    check_itself(b);
    check_order(a, b);
    check_plus_one(a);
    return 0;
}
