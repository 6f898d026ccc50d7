/* Packs: a small complete one loads and means what it says; each mutation of it is refused with its place. */
#include "base/date.h"
#include "definition/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A line of the texts below is a line of the file, so that the cases can say where. */
/* clang-format off */
static const char COMMON[] =
    "pack = { name = \"small\"; version = \"1.2\"; timezone = \"UTC\"; };\n"                           /* 1 */
    "calendar = { working = [\"mon\", \"tue\", \"wed\", \"thu\"]; holidays = [\"2026-12-25\", \"2026-01-01\"]; };\n"
    "roles = ( { name = \"manager\"; title = \"Manager\"; clause = \"5.3\"; },\n"                      /* 3 */
    "          { name = \"staff\"; } );\n"
    "meanings = ( { name = \"approved\"; statement = \"I approve {{title}}.\"; } );\n"                 /* 5 */
    "messages = ( { name = \"default\"; subject = \"{{record}}\"; body = \"{{title}} {{link}}\"; },\n"
    "             { name = \"late\"; language = \"fr\"; subject = \"{{record}}\"; body = \"{{due}}\"; } );\n"
    "retention = ( { name = \"RT-1\"; keeps = \"6 years\"; } );\n"                                     /* 8 */
    "separation = ( { name = \"SOD-1\"; says = \"The author does not approve.\"; } );\n";

static const char LIFECYCLES[] =
    "lifecycle = (\n"                                                                                  /* 1 */
    "{ name = \"document\"; versioned = true;\n"
    "  states = ( { name = \"draft\"; stage = \"draft\"; edit = [\"author\", \"owner\"]; },\n"         /* 3 */
    "             { name = \"in_force\"; stage = \"in_force\"; valid = true; pdca = \"check\"; },\n"
    "             { name = \"old\"; stage = \"closed\"; } );\n"                                        /* 5 */
    "  transitions = (\n"
    "    { event = \"create\"; to = \"draft\"; },\n"                                                   /* 7 */
    "    { event = \"submit\"; from = [\"draft\"]; to = \"draft\"; by = [\"author\"]; opens = \"round\"; },\n"
    "    { event = \"approve\"; from = [\"draft\"]; to = \"in_force\"; by = [\"asked\"]; vote = \"grant\"; supersedes = true; },\n"
    "    { event = \"refuse\"; from = [\"draft\"]; to = \"old\"; by = [\"asked\"]; vote = \"refuse\"; reason = true; },\n"
    "    { event = \"supersede\"; from = [\"in_force\"]; to = \"old\"; by = [\"system\"]; tell = [\"audience\", \"owner\"]; } );\n"
    "  timers = ( { name = \"round\"; in = [\"draft\"]; from = \"round\";\n"                           /* 12 */
    "    steps = ( { after = \"2 days\"; tell = [\"asked\"]; message = \"late\"; } ); } ); },\n"
    "{ name = \"duty\"; title = \"Duty\";\n"                                                          /* 14 */
    "  states = ( { name = \"open\"; stage = \"in_force\"; edit = [\"owner\"]; edit_fields = [\"result\"]; },\n"
    "             { name = \"done\"; stage = \"under_review\"; }, { name = \"closed\"; stage = \"closed\"; } );\n"
    "  transitions = (\n"                                                                              /* 17 */
    "    { event = \"open\"; to = \"open\"; by = [\"manager\"]; },\n"
    "    { event = \"finish\"; from = [\"open\"]; to = \"done\"; by = [\"helper\", \"system\"]; when = \"has(record.result)\"; says = \"No result.\"; },\n"
    "    { event = \"close\"; from = [\"done\"]; to = \"closed\"; by = [\"manager\"]; apart = [\"did:finish\"]; apart_rule = \"SOD-1\"; meaning = \"approved\"; } );\n"
    "  timers = ( { name = \"due\"; in = [\"open\"]; from = \"due\"; every = \"7 days\";\n"           /* 21 */
    "    steps = ( { after = \"-1 days\"; tell = [\"manager_of:helper\"]; }, { after = \"0 days\"; event = \"finish\"; } ); } ); }\n"
    ");\n";

static const char POLICY[] =
    "kind = { name = \"policy\"; code = \"D1\"; prefix = \"POL\"; title = \"Policy\"; clause = \"5.2\"; clauses = [\"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"];\n"
    "  lifecycle = \"document\"; owner = \"manager\"; create = [\"manager\"]; audience = [\"staff\"]; acknowledge = [\"staff\"];\n"
    "  approval = { ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\"; };\n" /* 3 */
    "  review = { every = \"12 months\"; }; retention = \"RT-1\"; confidentiality = \"restricted\";\n"
    "  fields = {\n"                                                                                   /* 5 */
    "    words = { type = \"longtext\"; required = true; max = 2000; };\n"
    "    major = { type = \"bool\"; preset = false; computed = true; };\n"                                              /* 7 */
    "    reach = { type = \"enum[]\"; of = [\"site\", \"staff\"]; required_if = \"major\"; preset = [\"site\"]; };\n"
    "    parts = { type = \"table\"; columns = { item = { type = \"text\"; }; place = { type = \"enum\"; of = [\"in\", \"out\"]; }; }; };\n"
    "  };\n"
    "  needs = ( { before = \"submit\"; when = \"parts.exists(p, p.place == 'in')\"; says = \"Name a part.\"; } );\n" /* 11 */
    "  on = ( { event = \"approve\"; tell = [\"owner\"]; set = { major = \"false\"; };\n"
    "           tasks = ( { name = \"send\"; service = \"mail\"; each = \"parts\"; input = { item = \"row.item\"; nr = \"n\"; }; on_done = \"supersede\"; delivery = true; } ); },\n"
    "         { event = \"withdraw\"; from = [\"in_force\"]; to = \"old\"; by = [\"owner\", \"system\"]; reason = true; } );\n" /* 14 */
    "};\n";

static const char DUTY[] =
    "kind = { name = \"duty\"; prefix = \"DUT\"; title = \"Duty\"; lifecycle = \"duty\"; owner = \"manager\";\n"
    "  fields = { due = { type = \"date\"; }; helper = { type = \"person\"; }; result = { type = \"text\"; };\n"
    "             cause = { type = \"ref\"; of = [\"policy\"]; }; grade = { type = \"enum\"; of = [\"low\", \"high\"]; };\n"
    "             at = { type = \"datetime\"; }; process = { type = \"enum\"; of = [\"A\", \"B\"]; }; }; };\n"
    "interactions = (\n"                                                                               /* 5 */
    "  { rule = \"R1\"; when = \"policy.approve\"; if = \"record.major\"; each = \"parts\"; starts = \"duty\"; title = \"row.item\";\n"
    "    set = { cause = \"record.id\"; grade = \"'high'\"; owner = \"record.owner\"; }; due = { due = \"5 working days\"; at = \"2 hours\"; };\n"
    "    once = \"record.id + string(n)\"; tell = [\"owner\"]; gate = \"withdraw\"; },\n"             /* 8 */
    "  { rule = \"R2\"; when = \"duty.close\"; signal = { to = \"links.policy.filter(p, p.state == 'in_force').map(p, p.id)\"; event = \"withdraw\"; }; }\n"
    ");\n"                                                                                            /* 10 */
    "processes = ( { id = \"A\"; phase = \"do\"; title = \"Work\"; owner = [\"staff\"]; approves = [\"manager\"]; every = \"3 months\";\n"
    "  runs = [\"policy\"]; triggers = [\"B\"]; retention = \"RT-1\";\n"                        /* 12 */
    "  kpis = ( { name = \"Duties\"; value = \"size(open.duty)\"; target = \"3\"; }, { name = \"Mood\"; } ); },\n"
    "  { id = \"B\"; phase = \"act\"; title = \"Think\"; owner = [\"manager\"]; } );\n";       /* 14 */

/* clang-format on */

enum { FILE_COUNT = 4 };

static const struct {
    const char *path, *text;
} SOURCES[FILE_COUNT] = {{"common.cfg", COMMON},
                         {"lifecycles.cfg", LIFECYCLES},
                         {"kinds/policy.cfg", POLICY},
                         {"kinds/duty.cfg", DUTY}};

struct loaded {
    struct arena arena;
    struct pack *pack;
    struct problems problems;
    struct error err;
    int status;
    const char *text; /* of the problems */
};

static struct pack_file *plain_files(struct arena *arena)
{
    struct pack_file *files = arena_zero(arena, sizeof *files * (FILE_COUNT + 1));
    int i;

    for (i = 0; i < FILE_COUNT; i++)
        files[i] = (struct pack_file){SOURCES[i].path, slice_str(SOURCES[i].text)};
    return files;
}

static void load_files(struct loaded *l, const struct pack_file *files, int count)
{
    struct buf text = BUF_EMPTY;

    l->status = pack_load_files(files, count, &l->pack, &l->problems, &l->err);
    problems_show(&l->problems, &text);
    l->text = arena_copy(&l->arena, text.at, text.len);
    buf_release(&text);
}

