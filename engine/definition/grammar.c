#include "definition/grammar.h"

#include "base/nearest.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define AT(struct_name, member) offsetof(struct struct_name, member)
#define NOTE(name, takes, read, at, preset, help)                                                  \
    {                                                                                              \
        name, takes, read, at, false, preset, help                                                 \
    }
#define MUST(name, takes, read, at, help)                                                          \
    {                                                                                              \
        name, takes, read, at, true, NULL, help                                                    \
    }

#define WHO "list of who"
#define TEXT "text"
#define CONDITION "condition"
#define SPAN "span"
#define TRUTH "true or false"

/* ---- addressees ---- */

static const struct option NOTICE_OPTIONS[] = {
    MUST("to", WHO, read_words, AT(written_notice, to), "who is told"),
    NOTE("message", TEXT, read_text, AT(written_notice, message), "the one named after the event",
         "the template used"),
};
static const struct option_table NOTICE = {"notice", "Somebody is told (`tell`).", NOTICE_OPTIONS,
                                           COUNT(NOTICE_OPTIONS)};

static struct written_notice *add_notice(struct reader *reader, struct written_notices *list,
                                         const config_setting_t *setting)
{
    list->at = list_add(reader->arena, list->at, &list->count, sizeof *list->at);
    list->at[list->count - 1].where = where_setting(reader, setting);
    return &list->at[list->count - 1];
}

/* ["owner", ...] or ( { to = [...]; message = "..."; }, ... ) */
static void read_tell(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct written_notices *list = into;
    const bool partial = reader->partial;
    int count, i;

    if (config_setting_type(setting) == CONFIG_TYPE_STRING || config_setting_is_array(setting)) {
        read_words(reader, setting, &add_notice(reader, list, setting)->to);
        return;
    }
    if (!are_groups(reader, setting, &count))
        return;
    reader->partial = false;
    for (i = 0; i < count; i++)
        option_read_group(reader, group_at(setting, i), &NOTICE, add_notice(reader, list, setting));
    reader->partial = partial;
}

/* ---- tasks ---- */

static const struct option TASK_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_task, plan.name), "what the work is called"),
    MUST("service", TEXT, read_text, AT(written_task, plan.service), "which workers may take it"),
    NOTE("each", "expression", read_expr, AT(written_task, plan.each), "one task",
         "a list or table: one task for each element, bound to `row`, its number to `n`"),
    NOTE("input", "group of expressions", read_settings, AT(written_task, input), NULL,
         "what the worker is given"),
    NOTE("attempts", "number", read_int, AT(written_task, plan.attempts), "5",
         "how often it is tried before it is parked"),
    NOTE("retry", SPAN, read_exact, AT(written_task, plan.retry_ms), "2 seconds",
         "the first pause between attempts; it doubles"),
    NOTE("lease", SPAN, read_exact, AT(written_task, plan.lease_ms), "the service's",
         "how long a worker may be silent"),
    NOTE("max_run", SPAN, read_exact, AT(written_task, plan.max_run_ms), "the service's",
         "how long an attempt may take in all"),
    NOTE("when", CONDITION, read_expr, AT(written_task, plan.when), "always", "only then"),
    NOTE("on_done", "event", read_text, AT(written_task, plan.on_done), NULL,
         "signalled to the record when it is done"),
    NOTE("on_failure", "event", read_text, AT(written_task, plan.on_failure), NULL,
         "signalled to the record when it has failed for good"),
    NOTE("delivery", TRUTH, read_bool, AT(written_task, plan.delivery), "false",
         "the outcome is kept as a delivery of the record"),
};
static const struct option_table TASK = {"task", "Work asked of a service (`tasks`).", TASK_OPTIONS,
                                         COUNT(TASK_OPTIONS)};

static void read_tasks(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct written_tasks *list = into;
    const bool partial = reader->partial;
    int count, i;

    if (!are_groups(reader, setting, &count))
        return;
    reader->partial = false;
    for (i = 0; i < count; i++) {
        list->at = list_add(reader->arena, list->at, &list->count, sizeof *list->at);
        list->at[list->count - 1].plan.where = where_setting(reader, group_at(setting, i));
        option_read_group(reader, group_at(setting, i), &TASK, &list->at[list->count - 1]);
    }
    reader->partial = partial;
}

/* ---- states ---- */

static const struct option STATE_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_state, state.name), "what the state is called"),
    NOTE("title", TEXT, read_text, AT(written_state, state.title), "the name", "for pages"),
    MUST("stage", "draft, approved, in_force, under_review, changed or closed", read_text,
         AT(written_state, stage), "the stage it belongs to"),
    NOTE("pdca", "plan, do, check or act", read_text, AT(written_state, pdca), "by the stage",
         "where it stands in the wheel"),
    NOTE("valid", TRUTH, read_bool, AT(written_state, state.is_valid), "false",
         "the version in this state is the one that counts"),
    NOTE("closed", TRUTH, read_flag, AT(written_state, closed), "true in stage closed",
         "an end: no duties are left"),
    NOTE("edit", WHO, read_words, AT(written_state, state.edit), "nobody",
         "who may change fields here"),
    NOTE("edit_fields", "list of fields", read_words, AT(written_state, state.edit_fields),
         "all that are not computed", "which fields"),
};
static const struct option_table STATE = {"state", "A place where a record can be (`states`).",
                                          STATE_OPTIONS, COUNT(STATE_OPTIONS)};

struct written_state grammar_state(struct reader *reader, const config_setting_t *setting)
{
    struct written_state state = {.closed = FLAG_UNSET};

    state.state.where = where_setting(reader, setting);
    option_read_group(reader, setting, &STATE, &state);
    return state;
}

/* ---- transitions ---- */

