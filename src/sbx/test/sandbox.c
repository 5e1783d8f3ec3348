/* sandbox.c - attacks on the sandbox, honest programs in it, and its death.
 *
 *     sandbox.t [full|external|reduced|none [REPEATS]]
 *
 * names the tier that this node must give (none: it must refuse); without it
 * any but the reduced one will do.  The external one takes its wrapper from
 * SXT_TEST_WRAPPER.  With REPEATS only the attacks run, so
 * often; with 0 the rest runs, but of the attacks only those that need no
 * waiting for the wall clock. */
#define _GNU_SOURCE
#include "sbx/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/test/tap.h"

/* What the attacks are after. */
struct victim {
    char file[64];
    struct stat before;
    int tcp, named, port;
    char name[64];
};

static volatile sig_atomic_t signals_seen;

static void count_signal(int s)
{
    (void)s;
    signals_seen++;
}

static void make_victim(struct victim *v)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    socklen_t size = sizeof(in);
    int file;

    strcpy(v->file, "/var/tmp/sextant-victim-XXXXXX");
    file = mkstemp(v->file);
    SXT_CHECK(file >= 0 && write(file, "secret", 6) == 6);
    SXT_CHECK(fchmod(file, 0666) == 0 && fstat(file, &v->before) == 0);
    close(file);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SXT_CHECK(bind(v->tcp, (struct sockaddr *)&in, size) == 0 &&
              listen(v->tcp, 4) == 0 &&
              getsockname(v->tcp, (struct sockaddr *)&in, &size) == 0);
    v->port = ntohs(in.sin_port);
    snprintf(v->name, sizeof(v->name), "sextant-victim-%d", (int)getpid());
    size_t n = strlen(v->name);
    memcpy(un.sun_path + 1, v->name, n);
    v->named = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
    SXT_CHECK(bind(v->named, (struct sockaddr *)&un, size) == 0 &&
              listen(v->named, 4) == 0);
    signal(SIGTERM, count_signal);
    setenv("SXT_SECRET", "key", 1);
}

static void check_victim(const struct victim *v)
{
    struct stat now;

    ok(stat(v->file, &now) == 0 && now.st_mode == v->before.st_mode &&
           now.st_size == 6 && now.st_uid == v->before.st_uid &&
           now.st_mtim.tv_sec == v->before.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == v->before.st_mtim.tv_nsec &&
           now.st_nlink == 1,
       "the user's file is what it was");
    ok(accept(v->tcp, NULL, NULL) < 0 && errno == EAGAIN,
       "nobody connected by TCP");
    ok(accept(v->named, NULL, NULL) < 0 && errno == EAGAIN,
       "nobody connected by name");
    ok(signals_seen == 0, "no signal came");
    close(v->tcp);
    close(v->named);
    unlink(v->file);
}

static void run(struct sxt_sandbox *sandbox, const char *program,
                struct sxt_span input, const struct sxt_limits *limits,
                struct sxt_result *res)
{
    const struct sxt_job job = { .program = sxt_span(program),
                                 .input = input,
                                 .limits = *limits };

    sxt_sandbox_run(sandbox, &job, res);
}

static bool contains(const struct sxt_str *s, const char *word)
{
    return s->data && strstr(s->data, word);
}

/* The limit is 200 MiB; on a busy machine the watch comes late, and a program
 * that takes 1 GB/s goes on until then.  8 GB are asked for. */
enum { MOST_MEMORY = 1 << 30 };

static void attack(struct sxt_sandbox *sandbox, const struct attack *a,
                   const char *prelude)
{
    /* Only what ends by the time it takes gets little of it: on a slow machine
     * all else needs more. */
    bool endless = a->ends & (ENDS(SXT_RUN_CPU) | ENDS(SXT_RUN_WALL));
    const struct sxt_limits limits = { .cpu_s = endless ? 0.3 : 10,
                                       .memory_bytes = 200 << 20,
                                       .output_bytes = 64 << 10,
                                       .disk_bytes = 16 << 20,
                                       .processes = 16 };
    char *program = sxt_printf("%s%s", prelude, a->program);
    struct sxt_result res;
    bool held;

    run(sandbox, program, sxt_span("input"), &limits, &res);
    if (a->ends == 0)
        held = res.status == SXT_RUN_EXITED && res.code == 0 &&
               contains(&res.out, "held");
    else
        held = (a->ends & ENDS(res.status)) != 0;
    held = held && !contains(&res.out, "LEAK") &&
           res.out.len <= limits.output_bytes && res.err.len <= 64 << 10 &&
           res.peak_bytes < MOST_MEMORY;
    if (!ok(held, "attack: %s", a->what))
        printf("#   status %d code %d cpu %.2f wall %.2f peak %zu %s\n"
               "#   %.300s\n#   %.300s\n",
               (int)res.status, res.code, res.cpu_s, res.wall_s, res.peak_bytes,
               res.trouble, res.out.data ? res.out.data : "",
               res.err.data ? res.err.data : "");
    sxt_result_free(&res);
    free(program);
}

