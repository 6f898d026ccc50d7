#!/bin/sh
# Each file includes only from its own floor or a lower one; store and net never meet; workers and tools keep to what they may
# know. Prints every breach; exits 1 if there is one.
set -eu
cd "$(dirname "$0")/../.."
found=$(mktemp)
trap 'rm -f "$found"' EXIT

allowed() { # folder -> the folders it may include from
    case $1 in
    engine/base) echo "base" ;;
    engine/core) echo "base core" ;;
    engine/definition) echo "base core definition" ;;
    engine/wire) echo "base core wire" ;;
    engine/store) echo "base core definition wire store" ;;
    engine/net) echo "base core definition wire net" ;;
    engine/daemon) echo "base core definition wire store net daemon" ;;
    workers/*) echo "base wire sdk post common $(basename "$1")" ;;
    tools/verify) echo "verify" ;;
    tools/*) echo "base core definition wire store sdk audit simulate" ;;
    esac
}

for file in $(find engine workers tools -name '*.[ch]'); do
    may=$(allowed "$(dirname "$file")")
    grep -n '^#include "[a-z]*/' "$file" | sed 's/^\([0-9]*\):#include "\([a-z]*\)\/.*/\1 \2/' | while read -r line floor; do
        case " $may " in
        *" $floor "*) ;;
        *) echo "$file:$line: includes from $floor; may include from: $may" >>"$found" ;;
        esac
    done
done
cat "$found"
[ ! -s "$found" ]
