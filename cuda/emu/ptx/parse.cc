/* parse.cc - reads the instructions of a kernel: finds their rows in the tables
 * and gives every operand a slot of the register file. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <unordered_map>

#include "cuda/emu/fibre.h"
#include "cuda/emu/ptx/text.h"

namespace ptx
{

struct place_of {
    u32 slot;
    char storage;
};

/* Constants take a letter that fits all: the row says which storage. */
enum { ANY = '#' };

struct operand {
    char storage; /* as in op::operands, or ANY */
    u32 slot;
    u64 value;  /* of ANY */
    pointer at; /* of ADDRESS */
    u32 vector; /* how many operands begin here as one vector; else 0 */
};

struct parser {
    std::string path;
    kernel *k;
    u32 line, place, bytes; /* of registers so far */
    std::vector<std::unordered_map<std::string, place_of>> scopes;
    std::unordered_map<std::string, u64> symbols;
    std::unordered_map<std::string, u32> labels, places;
    std::map<std::pair<u64, char>, u32> constants; /* their slots */
    std::vector<std::pair<u32, std::string>> branches;
};

static const char *const special_names[SPECIALS] = {
    "%tid.x",    "%tid.y",    "%tid.z",   "%ntid.x",  "%ntid.y",
    "%ntid.z",   "%ctaid.x",  "%ctaid.y", "%ctaid.z", "%nctaid.x",
    "%nctaid.y", "%nctaid.z", "%laneid",
};

[[noreturn]] static void refuse(const parser &p, const char *what,
                                const std::string &text)
{
    sxt_emu_fail("%s:%u: %s: %s", p.path.c_str(), p.line, what, text.c_str());
}

/* ---- the tables ---- */

static const std::unordered_multimap<std::string, op> &table()
{
    static std::unordered_multimap<std::string, op> all;
    static std::vector<op> (*const parts[])() = {
        integer_ops, float_ops, convert_ops, memory_ops, warp_ops, flow_ops,
    };

    if (all.empty())
        for (auto part : parts)
            for (const op &o : part())
                all.insert({ o.name, o });
    return all;
}

/* Hints and scopes change nothing here: one multiprocessor, in order. */
static bool is_hint(const std::string &part)
{
    static const char *const hints[] = {
        "volatile", "relaxed", "weak", "gpu", "cta", "sys", "nc", "ca",
        "cg",       "cs",      "cv",   "lu",  "wb",  "wt",  "v2", "v4",
    };

    for (const char *h : hints)
        if (part == h)
            return true;
    return part.compare(0, 2, "L1") == 0 || part.compare(0, 2, "L2") == 0;
}

/* The name of its row: of loads, stores and atomics without hints. */
static std::string row_name(const std::string &name)
{
    std::string kept, part;
    size_t dot = name.find('.');
    std::string first = name.substr(0, dot);

    if (first != "ld" && first != "st" && first != "atom" && first != "red")
        return name;
    for (size_t from = 0; from < name.size(); from += part.size() + 1) {
        part = name.substr(from, name.find('.', from) - from);
        if (!is_hint(part))
            kept += (kept.empty() ? "" : ".") + part;
    }
    return kept;
}

/* ---- registers and constants ---- */

static u32 new_slot(parser *p, char storage)
{
    u32 slot = (p->bytes + 31) / 32 * 32;

    p->bytes = slot + bytes_of((enum storage)storage);
    return slot;
}

void parse_registers(parser *p, const std::string &declaration, u32 line)
{
    size_t type = declaration.find('.'), name = declaration.find('%');
    std::string width = declaration.substr(type + 1, 4), list;
    char s = width == "pred"                         ? BITS
             : width.find("64") != std::string::npos ? LONG
                                                     : WORD;

    p->line = line;
    list = declaration.substr(name);
    for (char *one = strtok(&list[0], ", \t\n"); one;
         one = strtok(NULL, ", \t\n")) {
        char *range = strchr(one, '<');
        if (!range) {
            p->scopes.back()[one] = { new_slot(p, s), s };
            continue;
        }
        *range = 0;
        for (long i = 0, n = strtol(range + 1, NULL, 10); i < n; i++)
            p->scopes.back()[one + std::to_string(i)] = { new_slot(p, s), s };
    }
}

static u32 constant_slot(parser *p, u64 value, char storage)
{
    auto key = std::make_pair(value, storage);

    if (!p->constants.count(key))
        p->constants[key] = new_slot(p, storage);
    return p->constants[key];
}