static void test_attacks(struct sxt_sandbox *sandbox, bool patient)
{
    bool full = sxt_sandbox_tier(sandbox) == SXT_SANDBOX_FULL;
    struct victim v;
    char *prelude;

    make_victim(&v);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    prelude = sxt_printf(attack_prelude, v.file, (int)getpid(), v.port, v.name);
#pragma GCC diagnostic pop
    for (size_t i = 0; i < n_attacks; i++)
        if ((full || attacks[i].place == ANYWHERE) &&
            (patient || attacks[i].ends != ENDS(SXT_RUN_WALL)))
            attack(sandbox, &attacks[i], prelude);
    check_victim(&v);
    free(prelude);
}

static const struct {
    const char *what, *program, *input, *output;
    int code;
    enum attack_place place;
} honest[] = {
    { "reads and prints", "print(sum(map(int, input().split())))", "1 2 3\n",
      "6\n", 0, ANYWHERE },
    { "exits with a status", "import sys\nsys.exit(3)", "", "", 3, ANYWHERE },
    { "copies bytes that are no text",
      "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())",
      "\xff\xfe\x80 a\n", "\xff\xfe\x80 a\n", 0, ANYWHERE },
    { "recurses 100000 deep",
      "import sys\n"
      "sys.setrecursionlimit(10 ** 6)\n"
      "def f(n): return 0 if n == 0 else 1 + f(n - 1)\n"
      "print(f(100000))",
      "", "100000\n", 0, ANYWHERE },
    { "recurses in a thread with a large stack, having asked for more",
      "import resource, sys, threading\n"
      "resource.setrlimit(resource.RLIMIT_STACK, (-1, -1))\n"
      "sys.setrecursionlimit(10 ** 6)\n"
      "threading.stack_size(128 << 20)\n"
      "def f(n): return 0 if n == 0 else 1 + f(n - 1)\n"
      "t = threading.Thread(target=lambda: print(f(50000)))\n"
      "t.start()\n"
      "t.join()",
      "", "50000\n", 0, ANYWHERE },
    { "runs an event loop",
      "import asyncio\n"
      "async def f(): return 7\n"
      "print(asyncio.run(f()))",
      "", "7\n", 0, ANYWHERE },
    { "forks and waits",
      "import os\n"
      "r, w = os.pipe()\n"
      "if os.fork() == 0:\n"
      "    os.write(w, b'child')\n"
      "    os._exit(0)\n"
      "os.wait()\n"
      "print(os.read(r, 9).decode())",
      "", "child\n", 0, ANYWHERE },
    { "uses a temporary file",
      "import tempfile\n"
      "with tempfile.NamedTemporaryFile('w+') as f:\n"
      "    f.write('x')\n"
      "    f.seek(0)\n"
      "    print(f.read())\n"
      "open('output.txt', 'w').write('y')\n"
      "print(open('output.txt').read())",
      "", "x\ny\n", 0, FULL_ONLY },
    { "sets an alarm",
      "import signal\n"
      "signal.signal(signal.SIGALRM, lambda *a: print('rang'))\n"
      "signal.setitimer(signal.ITIMER_REAL, 0.02)\n"
      "signal.pause()",
      "", "rang\n", 0, ANYWHERE },
    { "prints an int of 20000 digits", "print(len(str(10 ** 20000)))", "",
      "20001\n", 0, ANYWHERE },
    { "imports much of the library",
      "import argparse, array, base64, csv, dataclasses, datetime, decimal\n"
      "import email, enum, fractions, hashlib, html, inspect, json, logging\n"
      "import pickle, pprint, queue, random, secrets, statistics, struct\n"
      "import subprocess, tempfile, textwrap, typing, unittest, uuid, zlib\n"
      "print(hashlib.sha256(b'').hexdigest()[:8], random.Random(1).random())",
      "", "e3b0c442 0.13436424411240122\n", 0, ANYWHERE },
    { "is __main__ and can exit()",
      "import sys, __main__\n"
      "class A: pass\n"
      "import pickle\n"
      "pickle.loads(pickle.dumps(A()))\n"
      "print(__name__, len(sys.argv), __main__.A is A)\n"
      "exit(0)",
      "", "__main__ 1 True\n", 0, ANYWHERE },
};

