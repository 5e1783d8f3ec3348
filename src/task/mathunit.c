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
    { " lb pound ", 'w', 1, 1 },
    { " oz ounce ", 'w', 1, 16 },
    { " s sec second ", 't', 1, 1 },
    { " min minute ", 't', 60, 1 },
    { " h hr hour ", 't', 3600, 1 },
    { " day ", 't', 86400, 1 },
    { " week ", 't', 604800, 1 },
    { " l L liter litre ", 'v', 1, 1 },
    { " ml mL milliliter millilitre ", 'v', 1, 1000 },
    { " dollar ", '$', 1, 1 },
    { " cent ", '$', 1, 100 },
    { " km/h km/hr kmph kph ", 's', 1, 1 },
    { " m/s ", 's', 18, 5 },
    { " mph mi/h mile/hour mileperhour ", 'S', 1, 1 },
};

/* A unit without blanks and braces, its power apart. */
struct unit {
    char name[MAX_UNIT];
    int power;
};

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static void drop(char *s, size_t n)
{
    memmove(s, s + n, strlen(s + n) + 1);
}

static bool read_unit(struct sxt_span s, struct unit *u)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (strchr(" .~{}\\$", s.data[i]))
            continue;
        if (n + 1 == MAX_UNIT)
            return false;
        u->name[n++] = s.data[i];
    }
    u->name[n] = '\0';
    u->power = 1;
    if (n > 2 && u->name[n - 2] == '^' && strchr("23", u->name[n - 1])) {
        u->power = u->name[n - 1] - '0';
        u->name[n -= 2] = '\0';
    }
    static const struct {
        const char *word;
        int power;
    } prefixes[] = { { "square", 2 }, { "sq", 2 }, { "cubic", 3 } };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (u->power == 1 && starts(u->name, prefixes[i].word) &&
            u->name[strlen(prefixes[i].word)]) {
            drop(u->name, strlen(prefixes[i].word));
            u->power = prefixes[i].power;
        }
    n = strlen(u->name);
    if (n > 2 && u->name[n - 1] == 's' && u->name[n - 2] != '/')
        u->name[n - 1] = '\0';
    return true;
}

static int find(const char *name)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        for (const char *at = units[i].names; (at = strstr(at, name)); at++)
            if (at[-(at > units[i].names)] == ' ' && at[strlen(name)] == ' ')
                return (int)i;
    return -1;
}

static bool same_name(const char *a, const char *b)
{
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
    if (!read_unit(a, &x) || !read_unit(b, &y) || x.power != y.power)
        return false;
    return same_name(x.name, y.name) ||
           (find(x.name) >= 0 && find(x.name) == find(y.name));
}

bool sxt_mathunit_factor(struct sxt_span a, struct sxt_span b,
                         struct sxt_rational *factor)
{
    struct sxt_rational one;
    struct unit x, y;

    if (!read_unit(a, &x) || !read_unit(b, &y) || x.power != y.power)
        return false;
    int i = find(x.name), k = find(y.name);
    if (i < 0 || k < 0 || units[i].kind != units[k].kind)
        return false;
    one = (struct sxt_rational){ units[i].num, units[i].den };
    struct sxt_rational inverse = { units[k].den, units[k].num };
    if (!sxt_rational_mul(one, inverse, &one))
        return false;
    *factor = one;
    for (int n = 1; n < x.power; n++)
        if (!sxt_rational_mul(*factor, one, factor))
            return false;
    return true;
}
