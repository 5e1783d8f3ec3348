/* guard.h - an eye on waits that cannot be looked into: a thread ends the
 * process if its owner stays in one for too long. */
#ifndef SXT_DEV_GUARD_H
#define SXT_DEV_GUARD_H

struct sxt_guard; /* opaque */

/* host lives as long as the guard. */
struct sxt_guard *sxt_guard_create(int rank, const char *host);
void sxt_guard_destroy(struct sxt_guard *guard);

/* The owner goes into `what`, and comes back.  If it neither comes back nor
 * reads or writes a byte for `patience` seconds (0: no end), the process says
 * so and, unless the owner comes back within `grace` seconds more, ends with
 * status 69.  Every rank that waits says so: who is silent is missing.  Where
 * /proc/self/io cannot be read, create says so once, and nothing is ended. */
void sxt_guard_enter(struct sxt_guard *guard, const char *what, double patience,
                     double grace);
void sxt_guard_back(struct sxt_guard *guard);

#endif
