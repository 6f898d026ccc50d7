#!/bin/sh
# A copy of the journal is put back. What was signed last lies beside the key: a copy that holds it all goes on, one that does
# not is refused, or goes on under another name and says so for ever.
set -u
. "$(dirname "$0")/house.inc"

base=${ROTA_DIR%/org}
origin() { sed -n 's/^origin *= *"\(.*\)";.*/\1/p' "$ROTA_DIR/rotad.cfg"; }
size() { sed -n 2p "$ROTA_DIR/keys/log.signed"; }
audited() { # FILE: the independent auditor agrees, where there is one
    [ -z "${ROTA_AUDITOR:-}" ] || "$python" "$ROTA_AUDITOR" "$1" --vkey "$(head -n 1 "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" ||
        wrong "the independent auditor does not agree on $1"
}

ends 0 init "$ROTA_DIR" --sample
name=$(origin)
ends 0 up
ends 0 --as ines open scope_statement --title One
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
ends 0 --as ines submit IPR-0001
ends 0 --as amara approve IPR-0001 --yes
ends 0 checkpoint
cp "$out" "$base/first.checkpoint"
ends 0 backup "$base/old.db"
ends 0 --as ines open scope_statement --title Two
ends 0 checkpoint
cp "$out" "$base/kept.checkpoint"
ends 1 restore "$base/old.db"
complains "rota down"
ends 0 backup "$base/newest.db"
ends 0 down
known=$(size)

# ---- an older copy in the place of the journal is not continued ----
cp "$ROTA_DIR/journal.db" "$base/journal.db"
cp "$base/old.db" "$ROTA_DIR/journal.db"
ends 4 up
complains "$known entries were signed"
complains "--accept-loss"
ends 4 restore "$base/old.db"
complains "$known entries were signed"
ends 4 restore "$base/absent.db"
ends 4 restore "$ROTA_DIR/rotad.cfg"

# ---- nor one that has less than what stands there; what is refused is not signed ----
cp "$ROTA_DIR/keys/log.signed" "$base/log.signed"
cp "$base/first.checkpoint" "$ROTA_DIR/keys/log.signed"
cp "$base/journal.db" "$ROTA_DIR/journal.db"
ends 4 restore "$base/old.db"
complains "that stands there has"
cmp -s "$base/first.checkpoint" "$ROTA_DIR/keys/log.signed" || wrong "a copy that was refused was signed"
mv "$base/log.signed" "$ROTA_DIR/keys/log.signed"

# ---- the newest is put back, and the journal goes on under its name ----
ends 0 restore "$base/newest.db"
says "rota up $ROTA_DIR"
[ "$(origin)" = "$name" ] || wrong "another origin without a loss"
[ -f "$ROTA_DIR/journal.db.before-restore.1" ] || wrong "what was there is not kept"
ends 0 up
ends 0 --as ines show SCP-0002
ends 0 down

# ---- nobody knows what was signed: a head from outside tells ----
known=$(size)
cp "$ROTA_DIR/journal.db" "$base/journal.db"
mv "$ROTA_DIR/keys/log.signed" "$base/log.signed"
ends 4 up
complains "log.signed is missing"
ends 4 restore "$base/journal.db"
complains "--against"
ends 4 restore "$base/old.db" --against "$base/kept.checkpoint"
complains "ROLLBACK"
ends 0 restore "$base/journal.db" --against "$base/kept.checkpoint"
ends 0 up
ends 0 down
[ "$(size)" -ge "$known" ] || wrong "less is remembered than was signed"

# ---- going on without what is missing ----
cp "$ROTA_DIR/journal.db" "$base/lost.db"
ends 0 --json restore "$base/old.db" --accept-loss
has dir origin loss
says '"loss":true'
[ "$(origin)" != "$name" ] || wrong "the origin is the old one"
case $(origin) in *"/since-"*"/virtual") ;; *) wrong "the origin is $(origin)" ;; esac
ends 0 up
ends 0 --as ines show SCP-0001
ends 1 --as ines show SCP-0002
ends 0 --as ines open --from "$ROTA_DIR/sample/context_issues.cfg"
ends 0 --as ines submit CTX-0001
ends 0 --as henrik approve CTX-0001 --yes
ends 0 verify --approvals # each signature under the name of its moment
says "RESTORED"
says "approvals    2, each proven"
says "The journal holds."
ends 0 verify --against "$base/kept.checkpoint"
says "LOST"
ends 0 backup "$base/anew.db"
audited "$base/anew.db"
ends 0 verify "$base/lost.db" --trusted "$base/kept.checkpoint"
ends 0 --as ines --json log
grep -q '"type":"journal.restored"' "$out" || wrong "no entry tells of it"

# ---- and once more, from a copy of before ----
ends 0 down
ends 4 restore "$base/old.db"
ends 0 restore "$base/old.db" --accept-loss
ends 0 up
ends 0 verify
says "The journal holds."
told "a copy is put back, and what is missing is said"
