/* codetrust.c - no cheat passes, every honest program does, on a busy machine,
 * too.
 *
 *     codetrust.t [full|external|reduced [REPEATS]]
 *
 * More cheats than in codetest.c, each REPEATS times (1): those of the graders
 * of HumanEval, LiveCodeBench and SkyThought, and those seen in reinforcement
 * learning.  Then honest programs, and such that fail in every way, while the
 * machine is as it is and while twice as many processes compute as it has
 * processors. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test/tap.h"
#include "task/codetest.h"

static const char squares_in[] =
    "{\"kind\":\"stdin\",\"cpu_s\":0.5,\"memory_mb\":128,"
    "\"inputs\":[\"3\\n\",\"4\\n\",\"-5\\n\"],"
    "\"outputs\":[\"9\\n\",\"16\\n\",\"25\\n\"]}";
/* For honest programs: a slow machine takes long for what a library imports. */
static const char squares_honest[] =
    "{\"kind\":\"stdin\",\"cpu_s\":20,\"memory_mb\":256,"
    "\"inputs\":[\"3\\n\",\"4\\n\",\"-5\\n\"],"
    "\"outputs\":[\"9\\n\",\"16\\n\",\"25\\n\"]}";
static const char squares_call[] =
    "{\"kind\":\"call\",\"cpu_s\":0.5,\"memory_mb\":128,\"fn_name\":\"f\","
    "\"inputs\":[[3],[4],[-5]],\"outputs\":[9,16,25]}";
static const char squares_assert[] =
    "{\"kind\":\"assert\",\"cpu_s\":0.5,\"memory_mb\":128,\"entry\":\"f\","
    "\"tests\":[\"assert f(3) == 9\",\"assert f(4) == 16\","
    "\"def check(candidate):\\n    for i in range(9):\\n"
    "        assert candidate(i) == i * i\\ncheck(f)\"]}";
static const char lists_call[] =
    "{\"kind\":\"call\",\"cpu_s\":0.5,\"memory_mb\":128,\"fn_name\":\"f\","
    "\"inputs\":[[3],[4]],\"outputs\":[[1,2,3],[1,2,3,4]]}";

struct program {
    const char *what, *tests, *text;
};

static const struct program cheats[] = {
    { "HumanEval: \"passed\" into the list of its checker", squares_assert,
      "import sys\n"
      "def f(x):\n"
      "    frame = sys._getframe()\n"
      "    while frame:\n"
      "        for v in list(frame.f_locals.values()):\n"
      "            if isinstance(v, list): v.append('passed')\n"
      "        frame = frame.f_back\n"
      "    import os\n"
      "    os._exit(0)" },
    { "LiveCodeBench: the expected values in the frames above", squares_call,
      "import sys\n"
      "def f(x):\n"
      "    frame = sys._getframe()\n"
      "    while frame:\n"
      "        for n, v in list(frame.f_locals.items()):\n"
      "            if n in ('in_outs', 'gt_out', 'expected', 'outputs'):\n"
      "                return v\n"
      "        frame = frame.f_back\n"
      "    return 0" },
    { "SkyThought: an answer that is true, not equal", squares_call,
      "def f(x): return True" },
    { "a planted conftest.py, sitecustomize.py and json.py", squares_in,
      "for name in ('conftest', 'sitecustomize', 'usercustomize', 'json'):\n"
      "    with open(name + '.py', 'w') as f:\n"
      "        f.write('import os\\nprint(9)\\nos._exit(0)\\n')\n"
      "print(0)" },
    { "other tests for those of the problem", squares_assert,
      "import __main__\n"
      "check = lambda g: None\n"
      "__main__.check = __main__.run_tests = check\n"
      "def f(x): return 0" },
    { "an own encoder for its answers", squares_call,
      "import __main__, json\n"
      "json.dumps = lambda *a, **k: '9'\n"
      "__main__.encode = lambda value, refer: 9\n"
      "def f(x): return 9" },
    { "a float that equals all", squares_call,
      "class F(float):\n"
      "    def __eq__(self, o): return True\n"
      "    def hex(self): return (9.0).hex()\n"
      "def f(x): return F(0)" },
    { "a lie about its class", squares_assert,
      "class C:\n"
      "    __class__ = int\n"
      "    def __eq__(self, o): return True\n"
      "def f(x): return C()" },
    { "a list that lies about its items", lists_call,
      "class L(list):\n"
      "    def __iter__(self): return iter(range(1, 4))\n"
      "    def __len__(self): return 3\n"
      "def f(x): return L()" },
    { "every number there is", squares_in, "for i in range(30): print(i)" },
    { "an interpreter that ignores assertions", squares_assert,
      "import os, sys\n"
      "os.execv(sys.executable, ['python3', '-O', '-c', 'pass'])\n"
      "def f(x): return 0" },
    { "errors that no test expects", squares_assert,
      "import os\n"
      "for line in open(4, 'rb'):\n"
      "    os.write(5, b'{\"error\": \"KeyboardInterrupt\"}\\n')" },
    { "references to nothing as answers", squares_assert,
      "import os\n"
      "for line in open(4, 'rb'):\n"
      "    os.write(5, b'{\"value\": {\"ref\": 7}}\\n')" },
    { "NotImplemented and Ellipsis", squares_assert,
      "def f(x): return NotImplemented if x == 3 else ..." },
    { "a process that dies by itself after the last answer but one",
      squares_call,
      "import os\n"
      "def f(x): return x * x if x > 0 else os._exit(0)" },
    { "notes of the run before, in a file", squares_in,
      "import os\n"
      "n = int(input())\n"
      "for d in ('/tmp', '/dev/shm', '/var/tmp'):\n"
      "    try:\n"
      "        if os.path.exists(d + '/n'): print(n * n)\n"
      "        else: open(d + '/n', 'w').write('x')\n"
      "    except OSError: pass\n"
      "if n == 3: print(9)" },
};

