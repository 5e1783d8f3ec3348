/* extract.c - the final answer in a model's response. */
#define _GNU_SOURCE
#include "task/extract.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *sxt_extract_rule_name(enum sxt_extract_rule rule)
{
    static const char *const names[] = { "none",   "boxed",   "final answer",
                                         "hashes", "formula", "last number" };

    return names[rule];
}

static struct sxt_span behind(struct sxt_span s, size_t at)
{
    return (struct sxt_span){ s.data + at, s.len - at };
}

struct sxt_span sxt_extract_solution(struct sxt_span response)
{
    static const char *const ends[] = { "<|end_of_thought|>", "</think>",
                                        "</thinking>", NULL };
    static const char *const begins[] = { "<|begin_of_thought|>", "<think>",
                                          "<thinking>", NULL };
    static const char begin[] = "<|begin_of_solution|>";
    long at = sxt_span_find_last(response, begin);

    if (at >= 0) {
        struct sxt_span s = behind(response, (size_t)at + sizeof(begin) - 1);
        long end = sxt_span_find(s, "<|end_of_solution|>");
        return end >= 0 ? (struct sxt_span){ s.data, (size_t)end } : s;
    }
    for (int i = 0; ends[i]; i++) {
        at = sxt_span_find_last(response, ends[i]);
        if (at >= 0)
            return behind(response, (size_t)at + strlen(ends[i]));
    }
    for (int i = 0; begins[i]; i++)
        if (sxt_span_find(response, begins[i]) >= 0)
            return behind(response, response.len); /* never got that far */
    return response;
}

/* ---- boxes ---- */

struct box {
    size_t start, end; /* of \boxed{…} in the text */
    struct sxt_span inside;
};

/* The box whose command stands at `at`; false if its braces do not close. */
static bool box_at(struct sxt_span s, size_t at, struct box *out)
{
    size_t i = at + 1, from;
    int depth = 1;

    while (i < s.len && isalpha((unsigned char)s.data[i]))
        i++;
    while (i < s.len && s.data[i] == ' ')
        i++;
    if (i >= s.len)
        return false;
    from = i + (s.data[i] == '{');
    if (s.data[i] != '{') { /* \boxed 5 */
        while (i < s.len && !strchr(" $\n", s.data[i]))
            i++;
        *out = (struct box){ at, i, { s.data + from, i - from } };
        return i > from;
    }
    for (i = from; i < s.len && depth > 0; i++) {
        depth += s.data[i] == '{' && s.data[i - 1] != '\\';
        depth -= s.data[i] == '}' && s.data[i - 1] != '\\';
    }
    *out = (struct box){ at, i, { s.data + from, i - 1 - from } };
    return depth == 0;
}

/* Start of the last \boxed or \fbox before `end`, or -1. */
static long last_command(struct sxt_span s, size_t end)
{
    static const char *const names[] = { "\\boxed", "\\fbox" };

    for (size_t at = end; at-- > 0;) {
        if (s.data[at] != '\\')
            continue;
        for (int k = 0; k < 2; k++)
            if (end - at >= strlen(names[k]) &&
                memcmp(s.data + at, names[k], strlen(names[k])) == 0)
                return (long)at;
    }
    return -1;
}

/* The last box that closes before `end`; text of open ones only is not
 * searched for ever. */
static bool find_box(struct sxt_span s, size_t end, struct box *out)
{
    long at = (long)end;

    for (int tries = 0; tries < 64; tries++)
        if ((at = last_command(s, (size_t)at)) < 0)
            return false;
        else if (box_at(s, (size_t)at, out) && out->end <= end)
            return true;
    return false;
}

/* Bytes at the end of a gap that name the box behind it: "y_2 = ". */
static size_t label_length(struct sxt_span gap)
{
    size_t n = sxt_span_trim(gap).len, end = gap.len, at;

    while (end > 0 && gap.data[end - 1] == ' ')
        end--;
    if (n == 0 || gap.data[end - 1] != '=')
        return 0;
    for (at = end - 1; at > 0 && gap.data[at - 1] == ' ';)
        at--;
    while (at > 0 && (isalnum((unsigned char)gap.data[at - 1]) ||
                      strchr("_{}", gap.data[at - 1])))
        at--;
    return gap.len - at;
}

/* Only "and", "or", a comma and mathematics' delimiters stand between; perhaps
 * a noun before "and", and the name of what comes next. */
