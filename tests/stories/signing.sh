#!/bin/sh
# Where a person's secret may be: in the key file, sealed there with a passphrase that is asked for at each signing, or with
# OpenSSH (a file, or its agent). Amara signs with a sealed key, Henrik with an SSH key; both auditors accept what came of it.
set -u
. "$(dirname "$0")/house.inc"
org=$ROTA_DIR away=$(dirname "$ROTA_DIR")/away
mkdir -p "$away"
agent=
finish() { [ -z "$agent" ] || kill "$agent"; leave; }
trap finish EXIT
ends 0 init "$org" --sample
ends 0 up
echo "correct horse battery" >"$away/passphrase"
echo "something else" >"$away/wrong"
endorsed() { for root in 1 2; do ends 0 key endorse "$1" --with "$org/keys/root-$root.key"; done; }

# Amara seals the key that she has: the file no longer holds the seed, and each signing needs the passphrase.
grep -q 'ed25519-seed' "$org/keys/amara.key" || wrong "the sample's keys were to be unsealed"
ROTA_PASSPHRASE_FILE="$away/passphrase" ends 0 key seal amara
grep -q 'ed25519-sealed' "$org/keys/amara.key" || wrong "the key is not sealed"
! grep -q 'ed25519-seed' "$org/keys/amara.key" || wrong "the seed is still there"

# On a terminal the passphrase is asked for, twice when it is new, and not shown.
cat >"$away/type.py" <<'PY'
import os, pty, sys
answers, pid_fd = sys.argv[1].split("/"), pty.fork()
if pid_fd[0] == 0:
    os.execvp("rota", ["rota"] + sys.argv[2:])
seen = b""
while True:
    try:
        got = os.read(pid_fd[1], 1024)
    except OSError:
        got = b""
    if not got:
        break
    seen += got
    if got.endswith(b": ") and answers:
        os.write(pid_fd[1], answers.pop(0).encode() + b"\n")
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid_fd[0], 0)[1]))
PY
if has_terminals; then
    "$python" "$away/type.py" "long enough 1/long enough 1" key new guest >"$out" || wrong "a new passphrase"
    says "The same again"
    says_not "long enough"
    "$python" "$away/type.py" "long enough 1/long enough 2" key new other >"$out" && wrong "two passphrases that differ"
    says "not the same"
    "$python" "$away/type.py" "short/short" key new other >"$out" && wrong "a short passphrase"
    says "at least 8"
fi
[ ! -e "$org/keys/other.key" ] || wrong "a key was made nevertheless"

# Henrik has an SSH key. Two roots make it his.
ssh-keygen -q -t ed25519 -N "" -C henrik -f "$away/id" || wrong "ssh-keygen"
mv "$org/keys/henrik.key" "$away/henrik.old"
mv "$org/keys/henrik.pub" "$away/henrik.old.pub"
ends 0 key new henrik --ssh "$away/id"
! grep -q 'seed' "$org/keys/henrik.key" || wrong "an SSH key was copied"
ends 0 reload
ends 0 --as marta agree 1
ends 0 --as ines key request henrik
endorsed "$org/keys/henrik.enrolment"
ends 0 --as ines key enrol "$org/keys/henrik.enrolment"
ssh-keygen -q -t ecdsa -N "" -f "$away/ec"
ends 4 key new other --ssh "$away/ec"
complains "ssh-ed25519"

ends 0 --as ines open --from "$org/sample/scope_statement.cfg"
ends 0 --as ines submit SCP-0001
ROTA_PASSPHRASE_FILE="$away/wrong" ends 1 --as amara approve SCP-0001
complains "not the passphrase"
setsid -w rota --as amara approve SCP-0001 </dev/null >"$out" 2>"$err"
[ $? = 2 ] || wrong "without a terminal and a file there is no passphrase"
complains "ROTA_PASSPHRASE_FILE"
ROTA_PASSPHRASE_FILE="$away/passphrase" ends 0 --as amara approve SCP-0001
says "signing"
# What would be refused whatever is signed takes no passphrase, and nobody is shown what to sign.
ROTA_PASSPHRASE_FILE="$away/wrong" ends 1 --as amara approve SCP-0001
complains "409 wrong-state: amara has voted in this round already."
says_not "signing"
ends 0 --as henrik approve SCP-0001
ends 0 --json --as ines show SCP-0001
grep -q '"state":"approved"' "$out" || wrong "two signatures were to approve it"

# The agent holds the secret; the file is gone.
eval "$(ssh-agent -s)" >/dev/null
agent=$SSH_AGENT_PID
ssh-add -q "$away/id" 2>/dev/null || wrong "ssh-add"
mv "$away/id" "$away/id.gone"
sed -i "s|^    ssh-key = .*|    ssh-key = \"$away/id.pub\"|" "$org/keys/henrik.key"
ends 0 --as ines open --from "$org/sample/interested_parties.cfg"
ends 0 --as ines submit IPR-0001
ends 0 --as henrik approve IPR-0001
# Its holder replaces it by a key of ours: the SSH key endorses the next one.
ends 0 --as henrik key rotate --unsealed

ends 0 down
rota-verify "$org/journal.db" --vkey "@$org/keys/log.vkey" --write-actor-keys "$away/actors" >"$out" 2>"$err" || wrong "rota-verify finds fault"
says "signatures   4 by people"
if [ -n "${ROTA_AUDITOR:-}" ]; then
    "$python" "$ROTA_AUDITOR" "$org/journal.db" --vkey "$(cat "$org/keys/log.vkey")" --actor-keys "$away/actors" >"$out" 2>"$err" ||
        wrong "the independent auditor finds fault"
fi
told "signing: sealed keys, SSH keys, the agent"