/* Loads the pack with the first `from` replaced by `to`. */
static void load_changed(struct loaded *l, const char *from, const char *to)
{
    struct pack_file *files;
    const char *found = NULL;
    int i;

    memset(l, 0, sizeof *l);
    files = plain_files(&l->arena);
    for (i = 0; i < FILE_COUNT && found == NULL; i++) {
        found = strstr(SOURCES[i].text, from);
        if (found != NULL)
            files[i].bytes =
                slice_str(arena_printf(&l->arena, "%.*s%s%s", (int)(found - SOURCES[i].text),
                                       SOURCES[i].text, to, found + strlen(from)));
    }
    if (found == NULL)
        fail_msg("no file has: %s", from);
    load_files(l, files, FILE_COUNT);
}

static void release(struct loaded *l)
{
    pack_free(&l->pack);
    problems_release(&l->problems);
    arena_release(&l->arena);
}

static void load_plain(struct loaded *l)
{
    memset(l, 0, sizeof *l);
    load_files(l, plain_files(&l->arena), FILE_COUNT);
    if (l->status != 0)
        fail_msg("%s", l->text);
    assert_string_equal(l->text, "");
}

/* ---- what the pack means ---- */

static const struct kind *kind_of(const struct loaded *l, const char *name)
{
    const struct kind *kind = pack_kind(l->pack, slice_str(name));

    assert_non_null(kind);
    return kind;
}

static const struct transition *row_of(const struct kind *kind, const char *state,
                                       const char *event)
{
    int index = state == NULL ? MODEL_NONE : kind_state_index(kind, slice_str(state));
    const struct transition *row = kind_transition(kind, index, slice_str(event));

    assert_non_null(row);
    return row;
}

static void names_and_calendar_are_read(void **state)
{
    struct loaded l;

    (void)state;
    load_plain(&l);
    assert_string_equal(l.pack->name, "small");
    assert_string_equal(l.pack->version, "1.2");
    assert_int_equal(l.pack->kind_count, 2);
    assert_string_equal(pack_role(l.pack, slice_str("staff"))->title, "staff");
    assert_string_equal(pack_message(l.pack, "default")->language, "en");
    assert_string_equal(pack_meaning(l.pack, "approved")->statement, "I approve {{title}}.");
    assert_true(l.pack->calendar.working[3]);
    assert_false(l.pack->calendar.working[4]);
    assert_int_equal(l.pack->calendar.holiday_count, 2);
    assert_true(l.pack->calendar.holidays[0] < l.pack->calendar.holidays[1]);
    assert_non_null(l.pack->calendar.zone);
    assert_ptr_equal(pack_prefix(l.pack, slice_str("POL")), kind_of(&l, "policy"));
    assert_null(pack_prefix(l.pack, slice_str("XYZ")));
    release(&l);
}

static void states_have_their_defaults(void **state)
{
    const struct state *s;
    struct loaded l;

    (void)state;
    load_plain(&l);
    s = kind_state(kind_of(&l, "policy"), slice_str("draft"));
    assert_int_equal(s->stage, STAGE_DRAFT);
    assert_int_equal(s->pdca, PDCA_PLAN);
    assert_false(s->is_closed);
    assert_string_equal(s->title, "draft");
    s = kind_state(kind_of(&l, "policy"), slice_str("in_force"));
    assert_int_equal(s->pdca, PDCA_CHECK); /* as written, not by the stage */
    assert_true(s->is_valid);
    assert_true(kind_state(kind_of(&l, "policy"), slice_str("old"))->is_closed);
    assert_int_equal(kind_state(kind_of(&l, "duty"), slice_str("done"))->pdca, PDCA_CHECK);
    assert_null(kind_state(kind_of(&l, "duty"), slice_str("draft")));
    release(&l);
}

static void a_kind_changes_its_own_copy_of_the_lifecycle(void **state)
{
    const struct transition *row;
    const struct kind *policy;
    struct loaded l;

    (void)state;
    load_plain(&l);
    policy = kind_of(&l, "policy");
    row = row_of(policy, NULL, "create");
    assert_true(row->creates);
    assert_string_equal(row->by.at[0], "manager"); /* the kind's `create` */
    row = row_of(policy, "draft", "submit");
    assert_true(row->opens_round && row->needs_fields);
    row = row_of(policy, "draft", "approve");
    assert_int_equal(row->vote, VOTE_GRANT);
    assert_true(row->supersedes && !row->needs_fields);
    assert_int_equal(row->tell_count, 1);
    assert_int_equal(row->set_count, 1);
    assert_int_equal(row->task_count, 1);
    assert_true(row->tasks[0].delivery);
    assert_string_equal(row->tasks[0].input[1].field, "nr");
    row = row_of(policy, "in_force", "withdraw");
    assert_true(row->reason);
    row = row_of(policy, "in_force", "supersede");
    assert_string_equal(row->tell[0].to.at[0], "staff"); /* `audience` is the kind's */
    assert_string_equal(row->tell[0].to.at[1], "owner");
    row = row_of(kind_of(&l, "duty"), "open", "finish");
    assert_true(row->needs_fields);
    assert_null(kind_transition(kind_of(&l, "duty"), 0, slice_str("withdraw")));
    release(&l);
}

static void fields_are_the_kinds_and_everybodys(void **state)
{
    const struct field *field;
    const struct kind *policy;
    struct loaded l;

    (void)state;
    load_plain(&l);
    policy = kind_of(&l, "policy");
    field = kind_field(policy, slice_str("reach"));
    assert_int_equal(field->type, FIELD_ENUM);
    assert_true(field->list);
    assert_true(words_have(&field->of, slice_str("site")));
    assert_int_equal(field->preset.count, 1);
    assert_string_equal(expr_text(field->required_if), "major");
    assert_int_equal(kind_field(policy, slice_str("parts"))->column_count, 2);
    assert_true(kind_field(policy, slice_str("words"))->required);
    field = kind_field(policy, slice_str("confidentiality"));
    assert_true(slice_is(value_slice(&field->preset), "restricted"));
    assert_non_null(kind_field(policy, slice_str("next_review_due")));
    assert_non_null(kind_field(policy, slice_str("distribution_list")));
    assert_non_null(kind_field(kind_of(&l, "duty"), slice_str("attachments")));
    assert_null(kind_field(kind_of(&l, "duty"), slice_str("effective_from")));
    assert_int_equal(policy->review_every.months, 12);
    release(&l);
}

static void an_approval_in_stages_is_compiled(void **state)
{
    const struct approval *approval;
    const struct approval_stage *stage;
    struct loaded l;

    (void)state;
    load_changed(&l,
                 "ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = "
                 "\"30 days\";",
                 "meaning = \"approved\"; expires = \"30 days\"; on_expiry = \"refuse\";\n"
                 "stages = ( { name = \"first\"; ask = [\"staff\"]; need = \"all\"; },\n"
                 "{ name = \"beside\"; after = []; ask = [\"staff\"]; majority = true; closing = "
                 "\"all\"; },\n"
                 "{ name = \"last\"; after = [\"first\", \"beside\"]; ask = [\"manager\"]; percent "
                 "= 66; need = 2;\n"
                 "  veto = [\"manager\"]; require = [\"owner\"]; weights = { manager = 3; }; } );");
    if (l.status != 0)
        fail_msg("%s", l.text);
    approval = kind_of(&l, "policy")->approval;
    assert_int_equal(approval->stage_count, 3);
    assert_int_equal(approval->on_expiry, VOTE_REFUSE);
    assert_int_equal(approval->on_tie, VOTE_REFUSE);
    stage = &approval->stages[0];
    assert_int_equal(stage->counting, COUNT_ALL);
    assert_true(stage->one_refuse_ends && stage->after == 0 && !stage->waits_for_all);
    assert_string_equal(stage->meaning, "approved");
    stage = &approval->stages[1];
    assert_int_equal(stage->counting, COUNT_MAJORITY);
    assert_true(!stage->one_refuse_ends && stage->after == 0 && stage->waits_for_all);
    stage = &approval->stages[2];
    assert_int_equal(stage->counting, COUNT_PERCENT);
    assert_int_equal(stage->percent, 66);
    assert_string_equal(expr_text(stage->need), "2");
    assert_int_equal(stage->after, 3);
    assert_string_equal(stage->weights[0].who, "manager");
    assert_int_equal(stage->weights[0].weight, 3);
    assert_string_equal(stage->meaning, "approved");
    release(&l);
}

