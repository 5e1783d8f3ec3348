/* sandbox.c - attacks on the sandbox, and honest programs in it. */
#include "sbx/sandbox.h"

#include <stdlib.h>

#include "base/test/tap.h"

int main(int argc, char **argv)
{
    struct sxt_sandbox_options options = { .python = getenv("P"),
                                           .accept_reduced =
                                               getenv("R") != NULL };
    struct sxt_error err = { 0 };
    struct sxt_sandbox *sb = sxt_sandbox_create(&options, &err);
    ok(sb != NULL, "created: %s", sb ? sxt_sandbox_describe(sb) : err.text);
    if (sb) {
        struct sxt_result r;
        struct sxt_job j = { .program =
                                 sxt_span(argc > 1 ? argv[1] : "print(1)"),
                             .input = sxt_span("abc\ndef\n"),
                             .limits = sxt_limits_default() };
        for (int i = 0; i < (argc > 2 ? atoi(argv[2]) : 1); i++) {
            sxt_sandbox_run(sb, &j, &r);
            printf("# status %d code %d cpu %.4f wall %.4f peak %zu trouble "
                   "%s\n%s\n%s\n",
                   r.status, r.code, r.cpu_s, r.wall_s, r.peak_bytes, r.trouble,
                   r.out.data ? r.out.data : "", r.err.data ? r.err.data : "");
            sxt_result_free(&r);
        }
    }
    sxt_sandbox_destroy(sb);
    return done_testing();
}
