/* mathunit.c - units of measure and of money. */
#include "task/mathunit.h"

#include <ctype.h>
#include <string.h>

enum { MAX_UNIT = 40 };

/* Singular names; the factor leads to the first unit of the kind. */
static const struct {
    const char *names; /* " a b " */
    char kind;
    int64_t num, den;
} units[] = {
    { " m meter metre ", 'l', 1, 1 },
    { " cm centimeter centimetre ", 'l', 1, 100 },
    { " mm millimeter millimetre ", 'l', 1, 1000 },
    { " dm decimeter decimetre ", 'l', 1, 10 },
    { " km kilometer kilometre ", 'l', 1000, 1 },
    { " in inch inche ", 'l', 127, 5000 },
    { " ft foot feet ", 'l', 381, 1250 },
    { " yd yard ", 'l', 1143, 1250 },
    { " mi mile ", 'l', 201168, 125 },
    { " g gram gm ", 'm', 1, 1 },
    { " kg kilogram ", 'm', 1000, 1 },
    { " mg milligram ", 'm', 1, 1000 },
    { " tonne metricton ", 'm', 1000000, 1 },
    { " lb pound ", 'w', 1, 1 },
    { " oz ounce ", 'w', 1, 16 },
    { " s sec second ", 't', 1, 1 },
    { " min minute ", 't', 60, 1 },
    { " h hr hour ", 't', 3600, 1 },
    { " day ", 't', 86400, 1 },
    { " week ", 't', 604800, 1 },
    { " month ", 'y', 1, 1 },
    { " year yr ", 'y', 12, 1 },
    { " l L liter litre ", 'v', 1, 1 },
    { " ml mL milliliter millilitre ", 'v', 1, 1000 },
    { " cup ", 'u', 1, 1 },
    { " pt pint ", 'u', 2, 1 },
    { " qt quart ", 'u', 4, 1 },
    { " gal gallon ", 'u', 16, 1 },
    { " dollar ", '$', 1, 1 },
    { " cent ", '$', 1, 100 },
    { " N newton ", 'N', 1, 1 },
    { " J joule ", 'J', 1, 1 },
    { " W watt ", 'W', 1, 1 },
    { " V volt ", 'V', 1, 1 },
    { " Hz hertz ", 'f', 1, 1 },
};

/* Abbreviations of a unit per another. */
static const char *const speeds[][2] = { { "mph", "mi/h" },
                                         { "kph", "km/h" },
                                         { "kmph", "km/h" } };

/* A unit, or one per another, without blanks and braces; its power apart. */
struct unit {
    char name[MAX_UNIT], below[MAX_UNIT];
    int power, power_below;
};

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static void drop(char *s, size_t n)
{
    memmove(s, s + n, strlen(s + n) + 1);
}

/* The word "per" at s[i], with blanks around it. */
static bool at_per(struct sxt_span s, size_t i)
{
    return i > 0 && i + 3 < s.len && memcmp(s.data + i, "per", 3) == 0 &&
           strchr(" ~\\", s.data[i - 1]) && strchr(" ~\\", s.data[i + 3]);
}

/* Without blanks and braces, "per" as a slash, cm² as cm^2. */
static bool squeeze(struct sxt_span s, char out[MAX_UNIT])
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (strchr(" .~{}\\$", c))
            continue;
        if (n + 3 > MAX_UNIT)
            return false;
        if (at_per(s, i)) {
            out[n++] = '/';
            i += 2;
        } else if (c == '\xC2' && i + 1 < s.len &&
                   (s.data[i + 1] == '\xB2' || s.data[i + 1] == '\xB3')) {
            out[n++] = '^';
            out[n++] = s.data[++i] == '\xB2' ? '2' : '3';
        } else {
            out[n++] = c;
        }
    }
    out[n] = '\0';
    return true;
}

/* "square meters" and "m^2" as "meter" and "m", 2. */
static int take_power(char *name)
{
    static const struct {
        const char *word;
        int power;
    } prefixes[] = { { "square", 2 }, { "sq", 2 }, { "cubic", 3 } };
    size_t n = strlen(name);
    int power = 1;

    if (n > 2 && name[n - 2] == '^' && strchr("23", name[n - 1])) {
        power = name[n - 1] - '0';
        name[n - 2] = '\0';
    }
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (power == 1 && starts(name, prefixes[i].word) &&
            name[strlen(prefixes[i].word)]) {
            drop(name, strlen(prefixes[i].word));
            power = prefixes[i].power;
        }
    n = strlen(name);
    if (n > 2 && name[n - 1] == 's')
        name[n - 1] = '\0';
    return power;
}

static bool read_unit(struct sxt_span s, struct unit *u)
{
    if (!squeeze(s, u->name))
        return false;
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
        if (strcmp(u->name, speeds[i][0]) == 0)
            strcpy(u->name, speeds[i][1]);
    char *slash = strchr(u->name, '/');
    u->below[0] = '\0';
    if (slash && slash > u->name) {
        strcpy(u->below, slash + 1);
        *slash = '\0';
    }
    u->power = take_power(u->name);
    u->power_below = take_power(u->below);
    return true;
}

static int find(const char *name)
{
    for (size_t i = 0; *name && i < sizeof(units) / sizeof(units[0]); i++)
        for (const char *at = units[i].names; (at = strstr(at, name)); at++)
            if (at[-(at > units[i].names)] == ' ' && at[strlen(name)] == ' ')
                return (int)i;
    return -1;
}

/* In whatever case, but for milli and mega. */
static bool same_name(const char *a, const char *b)
{
    if (find(a) >= 0 && find(a) == find(b))
        return true;
    if (strcmp(a, "sterling") == 0 || strcmp(b, "sterling") == 0)
        return strcmp(a, b) == 0 || strcmp(a, "pound") == 0 ||
               strcmp(b, "pound") == 0;
    if ((*a == 'm' || *b == 'm') && *a != *b && strlen(a) <= 3)
        return false;
    for (; *a && *b; a++, b++)
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    return !*a && !*b;
}

bool sxt_mathunit_agree(struct sxt_span a, struct sxt_span b)
{
    struct unit x, y;

    if (a.len == 0 || b.len == 0)
        return true;
    return read_unit(a, &x) && read_unit(b, &y) && x.power == y.power &&
           x.power_below == y.power_below && same_name(x.name, y.name) &&
           same_name(x.below, y.below);
}

/* *factor becomes as often a/b as `power` says; it stays where the names are
 * the same. */
static bool scale(const char *a, const char *b, int power,
                  struct sxt_rational *factor)
{
    int i = find(a), k = find(b);

    if (same_name(a, b))
        return true;
    if (i < 0 || k < 0 || units[i].kind != units[k].kind)
        return false;
    struct sxt_rational up = { units[i].num, units[i].den };
    struct sxt_rational down = { units[k].den, units[k].num };
    for (; power > 0; power--)
        if (!sxt_rational_mul(*factor, up, factor) ||
            !sxt_rational_mul(*factor, down, factor))
            return false;
    return true;
}

bool sxt_mathunit_factor(struct sxt_span a, struct sxt_span b,
                         struct sxt_rational *factor)
{
    struct unit x, y;

    *factor = (struct sxt_rational){ 1, 1 };
    return read_unit(a, &x) && read_unit(b, &y) && x.power == y.power &&
           x.power_below == y.power_below &&
           scale(x.name, y.name, x.power, factor) &&
           scale(y.below, x.below, x.power_below, factor);
}
