/* codeassert.c - tests that are Python assertions.
 *
 * Two jails: the judge's runs setup and assertions, the program's answers the
 * calls that the judge asks for.  The judge's word counts, the program's
 * process only explains why it fell silent. */
#include <stdlib.h>
#include <string.h>

#include "task/coderun.h"

enum { PROGRAM, JUDGE };

/* A JSON object's members, printed one by one. */
static void add_member(struct sxt_str *out, const char *name,
                       const struct sxt_json *value, const char *otherwise)
{
    sxt_str_add(out, "%s\"%s\":", out->len ? "," : "{", name);
    if (value)
        sxt_json_print(value, 0, out);
    else
        sxt_str_add(out, "%s", otherwise);
}

static void write_program_config(const struct coderun *run, struct sxt_str *out)
{
    struct sxt_json *text =
        sxt_json_new_text(run->program.data, run->program.len);

    add_member(out, "program", text, "");
    add_member(out, "setup", sxt_json_get(run->tests, "setup"), "\"\"");
    sxt_str_add_char(out, '}');
    sxt_json_free(text);
}

static void write_judge_config(const struct coderun *run, struct sxt_str *out)
{
    add_member(out, "setup", sxt_json_get(run->tests, "setup"), "\"\"");
    add_member(out, "judge", sxt_json_get(run->tests, "judge"), "\"\"");
    add_member(out, "entry", sxt_json_get(run->tests, "entry"), "\"\"");
    add_member(out, "tests", sxt_json_get(run->tests, "tests"), "[]");
    sxt_str_add_char(out, '}');
}

/* The judge's last line: [test, word, text]. */
struct word {
    int index;
    char kind[16];
    char text[320];
};

static bool parse_word(struct sxt_span line, struct word *word)
{
    struct sxt_json *v = sxt_json_parse(line.data, line.len, "judge", NULL);
    bool good = sxt_json_type(v) == SXT_JSON_ARRAY && sxt_json_count(v) == 3;

    if (good) {
        word->index = (int)sxt_json_int(sxt_json_item(v, 0), -1);
        strncpy(word->kind, sxt_json_string(sxt_json_item(v, 1), ""),
                sizeof(word->kind) - 1);
        strncpy(word->text, sxt_json_string(sxt_json_item(v, 2), ""),
                sizeof(word->text) - 1);
    }
    sxt_json_free(v);
    return good;
}

/* Count the tests that passed, in order; the word after them, if any.  More
 * words than tests say nothing. */
static struct word read_words(struct coderun *run, const struct sxt_str *words)
{
    struct word word = { .index = -1 };
    const char *at = words->data, *end;
    size_t left = words->len;

    while (run->result->tests_passed < run->result->tests && left > 0 &&
           (end = memchr(at, '\n', left)) != NULL) {
        struct sxt_span line = { at, (size_t)(end - at) };
        word = (struct word){ .index = -1 };
        if (!parse_word(line, &word) || strcmp(word.kind, "pass") != 0)
            break;
        if (word.index == run->result->tests_passed)
            run->result->tests_passed++;
        left -= line.len + 1;
        at = end + 1;
    }
    return word;
}

static void explain(struct coderun *run, const struct word *word,
                    const struct sxt_result res[2])
{
    int at = run->result->tests_passed;
    bool silent = word->kind[0] == '\0' || strcmp(word->kind, "pass") == 0;

    run->result->tests_run++;
    /* The program's own end comes first: it is why the judge heard nothing. */
    if (strcmp(word->kind, "wrong") == 0)
        sxt_coderun_fail(run, at, SXT_CODE_WRONG, "%s", word->text);
    else if (strcmp(word->kind, "raised") == 0)
        sxt_coderun_fail(run, at,
                         strncmp(word->text, "MemoryError", 11) == 0
                             ? SXT_CODE_MEMORY
                             : SXT_CODE_CRASH,
                         "%s", word->text);
    else if (strcmp(word->kind, "unfit") == 0)
        sxt_coderun_fail(run, at, SXT_CODE_SANDBOX_ERROR,
                         "the test cannot be split: %s", word->text);
    else if (sxt_coderun_ended_badly(run, at, &res[PROGRAM]))
        return;
    else if (silent && res[JUDGE].status != SXT_RUN_EXITED)
        sxt_coderun_fail(run, at, SXT_CODE_WRONG,
                         "the judge could not digest the answer (status %d)",
                         (int)res[JUDGE].status);
    else
        sxt_coderun_fail(run, at, SXT_CODE_CRASH, "ended before the tests did");
}

static bool jail_failed(const struct sxt_result res[2])
{
    return res[0].status == SXT_RUN_ERROR || res[1].status == SXT_RUN_ERROR;
}

static void free_both(struct sxt_result res[2])
{
    sxt_result_free(&res[0]);
    sxt_result_free(&res[1]);
}

static void run_both(struct coderun *run, const struct sxt_job jobs[2],
                     struct sxt_result res[2])
{
    sxt_sandbox_run_pair(run->sandbox, jobs, res);
    if (jail_failed(res)) {
        free_both(res);
        sxt_sandbox_run_pair(run->sandbox, jobs, res);
    }
    sxt_coderun_used(run, &res[PROGRAM]);
}

void sxt_coderun_assert(struct coderun *run)
{
    struct sxt_str text[2] = { SXT_STR_EMPTY, SXT_STR_EMPTY };
    struct sxt_result res[2];

    run->result->rule = "assert";
    write_program_config(run, &text[PROGRAM]);
    write_judge_config(run, &text[JUDGE]);
    struct sxt_job jobs[2] = {
        { .program = sxt_span(sxt_coderun_serve),
          .input = { text[PROGRAM].data, text[PROGRAM].len },
          .limits = run->limits },
        { .program = sxt_span(sxt_coderun_judge),
          .input = { text[JUDGE].data, text[JUDGE].len },
          .channel = true,
          .limits = run->limits },
    };
    /* Reading long answers must not cost the program its verdict. */
    jobs[JUDGE].limits.cpu_s *= 4;
    jobs[JUDGE].limits.memory_bytes *= 2;
    run_both(run, jobs, res);

    struct word word = read_words(run, &res[JUDGE].channel);
    run->result->tests_run = run->result->tests_passed;
    if (jail_failed(res))
        sxt_coderun_fail(run, -1, SXT_CODE_SANDBOX_ERROR, "%s%s",
                         res[0].trouble, res[1].trouble);
    else if (run->result->tests_passed < run->result->tests)
        explain(run, &word, res);
    for (int i = 0; i < run->result->tests_passed; i++)
        sxt_coderun_saw(run, (size_t)i, (struct sxt_span){ "", 0 }, NULL);
    if (run->result->first_failed >= 0)
        sxt_coderun_saw(run, (size_t)run->result->first_failed,
                        (struct sxt_span){ "", 0 }, &res[PROGRAM]);
    free_both(res);
    sxt_str_free(&text[PROGRAM]);
    sxt_str_free(&text[JUDGE]);
}
