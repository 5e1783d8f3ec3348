/* room.h - how much memory the machine still gives; private to dev. */
#ifndef SXT_DEV_ROOM_H
#define SXT_DEV_ROOM_H

#include <stddef.h>

/* The least of what the kernel calls available and of what each control group
 * above this process leaves of its limit, where file cache that could be
 * dropped counts as free.  `root` stands before /proc and /sys ("" but in
 * tests).  SIZE_MAX if nothing tells. */
size_t sxt_host_room(const char *root);

#endif
