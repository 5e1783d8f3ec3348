/* hash.c - XXH3 and SHA-256 by their libraries. */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
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

/* ---- files ---- */

size_t sxt_digest_count(const char *path, struct sxt_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
        return 0;
    }
    return st.st_size > 0 ? 1 + (size_t)(st.st_size - 1) / SXT_DIGEST_SLICE : 1;
}

/* Of `size` bytes from `at` on, or up to the end.  Returns errno. */
static int digest_range(int fd, size_t at, size_t size, unsigned char *digest)
{
    enum { CHUNK = 1 << 20 };
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    char *chunk = sxt_alloc(CHUNK, 1);
    ssize_t n = 1;

    SXT_CHECK(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    for (size_t done = 0; n > 0 && done < size; done += (size_t)n) {
        n = pread(fd, chunk, size - done < CHUNK ? size - done : CHUNK,
                  (off_t)(at + done));
        if (n > 0)
            SXT_CHECK(EVP_DigestUpdate(ctx, chunk, (size_t)n) == 1);
    }
    int failed = n < 0 ? errno : 0;
    SXT_CHECK(EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
    free(chunk);
    EVP_MD_CTX_free(ctx);
    return failed;
}

int sxt_digest_slices(const char *path, size_t n, size_t first, size_t step,
                      unsigned char *digests, struct sxt_error *err)
{
    size_t own = first < n ? (n - first - 1) / step + 1 : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC), failed = 0;

    if (fd < 0)
        return sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
#pragma omp parallel for schedule(dynamic) reduction(max : failed)
    for (size_t i = 0; i < own; i++) {
        int one =
            digest_range(fd, (first + i * step) * SXT_DIGEST_SLICE,
                         SXT_DIGEST_SLICE, digests + i * SXT_DIGEST_BYTES);
        failed = one > failed ? one : failed;
    }
    close(fd);
    errno = failed;
    return failed ? sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s: read", path) : 0;
}

void sxt_digest_join(const unsigned char *digests, size_t n,
                     char text[SXT_SHA256_TEXT])
{
    if (n == 1)
        to_hex(digests, text);
    else
        sxt_sha256(digests, n * SXT_DIGEST_BYTES, text);
}

int sxt_digest_file(const char *path, char text[SXT_SHA256_TEXT],
                    struct sxt_error *err)
{
    size_t n = sxt_digest_count(path, err);
    unsigned char *digests = sxt_alloc(n, SXT_DIGEST_BYTES);
    int rc = n > 0 ? sxt_digest_slices(path, n, 0, 1, digests, err) : -1;

    if (rc == 0)
        sxt_digest_join(digests, n, text);
    free(digests);
    return rc;
}
