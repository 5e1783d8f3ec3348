/* file.c - whole files and paths. */
#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test/tap.h"

static const struct {
    const char *path, *dir, *base;
} parts[] = {
    { "a", ".", "a" },     { "/a", "/", "a" }, { "a/b", "a", "b" },
    { "/a/b", "/a", "b" }, { "a/", "a", "" },
};

static const struct {
    const char *dir, *name, *joined;
} joins[] = {
    { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "", "b", "b" },
    { NULL, "b", "b" },  { "a", "/b", "/b" },
};

static void test_paths(void)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char *dir = sxt_path_dir(parts[i].path);
        is_text(dir, parts[i].dir, "directory of a path");
        is_text(sxt_path_base(parts[i].path), parts[i].base, "its last part");
        free(dir);
    }
    for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
        char *joined = sxt_path_join(joins[i].dir, joins[i].name);
        is_text(joined, joins[i].joined, "joined path");
        free(joined);
    }
}

static void test_room(void)
{
    double here = sxt_file_room(".");

    ok(here >= 0, "bytes that are free here");
    ok(sxt_file_room("no/such/directory") >= 0,
       "and where a directory is to be");
}

static void test_data(void)
{
    setenv("SEXTANT_DATADIR", "/d", 1);
    char *here = sxt_file_data("a/b");
    setenv("SEXTANT_DATADIR", "", 1);
    char *installed = sxt_file_data("a/b");

    is_text(here, "/d/a/b", "data files are where SEXTANT_DATADIR says");
    is_text(installed, SXT_PKGDATADIR "/a/b",
            "or else where they are installed");
    free(here);
    free(installed);
}

static void test_home(const char *top)
{
    char *file = sxt_path_join(top, "./x/../f");
    char *top_home = realpath(top, NULL);
    char *home = sxt_path_home(file), *lost = sxt_path_home("no-such/f");

    is_text(home, top_home, "an absolute directory has no dots left");
    is_text(lost, "no-such", "one that is not there stays as it is");
    free(file);
    free(top_home);
    free(home);
    free(lost);
}

static void test_files(const char *top)
{
    struct sxt_error err = { 0 };
    struct sxt_str text = SXT_STR_EMPTY;
    char *dir = sxt_path_join(top, "x/y");
    char *path = sxt_path_join(dir, "f"), *part = sxt_path_join(dir, "f.part");
    enum { BIG = 200000 };
    char *big = sxt_calloc(BIG, 1);

    ok(sxt_file_mkdirs(dir, &err) == 0 && sxt_file_mkdirs(dir, &err) == 0 &&
           sxt_file_is_directory(dir),
       "directories are made with their parents, twice is no error");
    big[77] = 'z';
    ok(sxt_file_write(path, big, BIG, &err) == 0 && sxt_file_exists(path) &&
           !sxt_file_exists(part),
       "a file is written and leaves no part");
    char *again = sxt_printf("%s/./f", dir);
    ok(sxt_file_is_same(path, again) && !sxt_file_is_same(path, dir) &&
           !sxt_file_is_same(part, part),
       "another way to a file is known, and what is not there is no file");
    free(again);
    sxt_str_add(&text, "abc");
    ok(sxt_file_read(path, &text, &err) == 0 && text.len == 3 + BIG &&
           memcmp(text.data + 3, big, BIG) == 0,
       "it is read behind what is there, NULs included");
    ok(sxt_file_write(path, "", 0, &err) == 0, "an empty file replaces it");
    sxt_str_cut(&text, 0);
    ok(sxt_file_read(path, &text, &err) == 0 && text.len == 0, "and is empty");

    ok(sxt_file_read(dir, &text, &err) == -1 && err.code == SXT_EXIT_NOINPUT,
       "a directory cannot be read: %s", err.text);
    ok(sxt_file_mkdirs(path, &err) == -1 && err.code == SXT_EXIT_IO,
       "a directory cannot replace a file: %s", err.text);
    ok(sxt_file_mkdirs("", &err) == -1 && err.code == SXT_EXIT_IO,
       "nothing is no directory: %s", err.text);
    ok(sxt_file_write(dir, "a", 1, &err) == -1 && err.code == SXT_EXIT_IO &&
           sxt_file_is_directory(dir),
       "a file cannot replace a directory: %s", err.text);
    ok(sxt_file_remove(path, &err) == 0 && sxt_file_remove(path, &err) == 0 &&
           !sxt_file_exists(path),
       "a file is removed, twice is no error");
    ok(sxt_file_read(path, &text, &err) == -1 && err.code == SXT_EXIT_NOINPUT,
       "then it cannot be read: %s", err.text);
    char *residue = sxt_printf("%s.part", dir);
    ok(!sxt_file_exists(residue), "a failed write leaves no part behind");
    unlink(residue);
    free(residue);
    rmdir(dir);
    free(dir);
    free(path);
    free(part);
    free(big);
    sxt_str_free(&text);
}

int main(void)
{
    char top[] = "file-XXXXXX";

    if (!mkdtemp(top))
        return skip_all("cannot make a directory here");
    test_paths();
    test_files(top);
    test_home(top);
    test_room();
    test_data();
    char *x = sxt_path_join(top, "x");
    rmdir(x);
    rmdir(top);
    free(x);
    return done_testing();
}
