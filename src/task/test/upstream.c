/* upstream.c (test) - SkyThought's rules, oddities and all: derived from the
 * description of its code, step by step, and what that code itself said of
 * validation/golden/upstream.jsonl (validation/oracle/upstream.py). */
#include "task/upstream.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/test/tap.h"

static const struct {
    const char *answer, *normal;
} forms[] = {
    { "\\dfrac{1}{2}", "\\frac{1}{2}" },
    { "\\frac12", "\\frac{1}{2}" },
    { "\\frac1{72}", "\\frac{1}{72}" },
    { "3/4", "\\frac{3}{4}" },
    { "03/4", "03/4" },
    { "\\sqrt3", "\\sqrt{3}" },
    { "x=5", "5" },
    { "025", "25" },
    { "1,000", "0,1" }, /* a list, sorted */
    { "10,000", "0,10" },
    { "2,500", "2,500" },
    { "3,-1,2", "-1,2,3" },
    { "random", "rom" },
    { "infant", "\\inftyant" },
    { "12.500", "12.500" },
    { "12.000", "12" },
    { ".5", "0.5" },
    { "50\\%", "50" },
    { "90^\\circ", "90" },
    { "15\\text{ cm}", "15" },
    { "\\text{three}", "3" },
    { "three apples", "3" },
    { "\\text{Evelyn}", "Evelyn" },
    { "7.", "7" },
    { "\\left( 1,\\, 2 \\right)", "(1,\\,2)" },
    { "\\begin{bmatrix}1\\\\2\\end{bmatrix}",
      "\\begin{pmatrix}1\\2\\end{pmatrix}" }, /* loses a backslash */
    { "2+3j", "2+3i" },
    { "(-\\infty,\\infty)", "\\mathbb{R}" },
    { "5thgrade", "5" },
    { "", "" },
};

static const struct {
    const char *response, *answer;
} responses[] = {
    { "so \\boxed{\\frac{1}{2}} it is", "\\frac{1}{2}" },
    { "\\boxed{5} and it is boxed", "" }, /* the last "boxed" */
    { "The final answer is $7$. I hope it is correct.", "7" },
    { "The answer is 12.", "12" },
    { "first 3, then 1,234", "1234" },
    { "no idea", "" },
};

static const struct {
    const char *ref, *pred;
    bool same;
} pairs[] = {
    { "10000", "10001", true }, /* within 1e-4 */
    { "10000", "10002", false },
    { "50", "0.5", true }, /* percent either way */
    { "3", "300", true },
    { "[1,2)", "(1,2)", true },
    { "(1,2)", "[1,2]", true },
    { "(1,\\frac{1}{2})", "(1,0.5)", true },
    { "\\{1,2\\}", "(1,2)", false },
    { "{1,2}", "1,2", true },
    { "x^2+2x+1", "(x+1)^2", true },
    { "x+1", "x-1", false },
    { "y=2x", "2x=y", true },
    { "5", "x=5", true },
    { "B", "the answer is (B)", true },
    { "\\begin{pmatrix}1\\\\2\\end{pmatrix}",
      "\\begin{pmatrix}1\\\\2.0\\end{pmatrix}", true },
    { "7", "", false },
};

static const struct {
    const char *source, *gold, *response;
    bool choice, right;
} scores[] = {
    { "math500", "\\frac{1}{2}", "\\boxed{0.5}", false, true },
    { "math500", "1,000", "\\boxed{1000}", false, false },
    { "gsm8k", "18", "The final answer is 18", false, true },
    { "gsm8k", "1,800", "The final answer is $1,800", false, true },
    { "gsm8k", "1,080", "The final answer is $1,080", false, false },
    { "gsm8k", "18", "The final answer is 18.5", false, false },
    { "gpqa_diamond", "B", "\\boxed{B}. This is a common result.", true,
      false }, /* the article */
    { "gpqa_diamond", "B", "\\boxed{B}", true, true },
    { "mmlu_pro", "H", "the answer is (H).", true, true },
    { "mmlu_pro", "H", "Answer: G", true, false },
    { "arc_c", "C", "The best answer is C", true, true },
    { "omni_math", "x=5", "\\boxed{5}", false, true },
};