static void test_honest(struct sxt_sandbox *sandbox)
{
    const struct sxt_limits limits = sxt_limits_default();
    bool full = sxt_sandbox_tier(sandbox) == SXT_SANDBOX_FULL;

    for (size_t i = 0; i < sizeof(honest) / sizeof(*honest); i++) {
        struct sxt_result res;
        if (honest[i].place == FULL_ONLY && !full)
            continue;
        run(sandbox, honest[i].program, sxt_span(honest[i].input), &limits,
            &res);
        if (!ok(res.status == SXT_RUN_EXITED && res.code == honest[i].code &&
                    res.out.len == strlen(honest[i].output) &&
                    (res.out.len == 0 ||
                     memcmp(res.out.data, honest[i].output, res.out.len) == 0),
                "honest: %s", honest[i].what))
            printf("#   status %d code %d out %.200s\n#   err %.400s %s\n",
                   (int)res.status, res.code, res.out.data ? res.out.data : "",
                   res.err.data ? res.err.data : "", res.trouble);
        sxt_result_free(&res);
    }
}

static void test_large(struct sxt_sandbox *sandbox)
{
    struct sxt_limits limits = sxt_limits_default();
    struct sxt_str input = SXT_STR_EMPTY;
    struct sxt_result res;

    limits.output_bytes = 32 << 20;
    while (input.len < 20 << 20)
        sxt_str_add_bytes(&input, "0123456789abcde\n", 16);
    run(sandbox, "import sys\nsys.stdout.write(sys.stdin.read())",
        (struct sxt_span){ input.data, input.len }, &limits, &res);
    ok(res.status == SXT_RUN_EXITED && res.out.len == input.len &&
           memcmp(res.out.data, input.data, input.len) == 0,
       "20 MiB go in and come out whole");
    sxt_result_free(&res);
    sxt_str_free(&input);

    run(sandbox, "x = b'x' * (300 << 20)", sxt_span(""), &limits, &res);
    ok(res.status == SXT_RUN_EXITED && res.peak_bytes >= 300 << 20 &&
           res.peak_bytes < 400 << 20,
       "300 MiB are seen as such (%zu MiB)", res.peak_bytes >> 20);
    sxt_result_free(&res);

    /* By the program's own clock: how long it looped depends on the machine.
     * Beside that there are only its start and its end. */
    run(sandbox,
        "import time\n"
        "while time.process_time() < 0.4: pass\n"
        "print(time.process_time())",
        sxt_span(""), &limits, &res);
    double own = res.out.data ? atof(res.out.data) : 0;
    ok(own >= 0.4 && res.cpu_s > own - 0.02 && res.cpu_s < 1.75 * own,
       "0.4 s of CPU are seen as such (%.3f of %.3f)", res.cpu_s, own);
    sxt_result_free(&res);
}

static void test_numpy(struct sxt_sandbox *sandbox)
{
    const struct sxt_limits limits = sxt_limits_default();
    struct sxt_result res;

    run(sandbox,
        "try: import numpy\n"
        "except ImportError: print('none')\n"
        "else: print(int((numpy.ones((300, 300)) @ numpy.ones((300, 300)))"
        ".sum()))",
        sxt_span(""), &limits, &res);
    if (contains(&res.out, "none"))
        ok(true, "honest: numpy # SKIP this Python has none");
    else
        ok(contains(&res.out, "27000000"), "honest: numpy multiplies");
    sxt_result_free(&res);
}

static void test_same_twice(struct sxt_sandbox *sandbox)
{
    static const char program[] = "print(hash('a'), {'b', 'c', 'd', 'e'})\n"
                                  "import os\n"
                                  "print(sorted(os.environ.items()))";
    const struct sxt_limits limits = sxt_limits_default();
    struct sxt_result a, b;

    run(sandbox, program, sxt_span(""), &limits, &a);
    run(sandbox, program, sxt_span(""), &limits, &b);
    is_text(a.out.data, b.out.data, "two runs print the same");
    sxt_result_free(&a);
    sxt_result_free(&b);
}

static void test_channel_and_pair(struct sxt_sandbox *sandbox)
{
    struct sxt_limits limits = sxt_limits_default();
    struct sxt_job jobs[2] = {
        { .program = sxt_span("import os\n"
                              "os.write(3, b'aside')\n"
                              "os.write(5, b'ping')\n"
                              "print(os.read(4, 9), os.read(4, 9))"),
          .channel = true,
          .limits = limits },
        { .program = sxt_span("import os\n"
                              "print(os.read(4, 9))\n"
                              "os.write(5, b'pong')"),
          .limits = limits },
    };
    struct sxt_result res[2];

    sxt_sandbox_run_pair(sandbox, jobs, res);
    is_text(res[0].channel.data, "aside", "file 3 is apart from stdout");
    is_text(res[0].out.data, "b'pong' b''\n",
            "the first hears the second, "
            "then its end");
    is_text(res[1].out.data, "b'ping'\n", "the second hears the first");
    sxt_result_free(&res[0]);
    sxt_result_free(&res[1]);
}

