/* codetest.c - right, wrong, broken and cunning programs before the judge. */
#include "task/codetest.h"

#include <stdlib.h>

#include "base/test/tap.h"

static const char squares_in[] =
    "{\"kind\":\"stdin\",\"cpu_s\":0.5,\"memory_mb\":128,"
    "\"inputs\":[\"3\\n\",\"4\\n\",\"-5\\n\"],"
    "\"outputs\":[\"9\\n\",\"16\",\"25\\n\\n\"]}";
static const char squares_call[] =
    "{\"kind\":\"call\",\"cpu_s\":0.5,\"memory_mb\":128,\"fn_name\":\"f\","
    "\"inputs\":[[3],[4],[-5]],\"outputs\":[9,16,25]}";
static const char squares_assert[] =
    "{\"kind\":\"assert\",\"cpu_s\":0.5,\"memory_mb\":128,\"entry\":\"f\","
    "\"tests\":[\"assert f(3) == 9\",\"assert f(4) == 16\","
    "\"def check(g):\\n    for i in range(9):\\n"
    "        assert g(i) == i * i\\ncheck(f)\"]}";
static const char ones_call[] =
    "{\"kind\":\"call\",\"fn_name\":\"f\",\"inputs\":[[0]],\"outputs\":[1]}";
static const char values_call[] =
    "{\"kind\":\"call\",\"fn_name\":\"f\",\"inputs\":[[0],[1],[2],[3]],"
    "\"outputs\":[[1,2],{\"a\":[true,null],\"7\":\"x\"},0.1,"
    "1000000000000000000]}";
static const char pi_in[] =
    "{\"kind\":\"stdin\",\"tolerance\":1e-6,\"inputs\":[\"\"],"
    "\"outputs\":[\"x 3.1415926535\\n2\"]}";

struct judged {
    const char *what, *tests, *program;
    enum sxt_code_verdict verdict;
    int passed;
};

static const struct judged honest[] = {
    { "a right program", squares_in, "print(int(input()) ** 2)", SXT_CODE_PASS,
      3 },
    { "a right function", squares_call, "def f(x): return x * x", SXT_CODE_PASS,
      3 },
    { "a right method of Solution, without its imports", squares_call,
      "class Solution:\n"
      "    def f(self, x: List[int]): return x * x",
      SXT_CODE_PASS, 3 },
    { "a right function under assertions", squares_assert,
      "def f(x): return x * x", SXT_CODE_PASS, 3 },
    { "exit(), a main guard and recursion", squares_in,
      "import sys\n"
      "sys.setrecursionlimit(10 ** 6)\n"
      "def up(n): return 0 if n == 0 else 1 + up(n - 1)\n"
      "if __name__ == '__main__':\n"
      "    assert up(20000) == 20000\n"
      "    print(int(sys.stdin.readline()) ** 2)\n"
      "    exit()",
      SXT_CODE_PASS, 3 },
    { "tuples for lists, int keys, an exact big int", values_call,
      "def f(i): return [(1, 2), {'a': [True, None], 7: 'x'}, 0.1, 10 ** 18]"
      "[i]",
      SXT_CODE_PASS, 4 },
    { "numbers within the declared tolerance", pi_in,
      "print('x  3.14159265')\nprint('2')", SXT_CODE_PASS, 1 },
    { "a function with the name of one of Python's",
      "{\"kind\":\"assert\",\"tests\":[\"assert sum(2, 3) == 6\"]}",
      "def sum(a, b): return a * b", SXT_CODE_PASS, 1 },
    { "a type among the arguments",
      "{\"kind\":\"assert\",\"tests\":["
      "\"assert only((1, 'a', 2), int) == [1, 2]\"]}",
      "def only(t, kind): return [x for x in t if type(x) is kind]",
      SXT_CODE_PASS, 1 },
    { "arguments changed in place, helpers in setup, classes",
      "{\"kind\":\"assert\",\"setup\":\"import math\",\"tests\":["
      "\"a = [3, 1]\\nsort(a)\\nassert a == [1, 3]\","
      "\"assert math.isclose(Half(3).value(), 1.5)\","
      "\"assert list(count(3)) == [0, 1, 2]\","
      "\"assert set(both(1)) == {1, (1, 2.5)}\","
      "\"try:\\n    sort(7)\\n    assert False\\n"
      "except AttributeError:\\n    pass\"]}",
      "def sort(a): a.sort()\n"
      "class Half:\n"
      "    def __init__(self, x): self.x = x\n"
      "    def value(self): return self.x / 2\n"
      "def count(n):\n"
      "    yield from range(n)\n"
      "def both(x): return frozenset([x, (x, 2.5)])",
      SXT_CODE_PASS, 5 },
};

