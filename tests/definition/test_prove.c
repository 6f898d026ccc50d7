/* Proofs: what each refuses, with the way that shows it, and what it must let pass. Every case is a small pack of its own;
 * the examples of workflows/README.md are run by test_reference.c. */
#include "definition/pack.h"
#include "definition/prove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* clang-format off */
static const char COMMON[] =
    "pack = { name = \"proof\"; version = \"1\"; timezone = \"UTC\"; };\n"
    "roles = ( { name = \"boss\"; }, { name = \"clerk\"; }, { name = \"judge\"; }, { name = \"system\"; } );\n"
    "meanings = ( { name = \"approved\"; statement = \"I approve {{title}}.\"; } );\n"
    "messages = ( { name = \"default\"; subject = \"{{record}}\"; body = \"{{title}}\"; } );\n";

/* A document with everything that a document needs; MORE are further rows. */
#define DOCUMENT(STATES, MORE) \
    "lifecycle = { name = \"paper\"; versioned = true; states = (\n" \
    STATES \
    "{ name = \"old\"; stage = \"closed\"; } ); transitions = (\n" \
    "{ event = \"write\"; to = \"draft\"; },\n" \
    "{ event = \"submit\"; from = [\"draft\"]; to = \"draft\"; by = [\"author\"]; opens = \"round\"; },\n" \
    "{ event = \"approve\"; from = [\"draft\"]; to = \"ready\"; by = [\"asked\"]; vote = \"grant\"; },\n" \
    "{ event = \"refuse\"; from = [\"draft\"]; to = \"draft\"; by = [\"asked\"]; vote = \"refuse\"; },\n" \
    MORE \
    "{ event = \"end\"; from = [\"ready\", \"valid\"]; to = \"old\"; by = [\"boss\"]; } ); };\n" \
    "kind = { name = \"paper\"; prefix = \"PA\"; title = \"Paper\"; lifecycle = \"paper\"; create = [\"clerk\"];\n" \
    "clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"];\n" \
    "approval = { ask = [\"boss\"]; meaning = \"approved\"; };\n" \
    "fields = { text = { type = \"longtext\"; required = true; }; note = { type = \"text\"; }; seal = { type = \"text\"; computed = true; }; stamp = { type = \"text\"; computed = true; signed = true; }; }; };\n"
#define PLAIN_STATES \
    "{ name = \"draft\"; stage = \"draft\"; edit = [\"author\"]; },\n" \
    "{ name = \"ready\"; stage = \"approved\"; },\n" \
    "{ name = \"valid\"; stage = \"in_force\"; valid = true; },\n"
#define ISSUE "{ event = \"issue\"; from = [\"ready\"]; to = \"valid\"; by = [\"boss\", \"system\"]; },\n"

/* Two kinds on one lifecycle, for rules. */
#define PAIR(TRANSITIONS, RULES) \
    "lifecycle = { name = \"life\"; states = ( { name = \"open\"; stage = \"in_force\"; }, { name = \"shut\"; stage = \"closed\"; } );\n" \
    "transitions = ( { event = \"begin\"; to = \"open\"; }, " TRANSITIONS " { event = \"end\"; from = [\"open\"]; to = \"shut\"; by = [\"clerk\", \"system\"]; } ); };\n" \
    "kind = ( { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"life\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"];\n" \
    "fields = { parts = { type = \"text[]\"; }; key = { type = \"text\"; }; other = { type = \"ref\"; of = [\"two\"]; }; }; },\n" \
    "{ name = \"two\"; prefix = \"TWO\"; title = \"Two\"; lifecycle = \"life\"; create = [\"clerk\", \"system\"];\n" \
    "fields = { key = { type = \"text\"; }; cause = { type = \"ref\"; of = [\"one\"]; }; }; } );\n" \
    "interactions = (\n" RULES ");\n"

struct example {
    const char *text;
    const char *says; /* all that is said; "": nothing */
};

/* ---- what is in force was approved ---- */

static const struct example ROUNDS[] = {
    {DOCUMENT(PLAIN_STATES, ISSUE), ""},
    {DOCUMENT(PLAIN_STATES, ISSUE "{ event = \"rush\"; from = [\"draft\"]; to = \"valid\"; by = [\"system\"]; auto = true; when = \"size(record.note) > 3\"; },\n"),
     "p.cfg:11: write -> rush reaches 'valid' and no approval was granted (in kind 'paper')\n"},
    /* Also from a round that is open, and after a refusal: the shortest way is the one without. */
    {DOCUMENT(PLAIN_STATES, ISSUE "{ event = \"hop\"; from = [\"draft\"]; to = \"ready\"; by = [\"author\"]; },\n"),
     "p.cfg:10: write -> hop -> issue reaches 'valid' and no approval was granted (in kind 'paper')\n"},
    /* An edit while the round is open closes it; the votes that follow are of another round. */
    {DOCUMENT("{ name = \"draft\"; stage = \"draft\"; edit = [\"author\"]; },\n{ name = \"ready\"; stage = \"approved\"; edit = [\"author\"]; edit_fields = [\"text\"]; },\n{ name = \"valid\"; stage = \"in_force\"; },\n", ISSUE),
     "p.cfg:10: write -> submit -> approve -> edit -> issue reaches 'valid' with another 'text' than was approved (in kind 'paper')\n"},
    {DOCUMENT("{ name = \"draft\"; stage = \"draft\"; edit = [\"author\"]; },\n{ name = \"ready\"; stage = \"approved\"; edit = [\"author\"]; edit_fields = [\"note\"]; },\n{ name = \"valid\"; stage = \"in_force\"; },\n", ISSUE),
     ""},
    {DOCUMENT("{ name = \"draft\"; stage = \"draft\"; edit = [\"author\"]; },\n{ name = \"ready\"; stage = \"approved\"; },\n{ name = \"valid\"; stage = \"in_force\"; edit = [\"boss\"]; },\n", ISSUE),
     "p.cfg:4: write -> submit -> approve -> issue -> edit reaches 'valid' with another content than was approved (in kind 'paper')\n"},
    {DOCUMENT("{ name = \"draft\"; stage = \"draft\"; edit = [\"author\"]; },\n{ name = \"ready\"; stage = \"approved\"; },\n{ name = \"valid\"; stage = \"in_force\"; edit = [\"boss\"]; edit_fields = [\"text\"]; },\n", ISSUE),
     ""},
    /* What the engine sets: computed is no content, the rest is. */
    {DOCUMENT(PLAIN_STATES, "{ event = \"issue\"; from = [\"ready\"]; to = \"valid\"; by = [\"boss\"]; set = { seal = \"'red'\"; }; },\n"), ""},
    {DOCUMENT(PLAIN_STATES, "{ event = \"issue\"; from = [\"ready\"]; to = \"valid\"; by = [\"boss\"]; set = { note = \"'red'\"; }; },\n"), ""},
    {DOCUMENT(PLAIN_STATES, "{ event = \"issue\"; from = [\"ready\"]; to = \"valid\"; by = [\"boss\"]; set = { note = \"args.note\"; }; },\n"),
     "p.cfg:10: write -> submit -> approve -> issue reaches 'valid' with another 'note' than was approved (in kind 'paper')\n"},
    {DOCUMENT(PLAIN_STATES, "{ event = \"issue\"; from = [\"ready\"]; to = \"valid\"; by = [\"boss\"]; set = { text = \"'red'\"; }; },\n"),
     "p.cfg:10: write -> submit -> approve -> issue reaches 'valid' with another 'text' than was approved (in kind 'paper')\n"},
    /* The digest covers what a row computes as it asks for signatures, and nothing changes that without asking again. */
    {DOCUMENT(PLAIN_STATES, ISSUE "{ event = \"renew\"; from = [\"valid\"]; to = \"valid\"; by = [\"boss\"]; opens = \"round\"; set = { stamp = \"'red'\"; }; },\n{ event = \"again\"; from = [\"valid\"]; to = \"valid\"; by = [\"asked\"]; vote = \"grant\"; },\n"), ""},
    {DOCUMENT(PLAIN_STATES, ISSUE "{ event = \"renew\"; from = [\"valid\"]; to = \"valid\"; by = [\"boss\"]; opens = \"round\"; set = { seal = \"'red'\"; }; },\n{ event = \"again\"; from = [\"valid\"]; to = \"valid\"; by = [\"asked\"]; vote = \"grant\"; },\n"),
     "p.cfg:11: 'renew' sets 'seal' as it asks for approval, but the content that is signed would leave it out, since it is computed; give the field 'signed = true' (in kind 'paper')\n"},
    {DOCUMENT(PLAIN_STATES, "{ event = \"issue\"; from = [\"ready\"]; to = \"valid\"; by = [\"boss\"]; set = { stamp = \"'red'\"; }; },\n"),
     "p.cfg:10: 'issue' sets 'stamp', which people sign, and opens no round: what was signed would change without them; let it set a field that is not 'signed' (in kind 'paper')\n"},
    /* Back to be changed, and in force again without a new round. */
    {DOCUMENT("{ name = \"draft\"; stage = \"draft\"; edit = [\"author\"]; },\n{ name = \"ready\"; stage = \"approved\"; },\n{ name = \"valid\"; stage = \"in_force\"; },\n{ name = \"checked\"; stage = \"under_review\"; edit = [\"boss\"]; },\n",
              ISSUE "{ event = \"check\"; from = [\"valid\"]; to = \"checked\"; by = [\"boss\"]; },\n{ event = \"keep\"; from = [\"checked\"]; to = \"valid\"; by = [\"boss\"]; },\n"),
     "p.cfg:13: write -> submit -> approve -> issue -> check -> edit -> keep reaches 'valid' with another content than was approved (in kind 'paper')\n"},
    /* A second round while it is in force leaves what was granted as it is, until it is refused. */
    {DOCUMENT(PLAIN_STATES, ISSUE "{ event = \"renew\"; from = [\"valid\"]; to = \"valid\"; by = [\"boss\"]; opens = \"round\"; },\n{ event = \"again\"; from = [\"valid\"]; to = \"valid\"; by = [\"asked\"]; vote = \"grant\"; },\n"), ""},
};

/* Stages that are left out. */
#define STAGED(STAGES) \
    "lifecycle = { name = \"deed\"; states = ( { name = \"draft\"; stage = \"draft\"; }, { name = \"valid\"; stage = \"in_force\"; }, { name = \"old\"; stage = \"closed\"; } );\n" \
    "transitions = ( { event = \"write\"; to = \"draft\"; }, { event = \"submit\"; from = [\"draft\"]; to = \"draft\"; by = [\"author\"]; opens = \"round\"; },\n" \
    "{ event = \"approve\"; from = [\"draft\"]; to = \"valid\"; by = [\"asked\"]; vote = \"grant\"; }, { event = \"end\"; from = [\"valid\"]; to = \"old\"; by = [\"boss\"]; } ); };\n" \
    "kind = { name = \"deed\"; prefix = \"DE\"; title = \"Deed\"; lifecycle = \"deed\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"];\n" \
    "approval = { meaning = \"approved\";\nstages = ( " STAGES " ); }; };\n"

static const struct example STAGES[] = {
    {STAGED("{ name = \"one\"; ask = [\"boss\"]; when = \"record.title == 'x'\"; }"), ""},
    {STAGED("{ name = \"one\"; ask = [\"boss\"]; when = \"false\"; }, { name = \"two\"; ask = [\"boss\"]; }"),
     "p.cfg:6: warning: stage 'one' is never asked: its condition is false whatever the data (in kind 'deed')\n"},
    {STAGED("{ name = \"one\"; ask = [\"boss\"]; when = \"1 > 2\"; }"),
     "p.cfg:5: this approval asks nobody: none of its stages is ever needed, so that no round can be opened (in kind 'deed')\n"
     "p.cfg:6: warning: stage 'one' is never asked: its condition is false whatever the data (in kind 'deed')\n"},
};

/* Where the result is signed, the record may be worked on before. */
#define RESULT(MORE) \
    "lifecycle = { name = \"look\"; states = ( { name = \"doing\"; stage = \"in_force\"; edit = [\"author\"]; }, { name = \"done\"; stage = \"under_review\"; }, { name = \"signed\"; stage = \"closed\"; }, { name = \"dropped\"; stage = \"closed\"; } );\n" \
    "transitions = ( { event = \"look\"; to = \"doing\"; },\n" \
    "{ event = \"conclude\"; from = [\"doing\"]; to = \"done\"; by = [\"author\"]; opens = \"round\"; },\n" \
    "{ event = \"sign\"; from = [\"done\"]; to = \"signed\"; by = [\"asked\"]; vote = \"grant\"; },\n" \
    "{ event = \"back\"; from = [\"done\"]; to = \"doing\"; by = [\"asked\"]; vote = \"return\"; },\n" \
    MORE \
    "{ event = \"drop\"; from = [\"doing\"]; to = \"dropped\"; by = [\"boss\"]; } ); };\n" \
    "kind = { name = \"look\"; prefix = \"LK\"; title = \"Look\"; lifecycle = \"look\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"];\n" \
    "approval = { ask = [\"boss\"]; meaning = \"approved\"; }; };\n"

static const struct example RESULTS[] = {
    {RESULT(""), ""},
    {RESULT("{ event = \"skip\"; from = [\"done\"]; to = \"signed\"; by = [\"boss\"]; },\n"),
     "p.cfg:6: look -> conclude -> skip reaches 'signed' and no approval was granted (in kind 'look')\n"},
};

/* ---- what fields can hold ---- */

#define GUARDED(WHEN, TIMER, NEED) \
    "lifecycle = { name = \"life\"; states = ( { name = \"open\"; stage = \"in_force\"; edit = [\"clerk\"]; }, { name = \"shut\"; stage = \"closed\"; } );\n" \
    "transitions = ( { event = \"begin\"; to = \"open\"; }, { event = \"end\"; from = [\"open\"]; to = \"shut\"; by = [\"clerk\"]; needs_fields = true; set = { done = \"true\"; }; },\n" \
    "{ event = \"rush\"; from = [\"open\"]; to = \"shut\"; by = [\"clerk\"]; when = \"" WHEN "\"; } );\n" \
    TIMER " };\n" \
    "kind = { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"life\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"];\n" \
    "fields = { count = { type = \"int\"; min = 1; max = 9; };\n" \
    "lines = { type = \"table\"; min = 2; max = 3; columns = { text = { type = \"text\"; }; }; };\n" \
    "seal = { type = \"text\"; computed = true; }; done = { type = \"bool\"; computed = true; };\n" \
    "deputy = { type = \"person\"; }; helper = { type = \"person\"; required = true; }; };\n" \
    NEED " };\n"
#define BOUND(END, NUMBER) \
    "p.cfg:3: 'rush' can never happen: it compares 'count' with " NUMBER ", and that is at " END " (p.cfg:6); compare with another number, or change the "
#define UNSET "nothing ever sets the computed field 'seal' (p.cfg:8); let the 'set' of an event do that, or ask for another field (in kind 'one')\n"
#define TELLS(WORDS) "timers = ( { name = \"nag\"; in = [\"open\"]; from = \"state\"; steps = ( { after = \"1 days\"; tell = [" WORDS "]; message = \"default\"; } ); } );"

static const struct example GUARDS[] = {
    {GUARDED("record.count > 8", "", ""), ""},
    {GUARDED("record.count > 9", "", ""), BOUND("most 9", "9") "'max' of the field (in kind 'one')\n"},
    {GUARDED("record.count == 10 && record.done", "", ""), BOUND("most 9", "10") "'max' of the field (in kind 'one')\n"},
    {GUARDED("1 > record.count", "", ""), BOUND("least 1", "1") "'min' of the field (in kind 'one')\n"},
    {GUARDED("record.count > 9 || record.done", "", ""), ""},
    {GUARDED("!(record.count > 9)", "", ""), ""},
    /* A table has fewer rows than `min` until it is complete, and never more than `max`. */
    {GUARDED("size(record.lines) < 2", "", ""), ""},
    {GUARDED("size(record.lines) >= 4", "", ""),
     "p.cfg:3: 'rush' can never happen: it compares 'lines' with 4, and that is at most 3 (p.cfg:7); compare with another number, or change the 'max' of the field (in kind 'one')\n"},
    {GUARDED("record.done", "", ""), ""},
    {GUARDED("has(record.seal)", "", ""), "p.cfg:3: 'rush' can never happen: " UNSET},
    {GUARDED("record.count > 1 && record.seal != 'x'", "", ""), "p.cfg:3: 'rush' can never happen: " UNSET},
    {GUARDED("!has(record.seal) || record.seal == 'x'", "", ""), ""},
    {GUARDED("true", "", "needs = ( { before = \"end\"; when = \"record.seal == 'red'\"; says = \"Seal it.\"; } );"),
     "p.cfg:10: this need before 'end' can never be met: " UNSET},
    /* Who is told may be nobody. */
    {GUARDED("true", TELLS("\"deputy\", \"helper\""), ""), ""},
    {GUARDED("true", TELLS("\"deputy\", \"boss\""), ""), ""},
    {GUARDED("true", TELLS("\"deputy\""), ""),
     "p.cfg:4: warning: timer 'nag' tells only 'deputy', which may be empty: nobody would hear; tell 'owner' as well, or make the field required (in kind 'one')\n"},
};

/* ---- states ---- */

#define STATES3 "lifecycle = { name = \"life\"; states = ( { name = \"open\"; stage = \"in_force\"; },\n{ name = \"mid\"; stage = \"under_review\"; },\n{ name = \"shut\"; stage = \"closed\"; } );\ntransitions = ( { event = \"begin\"; to = \"open\"; },\n"
#define KIND1 "kind = { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"life\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]; };\n"

static const struct example STATE_GRAPHS[] = {
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n" KIND1, ""},
    {STATES3 "{ event = \"b\"; from = [\"open\", \"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n" KIND1,
     "p.cfg:2: no way leads to state 'mid' (in kind 'one')\n"},
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; },\n{ event = \"b\"; from = [\"open\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n" KIND1,
     "p.cfg:2: no way leads to a closed state from 'mid', which is reached by begin -> a (in kind 'one')\n"},
    /* A condition that knows the state it is asked in. */
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; },\n{ event = \"b\"; from = [\"open\", \"mid\"]; to = \"shut\"; by = [\"clerk\"]; when = \"state == 'open'\"; } ); };\n" KIND1,
     "p.cfg:2: no way leads to a closed state from 'mid', which is reached by begin -> a (in kind 'one')\n"},
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; when = \"false && size(record.title) > 1\"; },\n{ event = \"c\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n" KIND1,
     "p.cfg:6: 'b' can never happen: its condition is false whatever the data (in kind 'one')\n"},
    /* Only the engine may, and nothing asks it to. */
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; },\n{ event = \"c\"; from = [\"open\"]; to = \"shut\"; by = [\"system\"]; } ); };\n" KIND1,
     "p.cfg:7: warning: nothing ever makes 'c': only the engine may, and no timer, rule or task asks it to (in kind 'one')\n"},
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; tasks = ( { name = \"t\"; service = \"s\"; on_failure = \"c\"; } ); },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; },\n{ event = \"c\"; from = [\"mid\"]; to = \"shut\"; by = [\"system\"]; } ); };\n" KIND1, ""},
    /* Nobody opens one. */
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n"
     "kind = { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"life\"; create = [\"system\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]; };\n",
     "p.cfg:7: nobody may open one, and no rule starts one; name who in 'create' (in kind 'one')\n"},
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n"
     "kind = { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"life\"; create = [\"author\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]; };\n",
     "p.cfg:7: nobody may open one, and no rule starts one; name who in 'create' (in kind 'one')\n"},
};