static void approvals_timers_and_rules_are_compiled(void **state)
{
    const struct approval *approval;
    const struct timer *timer;
    const struct rule *rule;
    struct loaded l;

    (void)state;
    load_plain(&l);
    approval = kind_of(&l, "policy")->approval;
    assert_int_equal(approval->stage_count, 1);
    assert_string_equal(expr_text(approval->stages[0].need), "major ? 2 : 1");
    assert_true(approval->stages[0].one_refuse_ends);
    assert_int_equal(approval->stages[0].counting, COUNT_NEED);
    assert_string_equal(approval->apart.at[0], "editors");
    assert_int_equal(approval->expires.days, 30);
    timer = &kind_of(&l, "duty")->lifecycle->timers[0];
    assert_int_equal(timer->from, TIMER_FIELD);
    assert_string_equal(timer->field, "due");
    assert_int_equal(timer->every.days, 7);
    assert_int_equal(timer->steps[0].after.days, -1);
    assert_string_equal(timer->steps[1].event, "finish");
    assert_true(timer->in[0] && !timer->in[1]);
    rule = &l.pack->rules[0];
    assert_string_equal(rule->event, "approve");
    assert_string_equal(l.pack->kinds[rule->starts].name, "duty");
    assert_string_equal(expr_text(rule->due[0].value), "today + workdays(5)");
    assert_string_equal(expr_text(rule->due[1].value), "now + duration('7200000ms')");
    assert_true(rule->gate);
    assert_int_equal(expr_uses(l.pack->rules[1].signal_to), EXPR_USES_LINKS);
    assert_int_equal(l.pack->rules[1].starts, MODEL_NONE);
    release(&l);
}

static void a_transition_to_same_is_a_row_for_each_of_its_states(void **state)
{
    const struct lifecycle *lifecycle;
    struct loaded l;

    (void)state;
    load_changed(
        &l, "{ event = \"open\"; to = \"open\"; by = [\"manager\"]; },",
        "{ event = \"open\"; to = \"open\"; by = [\"manager\"]; },"
        "{ event = \"note\"; from = [\"open\", \"done\"]; to = \"same\"; by = [\"manager\"]; },");
    assert_string_equal(l.text, "");
    lifecycle = kind_of(&l, "duty")->lifecycle;
    assert_int_equal(lifecycle->transition_count, 5);
    assert_true(lifecycle->transitions[1].from[0] && !lifecycle->transitions[1].from[1]);
    assert_int_equal(lifecycle->transitions[1].to, 0);
    assert_true(lifecycle->transitions[2].from[1] && !lifecycle->transitions[2].from[0]);
    assert_int_equal(lifecycle->transitions[2].to, 1);
    release(&l);
}

static void a_rule_watches_each_of_its_events(void **state)
{
    const struct rule *rules;
    struct loaded l;

    (void)state;
    load_changed(&l, "when = \"duty.close\"", "when = [\"duty.close\", \"policy.approve\"]");
    assert_string_equal(l.text, "");
    assert_int_equal(l.pack->rule_count, 3);
    rules = l.pack->rules;
    assert_string_equal(rules[1].name, "R2");
    assert_string_equal(rules[2].name, "R2");
    assert_string_equal(rules[1].event, "close");
    assert_string_equal(rules[2].event, "approve");
    assert_string_equal(l.pack->kinds[rules[2].kind].name, "policy");
    release(&l);
}

static void a_timer_may_go_a_part_of_the_way(void **state)
{
    const struct timer *timer;
    struct loaded l;

    (void)state;
    load_changed(&l, "every = \"7 days\";\n    steps = ( { after = \"-1 days\"",
                 "until = \"at\";\n    steps = ( { after = \"80%\"");
    assert_string_equal(l.text, "");
    timer = &kind_of(&l, "duty")->lifecycle->timers[0];
    assert_string_equal(timer->until, "at");
    assert_int_equal(timer->steps[0].percent, 80);
    assert_int_equal(timer->steps[1].percent, 0);
    release(&l);
}

static void processes_are_read(void **state)
{
    const struct process *process;
    struct loaded l;

    (void)state;
    load_plain(&l);
    assert_int_equal(l.pack->process_count, 2);
    process = pack_process(l.pack, slice_str("A"));
    assert_int_equal(process->phase, PDCA_DO);
    assert_int_equal(process->every.months, 3);
    assert_string_equal(process->triggers.at[0], "B");
    assert_string_equal(process->kpis[0].target, "3");
    assert_int_equal(expr_uses(process->kpis[0].value), EXPR_USES_OPEN);
    assert_null(process->kpis[1].value);
    assert_null(pack_process(l.pack, slice_str("C")));
    assert_true(kind_is_run(kind_of(&l, "duty")));
    assert_false(kind_is_run(kind_of(&l, "policy")));
    release(&l);
}

static void a_condition_reads_its_process_and_the_records_it_names(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct error err;
    struct expr *expr;
    struct loaded l;

    (void)state;
    load_plain(&l);
    assert_int_equal(pack_condition(l.pack, kind_of(&l, "duty"),
                                    "refs.cause.all(c, c.major) && process.id == record.process",
                                    &arena, &expr, &err),
                     0);
    assert_int_equal(expr_uses(expr), EXPR_USES_REFS | EXPR_USES_PROCESS);
    assert_int_equal(
        pack_condition(l.pack, kind_of(&l, "policy"), "process.id == 'A'", &arena, &expr, &err),
        -1);
    assert_int_equal(
        pack_condition(l.pack, kind_of(&l, "policy"), "size(refs.words) > 0", &arena, &expr, &err),
        -1);
    arena_release(&arena);
    release(&l);
}

#define ROUND_TIMER                                                                                \
    "{ name = \"round\"; in = [\"draft\"]; from = \"round\"; steps = ( { after = \"9 days\"; "     \
    "tell "                                                                                        \
    "= [\"asked\"]; message = \"late\"; } ); }"

static void a_kinds_timer_replaces_the_lifecycles_of_its_name(void **state)
{
    const struct lifecycle *lifecycle;
    struct loaded l;

    (void)state;
    load_changed(&l, "  needs = (", "  timers = ( " ROUND_TIMER " );\n  needs = (");
    assert_int_equal(l.status, 0);
    lifecycle = kind_of(&l, "policy")->lifecycle;
    assert_int_equal(lifecycle->timer_count, 1);
    assert_string_equal(lifecycle->timers[0].name, "round");
    assert_int_equal(lifecycle->timers[0].steps[0].after.days, 9);
    release(&l);
    load_changed(&l, "  needs = (",
                 "  timers = ( " ROUND_TIMER ", " ROUND_TIMER " );\n  needs = (");
    assert_int_equal(l.status, -1);
    assert_non_null(strstr(l.text, "a second timer 'round'"));
    release(&l);
}

static void a_need_is_evaluated(void **state)
{
    struct value scope = value_map(), record = value_map(), parts = value_array(),
                 part = value_map();
    const struct need *need;
    struct loaded l;

    (void)state;
    load_plain(&l);
    need = &kind_of(&l, "policy")->needs[0];
    value_set(&l.arena, &scope, "record", record);
    assert_false(expr_holds(need->when, &scope, &l.pack->calendar, NULL));
    value_set(&l.arena, &part, "place", value_str("in"));
    value_push(&l.arena, &parts, part);
    value_set(&l.arena, &record, "parts", parts);
    value_set(&l.arena, &scope, "record", record);
    assert_true(expr_holds(need->when, &scope, &l.pack->calendar, NULL));
    release(&l);
}

/* ---- the digest ---- */

static void the_digest_is_over_paths_and_bytes(void **state)
{
    struct loaded l;
    struct pack_file *files;
    uint8_t digest[HASH_LEN], other[HASH_LEN];

    (void)state;
    load_plain(&l);
    files = plain_files(&l.arena);
    pack_digest(files, FILE_COUNT, digest);
    assert_memory_equal(digest, l.pack->digest, HASH_LEN);
    files[0] = files[FILE_COUNT - 1]; /* the order in which they come does not matter */
    files[FILE_COUNT - 1] = plain_files(&l.arena)[0];
    pack_digest(files, FILE_COUNT, other);
    assert_memory_equal(digest, other, HASH_LEN);
    files[0].path = "kinds/duty2.cfg";
    pack_digest(files, FILE_COUNT, other);
    assert_memory_not_equal(digest, other, HASH_LEN);
    assert_int_equal(l.pack->files.count, FILE_COUNT);
    assert_true(slice_is(value_get_text(&l.pack->files.as.items[0], "path"), "common.cfg"));
    release(&l);
}

/* Independently: python3 -c "from hashlib import sha256 as s; h=s(b'x').digest(); print(s(b'rota.pack/1\n' + b'\x91\x92\xa5a.cfg\xc4\x20' + h).hexdigest())" */
static void the_digest_is_the_one_that_others_compute(void **state)
{
    const struct pack_file file = {"a.cfg", slice_str("x")};
    uint8_t digest[HASH_LEN];
    char hex[2 * HASH_LEN + 1];

    (void)state;
    pack_digest(&file, 1, digest);
    hex_encode(slice_of(digest, HASH_LEN), hex);
    assert_string_equal(hex, "d175a6263d84a36e3ae54d55603e592c9bc07d1c6297191fe84a9d891babb4fe");
}

/* ---- refusals ---- */

struct mutation {
    const char *from, *to, *says; /* a line that must be among the problems, or its beginning */
};

