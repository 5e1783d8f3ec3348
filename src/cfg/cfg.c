/* cfg.c - values from defaults, an input file and settings of the command
 * line, all against one table. */
#include "cfg/cfg.h"

#include <errno.h>
#include <libconfig.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

/* A reading in progress: where we are and what was wrong so far. */
struct reader {
    const char *where; /* "FILE:LINE" or "-s" */
    const char *dir;   /* of the file: what "@/" stands for */
    struct sxt_str errors;
};

static void fault(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fault(struct reader *r, const char *format, ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sxt_str_add(&r->errors, "%s%s: %s", r->errors.len > 0 ? "\n" : "", r->where,
                text);
}

/* ---- one value from text ---- */

static bool in_choices(const char *choices, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = choices; p; p = strchr(p, '|')) {
        p += *p == '|';
        if (strncmp(p, word, n) == 0 && (p[n] == '|' || p[n] == '\0'))
            return true;
    }
    return false;
}

static void set_string(char **place, const char *text, const char *dir)
{
    free(*place);
    *place = sxt_starts_with(text, "@/") ? sxt_path_join(dir, text + 2)
                                         : sxt_strdup(text);
}

static void add_string(struct sxt_cfg_strings *list, const char *text,
                       const char *dir)
{
    list->items =
        sxt_realloc(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count] = NULL;
    set_string(&list->items[list->count++], text, dir);
}

static void clear_strings(struct sxt_cfg_strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct sxt_cfg_strings){ NULL, 0 };
}

static void out_of_range(struct reader *r, const struct sxt_cfg_param *p,
                         const char *value)
{
    bool unit = strcmp(p->unit, "1") != 0;

    fault(r, "%s must be in [%g, %g]%s%s, not %s", p->name, p->min, p->max,
          unit ? " " : "", unit ? p->unit : "", value);
}

/* Never by way of a double, which has 53 bits only. */
static void set_whole(struct reader *r, const struct sxt_cfg_param *p,
                      void *place, int64_t x)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)x);
    if ((long double)x >= p->min && (long double)x <= p->max)
        *(int64_t *)place = x;
    else
        out_of_range(r, p, text);
}

static void set_real(struct reader *r, const struct sxt_cfg_param *p,
                     void *place, double x)
{
    char text[32];

    snprintf(text, sizeof(text), "%g", x);
    if (x >= p->min && x <= p->max)
        *(double *)place = x;
    else
        out_of_range(r, p, text);
}

static void number_from_text(struct reader *r, const struct sxt_cfg_param *p,
                             void *place, const char *text)
{
    bool whole = p->type == SXT_CFG_INT, word;
    char *end = NULL;
    long long i = 0;
    double x = 0;

    errno = 0;
    word = p->choices && strcmp(text, p->choices) == 0;
    if (word && whole)
        *(int64_t *)place = SXT_CFG_WORD;
    else if (word)
        *(double *)place = NAN;
    else if (whole)
        i = strtoll(text, &end, 10);
    else
        x = strtod(text, &end);
    if (word)
        return;
    if (end == text || *end != '\0' || (whole && errno != 0))
        fault(r, "%s must be a %snumber%s%s%s, not '%s'", p->name,
              whole ? "whole " : "", p->choices ? " or \"" : "",
              p->choices ? p->choices : "", p->choices ? "\"" : "", text);
    else if (whole)
        set_whole(r, p, place, i);
    else
        set_real(r, p, place, x);
}

static void set_list(struct sxt_cfg_strings *list, const char *text,
                     const char *dir)
{
    clear_strings(list);
    while (*text) {
        size_t n = strcspn(text, ",");
        struct sxt_span s = sxt_span_trim((struct sxt_span){ text, n });
        char *item = sxt_strndup(s.data, s.len);
        add_string(list, item, dir);
        free(item);
        text += n + (text[n] == ',');
    }
}

