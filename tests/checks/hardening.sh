#!/bin/sh
# Every program is position independent, fully bound at start, with a stack that cannot run and canaries: readelf says so.
set -eu
bad=0
for program in "$@"; do
    header=$(readelf -hldW "$program")
    case $header in *"Type:"*"DYN"*) ;; *) echo "$program is not position independent"; bad=1 ;; esac
    case $header in *GNU_RELRO*) ;; *) echo "$program has no RELRO segment"; bad=1 ;; esac
    case $header in *"BIND_NOW"* | *"NOW"*) ;; *) echo "$program is not bound at start"; bad=1 ;; esac
    if printf '%s\n' "$header" | grep 'GNU_STACK' | grep -q 'RWE'; then echo "$program has a stack that runs"; bad=1; fi
    readelf -sW --dyn-syms "$program" | grep -q '__stack_chk_fail' || { echo "$program has no stack protector"; bad=1; }
done
exit $bad