static const struct judged broken[] = {
    { "no program", squares_in, " \n", SXT_CODE_NO_CODE, 0 },
    { "a wrong program", squares_in, "print(9)", SXT_CODE_WRONG, 1 },
    { "a wrong function", squares_call, "def f(x): return x + 6",
      SXT_CODE_WRONG, 1 },
    { "a wrong function under assertions", squares_assert,
      "def f(x): return x + 6", SXT_CODE_WRONG, 1 },
    { "a program that prints more", squares_in,
      "n = int(input())\nprint(n * n)\nprint(0)", SXT_CODE_WRONG, 0 },
    { "a syntax error", squares_in, "print(", SXT_CODE_CRASH, 0 },
    { "a syntax error in a function", squares_call, "def f(", SXT_CODE_CRASH,
      0 },
    { "a syntax error under assertions", squares_assert, "def f(",
      SXT_CODE_CRASH, 0 },
    { "an exception after the right output", squares_in,
      "print(int(input()) ** 2)\n1 / 0", SXT_CODE_CRASH, 0 },
    { "an exception in a call", squares_call,
      "def f(x): return 9 / (x - 4)"
      " + 18 if x != 3 else 9",
      SXT_CODE_CRASH, 1 },
    { "a missing function", squares_call, "def g(x): return x * x",
      SXT_CODE_CRASH, 0 },
    { "a missing function under assertions", squares_assert,
      "def g(x): return x * x", SXT_CODE_WRONG, 0 },
    { "an endless loop", squares_in, "while True: pass", SXT_CODE_TIMEOUT, 0 },
    { "an endless loop at import", squares_call, "while True: pass",
      SXT_CODE_TIMEOUT, 0 },
    { "two right answers, then an endless loop", squares_call,
      "def f(x):\n"
      "    while x < 0: pass\n"
      "    return x * x",
      SXT_CODE_TIMEOUT, 2 },
    { "two right assertions, then an endless loop", squares_assert,
      "def f(x):\n"
      "    while x == 7: pass\n"
      "    return x * x",
      SXT_CODE_TIMEOUT, 2 },
    { "a sleeper", squares_in, "import time\ntime.sleep(99)", SXT_CODE_TIMEOUT,
      0 },
    { "too much memory", squares_in, "x = bytearray(300 << 20)\nprint(9)",
      SXT_CODE_MEMORY, 0 },
    { "far too much memory", squares_call,
      "def f(x): return len(bytes(1 << 40))", SXT_CODE_MEMORY, 0 },
    { "too much output", squares_in, "while True: print('9' * 1000)",
      SXT_CODE_OUTPUT_LIMIT, 0 },
    { "a killed process", squares_call,
      "import os\ndef f(x): os.kill(os.getpid(), 11)", SXT_CODE_CRASH, 0 },
};

#define ALWAYS                                \
    "class Any(int):\n"                       \
    "    def __eq__(self, o): return True\n"  \
    "    def __ne__(self, o): return False\n" \
    "    def __bool__(self): return True\n"   \
    "    __hash__ = int.__hash__\n"           \
    "    __req__ = __le__ = __ge__ = __lt__ = __gt__ = __eq__\n"

