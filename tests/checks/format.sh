#!/bin/sh
# Every C file is as the formatter would lay it out. To mend: clang-format -i FILE.
set -eu
cd "$(dirname "$0")/../.."
find engine workers tools tests ! -path "tests/fuzz/corpus/*" -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror 2>&1 | grep -m 20 "error:" && exit 1 || exit 0
