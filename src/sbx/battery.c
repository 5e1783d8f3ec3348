/* battery.c - attacks on an own jail, before anybody else's program gets it.
 *
 * What a kernel says it can do is not what it does: so the jail is judged by
 * what gets out of it.  The victims are made here: a file, a listening TCP
 * port, a named socket, this process. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "sbx/jail.h"

struct victims {
    char file[64]; /* readable and writable by everybody */
    int tcp, named;
    int port;
    char name[64]; /* of the abstract socket */
};

/* A probe that does not raise has got out. */
static const char probes[] =
    "import os, signal, socket, sys\n"
    "FILE, PARENT, PORT, NAME, FULL, ROOT = %s\n"
    "try:\n"
    "    import ctypes\n"
    "    libc = ctypes.CDLL(None, use_errno=True)\n"
    "except ImportError:\n"
    "    libc = None\n"
    "def call(name, *args):\n"
    "    if getattr(libc, name)(*args) == -1:\n"
    "        raise OSError(ctypes.get_errno(), name)\n"
    "def connect(family, address):\n"
    "    with socket.socket(family, socket.SOCK_STREAM) as s:\n"
    "        s.connect(address)\n"
    "def write(path, data=b'x', mode='wb'):\n"
    "    with open(path, mode) as f:\n"
    "        f.write(data)\n"
    "def processes():\n"
    "    if not [p for p in os.listdir('/proc') if p.isdigit()]:\n"
    "        raise OSError\n"
    "def inherited():\n"
    "    for fd in range(3, 256):\n"
    "        try:\n"
    "            os.fstat(fd)\n"
    "        except OSError:\n"
    "            continue\n"
    "        return\n"
    "    raise OSError\n"
    "def secrets():\n"
    "    if not set(os.environ) - {'HOME', 'TMPDIR', 'PATH', 'LC_ALL', 'TZ',\n"
    "            'LC_CTYPE', 'PYTHONUTF8', 'PYTHONHASHSEED',\n"
    "            'PYTHONDONTWRITEBYTECODE', 'PYTHONINTMAXSTRDIGITS',\n"
    "            'MALLOC_ARENA_MAX', 'OMP_NUM_THREADS',\n"
    "            'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'}:\n"
    "        raise OSError\n"
    "def fill():\n"
    "    for i in range(8):\n"
    "        write('/tmp/%%d' %% i, bytes(1 << 20))\n"
    "attacks = {\n"
    "    'read a file': lambda: open(FILE).read(),\n"
    "    'write a file': lambda: write(FILE, b'x', 'r+b'),\n"
    "    'change a mode': lambda: os.chmod(FILE, 0o600),\n"
    "    'change a time': lambda: os.utime(FILE, (0, 0)),\n"
    "    'set an attribute': lambda: os.setxattr(FILE, 'user.x', b'x'),\n"
    "    'remove a file': lambda: os.unlink(FILE),\n"
    "    'read /etc': lambda: os.listdir('/etc'),\n"
    "    'write the root': lambda: write('/leak'),\n"
    "    'write beside Python': lambda: write(os.__file__ + '.leak'),\n"
    "    'connect by TCP': lambda: connect(socket.AF_INET,\n"
    "        ('127.0.0.1', PORT)),\n"
    "    'connect by name': lambda: connect(socket.AF_UNIX, '\\0' + NAME),\n"
    "    'signal the parent': lambda: os.kill(PARENT, signal.SIGCONT),\n"
    "    'trace the parent': lambda: call('ptrace', 16, PARENT, 0, 0),\n"
    "    'see processes': processes,\n"
    "    'become root': lambda: os.setuid(0),\n"
    "    'mount': lambda: call('mount', b'x', b'/tmp', b'tmpfs', 0, 0),\n"
    "    'make a namespace': lambda: call('unshare', 0x10000000),\n"
    "    'inherit a file': inherited,\n"
    "    'read the environment': secrets,\n"
    "    'fill the disk': fill,\n"
    "}\n"
    "if ROOT:\n"
    "    attacks['see a path'] = lambda: os.stat(FILE)\n"
    "if not FULL:\n"
    "    attacks['write anywhere'] = lambda: write('/tmp/leak')\n"
    "    attacks['leave the group'] = os.setsid\n"
    "for name, attack in attacks.items():\n"
    "    try:\n"
    "        attack()\n"
    "        print('it could', name)\n"
    "    except (OSError, AttributeError, TypeError):\n"
    "        pass\n"
    "print('done')\n";

