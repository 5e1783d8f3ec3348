/* image.c - zygote.c, built as a library, as bytes to put into a jail. */
#include "sbx/jail.h"

const unsigned char sxt_sbx_zygote_image[] = {
#include "sbx/zygote.inc"
};
const size_t sxt_sbx_zygote_bytes = sizeof(sxt_sbx_zygote_image);
