/* normal.h - text made fit for a tokenizer: valid UTF-8, normal form C. */
#ifndef SXT_TEXT_NORMAL_H
#define SXT_TEXT_NORMAL_H

#include "base/str.h"

/* Both return the text itself if nothing is to be done, else a changed copy
 * in *space (emptied first, owned by the caller). */

/* Each maximal part of an ill-formed sequence becomes one U+FFFD (The Unicode
 * Standard, 3.9, "U+FFFD substitution of maximal subparts"). */
struct sxt_span sxt_normal_utf8(struct sxt_span text, struct sxt_str *space);

/* Unicode normal form C of valid UTF-8; Unicode Standard Annex 15.  By the
 * Unicode version of utf8proc (2.8: 14).  The tokenizers library has an older
 * one: it leaves combining marks newer than Unicode 9 in the order in which
 * they stand, and so gives other ids for some pairs of such marks. */
struct sxt_span sxt_normal_nfc(struct sxt_span text, struct sxt_str *space);

#endif
