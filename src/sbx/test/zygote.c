/* zygote.c - copies of one interpreter do not meet, and nothing outlives them.
 *
 *     zygote.t [full|external|reduced|none]
 *
 * names the tier that this node must give. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "sbx/sandbox.h"

static void run(struct sxt_sandbox *sandbox, const char *program,
                struct sxt_result *res)
{
    const struct sxt_job job = { .program = sxt_span(program),
                                 .limits = sxt_limits_default() };

    sxt_sandbox_run(sandbox, &job, res);
}

/* ---- a program finds nothing of the one before ---- */

static const char spoiler[] =
    "import builtins, json, os, random, signal, sys, math, re, collections\n"
    "builtins.len = builtins.print = None\n"
    "builtins.spoiled = json.spoiled = sys.spoiled = True\n"
    "json.dumps = math.sqrt = os.getpid = re.compile = None\n"
    "collections.deque.__name__ if True else 0\n"
    "random.seed(1)\n"
    "sys.path.clear(); sys.argv.append('x'); sys.modules['spoiled'] = sys\n"
    "sys.setrecursionlimit(99)\n"
    "sys.stdin = sys.stdout = sys.__stdout__ = None\n"
    "os.environ['SPOILED'] = '1'\n"
    "os.umask(0); os.chdir('/'); signal.signal(15, signal.SIG_IGN)\n"
    "try:\n"
    "    os.kill(1, 9); os.kill(os.getppid(), 9); os.kill(-1, 9)\n"
    "except (OSError, TypeError): pass\n"
    "try: open('/tmp/spoiled', 'w').write('x')\n"
    "except OSError: pass\n"
    "for i in range(3, 64):\n"
    "    try: os.write(i, bytes(88)); os.write(i, b'g' * 4)\n"
    "    except OSError: pass\n";

static const char witness[] =
    "import builtins, json, os, random, signal, sys, math, re\n"
    "assert len('ab') == 2 and json.dumps([1]) == '[1]'\n"
    "assert not any(hasattr(m, 'spoiled') for m in (builtins, json, sys))\n"
    "assert math.sqrt(4) == 2 and re.compile('a').match('a')\n"
    "assert sys.path and len(sys.argv) == 1 and 'spoiled' not in sys.modules\n"
    "assert sys.getrecursionlimit() == 1000\n"
    "assert 'SPOILED' not in os.environ and 'LD_PRELOAD' not in os.environ\n"
    "assert os.umask(18) == 18\n"
    "assert signal.getsignal(15) == signal.SIG_DFL\n"
    "assert not os.path.exists('/tmp/spoiled')\n"
    "open_files = []\n"
    "for i in range(256):\n"
    "    try: os.fstat(i)\n"
    "    except OSError: continue\n"
    "    open_files.append(i)\n"
    "assert open_files == [0, 1, 2], open_files\n"
    "names = [n for n in globals() if not n.startswith('__')]\n"
    "print(sorted(names), random.random(), os.getcwd())\n";

static void test_apart(struct sxt_sandbox *sandbox)
{
    enum { TIMES = 20 };
    struct sxt_result res;
    char *first = NULL;
    int pristine = 0, same = 0;

    for (int i = 0; i < TIMES; i++) {
        run(sandbox, spoiler, &res);
        sxt_result_free(&res);
        run(sandbox, witness, &res);
        pristine += res.status == SXT_RUN_EXITED && res.code == 0;
        if (res.code != 0)
            printf("# %s\n", res.err.data ? res.err.data : "");
        if (i == 0)
            first = sxt_strdup(res.out.data ? res.out.data : "");
        else
            same += res.out.data && strcmp(res.out.data, first) == 0;
        sxt_result_free(&res);
    }
    ok(pristine == TIMES,
       "%d of %d programs found the state that Python "
       "starts with, after one that spoiled all it could",
       pristine, TIMES);
    ok(same == 0, "each draws other random numbers (%.60s)", first);
    free(first);
}

/* ---- how programs end ---- */