static const struct option TRANSITION_OPTIONS[] = {
    MUST("event", TEXT, read_text, AT(written_transition, event), "what happens"),
    NOTE("title", TEXT, read_text, AT(written_transition, title), "the name", "for pages"),
    NOTE("from", "list of states", read_words, AT(written_transition, from),
         "it creates the record", "the states that answer the event"),
    MUST("to", "state, or \"same\"", read_text, AT(written_transition, to),
         "the state it leads to; \"same\": it stays where it is"),
    NOTE("by", WHO, read_words, AT(written_transition, by),
         "the kind's `create`, if it creates; else nobody", "who may"),
    NOTE("apart", WHO " or did:EVENT", read_words, AT(written_transition, apart), NULL,
         "who may not: separation of duties"),
    NOTE("apart_rule", TEXT, read_text, AT(written_transition, apart_rule), NULL,
         "the rule of separation, for the message"),
    NOTE("when", CONDITION, read_expr, AT(written_transition, when), "always", "the guard"),
    NOTE("says", TEXT, read_text, AT(written_transition, says), "the condition's text",
         "what is said when the guard does not hold"),
    NOTE("reason", TRUTH, read_bool, AT(written_transition, reason), "false",
         "a reason must be given"),
    NOTE("meaning", "meaning", read_text, AT(written_transition, meaning), "not signed",
         "what the signature means"),
    NOTE("statement", TEXT, read_text, AT(written_transition, statement), "the meaning's",
         "the sentence shown and signed"),
    NOTE("opens", "round", read_text, AT(written_transition, opens), NULL,
         "opens an approval round"),
    NOTE("vote", "grant, refuse, return or abstain", read_text, AT(written_transition, vote), NULL,
         "the event is a vote of the open round"),
    NOTE("auto", TRUTH, read_bool, AT(written_transition, automatic), "false",
         "the engine does it as soon as `when` holds"),
    NOTE("erases", TRUTH, read_bool, AT(written_transition, erases), "false",
         "erases texts, files and tables, once its retention has ended and nothing holds it"),
    NOTE("supersedes", TRUTH, read_bool, AT(written_transition, supersedes), "false",
         "moves the predecessor out in the same run"),
    NOTE("successor", TRUTH, read_bool, AT(written_transition, makes_successor), "false",
         "opens the next version as a draft"),
    NOTE("drops_successor", TRUTH, read_bool, AT(written_transition, drops_successor), "false",
         "withdraws that draft"),
    NOTE("needs_fields", TRUTH, read_flag, AT(written_transition, needs_fields),
         "true if it opens a round, or leaves the first state for an open one",
         "required fields are checked"),
    NOTE("reviewed", TRUTH, read_bool, AT(written_transition, reviewed), "false",
         "moves next_review_due one period on"),
    NOTE("set", "group of expressions", read_settings, AT(written_transition, set), NULL,
         "fields computed inside the transition"),
    NOTE("tasks", "list of tasks", read_tasks, AT(written_transition, tasks), NULL,
         "work that follows"),
    NOTE("tell", WHO ", or list of notices", read_tell, AT(written_transition, tell), NULL,
         "who is told"),
    NOTE("message", TEXT, read_text, AT(written_transition, message),
         "the one named after the event", "the template of `tell`"),
};
static const struct option_table TRANSITION = {"transition",
                                               "What answers an event (`transitions`; in a kind "
                                               "under `on`, where it changes the lifecycle's).",
                                               TRANSITION_OPTIONS, COUNT(TRANSITION_OPTIONS)};

/* The message of a transition is that of all its notices that name none. */
static void spread_message(struct written_transition *row)
{
    int i;

    for (i = 0; row->message != NULL && i < row->tell.count; i++) {
        if (row->tell.at[i].message == NULL)
            row->tell.at[i].message = row->message;
    }
    row->message = NULL;
}

struct written_transition grammar_transition(struct reader *reader, const config_setting_t *setting)
{
    struct written_transition row = {.needs_fields = FLAG_UNSET};

    row.where = where_setting(reader, setting);
    option_read_group(reader, setting, &TRANSITION, &row);
    spread_message(&row);
    return row;
}

void grammar_change(struct reader *reader, const config_setting_t *setting,
                    struct written_transition *row)
{
    reader->partial = true;
    option_read_group(reader, setting, &TRANSITION, row);
    reader->partial = false;
    spread_message(row);
}

/* ---- timers ---- */

enum { PERCENT_MAX = 1000 };

/* "80 %" of the way to the timer's `until`, or a span. */
static void read_moment(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct written_moment *moment = into;
    const char *text = config_setting_get_string(setting);
    size_t digits = config_setting_type(setting) == CONFIG_TYPE_STRING && text != NULL
                        ? strspn(text, "0123456789")
                        : 0;
    int i, percent = 0;

    if (digits == 0 || strcmp(text + digits + strspn(text + digits, " "), "%") != 0) {
        read_span(reader, setting, &moment->span);
        return;
    }
    for (i = 0; i < (int)digits && percent <= PERCENT_MAX; i++)
        percent = percent * 10 + (text[i] - '0');
    if (percent < 1 || percent > PERCENT_MAX)
        problem(reader->problems, where_setting(reader, setting),
                "'after': \"%s\" is not between 1 %% and %d %%", text, PERCENT_MAX);
    else
        moment->percent = percent;
}

static const struct option STEP_OPTIONS[] = {
    MUST("after", "span, or \"50 %\"", read_moment, AT(written_step, after),
         "when, from the timer's start; may be negative; or how much of the way to `until`"),
    NOTE("event", "event", read_text, AT(written_step, event), NULL,
         "signalled to the record by the system"),
    NOTE("tell", WHO, read_words, AT(written_step, tell), NULL, "who is told"),
    NOTE("message", TEXT, read_text, AT(written_step, message), "the one named after the event",
         "the template"),
};
static const struct option_table STEP = {"step", "One rung of a timer's ladder (`steps`).",
                                         STEP_OPTIONS, COUNT(STEP_OPTIONS)};

