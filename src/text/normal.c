/* normal.c - UTF-8 repair, and NFC through utf8proc. */
#include "text/normal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/error.h"
#include "base/mem.h"

/* The bytes a lead byte asks for, and the range of the second one; table 3-7
 * of the Unicode Standard. */
static size_t sequence(uint8_t lead, uint8_t *low, uint8_t *high)
{
    *low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    *high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/* Length of the sequence at s, well formed or its longest good part (>= 1). */
static size_t measure(const uint8_t *s, size_t n, bool *good)
{
    uint8_t low, high;
    size_t want = sequence(s[0], &low, &high), i = 1;

    while (i < want && i < n && s[i] >= low && s[i] <= high) {
        low = 0x80;
        high = 0xBF;
        i++;
    }
    *good = i == want;
    return i;
}

struct sxt_span sxt_normal_utf8(struct sxt_span text, struct sxt_str *space)
{
    if (sxt_utf8_valid(text.data, text.len))
        return text;
    sxt_str_cut(space, 0);
    for (size_t i = 0, n; i < text.len; i += n) {
        bool good;
        n = measure((const uint8_t *)text.data + i, text.len - i, &good);
        if (good)
            sxt_str_add_bytes(space, text.data + i, n);
        else
            sxt_str_add_bytes(space, "\xEF\xBF\xBD", 3);
    }
    return (struct sxt_span){ space->data, space->len };
}

/* True if no character can compose, decompose or be reordered: all are below
 * U+0300, which UTF-8 writes as CC 80. */
static bool is_plain(struct sxt_span text)
{
    uint8_t top = 0;

    for (size_t i = 0; i < text.len; i++)
        top = (uint8_t)text.data[i] > top ? (uint8_t)text.data[i] : top;
    return top < 0xCC;
}

struct sxt_span sxt_normal_nfc(struct sxt_span text, struct sxt_str *space)
{
    utf8proc_uint8_t *nfc = NULL;

    if (is_plain(text))
        return text;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text.data,
                                      (utf8proc_ssize_t)text.len, &nfc,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    SXT_CHECK(n >= 0); /* the text is valid UTF-8 */
    sxt_str_cut(space, 0);
    sxt_str_add_bytes(space, nfc, (size_t)n);
    free(nfc);
    return (struct sxt_span){ space->data, space->len };
}
