/* make_train.c - write a small train.h5 for program tests: make_train PATH N.
 */
#include <stdlib.h>

#include "fixture.h"
#include "par/comm.h"

int main(int argc, char **argv)
{
    sxt_comm_init(&argc, &argv);
    if (argc != 3)
        return 1;
    fixture_train(argv[1], (size_t)atol(argv[2]));
    sxt_comm_finalize();
    return 0;
}
