/* python.c - the interpreter behind its shims, and what it needs to run.
 *
 * The interpreter itself is trusted; it is asked, outside the jail, where it
 * lives and what it loads. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "sbx/jail.h"

/* Answers one JSON object.  Search paths outside the prefixes (editable
 * installs in somebody's home) are left out. */
static const char question[] =
    "import importlib, json, os, sys, sysconfig\n"
    "for name in ('ctypes', 'ssl', 'sqlite3', 'decimal', 'lzma', 'bz2',\n"
    "             'zlib', '_uuid', 'readline', 'numpy'):\n"
    "    try:\n"
    "        importlib.import_module(name)\n"
    "    except Exception:\n"
    "        pass\n"
    "real = os.path.realpath\n"
    "prefixes = {real(p) for p in (sys.prefix, sys.base_prefix,\n"
    "            sys.exec_prefix, sys.base_exec_prefix)}\n"
    "known = [p for p in sys.path if os.path.exists(p) and any(\n"
    "         real(p).startswith(q.rstrip('/') + '/') for q in prefixes)]\n"
    "libs = set()\n"
    "with open('/proc/self/maps') as maps:\n"
    "    for line in maps:\n"
    "        path = line.rstrip('\\n').split(None, 5)[-1]\n"
    "        if path.startswith('/') and '.so' in os.path.basename(path):\n"
    "            libs.add(os.path.dirname(real(path)))\n"
    "std = [sysconfig.get_path(k) for k in ('stdlib', 'platstdlib')]\n"
    "exe = real(getattr(sys, '_base_executable', None) or sys.executable)\n"
    "print(json.dumps({'python': exe, 'version': sys.version.split()[0],\n"
    "    'major': sys.version_info[0], 'minor': sys.version_info[1],\n"
    "    'path': [real(p) for p in known],\n"
    "    'binds': [real(p) for p in known + std + [exe]\n"
    "              if os.path.exists(p)] + sorted(libs)}))\n";

/* Where the loader and the C library may be, often links into /usr. */
static const char *const system_libs[] = { "/lib", "/lib32", "/lib64",
                                           "/usr/lib", "/usr/lib64" };

/* A program's standard output, run as it is; NULL with *err set. */
static struct sxt_json *ask(const char *python, struct sxt_error *err)
{
    char *const argv[] = { (char *)(uintptr_t)python, (char *)"-I",
                           (char *)"-c", (char *)(uintptr_t)question, NULL };
    struct sxt_str text = SXT_STR_EMPTY;
    struct sxt_json *answer = NULL;
    char buffer[4096];
    int ends[2], status = -1;
    ssize_t n;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        sxt_err_errno(err, SXT_EXIT_NOSANDBOX, "no sandbox: starting %s",
                      python);
        return NULL;
    }
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(ends[1], 1);
        dup2(null, 2);
        execvp(python, argv);
        _exit(127);
    }
    close(ends[1]);
    while ((n = read(ends[0], buffer, sizeof(buffer))) > 0)
        sxt_str_add_bytes(&text, buffer, (size_t)n);
    close(ends[0]);
    waitpid(pid, &status, 0);
    if (status == 0 && text.len > 0)
        answer = sxt_json_parse(text.data, text.len, python, err);
    else
        sxt_err(err, SXT_EXIT_NOSANDBOX,
                "no sandbox: %s is no Python 3 that runs (wait status %d); "
                "name one by its full path",
                python, status);
    sxt_str_free(&text);
    return answer;
}

static bool below(const char *path, const char *directory)
{
    size_t n = strlen(directory);

    return strncmp(path, directory, n) == 0 &&
           (path[n] == '\0' || path[n] == '/');
}