static bool joined(struct sxt_span gap)
{
    static const char *const words[] = { "and", "or",   "quad", "qquad", "text",
                                         "for", "part", "case", "parts", "a",
                                         "b",   "c",    "i",    "ii" };

    bool noun = false, any = false;

    if (gap.len >= 60)
        return false;
    gap.len -= label_length(gap);
    for (size_t i = 0; i < gap.len;) {
        size_t n = 0;
        while (i + n < gap.len && isalpha((unsigned char)gap.data[i + n]))
            n++;
        bool known = n == 0 && gap.data[i] != '\n' &&
                     strchr(" ,;$\\(){}", gap.data[i]) != NULL;
        for (int k = 0; k < 14 && n > 0; k++)
            known |=
                strlen(words[k]) == n && memcmp(gap.data + i, words[k], n) == 0;
        noun |= !known && n > 2 && !any &&
                sxt_span_find(behind(gap, i + n), " and ") == 0;
        if (!known && !(noun && !any))
            return false;
        any |= n > 0;
        i += n > 0 ? n : 1;
    }
    return true;
}

/* *place: from the first of the joined boxes to the end of the last. */
static bool find_boxes(struct sxt_span text, struct sxt_str *out,
                       struct sxt_span *place)
{
    enum { MAX = 32 };
    struct box box[MAX];
    size_t n = 0;

    if (!find_box(text, text.len, &box[0]))
        return false;
    for (n = 1; n < MAX; n++) {
        struct box *later = &box[n - 1];
        if (!find_box(text, later->start, &box[n]))
            break;
        struct sxt_span gap = { text.data + box[n].end,
                                later->start - box[n].end };
        if (sxt_span_same(box[n].inside, later->inside) || !joined(gap))
            break;
    }
    *place = (struct sxt_span){ text.data + box[n - 1].start,
                                box[0].end - box[n - 1].start };
    while (n-- > 0) {
        sxt_str_add_bytes(out, box[n].inside.data, box[n].inside.len);
        if (n > 0)
            sxt_str_add(out, ", ");
    }
    return true;
}

bool sxt_extract_boxed(struct sxt_span text, struct sxt_str *out)
{
    struct sxt_span place;

    return find_boxes(text, out, &place);
}

/* ---- sentences ---- */

/* Last place of an ASCII phrase whatever its case, or -1. */
static long find_phrase(struct sxt_span s, const char *phrase)
{
    size_t n = strlen(phrase);

    for (size_t at = s.len < n ? 0 : s.len - n + 1; at-- > 0;)
        if (strncasecmp(s.data + at, phrase, n) == 0)
            return (long)at;
    return -1;
}

static struct sxt_span line_of(struct sxt_span s)
{
    size_t n = 0;

    while (n < s.len && s.data[n] != '\n')
        n++;
    return (struct sxt_span){ s.data, n };
}

/* What follows "answer is": the formula if one comes first, else the words up
 * to the end of the sentence. */
static struct sxt_span said(struct sxt_span s)
{
    static const char again[] = "the answer is ";

    while (s.len > 0 && strchr(" :*\n", s.data[0]))
        s = behind(s, 1);
    s = line_of(s);
    if (s.len > strlen(again) && strncasecmp(s.data, again, strlen(again)) == 0)
        s = behind(s, strlen(again)); /* "Final answer: the answer is 2" */
    if (s.len > 1 && s.data[0] == '$') {
        size_t skip = s.data[1] == '$' ? 2 : 1;
        struct sxt_span inside = behind(s, skip);
        long end = sxt_span_find(inside, "$");
        if (end > 0)
            return (struct sxt_span){ inside.data, (size_t)end };
    }
    if (s.len > 1 && s.data[0] == '\\' && s.data[1] == '(') {
        long end = sxt_span_find(s, "\\)");
        if (end > 2)
            return (struct sxt_span){ s.data + 2, (size_t)end - 2 };
    }
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '.' && (i + 1 == s.len || s.data[i + 1] == ' '))
            return sxt_span_trim((struct sxt_span){ s.data, i });
    return sxt_span_trim(s);
}

/* "the answer to the problem is …": behind "is"; one sentence, few words. */
static struct sxt_span answer_to(struct sxt_span s)
{
    enum { WORDS = 60 }; /* bytes between "answer to " and " is" */
    static const char phrase[] = "answer to ";
    long at = find_phrase(s, phrase);

    if (at < 0)
        return (struct sxt_span){ NULL, 0 };
    s = line_of(behind(s, (size_t)at + strlen(phrase)));
    struct sxt_span near = { s.data, s.len < WORDS ? s.len : WORDS };
    long is = sxt_span_find(near, " is ");
    long stop = sxt_span_find(near, ".");
    if (is < 0 || (stop >= 0 && stop < is))
        return (struct sxt_span){ NULL, 0 };
    return said(behind(s, (size_t)is + 4));
}