static void set_text(struct reader *r, const struct sxt_cfg_param *p,
                     void *place, const char *text)
{
    switch (p->type) {
    case SXT_CFG_INT:
    case SXT_CFG_REAL:
        number_from_text(r, p, place, text);
        break;
    case SXT_CFG_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            fault(r, "%s must be true or false, not '%s'", p->name, text);
        else
            *(bool *)place = text[0] == 't';
        break;
    case SXT_CFG_CHOICE:
        if (!in_choices(p->choices, text))
            fault(r, "%s must be one of %s, not '%s'", p->name, p->choices,
                  text);
        else
            set_string(place, text, r->dir);
        break;
    case SXT_CFG_STRING:
        set_string(place, text, r->dir);
        break;
    case SXT_CFG_STRINGS:
        set_list(place, text, r->dir);
        break;
    case SXT_CFG_GROUP:
        fault(r, "%s is a group of parameters, not a value", p->name);
        break;
    }
}

/* ---- names ---- */

/* The parameter of that name, NULL if there is none; *values, the struct,
 * becomes its place. */
static const struct sxt_cfg_param *find(const struct sxt_cfg_param *p,
                                        const char *name, char **values)
{
    const struct sxt_cfg_param *found = NULL;

    for (; p->name && !found; p++) {
        char *place = *values + p->offset;
        if (p->name[0] == '\0')
            found = find(p->group, name, &place);
        else if (strcmp(p->name, name) == 0)
            found = p;
        if (found)
            *values = place;
    }
    return found;
}

/* Nearest name in the table (and in groups below), as "a" or "group.a". */
static void suggest(const struct sxt_cfg_param *p, const char *prefix,
                    const char *name, size_t *best, char *text, size_t size)
{
    for (; p->name; p++) {
        size_t distance = sxt_edit_distance(p->name, name);
        if (p->name[0] && distance < *best) {
            *best = distance;
            snprintf(text, size, "%s%s", prefix, p->name);
        }
        if (p->type == SXT_CFG_GROUP) {
            char deeper[200];
            snprintf(deeper, sizeof(deeper), "%s%s%s", prefix, p->name,
                     p->name[0] ? "." : "");
            suggest(p->group, deeper, name, best, text, size);
        }
    }
}

static void unknown(struct reader *r, const struct sxt_cfg_section *section,
                    const char *group, const char *name)
{
    char text[200] = "";
    size_t best = strlen(name) / 3 + 2;

    suggest(section->params, "", name, &best, text, sizeof(text));
    if (text[0])
        fault(r, "unknown parameter %s%s (did you mean %s?)", group, name,
              text);
    else
        fault(r, "unknown parameter %s%s; see sextant %s --help=params", group,
              name, section->name);
}

/* ---- defaults ---- */

/* "split=test": a group's default that is another one here. */
static void override(struct reader *r, const struct sxt_cfg_param *group,
                     char *values)
{
    const char *equals = strchr(group->value, '=');
    char *name = sxt_strndup(group->value, (size_t)(equals - group->value));
    const struct sxt_cfg_param *p = find(group->group, name, &values);

    SXT_CHECK(p);
    set_text(r, p, values, equals + 1);
    free(name);
}

static void set_defaults(struct reader *r, const struct sxt_cfg_param *p,
                         char *values)
{
    for (; p->name; p++) {
        if (p->type != SXT_CFG_GROUP) {
            set_text(r, p, values + p->offset, p->value);
            continue;
        }
        set_defaults(r, p->group, values + p->offset);
        if (p->value && p->value[0])
            override(r, p, values + p->offset);
    }
}

static void free_values(const struct sxt_cfg_param *p, char *values)
{
    for (; p->name; p++) {
        void *place = values + p->offset;
        if (p->type == SXT_CFG_GROUP)
            free_values(p->group, place);
        else if (p->type == SXT_CFG_STRINGS)
            clear_strings(place);
        else if (p->type == SXT_CFG_STRING || p->type == SXT_CFG_CHOICE)
            free(*(char **)place);
    }
}

/* ---- the file ---- */

static void read_strings(struct reader *r, const struct sxt_cfg_param *p,
                         const config_setting_t *s,
                         struct sxt_cfg_strings *list)
{
    clear_strings(list);
    for (int i = 0; i < config_setting_length(s); i++) {
        const char *text = config_setting_get_string_elem(s, i);
        if (!text) {
            fault(r, "%s must be a list of strings", p->name);
            return;
        }
        add_string(list, text, r->dir);
    }
}