/* clang-format off */
static const struct mutation MUTATIONS[] = {
    /* settings */
    {"versioned = true", "versoned = true", "lifecycles.cfg:2: a lifecycle has no setting 'versoned'; did you mean 'versioned'?"},
    {"pack = {", "pakc = {", "common.cfg:1: a file has no setting 'pakc'; did you mean 'pack'?"},
    {"version = \"1.2\"; ", "", "common.cfg:1: the pack needs 'version'"},
    {"version = \"1.2\"", "version = 1", "common.cfg:1: 'version': expected a text, found a number"},
    {"reason = true; } );", "reason = \"yes\"; } );", "kinds/policy.cfg:14: 'reason': expected true or false, found a text"},
    {"max = 2000", "max = 2.5", "kinds/policy.cfg:6: 'max': expected a whole number, found a decimal number"},
    {"\"staff\"; } );\nm", "3; } );\nm", "common.cfg:4: 'name': expected a text, found a number"},
    {"roles = (", "roles = [ 1 ]; other = (", "common.cfg:3: 'roles': expected a list of groups"},
    {"fields = { due = { type = \"date\"; };", "fields = { due = 3;", "kinds/duty.cfg:2: 'due': expected a group { }, found a number"},
    {"every = \"12 months\"", "every = \"12 moons\"", "kinds/policy.cfg:4: 'every': \"12 moons\" is not a span of time"},
    {"edit = [\"owner\"]", "edit = [1]", "lifecycles.cfg:15: 'edit': expected a text, found a number"},
    {"pack = { ", "pack = { name = \"x\"; ", "common.cfg:1: cannot be read: duplicate setting name"},
    {"version = \"1.2\"; ", "version = ; ", "common.cfg:1: cannot be read: syntax error, in this line or just before it (texts stand in \"quotes\", a quote inside one is \\\", yes is true, names have no blanks)"},
    {"type = \"longtext\"", "type = \"string\"", "kinds/policy.cfg:6: unknown type of field 'string'; it is one of text, longtext, int, bool, enum, date, datetime, duration, person, group, ref, file, table"},
    {"retention = \"RT-1\"", "retention = \"10 years\"", "kinds/policy.cfg:4: unknown retention rule '10 years'; `retention = ( { name; keeps; says; } )` declares one, a kind names it"},
    {"The author does not approve.\"", "The author does not approve.", "common.cfg:9: cannot be read: the text or comment that begins here is not closed"},
    {"retention = (", "@include \"/etc/passwd\"\nretention = (", "common.cfg:8: @include is not allowed"},
    {"retention = (", "retention = ( \001\377", "common.cfg: not a text in UTF-8"},
    {"pack = {", "\xef\xbb\xbf" "pack = {", "common.cfg: it begins with a byte order mark"},
    {"pack = { name = \"small\"; version = \"1.2\"; timezone = \"UTC\"; };", "", "no file has the setting 'pack'"},
    {"DUT", "D1", "kinds/duty.cfg:1: 'D1' is no prefix"},
    {"\"UTC\"", "\"Mars/Crater\"", "common.cfg:1: there is no time zone 'Mars/Crater'"},
    {"\"2026-12-25\"", "\"2026-12-32\"", "common.cfg:2: '2026-12-32' is not a day of the calendar"},
    {"\"mon\"", "\"moon\"", "common.cfg:2: unknown day of the week 'moon'; did you mean 'mon'?"},
    {"[\"mon\", \"tue\", \"wed\", \"thu\"]", "[]", "common.cfg:1: the calendar has no working day"},
    /* names */
    {"lifecycle = \"document\"", "lifecycle = \"documents\"", "kinds/policy.cfg:2: unknown lifecycle 'documents'; did you mean 'document'?"},
    {"stage = \"under_review\"", "stage = \"underreview\"", "lifecycles.cfg:16: unknown stage 'underreview'; did you mean 'under_review'?"},
    {"pdca = \"check\"", "pdca = \"chek\"", "lifecycles.cfg:4: unknown pdca phase 'chek'; did you mean 'check'?"},
    {"from = [\"done\"]", "from = [\"doen\"]", "lifecycles.cfg:20: unknown state 'doen'; did you mean 'done'?"},
    {"to = \"closed\"; by", "to = \"closd\"; by", "lifecycles.cfg:20: unknown state 'closd'; did you mean 'closed'?"},
    {"by = [\"helper\",", "by = [\"helpr\",", "lifecycles.cfg:19: unknown who 'helpr' (in kind 'duty'): no role, and no field of people; did you mean 'helper'?"},
    {"by = [\"helper\",", "by = [\"result\",", "lifecycles.cfg:19: unknown who 'result' (in kind 'duty'): no role, and no field of people"},
    {"manager_of:helper", "manager_of:halper", "lifecycles.cfg:22: unknown who 'halper' (in kind 'duty'): no role, and no field of people; did you mean 'helper'?"},
    {"did:finish", "did:finished", "lifecycles.cfg:20: unknown event in 'did:finished' (in kind 'duty')"},
    {"owner = \"manager\"; create", "owner = \"manger\"; create", "kinds/policy.cfg:2: unknown who 'manger': no role, and no field of people; did you mean 'manager'?"},
    {"vote = \"refuse\"", "vote = \"reject\"", "lifecycles.cfg:10: unknown vote 'reject'"},
    {"opens = \"round\"", "opens = \"rounds\"", "lifecycles.cfg:8: unknown thing to open 'rounds'; did you mean 'round'?"},
    {"meaning = \"approved\"; expires", "meaning = \"aproved\"; expires", "kinds/policy.cfg:3: unknown meaning 'aproved'; did you mean 'approved'?"},
    {"meaning = \"approved\"; } );\n  timers", "meaning = \"agreed\"; } );\n  timers", "lifecycles.cfg:20: unknown meaning 'agreed'"},
    {"says = \"The author does not approve.\"", "says = \"x\"; conflict = [\"manager\", \"manager\"]", "common.cfg:9: 'manager' stands twice in the conflict of 'SOD-1', and no role conflicts with itself; name the other role"},
    {"apart_rule = \"SOD-1\"", "apart_rule = \"SOD-2\"", "lifecycles.cfg:20: unknown rule of separation 'SOD-2' (in kind 'duty'); did you mean 'SOD-1'?"},
    {"meaning = \"approved\"; expires", "meaning = \"approved\"; apart = (\"editors\", { who = \"owner\"; rule = \"SOD-9\"; }); expires", "kinds/policy.cfg:3: unknown rule of separation 'SOD-9'"},
    {"meaning = \"approved\"; expires", "meaning = \"approved\"; apart = (\"editors\", { who = \"ownr\"; }); expires", "kinds/policy.cfg:3: unknown who 'ownr'"},
    {"meaning = \"approved\"; expires", "meaning = \"approved\"; apart = (\"editors\", { whom = \"owner\"; }); expires", "kinds/policy.cfg:3: a parted group has no setting 'whom'; did you mean 'who'?"},
    {"did:finish", "did:finish@polcy", "lifecycles.cfg:20: unknown '@polcy' in 'did:finish@polcy' (in kind 'duty'): no kind, and no field of references; did you mean 'policy'?"},
    {"did:finish", "did:finish@policy", "lifecycles.cfg:20: unknown event in 'did:finish@policy' (in kind 'policy')"},
    {"did:finish", "involved:12 moons", "lifecycles.cfg:20: unknown who 'involved:12 moons' (in kind 'duty'): no role, and no field of people"},
    {"message = \"late\"", "message = \"lat\"", "lifecycles.cfg:13: unknown message 'lat' (in kind 'policy'); did you mean 'late'?"},
    {"retention = \"RT-1\"", "retention = \"RT-2\"", "kinds/policy.cfg:4: unknown retention rule 'RT-2'; did you mean 'RT-1'?"},
    {"keeps = \"6 years\"", "keeps = \"6 yaers\"", "common.cfg:8: 'keeps': \"6 yaers\" is not a span of time"},
    {"keeps = \"6 years\"", "keeps = \"6 years\"; from = \"close\"", "common.cfg:8: unknown beginning 'close'; did you mean 'closed'?"},
    {"retention = \"RT-1\"; confidentiality", "retention = \"RT-1\"; kept_while = [\"words\"]; confidentiality", "kinds/policy.cfg:4: 'words' is no field of type person or ref"},
    {"name = \"duty\"; title = \"Duty\";\n  states", "name = \"duty\"; ends_with = \"documnt\";\n  states", "lifecycles.cfg:14: unknown lifecycle 'documnt'; did you mean 'document'?"},
    {"name = \"duty\"; title = \"Duty\";\n  states", "name = \"duty\"; ends_with = \"duty\";\n  states", "lifecycles.cfg:15: a second state 'open'"},
    {"from = [\"done\"]", "from = [\"stage:clsed\"]", "lifecycles.cfg:20: unknown stage 'clsed'; did you mean 'closed'?"},
    {"from = [\"open\"]; to = \"done\"", "from = [\"open\"]; erases = true; to = \"done\"", "lifecycles.cfg:19: 'finish' erases and leads to 'done', which is no end (in kind 'duty')"},
    {"version = \"1.2\"", "version = \"1.2\"; migrate_by = [\"managr\"]", "common.cfg:1: unknown role 'managr'; did you mean 'manager'?"},
    {"version = \"1.2\"", "version = \"1.2\"; migrate_meaning = \"aproved\"", "common.cfg:1: unknown meaning 'aproved'; did you mean 'approved'?"},
    {"confidentiality = \"restricted\"", "confidentiality = \"secret\"", "kinds/policy.cfg:4: unknown confidentiality 'secret'"},
    {"type = \"enum[]\";", "erasable = true; type = \"enum[]\";", "kinds/policy.cfg:8: 'erasable' is for text, longtext and table, not for 'reach'; put it into a table, as a column of its own: a table can be erased as a whole"},
    {"type = \"ref\"; of = [\"policy\"]; }; grade", "type = \"file\"; erasable = true; }; grade", "kinds/duty.cfg:3: files can always be erased: take 'erasable' away from 'cause'"},
    {"by = [\"manager\"]; apart = [\"did:finish\"]", "by = [\"manager\"]; apart = [\"manager\"]", "lifecycles.cfg:20: nobody can do 'close': everyone whom 'by' names is kept 'apart' as well; name somebody else in 'by', or take 'manager' from 'apart' (in kind 'duty')"},
    {"edit_fields = [\"result\"]", "edit_fields = [\"results\"]", "lifecycles.cfg:15: unknown field 'results' (in kind 'duty'); did you mean 'result'?"},
    {"before = \"submit\"", "before = [\"submit\", \"aprove\"]", "kinds/policy.cfg:11: a policy has no event 'aprove'; did you mean 'approve'?"},
    {"before = \"submit\"", "before = \"sumbit\"", "kinds/policy.cfg:11: a policy has no event 'sumbit'; did you mean 'submit'?"},
    {"on_done = \"supersede\"", "on_done = \"superseded\"", "kinds/policy.cfg:13: a policy has no event 'superseded'; did you mean 'supersede'?"},
    {"on = ( { event = \"approve\"", "on = ( { event = \"aprove\"", "kinds/policy.cfg:12: the lifecycle has no event 'aprove' to change; did you mean 'approve'?"},
    {"{{title}} {{link}}", "{{titel}}", "common.cfg:6: message 'default': unknown name '{{titel}}'; did you mean 'title'?"},
    {"{{title}} {{link}}", "{{title", "common.cfg:6: message 'default': '{{' without '}}'"},
    /* processes */
    {"phase = \"do\"", "phase = \"due\"", "kinds/duty.cfg:11: unknown phase 'due'; did you mean 'do'?"},
    {"owner = [\"staff\"]", "owner = [\"stuff\"]", "kinds/duty.cfg:11: unknown role 'stuff'; did you mean 'staff'?"},
    {"approves = [\"manager\"]", "approves = [\"owner\"]", "kinds/duty.cfg:11: unknown role 'owner'"},
    {"runs = [\"policy\"]", "runs = [\"polcy\"]", "kinds/duty.cfg:12: unknown kind 'polcy'; did you mean 'policy'?"},
    {"triggers = [\"B\"]", "triggers = [\"C\"]", "kinds/duty.cfg:12: unknown process 'C'"},
    {"retention = \"RT-1\";\n  kpis", "retention = \"RT-9\";\n  kpis", "kinds/duty.cfg:12: unknown retention rule 'RT-9'; did you mean 'RT-1'?"},
    {"size(open.duty)", "size(open.dute)", "kinds/duty.cfg:13: column 11: open has no 'dute'; did you mean 'duty'?"},
    {"size(open.duty)", "open.duty", "kinds/duty.cfg:13: column 1: expected a number or a text, but this gives a list"},
    {"size(open.duty)", "size(kpis)", "kinds/duty.cfg:13: a figure cannot be computed from the figures"},
    {"{ id = \"B\"", "{ id = \"A\"", "kinds/duty.cfg:14: a second process 'A' (the first is at kinds/duty.cfg:11)"},
    {"of = [\"A\", \"B\"]", "of = [\"A\"]", "kinds/duty.cfg:4: 'process' lacks the value 'B': Think"},
    {"process = { type = \"enum\"; of = [\"A\", \"B\"]; };", "", "kinds/duty.cfg:11: no kind has the enum field 'process'"},
    {"by = [\"helper\",", "by = [\"process.ownr\",", "lifecycles.cfg:19: unknown who 'process.ownr' (in kind 'duty'): no role, and no field of people; did you mean 'process.owner'?"},
    {"owner = \"manager\"; create", "owner = \"process.owner\"; create", "kinds/policy.cfg:2: unknown who 'process.owner'"},
    /* fields */
    {"type = \"longtext\"", "type = \"longtxt\"", "kinds/policy.cfg:6: unknown type of field 'longtxt'; did you mean 'longtext'?"},
    {"type = \"table\"", "type = \"table[]\"", "kinds/policy.cfg:9: unknown type of field 'table[]'"},
    {"of = [\"site\", \"staff\"]; ", "", "kinds/policy.cfg:8: the enum 'reach' needs 'of': its values"},
    {"required = true; max", "signed = true; required = true; max", "kinds/policy.cfg:6: 'signed' is for computed fields: what people fill in, as 'words', is content anyway; take it away"},
    {"item = { type = \"text\"; };", "item = { type = \"text\"; computed = true; signed = true; };", "kinds/policy.cfg:9: 'signed' is for fields, not for the column 'item': a table is signed as a whole"},
    {"words = {", "first_review = { type = \"text\"; }; words = {", "kinds/policy.cfg:6: every record has 'first_review'; it cannot have another type here"},
    {"preset = [\"site\"]", "preset = [\"sites\"]", "kinds/policy.cfg:8: the preset of 'reach' is not of its type"},
    {"preset = false", "preset = 0", "kinds/policy.cfg:7: the preset of 'major' is not of its type"},
    {"of = [\"policy\"]", "of = [\"polcy\"]", "kinds/duty.cfg:3: unknown kind 'polcy'; did you mean 'policy'?"},
    {"required = true; max = 2000", "min = 3000; max = 2000", "kinds/policy.cfg:6: 'min' of 'words' is above its 'max'"},
    {"words = {", "title = {", "kinds/policy.cfg:6: every record has 'title'; a field needs another name"},
    {"words = {", "reviewers = {", "kinds/policy.cfg:6: every record has 'reviewers'; it cannot have another type here"},
    {"words = {", "Words = {", "kinds/policy.cfg:6: 'Words' is no name for a field"},
    {"max = 2000", "of = [\"a\"]", "kinds/policy.cfg:6: 'of' is for enum and ref, not for 'words'"},
    {"max = 2000", "columns = { a = { type = \"int\"; }; }", "kinds/policy.cfg:6: 'columns' are for a table, not for 'words'"},
    {"item = { type = \"text\"; };", "item = { type = \"table\"; };", "kinds/policy.cfg:9: a table in a table: 'item'"},
    {"columns = { item = { type = \"text\"; }; place = { type = \"enum\"; of = [\"in\", \"out\"]; }; };", "", "kinds/policy.cfg:9: the table 'parts' needs 'columns'"},
    /* lifecycles */
    {"{ name = \"old\"; stage = \"closed\"; }", "{ name = \"old\"; stage = \"closed\"; }, { name = \"lost\"; stage = \"changed\"; }", "lifecycles.cfg:5: no way leads to state 'lost' (in kind 'policy')"},
    {"to = \"closed\"; by", "to = \"done\"; by", "lifecycles.cfg:16: no way leads to a closed state from 'done', which is reached by open -> finish (in kind 'duty')"},
    {"{ name = \"old\"; stage", "{ name = \"draft\"; stage", "lifecycles.cfg:5: a second state 'draft'"},
    {"event = \"refuse\"", "event = \"approve\"", "lifecycles.cfg:10: a second transition for event 'approve' in state 'draft' (the first is at lifecycles.cfg:9) (in kind 'policy')"},
    {"event = \"submit\"; from = [\"draft\"];", "event = \"create\";", "lifecycles.cfg:8: a second transition for event 'create' that creates"},
    {"event = \"open\"; to", "event = \"open\"; from = [\"open\"]; to", "lifecycles.cfg:14: no transition creates a record (one without 'from') in lifecycle 'duty' (in kind 'duty')"},
    {"opens = \"round\"; ", "", "kinds/policy.cfg:3: kind 'policy' declares an approval, but no transition of lifecycle 'document' opens a round"},
    {"opens = \"round\"; ", "", "lifecycles.cfg:9: no transition opens a round, so there is nothing to vote on with 'approve' (in kind 'policy')"},
    {"vote = \"grant\"", "vote = \"abstain\"", "lifecycles.cfg:8: no event grants the round that is opened by 'submit' (in kind 'policy')"},
    {"approval = { ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\"; };", "", "kinds/policy.cfg:1: kind 'policy' needs 'approval': its event 'submit' opens a round"},
    {"versioned = true;", "", "lifecycles.cfg:9: only a versioned lifecycle has successors and predecessors, so not 'approve' (in kind 'policy')"},
    {"event = \"supersede\"", "event = \"replace\"", "lifecycles.cfg:9: there is no event 'supersede' for the predecessor, which is moved by 'approve' (in kind 'policy')"},
    {"reason = true; } );", "auto = true; } );", "kinds/policy.cfg:14: 'auto' needs 'when': the condition that makes it happen, for 'withdraw'"},
    {"event = \"withdraw\"; from", "event = \"edit\"; from", "kinds/policy.cfg:14: this is a command of the engine and cannot name an event: 'edit'"},
    {"event = \"withdraw\"; from", "event = \"waive_sod\"; from", "kinds/policy.cfg:14: this is a command of the engine and cannot name an event: 'waive_sod'"},
    {"reason = true; } );", "statement = \"I do.\"; } );", "kinds/policy.cfg:14: a statement is signed with a 'meaning', which is missing for 'withdraw'"},
    /* approvals */
    {"ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\";", "kinds/policy.cfg:3: the approval needs 'ask', or 'stages' that ask"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "need = 2; percent = 66; majority = true; meaning = \"approved\";", "kinds/policy.cfg:3: need = \"all\", percent and majority are different ways to count; keep one"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "percent = 101; meaning = \"approved\";", "kinds/policy.cfg:3: 'percent': a share is 1 to 100"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "weights = { manager = 0; }; meaning = \"approved\";", "kinds/policy.cfg:3: 'manager': a vote weighs 1 to 1000"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "weights = { manger = 2; }; meaning = \"approved\";", "kinds/policy.cfg:3: unknown who 'manger': no role, and no field of people; did you mean 'manager'?"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "weights = 2; meaning = \"approved\";", "kinds/policy.cfg:3: 'weights': expected a group { who = number; }, found a number"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "closing = \"late\"; meaning = \"approved\";", "kinds/policy.cfg:3: unknown closing 'late'"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "on_expiry = \"refuse\"; meaning = \"approved\";", "kinds/policy.cfg:3: 'on_expiry' without 'expires': the round never expires"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "on_expiry = \"return\"; expires = \"30 days\"; meaning = \"approved\";", "kinds/policy.cfg:3: 'on_expiry': no event with vote = \"return\" answers in state 'draft', where 'submit' opens the round"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "on_expiry = \"grnt\"; expires = \"30 days\"; meaning = \"approved\";", "kinds/policy.cfg:3: unknown outcome 'grnt'; did you mean 'grant'?"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "on_tie = \"grant\"; meaning = \"approved\";", "kinds/policy.cfg:3: 'on_tie' without majority = true: there is no tie where a number is needed"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "on_tie = \"return\"; majority = true; meaning = \"approved\";", "kinds/policy.cfg:3: 'on_tie': no event with vote = \"return\" answers"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "veto = [\"stuff\"]; meaning = \"approved\";", "kinds/policy.cfg:3: unknown who 'stuff': no role, and no field of people; did you mean 'staff'?"},
    {"need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\"; stages = ( { name = \"a\"; ask = [\"staff\"]; } );", "kinds/policy.cfg:3: beside 'stages' an approval asks nobody itself: 'ask' and how it is counted stand in each stage"},
    {"ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\"; stages = ( { name = \"a\"; need = 1; } );", "kinds/policy.cfg:3: the stage needs 'ask'"},
    {"ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\"; stages = ( { name = \"a\"; ask = [\"staff\"]; }, { name = \"a\"; ask = [\"manager\"]; } );", "kinds/policy.cfg:3: a second stage 'a'"},
    {"ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\"; stages = ( { name = \"one\"; ask = [\"staff\"]; after = [\"two\"]; }, { name = \"two\"; ask = [\"manager\"]; } );", "kinds/policy.cfg:3: no stage 'two' stands before this one, and only such can be waited for"},
    {"ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\"; stages = ( { name = \"one\"; ask = [\"staff\"]; }, { name = \"two\"; ask = [\"manager\"]; after = [\"won\"]; } );", "kinds/policy.cfg:3: no stage 'won' stands before this one, and only such can be waited for; did you mean 'one'?"},
    {"ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\"; stages = ( { name = \"one\"; ask = [\"staff\"]; meaning = \"aproved\"; } );", "kinds/policy.cfg:3: unknown meaning 'aproved'; did you mean 'approved'?"},
    {"ask = [\"manager\"]; need = \"major ? 2 : 1\"; meaning = \"approved\"; expires = \"30 days\";", "meaning = \"approved\"; stages = ( { name = \"one\"; ask = [\"staff\"]; ned = 2; } );", "kinds/policy.cfg:3: a stage has no setting 'ned'; did you mean 'need'?"},
    /* timers */
    {"event = \"finish\"; } ); }", "event = \"finnish\"; } ); }", "lifecycles.cfg:22: a duty has no event 'finnish'; did you mean 'finish'?"},
    {"event = \"finish\"; } ); }", "event = \"close\"; } ); }", "lifecycles.cfg:22: in none of the states of timer 'due' anything answers event 'close' (in kind 'duty')"},
    {"from = \"due\"", "from = \"deu\"", "lifecycles.cfg:21: timer 'due': 'deu' is not 'state', 'round' or a date field (in kind 'duty'); did you mean 'due'?"},
    {"from = \"due\"", "from = \"result\"", "lifecycles.cfg:21: timer 'due': 'result' is not 'state', 'round' or a date field (in kind 'duty')"},
    {"from = \"due\"", "from = \"round\"", "lifecycles.cfg:21: timer 'due' runs from a round, but kind 'duty' has no approval"},
    {"{ after = \"2 days\"; tell = [\"asked\"]; message = \"late\"; }", "{ after = \"2 days\"; }", "lifecycles.cfg:13: the step does nothing; it needs 'event' or 'tell'"},
    {"after = \"2 days\"; ", "", "lifecycles.cfg:13: the step needs 'after'"},
    {"after = \"0 days\"", "after = \"50 %\"", "lifecycles.cfg:21: timer 'due': 50 % of what? It needs 'until', the field where the way ends"},
    {"after = \"0 days\"", "after = \"0 %\"", "lifecycles.cfg:22: 'after': \"0 %\" is not between 1 % and 1000 %"},
    {"every = \"7 days\";\n", "until = \"att\";\n", "lifecycles.cfg:21: timer 'due': 'att' is not a date field (in kind 'duty'); did you mean 'at'?"},
    {"every = \"7 days\";\n", "every = \"7 days\"; until = \"at\";\n", "lifecycles.cfg:21: timer 'due': with 'until' it runs once, from a date field"},
    /* transitions that stay */
    {"{ event = \"create\"; to = \"draft\"; }", "{ event = \"create\"; to = \"same\"; }", "lifecycles.cfg:7: a transition to \"same\" needs 'from': the states it stays in"},
    /* rules that watch several events */
    {"when = \"policy.approve\"; if = \"record.major\"", "when = [\"policy.approve\", \"duty.close\"]; if = \"record.major\"", "kinds/duty.cfg:6: column 8: a duty has no 'major'"},
    {"when = \"policy.approve\"; if = \"record.major\"", "when = \"policy.approve\"; if = \"row.item == 'a'\"", "kinds/duty.cfg:6: column 1: unknown name 'row'"},
    /* conditions */
    {"has(record.result)", "has(record.reslut)", "lifecycles.cfg:19: column 12: a duty has no 'reslut'; did you mean 'result'?"},
    {"p.place == 'in'", "p.place == 'inside'", "kinds/policy.cfg:11: column 28: 'inside' is none of its values"},
    {"p.place == 'in'", "p.plcae == 'in'", "kinds/policy.cfg:11: column 19: a row of parts has no 'plcae'; did you mean 'place'?"},
    {"parts.exists(p, p.place == 'in')", "size(parts)", "kinds/policy.cfg:11: column 1: expected a truth value, but this gives a number"},
    {"parts.exists(p, p.place == 'in')", "row.place == 'in'", "kinds/policy.cfg:11: column 1: unknown name 'row'"},
    {"required_if = \"major\"", "required_if = \"majro\"", "kinds/policy.cfg:8: column 1: unknown name 'majro'; did you mean 'major'?"},
    {"major ? 2 : 1", "major", "kinds/policy.cfg:3: column 1: expected a number, but this gives a truth value"},
    {"each = \"parts\"; input", "each = \"words\"; input", "kinds/policy.cfg:13: column 1: expected a list or a table, but this gives a text"},
    {"row.item\"; nr", "row.itme\"; nr", "kinds/policy.cfg:13: column 5: a row of parts has no 'itme'; did you mean 'item'?"},
    {"major = \"false\"", "mayor = \"false\"", "kinds/policy.cfg:12: a policy has no field 'mayor' to set; did you mean 'major'?"},
    {"major = \"false\"", "major = \"1\"", "kinds/policy.cfg:12: column 1: 'major' holds a truth value, but this gives a number"},
    /* rules */
    {"policy.approve", "policy", "kinds/duty.cfg:6: 'when': expected kind.event, found 'policy'"},
    {"policy.approve", "polciy.approve", "kinds/duty.cfg:6: unknown kind 'polciy'; did you mean 'policy'?"},
    {"policy.approve", "policy.aprove", "kinds/duty.cfg:6: a policy has no event 'aprove'; did you mean 'approve'?"},
    {"starts = \"duty\"", "starts = \"duti\"", "kinds/duty.cfg:6: unknown kind 'duti'; did you mean 'duty'?"},
    {"starts = \"duty\"; ", "", "kinds/duty.cfg:6: rule 'R1' sets fields, but starts no record"},
    {"starts = \"duty\"; ", "", "kinds/duty.cfg:6: rule 'R1' has a gate, but starts no record to wait for"},
    {"cause = \"record.id\"", "cuase = \"record.id\"", "kinds/duty.cfg:7: a duty has no field 'cuase' to set; did you mean 'cause'?"},
    {"cause = \"record.id\"", "cause = \"3\"", "kinds/duty.cfg:7: column 1: 'cause' holds a text, but this gives a number"},
    {"'high'", "'hihg'", "kinds/duty.cfg:7: column 1: 'hihg' is no value of 'grade'; did you mean 'high'?"},
    {"due = { due =", "due = { duo =", "kinds/duty.cfg:7: a duty has no field 'duo' to set; did you mean 'due'?"},
    {"\"5 working days\"", "\"now\"", "kinds/duty.cfg:7: column 1: 'due' holds a date, but this gives a timestamp"},
    {"string(n)", "n", "kinds/duty.cfg:8: column 11: a text and a number have no sum; string(x) makes a text"},
    {"gate = \"withdraw\"", "gate = \"withdrew\"", "kinds/duty.cfg:8: a policy has no event 'withdrew'; did you mean 'withdraw'?"},
    {"event = \"withdraw\"; }; }", "event = \"withdrawal\"; }; }", "kinds/duty.cfg:9: no kind has an event 'withdrawal'; did you mean 'withdraw'?"},
    {"signal = {", "starts = \"duty\"; signal = {", "kinds/duty.cfg:9: rule 'R2' both starts and signals; make it two rules"},
    {"signal = { to = \"links.policy.filter(p, p.state == 'in_force').map(p, p.id)\"; event = \"withdraw\"; };", "", "kinds/duty.cfg:9: rule 'R2' does nothing"},
    {"p.state == 'in_force'", "p.state == 'inforce'", "kinds/duty.cfg:9: column 35: 'inforce' is none of its values; did you mean 'in_force'?"},
    {"map(p, p.id)", "map(p, size(p.id))", "kinds/duty.cfg:9: column 1: expected a record id or a list of them, but this gives a list"},
    /* twice */
    {"rule = \"R2\"", "rule = \"R1\"", "kinds/duty.cfg:9: a second rule 'R1' (the first is at kinds/duty.cfg:6)"},
    {"kind = { name = \"duty\"", "kind = { name = \"policy\"", "kinds/policy.cfg:1: a second kind 'policy' (the first is at kinds/duty.cfg:1)"},
    {"prefix = \"DUT\"", "prefix = \"POL\"", "kinds/policy.cfg:1: a second prefix 'POL' (the first is at kinds/duty.cfg:1)"},
    {"name = \"staff\"; }", "name = \"manager\"; }", "common.cfg:4: a second role 'manager' (the first is at common.cfg:3)"},
    {"name = \"duty\"; title", "name = \"document\"; title", "lifecycles.cfg:14: a second lifecycle 'document' (the first is at lifecycles.cfg:2)"},
    {"name = \"late\"; language = \"fr\"", "name = \"default\"", "common.cfg:7: a second message 'default' (the first is at common.cfg:6)"},
};