static struct sxt_span final_answer(struct sxt_span s)
{
    static const char *const phrases[] = { "final answer is",
                                           "final answer:", "the answer is",
                                           "answer:" };

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        long at = find_phrase(s, phrases[i]);
        if (at < 0)
            continue;
        struct sxt_span found =
            said(behind(s, (size_t)at + strlen(phrases[i])));
        while (found.len > 0 && found.data[found.len - 1] == '*')
            found.len--;
        if (found.len > 0)
            return found;
    }
    return answer_to(s);
}

static struct sxt_span hashes(struct sxt_span s)
{
    long at = sxt_span_find_last(s, "####");

    if (at < 0)
        return (struct sxt_span){ NULL, 0 };
    return sxt_span_trim(line_of(behind(s, (size_t)at + 4)));
}

/* The inside of the last $…$ or \(…\) on one line, $$…$$ or \[…\]. */
static struct sxt_span last_formula(struct sxt_span s)
{
    static const char *const fence[][2] = { { "$", "$" },
                                            { "\\(", "\\)" },
                                            { "\\[", "\\]" } };
    struct sxt_span best = { NULL, 0 };

    for (int i = 0; i < 3; i++) {
        long end = sxt_span_find_last(s, fence[i][1]);
        bool display = i == 2;
        if (i == 0 && end > 0 && s.data[end - 1] == '$') {
            display = true;
            end--;
        }
        if (end <= 0)
            continue;
        struct sxt_span head = { s.data, (size_t)end };
        long start = sxt_span_find_last(head, fence[i][0]);
        if (start < 0)
            continue;
        head = behind(head, (size_t)start + strlen(fence[i][0]));
        if ((display || !memchr(head.data, '\n', head.len)) &&
            head.data > best.data)
            best = head;
    }
    return sxt_span_trim(best);
}

/* Start of the 1,234.5 that ends at `end`. */
static size_t number_start(struct sxt_span s, size_t end)
{
    size_t start = end;

    for (; start > 0; start--) {
        unsigned char c = (unsigned char)s.data[start - 1];
        bool inner = (c == '.' || c == ',') && start > 1 && start < end &&
                     isdigit((unsigned char)s.data[start - 2]);
        if (!isdigit(c) && !inner)
            break;
    }
    return start;
}

/* The last -1,234.5, .5 or 2/3 of the text that no letter stands before. */
static struct sxt_span last_number(struct sxt_span s)
{
    size_t end = s.len, start = end;

    do {
        for (end = start; end > 0 && !isdigit((unsigned char)s.data[end - 1]);)
            end--;
        start = number_start(s, end);
    } while (start > 0 && isalpha((unsigned char)s.data[start - 1]));
    if (start > 0 && start < end && s.data[start - 1] == '.' &&
        (start == 1 || s.data[start - 2] == ' '))
        start--;
    if (start > 1 && s.data[start - 1] == '/' &&
        isdigit((unsigned char)s.data[start - 2]))
        start = number_start(s, start - 1);
    if (start > 0 && start < end && s.data[start - 1] == '-' &&
        (start < 2 || !isalnum((unsigned char)s.data[start - 2])))
        start--;
    return (struct sxt_span){ s.data + start, end - start };
}

/* All of a line that is no prose: no two words in it. */
static struct sxt_span bare_formula(struct sxt_span s)
{
    enum { LONGEST = 200 };
    size_t words = 0;

    s = sxt_span_trim(s);
    for (size_t i = 1; i < s.len; i++)
        words += isalpha((unsigned char)s.data[i]) &&
                 isalpha((unsigned char)s.data[i - 1]) &&
                 (i == 1 || !isalpha((unsigned char)s.data[i - 2])) &&
                 (i == 1 || s.data[i - 2] != '\\');
    bool bare = words == 0 && s.len > 0 && s.len <= LONGEST &&
                !memchr(s.data, '\n', s.len);
    return bare ? s : (struct sxt_span){ NULL, 0 };
}

/* Nothing is stated: the last formula, or the number behind it. */
static struct sxt_span guessed(struct sxt_span s, enum sxt_extract_rule *rule)
{
    struct sxt_span formula = last_formula(s), number = last_number(s);

    if (formula.len == 0)
        formula = bare_formula(s);
    bool later = formula.len == 0 ||
                 (number.len > 0 && number.data > formula.data + formula.len);
    *rule = later ? SXT_EXTRACT_LAST_NUMBER : SXT_EXTRACT_FORMULA;
    return *rule == SXT_EXTRACT_FORMULA ? formula : number;
}

/* "The final answer is 5" behind the last box: it is the later word. */
static struct sxt_span corrected(struct sxt_span s)
{
    static const char phrase[] = "final answer is";
    long at = find_phrase(s, phrase);
    struct sxt_span found = { NULL, 0 };

