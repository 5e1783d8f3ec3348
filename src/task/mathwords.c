/* mathwords.c - the vocabulary of answers. */
#include "task/mathwords.h"

#include <string.h>

/* LaTeX commands; those not here are unknown to the parser and fail there. */
static const struct sxt_math_word commands[] = {
    /* clang-format off */
    { "left", 0, NULL }, { "right", 0, NULL }, { "middle", 0, NULL },
    { "bigl", 0, NULL }, { "bigr", 0, NULL }, { "Bigl", 0, NULL },
    { "Bigr", 0, NULL }, { "big", 0, NULL }, { "Big", 0, NULL },
    { "bigg", 0, NULL }, { "Bigg", 0, NULL }, { "biggl", 0, NULL },
    { "biggr", 0, NULL }, { "Biggl", 0, NULL }, { "Biggr", 0, NULL },
    { "displaystyle", 0, NULL }, { "textstyle", 0, NULL },
    { "limits", 0, NULL }, { "quad", 0, NULL }, { "qquad", 0, NULL },
    { "boxed", 0, NULL }, { "fbox", 0, NULL }, { "ensuremath", 0, NULL },
    { "rm", 0, NULL }, { "bf", 0, NULL }, { "it", 0, NULL },
    { "nolimits", 0, NULL }, { "thinspace", 0, NULL }, { "le", 'L', NULL },
    { "leq", 'L', NULL }, { "leqslant", 'L', NULL }, { "ge", 'G', NULL },
    { "geq", 'G', NULL }, { "geqslant", 'G', NULL }, { "ne", 'N', NULL },
    { "neq", 'N', NULL }, { "lt", '<', NULL }, { "gt", '>', NULL },
    { "approx", 'A', NULL }, { "in", 'E', NULL }, { "cup", 'U', NULL },
    { "cap", 'I', NULL }, { "setminus", 'O', NULL },
    { "backslash", 'O', NULL }, { "pm", 'P', NULL }, { "mp", 'M', NULL },
    { "circ", 'D', NULL }, { "degree", 'D', NULL }, { "cdot", '*', NULL },
    { "times", '*', NULL }, { "ast", '*', NULL }, { "div", '/', NULL },
    { "infty", 'Y', NULL }, { "emptyset", 'Z', NULL },
    { "varnothing", 'Z', NULL }, { "mid", '|', NULL }, { "vert", '|', NULL },
    { "lvert", '|', NULL }, { "rvert", '|', NULL }, { "colon", ':', NULL },
    { "lbrace", 'S', NULL }, { "rbrace", 's', NULL }, { "lbrack", '[', NULL },
    { "rbrack", ']', NULL }, { "ldots", 't', "..." }, { "dots", 't', "..." },
    { "cdots", 't', "..." }, { "dotsc", 't', "..." }, { "frac", 'c', NULL },
    { "dfrac", 'c', "frac" }, { "tfrac", 'c', "frac" },
    { "cfrac", 'c', "frac" }, { "sqrt", 'c', NULL }, { "binom", 'c', NULL },
    { "choose", 'c', NULL }, { "dbinom", 'c', "binom" },
    { "tbinom", 'c', "binom" }, { "lfloor", 'c', NULL },
    { "rfloor", 'c', NULL }, { "lceil", 'c', NULL }, { "rceil", 'c', NULL },
    { "overline", 'c', "bar" }, { "bar", 'c', NULL }, { "dot", 'c', "bar" },
    { "begin", 'c', NULL }, { "end", 'c', NULL }, { "sum", 'c', NULL },
    { "prod", 'c', NULL }, { "int", 'c', NULL }, { "vec", 'c', "vec" },
    { "overrightarrow", 'c', "vec" }, { "pi", 'v', NULL },
    { "alpha", 'v', NULL }, { "beta", 'v', NULL }, { "gamma", 'v', NULL },
    { "delta", 'v', NULL }, { "epsilon", 'v', NULL },
    { "varepsilon", 'v', NULL }, { "zeta", 'v', NULL }, { "eta", 'v', NULL },
    { "theta", 'v', NULL }, { "vartheta", 'v', NULL }, { "iota", 'v', NULL },
    { "kappa", 'v', NULL }, { "lambda", 'v', NULL }, { "mu", 'v', NULL },
    { "nu", 'v', NULL }, { "xi", 'v', NULL }, { "rho", 'v', NULL },
    { "sigma", 'v', NULL }, { "tau", 'v', NULL }, { "upsilon", 'v', NULL },
    { "phi", 'v', NULL }, { "varphi", 'v', "phi" }, { "chi", 'v', NULL },
    { "psi", 'v', NULL }, { "omega", 'v', NULL }, { "Gamma", 'v', NULL },
    { "Delta", 'v', NULL }, { "Theta", 'v', NULL }, { "Lambda", 'v', NULL },
    { "Sigma", 'v', NULL }, { "Phi", 'v', NULL }, { "Psi", 'v', NULL },
    { "Omega", 'v', NULL }, { "ell", 'v', NULL }, { "sin", 'f', NULL },
    { "cos", 'f', NULL }, { "tan", 'f', NULL }, { "tg", 'f', "tan" },
    { "cot", 'f', NULL }, { "ctg", 'f', "cot" }, { "sec", 'f', NULL },
    { "csc", 'f', NULL }, { "arcsin", 'f', NULL }, { "arccos", 'f', NULL },
    { "arctan", 'f', NULL }, { "arctg", 'f', "arctan" },
    { "arccot", 'f', NULL }, { "sinh", 'f', NULL }, { "cosh", 'f', NULL },
    { "tanh", 'f', NULL }, { "log", 'f', NULL }, { "ln", 'f', NULL },
    { "lg", 'f', NULL }, { "exp", 'f', NULL }, { "gcd", 'f', NULL },
    { "lcm", 'f', NULL }, { "max", 'f', NULL }, { "min", 'f', NULL },
    { "det", 'f', NULL }, { "asin", 'f', "arcsin" },
    { "acos", 'f', "arccos" }, { "atan", 'f', "arctan" },
    { "lor", ',', "or" }, { "vee", ',', "or" }, { "land", ',', "and" },
    { "wedge", ',', "and" }, { "leqq", 'L', NULL }, { "geqq", 'G', NULL },
    { "lVert", '|', NULL }, { "rVert", '|', NULL }, { "simeq", 'A', NULL },
    { "sech", 'f', NULL }, { "csch", 'f', NULL }, { "coth", 'f', NULL },
    { "cosec", 'f', "csc" }, { "arcsinh", 'f', "arsinh" },
    { "arccosh", 'f', "arcosh" }, { "arctanh", 'f', "artanh" },
    { "arsinh", 'f', NULL }, { "arcosh", 'f', NULL }, { "artanh", 'f', NULL },
    { "arcsec", 'f', NULL }, { "arccsc", 'f', NULL },
    { "pounds", 'C', "sterling" }, { "euro", 'C', "euro" },
    { "varkappa", 'v', "kappa" }, { "varrho", 'v', "rho" },
    { "Pi", 'v', NULL }, { "Xi", 'v', NULL }, { "smallsetminus", 'O', NULL },
    { "underline", 0, NULL }, { "small", 0, NULL }, { "large", 0, NULL },
    { "scriptstyle", 0, NULL }, { "medspace", 0, NULL },
    { "enspace", 0, NULL }, { "bigcup", 'U', NULL }, { "hfill", 0, NULL },
    { "null", 0, NULL }, { "over", 'c', NULL }, { "hat", 'c', NULL },
    { "widehat", 'c', "hat" }, { "angle", 0, NULL }, { "triangle", 0, NULL },
    { "measuredangle", 0, NULL }, { "langle", '(', NULL },
    { "rangle", ')', NULL }, { "lparen", '(', NULL }, { "rparen", ')', NULL },
    { "bullet", '*', NULL }, { "centerdot", '*', NULL },
    { NULL, 0, NULL }
    /* clang-format on */
};

