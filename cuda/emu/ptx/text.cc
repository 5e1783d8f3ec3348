/* text.cc - reads PTX files: finds a kernel, its parameters and its memory, and
 * hands its statements to parse.cc.
 *
 * SXT_EMU_PTX is a folder, of which all NAME.ptx count, or one file. */
#include "cuda/emu/ptx/text.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <memory>

#include "cuda/emu/fibre.h"

namespace ptx
{

struct variable {
    u32 bytes, align;
};

struct module {
    std::string path, text;
    std::map<std::string, variable> shared;   /* declared outside of kernels */
    std::map<std::string, std::string> files; /* of .loc, by number */
};

/* A place in a module's text. */
struct reader {
    const module *m;
    size_t at;
    u32 line;
};

static u32 round_up(u32 x, u32 unit)
{
    return (x + unit - 1) / unit * unit;
}

/* ---- statements ---- */

static void skip_space(reader *r)
{
    const std::string &s = r->m->text;

    for (;;) {
        while (r->at < s.size() && isspace((unsigned char)s[r->at]))
            r->line += s[r->at++] == '\n';
        if (s.compare(r->at, 2, "//") != 0)
            return;
        r->at = s.find('\n', r->at);
    }
}

static std::string up_to(reader *r, const char *ends)
{
    const std::string &s = r->m->text;
    size_t from = r->at, to = s.find_first_of(ends, from);

    if (to == std::string::npos)
        sxt_emu_fail("%s:%u: ends in a statement", r->m->path.c_str(), r->line);
    for (size_t i = from; i <= to; i++)
        r->line += s[i] == '\n';
    r->at = to + 1;
    return s.substr(from, to - from);
}

static std::vector<std::string> words(const std::string &s)
{
    std::vector<std::string> all;
    std::string one;

    for (char c : s + " ") {
        if (!isspace((unsigned char)c) && c != ',') {
            one += c;
        } else if (!one.empty()) {
            all.push_back(one);
            one.clear();
        }
    }
    return all;
}

/* ".shared .align 4 .b8 NAME[1024]", ".param .u64 NAME": its name and size. */
static variable declared(const std::string &text, std::string *name)
{
    variable v = { 0, 0 };
    u32 width = 0;
    std::vector<std::string> all = words(text);

    for (size_t i = 0; i < all.size(); i++) {
        const std::string &x = all[i];
        if (x == ".align")
            v.align = (u32)atoi(all[++i].c_str());
        else if (x[0] == '.' && strchr("bsuf", x[1]) && isdigit(x[2]))
            width = (u32)atoi(x.c_str() + 2) / 8;
        else if (x[0] != '.')
            *name = x;
    }
    size_t bracket = name->find('[');
    v.bytes = width;
    if (bracket != std::string::npos) {
        v.bytes *= (u32)atoi(name->c_str() + bracket + 1);
        name->resize(bracket);
    }
    if (v.align == 0)
        v.align = width;
    return v;
}

/* ---- source lines ---- */

static std::string base_name(const std::string &path)
{
    return path.substr(path.rfind('/') + 1);
}

/* ".loc 2 91 5, function_name $L, inlined_at 1 19 9": where the code stands
 * that was not inlined, in so far as `outer` knows. */
static std::string source_line(const module &m, const std::string &text,
                               std::map<std::string, std::string> *outer)
{
    std::vector<std::string> w = words(text);
    std::string at = w[1] + " " + w[2] + " " + w[3];

    for (size_t i = 4; i + 3 < w.size(); i++)
        if (w[i] == "inlined_at")
            (*outer)[at] = w[i + 1] + " " + w[i + 2] + " " + w[i + 3];
    for (int depth = 0; outer->count(at) && depth < 20; depth++)
        at = (*outer)[at];
    w = words(at);
    auto file = m.files.find(w[0]);
    return (file == m.files.end() ? "?" : file->second) + ":" + w[1];
}

/* ---- a kernel ---- */

static void read_params(reader *r, kernel *k, parser *p)
{
    std::string name, list = up_to(r, ")");
    size_t from = 0, to;

    for (; from < list.size(); from = to + 1) {
        to = list.find(',', from);
        if (to == std::string::npos)
            to = list.size();
        std::string one = list.substr(from, to - from);
        if (one.find(".param") == std::string::npos)
            continue;
        variable v = declared(one, &name);
        u32 offset = round_up(k->param_bytes, v.align);
        k->params.push_back({ offset, v.bytes, v.align });
        k->param_bytes = offset + v.bytes;
        parse_symbol(p, name, offset);
    }
}

/* Between the parameters and the body. */
static void read_limits(reader *r, kernel *k)
{
    std::vector<std::string> w = words(up_to(r, "{"));

    k->most_threads = 1024;
    for (size_t i = 0; i + 3 < w.size(); i++)
        if (w[i] == ".maxntid")
            k->most_threads =
                (u32)(atoi(w[i + 1].c_str()) * atoi(w[i + 2].c_str()) *
                      atoi(w[i + 3].c_str()));
}

static void place_shared(kernel *k, parser *p, const std::string &name,
                         variable v)
{
    k->shared_bytes = round_up(k->shared_bytes, v.align);
    parse_symbol(p, name, k->shared_bytes);
    k->shared_bytes += v.bytes;
}

/* Shared memory that the module declares and the body names; the dynamic part
 * (of 0 bytes) lies behind all others. */
static void place_outer_shared(const reader &r, kernel *k, parser *p,
                               const std::string &body)
{
    for (int dynamic = 0; dynamic < 2; dynamic++)
        for (auto &v : r.m->shared)
            if ((v.second.bytes == 0) == dynamic &&
                body.find(v.first) != std::string::npos)
                place_shared(k, p, v.first, v.second);
}

static void read_declaration(kernel *k, parser *p, const std::string &text,
                             u32 line)
{
    std::string name, what = words(text)[0];

    if (what == ".reg") {
        parse_registers(p, text.substr(text.find(".reg") + 4), line);
    } else if (what == ".shared") {
        variable v = declared(text, &name);
        place_shared(k, p, name, v);
    } else if (what == ".local") {
        variable v = declared(text, &name);
        k->local_bytes = round_up(k->local_bytes, v.align);
        parse_symbol(p, name, k->local_bytes);
        k->local_bytes += v.bytes;
    } else if (what != ".pragma") {
        sxt_emu_fail("%s:%u: %s is not known", k->file.c_str(), line,
                     what.c_str());
    }
}

/* The length of "LABEL:" at r, or 0. */
static size_t label_length(const reader &r)
{
    const std::string &s = r.m->text;
    size_t n = 0;

    while (isalnum((unsigned char)s[r.at + n]) ||
           strchr("_$%", s[r.at + n]) != NULL)
        n++;
    return n > 0 && s[r.at + n] == ':' ? n : 0;
}

/* Declarations first (PTX lets variables stand before their use only), so that
 * the dynamic shared memory can lie behind the static. */
static void read_body(reader *r, kernel *k, parser *p)
{
    std::map<std::string, std::string> outer;
    const std::string &s = r->m->text;
    size_t n;

    for (int depth = 1; depth > 0;) {
        skip_space(r);
        u32 line = r->line;
        if (s[r->at] == '{' || s[r->at] == '}') {
            bool open = s[r->at++] == '{';
            depth += open ? 1 : -1;
            if (depth > 0)
                parse_scope(p, open);
        } else if (s.compare(r->at, 5, ".loc\t") == 0 ||
                   s.compare(r->at, 5, ".loc ") == 0) {
            parse_place(p, source_line(*r->m, up_to(r, "\n"), &outer));
        } else if (s[r->at] == '.') {
            read_declaration(k, p, up_to(r, ";"), line);
        } else if ((n = label_length(*r)) > 0) {
            parse_label(p, s.substr(r->at, n));
            r->at += n + 1;
        } else {
            parse_instruction(p, up_to(r, ";"), line);
        }
    }
}

/* Shared variables of the kernel itself, before those of the module. */
static u32 own_shared(const std::string &body)
{
    u32 bytes = 0;
    std::string name;

    for (size_t at = 0; (at = body.find("\t.shared ", at)) != std::string::npos;
         at++) {
        variable v = declared(body.substr(at, body.find(';', at) - at), &name);
        bytes = round_up(bytes, v.align) + v.bytes;
    }
    return bytes;
}

static std::unique_ptr<kernel> read_kernel(const module &m,
                                           const std::string &name, size_t at)
{
    std::unique_ptr<kernel> k(new kernel());
    reader r = { &m, at, 1 };
    parser *p = parse_begin(m.path, k.get());

    for (size_t i = 0; i < at; i++)
        r.line += m.text[i] == '\n';
    k->name = name;
    k->file = m.path;
    k->places.push_back("?");
    up_to(&r, "(");
    read_params(&r, k.get(), p);
    read_limits(&r, k.get());
    std::string body = m.text.substr(r.at, m.text.find("\n}", r.at) - r.at);
    u32 own = own_shared(body);
    k->shared_bytes = own;
    place_outer_shared(r, k.get(), p, body);
    k->dynamic_at = k->shared_bytes;
    k->shared_bytes = 0;
    read_body(&r, k.get(), p);
    k->shared_bytes = k->dynamic_at;
    parse_end(p);
    return k;
}

/* ---- modules ---- */

static std::string contents(const std::string &path)
{
    std::string all;
    char part[65536];
    size_t n;
    FILE *f = fopen(path.c_str(), "rb");

    if (!f)
        sxt_emu_fail("SXT_EMU_PTX: %s cannot be read", path.c_str());
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        all.append(part, n);
    fclose(f);
    return all;
}

static void add_module(std::vector<std::unique_ptr<module>> *all,
                       const std::string &path)
{
    std::unique_ptr<module> m(new module());
    std::string name;

    m->path = path;
    m->text = contents(path);
    for (size_t at = 0, to; at < m->text.size(); at = to + 1) {
        to = m->text.find('\n', at);
        if (to == std::string::npos)
            to = m->text.size();
        std::string line = m->text.substr(at, to - at);
        if (line.compare(0, 7, ".shared") == 0 ||
            line.compare(0, 14, ".extern .share") == 0) {
            line = line.substr(0, line.find(';'));
            variable v = declared(line, &name);
            m->shared[name] = v;
        } else if (line.find(".file") < 2) {
            size_t quote = line.find('"');
            m->files[words(line)[1]] = base_name(
                line.substr(quote + 1, line.find('"', quote + 1) - quote - 1));
        }
    }
    all->push_back(std::move(m));
}

static std::vector<std::unique_ptr<module>> read_modules(const char *path)
{
    std::vector<std::unique_ptr<module>> all;
    DIR *dir = opendir(path);

    if (!dir) {
        add_module(&all, path);
        return all;
    }
    while (struct dirent *e = readdir(dir)) {
        std::string name = e->d_name;
        if (name.size() > 4 && name.compare(name.size() - 4, 4, ".ptx") == 0)
            add_module(&all, std::string(path) + "/" + name);
    }
    closedir(dir);
    return all;
}

const kernel *find_kernel(const char *name)
{
    static std::vector<std::unique_ptr<module>> modules =
        read_modules(getenv("SXT_EMU_PTX"));
    static std::map<std::string, std::unique_ptr<kernel>> known;
    auto found = known.find(name);

    if (found != known.end())
        return found->second.get();
    std::string entry = std::string(".entry ") + name + "(";
    for (auto &m : modules) {
        size_t at = m->text.find(entry);
        if (at != std::string::npos)
            return (known[name] = read_kernel(*m, name, at)).get();
    }
    return NULL;
}

} // namespace ptx
