/* import.c - records of every known shape, and of none. */
#include "task/import.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"

static const struct sxt_cfg_section *const known[] = { &sxt_dataset_section,
                                                       NULL };

/* A data set from the text of its section. */
static struct sxt_dataset *dataset(const char *params)
{
    char path[] = "/tmp/sextant-dataset-XXXXXX";
    char *text = sxt_printf("dataset: { source = \"s\"; %s };", params);
    struct sxt_error err = { 0 };
    void *set = NULL;
    int fd = mkstemp(path);

    SXT_CHECK(fd >= 0);
    close(fd);
    SXT_CHECK(sxt_file_write(path, text, strlen(text), &err) == 0);
    if (sxt_cfg_read(path, &sxt_dataset_section, known, NULL, 0, &set, &err) ||
        sxt_import_check(set, &err) != 0)
        printf("# %s\n", err.text);
    unlink(path);
    free(text);
    return set;
}

/* What a record becomes: "FIELD: …" for the fields that are not empty, or the
 * message, or "left out". */
static void import(const char *params, const char *json, struct sxt_str *out)
{
    struct sxt_dataset *set = dataset(params);
    struct sxt_json *record = sxt_json_parse(json, strlen(json), "t", NULL);
    struct sxt_problem p = { 0 };
    struct sxt_error err = { 0 };
    const struct {
        const char *name;
        const struct sxt_str *text;
    } fields[] = { { "answer", &p.answer },   { "choices", &p.choices },
                   { "starter", &p.starter }, { "fn_name", &p.fn_name },
                   { "tests", &p.tests },     { "prompt", &p.prompt } };

    SXT_CHECK(set && record);
    int kept = sxt_import_record(set, record, "f/7", &p, &err);
    if (kept < 0)
        sxt_str_add(out, "%s", err.text);
    else if (kept == 0)
        sxt_str_add(out, "left out");
    else
        sxt_str_add(out, "%s", p.id.data);
    for (size_t i = 0; kept == 1 && i < 6; i++)
        if (fields[i].text->len > 0)
            sxt_str_add(out, "|%s: %s", fields[i].name, fields[i].text->data);
    sxt_problem_free(&p);
    sxt_json_free(record);
    sxt_cfg_free(&sxt_dataset_section, set);
}

#define CODE "domain = \"code\"; prompt = \"-\"; "
#define CHOICES "domain = \"choice\"; answer = \"a\"; prompt = \"{choices}\"; "