/* What a function returns where a value is expected: plain data of the same
 * value, of whatever class, and nothing else. */
static const struct {
    const char *expected, *program;
    bool right;
} values[] = {
    { "[1,2]", "def f(x): return (1, 2)", true },
    { "[[1,2],[3]]", "def f(x): return ([1, 2], (3,))", true },
    { "[1,2]",
      "from collections import namedtuple\n"
      "def f(x): return namedtuple('P', 'a b')(1, 2)",
      true },
    { "[1,2]", "def f(x): return {1, 2}", false },
    { "[1,2]", "def f(x): return frozenset((1, 2))", false },
    { "[1,2]", "def f(x): return {1: 2}", false },
    { "[1,2]", "def f(x): return iter([1, 2])", false },
    { "[1,2]", "def f(x): yield 1; yield 2", false },
    { "[1,2]", "def f(x): return range(1, 3)", false },
    { "[1,2]", "def f(x): return '[1, 2]'", false },
    { "[1,2]", "def f(x): return [2, 1]", false },
    { "[1,2]", "def f(x): return b'\\1\\2'", false },
    { "[1,2]", "def f(x): print('[1, 2]'); print([1, 2])", false },
    { "[]", "def f(x): return None", false },
    { "[]", "def f(x): return ()", true },
    { "[]", "def f(x): return {}", false },
    { "null", "def f(x): pass", true },
    { "null", "def f(x): return 0", false },
    { "null", "def f(x): return 'null'", false },
    { "1", "def f(x): return True", false },
    { "0", "def f(x): return False", false },
    { "true", "def f(x): return 1", false },
    { "true", "def f(x): return 'true'", false },
    { "false", "def f(x): return None", false },
    { "true", "def f(x): return not False", true },
    { "2", "def f(x): return 2.0", true },
    { "2.0", "def f(x): return 2", true },
    { "2", "def f(x): return '2'", false },
    { "2", "def f(x): return 2.5", false },
    { "2", "def f(x): return float('nan')", false },
    { "0.0", "def f(x): return -0.0", true },
    { "0", "def f(x): return -0.0", true },
    { "1.5", "def f(x): return float('inf')", false },
    { "1.5", "def f(x): return float('nan')", false },
    { "100000000000000000000000000000000000000007",
      "def f(x): return 10 ** 41 + 7", true },
    { "100000000000000000000000000000000000000007",
      "def f(x): return 10 ** 41 + 8", false },
    { "100000000000000000000000000000000000000007", "def f(x): return 1e41",
      false },
    { "9007199254740993", "def f(x): return 9007199254740992.0", false },
    { "{\"a\":1,\"b\":2}", "def f(x): return {'b': 2, 'a': 1}", true },
    { "{\"a\":1,\"b\":2}",
      "from collections import OrderedDict\n"
      "def f(x): return OrderedDict(b=2, a=1)",
      true },
    { "{\"a\":1,\"b\":2}", "def f(x): return {'a': 1}", false },
    { "{\"a\":1}", "def f(x): return {'a': 1, 'b': 2}", false },
    { "{\"a\":1,\"b\":2}", "def f(x): return [['a', 1], ['b', 2]]", false },
    { "{\"1\":2}", "def f(x): return {1: 2}", true },
    { "{\"1\":2}", "def f(x): return {1: 2, '1': 3}", false },
    { "{\"1\":2}", "def f(x): return {'1': 3, 1: 2}", false },
    { "{\"int\":\"0x2\"}", "def f(x): return 2", false },
    { "2", "def f(x): return {'int': '0x2'}", false },
    { "2", "def f(x): return {'float': '0x1p+1'}", false },
    { "\"ab\"", "def f(x): return 'a' + 'b'", true },
    { "\"ab\"", "def f(x): return b'ab'", false },
    { "\"ab\"", "def f(x): return ['a', 'b']", false },
    { "\"ab\"", "class S(str): pass\ndef f(x): return S('ab')", true },
    { "\"ab\"",
      "class S(str):\n"
      "    def __str__(self): return 'ab'\n"
      "    __repr__ = __str__\n"
      "    def __eq__(self, o): return True\n"
      "    def __hash__(self): return hash('ab')\n"
      "def f(x): return S('no')",
      false },
    { "2",
      "class I(int):\n"
      "    def __int__(self): return 2\n"
      "    __index__ = __hash__ = __int__\n"
      "    def __eq__(self, o): return True\n"
      "    def __repr__(self): return '2'\n"
      "def f(x): return I(5)",
      false },
    { "2", "import enum\nclass E(enum.IntEnum): A = 2\ndef f(x): return E.A",
      true },
    { "[1,2]",
      "class L(list):\n"
      "    def __iter__(self): return iter((1, 2))\n"
      "    def __getitem__(self, i): return i + 1\n"
      "    def __eq__(self, o): return True\n"
      "def f(x): return L([7, 8])",
      false },
    { "{\"a\":1}",
      "class D(dict):\n"
      "    def items(self): return [('a', 1)]\n"
      "    def __eq__(self, o): return True\n"
      "def f(x): return D(b=2)",
      false },
    { "[1,2]",
      "class O:\n"
      "    __class__ = list\n"
      "    def __eq__(self, o): return True\n"
      "    def __iter__(self): return iter((1, 2))\n"
      "    def __len__(self): return 2\n"
      "    def __getitem__(self, i): return (1, 2)[i]\n"
      "    def __repr__(self): return '[1, 2]'\n"
      "def f(x): return O()",
      false },
    { "2",
      "import builtins\n"
      "builtins.isinstance = lambda *a: True\n"
      "def f(x): return object()",
      false },
    { "[[]]", "def f(x): a = []; a.append(a); return a", false },
    { "{\"a\":{}}", "def f(x): a = {}; a['a'] = a; return a", false },
    { "[[]]",
      "def f(x):\n"
      "    a = []\n"
      "    for _ in range(100000): a = [a]\n"
      "    return a",
      false },
    { "2",
      "import os\n"
      "def f(x):\n"
      "    for fd in range(1, 16):\n"
      "        try: os.write(fd, b'{\"value\": 2}\\n[2]\\n{\"ok\": true}\\n')\n"
      "        except OSError: pass\n"
      "    return 3",
      false },
    { "2",
      "class E(BaseException): pass\n"
      "def f(x): raise E(2)",
      false },
    { "2", "def f(x): return f", false },
    { "2", "def f(x): return int", false },
};

