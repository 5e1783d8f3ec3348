#!/bin/sh
# t0001-layers.sh - includes only go down, and each library has one folder.
. "$SRCDIR/validation/lib.sh"

level() {
    case $1 in
    base) echo 1 ;;
    par | cfg | sbx) echo 2 ;;
    h5 | dev) echo 3 ;;
    num | text) echo 4 ;;
    model | task) echo 5 ;;
    stage) echo 6 ;;
    app) echo 7 ;;
    *) echo 0 ;;
    esac
}

# "FILE FOLDER INCLUDED-FOLDER" of every include of ours; a test's fixture is
# in its own folder, tap.h is for everybody.
upward=$(cd "$SRCDIR/src" && grep -rn '^#include "' --include='*.[ch]' . |
    sed 's|^\./\([^/]*\)/\([^:]*\):[0-9]*:#include "\([^/"]*\)/.*|\1/\2 \1 \3|' |
    sort -u | while read -r file from to; do
    case $file in */test/*) continue ;; esac
    [ "$from" = "$to" ] && continue
    if [ "$(level "$to")" -ge "$(level "$from")" ] || [ "$(level "$to")" = 0 ]; then
        echo "# src/$file includes $to/, which is not below $from/"
    fi
done)
ok "includes only go down" test -z "$upward"
[ -z "$upward" ] || echo "$upward"

# one FOLDER HEADER...: nobody else includes these headers.
one() {
    folder=$1
    shift
    for header in "$@"; do
        others=$(cd "$SRCDIR/src" && grep -rln "#include <$header" --include='*.[ch]' . |
            grep -v "^\./$folder/" | grep -v '/test/')
        [ -z "$others" ] || echo "# <$header> belongs to $folder/, but: $others"
    done
}
strays=$(
    one par mpi.h
    one h5 hdf5
    one cfg libconfig.h
    one base jansson.h xxhash.h openssl/ zlib.h zstd.h
    one text pcre2.h utf8proc.h
    one task flint/ calcium/
    one sbx seccomp.h linux/landlock.h
    one num/cpu dnnl oneapi
)
ok "each library is included in one folder only" test -z "$strays"
[ -z "$strays" ] || echo "$strays"
done_testing
