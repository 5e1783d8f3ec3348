/* fixture.h - a model, a tokenizer and samples small enough for tests, made on
 * the spot. */
#ifndef SXT_STAGE_TEST_FIXTURE_H
#define SXT_STAGE_TEST_FIXTURE_H

#include "base/str.h"
#include "h5/frame.h"

/* tokenizer.json with the 256 bytes as ids 0 … 255, <|im_start|> 256,
 * <|im_end|> 257, <|endoftext|> 258. */
void fixture_tokenizer(struct sxt_str *json);
enum { FIXTURE_START = 256, FIXTURE_END = 257, FIXTURE_VOCAB = 264 };

/* A qwen2 model in f32: norms about 1, all else random, of standard deviation
 * sigma. */
void fixture_model(const char *path, bool tied, float sigma);

/* n rows of train.h5: sums to be learned, answers of different lengths. */
struct sxt_frame *fixture_rows(size_t n);
void fixture_train(const char *path, size_t n);

#endif