/* Wrong answers that beat graders which share an interpreter with them. */
static const struct judged cheats[] = {
    { "an object that equals everything", squares_call,
      ALWAYS "def f(x): return Any()", SXT_CODE_WRONG, 0 },
    { "an object that equals everything, under assertions", squares_assert,
      ALWAYS "def f(x): return Any()", SXT_CODE_WRONG, 0 },
    { "the same, of no built-in type", squares_assert,
      "class Any:\n"
      "    def __eq__(self, o): return True\n"
      "def f(x): return Any()",
      SXT_CODE_WRONG, 0 },
    { "a list of them", squares_assert, ALWAYS "def f(x): return [Any()]",
      SXT_CODE_WRONG, 0 },
    { "sys.exit(0) in the call", squares_call,
      "import sys\ndef f(x): sys.exit(0)", SXT_CODE_CRASH, 0 },
    { "sys.exit(0) under assertions", squares_assert,
      "import sys\ndef f(x): sys.exit(0)", SXT_CODE_CRASH, 0 },
    { "sys.exit(0) at import", squares_assert, "import sys\nsys.exit(0)",
      SXT_CODE_CRASH, 0 },
    { "os._exit(0) in the call", squares_call,
      "import os\ndef f(x): os._exit(0)", SXT_CODE_CRASH, 0 },
    { "os._exit(0) under assertions", squares_assert,
      "import os\ndef f(x): os._exit(0)", SXT_CODE_CRASH, 0 },
    { "atexit and os._exit(0)", squares_in,
      "import atexit, os\natexit.register(os._exit, 0)", SXT_CODE_WRONG, 0 },
    { "patched builtins", squares_assert,
      "import builtins, json\n"
      "builtins.AssertionError = ValueError\n"
      "builtins.all = builtins.any = builtins.isinstance = lambda *a: True\n"
      "json.dumps = lambda *a: '{\"value\": true}'\n"
      "def f(x): return 0",
      SXT_CODE_CRASH, 0 },
    { "a frame walk for expected values", squares_assert,
      "import sys, gc\n"
      "def f(x):\n"
      "    frame = sys._getframe()\n"
      "    while frame:\n"
      "        for v in list(frame.f_locals.values()) +"
      " list(frame.f_globals.values()):\n"
      "            if v in (9, 16): return v\n"
      "        frame = frame.f_back\n"
      "    for o in gc.get_objects():\n"
      "        if isinstance(o, dict) and ('tests' in o or 'outputs' in o):\n"
      "            return 9\n"
      "    return 0",
      SXT_CODE_WRONG, 0 },
    { "looking for expected outputs in its files", squares_in,
      "import os\n"
      "for i in range(1, 20):\n"
      "    try:\n"
      "        os.lseek(i, 0, 0)\n"
      "        text = os.read(i, 9999)\n"
      "        if b'outputs' in text or b'16' in text: print(9)\n"
      "    except OSError: pass",
      SXT_CODE_WRONG, 0 },
    { "own lines on the result channel", squares_call,
      "import os\n"
      "os.write(3, b'true\\n\"pass\"\\n[0, \"pass\", \"\"]\\n')\n"
      "os._exit(0)",
      SXT_CODE_WRONG, 0 },
    { "the judge's words on every file", squares_assert,
      "import os\n"
      "for fd in range(1, 12):\n"
      "    for i in range(3):\n"
      "        try: os.write(fd, b'[%d, \"pass\", \"\"]\\n' % i)\n"
      "        except OSError: pass\n"
      "def f(x): return 0",
      SXT_CODE_WRONG, 0 },
    { "garbage for the judge to read", squares_assert,
      "import os\n"
      "os.write(5, b'{' * 99999 + b'\\n')\n"
      "def f(x): return 0",
      SXT_CODE_WRONG, 0 },
    { "deep garbage for us to read", squares_call,
      "import os\n"
      "os.write(3, b'[' * 99999 + b'\\n')\n"
      "def f(x): return 0",
      SXT_CODE_WRONG, 0 },
    { "StopIteration, which would end the judge's loop",
      "{\"kind\":\"assert\",\"tests\":"
      "[\"assert all(map(lambda x: f(x) == x, range(3)))\"]}",
      "def f(x): raise StopIteration", SXT_CODE_CRASH, 0 },
    { "an own set and an own abs for the judge to use",
      "{\"kind\":\"assert\",\"tests\":["
      "\"assert f(1) == 0\",\"assert set(f(2)) == set([5])\","
      "\"assert abs(f(3) - 4) < 1e-6\"]}",
      "set = abs = lambda x: 0\n"
      "def f(x): return 0",
      SXT_CODE_CRASH, 1 },
    { "True for 1", ones_call, "def f(x): return True", SXT_CODE_WRONG, 0 },
    { "NaN", ones_call, "def f(x): return float('nan')", SXT_CODE_WRONG, 0 },
    { "infinity", ones_call, "def f(x): return 1e999", SXT_CODE_WRONG, 0 },
    { "an int of a million digits", ones_call, "def f(x): return 1 << 3000000",
      SXT_CODE_WRONG, 0 },
    { "the text of the number", ones_call, "def f(x): return '1'",
      SXT_CODE_WRONG, 0 },
    { "a list around the number", ones_call, "def f(x): return [1]",
      SXT_CODE_WRONG, 0 },
    { "a forged type", ones_call,
      "class I(int):\n"
      "    def __int__(self): return 1\n"
      "    def __index__(self): return 1\n"
      "    def __repr__(self): return '1'\n"
      "def f(x): return I(0)",
      SXT_CODE_WRONG, 0 },
    { "a list that contains itself", ones_call,
      "def f(x):\n    a = []\n    a.append(a)\n    return a", SXT_CODE_CRASH,
      0 },
    { "nan where a tolerance holds", pi_in, "print('x nan\\n2')",
      SXT_CODE_WRONG, 0 },
    { "1e999 where a tolerance holds", pi_in, "print('x 1e999\\n2')",
      SXT_CODE_WRONG, 0 },
    { "nothing", squares_in, "", SXT_CODE_NO_CODE, 0 },
    { "NUL and control characters", squares_in, "print('9\\0\\x1b[2J')",
      SXT_CODE_WRONG, 0 },
    { "invalid UTF-8", squares_in, "import os\nos.write(1, b'\\xff9')",
      SXT_CODE_WRONG, 0 },
    { "waiting for the judge's request and lying about the name",
      squares_assert,
      "import os, json\n"
      "for line in open(4, 'rb'):\n"
      "    os.write(5, b'{\"value\": true, \"args\": null}\\n')",
      SXT_CODE_CRASH, 0 },
    { "a child that answers after the parent's end", squares_assert,
      "import os, time\n"
      "if os.fork(): os._exit(0)\n"
      "time.sleep(60)\n" /* it must be dead by then */
      "def f(x): return 0",
      SXT_CODE_CRASH, 0 },
};

