/* status_log.c - the last words of a log, for those that died without any. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "stage/status_view.h"

#define TAIL (16 * 1024)

/* Words of launchers, of Slurm, of the kernel's and of our own messages. */
static bool is_telling(const char *line)
{
    static const char *const words[] = { "sextant: ", "error",     "signal",
                                         "killed",    "cancelled", "oom" };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcasestr(line, words[i]))
            return true;
    return false;
}

/* The end of a regular file, as a string; empty if there is none. */
static void read_tail(const char *path, char tail[TAIL + 1])
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    ssize_t n = 0;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        n = pread(fd, tail, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
    if (fd >= 0)
        close(fd);
    tail[n > 0 ? n : 0] = '\0';
}

char *sxt_status_last_words(const char *path)
{
    char *tail = sxt_alloc(TAIL + 1, 1), *rest = tail, *line;
    const char *last = NULL, *telling = NULL;

    read_tail(path, tail);
    while ((line = strsep(&rest, "\r\n"))) {
        if (line[strspn(line, " \t-=*")])
            last = line;
        if (is_telling(line))
            telling = line;
    }
    char *words = telling || last ? sxt_strdup(telling ? telling : last) : NULL;
    free(tail);
    return words;
}
