#!/bin/sh
# t0006-bad-input.sh - what is wrong is refused with its own exit status, and
# nothing is left half-written: typing errors, missing, truncated and foreign
# files, places that cannot be written, full disks, killed ranks.
. "$SRCDIR/validation/lib.sh"

OMP_NUM_THREADS=1
export OMP_NUM_THREADS
here=$PWD
"$BUILDDIR/src/stage/test/gen_fixture" . 6 || exit 99
"$BUILDDIR/src/stage/test/make_train" train.h5 12 || exit 99
base=$SRCDIR/validation/golden/sft-run.h5
cat >base.cfg <<END
generate: { model = "$here/model.h5"; problems = "$here/problems.h5"; n = 2;
            sampling: { temperature = 1.0; max_tokens = 24; }; };
evaluate: { model = "$here/model.h5"; problems = "$here/problems.h5";
            sampling: { temperature = 1.0; max_tokens = 24; }; };
reformat: { generations = "$here/generations.h5";
            problems = "$here/problems.h5"; };
grade:    { generations = "$here/generations.h5";
            problems = "$here/problems.h5"; };
select:   { traces = "$here/traces.h5"; verdicts = "$here/verdicts.h5";
            problems = "$here/problems.h5"; filter = "none"; valid = false;
            finish = false; };
sft:      { model = "$base"; train = "$here/train.h5"; batch = 4; epochs = 2;
            max_tokens = 256; lr = 0.003; threads = 1;
            checkpoint: { every_steps = 1; }; };
import:   { files = ["$here/good.jsonl"]; };
END
echo '{"question": "1 + 1?", "answer": "2"}' >good.jsonl
for step in generate reformat grade select; do
    "$SEXTANT" $step base.cfg >setup.out 2>&1 || { cat setup.out; exit 99; }
done
"$SEXTANT" convert "$base" hf >setup.out 2>&1 || { cat setup.out; exit 99; }

# Nothing but logs and records in DIR: neither outputs nor what they are while
# written.
nothing_in() {
    left=$(find "$1" -type f ! -name '*.log' ! -name STOP \
        ! -path '*/status/*.json' 2>/dev/null)
    echo "left: $left" >tap.out
    [ -z "$left" ]
}
refused() { # STATUS CLAIM COMMAND...: and nothing is written into ./out
    tap_want=$1 tap_what=$2
    shift 2
    rm -rf out
    exits "$tap_want" "$tap_what" "$@"
    cp tap.out said.out
    nothing_in out
    tap_result $? "  writes nothing"
    cp said.out tap.out
}

# ---- typing errors and missing files
for command in import generate reformat grade select sft evaluate report \
    pipeline solve equal probe diff convert quantize info; do
    exits 78 "$command: an unknown parameter" "$SEXTANT" $command \
        -s no_such_parameter=1
    says no_such_parameter "  is named"
    exits 66 "$command: a configuration that is not there" \
        "$SEXTANT" $command nowhere.cfg