static operand special_operand(parser *p, const std::string &name)
{
    for (u32 s = 0; s < SPECIALS; s++)
        if (name == special_names[s]) {
            if (!p->k->special[s])
                p->k->special[s] = new_slot(p, WORD);
            return { WORD, p->k->special[s], 0, {}, 0 };
        }
    refuse(*p, "unknown register", name);
}

static operand register_operand(parser *p, const std::string &name)
{
    for (size_t i = p->scopes.size(); i-- > 0;) {
        auto found = p->scopes[i].find(name);
        if (found != p->scopes[i].end())
            return { found->second.storage, found->second.slot, 0, {}, 0 };
    }
    return special_operand(p, name);
}

static u64 number(const parser &p, const std::string &text)
{
    char *end;
    u64 x;

    if (text[0] == '0' && text.size() > 2 && strchr("fFdD", text[1]))
        return strtoull(text.c_str() + 2, NULL, 16);
    x = text[0] == '-' ? (u64)strtoll(text.c_str(), &end, 0)
                       : strtoull(text.c_str(), &end, 0);
    if (end == text.c_str() || (*end && *end != 'U'))
        refuse(p, "unknown operand", text);
    return x;
}

/* ---- operands ---- */

static std::string trim(const std::string &s)
{
    size_t from = s.find_first_not_of(" \t\n"),
           to = s.find_last_not_of(" \t\n");

    return from == std::string::npos ? "" : s.substr(from, to - from + 1);
}

static std::vector<std::string> split(const std::string &s, char at)
{
    std::vector<std::string> all;
    std::string one;
    int depth = 0;

    for (char c : s) {
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (c == at && depth == 0) {
            all.push_back(trim(one));
            one.clear();
        } else {
            one += c;
        }
    }
    one = trim(one);
    if (!one.empty())
        all.push_back(one);
    return all;
}

static operand simple_operand(parser *p, const std::string &text)
{
    auto symbol = p->symbols.find(text);

    if (text[0] == '%')
        return register_operand(p, text);
    if (text == "_")
        return { WORD, new_slot(p, LONG), 0, {}, 0 };
    if (symbol != p->symbols.end())
        return { ANY, 0, symbol->second, {}, 0 };
    return { ANY, 0, number(*p, text), {}, 0 };
}

/* [register], [name + 4], [register + -8] */
static operand address_operand(parser *p, const std::string &text)
{
    size_t plus = text.find('+');
    operand base = simple_operand(p, trim(text.substr(0, plus)));
    s64 offset = plus == std::string::npos
                     ? 0
                     : (s64)number(*p, trim(text.substr(plus + 1)));

    if (base.storage == ANY)
        base = { LONG, constant_slot(p, base.value, LONG), 0, {}, 0 };
    return { ADDRESS, 0, 0, { base.slot, base.storage == LONG, offset }, 0 };
}

static void add_operand(parser *p, const std::string &text,
                        std::vector<operand> *all)
{
    if (text[0] == '[') {
        all->push_back(address_operand(p, text.substr(1, text.size() - 2)));
        return;
    }
    if (text[0] == '{') {
        auto parts = split(text.substr(1, text.size() - 2), ',');
        size_t first = all->size();
        for (const std::string &x : parts)
            all->push_back(simple_operand(p, x));
        (*all)[first].vector = (u32)parts.size();
        return;
    }
    for (const std::string &x : split(text, '|'))
        all->push_back(simple_operand(p, x));
}

/* Whether the operands are those of the row. */
static bool fits(const op &o, const std::vector<operand> &all, bool any_vector)
{
    size_t i = 0;

    for (size_t c = 0; c < o.operands.size(); c++) {
        bool wants = c + 1 < o.operands.size() && isdigit(o.operands[c + 1]);
        u32 n = i < all.size() && all[i].vector ? all[i].vector : 1;
        if (!any_vector && all.size() > i && (all[i].vector > 0) != wants)
            return false;
        if (wants && n != (u32)(o.operands[c + 1] - '0'))
            return false;
        for (u32 k = 0; k < n; k++, i++)
            if (i >= all.size() ||
                (all[i].storage != o.operands[c] &&
                 !(all[i].storage == ANY && o.operands[c] != ADDRESS)))
                return false;
        c += wants;
    }
    return i == all.size();
}

