/* lease.h - one run at a time makes a file.
 *
 * Beside the file PATH its maker keeps PATH.lease-N: host, process and job, and
 * a count that goes up every two seconds.  A second run ends at its start and
 * names the first.  Made with O_EXCL, and taken over by making the next N, so
 * that of several runs one wins on any file system; no locks, no clocks.
 *
 * A lease is taken over, without anybody's help,
 *   - at once if its process was on this node and is gone, or if Slurm started
 *     this very job again;
 *   - else if its count stands still for a minute.
 * A maker that was only suspended finds the newer lease and ends. */
#ifndef SXT_STAGE_LEASE_H
#define SXT_STAGE_LEASE_H

#include "base/error.h"
#include "base/log.h"

struct sxt_lease; /* opaque */

/* Take the lease of a path: one rank for all.  *lease is NULL where nothing can
 * be written beside the path: who tries will tell.  SXT_EXIT_HELD: another run
 * has it.  log: told if that takes long to find out. */
int sxt_lease_take(const char *path, const struct sxt_log *log,
                   struct sxt_lease **lease, struct sxt_error *err);
/* Give it back; may be NULL. */
void sxt_lease_release(struct sxt_lease *lease);

#endif