/* ---- timers ---- */

#define TIMED(TIMERS) STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\", \"system\"]; },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } );\ntimers = ( " TIMERS " ); };\n" \
    "kind = { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"life\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]; fields = { day = { type = \"date\"; computed = true; }; }; };\n"

static const struct example TIMERS[] = {
    {TIMED("{ name = \"t\"; in = [\"open\"]; from = \"state\"; steps = ( { after = \"1 days\"; event = \"a\"; } ); }"), ""},
    /* The first rung moves it on; the second is meant for where it then is. */
    {TIMED("{ name = \"t\"; in = [\"open\", \"mid\"]; from = \"state\"; steps = ( { after = \"1 days\"; event = \"a\"; }, { after = \"2 days\"; tell = [\"boss\"]; } ); }"), ""},
    {TIMED("{ name = \"t\"; in = [\"open\", \"mid\"]; from = \"state\"; steps = ( { after = \"1 days\"; event = \"a\"; } ); }"),
     "p.cfg:7: warning: timer 't' runs in state 'mid', where nothing answers it (in kind 'one')\n"},
    {TIMED("{ name = \"t\"; in = [\"open\"]; from = \"state\"; steps = ( { after = \"1 days\"; event = \"b\"; } ); }"),
     "p.cfg:7: in none of the states of timer 't' anything answers event 'b' (in kind 'one')\n"},
    {TIMED("{ name = \"t\"; in = [\"mid\"]; from = \"state\"; steps = ( { after = \"1 days\"; event = \"b\"; } ); }"),
     "p.cfg:7: timer 't' asks for 'b', which the engine may not do: 'by' (p.cfg:6) does not name system (in kind 'one')\n"},
    {TIMED("{ name = \"t\"; in = [\"open\"]; from = \"day\"; steps = ( { after = \"1 days\"; event = \"a\"; } ); }"),
     "p.cfg:7: warning: timer 't' never runs: nothing ever sets the computed field 'day' (in kind 'one')\n"},
    {TIMED("{ name = \"t\"; in = [\"open\", \"shut\"]; from = \"state\"; every = \"5 days\"; steps = ( { after = \"1 days\"; tell = [\"boss\"]; } ); }"),
     "p.cfg:7: warning: timer 't' never ends: it begins again every 5 days in 'shut', which is closed and which nothing leaves; take that state from 'in', or 'every' away (in kind 'one')\n"},
    {TIMED("{ name = \"t\"; in = [\"open\"]; from = \"state\"; steps = ( { after = \"9 days\"; tell = [\"boss\"]; }, { after = \"1 weeks\"; tell = [\"boss\"]; } ); }"),
     "p.cfg:7: warning: step 2 of timer 't' (after 7 days) stands behind one of a later day (after 9 days), and would wait for it; put the steps in the order of their days (in kind 'one')\n"},
};

/* ---- rules that set each other off ---- */

static const struct example CYCLES[] = {
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; starts = \"two\"; }"), ""},
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; starts = \"two\"; },\n{ rule = \"B\"; when = \"two.begin\"; starts = \"one\"; }"),
     "p.cfg:8: this opens records without end, each time round another: one.begin -> A: two.begin -> B: one.begin\n"},
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; starts = \"one\"; }"),
     "p.cfg:8: this opens records without end, each time round another: one.begin -> A: one.begin\n"},
    /* A key that is the same for ever bounds it. */
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; starts = \"one\"; once = \"'the first'\"; }"), ""},
    /* Back to the record that began it: `once` is its id, so it starts nothing twice; but it rings for ever. */
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\", \"system\"]; },", "{ rule = \"A\"; when = \"one.ring\"; starts = \"two\"; },\n{ rule = \"B\"; when = \"two.begin\"; signal = { to = \"links.one.map(o, o.id)\"; event = \"ring\"; }; }"), ""},
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\", \"system\"]; },", "{ rule = \"A\"; when = \"one.ring\"; starts = \"two\"; once = \"record.id + string(now)\"; },\n{ rule = \"B\"; when = \"two.begin\"; signal = { to = \"links.one.map(o, o.id)\"; event = \"ring\"; }; }"),
     "p.cfg:8: this opens records without end, each time round another: one.ring -> A: two.begin -> B: one.ring\n"},
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\", \"system\"]; set = { key = \"'x'\"; }; },", "{ rule = \"A\"; when = \"one.ring\"; starts = \"two\"; once = \"record.key\"; },\n{ rule = \"B\"; when = \"two.begin\"; signal = { to = \"links.one.map(o, o.id)\"; event = \"ring\"; }; }"),
     "p.cfg:8: this opens records without end, each time round another: one.ring -> A: two.begin -> B: one.ring\n"},
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\", \"system\"]; },", "{ rule = \"A\"; when = \"one.ring\"; signal = { to = \"record.other\"; event = \"ring\"; }; },\n{ rule = \"B\"; when = \"two.ring\"; signal = { to = \"record.cause\"; event = \"ring\"; }; }"),
     "p.cfg:8: these set each other off without end: one.ring -> A: two.ring -> B: one.ring\n"},
    /* What a filter asks adds no elements; those that are links do. */
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\", \"system\"]; },", "{ rule = \"A\"; when = \"one.ring\"; starts = \"two\"; each = \"[1, 2].filter(x, links.one.exists(o, o.id != record.id))\"; once = \"record.id + string(row)\"; },\n{ rule = \"B\"; when = \"two.begin\"; signal = { to = \"links.one.map(o, o.id)\"; event = \"ring\"; }; }"), ""},
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\", \"system\"]; },", "{ rule = \"A\"; when = \"one.ring\"; starts = \"two\"; each = \"links.two\"; once = \"record.id + row.id\"; },\n{ rule = \"B\"; when = \"two.begin\"; signal = { to = \"links.one.map(o, o.id)\"; event = \"ring\"; }; }"),
     "p.cfg:8: this opens records without end, each time round another: one.ring -> A: two.begin -> B: one.ring\n"},
    /* One of the two happens once to each record: what it rings stays where it is, and is rung as often as that. */
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\", \"system\"]; },", "{ rule = \"A\"; when = \"one.ring\"; signal = { to = \"record.other\"; event = \"end\"; }; },\n{ rule = \"B\"; when = \"two.end\"; signal = { to = \"record.cause\"; event = \"ring\"; }; }"), ""},
    /* A record that leaves the state where it answers does not answer again. */
    {PAIR("", "{ rule = \"A\"; when = \"one.end\"; signal = { to = \"record.other\"; event = \"end\"; }; },\n{ rule = \"B\"; when = \"two.end\"; signal = { to = \"record.cause\"; event = \"end\"; }; }"), ""},
    /* By itself there and back. */
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; auto = true; when = \"size(record.title) > 3\"; },\n{ event = \"b\"; from = [\"mid\"]; to = \"open\"; auto = true; when = \"size(record.title) > 2\"; },\n{ event = \"c\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n" KIND1,
     "p.cfg:5: these set each other off without end: one.a -> one.b -> one.a\n"},
    /* What a person or time does in between ends it. */
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; auto = true; when = \"size(record.title) > 3\"; },\n{ event = \"b\"; from = [\"mid\"]; to = \"open\"; by = [\"clerk\"]; },\n{ event = \"c\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n" KIND1, ""},
};

