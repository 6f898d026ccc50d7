#!/usr/bin/env bash
# The main job on the sample organisation, step by step, on real processes. `make demo` builds and calls it.
#     demo.sh BUILD_DIRECTORY [--keep DIR]
# Exits 0 only if every step came out as it is told.
set -euo pipefail

build=$(cd "$1" && pwd)
house=$(cd "$(dirname "$0")/../.." && pwd)
export PATH="$build:$PATH" ROTA_SHARE="$house"
unset ROTA_AS
if [ "${2:-}" = --keep ]; then
    org=$3
else
    org=$(mktemp -d "${TMPDIR:-/tmp}/rota-demo.XXXXXX")/lumiere
fi
export ROTA_DIR="$org"
workers=()

finish() {
    local status=$?
    for pid in "${workers[@]}"; do kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || :; done
    rota down >/dev/null 2>&1 || :
    if [ $status -ne 0 ]; then
        echo; echo "The demo stopped in step: $step"; tail -n 5 "$org"/log/*.log 2>/dev/null || :
    fi
    [ -n "${kept:-}" ] || rm -rf "$(dirname "$org")"
    exit $status
}
[ "${2:-}" = --keep ] && kept=yes
trap finish EXIT

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold= dim= plain=; fi
step="the beginning"
chapter() { step=$1; printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
say() { printf '   %s\n' "$*"; }
# as WHO COMMAND...: shows the command and what the tool said, as that person.
as() {
    local who=$1; shift
    printf '%s   $ rota --as %s %s%s\n' "$dim" "$who" "$*" "$plain"
    rota --as "$who" "$@" | sed -e '/^signing/,/^key of/d' -e '/journal entry/d' -e 's/^/     /'
}
# refused WHO CODE COMMAND...: it must be refused with that code.
refused() {
    local who=$1 code=$2 said; shift 2
    printf '%s   $ rota --as %s %s%s\n' "$dim" "$who" "$*" "$plain"
    if said=$(rota --as "$who" "$@" 2>&1); then echo "this should have been refused"; return 1; fi
    case $said in *"$code"*) printf '%s\n' "$said" | grep "$code" | sed 's/^/     /' ;; *) echo "$said"; return 1 ;; esac
}
# The state of a record: the member after its stage in what `show --json` says.
state_of() { rota --as ines --json show "$1" | sed 's/.*"stage":"[a-z_]*","state":"\([a-z_]*\)".*/\1/'; }
# until_state RECORD STATE: waits (bounded) for work that workers do on their own.
until_state() {
    local now tries=0
    while now=$(state_of "$1") && [ "$now" != "$2" ]; do
        tries=$((tries + 1))
        [ $tries -lt 150 ] || { echo "$1 is in state $now, not $2"; return 1; }
        sleep 0.1
    done
}
must_be() { [ "$(state_of "$1")" = "$2" ] || { echo "$1 is $(state_of "$1"), not $2"; return 1; }; }
in_days() { TZ=Europe/Paris date -d "@$(($(rota --as ines --json status | sed -n 's/.*"now_ms":\([0-9]*\).*/\1/p') / 1000 + $1 * 86400))" +%F; }
newest() { rota --as ines --json list "$1" | sed -n 's/.*"record":"\([^"]*\)".*/\1/p' | tail -n 1; }

chapter "0  A new organisation"
rota init "$org" --sample | sed -n '1,5p' | sed 's/^/   /'
rota up | sed 's/^/   /'
say "Its clock is virtual: the demo moves it, and the journal can never pass for a real one."

chapter "1  The interested parties and the scope"
as ines open --from "$org/sample/interested_parties.cfg"
as ines submit IPR-0001
as amara approve IPR-0001
as dmitri do IPR-0001 put_in_force
as ines open --from "$org/sample/scope_statement.cfg"
as ines edit SCP-0001 requirements_considered=IPR-0001@1.0 headcount_in_scope=66 effective_from="$(in_days 7)"
as ines attach SCP-0001 "$org/sample/annex.txt"
as ines submit SCP-0001

chapter "2  Two of top management sign; nobody else, and nothing but what they saw"
say "The approval worker wrote to both. The author tries to approve it herself:"
refused ines separation-of-duties approve SCP-0001
as amara approve SCP-0001
say "The author takes it back to correct a figure: the round is void and that signature counts no more."
as ines edit SCP-0001 headcount_in_scope=64
refused henrik wrong-state approve SCP-0001
as ines submit SCP-0001
as amara approve SCP-0001
as henrik approve SCP-0001
must_be SCP-0001 approved
say "Approved. On its effective date the engine puts it in force:"
as ines clock advance "7 days"
until_state SCP-0001 in_force
as ines list scope_statement

chapter "3  Everybody who asked to be told is told; one address fails, and that stays visible"
message=$(rota --as ines --json list communication | sed -n 's/.*"record":"\([^"]*\)".*"title":"To interested.*/\1/p' | head -n 1)
until_state "$message" confirming
rota --as claire show "$message" | sed -n '/^Deliveries/,/^$/p' | sed 's/^/     /'
rota --as ines tasks | sed 's/^/     /'
campaign=$(newest ack_campaign)
for person in bo nina pavel; do as "$person" ack "$campaign"; done

chapter "4  A year later: the review finds a change necessary"
as ines clock advance "340 days"
until_state SCP-0001 under_review
as sofia open --from "$org/sample/scope_change.cfg"
change=$(newest scope_change)
as sofia submit "$change"
as amara approve "$change"
as henrik approve "$change"
must_be SCP-0001@1.0 changed
say "Version 2 is a draft; version 1 stays valid until the very entry that puts version 2 in force."
as ines edit SCP-0001@2.0 --from "$org/sample/scope_v2.cfg" effective_from="$(in_days 14)"
as ines do "$change" implement
as ines edit "$change" to_version=SCP-0001@2.0
as ines submit SCP-0001@2.0
as amara approve SCP-0001@2.0
as henrik approve SCP-0001@2.0
as ines clock advance "14 days"
until_state SCP-0001@2.0 in_force
must_be SCP-0001@1.0 superseded
as ines list scope_statement

chapter "5  An audit: a scanner's warning becomes a corrective action"
as tomas open audit --title "Technical audit of the platform" objectives="Are the platform hosts configured as decided?" \
    criteria=A.8.8,A.8.9 scope="The platform's build host" auditors=tomas,yuki auditee_owner=pavel \
    cause="Yearly technical check" planned_start="$(in_days 1)" planned_end="$(in_days 5)" collect_from=build01.lumiere-analytics.example
audit=$(newest audit)
as tomas do "$audit" approve_plan
say "A worker that the user wrote (Python, pyzmq and the protocol, nothing of ours) collects evidence."
worker="$house/workers/examples/collector.py"
/usr/bin/python3 "$worker" "ipc://$org/run/front" "$org/keys/collector.key" "$org/keys/engine.pub" 30 & workers+=($!); disown $!
until rota --as ines --json workers | grep '"principal":"collector"' >/dev/null; do sleep 0.1; done
say "A second one joins. Whoever keeps the machine proposes it; it may do nothing until another person has agreed, signed:"
rota worker new collector-2 --service audit.collect >/dev/null
sed -i 's/^workers = (/& { name = "collector-2"; title = "Collects audit evidence"; serves = ["audit.collect"]; },/' "$org/directory.cfg"
printf '%s   $ rota reload%s\n' "$dim" "$plain"
rota reload | sed 's/^/     /'
as ines agree 1
as tomas do "$audit" begin
until rota --as ines --json workers | grep '"principal":"collector","running":1\|"running":1,.*"service":"audit.collect"' >/dev/null; do sleep 0.1; done
say "It is killed while it works; the second one takes the task over:"
kill -9 "${workers[0]}"
/usr/bin/python3 "$worker" "ipc://$org/run/front" "$org/keys/collector-2.key" "$org/keys/engine.pub" 0 & workers+=($!); disown $!
collected() { rota --as ines --json log "$audit" | grep '"type":"task.done".*collector\|collector.*"type":"task.done"' >/dev/null; }
tries=0; until collected; do tries=$((tries + 1)); [ $tries -lt 150 ] || { echo "nobody collected the evidence"; exit 1; }; sleep 0.1; done
rota --as ines log "$audit" | grep -A1 -i 'collect' | sed 's/^/     /'
as tomas import lynis "$org/sample/lynis-report.dat" --audit "$audit"
finding=$(rota --as ines --json list finding | sed -n 's/.*"record":"\([^"]*\)".*vulnerable.*/\1/p' | head -n 1)
as ines edit "$finding" auditee_owner=pavel
as tomas do "$finding" confirm
until_state "$finding" open
action=$(newest corrective_action)
as pavel edit "$action" correction="Packages updated on build01." consequences_dealt_with="No sign of abuse in the logs."
as pavel do "$action" contain
as pavel edit "$action" --from "$org/sample/corrective_plan.cfg"
as pavel do "$action" submit_plan
as ines do "$action" approve_plan
as pavel do "$action" start
as pavel edit "$action" --from "$org/sample/corrective_done.cfg"
as pavel do "$action" done
say "Who did it does not verify it:"
refused pavel not-allowed do "$action" effective
as yuki do "$action" effective
until_state "$finding" verifying
as tomas do "$finding" close
must_be "$finding" closed
must_be "$action" closed_effective

chapter "6  The record, checked by a program that trusts neither the engine nor its keeper"
rota --as ines checkpoint >/dev/null
say "It is held against the head in a mail that was sent long ago: what was in the journal then is still there."
mail=$(ls -tr "$org"/mail/amara/new/* | head -n 1)
rota --as ines verify --against "$mail" | sed 's/^/     /'
say "And the page of history of each record:"
for record in SCP-0001@1.0 SCP-0001@2.0 "$change" "$finding" "$action"; do
    printf '\n%s   $ rota log %s%s\n' "$dim" "$record" "$plain"
    rota --as ines log "$record" | sed 's/^/     /'
done
echo
say "That was: $(rota --as ines --json status | sed -n 's/.*"size":\([0-9]*\).*/\1/p') entries, each of them signed for by the tree."
