/* stop.c - stop strings over token borders, and what counts as a loop. */
#include "model/stop.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/test/tap.h"

/* Add the text in pieces of n bytes; where does the search stop it? */
static long feed(const char *text, size_t piece, char *const *stops, size_t n)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len; at += piece) {
        size_t end = at + piece < len ? at + piece : len;
        struct sxt_span so_far = { text, end };
        long found = sxt_stop_find(so_far, at, stops, n);
        if (found >= 0)
            return found;
    }
    return -1;
}

static void test_strings(void)
{
    char *stops[] = { "\nQ:", "</end>" };
    static const struct {
        const char *text;
        long at;
    } cases[] = {
        { "A: 4\nQ: next", 4 },
        { "x</end>y", 1 },
        { "</end>", 0 },
        { "nothing here", -1 },
        { "almost </end and\nQ", -1 },
        { "", -1 },
        { "</end</end>", 5 },
        { "\n\nQ:", 1 },
    };
    bool right = true;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t piece = 1; piece < 8; piece++)
            right &= feed(cases[i].text, piece, stops, 2) == cases[i].at;
    ok(right, "a stop string is found however the text is cut into tokens");

    char *both[] = { "bcd", "c" };
    struct sxt_span text = { "abcd", 4 };
    ok(sxt_stop_find(text, 0, both, 2) == 1,
       "of two matches in one token the earlier one counts");
    ok(sxt_stop_find(text, 3, both, 2) == 1,
       "a match may begin in text that was searched before");
    ok(sxt_stop_find(text, 4, both, 2) == -1,
       "a match that was there before does not count again");
}

/* After how many tokens of prefix + endless repetition of `period` distinct
 * tokens is the loop noticed? */
static size_t noticed(size_t prefix, size_t period)
{
    enum { MOST = 5000 };
    int32_t ids[MOST];
    struct sxt_loop *loop = sxt_alloc(1, sizeof(*loop));
    size_t n = 0, at = 0;

    sxt_loop_init(loop);
    while (n < MOST && at == 0) {
        ids[n] = n < prefix ? (int32_t)(100000 + n)
                            : (int32_t)((n - prefix) % period);
        n++;
        if (sxt_loop_add(loop, ids, n))
            at = n;
    }
    free(loop);
    return at;
}

static void test_loops(void)
{
    ok(noticed(0, 1) == 256, "one token loops after 256 times");
    ok(noticed(70, 1) == 70 + 256, "what came before does not count");
    ok(noticed(10, 40) == 10 + 256, "a line of 40 tokens after 256 tokens");
    ok(noticed(3, 64) == 3 + 256, "64 tokens after 4 times");
    ok(noticed(3, 100) == 3 + 400, "100 tokens after 4 times");
    ok(noticed(0, 512) == 2048, "512 tokens after 4 times");
    ok(noticed(0, 513) == 0, "a longer period is no loop");
}

/* Numbers counting up, as in a table: much repetition, no loop. */
static void test_no_loop(void)
{
    struct sxt_loop *loop = sxt_alloc(1, sizeof(*loop));
    int32_t ids[6000];
    bool loops = false;

    sxt_loop_init(loop);
    for (size_t n = 0; n < 6000; n++) {
        int32_t row = (int32_t)n / 6,
                digit[] = { row / 100 % 10, row / 10 % 10, row % 10 };
        ids[n] = n % 6 < 3 ? digit[n % 6] : (int32_t)(20 + n % 6);
        loops |= sxt_loop_add(loop, ids, n + 1);
    }
    ok(!loops, "a numbered list of 1000 lines is no loop");
    free(loop);
}

int main(void)
{
    test_strings();
    test_loops();
    test_no_loop();
    return done_testing();
}