static void read_steps(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct written_steps *list = into;
    int count, i;

    if (!are_groups(reader, setting, &count))
        return;
    for (i = 0; i < count; i++) {
        list->at = list_add(reader->arena, list->at, &list->count, sizeof *list->at);
        list->at[list->count - 1].where = where_setting(reader, group_at(setting, i));
        option_read_group(reader, group_at(setting, i), &STEP, &list->at[list->count - 1]);
    }
}

static const struct option TIMER_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_timer, name), "what the timer is called"),
    MUST("in", "list of states", read_words, AT(written_timer, in),
         "it runs while the record is in one of these"),
    MUST("from", "state, round, or a date field", read_text, AT(written_timer, from),
         "what its steps are counted from"),
    NOTE("until", "a date field", read_text, AT(written_timer, until), NULL,
         "where 100 % of the way is; `from` is a field too then"),
    NOTE("every", SPAN, read_span, AT(written_timer, every), "once", "it begins again after this"),
    MUST("steps", "list of steps", read_steps, AT(written_timer, steps), "the ladder"),
};
static const struct option_table TIMER = {"timer", "Reminders, escalation, expiry (`timers`).",
                                          TIMER_OPTIONS, COUNT(TIMER_OPTIONS)};

struct written_timer grammar_timer(struct reader *reader, const config_setting_t *setting)
{
    struct written_timer timer;

    memset(&timer, 0, sizeof timer);
    timer.where = where_setting(reader, setting);
    option_read_group(reader, setting, &TIMER, &timer);
    return timer;
}

/* ---- lifecycles ---- */

static void keep_setting(struct reader *reader, const config_setting_t *setting, void *into)
{
    int count;

    if (are_groups(reader, setting, &count))
        *(const config_setting_t **)into = setting;
}

static const struct option LIFECYCLE_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_lifecycle, name), "how kinds refer to it"),
    NOTE("title", TEXT, read_text, AT(written_lifecycle, title), "the name", "for pages"),
    NOTE("versioned", TRUTH, read_bool, AT(written_lifecycle, versioned), "false",
         "a document: ids carry @version and one version is valid"),
    MUST("states", "list of states", keep_setting, AT(written_lifecycle, states),
         "the first one is where records begin"),
    MUST("transitions", "list of transitions", keep_setting, AT(written_lifecycle, transitions),
         "what answers which event"),
    NOTE("timers", "list of timers", keep_setting, AT(written_lifecycle, timers), NULL,
         "what time does"),
    NOTE("ends_with", "lifecycle", read_text, AT(written_lifecycle, ends_with), NULL,
         "whose states, transitions and timers come behind these"),
};
static const struct option_table LIFECYCLE = {
    "lifecycle", "States and transitions, shared by the kinds that name it.", LIFECYCLE_OPTIONS,
    COUNT(LIFECYCLE_OPTIONS)};

/* ---- fields ---- */

static const struct {
    const char *name;
    enum field_type type;
} FIELD_TYPES[] = {
    {"text", FIELD_TEXT},         {"longtext", FIELD_LONGTEXT}, {"int", FIELD_INT},
    {"bool", FIELD_BOOL},         {"enum", FIELD_ENUM},         {"date", FIELD_DATE},
    {"datetime", FIELD_DATETIME}, {"duration", FIELD_DURATION}, {"person", FIELD_PERSON},
    {"group", FIELD_GROUP},       {"ref", FIELD_REF},           {"file", FIELD_FILE},
    {"table", FIELD_TABLE},
};

/* "enum", "enum[]"; `into` is the struct field. */
static void read_field_type(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct field *field = into;
    const char *text = NULL, *all = "";
    struct nearest nearest;
    struct slice name;
    size_t i;

    read_text(reader, setting, &text);
    if (text == NULL)
        return;
    name = slice_str(text);
    field->list = name.len > 2 && strcmp(text + name.len - 2, "[]") == 0;
    name.len -= field->list ? 2 : 0;
    nearest = nearest_to(name);
    for (i = 0; i < COUNT(FIELD_TYPES); i++) {
        if (slice_is(name, FIELD_TYPES[i].name)) {
            field->type = FIELD_TYPES[i].type;
            if (!field->list || field->type != FIELD_TABLE)
                return;
        }
        nearest_offer(&nearest, FIELD_TYPES[i].name);
        all = arena_printf(&reader->problems->arena, "%s%s%s", all, i > 0 ? ", " : "",
                           FIELD_TYPES[i].name);
    }
    if (nearest.best == NULL) {
        problem(reader->problems, where_setting(reader, setting),
                "unknown type of field '%s'; it is one of %s", text, all);
        return;
    }
    problem(reader->problems, where_setting(reader, setting), "unknown type of field '%s'%s", text,
            nearest_hint(&nearest, &reader->problems->arena));
}

static void read_columns(struct reader *reader, const config_setting_t *setting, void *into);

