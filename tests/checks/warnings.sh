#!/bin/sh
# clang finds nothing to warn about under the flags that gcc builds with; neither does cppcheck.
set -eu
cd "$(dirname "$0")/../.."
packages=$(pkg-config --cflags libzmq libczmq sqlite3 libconfig msgpack libcrypto jansson libcurl)
flags="-std=c11 -D_GNU_SOURCE -DROTA_VERSION=\"check\" -Iengine -Iworkers -Itools -Itests $packages"
strict="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wvla -Wformat=2
        -Wundef -Wnull-dereference -Werror"
find engine workers tools -name '*.c' ! -path 'workers/*' -print0 | xargs -0 -n 8 -P "$(nproc)" clang -fsyntax-only $flags $strict
find workers -name '*.c' ! -path 'workers/examples/*' -print0 |
    xargs -0 -n 8 -P "$(nproc)" clang -fsyntax-only -std=c11 -D_GNU_SOURCE -Iengine -Iworkers $packages $strict
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$(nproc)" --enable=warning,portability \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Iengine -Iworkers -Itools engine workers tools
