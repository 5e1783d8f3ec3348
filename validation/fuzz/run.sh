#!/bin/sh
# run.sh - lets each fuzz target look for inputs that break its promises.
#
# run.sh NAME...: from the build directory, FUZZ_SECONDS each.  The corpus grows
# in fuzz.dir/corpus/NAME from call to call.  What breaks is left in fuzz.dir:
# print it with "validation/fuzz/NAME.t pack FILE", add the line to NAME.in
# with a comment above that says what broke, and mend it.
seconds=${FUZZ_SECONDS-60}
status=0
for name in "$@"; do
    corpus=fuzz.dir/corpus/$name
    log=fuzz.dir/$name.log
    mkdir -p "$corpus" "fuzz.dir/seeds/$name" || exit 1
    "validation/fuzz/$name.t" unpack "fuzz.dir/seeds/$name" || exit 1
    if "fuzz.dir/$name.fuzz" -max_total_time="$seconds" -print_final_stats=1 \
        -timeout=20 -max_len=4096 -artifact_prefix="fuzz.dir/$name-" \
        "$corpus" "fuzz.dir/seeds/$name" >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "ok   $name: $runs inputs in $seconds s, $(ls "$corpus" | wc -l) kept"
    else
        status=1
        echo "FAIL $name: see $log"
        tail -n 40 "$log"
    fi
done
exit $status
