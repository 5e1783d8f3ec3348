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
               sxt_sha256_file(path, text, &err) == 0,
           "a file of %zu bytes has a digest", n);
        is_text(text, digests[i].digest, "the same one");
    }
    close(fd);
    unlink(path);
    ok(sxt_sha256_file(path, text, &err) == -1 &&
           err.code == SXT_EXIT_NOINPUT && strstr(err.text, path),
       "an absent file is an error: %s", err.text);
    /* XXH3-64 of nothing, xxHash's own documentation. */
    ok(sxt_hash64("", 0, 0) == 0x2d06800538d394c2, "XXH3 of nothing");
    ok(sxt_hash64("a", 1, 0) != sxt_hash64("a", 1, 1), "the seed counts");
    ok(sxt_hash64_combine(1, 2) != sxt_hash64_combine(2, 1),
       "the order of a combination counts");
    return done_testing();
}
