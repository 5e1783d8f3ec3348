/* print.c - a section as an input file that explains every parameter, and as a
 * list. */
#include "cfg/cfg.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void add_quoted(struct sxt_str *out, const char *text)
{
    sxt_str_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            sxt_str_add(out, "\\%c", *text);
        else if (*text == '\n')
            sxt_str_add(out, "\\n");
        else if ((unsigned char)*text < 0x20)
            sxt_str_add(out, "\\x%02x", (unsigned char)*text);
        else
            sxt_str_add_char(out, *text);
    }
    sxt_str_add_char(out, '"');
}

/* The shortest decimal that reads back as x, with a point: libconfig tells
 * whole numbers from reals by it. */
static void add_real(struct sxt_str *out, double x)
{
    char text[40];

    if (fabs(x) < 1e6 && x == floor(x)) {
        sxt_str_add(out, "%.1f", x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        double back;
        snprintf(text, sizeof(text), "%.*g", digits, x);
        if (sscanf(text, "%lf", &back) == 1 && back == x)
            break;
    }
    sxt_str_add(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void add_list(struct sxt_str *out, const struct sxt_cfg_strings *list)
{
    sxt_str_add(out, "[");
    for (size_t i = 0; i < list->count; i++) {
        sxt_str_add(out, i > 0 ? ", " : "");
        add_quoted(out, list->items[i]);
    }
    sxt_str_add(out, "]");
}

static void add_value(struct sxt_str *out, const struct sxt_cfg_param *p,
                      const void *place)
{
    switch (p->type) {
    case SXT_CFG_INT:
        if (*(const int64_t *)place == SXT_CFG_WORD && p->choices) {
            add_quoted(out, p->choices);
            break;
        }
        sxt_str_add(out, "%lld", (long long)*(const int64_t *)place);
        if (*(const int64_t *)place > INT32_MAX ||
            *(const int64_t *)place < INT32_MIN)
            sxt_str_add_char(out, 'L');
        break;
    case SXT_CFG_REAL:
        if (isnan(*(const double *)place) && p->choices)
            add_quoted(out, p->choices);
        else
            add_real(out, *(const double *)place);
        break;
    case SXT_CFG_BOOL:
        sxt_str_add(out, *(const bool *)place ? "true" : "false");
        break;
    case SXT_CFG_STRINGS:
        add_list(out, place);
        break;
    default:
        add_quoted(out, *(char *const *)place);
    }
}

static void add_bound(struct sxt_str *out, double x)
{
    if (fabs(x) >= 1e18)
        sxt_str_add(out, x > 0 ? "…" : "-…");
    else
        sxt_str_add(out, "%.10g", x);
}

/* Words of a comment, on lines of at most 80 columns. */
static void add_words(struct sxt_str *out, const char *words, int indent)
{
    enum { COLUMNS = 80 };
    int used = COLUMNS;

    for (const char *w = words + strspn(words, " "); *w; w += strspn(w, " ")) {
        int n = (int)strcspn(w, " "), wide = 0;
        for (int i = 0; i < n; i++)
            wide += (w[i] & 0xC0) != 0x80; /* UTF-8: characters, not bytes */
        bool breaks = used + 1 + wide > COLUMNS;
        if (breaks)
            sxt_str_add(out, "%s%*s#", w > words ? "\n" : "", indent, "");
        sxt_str_add(out, " %.*s", n, w);
        used = (breaks ? indent + 1 : used) + 1 + wide;
        w += n;
    }
    sxt_str_add_char(out, '\n');
}

/* What a parameter may be, behind a space; nothing if there is no bound. */
static void add_range(struct sxt_str *out, const struct sxt_cfg_param *p)
{
    if (p->type == SXT_CFG_INT || p->type == SXT_CFG_REAL) {
        sxt_str_add(out, " [");
        add_bound(out, p->min);
        sxt_str_add(out, ", ");
        add_bound(out, p->max);
        sxt_str_add(out, "]");
        if (strcmp(p->unit, "1") != 0)
            sxt_str_add(out, " %s", p->unit);
        if (p->choices)
            sxt_str_add(out, " or \"%s\"", p->choices);
    }
    if (p->type == SXT_CFG_CHOICE)
        sxt_str_add(out, " [%s]", p->choices);
}

static void add_comment(struct sxt_str *out, const struct sxt_cfg_param *p,
                        int indent)
{
    struct sxt_str s = SXT_STR_EMPTY;

    sxt_str_add(&s, "%s", p->doc);
    add_range(&s, p);
    add_words(out, s.data, indent);
    sxt_str_free(&s);
}

static void add_params(struct sxt_str *out, const struct sxt_cfg_param *p,
                       const char *values, int indent)
{
    for (; p->name; p++) {
        if (p->name[0] == '\0') {
            add_params(out, p->group, values + p->offset, indent);
            continue;
        }
        add_comment(out, p, indent);
        if (p->type == SXT_CFG_GROUP) {
            sxt_str_add(out, "%*s%s:\n%*s{\n", indent, "", p->name, indent, "");
            add_params(out, p->group, values + p->offset, indent + 4);
            sxt_str_add(out, "%*s};\n", indent, "");
        } else {
            sxt_str_add(out, "%*s%s = ", indent, "", p->name);
            add_value(out, p, values + p->offset);
            sxt_str_add(out, ";\n");
        }
    }
}

static void *make_defaults(const struct sxt_cfg_section *section)
{
    static const struct sxt_cfg_section *const none[] = { NULL };
    void *values = NULL;

    SXT_CHECK(sxt_cfg_read(NULL, section, none, NULL, 0, &values, NULL) == 0);
    return values;
}

void sxt_cfg_print(const struct sxt_cfg_section *section, const void *values,
                   struct sxt_str *out)
{
    void *defaults = values ? NULL : make_defaults(section);

    if (!values)
        values = defaults;
    add_words(out, section->doc, 0);
    sxt_str_add(out, "%s:\n{\n", section->name);
    add_params(out, section->params, values, 4);
    sxt_str_add(out, "};\n");
    sxt_cfg_free(section, defaults);
}

/* The parameters of a table at the end of the list. */
static void list_params(struct sxt_cfg_list *list, const char *prefix,
                        const struct sxt_cfg_param *p, const char *values)
{
    for (; p->name; p++) {
        if (p->name[0] == '\0') {
            list_params(list, prefix, p->group, values + p->offset);
            continue;
        }
        struct sxt_str value = SXT_STR_EMPTY, range = SXT_STR_EMPTY;
        bool group = p->type == SXT_CFG_GROUP;
        char *name = sxt_printf("%s%s", prefix, p->name);
        sxt_str_add(&value, "%s", "");
        if (!group)
            add_value(&value, p, values + p->offset);
        sxt_str_add(&range, "%s", "");
        add_range(&range, p);
        list->entry =
            sxt_realloc(list->entry, list->n + 1, sizeof(*list->entry));
        list->entry[list->n++] =
            (struct sxt_cfg_entry){ p, name, value.data, range.data };
        if (!group)
            continue;
        char *below = sxt_printf("%s.", name);
        list_params(list, below, p->group, values + p->offset);
        free(below);
    }
}

struct sxt_cfg_list sxt_cfg_list(const struct sxt_cfg_section *section)
{
    struct sxt_cfg_list list = { 0 };
    void *defaults = make_defaults(section);

    list_params(&list, "", section->params, defaults);
    sxt_cfg_free(section, defaults);
    return list;
}

void sxt_cfg_list_free(struct sxt_cfg_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->entry[i].name);
        free(list->entry[i].value);
        free(list->entry[i].range);
    }
    free(list->entry);
    *list = (struct sxt_cfg_list){ 0 };
}