static const struct option FIELD_OPTIONS[] = {
    MUST("type",
         "text, longtext, int, bool, enum, date, datetime, duration, person, group, ref, file or "
         "table; with [] after it a list of them",
         read_field_type, AT(written_field, field), "what it holds"),
    NOTE("title", TEXT, read_text, AT(written_field, field.title), "the name with blanks",
         "for pages"),
    NOTE("required", TRUTH, read_bool, AT(written_field, field.required), "false",
         "must be there when the record leaves editing"),
    NOTE("required_if", CONDITION, read_expr, AT(written_field, field.required_if), NULL,
         "must be there if this holds"),
    NOTE("computed", TRUTH, read_bool, AT(written_field, field.computed), "false",
         "set by the engine, never by a person"),
    NOTE("signed", TRUTH, read_bool, AT(written_field, field.is_signed), "false",
         "of a computed field: part of the content and of its digest all the same, because people "
         "sign it"),
    NOTE("secret", TRUTH, read_bool, AT(written_field, field.secret), "false", "personal data"),
    NOTE("erasable", TRUTH, read_bool, AT(written_field, field.erasable), "false",
         "text, longtext, table: never in an entry, so that disposal erases it; of a column: its "
         "table"),
    NOTE("of", "list of values; for ref: of kinds", read_words, AT(written_field, field.of),
         "for ref: any kind", "the values an enum has"),
    NOTE("min", "number", read_number, AT(written_field, field.min), NULL,
         "least number, characters, or rows"),
    NOTE("max", "number", read_number, AT(written_field, field.max), NULL,
         "greatest number, characters, or rows"),
    NOTE("preset", "value", read_value, AT(written_field, field.preset), NULL,
         "what it begins with"),
    NOTE("columns", "group of fields", read_columns, AT(written_field, field), NULL,
         "of a table; what a field has, but no tables"),
};
static const struct option_table FIELD = {"field", "What a record holds (`fields`, `columns`).",
                                          FIELD_OPTIONS, COUNT(FIELD_OPTIONS)};

static struct field read_field(struct reader *reader, const config_setting_t *setting)
{
    struct written_field written;

    memset(&written, 0, sizeof written);
    written.field.where = where_setting(reader, setting);
    written.field.name =
        text_placed(reader->arena, written.field.where, config_setting_name(setting));
    option_read_group(reader, setting, &FIELD, &written);
    return written.field;
}

static void read_columns(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct field *field = into;
    int count = config_setting_length(setting), i;

    if (!config_setting_is_group(setting)) {
        wrong_type(reader, setting, "a group of fields { name = { type = \"...\"; }; }");
        return;
    }
    if (count > COLUMNS_MAX) {
        problem(reader->problems, where_setting(reader, setting), "more than %d columns",
                COLUMNS_MAX);
        return;
    }
    field->columns = arena_zero(reader->arena, sizeof *field->columns * (size_t)(count + 1));
    for (i = 0; i < count; i++) {
        struct field column = read_field(reader, config_setting_get_elem(setting, (unsigned)i));

        if (column.type == FIELD_TABLE)
            problem(reader->problems, column.where, "a table in a table: '%s'", column.name);
        else
            field->columns[field->column_count++] = column;
    }
}

static void read_fields(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct written_fields *list = into;
    int count = config_setting_length(setting), i;

    if (!config_setting_is_group(setting)) {
        wrong_type(reader, setting, "a group of fields { name = { type = \"...\"; }; }");
        return;
    }
    for (i = 0; i < count; i++) {
        list->at = list_add(reader->arena, list->at, &list->count, sizeof *list->at);
        list->at[list->count - 1].field =
            read_field(reader, config_setting_get_elem(setting, (unsigned)i));
    }
}

/* ---- kinds ---- */

static void read_as_is(struct reader *reader, const config_setting_t *setting, void *into)
{
    (void)reader;
    *(const config_setting_t **)into = setting;
}

/* What a stage is made of, and an approval that is one stage: `at` is where the written_stage begins. */
#define STAGE_AT(at, member) ((at) + offsetof(struct written_stage, member))
#define OPTIONS_OF_A_STAGE(at)                                                                     \
    NOTE("need", "number, expression of one, or \"all\"", read_as_is, STAGE_AT(at, need), "1",     \
         "how many must grant; with percent or majority: at least"),                               \
        NOTE("percent", "1 to 100", read_int, STAGE_AT(at, stage.percent), "not by share",         \
             "the share that must grant, of those who do not abstain, rounded up"),                \
        NOTE("majority", TRUTH, read_flag, STAGE_AT(at, majority), "false",                        \
             "more must grant than refuse"),                                                       \
        NOTE("require", WHO, read_words, STAGE_AT(at, stage.require), "nobody in particular",      \
             "of each of these one must grant"),                                                   \
        NOTE("veto", WHO, read_words, STAGE_AT(at, stage.veto), "nobody",                          \
             "a refusal of one of these ends the round"),                                          \
        NOTE("weights", "group: who = number", read_as_is, STAGE_AT(at, weights), "1 for each",    \
             "what a vote weighs; the greatest that fits somebody"),                               \
        NOTE("closing", "early or all", read_text, STAGE_AT(at, closing), "early",                 \
             "counted as soon as it is decided, or when everyone has voted"),                      \
        NOTE("one_refuse_ends", TRUTH, read_flag, STAGE_AT(at, one_refuse_ends),                   \
             "true; false with percent, majority, veto or closing = all",                          \
             "one refusal closes the round")

static const struct option STAGE_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_stage, stage.name), "what the stage is called"),
    NOTE("after", "list of stages", read_words, AT(written_stage, after), "the stage before",
         "begins when these are granted; [] at once"),
    MUST("ask", WHO, read_words, AT(written_stage, stage.ask), "everyone they resolve to is asked"),
    NOTE("when", CONDITION, read_expr, AT(written_stage, stage.when), "always",
         "only then; asked when the round opens"),
    OPTIONS_OF_A_STAGE(0),
    NOTE("meaning", "meaning", read_text, AT(written_stage, stage.meaning), "the approval's",
         "what a signature of this stage means"),
};
static const struct option_table STAGE = {"stage", "One step of an approval (`stages`).",
                                          STAGE_OPTIONS, COUNT(STAGE_OPTIONS)};

struct written_stage grammar_stage(struct reader *reader, const config_setting_t *setting)
{
    struct written_stage stage = {.majority = FLAG_UNSET, .one_refuse_ends = FLAG_UNSET};

    stage.stage.where = where_setting(reader, setting);
    option_read_group(reader, setting, &STAGE, &stage);
    return stage;
}

struct written_apart {
    struct words who;
    const char *rule;
};

