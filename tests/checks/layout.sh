#!/bin/sh
# The house keeps its order: the top level is what was agreed, every folder explains itself, nothing is left half done.
set -eu
cd "$(dirname "$0")/../.."
bad=0
for entry in *; do
    case $entry in
    Makefile | README.md | LICENSE | engine | workers | workflows | config | tests | tools | build) ;;
    *) echo "top level: $entry does not belong there"; bad=1 ;;
    esac
done
for folder in engine engine/* workers workers/* workflows config tests tools tools/*; do
    [ ! -d "$folder" ] || [ -f "$folder/README.md" ] || { echo "$folder has no README.md"; bad=1; }
done
words='TO''DO|FIX''ME|XX''X|HA''CK'
if grep -rnIwE "$words" engine workers workflows config tools tests --include='*.[ch]' --include='*.cfg' --include='*.sh' --include='*.py'; then
    echo "unfinished places (above)"; bad=1
fi
exit $bad
