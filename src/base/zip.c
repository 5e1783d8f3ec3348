/* zip.c - inflate. */
#include "base/zip.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

int sxt_zip_inflate(const void *data, size_t n, size_t limit,
                    struct sxt_str *out, struct sxt_error *err)
{
    enum { ANY_HEADER = 15 + 32 }; /* window bits; zlib or gzip by itself */
    unsigned char chunk[65536];
    z_stream z;
    size_t start = out->len;
    int rc;

    if (n > UINT_MAX)
        return sxt_err(err, SXT_EXIT_DATA, "over 4 GiB of compressed data");
    memset(&z, 0, sizeof(z));
    SXT_CHECK(inflateInit2(&z, ANY_HEADER) == Z_OK);
    z.next_in = (Bytef *)data;
    z.avail_in = (unsigned)n;
    do {
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        rc = inflate(&z, Z_NO_FLUSH);
        if (rc == Z_OK || rc == Z_STREAM_END)
            sxt_str_add_bytes(out, chunk, sizeof(chunk) - z.avail_out);
    } while (rc == Z_OK && out->len - start <= limit);
    inflateEnd(&z);
    if (out->len - start > limit)
        return sxt_err(err, SXT_EXIT_DATA,
                       "compressed data holds more than %zu bytes", limit);
    return rc == Z_STREAM_END
               ? 0
               : sxt_err(err, SXT_EXIT_DATA, "damaged compressed data");
}
