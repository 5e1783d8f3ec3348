/* code.h - a kernel as the interpreter of PTX executes it.
 *
 * Every operand is a slot of a warp's register file, known when the text is
 * read: registers, constants, %tid and its like.  A slot holds 32 lanes of 4
 * bytes (registers of 8, 16 and 32 bits), 32 lanes of 8, or a predicate's 32
 * bits. */
#ifndef SXT_EMU_PTX_CODE_H
#define SXT_EMU_PTX_CODE_H

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <vector>

namespace ptx
{

typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

enum { LANES = 32, MOST_OPERANDS = 16 };

/* The letters of op::operands; m is an address: [slot + offset]. */
enum storage : char { WORD = 'w', LONG = 'l', BITS = 'p', ADDRESS = 'm' };

static inline u32 bytes_of(storage s)
{
    return s == LONG ? LANES * 8 : s == WORD ? LANES * 4 : 4;
}

/* What the report counts an instruction as. */
enum kind { INTEGER, FLOAT, DOUBLE, CONVERT, MEMORY, TENSOR, CONTROL, KINDS };

struct warp;
struct insn;

/* Execute for the lanes in mask, of which there is one at least. */
typedef void run_fn(warp &w, const insn &i, u32 mask);
/* The lanes that must be here together, as this lane says. */
typedef u32 meet_fn(const warp &w, const insn &i, u32 lane);

/* An instruction that is known: a row of a table. */
struct op {
    std::string name;     /* of a memory instruction without cache hints */
    std::string operands; /* storage of each, a digit behind vectors: "w4m" */
    kind what;
    run_fn *run;
    meet_fn *meet; /* NULL: each lane for itself */
};

/* The tables, each in the file of its name. */
std::vector<op> integer_ops();
std::vector<op> float_ops();
std::vector<op> convert_ops();
std::vector<op> memory_ops();
std::vector<op> warp_ops();
std::vector<op> flow_ops();

/* [slot + offset] */
struct pointer {
    u32 slot;
    bool is_long; /* the slot is LONG */
    s64 offset;
};

struct insn {
    const op *is;
    u32 slot[MOST_OPERANDS]; /* vectors flattened, addresses left out */
    u32 n;                   /* slots */
    s32 guard;               /* slot of the predicate, or -1 */
    bool unless;             /* execute where it is false */
    pointer at[2];
    u32 target; /* of a branch */
    u32 line;   /* of the PTX text */
    u32 place;  /* index into kernel::places: the source line */
};

enum special {
    TID_X,
    TID_Y,
    TID_Z,
    NTID_X,
    NTID_Y,
    NTID_Z,
    CTAID_X,
    CTAID_Y,
    CTAID_Z,
    NCTAID_X,
    NCTAID_Y,
    NCTAID_Z,
    LANEID,
    SPECIALS
};

struct param {
    u32 offset, bytes, align;
};

struct kernel {
    std::string name, file; /* as mangled; of the PTX */
    std::vector<insn> code;
    std::vector<char> image; /* of the registers when a block starts */
    u32 special[SPECIALS];   /* slots */
    std::vector<param> params;
    std::vector<std::string> places; /* "file.cu:line" */
    u32 param_bytes, shared_bytes, local_bytes;
    u32 dynamic_at; /* shared address behind the static part */
    u32 most_threads;
};

/* The kernel of this mangled name, read at its first launch; NULL if no file
 * has it. */
const kernel *find_kernel(const char *name);

} // namespace ptx

#endif
