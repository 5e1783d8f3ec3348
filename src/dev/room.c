/* room.c - memory that this machine and its control groups still give. */
#define _GNU_SOURCE
#include "dev/room.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The files of a control group; Linux, admin-guide/cgroup-v1/memory.rst and
 * admin-guide/cgroup-v2.rst. */
struct names {
    const char *mount, *limit, *usage, *droppable;
};
static const struct names v1 = { "/sys/fs/cgroup/memory",
                                 "memory.limit_in_bytes",
                                 "memory.usage_in_bytes",
                                 "total_inactive_file" };
static const struct names v2 = { "/sys/fs/cgroup", "memory.max",
                                 "memory.current", "inactive_file" };

/* The number behind `key` on the line of DIR/NAME that begins with it; false
 * if there is no such file, line or number ("max"). */
static bool look_up(const char *dir, const char *name, const char *key,
                    uint64_t *x)
{
    char *path = sxt_printf("%s/%s", dir, name), line[200];
    FILE *file = fopen(path, "r");
    size_t n = strlen(key);
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file))
        found = strncmp(line, key, n) == 0 &&
                sscanf(line + n + strspn(line + n, ": "), "%" SCNu64, x) == 1;
    if (file)
        fclose(file);
    free(path);
    return found;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What one group leaves; UINT64_MAX if it has no limit. */
static uint64_t left_by(const char *dir, const struct names *names)
{
    uint64_t limit, used, droppable = 0;

    if (!look_up(dir, names->limit, "", &limit) ||
        !look_up(dir, names->usage, "", &used))
        return UINT64_MAX;
    look_up(dir, "memory.stat", names->droppable, &droppable);
    used -= least(used, droppable);
    return limit - least(limit, used);
}

/* The group and all above it, up to the mount.  A container may see its own
 * group as the mount, whatever the path says. */
static uint64_t left_by_all(const char *root, const struct names *names,
                            const char *group)
{
    char *dir = sxt_printf("%s%s%s", root, names->mount, group);
    size_t top = strlen(root) + strlen(names->mount);
    uint64_t left = UINT64_MAX;

    for (char *end; (end = strrchr(dir, '/')) && end >= dir + top; *end = '\0')
        left = least(left, left_by(dir, names));
    dir[top] = '\0';
    left = least(left, left_by(dir, names));
    free(dir);
    return left;
}

/* /proc/self/cgroup has lines "ID:CONTROLLERS:PATH", version 2 without
 * controllers. */
static uint64_t left_by_groups(const char *root)
{
    char *path = sxt_printf("%s/proc/self/cgroup", root), line[4096];
    FILE *file = fopen(path, "r");
    uint64_t left = UINT64_MAX;

    while (file && fgets(line, sizeof(line), file)) {
        char *kind = strchr(line, ':'), *group = kind;
        line[strcspn(line, "\n")] = '\0';
        if (group)
            group = strchr(group + 1, ':');
        if (!group)
            continue;
        *group++ = '\0';
        if (strcmp(kind, ":") == 0)
            left = least(left, left_by_all(root, &v2, group));
        else if (strcmp(kind, ":memory") == 0)
            left = least(left, left_by_all(root, &v1, group));
    }
    if (file)
        fclose(file);
    free(path);
    return left;
}

size_t sxt_host_room(const char *root)
{
    char *proc = sxt_printf("%s/proc", root);
    uint64_t left = left_by_groups(root), kib;

    if (look_up(proc, "meminfo", "MemAvailable", &kib))
        left = least(left, kib * 1024);
    free(proc);
    return left < SIZE_MAX ? (size_t)left : SIZE_MAX;
}
