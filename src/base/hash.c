/* hash.c - XXH3 and SHA-256 by their libraries. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/mem.h"

uint64_t sxt_hash64(const void *data, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, n, seed);
}

uint64_t sxt_hash64_combine(uint64_t a, uint64_t b)
{
    uint64_t pair[2] = { a, b };

    return XXH3_64bits(pair, sizeof(pair));
}

static void to_hex(const unsigned char digest[32], char *text)
{
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

void sxt_sha256(const void *data, size_t n, char text[SXT_SHA256_TEXT])
{
    unsigned char digest[32];

    SXT_CHECK(EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL) == 1);
    to_hex(digest, text);
}

int sxt_sha256_file(const char *path, char text[SXT_SHA256_TEXT],
                    struct sxt_error *err)
{
    enum { CHUNK = 1 << 20 };
    unsigned char digest[32];
    FILE *file = fopen(path, "rb");
    int rc = 0;

    if (!file)
        return sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    char *chunk = sxt_alloc(CHUNK, 1);
    SXT_CHECK(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    for (size_t n; (n = fread(chunk, 1, CHUNK, file)) > 0;)
        SXT_CHECK(EVP_DigestUpdate(ctx, chunk, n) == 1);
    if (ferror(file))
        rc = sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s: read", path);
    SXT_CHECK(EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
    if (rc == 0)
        to_hex(digest, text);
    free(chunk);
    EVP_MD_CTX_free(ctx);
    fclose(file);
    return rc;
}