static const struct {
    const char *what, *params, *record, *result;
} cases[] = {
    { "a bare question", "", "{\"question\":\"2+2?\"}", "s/f/7|prompt: 2+2?" },
    { "an id of its own", "id = \"n\"; prompt = \"-\";",
      "{\"n\":12,\"question\":\"q\"}", "s/12|prompt: -" },
    { "a byte 0 in an id", "id = \"n\";",
      "{\"n\":\"a\\u0000b\",\"question\":\"q\"}",
      "the id has a control character (byte 0)" },
    { "members by path", "question = \"c.1.v\"; answer = \"m.x\";",
      "{\"c\":[0,{\"v\":\"q\"}],\"m\":{\"x\":1.5}}",
      "s/f/7|answer: 1.5|prompt: q" },
    { "a template is filled once", "prompt = \"{x} {question} \\\\boxed{}\";",
      "{\"question\":\"{starter}\"}", "s/f/7|prompt: {x} {starter} \\boxed{}" },
    { "no question", "", "{\"q\":1}", "member question is missing" },
    { "a null question", "", "{\"question\":null}",
      "member question is missing" },
    { "a blank question", "", "{\"question\":\" \\n\"}",
      "member question is empty" },
    { "a question that is an object", "", "{\"question\":{}}",
      "member question is no text" },
    { "a record that is no object", "", "[1]", "the record is no object" },

    { "after the last mark",
      "answer = \"a\"; answer_rule = \"after\"; answer_drop = \",\"; "
      "prompt = \"-\";",
      "{\"question\":\"q\",\"a\":\"x #### 1\\n#### 1,234 \"}",
      "s/f/7|answer: 1234|prompt: -" },
    { "no mark", "answer = \"a\"; answer_rule = \"after\";",
      "{\"question\":\"q\",\"a\":\"x\"}", "member a: no answer_mark in it" },
    { "the last box, braces balanced",
      "answer = \"a\"; answer_rule = \"boxed\"; prompt = \"-\";",
      "{\"question\":\"q\",\"a\":\"\\\\boxed{1} or \\\\boxed{ \\\\frac{1}{2} "
      "\\\\} } .\"}",
      "s/f/7|answer: \\frac{1}{2} \\}|prompt: -" },
    { "a box without braces",
      "answer = \"a\"; answer_rule = \"boxed\"; prompt = \"-\";",
      "{\"question\":\"q\",\"a\":\"so $\\\\boxed 5$ it is\"}",
      "s/f/7|answer: 5|prompt: -" },
    { "a box that is never closed", "answer = \"a\"; answer_rule = \"boxed\";",
      "{\"question\":\"q\",\"a\":\"\\\\boxed{1\"}",
      "member a: no \\boxed{} in it" },
    { "no answer is a fault", "answer = \"a\";", "{\"question\":\"q\"}",
      "member a: it is missing" },
    { "unless it is optional", "answer = \"a\"; answer_optional = true;",
      "{\"question\":\"q\"}", "s/f/7|prompt: q" },
    { "a list of answers", "answer = \"a\"; prompt = \"-\";",
      "{\"question\":\"q\",\"a\":[\"1\",2]}", "s/f/7|answer: 1, 2|prompt: -" },

    { "choices and a number",
      CHOICES "choices = [\"c\"]; answer_rule = \"index\";",
      "{\"question\":\"q\",\"c\":[\"x\",\"y\"],\"a\":1}",
      "s/f/7|answer: B|choices: [\"x\",\"y\"]|prompt: A) x, B) y" },
    { "choices and a letter",
      CHOICES "choices = [\"c.text\"]; answer_rule = \"letter\"; "
              "choice_item = \"({letter}) {text}\"; choice_join = \"\\n\";",
      "{\"question\":\"q\",\"c\":{\"text\":[\"x\",\"y\"]},\"a\":\"B\"}",
      "s/f/7|answer: B|choices: [\"x\",\"y\"]|prompt: (A) x\n(B) y" },
    { "choices and a label",
      CHOICES "choices = [\"c\"]; answer_rule = \"letter\";",
      "{\"question\":\"q\",\"c\":[\"x\",\"y\"],\"a\":\"1\"}",
      "s/f/7|answer: A|choices: [\"x\",\"y\"]|prompt: A) x, B) y" },
    { "a letter too far",
      CHOICES "choices = [\"c\"]; answer_rule = \"letter\";",
      "{\"question\":\"q\",\"c\":[\"x\",\"y\"],\"a\":\"C\"}",
      "member a: no letter of a choice" },
    { "one choice only", CHOICES "choices = [\"c\"]; answer_rule = \"index\";",
      "{\"question\":\"q\",\"c\":[\"x\"],\"a\":0}", "1 choices, not 2 to 26" },
    { "a choice that is missing",
      CHOICES "choices = [\"x\", \"y\"]; answer_rule = \"first\";",
      "{\"question\":\"q\",\"x\":\"1\"}", "choice 2 is no text" },

    { "kept: a word of several", "keep = [\"d=x|question|y\"];",
      "{\"question\":\"q\",\"d\":\"y\"}", "s/f/7|prompt: q" },
    { "left out: only a part of the word", "keep = [\"d=xy|z\"];",
      "{\"question\":\"q\",\"d\":\"x\"}", "left out" },
    { "kept: a part of the text", "keep = [\"u~2024\"];",
      "{\"question\":\"q\",\"u\":\"at/2024/1\"}", "s/f/7|prompt: q" },
    { "kept: between bounds", "keep = [\"d>3\", \"d<10\"];",
      "{\"question\":\"q\",\"d\":\"4.0\"}", "s/f/7|prompt: q" },
    { "left out: on the bound", "keep = [\"d>3\"];",
      "{\"question\":\"q\",\"d\":3}", "left out" },
    { "left out: no number", "keep = [\"d<3\"];",
      "{\"question\":\"q\",\"d\":\"low\"}", "left out" },
    { "left out: nothing there", "keep = [\"d\"];",
      "{\"question\":\"q\",\"d\":\"\"}", "left out" },

    { "APPS, standard input, as an object",
      CODE "tests = \"apps\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":{\"inputs\":[\"1\\n\",[\"2\",\"3\"]],"
      "\"outputs\":[\"1\",\"5\"]}}",
      "s/f/7|tests: {\"kind\":\"stdin\",\"inputs\":[\"1\\n\",\"2\\n3\"],"
      "\"outputs\":[\"1\",\"5\"]}|prompt: -" },
    { "APPS, a call, as text, values wrapped",
      CODE "tests = \"apps\"; test_members = [\"t\"]; prompt_call = \"call\";",
      "{\"question\":\"q\",\"t\":\"{\\\"fn_name\\\":\\\"f\\\",\\\"inputs\\\":"
      "[[1,[2]],[3,[]]],\\\"outputs\\\":[[true],[\\\"x\\\"]]}\"}",
      "s/f/7|fn_name: f|tests: {\"kind\":\"call\",\"fn_name\":\"f\","
      "\"wrapped\":true,\"inputs\":"
      "[[1,[2]],[3,[]]],\"outputs\":[[true],[\"x\"]]}|prompt: call" },
    { "APPS, lists that are values",
      CODE "tests = \"apps\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":{\"fn_name\":\"f\",\"inputs\":[[1],[2]],"
      "\"outputs\":[[1],[1,2]]}}",
      "s/f/7|fn_name: f|tests: {\"kind\":\"call\",\"fn_name\":\"f\",\"inputs\":"
      "[[1],[2]],\"outputs\":[[1],[1,2]]}|prompt: -" },
    { "APPS without tests", CODE "tests = \"apps\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":{\"inputs\":[],\"outputs\":[]}}",
      "there are no tests" },
    { "APPS with an output too few",
      CODE "tests = \"apps\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":{\"inputs\":[\"1\"],\"outputs\":[]}}",
      "tests need as many outputs as inputs" },
    { "APPS with text that is no JSON",
      CODE "tests = \"apps\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":\"{\"}",
      "t:1:1: string or '}' expected near "
      "end of file" },
    { "APPS with numbers for text",
      CODE "tests = \"apps\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":{\"inputs\":[1],\"outputs\":[\"1\"]}}",
      "test 1: input or output is of the wrong type" },

    { "APPS, dictionaries among the arguments",
      CODE "tests = \"apps\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":{\"fn_name\":\"f\",\"inputs\":[[{\"1\":2}]],"
      "\"outputs\":[3]}}",
      "s/f/7|fn_name: f|tests: {\"kind\":\"call\",\"fn_name\":\"f\","
      "\"int_keys\":true,\"inputs\":[[{\"1\":2}]],\"outputs\":[3]}|prompt: -" },
    { "CodeContests, with its limits and rules",
      CODE "tests = \"pairs\"; test_members = [\"t\", \"u\"]; cpu_s = 2.0; "
           "time_limit = \"l\"; memory_mb = 256.0; tolerance = 1e-5; "
           "form = \"words\"; fold_case = true;",
      "{\"question\":\"q\",\"l\":{\"seconds\":3,\"nanos\":500000000},\"t\":"
      "{\"input\":[\"1\"],\"output\":[\"2\"]},\"u\":{\"input\":[\"3\"],"
      "\"output\":[\"4\"]}}",
      "s/f/7|tests: {\"kind\":\"stdin\",\"cpu_s\":3.5,\"memory_mb\":256,"
      "\"tolerance\":1e-05,\"form\":\"words\",\"fold_case\":true,\"public\":1,"
      "\"inputs\":[\"1\",\"3\"],\"outputs\":[\"2\",\"4\"]}|prompt: -" },
    { "pairs of objects, as text",
      CODE "tests = \"pairs\"; test_members = [\"t\"]; "
           "upstream = \"livecodebench\";",
      "{\"question\":\"q\",\"t\":\"[{\\\"input\\\":{\\\"stdin\\\":"
      "\\\"1\\\"},\\\"output\\\":{\\\"stdout\\\":\\\"2\\\"}}]\"}",
      "s/f/7|tests: {\"kind\":\"stdin\",\"upstream\":\"livecodebench\","
      "\"inputs\":[\"1\"],\"outputs\":[\"2\"]}|prompt: -" },
    { "EvalPlus without a reference",
      CODE "tests = \"evalplus\"; test_members = [\"t\"]; entry = \"e\";",
      "{\"question\":\"q\",\"e\":\"f\",\"t\":[[1]]}",
      "there is no reference solution" },
    { "EvalPlus with an input that is no list",
      CODE "tests = \"evalplus\"; test_members = [\"t\"]; entry = \"e\";",
      "{\"question\":\"q\",\"e\":\"f\",\"t\":[1]}", "t.0 is no list" },
    { "LiveCodeBench, a list as text, and a packed one",
      CODE "tests = \"pairs\"; test_members = [\"t\", \"u\"]; "
           "entry = \"m\";",
      "{\"question\":\"q\",\"m\":\"{\\\"func_name\\\": \\\"f\\\"}\",\"t\":"
      "\"[{\\\"input\\\":\\\"1\\\\n\\\\\\\"x\\\\\\\"\\\",\\\"output\\\":"
      "\\\"[1, 2]\\\",\\\"testtype\\\":\\\"functional\\\"}]\",\"u\":"
      "\"PACKED2\"}",
      "s/f/7|fn_name: f|tests: {\"kind\":\"call\",\"fn_name\":\"f\","
      "\"public\":1,\"inputs\":"
      "[[1,\"x\"],[3,[1,2]]],\"outputs\":[[1,2],7]}|prompt: -" },
    { "LiveCodeBench, a packed object of texts",
      CODE "tests = \"pairs\"; test_members = [\"u\"];",
      "{\"question\":\"q\",\"u\":\"PACKEDD\"}",
      "s/f/7|tests: {\"kind\":\"stdin\",\"inputs\":[\"1\\n\"],\"outputs\":"
      "[\"2\"]}|prompt: -" },
    { "a pickle that would run a command",
      CODE "tests = \"pairs\"; test_members = [\"u\"];",
      "{\"question\":\"q\",\"u\":\"PACKEDE\"}",
      "pickle: operation 0x93 at byte 28 is not supported" },
    { "neither JSON nor packed",
      CODE "tests = \"pairs\"; test_members = [\"u\"];",
      "{\"question\":\"q\",\"u\":\"?\"}", "neither JSON nor base64" },
    { "base64 of nothing that inflates",
      CODE "tests = \"pairs\"; test_members = [\"u\"];",
      "{\"question\":\"q\",\"u\":\"aGVsbG8=\"}", "damaged compressed data" },
    { "a functional test without a name",
      CODE "tests = \"pairs\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":[{\"input\":\"1\",\"output\":\"1\","
      "\"testtype\":\"functional\"}]}",
      "a functional test without a function's name" },

    { "asserts; the function is the one they call",
      "domain = \"code\"; tests = \"asserts\"; test_members = [\"t\"]; "
      "solution = \"c\"; setup = \"i\"; prompt = \"{tests}\";",
      "{\"question\":\"q\",\"c\":\"def ab():\\n pass\\ndef b(x):\\n pass\","
      "\"i\":[\"import math\"],\"t\":[\"assert set(b(1)) == 1\","
      "\"assert b(2)\"]}",
      "s/f/7|fn_name: b|tests: {\"kind\":\"assert\",\"setup\":\"import "
      "math\\n\",\"entry\":\"b\",\"tests\":[\"assert set(b(1)) == 1\",\"assert "
      "b(2)\"]}|prompt: assert set(b(1)) == 1\nassert b(2)" },
    { "asserts of an unknown function",
      CODE "tests = \"asserts\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":[\"assert b(1)\"]}",
      "the name of the tested function is not known" },
    { "check(), with what stands before the function as setup",
      CODE "tests = \"check\"; test_members = [\"t\"]; entry = \"e\"; "
           "starter = \"question\"; setup = \"^\";",
      "{\"question\":\"import os\\n\\ndef g(): pass\\n\\ndef f(x):\\n    "
      "\\\"d\\\"\\n\",\"e\":\"f\",\"t\":\"def check(c): assert c(1)\"}",
      "s/f/7|starter: import os\n\ndef g(): pass\n\ndef f(x):\n    \"d\"\n"
      "|fn_name: f|tests: {\"kind\":\"assert\",\"setup\":\"import os\\n\\ndef "
      "g(): pass\\n\\n\",\"entry\":\"f\",\"tests\":[\"def check(c): assert "
      "c(1)\\n\\ncheck(f)\\n\"]}|prompt: -" },
    { "no test code", CODE "tests = \"code\"; test_members = [\"t\"];",
      "{\"question\":\"q\",\"t\":\" \"}", "member t holds no test code" },
};

/* zlib (pickle (...)) in base64, by CPython: a list in protocol 2, a
 * dict in protocol 4, and os.system("echo hacked"). */
static const struct {
    const char *mark, *text;
} packed[] = {
    { "PACKED2",
      "eJxrYIpwYGBgiK5WyswrKC1RslJQMo7JizbUMYpV0lFQyi8tgYqag7glqcUlJZUFqS"
      "CBtNK85JLM/LzEHKXa2EIGPQD9jxW5" },
    { "PACKEDD",
      "eJxrYJlqzQABtVN6eDLzCkpL4vNLS4DUlB7VaiWwQLGSlUK0kmFMnlKsjoISRBYiZq"
      "QUWzulWA8A+jAWJA==" },
    { "PACKEDE",
      "eJxrYJmqxgABPawF+cWZFVN62Iori0tSc6dMntLDnZqcka+QkZicnZoypXVK0BQ9AG"
      "33EQE=" },
};

static char *with_packed(const char *record)
{
    struct sxt_str s = SXT_STR_EMPTY;

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        const char *at = strstr(record, packed[i].mark);
        if (!at)
            continue;
        sxt_str_add_bytes(&s, record, (size_t)(at - record));
        sxt_str_add(&s, "%s%s", packed[i].text, at + strlen(packed[i].mark));
        return s.data;
    }
    return sxt_strdup(record);
}

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sxt_str got = SXT_STR_EMPTY;
        char *record = with_packed(cases[i].record);
        import(cases[i].params, record, &got);
        is_text(got.data, cases[i].result, cases[i].what);
        sxt_str_free(&got);
        free(record);
    }
}

/* The right choice is first in the source and anywhere in the problem. */
static void test_shuffle(void)
{
    int places[3] = { 0 }, right = 0;

    for (int i = 0; i < 90; i++) {
        char *record = sxt_printf("{\"n\":%d,\"question\":\"q\",\"x\":\"yes\","
                                  "\"y\":\"no\",\"z\":\"nope\"}",
                                  i);
        struct sxt_str got = SXT_STR_EMPTY, again = SXT_STR_EMPTY;
        const char *params = "id = \"n\"; domain = \"choice\"; "
                             "answer_rule = \"first\"; prompt = \"{choices}\"; "
                             "choices = [\"x\", \"y\", \"z\"];";
        import(params, record, &got);
        import(params, record, &again);
        const char *letter = strstr(got.data, "answer: ") + 8;
        char shown[] = { *letter, ')', ' ', 'y', 'e', 's', '\0' };
        right += strstr(got.data, shown) && strcmp(got.data, again.data) == 0;
        places[*letter - 'A']++;
        sxt_str_free(&got);
        sxt_str_free(&again);
        free(record);
    }
    ok(right == 90, "the letter follows the right choice when it is shuffled");
    /* Binomial (90, 1/3): 14 is 3.6 standard deviations below 30. */
    ok(places[0] > 14 && places[1] > 14 && places[2] > 14,
       "to every place: %d %d %d", places[0], places[1], places[2]);
}

static void test_bad_datasets(void)
{
    static const char *const bad[] = {
        "source = \"\";",    "source = \"a/b\";",  "answer_rule = \"letter\";",
        "tests = \"apps\";", "domain = \"code\";",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        void *set = NULL;
        struct sxt_error err = { 0 };
        char path[] = "/tmp/sextant-dataset-XXXXXX";
        char *text =
            sxt_printf("dataset: { %s%s };",
                       strstr(bad[i], "source") ? "" : "source=\"s\";", bad[i]);
        close(mkstemp(path));
        SXT_CHECK(sxt_file_write(path, text, strlen(text), &err) == 0);
        SXT_CHECK(sxt_cfg_read(path, &sxt_dataset_section, known, NULL, 0, &set,
                               &err) == 0);
        ok(sxt_import_check(set, &err) != 0 && err.code == SXT_EXIT_CONFIG,
           "refused: %s (%s)", bad[i], err.text);
        sxt_cfg_free(&sxt_dataset_section, set);
        unlink(path);
        free(text);
    }
}

int main(void)
{
    test_cases();
    test_shuffle();
    test_bad_datasets();
    return done_testing();
}
