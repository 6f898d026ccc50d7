#!/bin/sh
# Runs each test program and story, one line each; what one says is shown only if it fails. `run.sh BUILD TEST...`
# One more run side by side than there are processors, because they wait a lot ($ROTA_TEST_JOBS says otherwise), in the order given.
# A test that is not done after $ROTA_TEST_SECONDS (default 900: machines are shared) has failed.
set -u

# One test: `run.sh --one WORK BUILD TEST`. Its directory is its own; its verdict is one write, so that lines do not mix.
if [ "$1" = --one ]; then
    work=$2 build=$3 test=$4
    name=${test#"$build"/}; name=${name#build/}
    own=$(mktemp -d "$work/XXXXXX")
    case $test in *.sh) shell=sh ;; *) shell= ;; esac
    start=$(date +%s)
    TMPDIR=$own timeout -k 5 "${ROTA_TEST_SECONDS:-900}" $shell "$test" >"$own.said" 2>&1
    status=$?
    took=$(($(date +%s) - start))
    if [ $status -eq 0 ]; then
        echo "$name" >>"$work/passed"; echo "ok      $name ($took s)"
    else
        echo "$name" >>"$work/failed"; printf '%s\n' "FAILED  $name (status $status, $took s)
$(tail -n 60 "$own.said")"
    fi
    rm -rf "$own" "$own.said"
    exit 0
fi

build=$(cd "$1" && pwd); shift
work=$(mktemp -d "${TMPDIR:-/tmp}/rota-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
export ROTA_BUILD="$build" CMOCKA_MESSAGE_OUTPUT=stdout NO_COLOR=1
unset ROTA_DIR ROTA_AS
touch "$work/passed" "$work/failed"
printf '%s\0' "$@" | xargs -0 -n 1 -P "${ROTA_TEST_JOBS:-$(($(nproc) + 1))}" sh "$0" --one "$work" "$build"
passed=$(wc -l <"$work/passed") failed=$(wc -l <"$work/failed")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq $# ]
