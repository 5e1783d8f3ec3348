#!/usr/bin/env python3
"""tokenizer.py - makes validation/golden/tokenizer-*.jsonl with the tokenizers
library (0.20.3), the oracle for src/text.

usage: tokenizer.py DATA OUT

DATA holds the problem sets, qwen2.5-tokenizer/tokenizer.json and, if there is
one, smollm2-tokenizer/tokenizer.json (see smollm2_tokenizer.py).  Lines of the
files:
  {"name", "tokenizer": {...}, "cases": [[text, added, [id...], decoded]...]}
      small.jsonl; decoded is left out where it equals the text
  {"text", "added", "ids"}                       one text
      added: tokens recognised in it: 0 none, 1 those not special, 2 all
  {"file", "first", "texts", "ids", "sha256"}    a block of texts of a data file:
      the string members of its records in order; sha256 (16 digits) of the
      ids as little-endian int32, each text closed by -1
"""
import gzip
import hashlib
import json
import os
import random
import struct
import sys
import unicodedata

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models,
                        normalizers, pre_tokenizers, trainers)

FILES = ["math_test/test.jsonl", "math_train/train.json", "gsm8k/test.jsonl",
         "olympiadbench/test.jsonl", "aime_1983_2023/train.json",
         "aime24/test.jsonl", "amc23/test.jsonl", "mbpp/mbpp.jsonl",
         "humaneval/HumanEval.jsonl.gz", "apps_samples/apps_train_5.jsonl",
         "equivalence/hostile.jsonl", "equivalence/real.jsonl"]
BLOCK = 1000

EDGES = [
    "", " ", "  ", "\n", "\r\n", "\n\n \n", "\t\t", "a", "a b", "a  b", " a",
    "Hello, world!", "don'T I'LL we'Ve 'ſ 'S", "it's 'k 'K \u212a", "é", "e\u0301",
    "\u212b", "\u1e9b\u0323", "q\u0307\u0323", "\u0344", "\uac00\u11a8",
    "\u1100\u1161\u11a8", "한국어 텍스트", "日本語のテキスト、漢字とかな。",
    "中文文本，没有空格。", "Привет, мир!", "مرحبا بالعالم", "नमस्ते दुनिया",
    "a\u0300\u0301\u0316", "\u0958", "\ufb01 \ufb05 \ufb06", "ß ẞ ŉ ǰ ΐ",
    "1234567890", "١٢٣ ४५६ ²³ ½ Ⅷ 〇", "x = 3.14159e-10;", "\u00a0a\u2003b\u3000c",
    "\u1680x\u180ey\u200bz", "a\u0085b\u2028c\u2029d", "\x1c\x1d\x1e\x1f",
    "\u0000\u0001\u0004\u0006\u007f", "\ufeffBOM", "🙂👩‍👩‍👧‍👦🏳️‍🌈", "🇩🇪🇫🇷",
    "\U0010ffff\U000f0000\U00040000", "=" * 200, "-" * 77 + "\n", " " * 300,
    " " * 100 + "x", "a" * 1000, "ab" * 777, "0" * 99, "\n" * 50 + "x",
    " \n \n  \r\n\t x", "foo\r\n\r\nbar", "!!!\n\n\nbar", "tab\there",
    "def f(x):\n    return x ** 2  # square\n", "\\frac{1}{2} + \\sqrt{x_1^2}",
    "<|im_start|>user\nhi<|im_end|>\n", "<|im_start|><|im_end|>",
    "x<|endoftext|>y", "<|im_start", "<|im_start|im_end|>", "<|endoftext|",
    "  <|im_end|>  <|im_end|>", "e<|im_end|>\u0301", "<repo_name>a<file_sep>",
    "<tool_call>{}</tool_call>", "<think>\nWait\n</think>\n\n4<|im_end|>d|>",
    "a <think> e\u0301<|endoftext|></think", "https://example.org/a?b=c&d=%20#e",
    "The quick brown fox jumps over the lazy dog. " * 5,
    "".join(chr(c) for c in range(0x20, 0x180)),
    "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo" * 40,
    "的" * 120, "ก" * 60 + "ำ", "\u0e33\u0eb3", "Z\u0351\u036b\u0343\u0363a\u0321\u0353l",
]


def random_texts(rng, n):
    """Characters of many kinds that both libraries' Unicode knows."""
    kinds = [range(0x20, 0x7f), range(0xa0, 0x250), range(0x300, 0x370),
             range(0x370, 0x530), range(0x5d0, 0x5eb), range(0x600, 0x700),
             range(0x900, 0xa00), range(0xe00, 0xe60), range(0x1100, 0x1200),
             range(0x1e00, 0x2100), range(0x2150, 0x2190),
             range(0x3000, 0x3100), range(0x4e00, 0x4f00),
             range(0xac00, 0xad00), range(0xfb00, 0xfb50),
             range(0x1f300, 0x1f650), range(0x10000, 0x20000)]
    for _ in range(n):
        text = ""
        for _ in range(rng.randint(1, 12)):
            kind = rng.choice(kinds)
            for _ in range(rng.randint(1, 4)):
                c = chr(rng.choice(kind))
                if unicodedata.category(c) not in ("Cn", "Cs", "Co"):
                    text += c
            text += rng.choice(["", "", " ", "  ", "\n", "'s", "'T", "12"])
        yield text