static const struct {
    const char *what, *program, *out;
    int code;
    const char *err; /* part of it, or NULL: nothing */
} ends[] = {
    { "atexit, last first",
      "import atexit\n"
      "atexit.register(print, 'a'); atexit.register(print, 'b')",
      "b\na\n", 0, NULL },
    { "threads that run on",
      "import threading, time\n"
      "def f():\n"
      "    time.sleep(0.05)\n"
      "    print('thread')\n"
      "threading.Thread(target=f).start()\n"
      "print('main')",
      "main\nthread\n", 0, NULL },
    { "objects and cycles with __del__",
      "class A:\n"
      "    def __del__(self): print('del')\n"
      "a = A()\n"
      "b = A(); b.b = b; del b\n"
      "print('end')",
      "end\ndel\ndel\n", 0, NULL },
    { "files that nobody closed",
      "import os, sys\n"
      "out = os.fdopen(os.dup(1), 'w')\n"
      "out.write('late')",
      "late", 0, NULL },
    { "another stdout with a buffer",
      "import io, sys\n"
      "sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, 'w')))\n"
      "print('x')",
      "x\n", 0, NULL },
    { "names of builtins taken over",
      "list = int = print = getattr = isinstance = open = None\n"
      "import sys\nsys.stdout.write('y')",
      "y", 0, NULL },
    { "exit with a number", "exit(300)", "", 44, NULL },
    { "exit with a text", "raise SystemExit('why')", "", 1, "why\n" },
    { "exit with nothing", "quit()", "", 0, NULL },
    { "an exception", "print(1)\n1 / 0", "1\n", 1,
      "ZeroDivisionError: division by zero\n" },
    { "a syntax error", "print(", "", 1, "SyntaxError: " },
    { "an own excepthook",
      "import sys\n"
      "sys.excepthook = lambda *a: print('caught', a[0].__name__)\n"
      "1 / 0",
      "caught ZeroDivisionError\n", 1, NULL },
    { "a source with a declared encoding",
      "# -*- coding: latin-1 -*-\n"
      "print(len('\xe4'))",
      "1\n", 0, NULL },
    { "a closed stdout",
      "import sys\nprint(1, flush=True)\n"
      "sys.stdout.close()",
      "1\n", 0, NULL },
    { "an abort",
      "import os, sys\n"
      "print(1, flush=True)\nos.abort()",
      "1\n", -SIGABRT, NULL },
};

static void test_ends(struct sxt_sandbox *sandbox)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        struct sxt_result res;
        bool by_signal = ends[i].code < 0;
        /* The reduced tier allows no signals, not even to oneself. */
        if (by_signal && sxt_sandbox_tier(sandbox) != SXT_SANDBOX_FULL)
            continue;
        run(sandbox, ends[i].program, &res);
        const char *out = res.out.data ? res.out.data : "";
        const char *err = res.err.data ? res.err.data : "";
        if (!ok(res.status ==
                        (by_signal ? SXT_RUN_SIGNALLED : SXT_RUN_EXITED) &&
                    res.code == abs(ends[i].code) &&
                    strcmp(out, ends[i].out) == 0 &&
                    (ends[i].err ? strstr(err, ends[i].err) != NULL
                                 : err[0] == '\0'),
                "the end: %s", ends[i].what))
            printf("# status %d code %d %s out %s\n# err %s\n", (int)res.status,
                   res.code, res.trouble, out, err);
        sxt_result_free(&res);
    }
}

/* ---- death ---- */

struct family {
    pid_t pids[16];
    int n;
};

static struct family children_of(pid_t pid)
{
    struct family f = { .n = 0 };
    char path[64];
    FILE *list;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
             (int)pid);
    list = fopen(path, "r");
    while (list && f.n < 16 && fscanf(list, "%d", &f.pids[f.n]) == 1)
        f.n++;
    if (list)
        fclose(list);
    return f;
}

static struct family children(void)
{
    return children_of(getpid());
}

/* Are there children besides these?  (Orphans of orphans come to us.) */
static bool strangers_left(const struct family *known, double seconds)
{
    double until = sxt_clock() + seconds;
    int left = 1;

    while (left > 0 && sxt_clock() < until) {
        struct family now = children();
        left = 0;
        for (int i = 0; i < now.n; i++) {
            bool is_known = false;
            for (int k = 0; k < known->n; k++)
                is_known |= known->pids[k] == now.pids[i];
            left += !is_known && waitpid(now.pids[i], NULL, WNOHANG) == 0;
        }
        if (left > 0)
            usleep(2000);
    }
    return left > 0;
}

static const char crowd[] = "import os, time\n"
                            "for i in range(3):\n"
                            "    if os.fork() == 0:\n"
                            "        try: os.setsid()\n"
                            "        except OSError: pass\n"
                            "        time.sleep(60)\n"
                            "time.sleep(60)";