done
printf 'grade: {\n  generatons = "x";\n};\n' >typo.cfg
exits 78 "a typing error in a file" "$SEXTANT" grade typo.cfg
says "typo.cfg:2: " "  is named by line"
says "did you mean" "  with what may be meant"
printf 'grade: {\n  output = ;\n};\n' >syntax.cfg
exits 78 "no libconfig" "$SEXTANT" grade syntax.cfg
says "syntax.cfg:2: " "  is named by line"
for pair in generate:model generate:problems reformat:generations \
    grade:generations grade:problems select:traces sft:model sft:train \
    evaluate:model evaluate:problems; do
    command=${pair%:*} name=${pair#*:}
    refused 66 "$command: no such $name" "$SEXTANT" "$command" base.cfg -o out \
        -s "$name=$here/nowhere.h5"
    says nowhere.h5 "  is named"
done

# ---- files of each format, cut off or not what they should be
mkdir cut
for pair in generate:model:model.h5 generate:problems:problems.h5 \
    grade:generations:generations.h5 select:traces:traces.h5 \
    sft:model:base.h5 sft:train:train.h5; do
    command=${pair%%:*} rest=${pair#*:}
    name=${rest%:*} file=${rest#*:}
    from=$file
    [ "$file" = base.h5 ] && from=$base
    head -c $(($(wc -c <"$from") / 2)) "$from" >"cut/$file"
    refused 65 "$command: half a $name" "$SEXTANT" "$command" base.cfg -o out \
        -s "$name=$here/cut/$file"
    says "cut/$file" "  is named"
    ! grep "gives no reason" tap.out
    tap_result $? "  with the reason"
    : >"cut/$file"
    refused 65 "$command: an empty $name" "$SEXTANT" "$command" base.cfg \
        -o out -s "$name=$here/cut/$file"
    refused 65 "$command: a $name of another format" "$SEXTANT" "$command" \
        base.cfg -o out -s "$name=$here/verdicts.h5"
    says verdicts.h5 "  is named"
done
head -c 900 verdicts.h5 >cut/verdicts.h5
refused 65 "select: cut verdicts" "$SEXTANT" select base.cfg -o out \
    -s filter=verdict -s verdicts="$here/cut/verdicts.h5"
{ cat good.jsonl; echo '{"question": '; echo '[]'; } >bad.jsonl
refused 65 "import: malformed lines" "$SEXTANT" import -o out "$here/bad.jsonl"
says "bad.jsonl:2:" "  by number"
says "bad.jsonl:3:" "  each of them"
{ echo '{"id": "sum-0", "response": "4"}'; echo '{"id": "sum-1"'; } >bad.jsonl
for command in reformat grade; do
    name=generations
    [ $command = grade ] && name=responses
    refused 65 "$command: malformed lines" "$SEXTANT" $command base.cfg -o out \
        -s $name="$here/bad.jsonl"
    says "bad.jsonl:2:" "  by number"
done
cp -r hf foreign
sed 's/"added_tokens": *\[/&{"id": 9999, "content": "<far>", "special": true},/' \
    hf/tokenizer.json >foreign/tokenizer.json
ok "a model with another's tokenizer" "$SEXTANT" convert foreign foreign.h5
for command in generate sft evaluate; do
    refused 65 "$command: a tokenizer of another model" "$SEXTANT" $command \
        base.cfg -o out -s model="$here/foreign.h5"
    says "ids up to 9999" "  says so"
done
sed 's/"num_hidden_layers": *[0-9]*/"num_hidden_layers": 1/;
     s/"intermediate_size": *[0-9]*/"intermediate_size": 24/' \
    hf/config.json >config.json && mv config.json hf/
refused 65 "convert: tensors of another shape" "$SEXTANT" convert hf out/x.h5

# ---- outputs that are inputs
keeps() { # FILE COMMAND...: is refused, and the file is as it was
    tap_file=$1
    shift
    cp "$tap_file" before
    exits 78 "$1: $tap_file is the output too" "$SEXTANT" "$@"
    ok "  and stays" cmp "$tap_file" before
    rm before
}
mkdir same && cp good.jsonl ./*.h5 "$base" same/
keeps good.jsonl import base.cfg -s output="$here/good.jsonl"
keeps generations.h5 reformat base.cfg -o same/.. -s output=generations.h5
keeps problems.h5 grade base.cfg -s output=./problems.h5
keeps traces.h5 select base.cfg -s output="$here/same/../traces.h5"
keeps train.h5 sft base.cfg -s output=./train.h5
keeps model.h5 evaluate base.cfg -s output=./model.h5
keeps model.h5 quantize model.h5 same/../model.h5
keeps traces.h5 report -o . -s output=traces.h5
exits 78 "pipeline: before the first step" "$SEXTANT" pipeline base.cfg -o same \
    "import" "grade output=problems.h5 problems=problems.h5"
ok "  which writes nothing" test ! -e same/status/problems.json
rm -r same

# ---- outputs that cannot be written
touch file
mkdir directory
for command in import generate reformat grade select sft evaluate; do
    exits 74 "$command: a file in the output directory's place" "$SEXTANT" \
        $command base.cfg -o file/dir
    status=74 # generate looks first whether it is done already
    [ $command = generate ] && status=66
    exits $status "$command: a directory in the output's place" "$SEXTANT" \
        $command base.cfg -o . -s output=directory
    ok "  which stays empty" rmdir directory
    mkdir directory
done

# A full disk: 4 KiB in memory, in a mount namespace of the command's own.
# shellcheck disable=SC2016
full='mount -t tmpfs -o size=4k,mode=755 tmpfs disk || exit 99
    "$@"
    status=$?
    find disk -name "*.h5" -o -name "*.part" | sed "s/^/left: /"
    exit $status'
mkdir disk
space='mount -t tmpfs -o size=4k,mode=755 tmpfs disk'
if unshare -rm sh -c "$space" >tap.out 2>&1; then
    for command in import generate reformat grade select sft evaluate; do
        exits 74 "$command: a full disk" unshare -rm sh -c "$full" sh \
            "$SEXTANT" $command base.cfg -o disk
        ! grep "^left: " tap.out
        tap_result $? "  neither a file nor its part is left"
        says "disk/" "  the file is named"
    done
else
    skip "full disks" "no mount namespace can be had here"
fi

# ---- a rank that dies
if [ -z "$MPIRUN" ]; then
    skip "a killed rank" "no MPI launcher works here"
    done_testing
fi
# dies COMMAND FILE [SETTING...]: kill rank 1 of 2 once FILE is there
dies() {
    command=$1 file=$2
    shift 2
    rm -f pid.*
    # shellcheck disable=SC2016
    on_ranks 2 sh -c 'echo $$ >"pid.$OMPI_COMM_WORLD_RANK$PMI_RANK"
        exec "$SEXTANT" "$@"' sh "$command" base.cfg "$@" >dies.log 2>&1 &
    job=$!
    while kill -0 $job 2>/dev/null && [ ! -e "$file" ]; do
        sleep 0.02
    done
    kill -9 "$(cat pid.1)" 2>/dev/null || echo "rank 1 had ended" >>dies.log
    wait $job
    status=$?
    cp dies.log tap.out
}
long="-s sampling.max_tokens=600 -s sampling.stop_loops=false -s n=16"
# shellcheck disable=SC2086
{
    dies generate g1/generations.h5.journal/e0001.r0001.log -o g1 $long
    [ $status -ne 0 ]
    tap_result $? "generate: a killed rank ends the run ($status)"
    ok "  no output is there" test ! -e g1/generations.h5 \
        -a ! -e g1/generations.h5.part
    ok "  the next run finishes" on_ranks 2 "$SEXTANT" generate base.cfg \
        -o g1 $long
    ok "  an undisturbed run" on_ranks 2 "$SEXTANT" generate base.cfg \
        -o g2 $long
    ok "  draws the same" "$SEXTANT" diff g1/generations.h5 g2/generations.h5
}
dies sft s1/checkpoints/step-2.h5 -o s1 -s epochs=8
[ $status -ne 0 ]
tap_result $? "sft: a killed rank ends the run ($status)"
ok "  no model is there" test ! -e s1/model.h5 -a ! -e s1/model.h5.part
ok "  the next run finishes" on_ranks 2 "$SEXTANT" sft base.cfg -o s1 \
    -s epochs=8
ok "  an undisturbed run" on_ranks 2 "$SEXTANT" sft base.cfg -o s2 -s epochs=8
ok "  trains the same" "$SEXTANT" diff s1/model.h5 s2/model.h5
ok "  and no half-written file is left" \
    sh -c '! find . -name "*.part" | grep .'
done_testing
