#!/bin/sh
# The command line against an engine of paper: what it sends, what it shows, how it ends.
#
#     story.sh ROTA FAKE_ENGINE
#
# Needs no daemon: the organisation's directory is made here by hand.
set -u
rota=$1
fake=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
bad=0
engine=

stop() {
    [ -z "$engine" ] || kill "$engine" 2>/dev/null
    [ -z "$engine" ] || wait "$engine" 2>/dev/null
    engine=
}
trap 'stop; rm -rf "$dir"' EXIT

fail() {
    echo "FAIL: $*"
    sed 's/^/  | /' "$dir/out" "$dir/err" 2>/dev/null
    bad=1
}

# ends STATUS WORDS...: runs rota and looks at its exit status.
ends() {
    want=$1
    shift
    "$rota" "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ "$got" = "$want" ] || fail "rota $*: exit $got, not $want"
}
says() { grep -qF -- "$1" "$dir/out" || fail "stdout does not say: $1"; }
complains() { grep -qF -- "$1" "$dir/err" || fail "stderr does not say: $1"; }
sent() { grep -qF -- "$1" "$dir/seen" || { fail "was not sent: $1"; tail -3 "$dir/seen"; }; }
not_sent() { ! grep -qF -- "$1" "$dir/seen" || fail "was sent: $1"; }

play() {
    stop
    rm -f "$dir/seen" "$dir/ready"
    "$fake" "$dir" "$here/$1" >"$dir/ready" 2>&1 &
    engine=$!
    while ! grep -q ready "$dir/ready" 2>/dev/null; do
        kill -0 "$engine" 2>/dev/null || { echo "FAIL: the fake engine did not start"; cat "$dir/ready"; exit 1; }
    done
}

# ---- the command line itself: no directory, no engine ----
unset ROTA_DIR ROTA_AS
ends 2
says "Start"
ends 0 help
says "rota [-C DIR]"
ends 0 --version
says "rota "
ends 2 shw
complains "did you mean 'show'?"
ends 2 show
complains "usage: rota show RECORD"
ends 2 show a b
ends 2 list --stat
complains "did you mean '--state'?"
ends 2 list --state
complains "--state needs STATE"
ends 0 show --help
says "rota show RECORD"
ends 2 --timeout x list
ends 0 completion bash
bash -n "$dir/out" || fail "the completion is no shell text"
ends 2 completion fish
ends 2 -C "$dir/nowhere" --as amara list
complains "is no organisation's directory"
for command in $("$rota" completion words -- ""); do ends 0 "$command" --help; done

# ---- a directory by hand ----
mkdir -p "$dir/keys" "$dir/run"
cat >"$dir/rotad.cfg" <<'CFG'
origin = "example.org/isms";
timezone = "Europe/Paris";
front = ["ipc://run/front"];
feed = ["ipc://run/feed"];
admin = "ipc://run/admin";
CFG
for name in amara bo engine; do ends 0 -C "$dir" key new "$name" --unsealed; done
ends 1 -C "$dir" key new bo --unsealed
complains "there already"
ends 4 -C "$dir" key new --unsealed ../bo
ls -l "$dir/keys/bo.key" | grep -q '^-rw-------' || fail "a secret key that others can read"
mv "$dir/keys/engine.key" "$dir/keys/engine.key.all"
sed '/^sign/,$d' "$dir/keys/engine.key.all" >"$dir/keys/engine.key"
chmod 600 "$dir/keys/engine.key"
rm "$dir/keys/engine.key.all"
export ROTA_DIR="$dir"

# ---- nobody answers ----
ends 3 --as amara list
complains "no engine answers"
ends 3 status
complains "does not run"
ends 2 list
complains "who are you? 2 keys are here"
ends 2 --as amra list
complains "did you mean 'amara'?"
ends 0 down
says "nothing was running"

# ---- reading ----
play answers.json
ends 0 --as amara list
says "SCP-0001@1.0"
says "In force"
ends 0 --as amara list --json
says '"record":"SCP-0001@1.0"'
ends 0 --as amara list scope_statement --open --stage in_force
sent '"open":true'
ends 2 --as amara list scope_statment
complains "did you mean 'scope_statement'?"
ends 0 --as amara show SCP-0001
says "Approval, round 2: 1 of 2 signed"
says "✓ Amara Okafor, chief executive (amara)  2026-11-23 10:12  signed"
says "· Bo Jensen (bo)  has not answered yet"
says "✗  x@example.org"
says "550 no such user"
says "You may: edit, submit"
says "Boundaries"
ends 0 --as amara show SCP-0001 --json
[ "$(wc -l <"$dir/out")" = 1 ] || fail "--json is one object a line"
ends 0 --as amara log SCP-0001
says "opened (ISMS scope statement)"
says "the open round is void"
ends 0 --as amara inbox
says "approve"
ends 0 --as amara why SCP-0001 approve --person bo
says "no: Bo Jensen (bo) may not approve SCP-0001 now"
ends 0 --as amara diff SCP-0001
says "against SCP-0001@0.9"
says "-  40"
says "+  48"
says "~ row 1: Lyon"
says "-  out"
says "+  in"
says "-  row 2: item: Nice"
ends 0 --as amara diff SCP-0001 --json
says '"rows":[{"after_at":1,"before_at":1,"cells":[{"after":"in","before":"out","column":"position"}],"what":"changed"},{"before_at":2,"what":"removed"}]'
ends 2 --as amara diff SCP-0001 SCP-0001@0.9 --since-seen
ends 0 --as amara diff SCP-0001 --since-seen
says "no change since you first looked at SCP-0001@1.0"
[ "$(ls "$dir/looks")" = amara ] || fail "the memory is not with the person"
ends 0 --as amara people
ends 0 --as amara key list --actor-keys
says "amara 5752ae24bc800b26432749153df5b73a7a8d002c6bf9cb5728ea53e4bea6d065"
ends 1 --as amara tasks
complains "404 no-record"
ends 0 status
says "health"