/* ---- gates, signals, once ---- */

static const struct example GATES[] = {
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; starts = \"two\"; gate = \"end\"; }"), ""},
    {PAIR("", "{ rule = \"A\"; when = \"one.end\"; starts = \"two\"; gate = \"end\"; }"),
     "p.cfg:8: warning: rule 'A' holds nothing: no 'end' can come after 'end'\n"},
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; each = \"record.parts\"; starts = \"two\"; once = \"record.id + row\"; }"), ""},
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; each = \"record.parts\"; starts = \"two\"; once = \"record.id + string(n)\"; }"), ""},
    {PAIR("", "{ rule = \"A\"; when = \"one.begin\"; each = \"record.parts\"; starts = \"two\"; once = \"record.key\"; }"),
     "p.cfg:8: rule 'A' opens a two for each element, but 'once' is the same for all of them, so that only the first is opened; let it name 'row' or 'n'\n"},
    {PAIR("{ event = \"ring\"; from = [\"open\"]; to = \"open\"; by = [\"clerk\"]; },", "{ rule = \"A\"; when = \"one.end\"; signal = { to = \"record.other\"; event = \"ring\"; }; }"),
     "p.cfg:8: rule 'A' signals 'ring' to a two, which the engine may not do: no 'by' there names system\n"},
    {PAIR("", "{ rule = \"A\"; when = \"one.end\"; if = \"1 == 2\"; starts = \"two\"; }"),
     "p.cfg:8: warning: rule 'A' never fires: its condition is false whatever the data\n"},
};