static const struct option APART_OPTIONS[] = {
    MUST("who", WHO, read_words, AT(written_apart, who), "who may not vote"),
    NOTE("rule", TEXT, read_text, AT(written_apart, rule), "SOD-1",
         "the rule of separation of duties that this is: refusals name it, and it can be waived"),
};
static const struct option_table APART = {
    "parted group",
    "Who is kept apart from an approval, and by which rule (`apart` of an approval).",
    APART_OPTIONS, COUNT(APART_OPTIONS)};

static void add_apart(struct reader *reader, struct approval *approval,
                      const struct written_apart *more)
{
    struct arena *arena = reader->arena;
    int count = approval->apart.count, all = count + more->who.count;
    const char **at = arena_zero(arena, sizeof *at * (size_t)(all + 1));
    const char **rules = arena_zero(arena, sizeof *rules * (size_t)(all + 1));

    for (int i = 0; i < all; i++) {
        at[i] = i < count ? approval->apart.at[i] : more->who.at[i - count];
        rules[i] = i < count ? approval->apart_rules[i] : more->rule;
    }
    approval->apart = (struct words){at, all};
    approval->apart_rules = rules;
}

/* ["editors", ...] or ( "editors", { who = "assessors"; rule = "SOD-5"; } ) */
static void read_apart(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct approval *approval = into;
    bool partial = reader->partial;

    approval->apart_rules = NULL;
    if (!config_setting_is_list(setting)) {
        read_words(reader, setting, &approval->apart);
        return;
    }
    approval->apart = (struct words){arena_zero(reader->arena, sizeof(char *)), 0};
    reader->partial = false;
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        struct written_apart more = {{NULL, 0}, NULL};

        if (config_setting_is_group(item))
            option_read_group(reader, item, &APART, &more);
        else
            read_words(reader, item, &more.who);
        add_apart(reader, approval, &more);
    }
    reader->partial = partial;
    if (approval->apart.count > WORDS_MAX)
        problem(reader->problems, where_setting(reader, setting), "'apart': more than %d names",
                WORDS_MAX);
}

static const struct option APPROVAL_OPTIONS[] = {
    NOTE("ask", WHO, read_words, AT(written_approval, whole.stage.ask), "those of its `stages`",
         "everyone they resolve to is asked"),
    OPTIONS_OF_A_STAGE(offsetof(struct written_approval, whole)),
    MUST("meaning", "meaning", read_text, AT(written_approval, whole.stage.meaning),
         "what the signature means"),
    NOTE("stages", "list of stages", keep_setting, AT(written_approval, stages), "one stage",
         "instead of `ask` and how it is counted: several, one after the other or side by side"),
    NOTE("apart", WHO ", or parted groups", read_apart, AT(written_approval, approval),
         "[\"editors\"]", "who may not vote"),
    NOTE("expires", SPAN, read_span, AT(written_approval, approval.expires), "never",
         "when the round closes as expired"),
    NOTE("on_expiry", "void, refuse, return or grant", read_text, AT(written_approval, on_expiry),
         "void", "what an expired round comes to"),
    NOTE("on_tie", "refuse, return or grant", read_text, AT(written_approval, on_tie), "refuse",
         "what a majority stage with as many for as against comes to"),
};
static const struct option_table APPROVAL = {"approval", "Who is asked to approve (in a kind).",
                                             APPROVAL_OPTIONS, COUNT(APPROVAL_OPTIONS)};

static void read_approval(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct written_approval *written = into;

    written->is_there = true;
    written->whole.majority = written->whole.one_refuse_ends = FLAG_UNSET;
    written->approval.where = written->whole.stage.where = where_setting(reader, setting);
    option_read_group(reader, setting, &APPROVAL, written);
}

struct review {
    struct span every;
};

static const struct option REVIEW_OPTIONS[] = {
    MUST("every", SPAN, read_span, AT(review, every), "the period; keeps next_review_due"),
};
static const struct option_table REVIEW = {"review", "How often it is looked at again (in a kind).",
                                           REVIEW_OPTIONS, COUNT(REVIEW_OPTIONS)};

static void read_review(struct reader *reader, const config_setting_t *setting, void *into)
{
    option_read_group(reader, setting, &REVIEW, into);
}

static const struct option NEED_OPTIONS[] = {
    MUST("before", "event, or a list of them", read_words, AT(need, before),
         "the events that wait for it"),
    NOTE("when", CONDITION, read_expr, AT(need, when), NULL, "what must hold"),
    NOTE("people", WHO, read_words, AT(need, people), NULL,
         "instead of `when`: none of these may be one of `apart`"),
    NOTE("apart", WHO, read_words, AT(need, apart), NULL, "whom `people` must not be"),
    NOTE("rule", "rule of separation", read_text, AT(need, rule), NULL,
         "the rule of separation, for the message"),
    NOTE("says", TEXT, read_text, AT(need, says), "with `people`: who, and the rule",
         "what is said when it does not hold"),
};
static const struct option_table NEED = {"need", "What must hold before an event (`needs`).",
                                         NEED_OPTIONS, COUNT(NEED_OPTIONS)};

struct need grammar_need(struct reader *reader, const config_setting_t *setting)
{
    struct need need;

    memset(&need, 0, sizeof need);
    need.where = where_setting(reader, setting);
    option_read_group(reader, setting, &NEED, &need);
    return need;
}

