/* error.c - how failures are worded, and how bugs end. */
#include "base/error.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test/tap.h"

static void test_words(void)
{
    struct sxt_error err = { 0 };
    char digits[4000];

    ok(sxt_err(&err, SXT_EXIT_DATA, "line %d", 3) == -1 &&
           err.code == SXT_EXIT_DATA,
       "a failure is -1 and has a code");
    is_text(err.text, "line 3", "and words");
    ok(sxt_err_prefix(&err, "file %s", "a") == -1 && err.code == SXT_EXIT_DATA,
       "a prefix keeps the code");
    is_text(err.text, "file a: line 3", "and comes first");
    errno = ENOENT;
    sxt_err_errno(&err, SXT_EXIT_NOINPUT, "open %s", "b");
    is_text(err.text, "open b: No such file or directory",
            "a system error is appended");
    ok(sxt_err(NULL, SXT_EXIT_IO, "x") == -1 &&
           sxt_err_errno(NULL, SXT_EXIT_IO, "x") == -1 &&
           sxt_err_prefix(NULL, "x") == -1,
       "nobody has to listen");

    memset(digits, '7', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    sxt_err(&err, SXT_EXIT_DATA, "%s", digits);
    for (int i = 0; i < 5; i++)
        sxt_err_prefix(&err, "prefix %d", i);
    ok(strlen(err.text) < sizeof(err.text) &&
           strncmp(err.text, "prefix 4: prefix 3: ", 20) == 0,
       "long words are cut, not written over the end");
    sxt_err_prefix(&err, "%s", digits);
    ok(strlen(err.text) < sizeof(err.text), "so are long prefixes");
}

/* The signal that ends a child which checks a claim. */
static int fate(int claim)
{
    struct rlimit no_core = { 0, 0 };
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        close(STDERR_FILENO);
        SXT_CHECK(claim == 1);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child)
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int main(void)
{
    test_words();
    ok(fate(1) == 0, "a claim that holds is passed");
    ok(fate(0) == SIGABRT, "a claim that does not hold aborts");
    return done_testing();
}