/* Bare words that are no text: everything else of four or more letters is. */
static const struct sxt_math_word words[] = {
    { "and", ',', "and" },       { "or", ',', "or" },
    { "inf", 'Y', NULL },        { "infinity", 'Y', NULL },
    { "percent", '%', NULL },    { "pct", '%', NULL },
    { "percentage", '%', NULL }, { "degree", 'D', NULL },
    { "degrees", 'D', NULL },    { "sqrt", 'c', NULL },
    { "USD", 'C', "dollar" },    { "US$", 'C', "dollar" },
    { "US\\$", 'C', "dollar" },  { "EUR", 'C', "euro" },
    { "GBP", 'C', "sterling" },  { NULL, 0, NULL }
};

/* Short words that are units or text rather than products of letters. */
static const char *const short_words[] = {
    "cm",  "mm",  "km",  "kg",  "mg",  "ml",  "mL",  "ft",  "in",  "yd",
    "mi",  "hr",  "is",  "no",  "to",  "of",  "at",  "if",  "sq",  "am",
    "pm",  "odd", "one", "two", "six", "ten", "yes", "day", "men", "min",
    "sec", "gm",  "not", "the", "for", "all", "any", "mph", "lbs", "hrs",
    "mod", "but", "few", "day", "DNE", "NaN", "nan", "kph", NULL
};