/* What programs get, whatever else the machine does. */
static const struct {
    struct program p;
    enum sxt_code_verdict verdict;
} sure[] = {
    { { "input() and print()", squares_honest, "print(int(input()) ** 2)" },
      SXT_CODE_PASS },
    { { "a function", squares_call, "def f(x): return x ** 2" },
      SXT_CODE_PASS },
    { { "a function under assertions", squares_assert,
        "def f(x): return x * x" },
      SXT_CODE_PASS },
    { { "class Solution", lists_call,
        "class Solution:\n"
        "    def f(self, n: int) -> List[int]:\n"
        "        return [*range(1, n + 1)]" },
      SXT_CODE_PASS },
    { { "half of its CPU time", squares_in,
        "import time\n"
        "n = int(input())\n"
        "while time.process_time() < 0.25: pass\n"
        "print(n * n)" },
      SXT_CODE_PASS },
    { { "a nap", squares_honest,
        "import time\n"
        "time.sleep(0.2)\n"
        "print(int(input()) ** 2)" },
      SXT_CODE_PASS },
    { { "recursion 100000 deep", squares_honest,
        "import sys\n"
        "sys.setrecursionlimit(10 ** 6)\n"
        "def down(n): return 0 if n == 0 else 1 + down(n - 1)\n"
        "print(int(input()) ** 2 + down(100000) - 100000)" },
      SXT_CODE_PASS },
    { { "recursion in a thread with a large stack", squares_honest,
        "import sys, threading\n"
        "sys.setrecursionlimit(10 ** 6)\n"
        "threading.stack_size(64 << 20)\n"
        "def down(n): return 0 if n == 0 else 1 + down(n - 1)\n"
        "def main(): print(int(input()) ** 2 + down(30000) - 30000)\n"
        "t = threading.Thread(target=main)\n"
        "t.start(); t.join()" },
      SXT_CODE_PASS },
    { { "fast input and output", squares_honest,
        "import io, os, sys\n"
        "input = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline\n"
        "sys.stdout = io.StringIO()\n"
        "print(int(input()) ** 2)\n"
        "os.write(1, sys.stdout.getvalue().encode())" },
      SXT_CODE_PASS },
    { { "what the library has", squares_honest,
        "import asyncio, bisect, collections, dataclasses, datetime, "
        "decimal, fractions, functools, heapq, itertools, math, random, re, "
        "statistics, string, threading, typing\n"
        "print(asyncio.run(asyncio.sleep(0, int(input()) ** 2)))" },
      SXT_CODE_PASS },
    { { "40 MB of memory and a cache", squares_honest,
        "from functools import lru_cache\n"
        "x = [0] * (5 << 20)\n"
        "@lru_cache(None)\n"
        "def f(n): return n * n + len(x) - (5 << 20)\n"
        "print(f(int(input())))" },
      SXT_CODE_PASS },
    { { "numpy, where the interpreter has it", squares_honest,
        "try: import numpy\n"
        "except ImportError: square = lambda n: n * n\n"
        "else: square = lambda n: int((numpy.eye(64) @ numpy.full(64, n))"
        "[0]) * n\n"
        "print(square(int(input())))" },
      SXT_CODE_PASS },
    { { "a wrong answer", squares_in, "print(9)" }, SXT_CODE_WRONG },
    { { "an endless loop", squares_in, "while True: pass" }, SXT_CODE_TIMEOUT },
    { { "an endless loop in a call", squares_call,
        "def f(x):\n    while True: pass" },
      SXT_CODE_TIMEOUT },
    { { "too much memory", squares_in, "x = bytearray(300 << 20)" },
      SXT_CODE_MEMORY },
    { { "an exception", squares_call, "def f(x): return x / 0" },
      SXT_CODE_CRASH },
    { { "too much output", squares_in, "while True: print('9' * 9999)" },
      SXT_CODE_OUTPUT_LIMIT },
};
enum { N_SURE = sizeof(sure) / sizeof(*sure) };

