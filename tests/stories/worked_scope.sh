#!/bin/sh
# The first worked path: a change of scope, from the request of a process owner through two signatures of top management to the
# version that supersedes, and to the last thing that it left to do.
set -u
. "$(dirname "$0")/worked.inc"
scope_in_force

# ---- the request, and the law ----
ends 0 --as sofia open --from "$sample/scope_change.cfg"
ends 0 --as leila edit SCH-0001 legal_opinion=
ends 1 --as sofia submit SCH-0001
complains "legal_opinion"
ends 0 --as leila edit SCH-0001 "legal_opinion=Portuguese labour law applies to monitoring at work; the staff notice is adapted before the office opens."
ends 0 --as sofia submit SCH-0001

# ---- two of top management, and nobody who wrote it ----
ends 1 --as ines approve SCH-0001
complains "not-allowed"
ends 0 --as amara approve SCH-0001
must_be SCH-0001 requested
ends 0 --as henrik approve SCH-0001
must_be SCH-0001 approved
must_be SCP-0001@1.0 changed
must_be SCP-0001@2.0 draft

# ---- the change is carried out: risks, the Statement of Applicability, the certification body ----
ends 0 --as ines do SCH-0001 implement
risks=$(newest risk_assessment "Reassessment")
soa=$(newest action "Statement of Applicability")
body=$(newest action "certification body")
ends 0 --as ines edit SCP-0001@2.0 --from "$sample/scope_v2.cfg" effective_from="$(in_days 14)"
ends 0 --as ines edit SCH-0001 to_version=SCP-0001@2.0
ends 0 --as ines submit SCP-0001@2.0
ends 0 --as amara approve SCP-0001@2.0
ends 1 --as ines approve SCP-0001@2.0
complains "separation-of-duties"
ends 0 --as henrik approve SCP-0001@2.0
must_be SCP-0001@2.0 approved
must_be SCP-0001@1.0 changed

# ---- in force by itself on its day: no day without a valid scope ----
ends 0 --as ines clock advance "14 days"
until_state SCP-0001@2.0 in_force
must_be SCP-0001@1.0 superseded
until_state SCH-0001 effected
[ "$(newest doc_control 'Issue of')" != none ] || wrong "the register does not hold the issue"
message=$(newest communication "To interested parties")
until_state "$message" confirming
campaign=$(newest ack_campaign)
must_be "$campaign" open
[ "$(field_of "$campaign" document)" = SCP-0001@2.0 ] || wrong "the campaign asks about $(field_of "$campaign" document)"
for person in bo nina; do ends 0 --as "$person" ack "$campaign"; done
ends 0 --as ines show "$message"
says "nobody@invalid.example"

# ---- closed when what it started is closed ----
ends 1 --as ines do SCH-0001 close
complains "still open"
ends 0 --as ines open --from "$sample/risk_method.cfg"
ends 0 --as ines edit "$risks" --from "$sample/risk_assessment.cfg" scope=SCP-0001@2.0
ends 0 --as ines submit "$risks"
ends 0 --as pavel approve "$risks"
ends 0 --as henrik approve "$risks"
ends 0 --as amara approve "$risks"
until_state "$risks" in_force
for action in "$soa" "$body"; do
    ends 0 --as ines do "$action" done result="Done, and filed with the change."
    ends 1 --as ines do "$action" accept
    complains "separation-of-duties"
    ends 0 --as marta do "$action" accept
done
ends 0 --as ines do SCH-0001 close
must_be SCH-0001 closed
ends 0 --as ines log SCH-0001
says "Henrik Lindqvist"

verified
told "a change of scope, signed by top management, from the request to its last follow-up"