    if (at >= 0)
        found = said(behind(s, (size_t)at + strlen(phrase)));
    bool value = found.len > 0 && (isdigit((unsigned char)found.data[0]) ||
                                   strchr("-.\\", found.data[0]) ||
                                   strchr("$(", found.data[-1]));
    return value ? found : (struct sxt_span){ NULL, 0 };
}

enum sxt_extract_rule sxt_extract_answer(struct sxt_span response, bool guess,
                                         struct sxt_str *out)
{
    struct sxt_span place;

    return sxt_extract_locate(response, guess, out, &place);
}

enum sxt_extract_rule sxt_extract_locate(struct sxt_span response, bool guess,
                                         struct sxt_str *out,
                                         struct sxt_span *place)
{
    struct sxt_span s = sxt_extract_solution(response), found = { NULL, 0 };
    enum sxt_extract_rule rule = SXT_EXTRACT_FINAL;
    const size_t before = out->len;

    *place = (struct sxt_span){ NULL, 0 };
    if (find_boxes(s, out, place)) {
        found =
            corrected(behind(s, (size_t)(place->data + place->len - s.data)));
        if (found.len == 0)
            return SXT_EXTRACT_BOXED;
        sxt_str_cut(out, before);
    }
    if (found.len == 0)
        found = final_answer(s);
    if (found.len == 0) {
        rule = SXT_EXTRACT_HASHES;
        found = hashes(s);
    }
    if (found.len == 0 && guess)
        found = guessed(s, &rule);
    if (found.len == 0)
        return SXT_EXTRACT_NONE;
    *place = found;
    sxt_str_add_bytes(out, found.data, found.len);
    return rule;
}

/* ---- choices ---- */

/* The letter that s begins with, in whatever dress; 0 if none. */
static char letter_of(struct sxt_span s, int n_choices)
{
    static const char *const dress[] = { "\\text{",   "\\textbf{", "\\mathrm{",
                                         "\\mathbf{", "\\mbox{",   "option ",
                                         "Option ",   "choice ",   "Choice ",
                                         "boxed",     NULL };

    for (bool again = true; again && s.len > 0;) {
        again = strchr(" \n*_([{$:\\", s.data[0]) != NULL;
        for (int i = 0; dress[i]; i++) {
            size_t n = strlen(dress[i]);
            if (s.len >= n && memcmp(s.data, dress[i], n) == 0) {
                s = behind(s, n - 1);
                again = true;
                break;
            }
        }
        if (again)
            s = behind(s, 1);
    }
    if (s.len == 0 || s.data[0] < 'A' || s.data[0] >= 'A' + n_choices)
        return 0;
    if (s.len > 1 && (isalnum((unsigned char)s.data[1]) || s.data[1] == '\''))
        return 0;
    return s.data[0];
}

/* "A" may be an article: then no word may follow. */
static char stated_letter(struct sxt_span s, int n_choices)
{
    char letter = letter_of(s, n_choices);

    if (letter != 'A')
        return letter;
    const char *at = memchr(s.data, 'A', s.len);
    size_t next = (size_t)(at - s.data) + 1;
    bool word = next + 1 < s.len && s.data[next] == ' ' &&
                islower((unsigned char)s.data[next + 1]);
    return word ? 0 : letter;
}

static char last_line_letter(struct sxt_span s, int n_choices)
{
    s = sxt_span_trim(s);
    size_t start = s.len;
    while (start > 0 && s.data[start - 1] != '\n')
        start--;
    struct sxt_span line = behind(s, start);
    return line.len <= 8 ? letter_of(line, n_choices) : 0;
}

char sxt_extract_choice(struct sxt_span response, int n_choices)
{
    static const char *const phrases[] = { "answer is",
                                           "answer:", "answer**:", "choice is",
                                           "option is" };
    struct sxt_span s = sxt_extract_solution(response);
    struct sxt_str box = SXT_STR_EMPTY;
    char letter = 0;
    long best = -1;

    if (sxt_extract_boxed(s, &box)) {
        struct sxt_span b =
            sxt_span_trim((struct sxt_span){ box.data, box.len });
        if (b.len == 1) /* a lone small letter can be nothing else */
            box.data[b.data - box.data] =
                (char)toupper((unsigned char)b.data[0]);
        letter = letter_of(b, n_choices);
        sxt_str_free(&box);
        return letter;
    }
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        long at = find_phrase(s, phrases[i]);
        if (at <= best)
            continue;
        char found = stated_letter(behind(s, (size_t)at + strlen(phrases[i])),
                                   n_choices);
        if (found) {
            letter = found;
            best = at;
        }
    }
    return letter ? letter : last_line_letter(s, n_choices);
}
