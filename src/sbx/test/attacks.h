/* attacks.h - what untrusted programs try, and how it must end. */
#ifndef SXT_SBX_TEST_ATTACKS_H
#define SXT_SBX_TEST_ATTACKS_H

#include "sbx/sandbox.h"

#define ENDS(status) (1u << (status))

enum attack_place { ANYWHERE, FULL_ONLY };

/* An attack holds if the program ends in one of the ways named, and if its
 * output does not hold "LEAK" (and, where it exits, holds "held"). */
struct attack {
    const char *what;
    const char *program; /* behind attack_prelude */
    unsigned ends;       /* ENDS (SXT_RUN_…) joined; 0: exits with 0 */
    enum attack_place place;
};

/* Helpers of the programs, a format: file of the user's, pid, port, name. */
extern const char attack_prelude[];
extern const struct attack attacks[];
extern const size_t n_attacks;

#endif
