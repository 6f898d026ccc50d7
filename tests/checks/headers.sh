#!/bin/sh
# Each header compiles alone, in both compilers: whoever includes it needs to know nothing else.
set -eu
cd "$(dirname "$0")/../.."
export flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c -Iengine -Iworkers -Itools
    $(pkg-config --cflags libzmq sqlite3 libconfig jansson libcurl)"
find engine workers tools -name '*.h' -print0 | xargs -0 -n 1 -P "$(nproc)" sh -c '
for compiler in gcc clang; do
    printf "#include \"%s\"\nextern int only_for_this_check;\n" "$PWD/$1" | $compiler $flags -I"$(dirname "$1")" - ||
        { echo "$1 does not compile alone with $compiler"; bad=1; }
done
exit ${bad:-0}' header
