/* gen_fixture.c DIR N - write DIR/model.h5 and DIR/problems.h5 (N problems),
 * small ones for validation runs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "fixture.h"
#include "h5/out.h"
#include "stage/formats.h"

static void write_problems(const char *path, size_t n)
{
    struct sxt_frame *f = sxt_frame_create(sxt_problem_columns);
    struct sxt_out *out =
        sxt_out_create(path, sxt_comm_self(), SXT_PROBLEMS_FORMAT, 1,
                       "Test problems.", NULL, NULL);
    char text[200];

    for (size_t i = 0; i < n; i++) {
        sxt_frame_add(f);
        int len = snprintf(text, sizeof(text), "sum-%zu", i);
        sxt_frame_set_string(f, SXT_PROBLEM_ID, text);
        sxt_frame_set_u64(f, SXT_PROBLEM_KEY, sxt_hash64(text, (size_t)len, 0));
        sxt_frame_set_string(f, SXT_PROBLEM_SOURCE, i % 2 ? "odd" : "even");
        sxt_frame_set_string(f, SXT_PROBLEM_DOMAIN, "math");
        sxt_frame_set_string(f, SXT_PROBLEM_SPLIT, "test");
        snprintf(text, sizeof(text), "What is %zu + %zu?%*s", i, 3 * i,
                 (int)(i * 5 % 60), "");
        sxt_frame_set_string(f, SXT_PROBLEM_QUESTION, text);
        sxt_frame_set_string(f, SXT_PROBLEM_PROMPT, text);
        snprintf(text, sizeof(text), "%zu", 4 * i);
        sxt_frame_set_string(f, SXT_PROBLEM_ANSWER, text);
    }
    sxt_out_frame(out, "problems", f, NULL);
    SXT_CHECK(sxt_out_commit(out, NULL) == 0);
    sxt_frame_destroy(f);
}

int main(int argc, char **argv)
{
    sxt_comm_init(&argc, &argv);
    if (argc != 3) {
        fprintf(stderr, "usage: gen_fixture DIR N\n");
        return 64;
    }
    char *model = sxt_printf("%s/model.h5", argv[1]);
    char *problems = sxt_printf("%s/problems.h5", argv[1]);
    fixture_model(model, true, 0.3f);
    write_problems(problems, strtoul(argv[2], NULL, 10));
    free(model);
    free(problems);
    sxt_comm_finalize();
    return 0;
}
