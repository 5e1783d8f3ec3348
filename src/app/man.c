/* man.c - the manual: sextant(1), and sextant-COMMAND(1) from its table.
 *
 * In the macros of man(7), which groff and mandoc both know. */
#include <stdio.h>
#include <string.h>

#include "app/cli.h"

/* A character beyond ASCII; returns how many bytes it has. */
static size_t print_wide(const char *text)
{
    unsigned char first = (unsigned char)*text;
    size_t n = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2, i = 1;
    unsigned code = first & (0xFFU >> (n + 1));

    for (; i < n && text[i]; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3FU);
    printf("\\[u%04X]", code);
    return i;
}

/* Text as roff shows it as it is. */
static void print_text(const char *text)
{
    bool line_begins = true;

    for (size_t n = 1; *text; text += n, n = 1) {
        if (line_begins && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        line_begins = *text == '\n';
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\'')
            fputs("\\(aq", stdout);
        else if (*text == '`')
            fputs("\\(ga", stdout);
        else if (*text == '^')
            fputs("\\(ha", stdout);
        else if (*text == '~')
            fputs("\\(ti", stdout);
        else if ((unsigned char)*text >= 0x80)
            n = print_wide(text);
        else
            putchar(*text);
    }
}

static void print_bold(const char *text)
{
    fputs("\\fB", stdout);
    print_text(text);
    fputs("\\fR", stdout);
}

/* The heading of a page; name is "sextant" or "sextant-COMMAND". */
static void print_head(const char *command, const char *doc)
{
    const char *dash = command[0] ? "-" : "";

    fputs(".TH SEXTANT", stdout);
    fputs(dash, stdout);
    for (const char *c = command; *c; c++)
        putchar(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    printf(" 1 \"%s\" \"Sextant %s\" \"Sextant\"\n.SH NAME\n", SXT_RELEASED,
           PACKAGE_VERSION);
    printf("sextant%s%s \\- %.*s\n.SH SYNOPSIS\n.nh\n", command[0] ? "\\-" : "",
           command, (int)strcspn(doc, "."), doc);
}

static void print_option(const struct sxt_cli_option *o)
{
    char name[80];

    printf(".TP\n");
    if (o->value > 0 && o->value < SXT_CLI_BUILD)
        printf("\\fB\\-%c\\fR, ", o->value);
    snprintf(name, sizeof(name), "--%s", o->name);
    print_bold(name);
    print_text(o->arg);
    putchar('\n');
    print_text(o->doc);
    putchar('\n');
}

static void print_examples(const char *lines)
{
    fputs(".SH EXAMPLES\n.EX\n", stdout);
    print_text(lines);
    fputs(".EE\n", stdout);
}

static void print_parameters(const struct sxt_stage *stage)
{
    struct sxt_cfg_list list = sxt_cfg_list(&stage->section);

    if (list.n > 0)
        printf(".SH PARAMETERS\nIn the section \\fB%s\\fR of the input file, "
               "or as options. Each with its default.\n",
               stage->section.name);
    for (size_t i = 0; i < list.n; i++) {
        const struct sxt_cfg_entry *e = &list.entry[i];
        bool group = e->param->type == SXT_CFG_GROUP;
        fputs(group ? ".PP\n" : ".TP\n", stdout);
        print_bold(e->name);
        fputs(group ? ": " : " = ", stdout);
        print_text(e->value);
        fputs(group ? "" : "\n", stdout);
        print_text(e->param->doc);
        print_text(e->range);
        putchar('\n');
    }
    sxt_cfg_list_free(&list);
}

static void command_page(const struct sxt_stage *stage)
{
    const char *name = stage->section.name;
    const char *examples = sxt_cli_examples(name);

    print_head(name, stage->section.doc);
    printf("\\fBsextant %s\\fR [\\fICONFIG.cfg\\fR] [\\fIOPTION\\fR]...", name);
    putchar(stage->operands[0] ? ' ' : '\n');
    print_text(stage->operands);
    fputs(stage->operands[0] ? "\n" : "", stdout);
    fputs(".hy\n.SH DESCRIPTION\n", stdout);
    print_text(stage->section.doc);
    fputs("\nOptions of all commands, exit statuses, environment and files: "
          "see \\fBsextant\\fR(1).\n",
          stdout);
    print_parameters(stage);
    if (examples)
        print_examples(examples);
    fputs(".SH \"SEE ALSO\"\n.BR sextant (1)\n", stdout);
}

/* The sections that say the same of every build, but for "@data@". */
static void print_manual(void)
{
    static const char text[] =
#include "app/manual.inc"
        ;
    static const char mark[] = "@data@";

    for (const char *c = text; *c;) {
        if (sxt_starts_with(c, mark)) {
            print_text(SXT_PKGDATADIR);
            c += strlen(mark);
        } else {
            putchar(*c++);
        }
    }
}

static void program_page(void)
{
    print_head("", "distil a reasoning model on a supercomputer");
    fputs("\\fBsextant\\fR \\fICOMMAND\\fR [\\fICONFIG.cfg\\fR] "
          "[\\fIOPTION\\fR]... [\\fIOPERAND\\fR]...\n.hy\n"
          ".SH DESCRIPTION\nA teacher model solves problems, its answers are "
          "brought into one format and graded, the right ones train a student, "
          "and the student is measured. Each step is a command that reads "
          "files and writes files. Start more ranks with mpirun or srun; "
          "outputs do not depend on their number.\n.SH COMMANDS\n",
          stdout);
    for (size_t i = 0; sxt_stages[i]; i++) {
        printf(".TP\n\\fBsextant\\-%s\\fR(1)\n", sxt_stages[i]->section.name);
        print_text(sxt_stages[i]->section.doc);
        putchar('\n');
    }
    fputs(".SH OPTIONS\n", stdout);
    for (const struct sxt_cli_option *o = sxt_cli_options; o->name; o++)
        print_option(o);
    fputs(".SH \"EXIT STATUS\"\n", stdout);
    for (const struct sxt_cli_exit *e = sxt_cli_exits; e->word; e++)
        printf(".TP\n\\fB%d\\fR %s\n%s\n", e->code, e->word, e->doc);
    print_manual();
    fputs(".SH \"SEE ALSO\"\n", stdout);
    for (size_t i = 0; sxt_stages[i]; i++)
        printf(".BR sextant\\-%s (1)%s\n", sxt_stages[i]->section.name,
               sxt_stages[i + 1] ? "," : "");
}

void sxt_cli_man(const struct sxt_stage *stage)
{
    if (stage)
        command_page(stage);
    else
        program_page();
}