/* ---- messages ---- */

static const struct example MESSAGES[] = {
    {STATES3 "{ event = \"a\"; from = [\"open\"]; to = \"mid\"; by = [\"clerk\"]; tell = [\"boss\"]; message = \"special\"; },\n{ event = \"b\"; from = [\"mid\"]; to = \"shut\"; by = [\"clerk\"]; } ); };\n"
     "kind = ( { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"life\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]; }, { name = \"ice\"; prefix = \"ICE\"; title = \"Ice\"; lifecycle = \"life\"; create = [\"clerk\"]; fields = { flavour = { type = \"text\"; }; }; } );\n"
     "messages = ( { name = \"special\"; subject = \"{{record}}\"; body = \"{{flavour}}\"; } );\n",
     "p.cfg:8: warning: message 'special' names '{{flavour}}', which stays blank: the record has no such field (in kind 'one')\n"},
};
/* ---- people ---- */

#define STAFFED(TRANSITIONS, APPROVAL) \
    "lifecycle = { name = \"staffed\"; states = ( { name = \"open\"; stage = \"draft\"; edit = [\"author\"]; }, { name = \"valid\"; stage = \"in_force\"; }, { name = \"shut\"; stage = \"closed\"; } );\n" \
    "transitions = ( { event = \"begin\"; to = \"open\"; },\n" \
    "{ event = \"submit\"; from = [\"open\"]; to = \"open\"; by = [\"author\"]; opens = \"round\"; },\n" \
    "{ event = \"grant\"; from = [\"open\"]; to = \"valid\"; by = [\"asked\"]; vote = \"grant\"; },\n" \
    TRANSITIONS "\n" \
    "{ event = \"end\"; from = [\"valid\"]; to = \"shut\"; by = [\"clerk\", \"boss\"]; } ); };\n" \
    "kind = { name = \"one\"; prefix = \"ONE\"; title = \"One\"; lifecycle = \"staffed\"; create = [\"clerk\"]; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"];\n" \
    "approval = { meaning = \"approved\"; " APPROVAL "}; };\n"

/* bea and carl are bosses; carl and dora are clerks; nobody is a judge. */
static const struct example PEOPLE[] = {
    {STAFFED("", "ask = [\"boss\"];"), ""},
    {STAFFED("", "ask = [\"boss\"]; need = 2;"),
     "p.cfg:8: warning: this approval cannot be granted where carl is the author: it takes 2 of boss, and there is bea (in kind 'one')\n"},
    {STAFFED("", "ask = [\"boss\"]; need = \"record.title == 'x' ? 1 : 3\";"),
     "p.cfg:8: this approval cannot be granted: it takes 3 of boss, and there is bea, carl (in kind 'one')\n"},
    {STAFFED("", "ask = [\"boss\"]; need = 2; weights = { boss = 2; };"), ""},
    {STAFFED("", "ask = [\"boss\", \"clerk\"]; require = [\"judge\"];"),
     "common.cfg:2: warning: nobody holds the role 'judge', which is waited for (first at p.cfg:8)\n"
     "p.cfg:8: this approval cannot be granted: judge must be among those who grant it, and of boss or clerk there is bea, carl, dora (in kind 'one')\n"},
    /* Each stage alone can be granted; a person votes in one of them. */
    {STAFFED("", "stages = ( { name = \"law\"; ask = [\"boss\"]; }, { name = \"board\"; ask = [\"boss\"]; } );"),
     "p.cfg:8: warning: this approval cannot be granted where carl is the author: a person votes in one stage of a round (SOD-2), and for 'law' and 'board' together there is bea (in kind 'one')\n"},
    {STAFFED("", "apart = [\"clerk\"]; stages = ( { name = \"law\"; ask = [\"boss\"]; }, { name = \"board\"; ask = [\"boss\"]; } );"),
     "p.cfg:8: this approval cannot be granted: a person votes in one stage of a round (SOD-2), and for 'law' and 'board' together there is bea (in kind 'one')\n"},
    {STAFFED("", "apart = []; stages = ( { name = \"law\"; ask = [\"boss\"]; need = 2; }, { name = \"board\"; ask = [\"boss\", \"clerk\"]; }, { name = \"last\"; ask = [\"clerk\"]; } );"),
     "p.cfg:8: this approval cannot be granted: a person votes in one stage of a round (SOD-2), and for 'law' and 'board' and 'last' together there is bea, carl, dora (in kind 'one')\n"},
    {STAFFED("", "apart = []; stages = ( { name = \"law\"; ask = [\"boss\"]; }, { name = \"board\"; ask = [\"boss\", \"clerk\"]; }, { name = \"last\"; ask = [\"clerk\"]; } );"), ""},
    {STAFFED("", "apart = []; stages = ( { name = \"law\"; ask = [\"boss\"]; require = [\"clerk\"]; }, { name = \"board\"; ask = [\"boss\", \"clerk\"]; need = 2; } );"), ""},
    {STAFFED("", "apart = []; stages = ( { name = \"law\"; ask = [\"boss\"]; require = [\"clerk\"]; }, { name = \"board\"; ask = [\"boss\", \"clerk\"]; need = 2; require = [\"boss\"]; }, { name = \"late\"; when = \"record.title == 'x'\"; ask = [\"boss\"]; } );"),
     "p.cfg:8: warning: this approval cannot be granted: a person votes in one stage of a round (SOD-2), and for 'law' and 'board' and 'late' together there is bea, carl, dora (in kind 'one')\n"},
    {STAFFED("{ event = \"hear\"; from = [\"valid\"]; to = \"shut\"; by = [\"judge\"]; },", "ask = [\"boss\"];"),
     "common.cfg:2: warning: nobody holds the role 'judge', which is waited for (first at p.cfg:5)\n"
     "p.cfg:5: nobody may make 'hear': nobody is judge (in kind 'one')\n"},
    {STAFFED("{ event = \"hear\"; from = [\"valid\"]; to = \"shut\"; by = [\"clerk\"]; apart = [\"author\"]; },", "ask = [\"boss\"];"), ""},
    {STAFFED("{ event = \"hear\"; from = [\"valid\"]; to = \"shut\"; by = [\"clerk\"]; apart = [\"boss\", \"author\"]; },", "ask = [\"boss\"];"),
     "p.cfg:5: warning: nobody may make 'hear' where dora stands as author: of clerk there is nobody else (in kind 'one')\n"},
    {STAFFED("{ event = \"hear\"; from = [\"valid\"]; to = \"shut\"; by = [\"boss\", \"judge\"]; apart = [\"boss\"]; },", "ask = [\"boss\"];"),
     "common.cfg:2: warning: nobody holds the role 'judge', which is waited for (first at p.cfg:5)\n"
     "p.cfg:5: nobody may make 'hear': of boss or judge there is bea, carl, kept apart as boss (in kind 'one')\n"},
    /* Two steps that take two people: begin is always before, so that who began is kept apart from the one other. */
    {STAFFED("{ event = \"hear\"; from = [\"valid\"]; to = \"shut\"; by = [\"clerk\"]; apart = [\"did:begin\", \"boss\"]; },", "ask = [\"boss\"];"),
     "p.cfg:5: warning: nobody may make 'hear' where dora stands as did:begin: of clerk there is nobody else (in kind 'one')\n"},
};
/* clang-format on */

/* ---- */

static int wrong_cases(const struct example *examples, size_t count)
{
    int wrong = 0;

    for (size_t i = 0; i < count; i++) {
        const struct pack_file files[] = {{"common.cfg", slice_str(COMMON)},
                                          {"p.cfg", slice_str(examples[i].text)}};
        struct problems problems = PROBLEMS_EMPTY;
        struct buf text = BUF_EMPTY;
        struct pack *pack = NULL;
        struct error err = {ERROR_NONE, ""};

        (void)pack_load_files(files, 2, &pack, &problems, &err);
        problems_show(&problems, &text);
        if (strcmp(buf_text(&text), examples[i].says) != 0) {
            print_error("case %zu: expected\n%sfound\n%s\n", i, examples[i].says, buf_text(&text));
            wrong++;
        }
        assert_true((pack == NULL) == (problems.errors > 0));
        buf_release(&text);
        pack_free(&pack);
        problems_release(&problems);
    }
    return wrong;
}

#define SAYS(EXAMPLES) wrong_cases(EXAMPLES, sizeof EXAMPLES / sizeof EXAMPLES[0])

static void nothing_comes_into_force_unapproved(void **state)
{
    (void)state;
    assert_int_equal(SAYS(ROUNDS), 0);
    assert_int_equal(SAYS(RESULTS), 0);
    assert_int_equal(SAYS(STAGES), 0);
}

static void every_state_is_reached_and_can_be_left(void **state)
{
    (void)state;
    assert_int_equal(SAYS(STATE_GRAPHS), 0);
}

static void conditions_can_be_met_by_what_fields_hold(void **state)
{
    (void)state;
    assert_int_equal(SAYS(GUARDS), 0);
}

static void every_timer_is_answered(void **state)
{
    (void)state;
    assert_int_equal(SAYS(TIMERS), 0);
}

static void interactions_come_to_an_end(void **state)
{
    (void)state;
    assert_int_equal(SAYS(CYCLES), 0);
}

static void gates_open_and_each_is_done_for_each(void **state)
{
    (void)state;
    assert_int_equal(SAYS(GATES), 0);
}

static void messages_name_what_the_record_has(void **state)
{
    (void)state;
    assert_int_equal(SAYS(MESSAGES), 0);
}

static void say_of_people(const struct example *example, struct buf *text)
{
    static const char *bea[] = {"boss"}, *carl[] = {"boss", "clerk"}, *dora[] = {"clerk"};
    struct person persons[] = {
        {"bea", {bea, 1}, NULL}, {"carl", {carl, 2}, "bea"}, {"dora", {dora, 1}, "carl"}};
    const struct people people = {persons, 3};
    const struct pack_file files[] = {{"common.cfg", slice_str(COMMON)},
                                      {"p.cfg", slice_str(example->text)}};
    struct problems problems = PROBLEMS_EMPTY;
    struct pack *pack = NULL;
    struct error err = {ERROR_NONE, ""};

    if (pack_load_files(files, 2, &pack, &problems, &err) != 0)
        fail_msg("%s", err.text);
    prove_people(pack, &people, &problems);
    problems_show(&problems, text);
    pack_free(&pack);
    problems_release(&problems);
}

static void the_people_there_are_suffice(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof PEOPLE / sizeof PEOPLE[0]; i++) {
        struct buf text = BUF_EMPTY;

        say_of_people(&PEOPLE[i], &text);
        if (strcmp(buf_text(&text), PEOPLE[i].says) != 0) {
            print_error("case %zu: expected\n%sfound\n%s\n", i, PEOPLE[i].says, buf_text(&text));
            wrong++;
        }
        buf_release(&text);
    }
    assert_int_equal(wrong, 0);
}