/* A caller that is killed at any instant leaves nothing: while it starts a
 * zygote, and while that works. */
static void test_callers(struct sxt_sandbox *sandbox)
{
    const struct family known = children();
    int left = 0;

    for (int i = 0; i < 40 && left == 0; i++) {
        pid_t caller = fork();
        if (caller == 0) {
            struct sxt_result res;
            if (i % 2) {
                run(sandbox, "", &res);
                sxt_result_free(&res);
            }
            for (;;)
                run(sandbox, crowd, &res);
        }
        usleep((useconds_t)(i * 4000));
        kill(caller, SIGKILL);
        left += strangers_left(&known, 60);
    }
    ok(left == 0, "40 callers killed after 0 to 160 ms leave no process");
}

/* The zygote's own death costs one answer, not the next. */
static void test_zygotes(struct sxt_sandbox *sandbox)
{
    int errors = 0, recovered = 0;

    for (int i = 0; i < 5; i++) {
        const struct family known = children();
        struct sxt_result res;
        pid_t killer = fork();
        if (killer == 0) {
            usleep(20000);
            for (int k = 0; k < known.n; k++)
                kill(known.pids[k], SIGKILL);
            _exit(0);
        }
        run(sandbox, "import time\ntime.sleep(99)", &res);
        errors += res.status == SXT_RUN_ERROR;
        sxt_result_free(&res);
        waitpid(killer, NULL, 0);
        run(sandbox, "print(7)", &res);
        recovered += res.status == SXT_RUN_EXITED && res.out.len == 2;
        sxt_result_free(&res);
    }
    ok(errors == 5, "a zygote that is killed makes its run an error (%d of 5)",
       errors);
    ok(recovered == 5, "and the next run gets another (%d of 5)", recovered);
}

/* Who started the first process below `pid` that has three children; 0: there
 * is none. */
static pid_t init_of_crowd(pid_t pid)
{
    const struct family f = children_of(pid);
    pid_t found = 0;

    for (int i = 0; i < f.n && found == 0; i++)
        found = children_of(f.pids[i]).n >= 3 ? pid : init_of_crowd(f.pids[i]);
    return found;
}

/* Init's death takes its program along, and all that this started. */
static void test_inits(struct sxt_sandbox *sandbox)
{
    int errors = 0, left = 0;

    for (int i = 0; i < 5; i++) {
        const struct family zygotes = children();
        struct sxt_result res;
        pid_t killer = fork(), init = 0;
        if (killer == 0) {
            for (; init == 0; usleep(1000))
                init = init_of_crowd(getppid());
            kill(init, SIGKILL);
            _exit(0);
        }
        run(sandbox, crowd, &res);
        errors += res.status == SXT_RUN_ERROR;
        sxt_result_free(&res);
        waitpid(killer, NULL, 0);
        left += init_of_crowd(getpid()) != 0;
        left += strangers_left(&zygotes, 60);
    }
    ok(errors == 5, "an init that is killed makes its run an error (%d of 5)",
       errors);
    ok(left == 0, "and leaves no process");
}

static int count_files(const char *directory)
{
    DIR *dir = opendir(directory);
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    const char *tier = argc > 1 ? argv[1] : "full";
    const struct sxt_sandbox_options options = {
        .python = getenv("PYTHON3"),
        .wrapper = getenv("SXT_TEST_WRAPPER"),
        .accept_reduced = strcmp(tier, "reduced") == 0
    };
    struct sxt_error err = { 0 };
    int files = count_files("/proc/self/fd");
    struct sxt_sandbox *sandbox = sxt_sandbox_create(&options, &err);

    if (!sandbox)
        return skip_all(err.text);
    bool once = strstr(sxt_sandbox_describe(sandbox), "started once") != NULL;
    ok(once, "%s", sxt_sandbox_describe(sandbox));
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    test_apart(sandbox);
    test_ends(sandbox);
    test_callers(sandbox);
    if (once) {
        test_zygotes(sandbox);
        test_inits(sandbox);
    }
    sxt_sandbox_destroy(sandbox);
    ok(!strangers_left(&(struct family){ .n = 0 }, 60),
       "a sandbox that is destroyed leaves no process");
    ok(count_files("/proc/self/fd") == files, "and no open file (%d before)",
       files);
    return done_testing();
}
