/* import_unpack.c - LiveCodeBench's compressed tests, without Python.
 *
 * A pickle is a program for a stack machine that may run anything.  Here it
 * is only scanned for its strings, and every operation that is not needed to
 * build a string or {string: string} is refused. */
#include "task/import.h"

#include <stdint.h>
#include <string.h>

#include "base/zip.h"

enum { TEXT_LIMIT = 1 << 30 }; /* bytes of one problem's tests */

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* RFC 4648, section 4. */
static int decode_base64(struct sxt_span text, struct sxt_str *out,
                         struct sxt_error *err)
{
    uint32_t bits = 0;
    int n_bits = 0;

    text = sxt_span_trim(text);
    while (text.len > 0 && text.data[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0)
            return sxt_err(err, SXT_EXIT_DATA, "neither JSON nor base64");
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits < 8)
            continue;
        n_bits -= 8;
        sxt_str_add_char(out, (char)(bits >> n_bits & 0xFF));
    }
    return 0;
}

static uint64_t little_endian(const unsigned char *bytes, size_t n)
{
    uint64_t x = 0;

    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)bytes[i] << 8 * i;
    return x;
}

/* Bytes of the argument behind an operation, -1 for one that is not known;
 * *is_text: it is the length of a string that follows. */
static int argument(unsigned char op, bool *is_text)
{
    *is_text = op == 0x8C || op == 'X' || op == 0x8D;
    switch (op) {
    case 0x80: /* PROTO */
    case 'q':  /* BINPUT */
    case 0x8C: /* SHORT_BINUNICODE */
        return 1;
    case 'r': /* LONG_BINPUT */
    case 'X': /* BINUNICODE */
        return 4;
    case 0x95: /* FRAME */
    case 0x8D: /* BINUNICODE8 */
        return 8;
    case 0x94: /* MEMOIZE */
    case '}':  /* EMPTY_DICT */
    case 's':  /* SETITEM */
    case '.':  /* STOP */
        return 0;
    default:
        return -1;
    }
}

/* The last string of a pickle. */
static int unpickle(struct sxt_span bytes, struct sxt_span *text,
                    struct sxt_error *err)
{
    const unsigned char *s = (const unsigned char *)bytes.data;
    size_t i = 0;

    *text = (struct sxt_span){ NULL, 0 };
    while (i < bytes.len && s[i] != '.') {
        bool is_text;
        int n = argument(s[i], &is_text);
        if (n < 0 || bytes.len - i - 1 < (size_t)n)
            return sxt_err(err, SXT_EXIT_DATA,
                           "pickle: operation 0x%02X at byte %zu is not "
                           "supported",
                           s[i], i);
        uint64_t len = is_text ? little_endian(s + i + 1, (size_t)n) : 0;
        i += 1 + (size_t)n;
        if (len > bytes.len - i)
            return sxt_err(err, SXT_EXIT_DATA, "pickle: truncated string");
        if (is_text)
            *text = (struct sxt_span){ bytes.data + i, (size_t)len };
        i += (size_t)len;
    }
    return text->data && i < bytes.len
               ? 0
               : sxt_err(err, SXT_EXIT_DATA, "pickle: no string, or no end");
}

int sxt_import_unpack(struct sxt_span packed, struct sxt_str *out,
                      struct sxt_error *err)
{
    struct sxt_str zipped = SXT_STR_EMPTY, pickled = SXT_STR_EMPTY;
    struct sxt_span text;
    int rc = decode_base64(packed, &zipped, err);

    if (rc == 0)
        rc = sxt_zip_inflate(zipped.data ? zipped.data : "", zipped.len,
                             TEXT_LIMIT, &pickled, err);
    if (rc == 0)
        rc = unpickle((struct sxt_span){ pickled.data, pickled.len }, &text,
                      err);
    if (rc == 0)
        sxt_str_add_bytes(out, text.data, text.len);
    sxt_str_free(&zipped);
    sxt_str_free(&pickled);
    return rc;
}