/* The engine opens its journal with whatever was sound on the day it was installed. */
static void an_installed_pack_is_not_proven_again(void **state)
{
    const struct pack_file files[] = {{"common.cfg", slice_str(COMMON)},
                                      {"p.cfg", slice_str(ROUNDS[1].text)}};
    struct problems problems = PROBLEMS_EMPTY;
    struct pack *pack = NULL;
    struct error err = {ERROR_NONE, ""};

    (void)state;
    assert_int_equal(pack_load_files(files, 2, &pack, &problems, &err), -1);
    assert_null(pack);
    /* What was said already is still wrong. */
    assert_int_equal(pack_load_files(files, 2, &pack, &problems, &err), -1);
    assert_int_equal(pack_load_installed(files, 2, &pack, &problems, &err), 0);
    assert_non_null(pack);
    pack_free(&pack);
    problems_release(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_into_force_unapproved),
        cmocka_unit_test(every_state_is_reached_and_can_be_left),
        cmocka_unit_test(conditions_can_be_met_by_what_fields_hold),
        cmocka_unit_test(every_timer_is_answered),
        cmocka_unit_test(interactions_come_to_an_end),
        cmocka_unit_test(gates_open_and_each_is_done_for_each),
        cmocka_unit_test(messages_name_what_the_record_has),
        cmocka_unit_test(the_people_there_are_suffice),
        cmocka_unit_test(an_installed_pack_is_not_proven_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