static const struct option KIND_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_kind, kind.name), "how everything refers to it"),
    NOTE("code", TEXT, read_text, AT(written_kind, kind.code), NULL, "D1, R2, S14 ..."),
    MUST("prefix", TEXT, read_text, AT(written_kind, kind.prefix), "of its records' ids: SCP-0001"),
    MUST("title", TEXT, read_text, AT(written_kind, kind.title), "for pages"),
    NOTE("clause", TEXT, read_text, AT(written_kind, kind.clause), NULL,
         "of the standard, for people"),
    NOTE("clauses", "list of texts", read_words, AT(written_kind, kind.clauses), NULL,
         "clause numbers it proves"),
    NOTE("brief", TEXT, read_text, AT(written_kind, kind.brief), NULL, "what it is for"),
    MUST("lifecycle", "lifecycle", read_text, AT(written_kind, lifecycle),
         "its states and transitions"),
    NOTE("owner", WHO, read_words, AT(written_kind, kind.owner), "who creates it",
         "the first holder owns new records"),
    NOTE("create", WHO, read_words, AT(written_kind, kind.create), "the lifecycle's `by`",
         "who may create"),
    NOTE("approval", "approval", read_approval, AT(written_kind, approval), "none", "who approves"),
    NOTE("review", "review", read_review, AT(written_kind, kind.review_every), "none",
         "how often it is reviewed"),
    NOTE("retention", "retention rule", read_text, AT(written_kind, kind.retention), "for ever",
         "how long it is kept"),
    NOTE("kept_while", "list of fields", read_words, AT(written_kind, kind.kept_while), NULL,
         "of type person or ref: it is not erased before they have left, or closed, for as long"),
    NOTE("confidentiality", TEXT, read_text, AT(written_kind, kind.confidentiality), "internal",
         "what new records have"),
    NOTE("audience", WHO, read_words, AT(written_kind, kind.audience), NULL,
         "who it is for: `audience` in `tell`"),
    NOTE("acknowledge", WHO, read_words, AT(written_kind, kind.acknowledge), "nobody",
         "who is asked to acknowledge it while in force"),
    NOTE("fields", "group of fields", read_fields, AT(written_kind, fields), NULL, "what it holds"),
    NOTE("needs", "list of needs", keep_setting, AT(written_kind, needs), NULL,
         "what must hold before an event"),
    NOTE("on", "list of transitions", keep_setting, AT(written_kind, on), NULL,
         "changes of the lifecycle's transitions"),
    NOTE("timers", "list of timers", keep_setting, AT(written_kind, timers), NULL,
         "added to the lifecycle's"),
};
static const struct option_table KIND = {"kind", "A kind of record.", KIND_OPTIONS,
                                         COUNT(KIND_OPTIONS)};

/* ---- rules ---- */

static const struct option SIGNAL_OPTIONS[] = {
    MUST("to", "expression", read_expr, AT(written_signal, to), "a record id or a list of them"),
    MUST("event", "event", read_text, AT(written_signal, event), "what is signalled"),
};
static const struct option_table SIGNAL = {"signal", "An event for other records (in a rule).",
                                           SIGNAL_OPTIONS, COUNT(SIGNAL_OPTIONS)};

static void read_signal(struct reader *reader, const config_setting_t *setting, void *into)
{
    option_read_group(reader, setting, &SIGNAL, into);
}

/* due = { plan_due = "30 days"; }: a span counts from today. */
static void read_due(struct reader *reader, const config_setting_t *setting, void *into)
{
    read_settings(reader, setting, into);
}

static const struct option RULE_OPTIONS[] = {
    MUST("rule", TEXT, read_text, AT(written_rule, name), "its number"),
    MUST("when", "kind.event, or a list of them", read_words, AT(written_rule, watched),
         "what it watches"),
    NOTE("if", CONDITION, read_expr, AT(written_rule, condition), "always", "only then"),
    NOTE("each", "expression", read_expr, AT(written_rule, each), "once",
         "a list or table: once for each element, bound to `row`, its number to `n`"),
    NOTE("starts", "kind", read_text, AT(written_rule, starts), NULL,
         "a record of this kind is opened"),
    NOTE("signal", "signal", read_signal, AT(written_rule, signal), NULL,
         "or an event is signalled"),
    NOTE("title", "expression", read_expr, AT(written_rule, title), "the watched record's",
         "of the new record"),
    NOTE("set", "group of expressions", read_settings, AT(written_rule, set), NULL,
         "fields of the new record"),
    NOTE("due", "group of spans or expressions", read_due, AT(written_rule, due), NULL,
         "dates of the new record; a span counts from today"),
    NOTE("once", "expression", read_expr, AT(written_rule, once), "record.id",
         "it fires once for each value of this"),
    NOTE("tell", WHO, read_words, AT(written_rule, tell), NULL, "who is told"),
    NOTE("message", TEXT, read_text, AT(written_rule, message), "the one named after the event",
         "the template"),
    NOTE("gate", "event", read_text, AT(written_rule, gate), NULL,
         "the watched record may not do this until the new one is closed"),
};
static const struct option_table RULE = {
    "rule", "What one kind's event starts in another (`interactions` or `rules`).", RULE_OPTIONS,
    COUNT(RULE_OPTIONS)};

/* ---- processes ---- */

static const struct option KPI_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(kpi, name), "what is measured"),
    NOTE("value", "expression", read_expr, AT(kpi, value), "people fill it in",
         "a number or a text, of the run of the process"),
    NOTE("target", TEXT, read_text, AT(kpi, target), NULL, "what it should be"),
};
static const struct option_table KPI = {"kpi", "A figure by which a process is judged (`kpis`).",
                                        KPI_OPTIONS, COUNT(KPI_OPTIONS)};

static void read_kpis(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct written_kpis *list = into;
    int count, i;

    for (i = 0; are_groups(reader, setting, &count) && i < count; i++) {
        struct kpi *kpi;

        list->at = list_add(reader->arena, list->at, &list->count, sizeof *list->at);
        kpi = &list->at[list->count - 1];
        kpi->where = where_setting(reader, group_at(setting, i));
        option_read_group(reader, group_at(setting, i), &KPI, kpi);
    }
}

