#!/bin/sh
# t0510-quantize.sh - models with int8 and NF4 weights: the same bytes on any
# number of ranks; generation uses them; what cannot be done is refused by name.
. "$SRCDIR/validation/lib.sh"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS

config() { # FFN: a config.json on standard output
    cat <<EOT
{"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
 "vocab_size": 264, "hidden_size": 128, "intermediate_size": $1,
 "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
 "max_position_embeddings": 256, "rope_theta": 1000000.0,
 "rms_norm_eps": 1e-6, "tie_word_embeddings": true, "initializer_range": 0.05,
 "torch_dtype": "float32", "eos_token_id": 257}
EOT
}
generate() { # RANKS MODEL OUTPUT SETTING...
    np=$1 model=$2 output=$3
    shift 3
    on_ranks "$np" "$SEXTANT" generate -s model="$model" -s output="$output" \
        -s sampling.max_tokens=20 -s sampling.temperature=0 \
        -s engine.dtype=f32 "$@"
}

"$BUILDDIR/src/stage/test/gen_fixture" . 5 || exit 99
mkdir new odd
config 192 >new/config.json
config 200 >odd/config.json
"$SEXTANT" convert model.h5 fixture >/dev/null || exit 99
cp fixture/tokenizer.json new/
ok "a model" "$SEXTANT" convert new plain.h5 -s init=random

for type in int8 nf4; do
    ok "$type on 1 rank" "$SEXTANT" quantize ./plain.h5 ./$type.h5 \
        -s type=$type
    ok "  computes what its weights say" \
        "$BUILDDIR/src/model/test/quantized" plain.h5 $type.h5
    sed 's/^/# /' tap.out
    ok "  sextant info describes it" "$SEXTANT" info $type.h5
    says "weights $type" "  and says so"
    says "/quantized/model.layers.1.mlp.down_proj/codes" "  names its arrays"
    if [ -n "$MPIRUN" ]; then
        for np in 2 3; do
            ok "  on $np ranks" on_ranks $np "$SEXTANT" quantize ./plain.h5 \
                ./$np.h5 -s type=$type
            ok "  the same file" "$SEXTANT" diff $type.h5 $np.h5
        done
    else
        skip "$type on 2 and 3 ranks" "no MPI launcher works here"
    fi
    ok "  generates" generate 1 $type.h5 $type-answers.h5
    ok "  one answer at a time" generate 1 $type.h5 $type-alone.h5 \
        -s engine.batch=1 -s engine.chunk=3
    "$SEXTANT" diff $type-answers.h5 $type-alone.h5 >diff.txt 2>&1
    ok "  the same answers" sh -c 'grep -q "datasets compared" diff.txt &&
        ! grep "^ */" diff.txt | grep -v "^ */config"'
    exits 65 "  is not fine-tuned" "$SEXTANT" sft -s model=./$type.h5 \
        -s train=./none.h5
    says "its weights are quantised ($type)" "  and that is why"
    exits 65 "  is not exported" "$SEXTANT" convert $type.h5 out
    exits 65 "  is not quantised again" "$SEXTANT" quantize ./$type.h5 ./x.h5
done
ok "files of another type differ" sh -c '! "$SEXTANT" diff int8.h5 nf4.h5'
ok "an odd model" "$SEXTANT" convert odd odd.h5 -s init=random
exits 65 "rows of 200 are not for nf4" "$SEXTANT" quantize ./odd.h5 ./x.h5 \
    -s type=nf4
says "multiples of 64" "  says why"
ok "  leaves nothing" test ! -e x.h5
ok "int8 takes them" "$SEXTANT" quantize ./odd.h5 ./x.h5
exits 64 "one path is not enough" "$SEXTANT" quantize ./odd.h5
done_testing
