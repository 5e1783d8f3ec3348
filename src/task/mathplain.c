/* mathplain.c - entities, full-width and styled characters as plain ones. */
#include "task/mathplain.h"

#include <stdint.h>
#include <string.h>

static const struct {
    const char *name, *shows;
} entities[] = {
    { "lt", "<" },     { "gt", ">" },     { "amp", "&" },    { "le", "≤" },
    { "ge", "≥" },     { "ne", "≠" },     { "leq", "≤" },    { "geq", "≥" },
    { "nbsp", " " },   { "times", "×" },  { "divide", "÷" }, { "minus", "-" },
    { "ndash", "–" },  { "plusmn", "±" }, { "middot", "·" }, { "sdot", "⋅" },
    { "frasl", "⁄" },  { "radic", "√" },  { "deg", "°" },    { "pi", "π" },
    { "theta", "θ" },  { "alpha", "α" },  { "beta", "β" },   { "gamma", "γ" },
    { "lambda", "λ" }, { "phi", "φ" },    { "omega", "ω" },  { "infin", "∞" },
    { "empty", "∅" },  { "isin", "∈" },   { "cup", "∪" },    { "cap", "∩" },
    { "asymp", "≈" },  { "sup2", "²" },   { "sup3", "³" },   { "frac12", "½" },
    { "frac14", "¼" }, { "frac34", "¾" }, { "hellip", "…" }, { "euro", "€" },
    { "pound", "£" },  { "yen", "¥" },    { "quot", "\"" },  { "apos", "'" }
};

static void add_code(struct sxt_str *out, uint32_t c)
{
    char bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xFF) | c);
    sxt_str_add_bytes(out, bytes, n);
}

/* The number of &#60; and &#x3C; without its signs; 0 if it is none. */
static uint32_t entity_code(struct sxt_span s)
{
    bool hex = s.len > 1 && (s.data[1] == 'x' || s.data[1] == 'X');
    uint32_t c = 0;

    for (size_t i = hex ? 2 : 1; i < s.len; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *at = s.data[i] ? strchr(digits, s.data[i]) : NULL;
        uint32_t digit = at ? (uint32_t)(at - digits) % 16 : 16;
        if (digit >= (hex ? 16 : 10) || c > 0x10FFFF)
            return 0;
        c = c * (hex ? 16 : 10) + digit;
    }
    bool letter = c >= 0x20 && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    return letter ? c : 0;
}

/* Bytes of the entity that begins at s, 0 if there is none. */
static size_t entity(struct sxt_span s, struct sxt_str *out)
{
    enum { LONGEST = 8 };
    size_t n = 1;

    while (n < s.len && n <= LONGEST && s.data[n] != ';')
        n++;
    if (n >= s.len || s.data[n] != ';')
        return 0;
    struct sxt_span name = { s.data + 1, n - 1 };
    if (name.len > 1 && name.data[0] == '#') {
        uint32_t c = entity_code(name);
        if (c > 0)
            add_code(out, c);
        return c > 0 ? n + 1 : 0;
    }
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
        if (sxt_span_equal(name, entities[i].name)) {
            sxt_str_add(out, "%s", entities[i].shows);
            return n + 1;
        }
    return 0;
}

/* A full-width character.  Its comma separates and never joins thousands; its
 * braces are those of a set; its tilde says "to" and is no blank. */
static bool full_width(uint32_t c, struct sxt_str *out)
{
    enum { FIRST = 0xFF01, LAST = 0xFF5D };

    if (c < FIRST || c > LAST || c == 0xFF0C)
        return false;
    char plain = (char)(c - FIRST + '!');
    if (strchr("{}$", plain))
        sxt_str_add_char(out, '\\');
    sxt_str_add_char(out, plain);
    return true;
}

/* Letters and digits in another style, of "Mathematical Alphanumeric Symbols":
 * alphabets of 52, of 58 in Greek, tens of digits. */
static bool styled(uint32_t c, struct sxt_str *out)
{
    enum { LATIN = 0x1D400, GREEK = 0x1D6A8, DIGITS = 0x1D7CE, END = 0x1D800 };
    enum { DOUBLE_STRUCK = 6 };

    if (c < LATIN || c >= END)
        return false;
    if (c >= DIGITS) {
        sxt_str_add_char(out, (char)('0' + (c - DIGITS) % 10));
    } else if (c >= GREEK) {
        uint32_t at = (c - GREEK) % 58;
        if (c >= 0x1D7CA || at < 26 || at > 50) /* capitals, nabla, variants */
            return false;
        add_code(out, 0x3B1 + at - 26);
    } else if (c < LATIN + 13 * 52) {
        uint32_t at = (c - LATIN) % 52;
        if ((c - LATIN) / 52 == DOUBLE_STRUCK) /* a set, and no name */
            return false;
        sxt_str_add_char(out, (char)(at < 26 ? 'A' + at : 'a' + at - 26));
    } else {
        return false;
    }
    return true;
}

/* Bytes of the character that begins at s, 0 if it stays as it is. */
static size_t wide(struct sxt_span s, struct sxt_str *out)
{
    const unsigned char *p = (const unsigned char *)s.data;

    if (s.len >= 3 && p[0] == 0xEF)
        return full_width(0xF000u | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu), out)
                   ? 3
                   : 0;
    if (s.len >= 4 && p[0] == 0xF0 && p[1] == 0x9D)
        return styled(0x1D000u | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu), out) ? 4
                                                                            : 0;
    return 0;
}

struct sxt_span sxt_mathplain(struct sxt_span s, struct sxt_str *buffer)
{
    size_t kept = 0, n;

    for (size_t i = 0; i < s.len;) {
        char c = s.data[i];
        struct sxt_span rest = { s.data + i, s.len - i };
        if (c != '&' && c != '\xEF' && c != '\xF0') {
            i++;
            continue;
        }
        sxt_str_add_bytes(buffer, s.data + kept, i - kept);
        kept = i;
        n = c == '&' ? entity(rest, buffer) : wide(rest, buffer);
        i += n > 0 ? n : 1;
        kept += n;
    }
    if (kept == 0)
        return s;
    sxt_str_add_bytes(buffer, s.data + kept, s.len - kept);
    return (struct sxt_span){ buffer->data, buffer->len };
}
