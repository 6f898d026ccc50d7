#!/bin/sh
# Each header compiles alone, in both compilers: whoever includes it needs to know nothing else.
set -eu
cd "$(dirname "$0")/../.."
flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c -Iengine -Iworkers -Itools"
flags="$flags $(pkg-config --cflags libzmq sqlite3 libconfig jansson libcurl)"
bad=0
for header in $(find engine workers tools -name '*.h'); do
    for compiler in gcc clang; do
        printf '#include "%s"\nextern int only_for_this_check;\n' "$PWD/$header" |
            $compiler $flags -I"$(dirname "$header")" - || { echo "$header does not compile alone with $compiler"; bad=1; }
    done
done
exit $bad