/* Add a path unless something there covers it. */
static void add_bind(struct sxt_sandbox *sandbox, const char *path)
{
    char target[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (path[0] != '/' || path[1] == '\0' || lstat(path, &st) != 0)
        return;
    for (size_t i = 0; i < sandbox->n_binds; i++)
        if (below(path, sandbox->binds[i].path))
            return;
    sandbox->binds = sxt_realloc(sandbox->binds, sandbox->n_binds + 1,
                                 sizeof(*sandbox->binds));
    struct jail_bind *b = &sandbox->binds[sandbox->n_binds++];
    *b = (struct jail_bind){ .path = sxt_strdup(path),
                             .directory = S_ISDIR(st.st_mode) };
    if (S_ISLNK(st.st_mode) && (n = readlink(path, target, sizeof(target))) > 0)
        b->target = sxt_strndup(target, (size_t)n);
}

/* Shorter paths first, so that what covers others comes before them. */
static int by_length(const void *a, const void *b)
{
    size_t x = strlen(*(const char *const *)a);
    size_t y = strlen(*(const char *const *)b);

    return (x > y) - (x < y);
}

static void add_binds(struct sxt_sandbox *sandbox, const struct sxt_json *list)
{
    size_t n = sxt_json_count(list);
    const char **paths = sxt_alloc(n, sizeof(*paths));

    for (size_t i = 0; i < sizeof(system_libs) / sizeof(*system_libs); i++)
        add_bind(sandbox, system_libs[i]);
    for (size_t i = 0; i < n; i++)
        paths[i] = sxt_json_string(sxt_json_item(list, i), "");
    qsort(paths, n, sizeof(*paths), by_length);
    for (size_t i = 0; i < n; i++)
        add_bind(sandbox, paths[i]);
    free(paths);
}

/* What most programs and our own runners import: done once, in the zygote. */
static const char preloaded[] =
    "['ast', 'bisect', 'collections', 'copy', 'decimal', 'fractions',"
    " 'functools', 'heapq', 'io', 'itertools', 'json', 'math', 'operator',"
    " 'random', 're', 'string', 'types', 'typing']";

static const char boot[] =
#include "sbx/boot.inc"
    ;

/* The text given to python -c. */
static char *boot_text(const struct sxt_json *path, bool zygote)
{
    struct sxt_str s = SXT_STR_EMPTY;
    char *text;

    sxt_str_add(&s, "%sstart(", boot);
    sxt_json_print(path, 0, &s); /* a JSON list of texts is a Python list */
    sxt_str_add(&s, ", %s, %s)\n", preloaded, zygote ? "True" : "False");
    text = sxt_strndup(s.data, s.len);
    sxt_str_free(&s);
    return text;
}

/* The interpreter starts once more, with the environment of the words behind
 * its text: wrappers add to theirs, and are no place for LD_PRELOAD. */
static const char again[] =
    "import os, sys\n"
    "python, text = sys.argv[1:3]\n"
    "env = dict(word.split('=', 1) for word in sys.argv[3:])\n"
    "os.execve(python, [python, '-s', '-S', '-c', text], env)\n";

void sxt_sbx_wrap(struct sxt_sandbox *sandbox, const char *wrapper)
{
    const char *const inner[] = { sandbox->python,
                                  "-s",
                                  "-S",
                                  "-c",
                                  again,
                                  sandbox->python,
                                  sandbox->zygote_boot,
                                  "LD_PRELOAD=" ZYGOTE_FILE_PATH };
    enum { N_INNER = sizeof(inner) / sizeof(*inner), MOST_VARIABLES = 32 };
    char **word =
        sxt_calloc(strlen(wrapper) + N_INNER + MOST_VARIABLES, sizeof(*word));

    sandbox->wrapped = word;
    while (*(wrapper += strspn(wrapper, " \t\n"))) {
        size_t length = strcspn(wrapper, " \t\n");
        *word++ = sxt_strndup(wrapper, length);
        wrapper += length;
    }
    for (size_t i = 0; i < N_INNER; i++)
        *word++ = sxt_strdup(inner[i]);
    for (size_t i = 0; sxt_sbx_environment[i]; i++)
        *word++ = sxt_strdup(sxt_sbx_environment[i]);
}

/* A directory that exists everywhere and hides nothing we need. */
static int choose_base(struct sxt_sandbox *sandbox, struct sxt_error *err)
{
    static const char *const places[] = { "/tmp", "/mnt", "/var/tmp", "/sys" };

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        bool hides = !sxt_file_is_directory(places[i]);
        for (size_t k = 0; k < sandbox->n_binds; k++)
            hides |= below(sandbox->binds[k].path, places[i]);
        if (!hides) {
            strcpy(sandbox->base, places[i]);
            return 0;
        }
    }
    return sxt_err(err, SXT_EXIT_NOSANDBOX,
                   "no sandbox: the interpreter %s lies under /tmp, /mnt, "
                   "/var/tmp and /sys at once; use another",
                   sandbox->python);
}

int sxt_sbx_find_python(struct sxt_sandbox *sandbox, const char *wanted,
                        struct sxt_error *err)
{
    const char *name = wanted && wanted[0] ? wanted : "python3";
    struct sxt_json *answer = ask(name, err);

    if (!answer)
        return -1;
    if (sxt_json_int(sxt_json_get(answer, "major"), 0) != 3 ||
        sxt_json_int(sxt_json_get(answer, "minor"), 0) < 7) {
        sxt_json_free(answer);
        return sxt_err(err, SXT_EXIT_NOSANDBOX,
                       "no sandbox: %s is older than Python 3.7; name another "
                       "interpreter",
                       name);
    }
    sandbox->python =
        sxt_strdup(sxt_json_string(sxt_json_get(answer, "python"), ""));
    sandbox->version =
        sxt_strdup(sxt_json_string(sxt_json_get(answer, "version"), ""));
    sandbox->boot = boot_text(sxt_json_get(answer, "path"), false);
    sandbox->zygote_boot = boot_text(sxt_json_get(answer, "path"), true);
    add_binds(sandbox, sxt_json_get(answer, "binds"));
    sxt_json_free(answer);
    return choose_base(sandbox, err);
}