static const struct option PROCESS_OPTIONS[] = {
    MUST("id", TEXT, read_text, AT(written_process, process.id), "P1: its runs name it so"),
    MUST("phase", "plan, do, check or act", read_text, AT(written_process, phase),
         "of Plan, Do, Check, Act"),
    MUST("title", TEXT, read_text, AT(written_process, process.title), "for pages"),
    NOTE("brief", TEXT, read_text, AT(written_process, process.brief), NULL, "what it is for"),
    NOTE("clause", TEXT, read_text, AT(written_process, process.clause), NULL,
         "of the standard, for people"),
    MUST("owner", "list of roles", read_words, AT(written_process, process.owner),
         "who owns it: `process.owner`"),
    NOTE("approves", "list of roles", read_words, AT(written_process, process.approves), "nobody",
         "who authorises a cycle: `process.approves`"),
    NOTE("tell", "list of roles", read_words, AT(written_process, process.tell), "nobody",
         "who is told: `process.tell`"),
    NOTE("every", SPAN, read_span, AT(written_process, process.every), "only on occasion",
         "its cadence: one cycle after the other"),
    NOTE("occasion", TEXT, read_text, AT(written_process, process.occasion), NULL,
         "when it runs besides, for people"),
    NOTE("inputs", "list of texts", read_words, AT(written_process, process.inputs), NULL,
         "what it begins from"),
    NOTE("runs", "list of kinds", read_words, AT(written_process, process.runs), NULL,
         "the kinds of records that it makes"),
    NOTE("output", TEXT, read_text, AT(written_process, process.output), NULL, "what comes of it"),
    NOTE("kpis", "list of kpis", read_kpis, AT(written_process, kpis), NULL,
         "how it is judged: `kpis`"),
    NOTE("retention", "retention rule", read_text, AT(written_process, process.retention), NULL,
         "how long its records are kept"),
    NOTE("triggers", "list of process ids", read_words, AT(written_process, process.triggers), NULL,
         "whose next cycle its end opens"),
};
static const struct option_table PROCESS = {"process", "A process of clause 4.4 (`processes`).",
                                            PROCESS_OPTIONS, COUNT(PROCESS_OPTIONS)};

/* ---- short lists ---- */

static const struct option ROLE_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(role, name), "as `who` says it"),
    NOTE("title", TEXT, read_text, AT(role, title), "the name", "for pages"),
    NOTE("clause", TEXT, read_text, AT(role, clause), NULL, "of the standard"),
};
static const struct option_table ROLE = {"role", "Who can be asked (`roles`).", ROLE_OPTIONS,
                                         COUNT(ROLE_OPTIONS)};

static const struct option MEANING_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(meaning, name), "approved, authorised ..."),
    MUST("statement", TEXT, read_text, AT(meaning, statement), "the sentence that is signed"),
};
static const struct option_table MEANING = {"meaning", "What signatures mean (`meanings`).",
                                            MEANING_OPTIONS, COUNT(MEANING_OPTIONS)};

static const struct option MESSAGE_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(message, name), "the event or what `message` says"),
    NOTE("language", TEXT, read_text, AT(message, language), "en", "of the text"),
    MUST("subject", TEXT, read_text, AT(message, subject), "with {{names}} filled in"),
    MUST("body", TEXT, read_text, AT(message, body), "with {{names}} filled in"),
};
static const struct option_table MESSAGE = {"message", "Templates of notices (`messages`).",
                                            MESSAGE_OPTIONS, COUNT(MESSAGE_OPTIONS)};

static const struct option RETENTION_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_retention, retention.name), "as kinds name it"),
    MUST("keeps", SPAN, read_span, AT(written_retention, retention.keeps), "for how long"),
    NOTE("from", "`closed` `opened`", read_text, AT(written_retention, from), "`closed`",
         "when the time begins to count"),
    NOTE("says", TEXT, read_text, AT(written_retention, retention.says), "the span",
         "the rule, for people"),
};
static const struct option_table RETENTION = {"retention rule",
                                              "How long records are kept (`retention`).",
                                              RETENTION_OPTIONS, COUNT(RETENTION_OPTIONS)};

static const struct option SEPARATION_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(separation, name), "as `apart_rule` names it"),
    MUST("says", TEXT, read_text, AT(separation, says), "the rule, in a sentence"),
    NOTE("conflict", "list of roles", read_words, AT(separation, conflict), NULL,
         "no directory may give two of these to one person"),
};
static const struct option_table SEPARATION = {"rule of separation",
                                               "Who may not do two things (`separation`).",
                                               SEPARATION_OPTIONS, COUNT(SEPARATION_OPTIONS)};

static const struct option PACK_OPTIONS[] = {
    MUST("name", TEXT, read_text, AT(written_pack, name), "what the pack is called"),
    MUST("version", TEXT, read_text, AT(written_pack, version),
         "for people; the digest is what counts"),
    NOTE("timezone", TEXT, read_text, AT(written_pack, timezone), "UTC",
         "where the organisation's days begin: Europe/Paris"),
    NOTE("migrate_by", "list of roles", read_words, AT(written_pack, migrate_by), "`isms_manager`",
         "who may move records that exist to this pack"),
    NOTE("migrate_meaning", "meaning", read_text, AT(written_pack, migrate_meaning), "not signed",
         "what they sign it with"),
};
static const struct option_table PACK = {"pack", "The pack itself.", PACK_OPTIONS,
                                         COUNT(PACK_OPTIONS)};

static const struct option CALENDAR_OPTIONS[] = {
    NOTE("working", "list of mon tue wed thu fri sat sun", read_words, AT(written_pack, working),
         "Monday to Friday", "the days of the week that are worked"),
    NOTE("holidays", "list of dates", read_words, AT(written_pack, holidays), NULL,
         "days that are not"),
};
static const struct option_table CALENDAR = {"calendar", "Working days.", CALENDAR_OPTIONS,
                                             COUNT(CALENDAR_OPTIONS)};

