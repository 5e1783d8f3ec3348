/* death.c - kill one process of a job that runs programs, and see what stays.
 *
 *     death VICTIM COMMAND...
 *
 * VICTIM is program, init, zygote, rank, launcher or job (all at once).  Starts
 * the command, waits until it runs a program, kills the victim with SIGKILL,
 * and waits for the end of all that descends from the command.  Exit status 0:
 * nothing is left; 1: something is, and is named; 2: there was no such victim.
 *
 * What a process is shows in its numbers: a zygote is the first of a process
 * namespace, init of one within that, and the program comes after init. */
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

enum { MOST = 512 };

struct process {
    pid_t pid, parent;
    int depth; /* of process namespaces below ours */
    int inner; /* its number in the innermost */
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
        for (long id; id = strtol(at, &end, 10), end != at; at = end) {
            p->depth++;
            p->inner = (int)id;
        }
    }
    if (f)
        fclose(f);
    return f != NULL;
}

/* All that descends from us: orphans come to us, so no line breaks. */
static void look(struct crowd *c)
{
    DIR *dir = opendir("/proc");
    struct crowd all = { .n = 0 };
    struct dirent *e;
    bool grew = true;

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

static bool is(const struct process *p, const char *what)
{
    if (strcmp(what, "program") == 0)
        return p->depth >= 2 && p->inner > 1;
    if (strcmp(what, "init") == 0)
        return p->depth >= 2 && p->inner == 1;
    if (strcmp(what, "zygote") == 0)
        return p->depth == 1 && p->inner == 1;
    if (strcmp(what, "rank") == 0)
        return p->depth == 0 && strcmp(p->name, "sextant") == 0;
    if (strcmp(what, "launcher") == 0)
        return p->depth == 0 && p->parent == getpid();
    return strcmp(what, "job") == 0;
}

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static bool find(const char *what, double seconds, struct crowd *c)
{
    double until = sxt_clock() + seconds;

    do {
        reap();
        look(c);
        for (int i = 0; i < c->n; i++)
            if (is(&c->p[i], what))
                return true;
        usleep(50000);
    } while (c->n > 0 && sxt_clock() < until);
    return false;
}

static int all_gone(double seconds)
{
    double until = sxt_clock() + seconds;
    struct crowd c;

    do {
        reap();
        look(&c);
        if (c.n == 0)
            return 0;
        usleep(50000);
    } while (sxt_clock() < until);
    for (int i = 0; i < c.n; i++) {
        printf("left: %s %d\n", c.p[i].name, (int)c.p[i].pid);
        kill(c.p[i].pid, SIGKILL);
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct crowd c;
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
    if (!find("program", 60, &c)) {
        printf("no program ran\n");
        kill(-job, SIGKILL);
        all_gone(10);
        return 2;
    }
    bool every = strcmp(argv[1], "job") == 0, found = false;
    for (int i = 0; i < c.n && (every || !found); i++)
        if (is(&c.p[i], argv[1])) {
            printf("killed %s %d\n", c.p[i].name, (int)c.p[i].pid);
            kill(c.p[i].pid, SIGKILL);
            found = true;
        }
    int left = all_gone(60);
    return found ? left : 2;
}
