/* file.h - paths, whole files, and files that are complete or absent. */
#ifndef SXT_BASE_FILE_H
#define SXT_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

bool sxt_file_exists(const char *path);
bool sxt_file_is_directory(const char *path);
/* Are both there, and one file? */
bool sxt_file_is_same(const char *a, const char *b);
/* Bytes that may still be written there, or where the nearest directory above
 * is that exists; -1: unknown.  A project's quota may be narrower. */
double sxt_file_room(const char *path);
/* Create a directory and its parents, to stay there whatever fails next; an
 * existing one is no error. */
int sxt_file_mkdirs(const char *path, struct sxt_error *err);
/* Everything in a regular file; *out is appended to. */
int sxt_file_read(const char *path, struct sxt_str *out, struct sxt_error *err);
/* Write PATH.part, sync, rename to PATH, sync the directory. */
int sxt_file_write(const char *path, const void *data, size_t n,
                   struct sxt_error *err);
/* Have all that this process wrote to a file on disk. */
int sxt_file_sync(const char *path, struct sxt_error *err);
/* Have the name of a new file on disk, as far as that can be done. */
void sxt_file_sync_name(const char *path);
/* Sync PATH.part's bytes, give it its final name, sync the directory: after
 * this the file is complete whatever fails next. */
int sxt_file_publish(const char *part, const char *path, struct sxt_error *err);
/* Path of a data file that comes with the program, "datasets/gsm8k.cfg": under
 * the directory that SEXTANT_DATADIR names, else where `make install` puts it.
 * Caller frees. */
char *sxt_file_data(const char *name);
/* Remove a file or an empty directory; an absent one is no error. */
int sxt_file_remove(const char *path, struct sxt_error *err);
/* "DIR/NAME", or NAME if it is absolute or dir is NULL or empty. */
char *sxt_path_join(const char *dir, const char *name);
/* The part before the last slash ("." if none), in new memory. */
char *sxt_path_dir(const char *path);
/* The same as an absolute path, where that directory exists. */
char *sxt_path_home(const char *path);
/* The part behind the last slash, borrowed. */
const char *sxt_path_base(const char *path);

#endif
