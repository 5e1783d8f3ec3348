/* report.cc - counts what kernels do, and prints it when the process ends. */
#include "cuda/emu/ptx/report.h"

#include <cxxabi.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <map>

#include "cuda/emu/fibre.h"

namespace ptx
{

bool is_counting;

struct traffic {
    u64 moved, ideal;
};

/* Of an instruction or, summed, of a line or a kernel. */
struct tally {
    u64 issued, lanes; /* times, and lanes that took part in them */
    traffic sectors, wavefronts;
};

struct counts {
    u64 launches;
    std::vector<tally> of; /* kernel::code */
};

static std::map<const kernel *, counts> &all_counts()
{
    static std::map<const kernel *, counts> all;

    return all;
}

static counts *current;

/* ---- counting ---- */

static void print_report();

void count_launch(const kernel &k)
{
    if (!getenv("SXT_EMU_PTX_REPORT"))
        return;
    current = &all_counts()[&k]; /* lives longer than what is registered now */
    if (!is_counting)
        atexit(print_report);
    is_counting = true;
    current->of.resize(k.code.size());
    current->launches++;
}

static tally &tally_of(const warp &w, const insn &i)
{
    return current->of[(size_t)(&i - w.code)];
}

void count_step(const warp &w, const insn &i, u32 mask)
{
    tally &t = tally_of(w, i);

    t.issued++;
    t.lanes += (u32)__builtin_popcount(mask);
}

/* How many of the n numbers differ; sorts them. */
static u32 distinct(u64 *x, u32 n)
{
    std::sort(x, x + n);
    return (u32)(std::unique(x, x + n) - x);
}

void count_global(const warp &w, const insn &i, const request &r)
{
    u64 at[LANES];
    u32 n = 0;

    for (u32 m = r.mask; m; m &= m - 1)
        at[n++] = r.at[__builtin_ctz(m)];
    n = distinct(at, n);
    traffic &t = tally_of(w, i).sectors;
    t.ideal += (n * r.bytes + 31) / 32;
    for (u32 k = 0; k < n; k++)
        at[k] /= 32;
    t.moved += distinct(at, n);
}

/* The words that a part of the warp touches, without those in `before`. */
static u32 new_words(const request &r, u32 first, u32 lanes,
                     std::vector<u64> *before, u64 *fresh)
{
    u32 n = 0;

    for (u32 lane = first; lane < first + lanes; lane++) {
        if (!(r.mask >> lane & 1))
            continue;
        for (u64 b = r.at[lane] / 4; b <= (r.at[lane] + r.bytes - 1) / 4; b++)
            if (std::find(before->begin(), before->end(), b) == before->end()) {
                before->push_back(b);
                fresh[n++] = b;
            }
    }
    return n;
}

void count_shared(const warp &w, const insn &i, const request &r)
{
    u32 lanes = LANES * 4 / std::max(r.bytes, 4u);
    std::vector<u64> words;
    u64 fresh[4 * LANES];
    traffic &t = tally_of(w, i).wavefronts;

    for (u32 first = 0; first < LANES; first += lanes) {
        u32 in_bank[32] = {}, fullest = 0;
        u32 n = new_words(r, first, lanes, &words, fresh);
        for (u32 k = 0; k < n; k++)
            fullest = std::max(fullest, ++in_bank[fresh[k] % 32]);
        t.moved += fullest;
    }
    t.ideal += (words.size() + 31) / 32;
}

/* ---- printing ---- */

static void add(tally *sum, const tally &t)
{
    sum->issued += t.issued;
    sum->lanes += t.lanes;
    sum->sectors.moved += t.sectors.moved;
    sum->sectors.ideal += t.sectors.ideal;
    sum->wavefronts.moved += t.wavefronts.moved;
    sum->wavefronts.ideal += t.wavefronts.ideal;
}

/* "1.25", "-" where there was nothing to move. */
static const char *ratio(const traffic &t, char text[32])
{
    if (t.ideal == 0)
        return "-";
    snprintf(text, 32, "%.2f", (double)t.moved / (double)t.ideal);
    return text;
}

/* "attend<shape<64> >" of "_Z6attend...": without result and parameters. */
static std::string plain_name(const std::string &mangled)
{
    int status;
    char *text = abi::__cxa_demangle(mangled.c_str(), NULL, NULL, &status);
    std::string name = text ? text : mangled;

    free(text);
    if (name.compare(0, 5, "void ") == 0)
        name = name.substr(5);
    for (size_t i = 0, depth = 0; i < name.size(); i++) {
        depth += (name[i] == '<') - (name[i] == '>');
        if (name[i] == '(' && depth == 0)
            return name.substr(0, i);
    }
    return name;
}

static void print_kernel(FILE *f, const kernel &k, const counts &c)
{
    u64 by_kind[KINDS] = {};
    tally sum = {};
    char sectors[32], wavefronts[32];

    for (size_t i = 0; i < k.code.size(); i++) {
        by_kind[k.code[i].is->what] += c.of[i].issued;
        add(&sum, c.of[i]);
    }
    fprintf(f, "%8llu %10llu", (unsigned long long)c.launches,
            (unsigned long long)sum.issued);
    for (int what = 0; what < KINDS; what++)
        fprintf(f, " %5.1f", 100. * (double)by_kind[what] / (double)sum.issued);
    fprintf(f, " %5.1f %7s %7s  %s\n",
            100. * (double)sum.lanes / (double)(32 * sum.issued),
            ratio(sum.sectors, sectors), ratio(sum.wavefronts, wavefronts),
            plain_name(k.name).c_str());
}

struct line {
    std::string what; /* source line and instruction */
    const char *unit;
    traffic t;
};

static std::string name_of(const kernel &k, const insn &i)
{
    bool vector = i.is->operands.size() == 2 && i.n > 1; /* ld, st */

    return k.places[i.place] + " " + i.is->name +
           (vector ? ".v" + std::to_string(i.n) : "");
}

/* The lines that move most above their ideal. */
static void print_worst(FILE *f, const kernel &k, const counts &c)
{
    std::map<std::string, tally> at;
    std::vector<line> lines;

    for (size_t i = 0; i < k.code.size(); i++)
        add(&at[name_of(k, k.code[i])], c.of[i]);
    for (auto &a : at) {
        lines.push_back({ a.first, "sectors", a.second.sectors });
        lines.push_back({ a.first, "wavefronts", a.second.wavefronts });
    }
    std::sort(lines.begin(), lines.end(), [](const line &a, const line &b) {
        return a.t.moved - a.t.ideal > b.t.moved - b.t.ideal;
    });
    for (size_t i = 0; i < lines.size() && i < 4; i++)
        if (lines[i].t.moved * 4 > lines[i].t.ideal * 5)
            fprintf(f, "    %s: %llu %s, ideal %llu\n", lines[i].what.c_str(),
                    (unsigned long long)lines[i].t.moved, lines[i].unit,
                    (unsigned long long)lines[i].t.ideal);
}

static void print_report()
{
    const char *path = getenv("SXT_EMU_PTX_REPORT");
    FILE *f = path ? fopen(path, "w") : NULL;
    std::vector<std::pair<std::string, const kernel *>> order;

    if (!f)
        return;
    fprintf(f, "# Warp instructions, of them %% by kind, lanes that took part, "
               "sectors and\n# wavefronts moved for one that is needed.\n");
    fprintf(f, "%8s %10s %5s %5s %5s %5s %5s %5s %5s %5s %7s %7s  %s\n",
            "launches", "warp ins", "int", "f32", "f64", "cvt", "mem", "mma",
            "flow", "lanes", "sectors", "shared", "kernel");
    for (auto &c : all_counts())
        order.push_back({ c.first->file + plain_name(c.first->name), c.first });
    std::sort(order.begin(), order.end());
    for (auto &o : order) {
        print_kernel(f, *o.second, all_counts()[o.second]);
        print_worst(f, *o.second, all_counts()[o.second]);
    }
    fclose(f);
}

} // namespace ptx
