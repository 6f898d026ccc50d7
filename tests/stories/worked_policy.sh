#!/bin/sh
# The second worked path: a policy changes; those who asked are told, with what failed in plain sight; everyone here acknowledges
# the new version, or is named as a gap; what was acknowledged of the old version stays.
set -u
. "$(dirname "$0")/worked.inc"
document interested_parties.cfg IPR-0001
document policy.cfg POL-0001

# ---- version 1 is acknowledged by everybody ----
first=$(newest ack_campaign)
must_be "$first" open
people=$(rota --as ines --json people | "$python" -c '
import json, sys
all = [json.loads(line) for line in sys.stdin]
all = [p for page in all for p in (page if isinstance(page, list) else [page])]
print(*sorted(p["name"] for p in all if "employee" in p.get("roles", [])))')
[ "$(echo "$people" | wc -w)" -ge 12 ] || wrong "who works here: $people"
# Who did not understand it says so: the owner is told, it is not counted, and they acknowledge it later.
ends 2 --as bo ack "$first" --decline
complains "--reason"
ends 0 --as bo ack "$first" --decline --reason "What is a removable medium?"
says "the owner is told why"
ends 0 --as ines show "$first"
says "declined"
says "What is a removable medium?"
for person in $people; do ends 0 --as "$person" ack "$first"; done
until_state "$first" completed

# ---- version 2 ----
ends 0 --as ines do POL-0001 decide_change --reason "Lesson of the incident in March, and the new rules for models."
must_be POL-0001@1.0 changed
ends 0 --as ines edit POL-0001@2.0 --from "$sample/policy_v2.cfg"
ends 0 --as ines submit POL-0001@2.0
ends 1 --as ines approve POL-0001@2.0
complains "separation-of-duties"
ends 0 --as amara approve POL-0001@2.0
must_be POL-0001@2.0 approved
must_be POL-0001@1.0 changed
ends 0 --as dmitri do POL-0001@2.0 put_in_force
must_be POL-0001@2.0 in_force
must_be POL-0001@1.0 superseded

# ---- those who asked to be told: two are reached, one address is wrong, and that stays visible ----
message=$(newest communication "To interested parties")
[ "$(field_of "$message" about)" = POL-0001@2.0 ] || wrong "told about $(field_of "$message" about)"
until_state "$message" confirming
ends 0 --as claire show "$message"
says "nobody@invalid.example"
says "failed"
says "security@banque-du-rhone.example"
ends 1 --as claire do "$message" close
complains "reason"
ends 0 --as claire do "$message" close --reason "The former partner has no address any more and is taken off the list."
must_be "$message" closed

# ---- everybody acknowledges this version; two do not ----
second=$(newest ack_campaign)
[ "$second" != "$first" ] || wrong "there is no campaign for version 2"
[ "$(field_of "$second" document)" = POL-0001@2.0 ] || wrong "the campaign asks about $(field_of "$second" document)"
for person in $people; do
    case $person in bo | nina) ;; *) ends 0 --as "$person" ack "$second" ;; esac
done
must_be "$second" open
ends 0 --as ines clock advance "11 days"
until_says "acknowledge_reminder" --as ines --json log "$second" --all
ends 0 --as ines clock advance "4 days"
until_state "$second" chasing
ends 0 --as ines clock advance "7 days"
until_says "acknowledge_overdue" --as ines --json log "$second" --all
ends 0 --as ines do "$second" close --reason "Bo and Nina are on parental leave until May."
must_be "$second" closed_incomplete
ends 0 --as ines show "$second"
says "bo"
says "nina"

# ---- what was acknowledged of version 1 stands, with its content, for ever ----
must_be "$first" completed
json --as ines show "$first"
says '"person":"nina"'
[ "$(field_of "$first" document)" = POL-0001@1.0 ] || wrong "the first campaign is now about $(field_of "$first" document)"
json --as ines show POL-0001@1.0
says '"state":"superseded"'
says "asks before taking a risk for others"

verified
told "a policy that changes, told, acknowledged, with its gaps named"
