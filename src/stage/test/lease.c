/* lease.c - of two runs one makes a file; the dead hold nothing. */
#include "stage/lease.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"

#define DIR "lease-t.dir"
#define OUT DIR "/new/out.h5"

static struct sxt_error err;

static struct sxt_lease *take(const char *path)
{
    const struct sxt_log log = { stdout, SXT_LOG_WARN, true, "test" };
    struct sxt_lease *lease;

    err = (struct sxt_error){ 0 };
    sxt_lease_take(path, &log, &lease, &err);
    return lease;
}

static void test_alone(void)
{
    struct sxt_lease *lease = take(OUT "/");

    ok(lease && sxt_file_exists(OUT ".lease-1"), "a first run has the lease");
    sxt_lease_release(lease);
    ok(!sxt_file_exists(OUT ".lease-1") && !sxt_file_exists(DIR "/new"),
       "which leaves nothing, not even the directory made for it");
    lease = take("/dev/null/out.h5");
    ok(!lease && err.code == 0,
       "where nothing can be written there is none, and no fault of its own");
}

static void test_living(void)
{
    struct sxt_lease *one = take(OUT), *two = take(OUT);

    ok(one && !two && err.code == SXT_EXIT_HELD,
       "a second run is told that the file is held");
    char *whom = sxt_printf("process %ld", (long)getpid());
    ok(strstr(err.text, OUT) && strstr(err.text, whom), "and by whom: %s",
       err.text);
    free(whom);
    two = take(DIR "/new/out.h5.2");
    ok(two && err.code == 0, "but not where it makes another file");
    sxt_lease_release(two);
    sxt_lease_release(one);
    one = take(OUT);
    ok(one && err.code == 0, "when the first has ended, the next may");
    sxt_lease_release(one);
}

/* A child takes the lease; then it waits for its end. */
static pid_t start_child(void)
{
    int says[2];
    char byte;
    pid_t child = pipe(says) == 0 ? fork() : -1;

    if (child == 0) {
        if (take(OUT) && write(says[1], "!", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(says[1]);
    ok(child > 0 && read(says[0], &byte, 1) == 1, "a child has the lease");
    close(says[0]);
    return child;
}

static void test_dead(void)
{
    pid_t child = start_child();
    int status;

    kill(child, SIGKILL);
    struct sxt_lease *lease = take(OUT); /* a zombie is dead, too */
    ok(lease && sxt_file_exists(OUT ".lease-2"),
       "killed, it is followed at once");
    ok(!sxt_file_exists(OUT ".lease-1"), "and what it left is removed");
    sxt_lease_release(lease);
    waitpid(child, &status, 0);
}

static void test_lost(void)
{
    pid_t child = start_child();
    int status = 0;

    sxt_file_write(OUT ".lease-2", "", 0, NULL);
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == SXT_EXIT_HELD,
       "who finds a newer lease than its own ends");
    sxt_file_remove(OUT ".lease-1", NULL);
    sxt_file_remove(OUT ".lease-2", NULL);
}

static void put(const char *job, int restart)
{
    char *text = sxt_printf("host elsewhere\npid 1\nstarted 1\nnode other\n"
                            "job %s\nrestart %d\nbeat 7\n",
                            job, restart);

    sxt_file_mkdirs(DIR "/new", NULL);
    sxt_file_write(OUT ".lease-5", text, strlen(text), NULL);
    free(text);
}

/* Beats of a maker on another machine, until it is killed. */
static pid_t start_beats(void)
{
    const struct timespec nap = { 0, 50000000 };
    pid_t child = fork();

    for (int n = 0; child == 0; n++) {
        put("78", n);
        nanosleep(&nap, NULL);
    }
    return child;
}

static void test_jobs(void)
{
    struct sxt_lease *lease;
    int status;

    setenv("SLURM_JOB_ID", "77", 1);
    setenv("SLURM_RESTART_COUNT", "2", 1);
    put("77", 1);
    lease = take(OUT);
    ok(lease && sxt_file_exists(OUT ".lease-6"),
       "a job started again follows itself at once, on whatever machine");
    sxt_lease_release(lease);
    put("78", 0);
    pid_t child = start_beats();
    lease = take(OUT);
    ok(!lease && err.code == SXT_EXIT_HELD &&
           strstr(err.text, "host elsewhere") && strstr(err.text, "job 78"),
       "another job that gives signs of life holds it: %s", err.text);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    sxt_file_remove(OUT ".lease-5", NULL);
    sxt_file_remove(OUT ".lease-5.part", NULL);
}

int main(void)
{
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    test_alone();
    test_living();
    test_dead();
    test_lost();
    test_jobs();
    sxt_file_remove(DIR "/new", NULL);
    sxt_file_remove(DIR, NULL);
    return done_testing();
}
