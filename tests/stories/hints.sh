#!/bin/sh
# A name that is not there (a record, kind, event, field, person, state, folder, format) is answered with the nearest one that is.
set -u
. "$(dirname "$0")/house.inc"

# ---- without an engine ----
ends 2 draw risk --pack workflows
complains "there is no kind, lifecycle or record 'risk'; did you mean 'risk_"
ends 2 draw documnt --pack workflows
complains "did you mean 'document'?"
ends 2 draw finding --pack workflows --state opne
complains "did you mean 'open'?"
ends 2 draw finding --pack workflows --format mermad
complains "did you mean 'mermaid'?"
ends 4 draw finding --pack workflow
complains "there is no folder workflow; did you mean 'workflows'?"
ends 4 check workflow
complains "did you mean 'workflows'?"
ends 4 simulate config/sample/scenarios/three_year.cfg
complains "did you mean 'config/sample/scenarios/three_years.cfg'?"
ends 2 eval "1" --kind fnding --pack workflows
complains "did you mean 'finding'?"
ends 2 pack instal
complains "did you mean 'install'?"
ends 2 key nw
complains "did you mean 'new'?"
ends 2 worker nw
complains "did you mean 'new'?"
ends 2 clock advanc
complains "did you mean 'advance'?"
ends 2 key
complains "say which: list, roots, new"
ends 2 worker new
complains "NAME is missing"
ends 2 why SCP-0001
complains "EVENT is missing"
ends 2 import lynis
complains "FILE is missing"
ends 2 show
complains "RECORD is missing"
ends 4 verify workflow
complains "did you mean 'workflows'?"

# ---- the engine knows what there is ----
ends 0 init "$ROTA_DIR" --sample
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/context_issues.cfg"
hint() { # hint STATUS WORDS ARGUMENTS...: it is refused, and says so.
    status=$1 wanted=$2
    shift 2
    ends "$status" --as ines "$@"
    complains "$wanted"
}
hint 2 "did you mean 'policy'?" open polcy
hint 2 "did you mean 'scope_" open scope
hint 2 "did you mean 'policy'?" list polcy
hint 2 "did you mean 'policy'?" migrate --dry-run --kind polcy
hint 2 "--kind policy means all records of it" migrate --dry-run policy
hint 2 "did you mean 'html'?" show CTX-0001 --format htm
hint 2 "did you mean 'html'?" coverage --format htm
hint 1 "did you mean 'CTX-0001'?" show CTX-001
hint 1 "did you mean 'CTX-0001'?" log ctx-1
hint 1 "the latest version is CTX-0001@1.0" show CTX-0001@3.0
hint 1 "that is a kind" show policy
hint 1 "did you mean 'put_in_force'?" do CTX-0001 put_in_forse
hint 1 "did you mean 'put_in_force'?" why CTX-0001 put_in_forse
hint 1 "did you mean 'dmitri'?" why CTX-0001 put_in_force --person dmitry
hint 1 "did you mean 'amara'?" inbox amaro
hint 4 "did you mean 'change_reason'?" edit CTX-0001 chnage_reason=x
hint 1 "did you mean 'henrik'?" edit CTX-0001 reviewers=henric
hint 1 "did you mean 'pavel'?" delegate pawel --reason "On leave"
hint 2 "did you mean 'ines'?" --as inez show CTX-0001
hint 2 "did you mean 'draft'?" list --state drft
hint 2 "no finding has a state 'in_force'" list finding --state in_force
hint 2 "did you mean 'closed'?" list --stage closd
hint 2 "did you mean 'dmitri'?" list --owner dmitry
hint 2 "did you mean 'communication.deliver'?" tasks --service communication.delivr
hint 2 "did you mean 'parked'?" tasks --state parkd
hint 1 "did you mean 'CTX-0001'?" tasks --record CTX-001
hint 1 "did you mean 'journal'?" log --stream jurnal
hint 1 "did you mean 'CTX-0001'?" log --stream CTX-001/round/1/amara
hint 1 "did you mean 'ines'?" key request inez
hint 2 "known: lynis" import lynsi "$ROTA_DIR/sample/lynis-report.dat"
hint 2 "as 3 days, 1d12h or 90 s" clock advance "3 parsecs"
hint 1 "the clock ends" clock advance "99999999999999 weeks"
ends 0 clock advance "1296000 s"
hint 2 "did you mean 'minor'?" do CTX-0001 decide_change --change minr
# What is right and finds nothing is no fault.
ends 0 --as ines list --owner bo
says "no records"
ends 0 --as ines tasks --service audit.collect
says "no tasks"

told "names that are not there are answered with the nearest"
