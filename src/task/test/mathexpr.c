/* mathexpr.c (test) - trees of answers, and answers that have none. */
#include "task/mathexpr.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"

static const struct {
    const char *text, *tree;
} trees[] = {
    { "1{,}234.5", "(number 1234.5)" },
    { "1,234", "(number 1234)" },
    { "1, 234", "(list (number 1) (number 234))" },
    { "(1,234)", "(tuple () (number 1) (number 234))" },
    { "2\\frac13", "(add (number 2) (div (number 1) (number 3)))" },
    { "2 1/3", "(add (number 2) (div (number 1) (number 3)))" },
    { "-x^2", "(neg (pow (name x) (number 2)))" },
    { "2^{n+1}", "(pow (number 2) (add (name n) (number 1)))" },
    { "\\sqrt[3]{x}", "(root (name x) (number 3))" },
    { "\\sqrt2", "(root (number 2) (number 2))" },
    { "\\sin^2 3x + 1", "(add (pow (function sin (mul (number 3) (name x))) "
                        "(number 2)) (number 1))" },
    { "\\sin^{-1} x", "(function arcsin (name x))" },
    { "\\log_2 n", "(function log (name n) (number 2))" },
    { "52_8", "(base (number 52) (number 8))" },
    { "x_1", "(name x_1)" },
    { "F_{n-1}", "(function F (sub (name n) (number 1)))" },
    { "0.3\\overline{8}", "(repeating 0.3 (number 8))" },
    { "50\\%", "(percent (number 50))" },
    { "90^\\circ", "(degree (number 90))" },
    { "[0, \\infty)", "(tuple [) (number 0) (infinity))" },
    { "-2 \\le x < 7", "(relation L< (neg (number 2)) (name x) (number 7))" },
    { "\\{x \\mid x > 0\\}",
      "(builder (name x) (relation > (name x) (number 0)))" },
    { "|x-1|", "(function abs (sub (name x) (number 1)))" },
    { "15 \\text{ cm}^2", "(unit cm^2 (number 15))" },
    { "\\$7.50", "(unit dollar (number 7.50))" },
    { "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
      "(matrix (number 1) (number 2) (number 3) (number 4))" },
    { "\\text{five}", "(number 5)" },
    { "7.44e-4", "(mul (number 7.44) (pow (number 10) (neg (number 4))))" },
};

static const char *const none[] = {
    "",
    "2\\frac",
    "1.\\bar",
    "\\frac{1}",
    "(1,2",
    ",1",
    "= =",
    "x <",
    "\\begin{pmatrix}1&2\\\\3"
    "\\end{pmatrix}",
    "}}{{",
    "\\unknown{x}",
    "2^",
    "5 apples = ",
    "|x",
};

/* Deep and long inputs must come back at once, without a tree. */
static void repeated(const char *piece, size_t times, const char *claim)
{
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_math_tree tree;

    for (size_t i = 0; i < times; i++)
        sxt_str_add(&text, "%s", piece);
    sxt_mathexpr_parse((struct sxt_span){ text.data, text.len }, true, &tree);
    ok(!tree.root, "%s", claim);
    sxt_mathexpr_free(&tree);
    sxt_str_free(&text);
}

int main(void)
{
    struct sxt_math_tree tree;

    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        struct sxt_str out = SXT_STR_EMPTY;
        sxt_mathexpr_parse(sxt_span(trees[i].text), true, &tree);
        if (tree.root)
            sxt_mathexpr_print(tree.root, &out);
        is_text(out.data ? out.data : "no tree", trees[i].tree, trees[i].text);
        sxt_str_free(&out);
        sxt_mathexpr_free(&tree);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        sxt_mathexpr_parse(sxt_span(none[i]), true, &tree);
        ok(!tree.root, "no tree for '%s'", none[i]);
        sxt_mathexpr_free(&tree);
    }
    repeated("(", 100000, "100000 parentheses are too deep");
    repeated("{", 100000, "100000 braces are too deep");
    repeated("-", 100000, "100000 signs are too deep");
    repeated("\\frac", 20000, "20000 fractions are too deep");
    repeated("\\text{1", 20000, "20000 nested texts are too deep");
    repeated("x_1", 50000, "50000 subscripts are too long");
    repeated("1+", 50000, "50000 terms are too long");
    repeated("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", 100,
             "a product of 100 matrices is too large");
    return done_testing();
}