static enum sxt_code_verdict judge(struct sxt_sandbox *sandbox,
                                   const struct sxt_json *tests,
                                   const char *program, char detail[400])
{
    struct sxt_code_result r = { 0 };
    struct sxt_error err = { 0 };

    if (sxt_code_test(sandbox, tests, sxt_span(program), &sxt_code_strict, &r,
                      &err) != 0)
        SXT_CHECK(!"malformed tests");
    snprintf(detail, 400, "%s", r.detail);
    return r.verdict;
}

/* How often of n times a program gets a verdict. */
static int count(struct sxt_sandbox *sandbox, const struct program *p, int n,
                 enum sxt_code_verdict verdict)
{
    struct sxt_json *tests =
        sxt_json_parse(p->tests, strlen(p->tests), p->what, NULL);
    char detail[400];
    int got = 0;

    for (int i = 0; i < n; i++) {
        enum sxt_code_verdict v = judge(sandbox, tests, p->text, detail);
        got += v == verdict;
        if (v != verdict && verdict != SXT_CODE_PASS)
            printf("# %s: %s, %s\n", p->what, sxt_code_verdict_name(v), detail);
    }
    sxt_json_free(tests);
    return got;
}

static void test_cheats(struct sxt_sandbox *sandbox, int n)
{
    for (size_t i = 0; i < sizeof(cheats) / sizeof(*cheats); i++) {
        int passed = count(sandbox, &cheats[i], n, SXT_CODE_PASS);
        ok(passed == 0, "cheat: %s (passed %d of %d times)", cheats[i].what,
           passed, n);
    }
}