static void read_value(struct reader *r, const struct sxt_cfg_param *p,
                       const config_setting_t *s, void *place)
{
    int type = config_setting_type(s);
    bool whole = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    bool text = type == CONFIG_TYPE_STRING;

    if (p->type == SXT_CFG_INT && whole)
        set_whole(r, p, place, config_setting_get_int64(s));
    else if (p->type == SXT_CFG_REAL && whole)
        set_real(r, p, place, (double)config_setting_get_int64(s));
    else if (p->type == SXT_CFG_REAL && type == CONFIG_TYPE_FLOAT)
        set_real(r, p, place, config_setting_get_float(s));
    else if ((p->type == SXT_CFG_INT || p->type == SXT_CFG_REAL) &&
             p->choices && text)
        number_from_text(r, p, place, config_setting_get_string(s));
    else if (p->type == SXT_CFG_BOOL && type == CONFIG_TYPE_BOOL)
        *(bool *)place = config_setting_get_bool(s);
    else if ((p->type == SXT_CFG_STRING || p->type == SXT_CFG_CHOICE) && text)
        set_text(r, p, place, config_setting_get_string(s));
    else if (p->type == SXT_CFG_STRINGS && text)
        set_text(r, p, place, config_setting_get_string(s));
    else if (p->type == SXT_CFG_STRINGS &&
             (type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST))
        read_strings(r, p, s, place);
    else
        fault(r, "%s must be %s", p->name,
              p->type == SXT_CFG_INT       ? "a whole number"
              : p->type == SXT_CFG_REAL    ? "a number"
              : p->type == SXT_CFG_BOOL    ? "true or false"
              : p->type == SXT_CFG_STRINGS ? "a string or a list of strings"
              : p->type == SXT_CFG_GROUP   ? "a group { … }"
                                           : "a string");
}

static void read_group(struct reader *r, const struct sxt_cfg_section *section,
                       const struct sxt_cfg_param *params, const char *prefix,
                       config_setting_t *group, char *values)
{
    const char *file = r->where;

    for (int i = 0; i < config_setting_length(group); i++) {
        config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(s);
        char *place = values;
        const struct sxt_cfg_param *p = find(params, name, &place);
        char *where = sxt_printf("%s:%d", file, config_setting_source_line(s));
        r->where = where;
        if (!p) {
            unknown(r, section, prefix, name);
        } else if (p->type == SXT_CFG_GROUP && config_setting_is_group(s)) {
            char *deeper = sxt_printf("%s%s.", prefix, name);
            r->where = file;
            read_group(r, section, p->group, deeper, s, place);
            free(deeper);
        } else {
            read_value(r, p, s, place);
        }
        r->where = file;
        free(where);
    }
}

static void check_section_names(struct reader *r,
                                const struct sxt_cfg_section *const *known,
                                config_setting_t *root)
{
    const char *file = r->where;

    for (int i = 0; i < config_setting_length(root); i++) {
        config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(s), *near = NULL;
        size_t best = strlen(name) / 3 + 2;
        bool found = false;
        for (size_t k = 0; known[k]; k++) {
            size_t distance = sxt_edit_distance(known[k]->name, name);
            found = found || distance == 0;
            if (distance < best) {
                best = distance;
                near = known[k]->name;
            }
        }
        if (found)
            continue;
        char *where = sxt_printf("%s:%d", file, config_setting_source_line(s));
        r->where = where;
        fault(r, "unknown section %s%s%s%s", name,
              near ? " (did you mean " : "", near ? near : "",
              near ? "?)" : "");
        r->where = file;
        free(where);
    }
}

static int read_file(struct reader *r, const char *path,
                     const struct sxt_cfg_section *section,
                     const struct sxt_cfg_section *const *known, char *values,
                     struct sxt_error *err)
{
    config_t file;
    int rc = 0;

