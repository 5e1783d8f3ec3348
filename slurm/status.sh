#!/usr/bin/env bash
# status.sh - how far a run is: jobs, steps, files, the last line of each log.
#
#     status.sh RUN
# shellcheck disable=SC2031 # common.sh is sourced in a subshell only
set -uo pipefail
run=${1-}
if [ ! -d "$run" ]; then
    sed -n '2,4s/^# \{0,1\}//p' "$0"
    exit 64
fi

printf '\n== jobs of %s\n' "${USER:-$(id -un)}"
squeue -h -u "${USER:-$(id -un)}" -o '%.12i %.20j %.9T %.10M %.12l %R' |
    grep sextant || echo 'none in the queue'

here=$(dirname "$(realpath "$0")")
# shellcheck source=slurm/common.sh
SEXTANT=$(. "$here/common.sh" && read_site && find_program 2>/dev/null &&
    echo "$SEXTANT")
if [ -n "$SEXTANT" ]; then
    printf '\n== steps\n'
    "$SEXTANT" status "$run"
fi

printf '\n== files\n'
find "$run" -maxdepth 1 -name '*.h5' -printf '%TY-%Tm-%Td %TH:%TM %12s  %f\n' |
    sort
find "$run" -path '*/checkpoints/*.h5' -printf '%T@ %P\n' | sort -n |
    tail -n 1 | sed 's/^[^ ]* /newest checkpoint: /'

printf '\n== last lines\n'
for log in "$run"/*.out; do
    [ -f "$log" ] && printf '%-32s %s\n' "$(basename "$log")" \
        "$(grep -v '^ *$' "$log" | tail -n 1 | cut -c1-100)"
done