static double cpu_of(int who)
{
    struct rusage u;

    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* CPU time of our living children and of those that they waited for. */
static double cpu_of_children(void)
{
    double ticks = 0;
    char path[64], text[1024] = "";
    FILE *list;
    int pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    list = fopen(path, "r");
    while (list && fscanf(list, "%d", &pid) == 1) {
        unsigned long t[4] = { 0 };
        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        FILE *f = fopen(path, "r");
        if (f && fgets(text, sizeof(text), f) && strrchr(text, ')'))
            sscanf(strrchr(text, ')') + 1,
                   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
                   "%lu %lu %lu %lu",
                   &t[0], &t[1], &t[2], &t[3]);
        if (f)
            fclose(f);
        ticks += (double)(t[0] + t[1] + t[2] + t[3]);
    }
    if (list)
        fclose(list);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_in_all(void)
{
    return cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) + cpu_of_children();
}

/* The interpreter itself, as graders without a sandbox start it. */
static void start_python(const char *python)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl(python, "python3", "-s", "-S", "-c", "", (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

/* What a test costs, all processes together, in CPU time, beside what it costs
 * on this machine, as busy as it is, to start an interpreter. */
static void test_cost(struct sxt_sandbox *sandbox)
{
    enum { RUNS = 60 };
    const struct sxt_limits limits = sxt_limits_default();
    bool once = strstr(sxt_sandbox_describe(sandbox), "started once") != NULL;
    char *python =
        sxt_strdup(strchr(strstr(sxt_sandbox_describe(sandbox), " at "), '/'));
    double jailed = 0, plain = 0;

    *strrchr(python, ',') = '\0';

    for (int i = 0; i < RUNS; i++) {
        struct sxt_result res;
        double start = cpu_in_all();
        run(sandbox, "", sxt_span(""), &limits, &res);
        double middle = cpu_in_all();
        start_python(python);
        plain += cpu_in_all() - middle;
        jailed += middle - start;
        sxt_result_free(&res);
    }
    ok(jailed < (once ? 1 : 4) * plain,
       "an empty program costs %.1f ms of CPU time in all; Python's start "
       "takes %.1f ms",
       jailed / RUNS * 1e3, plain / RUNS * 1e3);
    free(python);
}

/* How many mounts of jails this process sees: each has its own namespace, so
 * there should be none. */
static int jail_mounts(void)
{
    FILE *f = fopen("/proc/self/mountinfo", "r");
    char line[4096];
    int n = 0;

    SXT_CHECK(f != NULL);
    while (fgets(line, sizeof(line), f))
        n += strstr(line, " sextant-jail ") != NULL;
    fclose(f);
    return n;
}

static int test_refusal(const struct sxt_error *err, const char *tier)
{
    printf("# %s\n", err->text);
    if (!tier)
        return skip_all(err->text);
    ok(err->code == SXT_EXIT_NOSANDBOX, "refusing says so");
    ok(strcmp(tier, "none") == 0, "the node gives the tier %s", tier);
    ok(strstr(err->text, "namespace") != NULL, "the message names what is "
                                               "missing");
    return done_testing();
}

int main(int argc, char **argv)
{
    const char *tier = argc > 1 ? argv[1] : NULL;
    const struct sxt_sandbox_options options = {
        .python = getenv("PYTHON3"),
        .wrapper = getenv("SXT_TEST_WRAPPER"),
        .accept_reduced = tier && strcmp(tier, "reduced") == 0
    };
    struct sxt_error err = { 0 };
    int repeats = argc > 2 ? atoi(argv[2]) : 1;
    double start = sxt_clock();
    struct sxt_sandbox *sandbox = sxt_sandbox_create(&options, &err);

    if (!sandbox)
        return test_refusal(&err, tier);
    ok(!tier || strcmp(tier, sxt_sandbox_tier_name(sandbox)) == 0,
       "tried out in %.2f s: %s", sxt_clock() - start,
       sxt_sandbox_describe(sandbox));
    do
        test_attacks(sandbox, repeats != 0);
    while (--repeats > 0);
    if (argc > 2 && strcmp(argv[2], "0") != 0) {
        sxt_sandbox_destroy(sandbox);
        return done_testing();
    }
    test_honest(sandbox);
    test_large(sandbox);
    test_numpy(sandbox);
    test_same_twice(sandbox);
    test_channel_and_pair(sandbox);
    /* A wrapper's processes hide theirs from cpu_of_children. */
    if (sxt_sandbox_tier(sandbox) != SXT_SANDBOX_EXTERNAL)
        test_cost(sandbox);
    ok(jail_mounts() == 0, "no mount of a jail is seen outside");
    sxt_sandbox_destroy(sandbox);
    return done_testing();
}
