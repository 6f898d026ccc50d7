#!/bin/sh
# Runs each test program and story, one line each; what one says is shown only if it fails. `run.sh BUILD TEST...`
# A test that is not done after $ROTA_TEST_SECONDS (default 300) has failed.
set -u
build=$(cd "$1" && pwd); shift
work=$(mktemp -d "${TMPDIR:-/tmp}/rota-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
export ROTA_BUILD="$build" TMPDIR="$work" CMOCKA_MESSAGE_OUTPUT=stdout NO_COLOR=1
unset ROTA_DIR ROTA_AS
passed=0 failed=0
for test in "$@"; do
    name=${test#"$build"/}; name=${name#build/}
    case $test in *.sh) shell=sh ;; *) shell= ;; esac
    start=$(date +%s)
    timeout -k 5 "${ROTA_TEST_SECONDS:-300}" $shell "$test" >"$work/said" 2>&1
    status=$?
    took=$(($(date +%s) - start))
    if [ $status -eq 0 ]; then
        passed=$((passed + 1)); echo "ok      $name (${took} s)"
    else
        failed=$((failed + 1)); echo "FAILED  $name (status $status)"; tail -n 60 "$work/said"
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
