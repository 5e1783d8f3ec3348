/* dedup.c (test) - equal questions and shared runs of words. */
#include "task/dedup.h"

#include "base/test/tap.h"

static bool same(const char *a, const char *b)
{
    return sxt_dedup_key(sxt_span(a)) == sxt_dedup_key(sxt_span(b));
}

int main(void)
{
    static const char text[] = "Alice has 3 apples and buys 4 more at the "
                               "market; how many apples has she now?";

    ok(same("What is 2 + 2?", "what is  2+2"),
       "case, blanks and stops do not count");
    ok(!same("What is 2 + 2?", "What is 2 - 2?"), "signs do");
    ok(!same("Solve 3.5 x", "Solve 35 x"), "decimal points do");
    ok(!same("a b", "ab"), "borders of words do");
    ok(same("", " ?!"), "nothing is nothing");

    struct sxt_ngrams *g = sxt_ngrams_create(8);
    sxt_ngrams_add(g, sxt_span(text));
    sxt_ngrams_add(g, sxt_span("short one"));
    ok(sxt_ngrams_meet(g, sxt_span("Yesterday ALICE has 3 apples and buys 4 "
                                   "more of them.")),
       "eight words in a row are found again");
    ok(!sxt_ngrams_meet(g, sxt_span("Alice has 3 apples and buys 5 more at "
                                    "another market, how many has she?")),
       "seven are not enough");
    ok(sxt_ngrams_meet(g, sxt_span("Short one!")), "a short text counts whole");
    ok(!sxt_ngrams_meet(g, sxt_span("A short one")), "and only whole");
    ok(!sxt_ngrams_meet(g, sxt_span("")), "nothing meets nothing");
    sxt_ngrams_destroy(g);
    return done_testing();
}