NONE, PLAIN, ALL = 0, 1, 2


def encode(tok, text, added):
    return tok[added].encode(text, add_special_tokens=False).ids


def case(tok, text, added):
    """[text, added, ids] and the decoded text where it is another."""
    ids = encode(tok, text, added)
    back = tok[ALL].decode(ids, skip_special_tokens=False)
    return [text, added, ids] + ([back] if back != text else [])


def three(text):
    """The tokenizer without its added tokens, with those that are not special,
    with all.  The library can leave out only special ones, so a copy without
    any stands in for the first."""
    bare = json.loads(text)
    bare["added_tokens"] = []
    bare["post_processor"] = None
    plain = Tokenizer.from_str(text)
    plain.encode_special_tokens = True
    return Tokenizer.from_str(json.dumps(bare)), plain, Tokenizer.from_str(text)


def write(f, line):
    f.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")


def records(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        data = f.read()
    if data.lstrip()[:1] == b"[":
        return json.loads(data)
    return [json.loads(line) for line in data.split(b"\n") if line.strip()]


def strings(path):
    return [v for r in records(path) for v in r.values() if isinstance(v, str)]


def write_big(data, name, out):
    path = os.path.join(data, name + "-tokenizer", "tokenizer.json")
    if not os.path.exists(path):
        return
    tok = three(open(path, encoding="utf-8").read())
    rng = random.Random(20240917)
    texts = EDGES + list(random_texts(rng, 250))
    with open(os.path.join(out, f"tokenizer-{name}.jsonl"), "w",
              encoding="utf-8") as f:
        for text in texts:
            for added in (NONE, PLAIN, ALL):
                if added and "<" not in text:
                    continue
                line = {"text": text, "added": added,
                        "ids": encode(tok, text, added)}
                write(f, line)
        for file in FILES:
            all_texts = strings(os.path.join(data, file))
            for first in range(0, len(all_texts), BLOCK):
                block = all_texts[first:first + BLOCK]
                ids = []
                for text in block:
                    ids += encode(tok, text, NONE) + [-1]
                digest = hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids))
                line = {"file": file, "first": first, "texts": len(block),
                        "ids": len(ids), "sha256": digest.hexdigest()[:16]}
                write(f, line)


QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++(?!\S)|\s*[\r\n]|\s+")


def isolated(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated", invert=False)


def byte_level(prefix=False, regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def sequence(*parts):
    return pre_tokenizers.Sequence(list(parts))


def write_small(out):
    # Without "<", lest a merge gives a special token.
    corpus = [t * 2 for t in EDGES if len(t) < 400 and "<" not in t] * 3
    variants = [
        ("qwen", True, sequence(isolated(QWEN), byte_level())),
        ("llama3", False, sequence(isolated(LLAMA3), byte_level())),
        ("o200k", True, sequence(isolated(O200K), byte_level())),
        ("cl100k", False, sequence(pre_tokenizers.Split(
            Regex(CL100K), "removed", invert=True), byte_level())),
        ("gpt2", False, byte_level(regex=True)),
        ("prefix", False, byte_level(prefix=True, regex=True)),
        ("smollm", False, sequence(
            pre_tokenizers.Digits(individual_digits=True),
            byte_level(regex=True))),
        ("digits", True, sequence(
            pre_tokenizers.Digits(individual_digits=False),
            isolated(r"\p{Han}|(?=[A-Z])"), pre_tokenizers.Split(
                "the", "isolated", invert=True), byte_level(prefix=True))),
    ]
    with open(os.path.join(out, "tokenizer-small.jsonl"), "w",
              encoding="utf-8") as f:
        for i, (name, nfc, pre) in enumerate(variants):
            tok = Tokenizer(models.BPE())
            tok.normalizer = normalizers.NFC() if nfc else None
            tok.pre_tokenizer = pre
            tok.decoder = decoders.ByteLevel()
            tok.train_from_iterator(corpus, trainers.BpeTrainer(
                vocab_size=380, show_progress=False,
                special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
            tok.add_tokens([AddedToken("<|im", normalized=True),
                            AddedToken("e\u0301<", normalized=True),
                            AddedToken("</tool", normalized=False),
                            AddedToken("<think>", normalized=False),
                            AddedToken("</think>", normalized=False),
                            AddedToken("d|>", normalized=False)])
            spec = json.loads(tok.to_str())
            spec["model"]["ignore_merges"] = i % 3 == 1
            if i % 2:  # the older form of merges
                spec["model"]["merges"] = [
                    " ".join(m) if isinstance(m, list) else m
                    for m in spec["model"]["merges"]]
            if name == "gpt2":  # bytes without a token
                vocab = spec["model"]["vocab"]
                for c in "\u0104\u00fe":
                    vocab["not " + c] = vocab.pop(c)
            kinds = three(json.dumps(spec))
            rng = random.Random(name)
            cases = [case(kinds, t, a)
                     for t in EDGES + list(random_texts(rng, 12))
                     if len(t) < 70 for a in (NONE, PLAIN, ALL)
                     if not a or "<" in t]
            line = {"name": name, "tokenizer": spec, "cases": cases}
            write(f, line)


if __name__ == "__main__":
    write_small(sys.argv[2])
    write_big(sys.argv[1], "qwen2.5", sys.argv[2])
    write_big(sys.argv[1], "smollm2", sys.argv[2])
