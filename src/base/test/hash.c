/* hash.c - hashes against published digests. */
#include "base/hash.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test/tap.h"

/* FIPS 180-4, examples of the SHA-256 page of NIST. */
static const struct {
    const char *text, *digest;
} digests[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb924"
          "27ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223"
             "b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039"
      "a33ce45964ff2167f6ecedd419db06c1" },
};

/* A file of two slices and a piece, alone and as three would share it. */
static void test_slices(void)
{
    enum { SIZE = 2 * SXT_DIGEST_SLICE + 1000, N = 3 };
    unsigned char slice[N][SXT_DIGEST_BYTES];
    char path[] = "hash-XXXXXX", whole[SXT_SHA256_TEXT], text[SXT_SHA256_TEXT];
    int fd = mkstemp(path), rc = 0;

    ok(ftruncate(fd, SIZE) == 0 && pwrite(fd, "x", 1, SIZE / 2) == 1 &&
           sxt_digest_count(path, NULL) == N &&
           sxt_digest_file(path, whole, NULL) == 0,
       "a file of %d bytes has %d slices", SIZE, N);
    /* Python: sha256 of the three sha256().digest() of b[i << 26:][:1 << 26] */
    is_text(whole,
            "6b928619f4bcae46cfcdfcbf51ca1f17"
            "69c5bb6410bae6978b1ac502a2f5644e",
            "and the digest of theirs");
    for (size_t i = 0; i < N; i++)
        rc |= sxt_digest_slices(path, N, i, N, slice[i], NULL);
    sxt_digest_join(slice[0], N, text);
    ok(rc == 0 && strcmp(text, whole) == 0, "which several make together");
    close(fd);
    unlink(path);
}

int main(void)
{
    char text[SXT_SHA256_TEXT], path[] = "hash-XXXXXX";
    struct sxt_error err = { 0 };
    int fd = mkstemp(path);

    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        size_t n = strlen(digests[i].text);
        sxt_sha256(digests[i].text, n, text);
        is_text(text, digests[i].digest, "SHA-256 of memory");
        ok(ftruncate(fd, 0) == 0 &&
               pwrite(fd, digests[i].text, n, 0) == (ssize_t)n &&
               sxt_digest_file(path, text, &err) == 0,
           "a file of %zu bytes has a digest", n);
        is_text(text, digests[i].digest, "the same one");
    }
    close(fd);
    unlink(path);
    ok(sxt_digest_file(path, text, &err) == -1 &&
           err.code == SXT_EXIT_NOINPUT && strstr(err.text, path),
       "an absent file is an error: %s", err.text);
    test_slices();
    /* XXH3-64 of nothing, xxHash's own documentation. */
    ok(sxt_hash64("", 0, 0) == 0x2d06800538d394c2, "XXH3 of nothing");
    ok(sxt_hash64("a", 1, 0) != sxt_hash64("a", 1, 1), "the seed counts");
    ok(sxt_hash64_combine(1, 2) != sxt_hash64_combine(2, 1),
       "the order of a combination counts");
    return done_testing();
}
