#!/bin/sh
# Keys as people handle them: two roots kept elsewhere found a journal, a person's key is endorsed by both, replaced by its
# holder, revoked, and given anew; and rota-verify holds all of it against the fingerprint that it was told.
set -u
. "$(dirname "$0")/house.inc"
org=$ROTA_DIR away=$(dirname "$ROTA_DIR")/away
mkdir -p "$away"

ends 2 key root amara
ends 0 key root amara --to "$away" --unsealed
ends 0 key root henrik --to "$away" --unsealed
ends 2 init "$org" --origin story.example/isms --root "$away/root-amara.pub"
rm -rf "$org"
ends 0 init "$org" --origin story.example/isms --root "$away/root-amara.pub" --root "$away/root-henrik.pub"
says_not "no root keys"
[ ! -e "$org/keys/root-amara.key" ] || wrong "a root's secret lies beside the engine"
ends 0 up
ends 0 key new ines --unsealed
cat >"$away/people" <<'CFG'
people = ( { name = "ines"; title = "Inês Duarte"; email = "ines@story.example"; roles = ["isms_manager", "employee"]; } );
CFG
sed -n '/^workers/,$p' "$org/directory.cfg" >>"$away/people"
cp "$away/people" "$org/directory.cfg"
ends 0 reload
export ROTA_AS=ines

# No key of hers counts yet; one root alone does not make it count.
ends 0 key list
says_not "ines"
ends 0 key request ines --to "$away/ines.enrolment"
ends 1 key enrol "$away/ines.enrolment"
complains "two different root keys"
ends 0 key endorse "$away/ines.enrolment" --with "$away/root-amara.key"
ends 1 key enrol "$away/ines.enrolment"
ends 0 key endorse "$away/ines.enrolment" --with "$away/root-henrik.key"
ends 0 key enrol "$away/ines.enrolment"
ends 0 key list
says "ines"

# Its holder replaces it; the file then holds the new one.
before=$(cat "$org/keys/ines.pub")
ends 0 key rotate --unsealed
[ "$before" != "$(cat "$org/keys/ines.pub")" ] || wrong "the public key is the old one"
ends 0 key revoke ines --reason "laptop stolen"
ends 1 key enrol "$away/ines.enrolment"
complains "stale-content"

# What is no request is said to be none.
echo '{"origin":"x"}' >"$away/broken"
ends 4 key enrol "$away/broken"
complains "not a request for a key"
ends 4 key endorse "$away/ines.enrolment" --with "$org/keys/ines.pub"

ends 0 --json key roots
roots=$(sed 's/.*"fingerprint":"\([0-9a-f]*\)".*/\1/' "$out")
ends 0 down
rota-verify "$org/journal.db" --vkey "@$org/keys/log.vkey" --roots "$roots" --write-actor-keys "$away/actors" >"$out" 2>"$err" ||
    wrong "rota-verify finds fault"
says_not "ROOTS_UNCONFIRMED"
[ "$(grep -c '^ines ' "$away/actors")" = 2 ] || wrong "two keys of ines were to be listed"
other=$(printf '%s' "$roots" | tr 0-9a-f 1-9a-f0)
rota-verify "$org/journal.db" --vkey "@$org/keys/log.vkey" --roots "$other" >"$out" 2>"$err" && wrong "other roots are accepted"
says "ROOTS_OTHER"
if [ -n "${ROTA_AUDITOR:-}" ]; then
    "$python" "$ROTA_AUDITOR" "$org/journal.db" --vkey "$(cat "$org/keys/log.vkey")" --actor-keys "$away/actors" >"$out" 2>"$err" ||
        wrong "the independent auditor finds fault"
fi
is_as_written
told "keys: roots, endorsements, rotation, revocation"