/* These may be products: lb is the area of a rectangle. */
static const char *const short_units[] = {
    "lb", "oz", "qt", "gal", "Hz", NULL
};

static const struct sxt_math_word unicode[] = {
    { "π", 'v', "pi" },    { "θ", 'v', "theta" }, { "α", 'v', "alpha" },
    { "β", 'v', "beta" },  { "γ", 'v', "gamma" }, { "λ", 'v', "lambda" },
    { "φ", 'v', "phi" },   { "ω", 'v', "omega" }, { "√", 'c', "sqrt" },
    { "°", 'D', NULL },    { "≤", 'L', NULL },    { "⩽", 'L', NULL },
    { "≥", 'G', NULL },    { "⩾", 'G', NULL },    { "≠", 'N', NULL },
    { "−", '-', NULL },    { "–", '-', NULL },    { "×", '*', NULL },
    { "·", '*', NULL },    { "⋅", '*', NULL },    { "∗", '*', NULL },
    { "÷", '/', NULL },    { "⁄", '/', NULL },    { "∞", 'Y', NULL },
    { "∪", 'U', NULL },    { "∩", 'I', NULL },    { "∈", 'E', NULL },
    { "±", 'P', NULL },    { "∓", 'M', NULL },    { "∅", 'Z', NULL },
    { "∖", 'O', NULL },    { "∨", ',', "or" },    { "≈", 'A', NULL },
    { "…", 't', "..." },   { "€", 'C', "euro" },  { "£", 'C', "sterling" },
    { "¥", 'C', "yen" },   { "₹", 'C', "rupee" }, { "，", ',', NULL },
    { "、", ',', NULL },   { "≦", 'L', NULL },    { "≧", 'G', NULL },
    { "\u00a0", 0, NULL }, { "\u2009", 0, NULL }, { "\u202f", 0, NULL },
    { "\u2002", 0, NULL }, { "\u2003", 0, NULL }, { "\u200b", 0, NULL },
    { NULL, 0, NULL }
};

static const struct {
    const char *sign, *above, *below;
} fractions[] = { { "½", "1", "2" }, { "⅓", "1", "3" }, { "⅔", "2", "3" },
                  { "¼", "1", "4" }, { "¾", "3", "4" }, { "⅕", "1", "5" },
                  { "⅖", "2", "5" }, { "⅗", "3", "5" }, { "⅘", "4", "5" },
                  { "⅙", "1", "6" }, { "⅚", "5", "6" }, { "⅛", "1", "8" },
                  { "⅜", "3", "8" }, { "⅝", "5", "8" }, { "⅞", "7", "8" } };