/* Attacks on limits: how each must end. */
static const struct {
    const char *name, *program;
    struct sxt_limits limits;
    enum sxt_run_status status;
    size_t peak; /* bytes that must have been seen */
} bounded[] = {
    { "compute without end",
      "while True: pass\n",
      { 0.1, 64 << 20, 1024, 1 << 20, 8 },
      SXT_RUN_CPU,
      0 },
    { "take memory in many processes",
      "import os, time\n"
      "for i in range(3):\n"
      "    if os.fork() == 0:\n"
      "        x = b'x' * (48 << 20)\n"
      "        time.sleep(9)\n"
      "time.sleep(9)\n",
      { 4, 96 << 20, 1024, 1 << 20, 8 },
      SXT_RUN_MEMORY,
      90 << 20 },
    { "write without end",
      "while True: print('x' * 999)\n",
      { 4, 64 << 20, 10000, 1 << 20, 8 },
      SXT_RUN_OUTPUT,
      0 },
};

/* Leaves a process behind and prints its number. */
static const char daemon_program[] =
    "import os, time\n"
    "r, w = os.pipe()\n"
    "if os.fork() == 0:\n"
    "    try:\n"
    "        os.setsid()\n"
    "    except OSError:\n"
    "        pass\n"
    "    if os.fork() > 0:\n"
    "        os._exit(0)\n"
    "    os.write(w, str(os.getpid()).encode())\n"
    "    for i in range(3):\n"
    "        os.close(i)\n"
    "    time.sleep(60)\n"
    "print(os.read(r, 20).decode())\n";

static int leak(const char *what, const struct sxt_sandbox *sandbox,
                struct sxt_error *err)
{
    return sxt_err(err, SXT_EXIT_NOSANDBOX,
                   "no sandbox: in a jail (%s) on this node a program could "
                   "%s, so none is run",
                   sxt_sandbox_tier_name(sandbox), what);
}

/* What an administrator would change where a step of building a jail fails. */
static const struct {
    const char *step, *advice;
} remedies[] = {
    { "system call filter", "a kernel with CONFIG_SECCOMP_FILTER" },
    { "/proc", "/proc mounted without hidepid, in a kernel with "
               "CONFIG_PROC_CHILDREN" },
    { "map the user", "kernel.apparmor_restrict_unprivileged_userns=0, or no "
                      "other rule against user namespaces" },
    { "mount", "kernel.apparmor_restrict_unprivileged_userns=0, or no other "
               "rule against mounts in user namespaces; CONFIG_TMPFS" },
    { "bind", "an interpreter that every user can read, named by "
              "grading.python" },
    { "execute the interpreter", "an interpreter that every user can execute, "
                                 "named by grading.python" },
    { "start a", "user.max_pid_namespaces and its like above 0, a higher "
                 "limit of processes (ulimit -u)" },
};

static int failed(const struct sxt_result *res, const char *doing,
                  struct sxt_error *err)
{
    struct sxt_str tail = SXT_STR_EMPTY;
    const char *advice = NULL;

    for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++)
        if (!advice && strstr(res->trouble, remedies[i].step))
            advice = remedies[i].advice;
    sxt_str_add(&tail, "status %d, code %d%s%.200s", (int)res->status,
                res->code, res->err.len ? ", it says: " : "",
                res->err.len ? res->err.data : "");
    sxt_err(err, SXT_EXIT_NOSANDBOX,
            "no sandbox: the jail failed to %s: %s%s%s", doing,
            res->trouble[0] ? res->trouble : tail.data,
            advice ? "; it takes " : "", advice ? advice : "");
    sxt_str_free(&tail);
    return -1;
}

/* Process numbers mean something within their namespace only. */
static unsigned long process_namespace(void)
{
    struct stat st = { 0 };

    return stat("/proc/self/ns/pid", &st) == 0 ? (unsigned long)st.st_ino : 0;
}

/* Remove the file of whoever was killed while it had one. */
static void sweep(void)
{
    DIR *dir = opendir("/tmp");
    unsigned long space;
    struct dirent *e;
    int pid;

    while (dir && (e = readdir(dir)) != NULL)
        if (sscanf(e->d_name, "sextant-probe-%lu-%d-", &space, &pid) == 2 &&
            space == process_namespace() && kill(pid, 0) != 0 && errno == ESRCH)
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
}

