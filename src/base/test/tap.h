/* tap.h - tests that speak TAP: one `ok` per claim, the claim in words.
 *
 *     int main(void)
 *     {
 *         ok(1 + 1 == 2, "one and one is %d", 2);
 *         return done_testing();
 *     }
 */
#ifndef SXT_BASE_TEST_TAP_H
#define SXT_BASE_TEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;
static bool tap_silent; /* ranks other than 0 */

static inline bool __attribute__((format(printf, 2, 3)))
ok(bool holds, const char *claim, ...)
{
    va_list args;

    tap_count++;
    tap_failed += !holds;
    if (tap_silent && holds)
        return holds;
    /* Another rank's failure is a comment: only rank 0 numbers the claims. */
    printf("%s%s %d - ", tap_silent ? "# other rank: " : "",
           holds ? "ok" : "not ok", tap_count);
    va_start(args, claim);
    vprintf(claim, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
    return holds;
}

/* A claim that cannot be tested here. */
static inline void __attribute__((format(printf, 2, 3)))
skip(const char *why, const char *claim, ...)
{
    va_list args;

    tap_count++;
    if (tap_silent)
        return;
    printf("ok %d - ", tap_count);
    va_start(args, claim);
    vprintf(claim, args);
    va_end(args);
    printf(" # SKIP %s\n", why);
    fflush(stdout);
}

/* The same strings; shows both if not. */
static inline bool is_text(const char *got, const char *expected,
                           const char *claim)
{
    bool same = got && expected && strcmp(got, expected) == 0;

    ok(same, "%s", claim);
    if (!same)
        printf("#   got      '%s'\n#   expected '%s'\n", got ? got : "(null)",
               expected ? expected : "(null)");
    return same;
}

static inline int skip_all(const char *why)
{
    if (!tap_silent)
        printf("1..0 # SKIP %s\n", why);
    return 0;
}

/* Print the plan; the program's exit status. */
static inline int done_testing(void)
{
    if (!tap_silent)
        printf("1..%d\n", tap_count);
    return tap_failed > 0;
}

#endif