static void try_one(struct sxt_sandbox *sandbox, const struct judged *j)
{
    struct sxt_error err = { 0 };
    struct sxt_code_result r = { 0 };
    struct sxt_json *tests =
        sxt_json_parse(j->tests, strlen(j->tests), j->what, &err);
    int rc = sxt_code_test(sandbox, tests, sxt_span(j->program),
                           &sxt_code_strict, &r, &err);

    if (!ok(rc == 0 && r.verdict == j->verdict && r.tests_passed == j->passed,
            "%s: %s", j->what, sxt_code_verdict_name(j->verdict)))
        printf("#   got %s after %d passed: %s%s\n",
               sxt_code_verdict_name(r.verdict), r.tests_passed, r.detail,
               err.text);
    sxt_json_free(tests);
}

static const struct {
    const char *what, *tests;
} malformed[] = {
    { "no kind", "{}" },
    { "an unknown kind", "{\"kind\":\"x\"}" },
    { "no inputs", "{\"kind\":\"stdin\",\"outputs\":[\"\"]}" },
    { "fewer outputs than inputs",
      "{\"kind\":\"stdin\",\"inputs\":[\"\",\"\"],\"outputs\":[\"\"]}" },
    { "inputs that are no texts",
      "{\"kind\":\"stdin\",\"inputs\":[1],\"outputs\":[\"\"]}" },
    { "no function's name",
      "{\"kind\":\"call\",\"inputs\":[[1]],\"outputs\":[1]}" },
    { "arguments that are no list",
      "{\"kind\":\"call\",\"fn_name\":\"f\",\"inputs\":[1],\"outputs\":[1]}" },
    { "no tests", "{\"kind\":\"assert\",\"tests\":[]}" },
    { "an unknown form of text",
      "{\"kind\":\"stdin\",\"inputs\":[\"\"],\"outputs\":[\"\"],"
      "\"form\":\"x\"}" },
    { "a limit out of range",
      "{\"kind\":\"assert\",\"tests\":[\"f()\"],\"cpu_s\":-1}" },
};

static void test_malformed(void)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
        struct sxt_error err = { 0 };
        struct sxt_json *t = sxt_json_parse(
            malformed[i].tests, strlen(malformed[i].tests), "tests", &err);
        ok(sxt_code_check_tests(t, &err) == -1 && err.code == SXT_EXIT_DATA,
           "malformed tests: %s (%s)", malformed[i].what, err.text);
        sxt_json_free(t);
    }
}

int main(void)
{
    struct sxt_sandbox_options options = { .python = getenv("PYTHON3") };
    struct sxt_error err = { 0 };
    struct sxt_sandbox *sandbox;

    test_malformed();
    sandbox = sxt_sandbox_create(&options, &err);
    if (!sandbox) {
        ok(err.code == SXT_EXIT_NOSANDBOX, "programs # SKIP %s", err.text);
        return done_testing();
    }
    printf("# %s\n", sxt_sandbox_describe(sandbox));
    for (size_t i = 0; i < sizeof(honest) / sizeof(*honest); i++)
        try_one(sandbox, &honest[i]);
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        try_one(sandbox, &broken[i]);
    for (size_t i = 0; i < sizeof(cheats) / sizeof(*cheats); i++)
        try_one(sandbox, &cheats[i]);
    sxt_sandbox_destroy(sandbox);
    return done_testing();
}
