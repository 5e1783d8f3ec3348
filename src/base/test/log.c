/* log.c - durations and counts as people read them. */
#include "base/log.h"

#include "base/test/tap.h"

static const struct {
    double x;
    const char *text;
} durations[] = {
    { 0, "0.0 s" },
    { 99.94, "99.9 s" },
    { 99.96, "1 min 40 s" },
    { 119.7, "2 min 00 s" },
    { 3599.6, "60 min 00 s" },
    { 5999.6, "1 h 40 min" },
    { 86400, "24 h 00 min" },
}, counts[] = {
    { 0, "0" },       { 999, "999" },      { 999.6, "1.00 k" },
    { 12345, "12.3 k" }, { 32.5e9, "32.5 G" }, { 1e18, "1e+03 P" },
};

int main(void)
{
    char text[32];

    for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
        sxt_log_duration(durations[i].x, text);
        is_text(text, durations[i].text, "a duration");
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        sxt_log_count(counts[i].x, text);
        is_text(text, counts[i].text, "a count");
    }
    return done_testing();
}