/* ---- the top level ---- */

typedef void (*top_read)(struct reader *, const config_setting_t *, struct written_pack *);

static void once(struct reader *reader, const config_setting_t *setting, bool *seen)
{
    if (*seen)
        problem(reader->problems, where_setting(reader, setting), "a second '%s' in the pack",
                config_setting_name(setting));
    *seen = true;
}

static void read_pack(struct reader *reader, const config_setting_t *setting,
                      struct written_pack *written)
{
    once(reader, setting, &written->has_pack);
    written->where = where_setting(reader, setting);
    option_read_group(reader, setting, &PACK, written);
}

static void read_calendar(struct reader *reader, const config_setting_t *setting,
                          struct written_pack *written)
{
    once(reader, setting, &written->has_calendar);
    option_read_group(reader, setting, &CALENDAR, written);
}

static void read_lifecycle(struct reader *reader, const config_setting_t *setting,
                           struct written_pack *written)
{
    struct written_lifecycle *made;

    written->lifecycles = list_add(reader->arena, written->lifecycles, &written->lifecycle_count,
                                   sizeof *written->lifecycles);
    made = &written->lifecycles[written->lifecycle_count - 1];
    made->where = where_setting(reader, setting);
    option_read_group(reader, setting, &LIFECYCLE, made);
}

static void read_kind(struct reader *reader, const config_setting_t *setting,
                      struct written_pack *written)
{
    struct written_kind *made;

    written->kinds =
        list_add(reader->arena, written->kinds, &written->kind_count, sizeof *written->kinds);
    made = &written->kinds[written->kind_count - 1];
    made->where = where_setting(reader, setting);
    option_read_group(reader, setting, &KIND, made);
}

static void read_rule(struct reader *reader, const config_setting_t *setting,
                      struct written_pack *written)
{
    int i, count = 1;

    /* Read anew for each event: the conditions are compiled for the kind that is watched. */
    for (i = 0; i < count; i++) {
        struct written_rule *made;

        written->rules =
            list_add(reader->arena, written->rules, &written->rule_count, sizeof *written->rules);
        made = &written->rules[written->rule_count - 1];
        made->where = where_setting(reader, setting);
        option_read_group(reader, setting, &RULE, made);
        made->when = i < made->watched.count ? made->watched.at[i] : NULL;
        count = made->watched.count;
    }
}

static void read_process(struct reader *reader, const config_setting_t *setting,
                         struct written_pack *written)
{
    struct written_process *made;

    written->processes = list_add(reader->arena, written->processes, &written->process_count,
                                  sizeof *written->processes);
    made = &written->processes[written->process_count - 1];
    made->process.where = where_setting(reader, setting);
    option_read_group(reader, setting, &PROCESS, made);
}

#define SHORT_LIST(function, member, count_member, table)                                          \
    static void function(struct reader *reader, const config_setting_t *setting,                   \
                         struct written_pack *written)                                             \
    {                                                                                              \
        written->member = list_add(reader->arena, written->member, &written->count_member,         \
                                   sizeof *written->member);                                       \
        option_read_group(reader, setting, &(table), &written->member[written->count_member - 1]); \
    }

SHORT_LIST(read_role, roles, role_count, ROLE)
SHORT_LIST(read_meaning, meanings, meaning_count, MEANING)
SHORT_LIST(read_message, messages, message_count, MESSAGE)
SHORT_LIST(read_retention, retention, retention_count, RETENTION)
SHORT_LIST(read_separation, separation, separation_count, SEPARATION)

static const struct top {
    const char *name;
    top_read read;
    bool list; /* a list of groups, or one */
} TOPS[] = {
    {"pack", read_pack, false},          {"calendar", read_calendar, false},
    {"lifecycle", read_lifecycle, true}, {"kind", read_kind, true},
    {"rules", read_rule, true},          {"interactions", read_rule, true},
    {"processes", read_process, true},   {"roles", read_role, true},
    {"meanings", read_meaning, true},    {"messages", read_message, true},
    {"retention", read_retention, true}, {"separation", read_separation, true},
};

static void read_top(struct reader *reader, const config_setting_t *setting,
                     struct written_pack *written)
{
    const char *name = config_setting_name(setting);
    struct nearest nearest = nearest_to(slice_str(name));
    int count, k;
    size_t i;

    for (i = 0; i < COUNT(TOPS); i++) {
        nearest_offer(&nearest, TOPS[i].name);
        if (strcmp(name, TOPS[i].name) != 0)
            continue;
        if (!TOPS[i].list) {
            TOPS[i].read(reader, setting, written);
        } else if (are_groups(reader, setting, &count)) {
            for (k = 0; k < count; k++)
                TOPS[i].read(reader, group_at(setting, k), written);
        }
        return;
    }
    problem(reader->problems, where_setting(reader, setting), "a file has no setting '%s'%s", name,
            nearest_hint(&nearest, &reader->problems->arena));
}

void grammar_read(struct reader *reader, const config_setting_t *root, struct written_pack *written)
{
    int i;

    for (i = 0; i < config_setting_length(root); i++)
        read_top(reader, config_setting_get_elem(root, (unsigned)i), written);
}

void grammar_reference(struct buf *out)
{
    static const struct option_table *const TABLES[] = {
        &PACK,    &CALENDAR, &LIFECYCLE, &STATE,     &TRANSITION, &NOTICE, &TASK,
        &TIMER,   &STEP,     &KIND,      &FIELD,     &APPROVAL,   &APART,  &STAGE,
        &REVIEW,  &NEED,     &PROCESS,   &KPI,       &RULE,       &SIGNAL, &ROLE,
        &MEANING, &MESSAGE,  &RETENTION, &SEPARATION};
    size_t i;

    for (i = 0; i < COUNT(TABLES); i++)
        option_reference(TABLES[i], out);
}