static const op *find_row(const parser &p, const std::string &name,
                          const std::vector<operand> &all)
{
    std::string plain = row_name(name);
    auto range = table().equal_range(plain);

    for (auto at = range.first; at != range.second; ++at)
        if (fits(at->second, all, plain != name || at->second.what == MEMORY))
            return &at->second;
    refuse(p,
           range.first == range.second
               ? "the interpreter does not know the instruction"
               : "the interpreter does not know these operands of",
           name);
}

/* The letter of the row for each operand, vectors spread. */
static std::string letters(const op &o, const std::vector<operand> &all)
{
    std::string s;

    for (size_t c = 0; c < o.operands.size(); c++) {
        if (isdigit(o.operands[c]))
            continue;
        u32 n = all[s.size()].vector;
        s.append(n > 0 ? n : 1, o.operands[c]);
    }
    return s;
}

/* ---- instructions ---- */

static void set_guard(parser *p, insn *i, std::string *text)
{
    size_t end = text->find_first_of(" \t");

    i->guard = -1;
    if ((*text)[0] != '@')
        return;
    i->unless = (*text)[1] == '!';
    operand o = register_operand(
        p, text->substr(i->unless ? 2 : 1, end - (i->unless ? 2 : 1)));
    i->guard = (s32)o.slot;
    *text = trim(text->substr(end));
}

static void set_operands(parser *p, insn *i, const std::vector<operand> &all)
{
    std::string letter = letters(*i->is, all);
    u32 pointers = 0;

    if (all.size() > MOST_OPERANDS)
        refuse(*p, "too many operands", i->is->name);
    for (size_t k = 0; k < all.size(); k++) {
        const operand &o = all[k];
        if (o.storage == ADDRESS)
            i->at[pointers++] = o.at;
        else
            i->slot[i->n++] = o.storage == ANY
                                  ? constant_slot(p, o.value, letter[k])
                                  : o.slot;
    }
}

void parse_instruction(parser *p, const std::string &statement, u32 line)
{
    std::string text = trim(statement);
    std::vector<operand> all;
    insn i = {};

    p->line = line;
    set_guard(p, &i, &text);
    size_t end = text.find_first_of(" \t");
    std::string name = text.substr(0, end);
    std::string rest = end == std::string::npos ? "" : trim(text.substr(end));
    if (name == "bra" || name == "bra.uni")
        p->branches.push_back({ (u32)p->k->code.size(), rest });
    else
        for (const std::string &x : split(rest, ','))
            add_operand(p, x, &all);
    i.is = find_row(*p, name, all);
    i.line = line;
    i.place = p->place;
    set_operands(p, &i, all);
    p->k->code.push_back(i);
}

/* ---- the rest ---- */

parser *parse_begin(const std::string &path, kernel *k)
{
    parser *p = new parser();

    p->path = path;
    p->k = k;
    p->bytes = 32; /* slot 0 is nobody's */
    p->scopes.resize(1);
    return p;
}

void parse_symbol(parser *p, const std::string &name, u64 address)
{
    p->symbols[name] = address;
}

void parse_scope(parser *p, bool open)
{
    if (open)
        p->scopes.emplace_back();
    else
        p->scopes.pop_back();
}

void parse_label(parser *p, const std::string &name)
{
    p->labels[name] = (u32)p->k->code.size();
}

void parse_place(parser *p, const std::string &place)
{
    if (!p->places.count(place)) {
        p->places[place] = (u32)p->k->places.size();
        p->k->places.push_back(place);
    }
    p->place = p->places[place];
}

/* Registers begin with bits of NaN, constants with their value. */
static void make_image(const parser &p, std::vector<char> *image)
{
    image->assign(p.bytes, (char)0xff);
    for (auto &c : p.constants) {
        char *at = image->data() + c.second;
        for (u32 lane = 0; lane < LANES; lane++) {
            if (c.first.second == LONG)
                memcpy(at + 8 * lane, &c.first.first, 8);
            else if (c.first.second == WORD)
                memcpy(at + 4 * lane, &c.first.first, 4);
        }
        if (c.first.second == BITS)
            memset(at, c.first.first ? 0xff : 0, 4);
    }
}

void parse_end(parser *p)
{
    for (auto &b : p->branches) {
        if (!p->labels.count(b.second))
            refuse(*p, "unknown label", b.second);
        p->k->code[b.first].target = p->labels[b.second];
    }
    p->bytes = (p->bytes + 63) / 64 * 64;
    make_image(*p, &p->k->image);
    delete p;
}

} // namespace ptx
