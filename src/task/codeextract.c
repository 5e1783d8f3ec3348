/* codeextract.c - fenced blocks, read as people and models write them.
 *
 * CommonMark (section 4.5), and more: a fence may be indented to any depth,
 * may open behind text and close behind code, and an opening fence ends a
 * block that was not closed. */
#define _GNU_SOURCE
#include "task/codeextract.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A line that could open or close a block. */
struct fence {
    char mark;              /* ` or ~ */
    size_t count, indent;   /* marks; blanks before them */
    struct sxt_span before; /* text on the line before the marks */
    struct sxt_span tag;    /* what stands behind them */
    size_t at, next;        /* of the line, and of the one after it */
};

struct block {
    struct sxt_span code;
    size_t indent;
    int rank; /* -1: none */
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct sxt_span line_at(struct sxt_span s, size_t at, size_t *next)
{
    const char *end = memchr(s.data + at, '\n', s.len - at);
    size_t n = end ? (size_t)(end - s.data) - at : s.len - at;

    *next = at + n + (end != NULL);
    return (struct sxt_span){ s.data + at, n };
}

/* A tag is one word, or an attribute list: {.python .numberLines}. */
static bool is_tag(struct sxt_span tag)
{
    if (tag.len > 0 && tag.data[0] == '{')
        return tag.data[tag.len - 1] == '}';
    for (size_t i = 0; i < tag.len; i++)
        if (!isalnum((unsigned char)tag.data[i]) &&
            !strchr("+-#._:=/ \t", tag.data[i]))
            return false;
    return tag.len < 60;
}

/* The last run of three or more marks on a line, if a tag or nothing is all
 * that follows it. */
static bool read_fence(struct sxt_span line, struct fence *f)
{
    size_t end = line.len, start;

    while (end > 0 && line.data[end - 1] != '`' && line.data[end - 1] != '~')
        end--;
    if (end == 0)
        return false;
    f->mark = line.data[end - 1];
    for (start = end; start > 0 && line.data[start - 1] == f->mark;)
        start--;
    f->count = end - start;
    f->tag =
        sxt_span_trim((struct sxt_span){ line.data + end, line.len - end });
    f->before = (struct sxt_span){ line.data, start };
    for (f->indent = 0; f->indent < start && blank(line.data[f->indent]);)
        f->indent++;
    return f->count >= 3 && is_tag(f->tag);
}

/* The next fence from `from` on.  Inside of a block only marks like its own,
 * and as many, count; and behind text, only those that end the line. */
static bool next_fence(struct sxt_span s, size_t from, const struct fence *open,
                       struct fence *f)
{
    for (f->at = from; f->at < s.len; f->at = f->next) {
        struct sxt_span line = line_at(s, f->at, &f->next);
        if (!read_fence(line, f))
            continue;
        bool alone = f->indent == f->before.len;
        if (!open &&
            (alone || (f->mark == '`' &&
                       !memmem(f->before.data, f->before.len, "```", 3))))
            return true;
        if (open && f->mark == open->mark && f->count >= open->count &&
            (alone || (f->tag.len == 0 && f->mark == '`')))
            return true;
    }
    return false;
}

static bool is_python(struct sxt_span tag)
{
    static const char *const names[] = { "py",      "py2",      "py3",
                                         "pypy",    "pypy3",    "sage",
                                         "python",  "ipython",  "python2",
                                         "python3", "ipython3", NULL };
    size_t n = 0;

    while (tag.len > 0 && strchr("{. \t", tag.data[0])) {
        tag.data++;
        tag.len--;
    }
    while (n < tag.len && isalnum((unsigned char)tag.data[n]))
        n++;
    for (int i = 0; names[i]; i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], tag.data, n) == 0)
            return n == tag.len || tag.data[n] != '-'; /* python-repl */
    return false;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

/* Is there a "def entry" or "entry =" at the beginning of a line? */
static bool defines(struct sxt_span code, struct sxt_span entry)
{
    for (size_t at = 0, next; entry.len > 0 && at < code.len; at = next) {
        struct sxt_span line = sxt_span_trim(line_at(code, at, &next));
        bool def = line.len > 4 && memcmp(line.data, "def ", 4) == 0;
        if (def)
            line =
                sxt_span_trim((struct sxt_span){ line.data + 4, line.len - 4 });
        if (line.len <= entry.len || is_word(line.data[entry.len]) ||
            memcmp(line.data, entry.data, entry.len) != 0)
            continue;
        line.data += entry.len;
        line.len -= entry.len;
        line = sxt_span_trim(line);
        if (def || (line.len > 1 && line.data[0] == '=' && line.data[1] != '='))
            return true;
    }
    return false;
}

static int rank_of(const struct fence *open, struct sxt_span code,
                   struct sxt_span entry)
{
    int kind = is_python(open->tag) ? 2 : open->tag.len == 0;

    return sxt_span_trim(code).len == 0 ? -1 : kind + 3 * defines(code, entry);
}

static struct block find_block(struct sxt_span s, struct sxt_span entry)
{
    struct block best = { { NULL, 0 }, 0, -1 };
    struct fence open, close;
    bool more = next_fence(s, 0, NULL, &open);

    while (more) {
        bool closed = next_fence(s, open.next, &open, &close);
        size_t end = closed ? close.at : s.len;
        if (closed && close.indent < close.before.len)
            end += close.before.len; /* code stands before the marks */
        struct sxt_span code = { s.data + open.next, end - open.next };
        int rank = rank_of(&open, code, entry);
        if (rank >= 0 && rank >= best.rank)
            best = (struct block){
                code, open.indent == open.before.len ? open.indent : 0, rank
            };
        if (closed && close.tag.len > 0)
            open = close; /* a fence with a tag opens */
        else
            more = closed && next_fence(s, close.next, NULL, &open);
    }
    return best;
}

struct sxt_span sxt_code_block(struct sxt_span response, struct sxt_span entry)
{
    return find_block(response, entry).code;
}

struct sxt_span sxt_code_extract(struct sxt_span response)
{
    return find_block(response, (struct sxt_span){ NULL, 0 }).code;
}

bool sxt_code_program(struct sxt_span response, struct sxt_span entry,
                      struct sxt_str *out)
{
    struct block block = find_block(response, entry);

    for (size_t at = 0, next; at < block.code.len; at = next) {
        struct sxt_span line = line_at(block.code, at, &next);
        size_t drop = 0;
        while (drop < block.indent && drop < line.len && blank(line.data[drop]))
            drop++;
        sxt_str_add_bytes(out, line.data + drop, next - at - drop);
    }
    return block.rank >= 0;
}

struct sxt_span sxt_code_upstream_extract(struct sxt_span s)
{
    struct sxt_span last = { NULL, 0 };
    long at;

    while ((at = sxt_span_find(s, "```")) >= 0) {
        size_t i = (size_t)at + 3;
        while (i < s.len && isalpha((unsigned char)s.data[i]) &&
               !(s.data[i] & 0x80))
            i++;
        if (i == s.len || s.data[i] != '\n') { /* no match from here */
            s.data += at + 1;
            s.len -= (size_t)at + 1;
            continue;
        }
        struct sxt_span rest = { s.data + i + 1, s.len - i - 1 };
        long end = sxt_span_find(rest, "```");
        if (end < 0)
            break;
        last = (struct sxt_span){ rest.data, (size_t)end };
        s = (struct sxt_span){ rest.data + end + 3,
                               rest.len - (size_t)end - 3 };
    }
    return last;
}
