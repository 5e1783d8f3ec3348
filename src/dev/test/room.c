/* room.c - free memory is read from /proc and control groups, on trees of
 * files made up here, and on this machine. */
#include "dev/room.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/test/tap.h"
#include "dev/dev.h"

#define MEMINFO "MemTotal: 900 kB\nMemFree: 5 kB\nMemAvailable:   100 kB\n"

/* The files of a tree, and the bytes that are free in it. */
static const struct {
    const char *what;
    struct {
        const char *path, *text;
    } file[8];
    size_t room;
} cases[] = {
    { "nothing tells", { { "proc/uptime", "1" } }, SIZE_MAX },
    { "a machine without groups", { { "proc/meminfo", MEMINFO } }, 102400 },
    { "version 2, no limit",
      { { "proc/meminfo", MEMINFO },
        { "proc/self/cgroup", "0::/a/b\n" },
        { "sys/fs/cgroup/a/b/memory.max", "max\n" },
        { "sys/fs/cgroup/a/b/memory.current", "7\n" } },
      102400 },
    { "version 2, the upper group is the narrow one",
      { { "proc/meminfo", MEMINFO },
        { "proc/self/cgroup", "0::/a/b\n" },
        { "sys/fs/cgroup/a/b/memory.max", "60000\n" },
        { "sys/fs/cgroup/a/b/memory.current", "1000\n" },
        { "sys/fs/cgroup/a/memory.max", "50000\n" },
        { "sys/fs/cgroup/a/memory.current", "30000\n" } },
      20000 },
    { "version 2, file cache can be dropped",
      { { "proc/meminfo", MEMINFO },
        { "proc/self/cgroup", "0::/\n" },
        { "sys/fs/cgroup/memory.max", "50000\n" },
        { "sys/fs/cgroup/memory.current", "30000\n" },
        { "sys/fs/cgroup/memory.stat", "anon 9\ninactive_file 25000\n" } },
      45000 },
    { "version 1 beside an empty version 2, group shown as the mount",
      { { "proc/meminfo", MEMINFO },
        { "proc/self/cgroup", "5:cpu:/\n4:memory:/x/y\n0::/\n" },
        { "sys/fs/cgroup/memory/memory.limit_in_bytes", "4000\n" },
        { "sys/fs/cgroup/memory/memory.usage_in_bytes", "1500\n" },
        { "sys/fs/cgroup/memory/memory.stat", "total_inactive_file 500\n" } },
      3000 },
    { "a group above its limit",
      { { "proc/self/cgroup", "0::/\n" },
        { "sys/fs/cgroup/memory.max", "100\n" },
        { "sys/fs/cgroup/memory.current", "130\n" } },
      0 },
};

int main(void)
{
    struct sxt_error err = { 0 };
    struct sxt_dev *dev = sxt_dev_create("host", &err);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *root = sxt_printf("room.dir/%zu", i);
        for (size_t f = 0; f < 8 && cases[i].file[f].path; f++) {
            char *path = sxt_path_join(root, cases[i].file[f].path);
            char *dir = sxt_path_dir(path);
            const char *text = cases[i].file[f].text;
            SXT_CHECK(sxt_file_mkdirs(dir, &err) == 0);
            SXT_CHECK(sxt_file_write(path, text, strlen(text), &err) == 0);
            free(dir);
            free(path);
        }
        size_t room = sxt_host_room(root);
        ok(room == cases[i].room, "%s: %zu bytes", cases[i].what, room);
        free(root);
    }
    size_t room = sxt_dev_room(dev, 1), third = sxt_dev_room(dev, 3);
    ok(third > 0 && third < room, "this machine has memory left for three");
    sxt_dev_destroy(dev);
    return done_testing();
}
