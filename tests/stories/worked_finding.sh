#!/bin/sh
# The third worked path: a scanner's warning becomes a finding, the finding a corrective action, the corrective action a host that the
# next scan finds clean; and when the same result comes back, it is the same finding again, with more weight.
set -u
. "$(dirname "$0")/worked.inc"
work=${ROTA_DIR%/org}

# ---- an audit, in which nobody looks at what they answer for ----
ends 0 --as tomas open audit --title "Technical audit of the platform" objectives="Are the platform hosts configured as decided?" \
    criteria=A.8.8,A.8.9 scope="The platform's build host" auditors=tomas,pavel auditee_owner=pavel \
    cause="Yearly technical check" planned_start="$(in_days 1)" planned_end="$(in_days 5)"
ends 1 --as tomas do AUD-0001 approve_plan
complains "separation-of-duties"
ends 0 --as tomas edit AUD-0001 auditors=tomas,yuki
ends 0 --as tomas do AUD-0001 approve_plan
ends 0 --as tomas do AUD-0001 begin

# ---- the scanner's report: warnings are nonconformities, suggestions opportunities, each once ----
ends 0 --as tomas import lynis "$sample/lynis-report.dat" --audit AUD-0001
says "8 findings"
ends 1 --as tomas import lynis "$sample/lynis-report.dat" --audit AUD-0001
complains "imported into AUD-0001 already"
finding=$(newest finding "vulnerable packages")
must_be "$finding" raised
[ "$(field_of "$finding" classification)" = minor_nc ] || wrong "a warning is a $(field_of "$finding" classification)"

# ---- confirmed: the corrective action is open in the same run, with its dates ----
ends 0 --as tomas edit "$finding" auditee_owner=pavel
ends 1 --as pavel do "$finding" confirm
ends 0 --as tomas do "$finding" confirm
must_be "$finding" open
action=$(newest corrective_action)
[ "$(field_of "$action" plan_due)" = "$(in_days 60)" ] || wrong "the plan is due on $(field_of "$action" plan_due)"
ends 0 --as ines show "$action"
says "Pavel Novák"

# ---- contain, analyse, plan, approve, carry out (10.2 a to c) ----
ends 0 --as pavel edit "$action" correction="Packages updated on build01." consequences_dealt_with="No sign of abuse in the logs."
ends 0 --as pavel do "$action" contain
ends 0 --as pavel edit "$action" --from "$sample/corrective_plan.cfg"
ends 0 --as pavel do "$action" submit_plan
ends 1 --as pavel do "$action" approve_plan
complains "separation-of-duties"
ends 0 --as ines do "$action" approve_plan
must_be "$action" plan_approved
ends 0 --as pavel do "$action" start
ends 1 --as pavel do "$action" done
ends 0 --as pavel edit "$action" --from "$sample/corrective_done.cfg"
ends 0 --as pavel do "$action" done
must_be "$action" verifying

# ---- the next scan does not see it any more ----
grep -v '^warning\[\]=PKGS-7392' "$sample/lynis-report.dat" | sed 's/2026-11-20/2026-12-20/' >"$work/second.dat"
ends 0 --as tomas import lynis "$work/second.dat" --audit AUD-0001
must_be "$finding" verifying

# ---- verified by somebody who neither owned it nor carried it out (10.2 d) ----
ends 1 --as pavel do "$action" effective
complains "not-allowed"
ends 0 --as yuki do "$action" effective
must_be "$action" closed_effective
ends 1 --as pavel do "$finding" close
ends 0 --as tomas do "$finding" close
must_be "$finding" closed

# ---- and back again: the same finding, one step heavier, and the cause is sought anew ----
sed 's/2026-11-20/2027-01-20/' "$sample/lynis-report.dat" >"$work/third.dat"
ends 0 --as tomas import lynis "$work/third.dat" --audit AUD-0001
until_state "$finding" open
[ "$(field_of "$finding" classification)" = major_nc ] || wrong "what came back is a $(field_of "$finding" classification)"
again=$(newest corrective_action)
[ "$again" != "$action" ] || wrong "no second corrective action"
must_be "$again" opened
until_says "reopened" --as amara --json log "$finding" --all >/dev/null

verified
told "a warning, a finding, a corrective action, a clean scan; and the same finding when it came back"
