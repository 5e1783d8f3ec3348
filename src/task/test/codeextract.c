/* codeextract.c - programs found in responses. */
#include "task/codeextract.h"

#include "base/test/tap.h"
#include "task/extract.h"

#define F3 "```"

static const struct {
    const char *what, *response, *entry, *code; /* code NULL: none */
} cases[] = {
    { "no fence, no program", "print(1)", "", NULL },
    { "an empty response", "", "", NULL },
    { "the only block", F3 "python\na\n" F3, "", "a\n" },
    { "the last block", F3 "python\na\n" F3 "\ntext\n" F3 "py\nb\n" F3 "\n", "",
      "b\n" },
    { "a version in the tag, blanks and CRLF", F3 "python3 \r\nc\r\n" F3 "\r\n",
      "", "c\r\n" },
    { "a tag in capitals", F3 "Python\na\n" F3, "", "a\n" },
    { "a blank before the tag", F3 " python\na\n" F3, "", "a\n" },
    { "an attribute list", F3 "{.python .numberLines}\na\n" F3, "", "a\n" },
    { "no tag", F3 "\na\n" F3, "", "a\n" },
    { "another tag where there is no better", F3 "text\na\n" F3, "", "a\n" },
    { "a block left open", "so:\n" F3 "\nd\ne", "", "d\ne" },
    { "a block that the next one closes",
      F3 "python\na\nso:\n" F3 "python\nb\n" F3, "", "b\n" },
    { "a longer fence holds a shorter one", "````\n" F3 "\nf\n" F3 "\n````\n",
      "", F3 "\nf\n" F3 "\n" },
    { "a fence of tildes", "~~~python\na\n~~~\n", "", "a\n" },
    { "tildes hold backquotes", "~~~\n" F3 "\na\n~~~\n", "", F3 "\na\n" },
    { "an indented block",
      "1. do\n   " F3 "python\n   if g:\n       h\n   " F3 "\n", "",
      "if g:\n    h\n" },
    { "an indented block with less indented lines",
      "  " F3 "\n  a\n b\nc\n  " F3, "", "a\nb\nc\n" },
    { "a fence behind a list's mark", "- " F3 "python\na\n" F3, "", "a\n" },
    { "a fence behind text", "The code: " F3 "python\na\n" F3, "", "a\n" },
    { "a fence that ends a line of code", F3 "python\nprint(1)" F3 "\nDone.",
      "", "print(1)" },
    { "three backquotes around words are no fence",
      "use " F3 "x" F3 " or " F3 "y" F3 ".\n", "", NULL },
    { "inline code after the block", F3 "python\na\n" F3 "\nIt uses `a`.", "",
      "a\n" },
    { "blank blocks do not count", F3 "python\na\n" F3 "\n" F3 "\n \n" F3, "",
      "a\n" },
    { "only a blank block", F3 "\n" F3, "", NULL },
    { "Python before an untagged output",
      F3 "python\na\n" F3 "\nOutput:\n" F3 "\n42\n" F3, "", "a\n" },
    { "Python before a shell command",
      F3 "python\na\n" F3 "\nRun it:\n" F3 "bash\npython a.py\n" F3, "",
      "a\n" },
    { "untagged before another language", F3 "\na\n" F3 "\n" F3 "json\n{}\n" F3,
      "", "a\n" },
    { "a session is no Python",
      F3 "python\na\n" F3 "\n" F3 "python-repl\n>>> a\n" F3, "", "a\n" },
    { "the block that defines the function, not its example",
      F3 "python\ndef f(x):\n    return x\n" F3 "\n" F3
         "python\nprint(f(1))\n" F3,
      "f", "def f(x):\n    return x\n" },
    { "the last of those that define it",
      F3 "python\ndef f(x): pass\n" F3 "\n" F3 "python\ndef f(x): return x\n" F3
         "\n" F3 "python\nf(1)\n" F3,
      "f", "def f(x): return x\n" },
    { "a method of Solution",
      F3 "python\nclass Solution:\n    def go(self): pass\n" F3 "\n" F3
         "python\nSolution().go()\n" F3,
      "go", "class Solution:\n    def go(self): pass\n" },
    { "a function that is assigned",
      F3 "python\nf = lambda x: x\n" F3 "\n" F3 "python\nf == 1\n" F3, "f",
      "f = lambda x: x\n" },
    { "a longer name is another function",
      F3 "python\ndef f(x): pass\n" F3 "\n" F3 "python\ndef ff(x): pass\n" F3,
      "f", "def f(x): pass\n" },
    { "the last block where none defines it",
      F3 "python\na\n" F3 "\n" F3 "python\nb\n" F3, "f", "b\n" },
    { "an untagged block that defines it beats Python that does not",
      F3 "\ndef f(): pass\n" F3 "\n" F3 "python\nf()\n" F3, "f",
      "def f(): pass\n" },
    { "not the thoughts' code",
      "<think>\n" F3 "python\na\n" F3 "\n</think>\n" F3 "python\nb\n" F3, "",
      "b\n" },
    { "code in the thoughts only",
      "<think>\n" F3 "python\na\n" F3 "\n</think>\nDone.", "", NULL },
    { "thoughts that never end", "<think>\n" F3 "python\na\n" F3, "", NULL },
    { "the solution section",
      "<|begin_of_thought|>\n" F3 "python\na\n" F3
      "\n<|end_of_thought|>\n<|begin_of_solution|>\n" F3 "python\nb\n" F3
      "\n<|end_of_solution|>\n" F3 "python\nc\n" F3,
      "", "b\n" },
};

static const struct {
    const char *what, *response, *code;
} upstream[] = {
    { "the last block", F3 "python\na\n" F3 "\n" F3 "\nb\n" F3, "b\n" },
    { "any tag of letters", F3 "bash\nls\n" F3, "ls\n" },
    { "no digit in a tag", F3 "python3\na\n" F3, NULL },
    { "no blank behind it", F3 "python \na\n" F3, NULL },
    { "no CRLF", F3 "python\r\na\r\n" F3, NULL },
    { "no open block", F3 "python\na\n", NULL },
    { "the thoughts' code too", "<think>" F3 "\na\n" F3 "</think>", "a\n" },
    { "from a closing fence on, if it missed the opening one",
      F3 "python3\na\n" F3 "\nb\n" F3 "py\nc\n" F3, "b\n" },
    { "fences within lines", "x" F3 "\na" F3, "a" },
};

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sxt_str program = SXT_STR_EMPTY;
        bool found =
            sxt_code_program(sxt_extract_solution(sxt_span(cases[i].response)),
                             sxt_span(cases[i].entry), &program);
        struct sxt_span got = { program.data ? program.data : "", program.len };
        ok(cases[i].code ? found && sxt_span_equal(got, cases[i].code) : !found,
           "%s", cases[i].what);
        if (found && cases[i].code && !sxt_span_equal(got, cases[i].code))
            printf("# got \"%s\"\n", program.data);
        sxt_str_free(&program);
    }
    for (size_t i = 0; i < sizeof(upstream) / sizeof(*upstream); i++) {
        struct sxt_span got =
            sxt_code_upstream_extract(sxt_span(upstream[i].response));
        const char *want = upstream[i].code;
        ok(want ? got.data && sxt_span_equal(got, want) : !got.data,
           "upstream: %s", upstream[i].what);
    }
    return done_testing();
}