/* Verdict and answer of one line; a choice's answer is a letter or nothing
 * here, and there perhaps the whole text. */
static bool judged_alike(const struct sxt_json *line)
{
    struct sxt_span source = sxt_json_text(sxt_json_get(line, "source"));
    struct sxt_span gold = sxt_json_text(sxt_json_get(line, "gold"));
    struct sxt_span text = sxt_json_text(sxt_json_get(line, "response"));
    struct sxt_span answer = sxt_json_text(sxt_json_get(line, "answer"));
    bool right = sxt_json_bool(sxt_json_get(line, "right"), false);
    enum sxt_upstream_scorer scorer = sxt_upstream_scorer(
        source, sxt_json_bool(sxt_json_get(line, "choice"), false));
    bool maths = scorer == SXT_UPSTREAM_MATH || scorer == SXT_UPSTREAM_RAW;
    struct sxt_str out = SXT_STR_EMPTY;

    bool alike = sxt_upstream_score(scorer, gold, text, &out) == right;
    struct sxt_span found = { out.data ? out.data : "", out.len };
    alike = alike && (!maths || sxt_span_same(found, answer));
    if (!alike)
        printf("# %.*s: '%.*s' for '%.*s' holds '%.*s', not '%.*s'; %s there\n",
               (int)source.len, source.data, (int)text.len, text.data,
               (int)gold.len, gold.data, (int)found.len, found.data,
               (int)answer.len, answer.data, right ? "right" : "wrong");
    sxt_str_free(&out);
    return alike;
}

static void test_golden(void)
{
    const char *src = getenv("SRCDIR") ? getenv("SRCDIR") : ".";
    char *path = sxt_printf("%s/validation/golden/upstream.jsonl", src);
    struct sxt_error err = { 0 };
    struct sxt_jsonl *in = sxt_jsonl_open(path, &err);
    struct sxt_json *line;
    size_t number;
    int lines = 0, alike = 0;

    for (; in && sxt_jsonl_next(in, &line, &number, &err) > 0; lines++) {
        alike += judged_alike(line);
        sxt_json_free(line);
    }
    ok(lines > 300 && alike == lines,
       "%d of %d verdicts are those of SkyThought's own code", alike, lines);
    if (in)
        sxt_jsonl_close(in);
    free(path);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct sxt_str out = SXT_STR_EMPTY;
        sxt_upstream_normalise(sxt_span(forms[i].answer), &out);
        is_text(out.data ? out.data : "", forms[i].normal, forms[i].answer);
        sxt_str_free(&out);
    }
    for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
        struct sxt_str out = SXT_STR_EMPTY;
        sxt_upstream_extract(sxt_span(responses[i].response), &out);
        is_text(out.data ? out.data : "", responses[i].answer,
                responses[i].response);
        sxt_str_free(&out);
    }
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        ok(sxt_upstream_equal(sxt_span(pairs[i].pred),
                              sxt_span(pairs[i].ref)) == pairs[i].same,
           "%s is %s%s there", pairs[i].pred, pairs[i].same ? "" : "not ",
           pairs[i].ref);
    for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
        struct sxt_str out = SXT_STR_EMPTY;
        enum sxt_upstream_scorer s =
            sxt_upstream_scorer(sxt_span(scores[i].source), scores[i].choice);
        ok(sxt_upstream_score(s, sxt_span(scores[i].gold),
                              sxt_span(scores[i].response),
                              &out) == scores[i].right,
           "%s: '%s' for %s scores %s", sxt_upstream_name(s),
           scores[i].response, scores[i].gold,
           scores[i].right ? "right" : "wrong");
        sxt_str_free(&out);
    }
    test_golden();
    return done_testing();
}
