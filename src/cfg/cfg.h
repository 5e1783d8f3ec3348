/* cfg.h - one table names each parameter; everything else follows from it:
 * parsing, range checks, "did you mean", the reference file, the manual, the
 * copy in every output.
 *
 * A command's values are a plain struct; the table says where each parameter
 * lies in it.  Strings and lists are owned by the struct (sxt_cfg_free). */
#ifndef SXT_CFG_CFG_H
#define SXT_CFG_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum sxt_cfg_type {
    SXT_CFG_INT,     /* int64_t */
    SXT_CFG_REAL,    /* double */
    SXT_CFG_BOOL,    /* bool */
    SXT_CFG_STRING,  /* char *; never NULL */
    SXT_CFG_CHOICE,  /* char *; one of the words in `choices` */
    SXT_CFG_STRINGS, /* struct sxt_cfg_strings; default: comma-separated */
    SXT_CFG_GROUP    /* a nested struct, described by `group` */
};

/* What an INT holds whose file has the word in `choices`; a REAL holds NaN. */
#define SXT_CFG_WORD INT64_MIN

struct sxt_cfg_strings {
    char **items;
    size_t count;
};

/* A GROUP named "" is a table that several commands share: its parameters are
 * named as if they stood in the table above, without a prefix. */
struct sxt_cfg_param {
    const char *name;
    enum sxt_cfg_type type;
    const char *value;   /* the default, as written in a file; GROUP: "",
                            or one "name=value" over the group's defaults */
    double min, max;     /* INT and REAL, both inclusive */
    const char *unit;    /* "1" if none */
    const char *doc;     /* one sentence; never empty */
    size_t offset;       /* offsetof() in the values struct */
    const char *choices; /* CHOICE: "a|b|c"; INT and REAL: a word that may
                            stand for a number, or NULL */
    const struct sxt_cfg_param *group; /* GROUP: table ending with name NULL */
};

/* A command's section of the input file: `name: { … };` */
struct sxt_cfg_section {
    const char *name, *doc;
    const struct sxt_cfg_param *params; /* ends with name NULL */
    size_t size;                        /* of the values struct */
    bool reads_others; /* settings of other known sections are no fault: the
                          command reads those too */
};

/* Values from defaults, then `path` (NULL: none), then the settings
 * ("temperature=0.7", "sampling.top_p=0.9", or with the section before it).
 *
 * The file may hold sections of other commands: `known` lists all of them
 * (ends with NULL), and anything else is an unknown name.  All faults are
 * reported at once, each as FILE:LINE: what is wrong and what is meant; exit
 * code SXT_EXIT_CONFIG.  On success *values is new memory for sxt_cfg_free().
 * In string values a leading "@/" stands for the file's own directory, as an
 * absolute path: other relative paths start at the output directory. */
int sxt_cfg_read(const char *path, const struct sxt_cfg_section *section,
                 const struct sxt_cfg_section *const *known,
                 const char *const *settings, size_t n_settings, void **values,
                 struct sxt_error *err);
/* True if the file can be read and has such a section. */
bool sxt_cfg_has(const char *path, const char *section);
void sxt_cfg_free(const struct sxt_cfg_section *section, void *values);

/* Print a section as an input file with every default, range and sentence;
 * values NULL prints the defaults.  The text is a valid input file. */
void sxt_cfg_print(const struct sxt_cfg_section *section, const void *values,
                   struct sxt_str *out);

/* A section's parameters as manuals and completion name them, in the order of
 * the table; a group comes before what is in it. */
struct sxt_cfg_entry {
    const struct sxt_cfg_param *param;
    char *name;  /* with its groups: "sampling.top_p" */
    char *value; /* the default as an input file has it; "" of a group */
    char *range; /* " [0, 1] tokens", or "" */
};
struct sxt_cfg_list {
    struct sxt_cfg_entry *entry;
    size_t n;
};
struct sxt_cfg_list sxt_cfg_list(const struct sxt_cfg_section *section);
void sxt_cfg_list_free(struct sxt_cfg_list *list);

#endif