/* clang-format on */

static bool has_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    return at != NULL && (at == text || at[-1] == '\n');
}

static void each_fault_is_refused_at_its_place(void **state)
{
    size_t i;
    int wrong = 0;

    (void)state;
    for (i = 0; i < sizeof MUTATIONS / sizeof MUTATIONS[0]; i++) {
        struct loaded l;

        load_changed(&l, MUTATIONS[i].from, MUTATIONS[i].to);
        if (l.status != -1 || l.pack != NULL || !has_line(l.text, MUTATIONS[i].says) ||
            l.err.text[0] == '\0') {
            print_error("%s -> %s\n  expected %s\n  found    %s\n", MUTATIONS[i].from,
                        MUTATIONS[i].to, MUTATIONS[i].says, l.text);
            wrong++;
        }
        release(&l);
    }
    assert_int_equal(wrong, 0);
}

static void warnings_do_not_hinder(void **state)
{
    static const struct mutation HARMLESS[] = {
        {"{ name = \"duty\"; title",
         "{ name = \"spare\"; states = ({ name = \"a\"; stage = \"draft\"; }); transitions = (); "
         "}, { name = \"duty\"; title",
         "lifecycles.cfg:14: warning: no kind uses lifecycle 'spare'"},
        {"by = [\"asked\"]; vote = \"refuse\"", "vote = \"refuse\"",
         "lifecycles.cfg:10: warning: nobody may do 'refuse'; name who in 'by' (in kind 'policy')"},
        {"from = [\"done\"]; to = \"closed\"; by = [\"manager\"]; apart = [\"did:finish\"]; "
         "apart_rule = \"SOD-1\"; meaning = \"approved\";",
         "from = [\"done\"]; to = \"closed\"; by = [\"manager\"]; erases = true;",
         "lifecycles.cfg:20: warning: 'close' erases and is not signed: give it a meaning (in kind "
         "'duty')"},
        {"item = { type = \"text\"; };", "item = { type = \"text\"; erasable = true; };",
         "kinds/duty.cfg:6: warning: column 1: this reads a field that can be erased, and the "
         "title would keep what it says: disposal could not erase it there"},
        {"keeps = \"6 years\"", "keeps = \"3 months\"; from = \"opened\"",
         "kinds/policy.cfg:4: warning: 'RT-1' keeps a policy for 3 months from its opening, which "
         "is less than the 12 months between two reviews; count from = \"closed\", or keep it "
         "longer"},
        {"words = {", "next_review_due = { type = \"date\"; }; words = {",
         "kinds/policy.cfg:6: warning: the engine keeps 'next_review_due', and nobody signs it: "
         "give it 'computed = true'; the day that people choose and sign is 'first_review'"},
        {"words = { type = \"longtext\";", "words = { type = \"longtext\"; secret = true;",
         "kinds/policy.cfg:6: warning: 'words' is personal data (secret), and stays readable when "
         "a policy is disposed of; give it 'erasable = true'"},
        {"\"9\", \"10\"]", "\"9\"]",
         "warning: no kind proves clause 10.1, 10.2; the kind that does names it in 'clauses'"},
        {"name = \"default\"", "name = \"other\"",
         "kinds/policy.cfg:12: warning: there is no message 'approve' and no message 'default'"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof HARMLESS / sizeof HARMLESS[0]; i++) {
        struct loaded l;

        load_changed(&l, HARMLESS[i].from, HARMLESS[i].to);
        if (l.status != 0 || !has_line(l.text, HARMLESS[i].says))
            fail_msg("expected %s, found %s", HARMLESS[i].says, l.text);
        assert_int_equal(l.problems.errors, 0);
        release(&l);
    }
}

static void all_faults_are_reported_at_once(void **state)
{
    struct loaded l;
    struct pack_file *files;

    (void)state;
    memset(&l, 0, sizeof l);
    files = plain_files(&l.arena);
    files[3].bytes = slice_str(
        "kind = { name = \"duty\"; prefix = \"DUT\"; lifecycle = \"duti\"; };\nrule = 3;\n");
    load_files(&l, files, FILE_COUNT);
    assert_int_equal(l.status, -1);
    assert_true(has_line(l.text, "kinds/duty.cfg:1: the kind needs 'title'"));
    assert_true(
        has_line(l.text, "kinds/duty.cfg:1: unknown lifecycle 'duti'; did you mean 'duty'?"));
    assert_true(
        has_line(l.text, "kinds/duty.cfg:2: a file has no setting 'rule'; did you mean 'rules'?"));
    assert_non_null(strstr(l.err.text, "(and more)"));
    release(&l);
}

static void the_faults_of_a_file_are_told_from_above(void **state)
{
    struct problems problems = PROBLEMS_EMPTY;
    struct buf text = BUF_EMPTY;

    (void)state;
    problem_add(&problems, PROBLEM_ERROR, (struct where){"b.cfg", 9}, 0, "late");
    problem_add(&problems, PROBLEM_ERROR, (struct where){"a.cfg", 1}, 0, "elsewhere");
    problem_add(&problems, PROBLEM_ERROR, (struct where){"b.cfg", 35}, 0, "later");
    problem_add(&problems, PROBLEM_ERROR, (struct where){"a.cfg", 7}, 0, "second");
    problem_add(&problems, PROBLEM_ERROR, (struct where){"b.cfg", 2}, 0, "early");
    problems_show(&problems, &text);
    assert_string_equal(buf_text(&text), "b.cfg:2: early\nb.cfg:9: late\nb.cfg:35: later\n"
                                         "a.cfg:1: elsewhere\na.cfg:7: second\n");
    buf_release(&text);
    problems_release(&problems);
}

static void who_names_a_faulty_kind_is_not_at_fault(void **state)
{
    struct loaded l;

    (void)state;
    load_changed(&l, "lifecycle = \"document\"; owner", "lifecycle = \"documint\"; owner");
    assert_int_equal(l.status, -1);
    assert_non_null(strstr(l.text, "unknown lifecycle 'documint'; did you mean 'document'?"));
    assert_null(strstr(l.text, "unknown kind"));
    release(&l);
}

/* A lifecycle is read for each kind that uses it; what is wrong with it is said once. */
static void a_fault_of_a_shared_lifecycle_is_reported_once(void **state)
{
    struct loaded l;
    const char *first;

    (void)state;
    load_changed(
        &l, "kind = { name = \"duty\"; prefix = \"DUT\"; title = \"Duty\"; lifecycle = \"duty\"",
        "kind = { name = \"duty\"; prefix = \"DUT\"; title = \"Duty\"; approval = { ask = "
        "\"manager\"; meaning = \"approved\"; }; lifecycle = \"document\"");
    assert_int_equal(l.status, -1); /* R2 asks for an event that a duty no longer has */
    release(&l);
    load_changed(&l, "valid = true", "vald = true");
    first = strstr(l.text, "'vald'");
    assert_non_null(first);
    assert_null(strstr(first + 1, "'vald'"));
    release(&l);
}

static void a_pack_of_no_files_or_one_path_twice_is_refused(void **state)
{
    struct loaded l;
    struct pack_file *files;

    (void)state;
    memset(&l, 0, sizeof l);
    load_files(&l, NULL, 0);
    assert_int_equal(l.status, -1);
    release(&l);
    memset(&l, 0, sizeof l);
    files = plain_files(&l.arena);
    files[FILE_COUNT] = (struct pack_file){"common.cfg", slice_str("# nothing\n")};
    load_files(&l, files, FILE_COUNT + 1);
    assert_int_equal(l.status, -1);
    assert_true(has_line(l.text, "common.cfg: the path stands twice in the pack"));
    release(&l);
}

/* ---- a directory ---- */

static void write_file(const char *folder, const char *path, const char *text)
{
    char name[512];
    FILE *file;

    snprintf(name, sizeof name, "%s/%s", folder, path);
    file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *path)
{
    char name[512];

    snprintf(name, sizeof name, "%s/%s", folder, path);
    assert_int_equal(remove(name), 0);
}

static void a_directory_is_read_in_the_order_of_paths(void **state)
{
    static const char *const BESIDE[] = {"README.md", ".hidden.cfg", "kinds/notes.txt"};
    char folder[] = "/tmp/test_pack_XXXXXX", name[512];
    struct loaded l, plain;
    int i;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/kinds", folder);
    assert_int_equal(mkdir(name, 0700), 0);
    for (i = 0; i < FILE_COUNT; i++)
        write_file(folder, SOURCES[i].path, SOURCES[i].text);
    for (i = 0; i < 3; i++)
        write_file(folder, BESIDE[i], "not = a pack;");
    memset(&l, 0, sizeof l);
    load_plain(&plain);
    assert_int_equal(pack_load(folder, &l.pack, &l.problems, &l.err), 0);
    assert_memory_equal(l.pack->digest, plain.pack->digest, HASH_LEN);
    for (i = 0; i < FILE_COUNT; i++)
        remove_file(folder, SOURCES[i].path);
    for (i = 0; i < 3; i++)
        remove_file(folder, BESIDE[i]);
    pack_free(&l.pack);
    assert_int_equal(pack_load(folder, &l.pack, &l.problems, &l.err), -1);
    assert_non_null(strstr(l.err.text, "there are no definitions"));
    assert_int_equal(rmdir(name), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(pack_load(folder, &l.pack, &l.problems, &l.err), -1);
    release(&l);
    release(&plain);
}

/* The zone's data is a file of the pack like any other: it changes the digest and comes from the directory first. */
static void a_pack_carries_its_time_zone(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct pack_file *files;
    struct loaded l;
    int count, i;
    char folder[] = "/tmp/test_pack_XXXXXX";

    (void)state;
    if (access("/usr/share/zoneinfo/Europe/Paris", R_OK) != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    write_file(folder, "pack.cfg",
               "pack = { name = \"z\"; version = \"1\"; timezone = \"Europe/Paris\"; };\n");
    assert_int_equal(pack_read(folder, &arena, &files, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_string_equal(files[1].path, "zoneinfo/Europe/Paris");
    memset(&l, 0, sizeof l);
    load_files(&l, files, count);
    assert_int_equal(l.status, 0);
    assert_int_equal(zone_offset_s(l.pack->calendar.zone, 1782864000000), 7200); /* 2026-07-01 */
    for (i = 0; i < 2; i++) /* both files are in the digest */
        assert_int_equal(value_get_bin(&l.pack->files.as.items[i], "hash").len, HASH_LEN);
    release(&l);
    memset(&l, 0, sizeof l);
    files[1].bytes.len = 100;
    load_files(&l, files, count);
    assert_true(has_line(l.text, "pack.cfg:1: Europe/Paris: time-zone data: cut short"));
    release(&l);
    remove_file(folder, "pack.cfg");
    assert_int_equal(rmdir(folder), 0);
    arena_release(&arena);
}

/* ---- tools ---- */

static void a_condition_of_a_kind_is_compiled_for_tools(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct error err = {ERROR_NONE, ""};
    struct expr *expr = NULL;
    struct loaded l;

    (void)state;
    load_plain(&l);
    assert_int_equal(pack_condition(l.pack, kind_of(&l, "policy"), "major && size(parts) > 0",
                                    &arena, &expr, &err),
                     0);
    assert_int_equal(expr_uses(expr), EXPR_USES_TABLES);
    assert_int_equal(pack_condition(l.pack, kind_of(&l, "duty"), "major", &arena, &expr, &err), -1);
    assert_string_equal(err.text, "condition:1: column 1: unknown name 'major'");
    arena_release(&arena);
    release(&l);
}

static void the_reference_names_every_setting(void **state)
{
    static const char *const WANTED[] = {
        "### kind",          "| `prefix` |", "| `apart_rule` |", "| `one_refuse_ends` |",
        "| `required_if` |", "| `gate` |",   "### step",         "**required**"};
    struct buf text = BUF_EMPTY;
    size_t i;

    (void)state;
    pack_reference(&text);
    for (i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++)
        assert_non_null(strstr(buf_text(&text), WANTED[i]));
    buf_release(&text);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(names_and_calendar_are_read),
        cmocka_unit_test(states_have_their_defaults),
        cmocka_unit_test(a_kind_changes_its_own_copy_of_the_lifecycle),
        cmocka_unit_test(fields_are_the_kinds_and_everybodys),
        cmocka_unit_test(approvals_timers_and_rules_are_compiled),
        cmocka_unit_test(a_transition_to_same_is_a_row_for_each_of_its_states),
        cmocka_unit_test(a_rule_watches_each_of_its_events),
        cmocka_unit_test(a_timer_may_go_a_part_of_the_way),
        cmocka_unit_test(processes_are_read),
        cmocka_unit_test(a_condition_reads_its_process_and_the_records_it_names),
        cmocka_unit_test(an_approval_in_stages_is_compiled),
        cmocka_unit_test(a_kinds_timer_replaces_the_lifecycles_of_its_name),
        cmocka_unit_test(a_need_is_evaluated),
        cmocka_unit_test(the_digest_is_over_paths_and_bytes),
        cmocka_unit_test(the_digest_is_the_one_that_others_compute),
        cmocka_unit_test(each_fault_is_refused_at_its_place),
        cmocka_unit_test(warnings_do_not_hinder),
        cmocka_unit_test(all_faults_are_reported_at_once),
        cmocka_unit_test(the_faults_of_a_file_are_told_from_above),
        cmocka_unit_test(who_names_a_faulty_kind_is_not_at_fault),
        cmocka_unit_test(a_fault_of_a_shared_lifecycle_is_reported_once),
        cmocka_unit_test(a_pack_of_no_files_or_one_path_twice_is_refused),
        cmocka_unit_test(a_directory_is_read_in_the_order_of_paths),
        cmocka_unit_test(a_pack_carries_its_time_zone),
        cmocka_unit_test(a_condition_of_a_kind_is_compiled_for_tools),
        cmocka_unit_test(the_reference_names_every_setting),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