/* Commands whose first arguments are no part of the answer. */
static const struct {
    const char *name;
    int arguments;
} dress[] = { { "color", 1 },    { "textcolor", 1 }, { "colorbox", 1 },
              { "hspace", 1 },   { "vspace", 1 },    { "phantom", 1 },
              { "tag", 1 },      { "label", 1 },     { "bbox", 0 },
              { "fcolorbox", 2 } };

static const char *const wrappers[] = {
    "text",       "mathrm",     "mbox",         "textbf", "textit",
    "mathbf",     "textnormal", "operatorname", "mathit", "hbox",
    "textrm",     "mathsf",     "textsf",       "emph",   "texttt",
    "boldsymbol", "bm",         "rm",           "bold",   NULL
};

static const struct sxt_math_word *find(const struct sxt_math_word *table,
                                        const char *p, size_t n)
{
    for (; table->name; table++)
        if (strlen(table->name) == n && memcmp(table->name, p, n) == 0)
            return table;
    return NULL;
}

static bool among(const char *const *list, const char *p, size_t n)
{
    for (; *list; list++)
        if (strlen(*list) == n && memcmp(*list, p, n) == 0)
            return true;
    return false;
}

const struct sxt_math_word *sxt_mathwords_command(const char *p, size_t n)
{
    return find(commands, p, n);
}

const struct sxt_math_word *sxt_mathwords_bare(const char *p, size_t n)
{
    return find(words, p, n);
}

bool sxt_mathwords_is_short(const char *p, size_t n)
{
    return among(short_words, p, n);
}

bool sxt_mathwords_is_unit(const char *p, size_t n)
{
    return among(short_units, p, n);
}

bool sxt_mathwords_is_wrapper(const char *p, size_t n)
{
    return among(wrappers, p, n);
}

int sxt_mathwords_dress(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof(dress) / sizeof(dress[0]); i++)
        if (strlen(dress[i].name) == n && memcmp(dress[i].name, p, n) == 0)
            return dress[i].arguments;
    return -1;
}

size_t sxt_mathwords_fraction(const char *p, size_t left, const char **above,
                              const char **below)
{
    for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
        size_t n = strlen(fractions[i].sign);
        if (left < n || memcmp(p, fractions[i].sign, n) != 0)
            continue;
        *above = fractions[i].above;
        *below = fractions[i].below;
        return n;
    }
    return 0;
}

/* The ten digits; then - as far as there is one. */
static size_t among_digits(const char *const *digits, const char *p,
                           size_t left, char *digit)
{
    for (int i = 0; digits[i]; i++)
        if (left >= strlen(digits[i]) &&
            memcmp(p, digits[i], strlen(digits[i])) == 0) {
            *digit = "0123456789-"[i];
            return strlen(digits[i]);
        }
    return 0;
}

size_t sxt_mathwords_small(const char *p, size_t left, char *place, char *digit)
{
    static const char *const above[] = { "⁰", "¹", "²", "³", "⁴", "⁵",
                                         "⁶", "⁷", "⁸", "⁹", "⁻", NULL };
    static const char *const below[] = { "₀", "₁", "₂", "₃", "₄", "₅",
                                         "₆", "₇", "₈", "₉", NULL };
    size_t n = among_digits(above, p, left, digit);

    *place = n > 0 ? '^' : '_';
    return n > 0 ? n : among_digits(below, p, left, digit);
}

const struct sxt_math_word *sxt_mathwords_unicode(const char *p, size_t left)
{
    for (const struct sxt_math_word *w = unicode; w->name; w++)
        if (left >= strlen(w->name) && memcmp(p, w->name, strlen(w->name)) == 0)
            return w;
    return NULL;
}