# ---- writing ----
ends 0 --as amara open scope_statement --title "T" organisation_name=Org headcount=12
sent '"fields":{"headcount":12,"organisation_name":"Org"}'
ends 2 --as amara open scope_statement organisation_name=Org
complains "--title"
ends 4 --as amara open scope_statement --title T headcont=1
complains "did you mean 'headcount'?"
printf 'title = "From file";\nfields = {\n  headcount = "many";\n};\n' >"$dir/scope.cfg"
ends 4 --as amara open scope_statement --from "$dir/scope.cfg"
complains "scope.cfg:3: headcount: needs a whole number"
printf 'kind = "scope_statement";\ntitle = "From file";\nfields = {\n  headcount = 3;\n};\n' >"$dir/scope.cfg"
ends 0 --as amara open --from "$dir/scope.cfg" headcount=4
sent '"headcount":4'
ends 0 --as amara edit SCP-0001 headcount= --reason "not known"
sent '"set":{"headcount":null}'
sent 'command content.put'
not_sent '"reason":"not known"'
ends 2 --as amara edit SCP-0001
complains "nothing to change"

# ---- deciding: signed, with what is signed shown ----
ends 0 --as amara approve SCP-0001
says "I approve T"
says "8e10df26054cdfdeb45a09b0496a67a0820493908bdebd74e08534230396bfc4"
says "2 fields against SCP-0001@0.9; in full: rota diff SCP-0001@1.0"
says "Headcount: 40 → 48"
says "Boundaries: 1 row changed, 1 row removed"
says "1 of 2 signed: Amara Okafor"
sent '"meaning":"approved"'
sent '"under":{"directory":"hex:d1d1'
# The directory had changed: nothing was done, and the same is asked for, shown and signed again.
[ "$(grep -c '^command approve' "$dir/seen")" = 2 ] || fail "not signed again"
[ "$(grep -c 'I approve T' "$dir/out")" = 2 ] || fail "signed again, and not shown again"
sent '"signature":"hex:'
sent '"record":"SCP-0001@1.0"'
ends 0 --as amara approve SCP-0001 --mail --out "$dir/reply.eml"
complains "I approve T"
grep -q -- "-----BEGIN ROTA COMMAND-----" "$dir/reply.eml" || fail "the letter has no command"
grep -q '"on_behalf_of": "amara"' "$dir/reply.eml" || fail "the letter names nobody"
ends 4 --as amara approve SCP-0001 --mail --out "$dir/reply.eml"
ends 1 --as amara submit SCP-0001
complains "403 separation-of-duties: You wrote it."
ends 0 --as amara do SCP-0001 decide_change --change minor --id 0123456789abcdef
sent '"change":"minor"'
ends 0 --as amara do SCP-0001 decide_change --change minor --id 0123456789abcdef
says "had been done before"
ends 2 --as amara do SCP-0001 decide_change --change huge
ends 2 --as amara do SCP-0001 decide_change --id short
ends 2 --as amara task redrive 7
complains "--reason TEXT is needed"
ends 0 --as amara task redrive 7 --reason "mended"
sent '"task":7'
ends 2 --as amara clock advance soon
ends 0 --as amara clock advance 2 days
sent '"ms":172800000'
ends 0 --as amara clock advance --to 2027-01-05
sent '"until_ms":1799103600000'

# ---- silence and "later": the same id again ----
play answers_late.json
ends 0 --as amara edit SCP-0001 headcount=1
[ "$(grep -c '^command edit' "$dir/seen")" = 3 ] || fail "not sent three times"
[ "$(grep '^command edit' "$dir/seen" | sed 's/.*"id":"\([^"]*\)".*/\1/' | sort -u | wc -l)" = 1 ] || fail "not the same id"
ends 3 --timeout 0.4 --as amara find nothing
complains "no answer within 0.4 s"

# ---- a server that is not the engine ----
rm "$dir/keys/engine.pub"
cp "$dir/keys/bo.pub" "$dir/keys/engine.pub"
ends 1 --as amara inbox
complains "keys/engine.pub is not its key"
stop

[ "$bad" = 0 ] && echo "the command line tells its story"
exit "$bad"
