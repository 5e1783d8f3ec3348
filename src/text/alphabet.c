/* alphabet.c - the GPT-2 byte alphabet, backwards. */
#include "text/impl.h"

/* The byte that a character of at most two UTF-8 bytes stands for, or -1. */
static int byte_of(unsigned c)
{
    if ((c >= '!' && c <= '~') || (c >= 0xA1 && c <= 0xFF && c != 0xAD))
        return (int)c;
    if (c < 256 || c > 256 + 67)
        return -1;
    c -= 256; /* the 68 others in order: 00-20, 7F-A0, AD */
    return c <= 0x20 ? (int)c : c < 67 ? (int)(c - 0x21 + 0x7F) : 0xAD;
}

bool sxt_alphabet_bytes(struct sxt_span spelled, struct sxt_str *out)
{
    size_t before = out->len;

    for (size_t i = 0; i < spelled.len; i++) {
        unsigned c = (unsigned char)spelled.data[i];
        if ((c & 0xE0) == 0xC0 && i + 1 < spelled.len)
            c = (c & 0x1F) << 6 | ((unsigned char)spelled.data[++i] & 0x3F);
        else if (c >= 0x80)
            c = 0; /* three bytes or more: beyond the alphabet */
        int byte = byte_of(c);
        if (byte < 0) {
            if (out->data)
                sxt_str_cut(out, before);
            return false;
        }
        sxt_str_add_char(out, (char)byte);
    }
    return true;
}