static int make_victims(struct victims *v, struct sxt_error *err)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    socklen_t size = sizeof(in);
    int file;

    sweep();
    snprintf(v->file, sizeof(v->file), "/tmp/sextant-probe-%lu-%d-XXXXXX",
             process_namespace(), (int)getpid());
    snprintf(v->name, sizeof(v->name), "sextant-probe-%d-%p", (int)getpid(),
             (void *)v);
    file = mkstemp(v->file);
    v->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    v->named = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size_t n = strlen(v->name);
    memcpy(un.sun_path + 1, v->name, n);
    if (file < 0 || fchmod(file, 0666) != 0 || write(file, "secret", 6) != 6 ||
        bind(v->tcp, (struct sockaddr *)&in, size) != 0 ||
        listen(v->tcp, 4) != 0 ||
        getsockname(v->tcp, (struct sockaddr *)&in, &size) != 0 ||
        bind(v->named, (struct sockaddr *)&un,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) !=
            0 ||
        listen(v->named, 4) != 0) {
        sxt_err_errno(err, SXT_EXIT_NOSANDBOX,
                      "no sandbox: cannot try one out (file %s, sockets)",
                      v->file);
        v->port = 0;
    } else {
        v->port = ntohs(in.sin_port);
    }
    if (file >= 0)
        close(file);
    return v->port ? 0 : -1;
}

static void remove_victims(struct victims *v)
{
    unlink(v->file);
    if (v->tcp >= 0)
        close(v->tcp);
    if (v->named >= 0)
        close(v->named);
}

static void run(struct sxt_sandbox *sandbox, const char *program,
                struct sxt_limits limits, struct sxt_result *res)
{
    const struct sxt_job job = { .program = sxt_span(program),
                                 .limits = limits };

    sxt_sandbox_run(sandbox, &job, res);
}

static int try_probes(struct sxt_sandbox *sandbox, const struct victims *v,
                      struct sxt_error *err)
{
    struct sxt_limits limits = sxt_limits_default();
    struct sxt_result res;
    char *values =
        sxt_printf("('%s', %d, %d, '%s', %d, %d)", v->file, (int)getpid(),
                   v->port, v->name, sandbox->tier == SXT_SANDBOX_FULL,
                   sandbox->tier != SXT_SANDBOX_REDUCED);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    char *program = sxt_printf(probes, values);
#pragma GCC diagnostic pop
    int rc = 0;

    limits.disk_bytes = 4 << 20;
    run(sandbox, program, limits, &res);
    if (res.status != SXT_RUN_EXITED || res.code != 0) {
        rc = failed(&res, "run Python", err);
    } else if (strcmp(res.out.data, "done\n") != 0) {
        const char *what = res.out.data + strlen("it could ");
        char first[64];
        snprintf(first, sizeof(first), "%.*s", (int)strcspn(what, "\n"), what);
        rc = leak(first, sandbox, err);
    }
    sxt_result_free(&res);
    free(values);
    free(program);
    return rc;
}

static int try_bounded(struct sxt_sandbox *sandbox, struct sxt_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof(bounded) / sizeof(*bounded) && rc == 0; i++) {
        struct sxt_result res;
        run(sandbox, bounded[i].program, bounded[i].limits, &res);
        if (res.status == SXT_RUN_ERROR)
            rc = failed(&res, "run a program with limits", err);
        else if (res.status != bounded[i].status ||
                 res.peak_bytes < bounded[i].peak)
            rc = leak(bounded[i].name, sandbox, err);
        sxt_result_free(&res);
    }
    return rc;
}

static int try_daemon(struct sxt_sandbox *sandbox, struct sxt_error *err)
{
    struct sxt_result res;
    int rc = 0;

    run(sandbox, daemon_program, sxt_limits_default(), &res);
    if (res.status != SXT_RUN_EXITED || res.code != 0 || res.out.len == 0) {
        rc = failed(&res, "end a program with a process in background", err);
    } else if (sandbox->tier == SXT_SANDBOX_REDUCED) {
        /* The number is one of this node; zombies are reaped by then. */
        pid_t pid = (pid_t)strtol(res.out.data, NULL, 10);
        if (pid <= 1 || kill(pid, 0) == 0 || errno != ESRCH)
            rc = leak("leave a process behind", sandbox, err);
    }
    sxt_result_free(&res);
    return rc;
}

int sxt_sbx_battery(struct sxt_sandbox *sandbox, struct sxt_error *err)
{
    struct victims v;
    int rc = make_victims(&v, err);

    if (rc == 0)
        rc = try_probes(sandbox, &v, err);
    remove_victims(&v); /* as soon as may be: a kill would leave the file */
    if (rc == 0)
        rc = try_bounded(sandbox, err);
    if (rc == 0)
        rc = try_daemon(sandbox, err);
    return rc;
}