    if (!sxt_file_exists(path))
        return sxt_err_errno(err, SXT_EXIT_NOINPUT, "%s", path);
    config_init(&file);
    r->where = path;
    if (config_read_file(&file, path) == CONFIG_TRUE) {
        config_setting_t *root = config_root_setting(&file);
        config_setting_t *s = config_setting_get_member(root, section->name);
        check_section_names(r, known, root);
        if (s && config_setting_is_group(s))
            read_group(r, section, section->params, "", s, values);
        else if (s)
            fault(r, "%s must be a group { … }", section->name);
    } else if (config_error_type(&file) == CONFIG_ERR_PARSE) {
        rc = sxt_err(err, SXT_EXIT_CONFIG, "%s:%d: %s", path,
                     config_error_line(&file), config_error_text(&file));
    } else {
        rc = sxt_err(err, SXT_EXIT_NOINPUT, "%s: cannot be read", path);
    }
    config_destroy(&file);
    return rc;
}

/* ---- settings of the command line: path=value ---- */

static void apply_setting(struct reader *r,
                          const struct sxt_cfg_section *section,
                          const char *setting, char *values)
{
    const char *equals = strchr(setting, '=');
    const struct sxt_cfg_param *params = section->params;
    size_t own = strlen(section->name);

    if (!equals) {
        fault(r, "'%s' should be name=value", setting);
        return;
    }
    char *name = sxt_strndup(setting, (size_t)(equals - setting));
    char *rest = name;
    if (strncmp(rest, section->name, own) == 0 && rest[own] == '.')
        rest += own + 1;
    for (;;) {
        size_t n = strcspn(rest, ".");
        bool last = rest[n] == '\0';
        rest[n] = '\0';
        const struct sxt_cfg_param *p = find(params, rest, &values);
        if (!p) {
            unknown(r, section, "", rest);
        } else if (!last && p->type == SXT_CFG_GROUP) {
            params = p->group;
            rest += n + 1;
            continue;
        } else if (!last) {
            fault(r, "%s is not a group", rest);
        } else {
            set_text(r, p, values, equals + 1);
        }
        break;
    }
    free(name);
}

/* "sft.batch=8" for a command that reads section sft as well. */
static bool for_another(const struct sxt_cfg_section *section,
                        const struct sxt_cfg_section *const *known,
                        const char *setting)
{
    size_t n = strcspn(setting, ".=");

    for (size_t i = 0; section->reads_others && known[i]; i++)
        if (known[i] != section && setting[n] == '.' &&
            strlen(known[i]->name) == n &&
            strncmp(known[i]->name, setting, n) == 0)
            return true;
    return false;
}

int sxt_cfg_read(const char *path, const struct sxt_cfg_section *section,
                 const struct sxt_cfg_section *const *known,
                 const char *const *settings, size_t n_settings, void **values,
                 struct sxt_error *err)
{
    struct reader r = { "default", ".", SXT_STR_EMPTY };
    char *dir = path ? sxt_path_home(path) : sxt_strdup(".");
    char *fresh = sxt_calloc(1, section->size);
    int rc = 0;

    set_defaults(&r, section->params, fresh);
    SXT_CHECK(r.errors.len == 0);
    r.dir = dir;
    if (path)
        rc = read_file(&r, path, section, known, fresh, err);
    r.where = "-s";
    r.dir = ".";
    for (size_t i = 0; i < n_settings; i++)
        if (!for_another(section, known, settings[i]))
            apply_setting(&r, section, settings[i], fresh);
    if (rc == 0 && r.errors.len > 0)
        rc = sxt_err(err, SXT_EXIT_CONFIG, "%s", r.errors.data);
    if (rc == 0)
        *values = fresh;
    else
        sxt_cfg_free(section, fresh);
    sxt_str_free(&r.errors);
    free(dir);
    return rc;
}

bool sxt_cfg_has(const char *path, const char *section)
{
    config_t file;

    config_init(&file);
    bool has = config_read_file(&file, path) == CONFIG_TRUE &&
               config_setting_get_member(config_root_setting(&file), section);
    config_destroy(&file);
    return has;
}

void sxt_cfg_free(const struct sxt_cfg_section *section, void *values)
{
    if (!values)
        return;
    free_values(section->params, values);
    free(values);
}
