/* text.h - what the reader of a PTX file (text.cc) and the reader of its
 * instructions (parse.cc) say to each other. */
#ifndef SXT_EMU_PTX_TEXT_H
#define SXT_EMU_PTX_TEXT_H

#include <map>

#include "cuda/emu/ptx/code.h"

namespace ptx
{

struct parser;

/* Instructions go behind k->code.  `path` is for messages. */
parser *parse_begin(const std::string &path, kernel *k);
/* A variable or parameter is at this address of its space. */
void parse_symbol(parser *p, const std::string &name, u64 address);
/* ".b32 %r<27>" */
void parse_registers(parser *p, const std::string &declaration, u32 line);
/* Registers declared between open and close are known there only. */
void parse_scope(parser *p, bool open);
void parse_label(parser *p, const std::string &name);
/* What follows was made of this source line. */
void parse_place(parser *p, const std::string &place);
void parse_instruction(parser *p, const std::string &text, u32 line);
/* Lay the registers out; frees p. */
void parse_end(parser *p);

} // namespace ptx

#endif
