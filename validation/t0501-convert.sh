#!/bin/sh
# t0501-convert.sh - Hugging Face directories to model files and back: the same
# bits, on any number of ranks; what is wrong is refused by name.
. "$SRCDIR/validation/lib.sh"
[ -n "$MPIRUN" ] || skip_all "no MPI launcher works here"

# refused CLAIM STATUS TEXT COMMAND...: it ends so, and says so.
refused() {
    claim=$1 status=$2 text=$3
    shift 3
    exits "$status" "$claim: refused" "$@"
    says "$text" "$claim: \"$text\""
}
absent() {
    [ ! -e "$1" ] && [ ! -e "$1.part" ]
}
config() { # LAYERS FFN TIED: a config.json on standard output
    cat <<EOF
{"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
 "vocab_size": 259, "hidden_size": 40, "intermediate_size": $2,
 "num_hidden_layers": $1, "num_attention_heads": 5, "num_key_value_heads": 1,
 "max_position_embeddings": 128, "rope_theta": 1000000.0,
 "rms_norm_eps": 1e-6, "tie_word_embeddings": $3, "initializer_range": 0.05,
 "torch_dtype": "float32", "eos_token_id": 258}
EOF
}

mkdir new
config 2 96 false >new/config.json
echo '{"made": "up, but kept byte for byte"}  ' >new/tokenizer.json

# ---- a new model, on any number of ranks
for np in 1 2 3; do
    ok "a new model on $np ranks" on_ranks $np "$SEXTANT" convert new \
        new-$np.h5 -s init=random -s seed=7
    ok "its directory on $np ranks" on_ranks $np "$SEXTANT" convert \
        new-$np.h5 dir-$np
done
ok "another seed" "$SEXTANT" convert new other.h5 -s init=random -s seed=8
ok "2 ranks make the weights that 1 makes" \
    cmp dir-1/model.safetensors dir-2/model.safetensors
ok "so do 3 ranks" cmp dir-1/model.safetensors dir-3/model.safetensors
ok "sextant diff finds the model files alike" "$SEXTANT" diff new-1.h5 new-3.h5
exits 80 "and those of other seeds not" "$SEXTANT" diff new-1.h5 other.h5
ok "config.json has the same bytes" cmp new/config.json dir-3/config.json
ok "so has tokenizer.json" cmp new/tokenizer.json dir-3/tokenizer.json
ok "and its directory" "$SEXTANT" convert other.h5 other
exits 1 "gives other weights" \
    cmp dir-1/model.safetensors other/model.safetensors

# ---- there and back
ok "the directory becomes a model again" on_ranks 2 "$SEXTANT" convert dir-1 \
    again.h5
ok "and a directory again" on_ranks 3 "$SEXTANT" convert again.h5 again
ok "with the same bits" cmp dir-1/model.safetensors again/model.safetensors
ok "in shards of 100 kB" on_ranks 2 "$SEXTANT" convert new-1.h5 shards \
    -s shard_gb=0.0001
ok "there are several" test -f shards/model-00002-of-00003.safetensors
ok "and no single file" absent shards/model.safetensors
ok "shards are read" on_ranks 2 "$SEXTANT" convert shards from-shards.h5
ok "and written as one" "$SEXTANT" convert from-shards.h5 one
ok "with the same bits" cmp dir-1/model.safetensors one/model.safetensors

# ---- bfloat16
ok "rounded to bf16" "$SEXTANT" convert dir-1 half.h5 -s type=bf16
ok "as a directory" on_ranks 2 "$SEXTANT" convert half.h5 half
ok "back as bf16" on_ranks 3 "$SEXTANT" convert half half-2.h5
ok "and again as a directory" "$SEXTANT" convert half-2.h5 half-2
ok "with the same bits" cmp half/model.safetensors half-2/model.safetensors
ok "bf16 takes half the room" test "$(wc -c <half/model.safetensors)" -lt \
    "$(($(wc -c <dir-1/model.safetensors) * 6 / 10))"
ok "a file that h5py wrote becomes a directory" "$SEXTANT" convert \
    "$SRCDIR/validation/golden/model-qwen2.h5" h5py

# ---- what is refused
ok "-n checks" "$SEXTANT" convert -n dir-1 dry.h5
ok "and writes nothing" absent dry.h5
refused "a directory with a model in it" 74 "is there already" \
    "$SEXTANT" convert new-1.h5 dir-1
refused "no weights" 66 "no model.safetensors" "$SEXTANT" convert new x.h5
refused "no directory" 66 "none" "$SEXTANT" convert none x.h5
refused "one path" 64 "needs two paths" "$SEXTANT" convert dir-1
refused "a foreign file" 65 "is not an HDF5 file" \
    "$SEXTANT" convert "$SRCDIR/COPYING" x
cp -R dir-1 bad
config 3 96 false >bad/config.json
refused "a layer too many in config.json" 65 "12 tensors are missing: model" \
    on_ranks 2 "$SEXTANT" convert bad x.h5
config 1 96 false >bad/config.json
refused "a layer too few" 65 "12 tensors that such a model does not have" \
    on_ranks 2 "$SEXTANT" convert bad x.h5
config 2 95 false >bad/config.json
refused "another shape" 65 "gate_proj.weight is 96 x 40, config.json asks for 95 x 40" \
    "$SEXTANT" convert bad x.h5
config 2 96 true >bad/config.json
refused "a tied head that is not the embedding" 65 \
    "lm_head.weight is not the embedding" "$SEXTANT" convert bad x.h5
config 2 96 false >bad/config.json
size=$(wc -c <bad/model.safetensors)
printf '\000\000\200\177' |
    dd of=bad/model.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>dd.log
refused "an infinite weight" 65 "1 are infinite or no number" \
    on_ranks 3 "$SEXTANT" convert bad x.h5
ok "no refusal has left a file" absent x.h5
ok "an infinite weight is taken if told so" "$SEXTANT" convert bad inf.h5 \
    -s allow_nonfinite=true
done_testing
