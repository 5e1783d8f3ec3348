#!/bin/sh
# run.sh - compare this site's build with reference files.
#
#     run.sh [-r "1 2 4"] [-j REPORT.xml] [SUITE...]
#
# Suites (all by default): tokenizer, forward, training, generation, grading,
# mini.  Each runs on every number of ranks of -r and is compared, by `sextant
# diff`, with files in validation/golden within the tolerances written there.
# How a file was made stands in it (`sextant info`), and the script that makes it
# again in validation/oracle.  -j also writes a report in JUnit's format.
#
# SEXTANT names the program (default: that of PATH), LAUNCH the words that start
# N ranks, N last (default "mpirun -n"; on a cluster "srun --mpi=pmix -n").
# SEXTANT_VALIDATION_OPTIONS are given to every command that computes
# (as "-s device=cuda").
#
# Ends with 0 if all agrees, 80 if something differs, 64 for a wrong call.
here=$(dirname "$(realpath "$0")")
golden=$here/golden
inputs=$(realpath "$here/../inputs" 2>/dev/null)
[ -d "$inputs/mini" ] || inputs=$(realpath "$here/..")
: "${SEXTANT:=sextant}" "${LAUNCH:=mpirun -n}"
ranks="1 2 4" report=

while getopts r:j:h option; do
    case $option in
    r) ranks=$OPTARG ;;
    j) report=$(realpath -m "$OPTARG") ;;
    *)
        sed -n '2,19s/^# \{0,1\}//p' "$0"
        [ "$option" = h ]
        exit $(($? * 64))
        ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- tokenizer forward training generation grading mini

work=$(mktemp -d "${TMPDIR:-/tmp}/sextant-validation.XXXXXX") || exit 74
trap 'rm -rf "$work"' EXIT
trap 'exit 75' HUP INT TERM
cd "$work" || exit 74
ln -s "$inputs/mini" mini

# run COMMAND ARG... - sextant on $n ranks.
run() {
    command=$1
    shift
    # shellcheck disable=SC2086 # words
    if [ "$n" = 1 ]; then
        "$SEXTANT" "$command" -q "$@" ${SEXTANT_VALIDATION_OPTIONS-}
    else
        $LAUNCH "$n" "$SEXTANT" "$command" -q "$@" \
            ${SEXTANT_VALIDATION_OPTIONS-}
    fi
}

like() { "$SEXTANT" diff "$golden/$1" "$2"; }

# Token ids of awkward texts, against the tokenizers library.
tokenizer() {
    run probe -s model=mini/base.h5 -s input="$golden/texts.jsonl" \
        -s output=./tokens.h5 -s logits=false &&
        like ref-tokenizer.h5 tokens.h5
}

# Loss, logits and every gradient, against PyTorch.
forward() {
    for kind in qwen2 llama; do
        for dtype in f32 bf16; do
            [ $dtype = bf16 ] && suffix=-bf16 || suffix=
            run probe -s model="$golden/model-$kind-usual.h5" \
                -s input="$golden/ids.jsonl" -s output=./probe.h5 \
                -s dtype=$dtype --gradients &&
                like "ref-$kind$suffix.h5" probe.h5 || return
        done
    done
}

# Losses and gradient norms of fifty steps, against PyTorch.
training() {
    rm -rf training
    run sft -o training -s model="$golden/trajectory.h5" \
        -s train="$golden/trajectory-train.h5" -s dtype=f32 \
        -s reduce_type=f32 -s batch=8 -s epochs=50 -s lr=4e-4 \
        -s schedule.floor=4e-5 -s schedule.warmup_steps=5 \
        -s adamw.weight_decay=0.1 -s clip=1 -s max_tokens=256 &&
        like ref-training.h5 training/metrics.h5
}

# The most probable tokens, against Transformers.
generation() {
    run generate mini/mini.cfg -s problems="$golden/mini-problems.h5" \
        -s output=./greedy.h5 -s n=1 -s sampling.temperature=0 \
        -s sampling.max_tokens=48 -s engine.dtype=f32 &&
        like ref-generate.h5 greedy.h5
}

# Verdicts on a model's answers, right and wrong, of three domains.
grading() {
    run reformat -s generations="$golden/mini-generations.h5" \
        -s problems="$golden/mini-problems.h5" -s output=./traces.h5 &&
        run grade -s problems="$golden/mini-problems.h5" \
            -s generations=./traces.h5 -s output=./verdicts.h5 &&
        like mini-verdicts.h5 verdicts.h5
}

# The whole pipeline on a few problems.
mini() {
    rm -rf pipeline
    sed -f "$here/mini-small.sed" mini/mini.cfg >small.cfg
    run pipeline small.cfg -o pipeline || return
    for file in problems generations verdicts train eval-base metrics; do
        like mini-$file.h5 pipeline/$file.h5 || return
    done
}

# For XML: no control characters, markup escaped.
escaped() {
    tail -n 40 "$1" | tr -cd '\11\12\40-\176' |
        sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
}

cases=0 differing=0
: >cases.xml
printf '%-12s %5s  %-7s %s\n' suite ranks result seconds
for suite; do
    case $suite in
    tokenizer | forward | training | generation | grading | mini) ;;
    *)
        echo "run.sh: no suite $suite" >&2
        exit 64
        ;;
    esac
    for n in $ranks; do
        began=$(date +%s)
        result=agrees
        $suite >out.txt 2>&1 || result=DIFFERS
        seconds=$(($(date +%s) - began))
        cases=$((cases + 1))
        printf '%-12s %5s  %-7s %s\n' "$suite" "$n" $result $seconds
        printf '<testcase classname="sextant.%s" name="%s ranks" time="%s">' \
            "$suite" "$n" $seconds >>cases.xml
        if [ $result = DIFFERS ]; then
            differing=$((differing + 1))
            sed 's/^/    /' out.txt
            printf '<failure message="differs from the reference">%s</failure>' \
                "$(escaped out.txt)" >>cases.xml
        fi
        echo '</testcase>' >>cases.xml
    done
done
if [ -n "$report" ]; then
    {
        echo '<?xml version="1.0" encoding="UTF-8"?>'
        echo "<testsuite name=\"sextant\" tests=\"$cases\"" \
            "failures=\"$differing\" hostname=\"$(hostname)\"" \
            "timestamp=\"$(date -u +%Y-%m-%dT%H:%M:%S)\">"
        cat cases.xml
        echo '</testsuite>'
    } >"$report" || exit 74
fi
echo "$cases cases, $differing differ ($("$SEXTANT" --version | head -n 1))"
[ $differing = 0 ] || exit 80
