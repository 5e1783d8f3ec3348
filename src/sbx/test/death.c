/* death.c - kill one process of a job that runs programs, and see what stays.
 *
 *     death VICTIM COMMAND...
 *
 * VICTIM is program, init, zygote, rank, launcher or job (all at once).  Starts
 * the command, waits until it runs a program that has FAMILY children (those
 * of the sandbox's own battery have fewer), kills the victim with SIGKILL, and
 * waits for the end of all that descends from the command.  Programs may run
 * for ever: those that come after the victim are killed, too, but not their
 * children, as long as a rank lives.  Exit status 0: nothing is left; 1:
 * something is, and is named; 2: there was no such victim.  Prints the ranks'
 * numbers. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

enum { MOST = 65536, FAMILY = 5, BACKSTOP_S = 120 };

struct process {
    pid_t pid, parent;
    int depth; /* of process namespaces below ours */
    char name[32];
};

struct crowd {
    struct process p[MOST];
    int n;
};

static bool read_process(pid_t pid, struct process *p)
{
    char path[64], line[256];
    FILE *f;

    *p = (struct process){ .pid = pid, .depth = -1 };
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        sscanf(line, "Name: %31s", p->name);
        sscanf(line, "PPid: %d", &p->parent);
        if (strncmp(line, "NSpid:", 6) != 0)
            continue;
        char *at = line + 6, *end;
        for (; (void)strtol(at, &end, 10), end != at; at = end)
            p->depth++;
    }
    if (f)
        fclose(f);
    return f != NULL;
}

/* All that descends from us: orphans come to us, so no line breaks. */
static void look(struct crowd *c)
{
    static struct crowd all; /* of the machine: too large for the stack */
    DIR *dir = opendir("/proc");
    struct dirent *e;
    bool grew = true;

    all.n = 0;
    while (dir && (e = readdir(dir)) != NULL)
        if (atoi(e->d_name) > 0 && all.n < MOST &&
            read_process(atoi(e->d_name), &all.p[all.n]))
            all.n++;
    if (dir)
        closedir(dir);
    c->n = 0;
    while (grew) {
        grew = false;
        for (int i = 0; i < all.n; i++) {
            bool ours = all.p[i].parent == getpid();
            for (int k = 0; k < c->n && !ours; k++)
                ours = all.p[i].parent == c->p[k].pid;
            if (ours && all.p[i].pid > 0) {
                c->p[c->n++] = all.p[i];
                all.p[i].pid = -1;
                grew = true;
            }
        }
    }
}

static const struct process *parent(const struct crowd *c,
                                    const struct process *p)
{
    for (int i = 0; p && i < c->n; i++)
        if (c->p[i].pid == p->parent)
            return &c->p[i];
    return NULL;
}

/* The program that waits to be killed. */
static const struct process *program(const struct crowd *c)
{
    for (int i = 0; i < c->n; i++) {
        int children = 0;
        for (int k = 0; k < c->n; k++)
            children += c->p[k].parent == c->p[i].pid;
        if (children == FAMILY && c->p[i].depth > 0)
            return &c->p[i];
    }
    return NULL;
}

static bool is_rank(const struct process *p)
{
    return p->depth == 0 && strcmp(p->name, "sextant") == 0;
}

static const struct process *victim(const struct crowd *c, const char *what)
{
    const struct process *found = program(c);

    if (strcmp(what, "program") == 0)
        return found;
    found = parent(c, found);
    if (strcmp(what, "init") == 0)
        return found;
    found = parent(c, found);
    if (strcmp(what, "zygote") == 0)
        return found && !is_rank(found) ? found : NULL;
    for (int i = 0; i < c->n; i++)
        if (strcmp(what, "rank") == 0 ? is_rank(&c->p[i])
                                      : c->p[i].parent == getpid())
            return &c->p[i];
    return NULL;
}

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static bool find_program(struct crowd *c)
{
    double until = sxt_clock() + BACKSTOP_S;

    do {
        reap();
        look(c);
        if (program(c))
            return true;
        usleep(50000);
    } while (c->n > 0 && sxt_clock() < until);
    return false;
}

static int all_gone(struct crowd *c)
{
    double until = sxt_clock() + BACKSTOP_S;

    do {
        reap();
        look(c);
        if (c->n == 0)
            return 0;
        const struct process *next = program(c);
        if (next && victim(c, "rank"))
            kill(next->pid, SIGKILL);
        usleep(50000);
    } while (sxt_clock() < until);
    for (int i = 0; i < c->n; i++) {
        printf("left: %s %d\n", c->p[i].name, (int)c->p[i].pid);
        kill(c->p[i].pid, SIGKILL);
    }
    return 1;
}

int main(int argc, char **argv)
{
    static struct crowd c;
    pid_t job;

    if (argc < 3)
        return 2;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    job = fork();
    if (job == 0) {
        setsid();
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (!find_program(&c)) {
        printf("no program ran\n");
        kill(-job, SIGKILL);
        all_gone(&c);
        return 2;
    }
    for (int i = 0; i < c.n; i++)
        if (is_rank(&c.p[i]))
            printf("rank %d\n", (int)c.p[i].pid);
    bool every = strcmp(argv[1], "job") == 0;
    const struct process *found = victim(&c, argv[1]);
    for (int i = 0; i < c.n; i++)
        if (every || &c.p[i] == found) {
            printf("killed %s %d\n", c.p[i].name, (int)c.p[i].pid);
            kill(c.p[i].pid, SIGKILL);
        }
    int left = all_gone(&c);
    return every || found ? left : 2;
}