static void test_values(struct sxt_sandbox *sandbox)
{
    const int n = sizeof(values) / sizeof(*values);
    int right = 0;

    for (int i = 0; i < n; i++) {
        char *text = sxt_printf("{\"kind\":\"call\",\"cpu_s\":5,\"memory_mb\":"
                                "256,\"fn_name\":\"f\",\"inputs\":[[0]],"
                                "\"outputs\":[%s]}",
                                values[i].expected);
        const struct program p = { values[i].program, text, values[i].program };
        bool passed = count(sandbox, &p, 1, SXT_CODE_PASS) == 1;
        right += passed == values[i].right;
        if (passed != values[i].right)
            printf("# %s is %s%s\n", p.text, passed ? "not " : "",
                   values[i].expected);
        free(text);
    }
    ok(right == n, "%d of %d returned values are judged as what they are",
       right, n);
}

static void test_sure(struct sxt_sandbox *sandbox, int n, const char *when)
{
    int got = 0;

    for (int i = 0; i < N_SURE; i++) {
        int same = count(sandbox, &sure[i].p, n, sure[i].verdict);
        got += same;
        if (same < n)
            printf("# %s: %d of %d times %s\n", sure[i].p.what, same, n,
                   sxt_code_verdict_name(sure[i].verdict));
    }
    ok(got == n * N_SURE, "%d of %d verdicts are right %s", got, n * N_SURE,
       when);
}

/* 50 MB that are right go through, and with a wrong last byte do not. */
static void test_large(struct sxt_sandbox *sandbox, int n, const char *when)
{
    enum { LINES = 5000000 };
    struct sxt_str text = SXT_STR_EMPTY;
    char detail[400];

    sxt_str_add(&text,
                "{\"kind\":\"stdin\",\"inputs\":[\"7\"],\"outputs\":[\"");
    for (int i = 0; i < LINES; i++)
        sxt_str_add_bytes(&text, "012345678\\n", 11);
    sxt_str_add(&text, "\"]}");
    struct sxt_json *tests = sxt_json_parse(text.data, text.len, "large", NULL);
    int right = 0, wrong = 0;
    for (int i = 0; i < n; i++) {
        bool pass =
            judge(sandbox, tests, "print('012345678\\n' * 5000000, end='')",
                  detail) == SXT_CODE_PASS;
        if (!pass)
            printf("# right output: %s\n", detail);
        right += pass;
        bool fail = judge(sandbox, tests,
                          "print('012345678\\n' * 4999999 + '012345679')",
                          detail) == SXT_CODE_WRONG;
        if (!fail)
            printf("# wrong output: %s\n", detail);
        wrong += fail;
    }
    ok(right == n, "50 MB of right output pass %d of %d times %s", right, n,
       when);
    ok(wrong == n, "and do not if the last digit is wrong, %d of %d times",
       wrong, n);
    sxt_json_free(tests);
    sxt_str_free(&text);
}

static pid_t compute(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile unsigned i = 0;; i++)
            ;
    }
    return pid;
}

static void test_busy(struct sxt_sandbox *sandbox, int n)
{
    enum { MOST = 64 };
    long wanted = 2 * sysconf(_SC_NPROCESSORS_ONLN);
    int k = wanted < MOST ? (int)wanted : MOST;
    pid_t busy[MOST];
    char when[64];

    for (int i = 0; i < k; i++)
        busy[i] = compute();
    snprintf(when, sizeof(when), "while %d processes compute", k);
    test_sure(sandbox, n, when);
    if (n > 1)
        test_large(sandbox, n, when);
    for (int i = 0; i < k; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
}

int main(int argc, char **argv)
{
    const char *tier = argc > 1 ? argv[1] : "full";
    int n = argc > 2 ? atoi(argv[2]) : 1;
    struct sxt_sandbox_options options = { .python = getenv("PYTHON3"),
                                           .wrapper =
                                               getenv("SXT_TEST_WRAPPER"),
                                           .accept_reduced =
                                               strcmp(tier, "reduced") == 0 };
    struct sxt_error err = { 0 };
    struct sxt_sandbox *sandbox = sxt_sandbox_create(&options, &err);

    if (!sandbox)
        return skip_all(err.text);
    ok(argc < 2 || strcmp(tier, sxt_sandbox_tier_name(sandbox)) == 0, "%s",
       sxt_sandbox_describe(sandbox));
    test_values(sandbox);
    test_cheats(sandbox, n);
    test_sure(sandbox, n, "on this machine as it is");
    test_large(sandbox, n, "on this machine as it is");
    test_busy(sandbox, n);
    sxt_sandbox_destroy(sandbox);
    return done_testing();
}
