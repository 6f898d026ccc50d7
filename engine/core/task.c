/* task.c - work asked of services: made inside a transition, settled by results, parked when it keeps failing.
 *
 *     open ──200──> done (the row goes)         open ──202──> handed_over ──until──> open
 *       │──4xx, attempts used up──> parked       parked ──redrive──> open, ──cancel──> (the row goes)
 *       └──failure──> open again, not before its pause has passed
 *
 * Leases are not here: they live beside the fold. A result reaches this file only when its lease was in force.
 */
#include "core/inside.h"

enum {
    ATTEMPTS_DEFAULT = 5,
    RETRY_FIRST_MS = 2000,
    RETRY_MOST_MS = 600000,
    NOTE_MAX = 160,
    TELL_AT_ONCE = 64,
    REDRIVE_AT_ONCE = 200,
    LETTER_CHANGES_MAX = 40 /* that a letter lists; the rest is counted */
};

struct slice task_key(struct core *core, int64_t task)
{
    return textf(core, "task/%lld", (long long)task);
}

int64_t task_number(struct slice key)
{
    int64_t number = 0;

    for (size_t i = 5; i < key.len; i++)
        number = number * 10 + (key.at[i] - '0');
    return number;
}

static void put_some(struct core *core, struct value *row, const char *key, int64_t number)
{
    if (number > 0)
        value_set(core->arena, row, key, value_int(number));
}

int64_t task_make(struct core *core, const struct task_order *order, struct value *effects)
{
    int64_t task = run_next_number(core, effects, "task");
    struct value *row = run_patch(core, effects, task_key(core, task));

    value_set(core->arena, row, "service", value_str(order->service));
    value_set(core->arena, row, "state", value_str("open"));
    value_set(core->arena, row, "input", order->input);
    if (order->texts.type == VALUE_MAP && order->texts.count > 0)
        value_set(core->arena, row, "texts", order->texts);
    if (order->record.len > 0)
        value_set(core->arena, row, "record", value_text(order->record));
    if (order->kind.len > 0)
        value_set(core->arena, row, "kind", value_text(order->kind));
    put_some(core, row, "due_ms", order->due_ms);
    put_some(core, row, "retry_ms", order->retry_ms);
    put_some(core, row, "lease_ms", order->lease_ms);
    put_some(core, row, "max_run_ms", order->max_run_ms);
    put_some(core, row, "attempts", order->attempts);
    put_some(core, row, "priority", order->priority);
    if (order->on_done != NULL)
        value_set(core->arena, row, "on_done", value_str(order->on_done));
    if (order->on_failure != NULL)
        value_set(core->arena, row, "on_failure", value_str(order->on_failure));
    if (order->delivery.len > 0)
        value_set(core->arena, row, "delivery", value_text(order->delivery));
    run_offer(core, task);
    return task;
}

void task_remove(struct core *core, int64_t task, struct value *effects)
{
    struct slice key = task_key(core, task);

    if (state_row(core->state, key) == NULL)
        return;
    value_put(core->arena, effects, key, VALUE_NONE);
    run_withdraw(core, task);
}

/* ---- plans of a transition ---- */

/* What is too long for an entry, or may have to be erased, is named by its hash: the worker gets what it says. */
static struct value input_held(struct core *core, const struct subject *subject,
                               const struct expr *expr, struct value value)
{
    struct field as_if = {.type = FIELD_LONGTEXT,
                          .erasable = (expr_uses(expr) & EXPR_USES_ERASABLE) != 0};

    return value.type == VALUE_STR ? held(core, subject, &as_if, value) : value;
}

static bool is_text_away(const struct value *value)
{
    return is_content_ref(value) && value_get(value, "name") == NULL;
}

static int plan_input(struct core *core, const struct subject *subject,
                      const struct task_plan *plan, const struct value *scope,
                      struct task_order *order)
{
    order->input = value_map();
    order->texts = value_map();
    for (int i = 0; i < plan->input_count; i++) {
        struct value value = VALUE_NONE;
        struct error why = {ERROR_NONE, ""};

        if (scope_eval(core, plan->input[i].value, scope, &value, &why) != 0)
            return run_refuse(core, 422, "guard-failed",
                              "Task %s: its input %s could not be computed: %s.", plan->name,
                              plan->input[i].field, why.text);
        value = input_held(core, subject, plan->input[i].value, value);
        value_set(core->arena, is_text_away(&value) ? &order->texts : &order->input,
                  plan->input[i].field, value);
    }
    return 0;
}

static void plan_delivery(struct core *core, const struct subject *subject,
                          struct task_order *order, int64_t n, struct value *effects,
                          struct value *own)
{
    static const char *const names[] = {"person", "party", "to"};
    struct value *row;

    order->delivery = textf(core, "%.*s/delivery/%04lld", (int)subject->id.len,
                            (const char *)subject->id.at, (long long)n);
    value_set(core->arena, &order->input, "n", value_int(n));
    value_set(core->arena, own, "delivery_count", value_int(n));
    row = run_patch(core, effects, order->delivery);
    value_set(core->arena, row, "state", value_str("queued"));
    value_set(core->arena, row, "n", value_int(n));
    if (value_get_text(&order->input, "channel").len > 0)
        value_set(core->arena, row, "channel", *value_get(&order->input, "channel"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (value_get_text(&order->input, names[i]).len > 0)
            value_set(core->arena, row, "to", *value_get(&order->input, names[i]));
    }
}

static int plan_one(struct core *core, const struct subject *subject, const struct task_plan *plan,
                    const struct value *scope, struct value *effects, struct value *own)
{
    struct task_order order = {.service = plan->service,
                               .record = subject->id,
                               .kind = slice_str(subject->kind->name),
                               .attempts = plan->attempts,
                               .retry_ms = plan->retry_ms,
                               .lease_ms = plan->lease_ms,
                               .max_run_ms = plan->max_run_ms,
                               .on_done = plan->on_done,
                               .on_failure = plan->on_failure};
    int64_t task,
        n = value_get_int(own, "delivery_count", value_get_int(subject->row, "delivery_count", 0)) +
            1;

    if (plan_input(core, subject, plan, scope, &order) != 0)
        return -1;
    if (plan->delivery)
        plan_delivery(core, subject, &order, n, effects, own);
    task = task_make(core, &order, effects);
    if (plan->delivery)
        value_set(core->arena, run_patch(core, effects, order.delivery), "task", value_int(task));
    return 0;
}

static int plan_each(struct core *core, const struct subject *subject, const struct task_plan *plan,
                     struct value *scope, struct value *effects, struct value *own)
{
    struct value list = VALUE_NONE;
    struct error why = {ERROR_NONE, ""};

    if (scope_eval(core, plan->each, scope, &list, &why) != 0 || list.type != VALUE_ARRAY)
        return run_refuse(core, 422, "guard-failed", "Task %s: its list could not be computed: %s.",
                          plan->name, why.text);
    for (uint32_t i = 0; i < list.count; i++) {
        value_set(core->arena, scope, "row", list.as.items[i]);
        value_set(core->arena, scope, "n", value_int(i + 1));
        if (plan_one(core, subject, plan, scope, effects, own) != 0)
            return -1;
    }
    return 0;
}

static unsigned plan_uses(const struct task_plan *plan)
{
    unsigned uses = EXPR_USES_TABLES;

    if (plan->each != NULL)
        uses |= expr_uses(plan->each);
    for (int i = 0; i < plan->input_count; i++)
        uses |= expr_uses(plan->input[i].value);
    return uses;
}

int task_plan_all(struct core *core, const struct subject *subject,
                  const struct transition *transition, const struct value *args,
                  struct value *effects, struct value *own)
{
    for (int i = 0; i < transition->task_count; i++) {
        const struct task_plan *plan = &transition->tasks[i];
        struct slice event = slice_str(transition->event), actor = core->question->principal;
        struct value scope;

        if (!scope_holds(core, plan->when, subject, event, actor, args, NULL))
            continue;
        scope = scope_of(core, subject, event, actor, args, plan_uses(plan));
        if (plan->each != NULL ? plan_each(core, subject, plan, &scope, effects, own)
                               : plan_one(core, subject, plan, &scope, effects, own))
            return -1;
    }
    return 0;
}

/* ---- notices ---- */

static void tell_one(struct core *core, struct slice record, struct slice kind,
                     const struct value *person, const char *message, struct slice event,
                     struct slice actor, const struct value *reason, struct value *effects)
{
    struct task_order order = {
        .service = "communication.deliver", .input = value_map(), .record = record, .kind = kind};

    value_set(core->arena, &order.input, "make", value_str("notice"));
    value_set(core->arena, &order.input, "person", *person);
    value_set(core->arena, &order.input, "message", value_str(message));
    value_set(core->arena, &order.input, "event", value_text(event));
    value_set(core->arena, &order.input, "actor", value_text(actor));
    if (value_is(reason, VALUE_MAP))
        value_set(core->arena, &order.input, "reason", *reason);
    task_make(core, &order, effects);
}

/* The people after the first TELL_AT_ONCE get a run of their own, so that a leaf stays small. */
static void tell_later(struct core *core, const struct subject *subject, const struct value *people,
                       const char *message, struct slice event, struct slice actor)
{
    struct value args = value_map(), rest = value_array();

    for (uint32_t i = TELL_AT_ONCE; i < people->count; i++)
        value_push(core->arena, &rest, people->as.items[i]);
    value_set(core->arena, &args, "people", rest);
    value_set(core->arena, &args, "message", value_str(message));
    value_set(core->arena, &args, "event", value_text(event));
    value_set(core->arena, &args, "actor", value_text(actor));
    run_follow_rest(core, subject->id, "tell", (int64_t)core->question->seq, &args);
}

/* Who has voted, is not asked yet or no more, or has acknowledged is not reminded of it. */
static bool has_answered(struct core *core, const struct subject *subject, struct slice person)
{
    const struct value *ack;

    if (value_has_text(value_get(subject->round, "ask"), person) &&
        !round_waits_for(subject->round, person))
        return true;
    ack = state_rowf(core->state, "%.*s/ack/%.*s", (int)subject->id.len,
                     (const char *)subject->id.at, (int)person.len, (const char *)person.at);
    return slice_is(value_get_text(ack, "state"), "acknowledged");
}

/* Does the word stand for those who were asked: to vote, or to acknowledge? */
static bool is_of_asked(const struct subject *subject, const char *word)
{
    return strcmp(word, "asked") == 0 || words_have(&subject->kind->acknowledge, slice_str(word));
}

/* Whom a notice goes to. A reminder goes to those asked who have not answered, and to the managers of these; others
 * hear of it whether they have answered for themselves or not. */
static void addressees(struct core *core, const struct subject *subject,
                       const struct notice *notice, struct value *out)
{
    static const char manager_of[] = "manager_of:";
    bool is_reminder = core->question->kind == QUESTION_WAKE;
    const struct value *asked = value_get(subject->round, "asked"); /* instead of whom */

    for (int i = 0; i < notice->to.count; i++) {
        const char *word = notice->to.at[i];
        bool is_manager = strncmp(word, manager_of, strlen(manager_of)) == 0;
        const char *base = is_manager ? word + strlen(manager_of) : word;
        struct value people = value_array();

        if (!is_reminder || !is_of_asked(subject, base)) {
            authority_people(core, subject, slice_str(word), out);
            authority_heirs(core, subject, slice_str(word), out);
            continue;
        }
        authority_people(core, subject, slice_str(base), &people);
        for (uint32_t p = 0; p < people.count; p++) {
            struct slice person = value_slice(&people.as.items[p]);

            if (has_answered(core, subject, person))
                continue;
            if (!is_manager && value_is(value_find(asked, person), VALUE_STR))
                person = value_slice(value_find(asked, person));
            if (is_manager)
                person = value_get_text(authority_person(core, person), "manager");
            if (person.len > 0 && !value_has_text(out, person))
                value_push(core->arena, out, value_text(person));
        }
    }
}

void tell_roles(struct core *core, const char *const *roles, struct slice subject,
                struct slice text, struct value *effects)
{
    struct subject nothing = {slice_of(NULL, 0), NULL, NULL, NULL};
    struct value people = value_array();

    for (; *roles != NULL; roles++)
        authority_people(core, &nothing, slice_str(*roles), &people);
    for (uint32_t i = 0; i < people.count; i++) {
        struct task_order order = {.service = "communication.deliver", .input = value_map()};
        const struct value *person = authority_person(core, value_slice(&people.as.items[i]));
        const struct value *email = value_get(person, "email");

        value_set(core->arena, &order.input, "person", people.as.items[i]);
        value_set(core->arena, &order.input, "address", email != NULL ? *email : value_str(""));
        value_set(core->arena, &order.input, "channel", value_str("inbox"));
        value_set(core->arena, &order.input, "subject", value_text(subject));
        value_set(core->arena, &order.input, "text", value_text(text));
        task_make(core, &order, effects);
    }
}

int tell(struct core *core, const struct subject *subject, const struct notice *notice,
         struct slice event, struct slice actor, const struct value *args, struct value *effects)
{
    struct value people = value_array(), others = value_array();
    const struct pack *pack = core_current_pack(core);
    const char *message = notice->message;

    const struct value *reason = value_get(args, "reason");

    if (message == NULL)
        message = pack_message(pack, (const char *)keep_text(core, event).at) != NULL
                      ? (const char *)keep_text(core, event).at
                      : "default";
    addressees(core, subject, notice, &people);
    for (uint32_t i = 0; i < people.count; i++) {
        if (!slice_equal(value_slice(&people.as.items[i]), actor))
            value_push(core->arena, &others, people.as.items[i]);
    }
    for (uint32_t i = 0; i < others.count && i < TELL_AT_ONCE; i++)
        tell_one(core, subject->id, slice_str(subject->kind->name), &others.as.items[i], message,
                 event, actor, reason, effects);
    if (others.count > TELL_AT_ONCE)
        tell_later(core, subject, &others, message, event, actor);
    return 0;
}

int notice_more(struct core *core, const struct question *question)
{
    const struct value *args = value_get(question->follow, "args");
    const struct value *people = value_get(args, "people");
    struct author author = run_engine(value_get_int(question->follow, "cause", 0));
    struct value effects = value_map(), body = value_map();
    struct subject subject;
    struct slice stream;

    if (!subject_find(core, value_get_text(question->follow, "record"), &subject))
        return 0;
    for (uint32_t i = 0; i < people->count && i < TELL_AT_ONCE; i++)
        tell_one(core, subject.id, slice_str(subject.kind->name), &people->as.items[i],
                 value_get_str(args, "message", "default", core->arena),
                 value_get_text(args, "event"), value_get_text(args, "actor"), NULL, &effects);
    value_set(core->arena, &body, "event", value_text(value_get_text(args, "event")));
    value_set(core->arena, &body, "people", value_int(people->count));
    if (people->count > TELL_AT_ONCE)
        tell_later(core, &subject, people, value_get_str(args, "message", "default", core->arena),
                   value_get_text(args, "event"), value_get_text(args, "actor"));
    stream = textf(core, "%.*s/notice", (int)subject.id.len, (const char *)subject.id.at);
    return run_leaf(core, "notice.sent", stream, subject.id, &author, &body, &effects) < 0 ? -1 : 0;
}

/* ---- settling ---- */

static int64_t pause_ms(const struct value *row, int64_t failures)
{
    int64_t pause = value_get_int(row, "retry_ms", RETRY_FIRST_MS);

    for (int64_t i = 1; i < failures && pause < RETRY_MOST_MS; i++)
        pause *= 2;
    return pause < RETRY_MOST_MS ? pause : RETRY_MOST_MS;
}

static void mark_delivery(struct core *core, const struct value *row, const char *state,
                          struct slice note, struct value *effects)
{
    struct slice key = value_get_text(row, "delivery");
    struct value *delivery;
    bool had_note;

    if (key.len == 0)
        return;
    had_note = value_get(state_row(core->state, key), "note") != NULL;
    delivery = run_patch(core, effects, key);
    value_set(core->arena, delivery, "state", value_str(state));
    value_set(core->arena, delivery, "at_ms", value_int(core->now_ms));
    if (note.len > 0)
        value_set(core->arena, delivery, "note", value_text(note));
    else if (had_note) /* why it failed says nothing of what came after */
        value_set(core->arena, delivery, "note", VALUE_NONE);
}

static struct slice short_note(const struct question *question)
{
    struct slice note = question->note;

    if (note.len > NOTE_MAX)
        note.len = NOTE_MAX;
    /* Not in the middle of a character. */
    while (note.len > 0 && !utf8_is_valid(note))
        note.len--;
    return note;
}

static const char *settle_failed(struct core *core, const struct question *question,
                                 const struct value *row, struct value *own, struct value *effects)
{
    bool is_busy = question->status == 429 || question->status == 503;
    bool is_final = question->status >= 400 && question->status < 500 && !is_busy;
    int64_t failures = value_get_int(row, "failures", 0) + (is_busy ? 0 : 1);
    int64_t most = value_get_int(row, "attempts", ATTEMPTS_DEFAULT);
    struct slice note = short_note(question);

    value_set(core->arena, own, "failures", value_int(failures));
    value_set(core->arena, own, "attempt", value_int(question->attempt));
    if (note.len > 0)
        value_set(core->arena, own, "note", value_text(note));
    if (is_final || failures >= most) {
        value_set(core->arena, own, "state", value_str("parked"));
        mark_delivery(core, row, "failed", note, effects);
        return "task.parked";
    }
    value_set(core->arena, own, "state", value_str("open"));
    value_set(core->arena, own, "until_ms", VALUE_NONE);
    value_set(
        core->arena, own, "not_before_ms",
        value_int(core->now_ms + (is_busy && question->retry_ms > 0 ? question->retry_ms
                                                                    : pause_ms(row, failures))));
    run_offer(core, question->task);
    return "task.failed";
}

static const char *settle(struct core *core, const struct question *question,
                          const struct value *row, struct value *effects)
{
    struct value own = value_map();
    const char *type;

    if (question->status == 200) {
        value_set(core->arena, effects, "", VALUE_NONE);
        mark_delivery(core, row, "sent", slice_of(NULL, 0), effects);
        run_withdraw(core, question->task);
        return "task.done";
    }
    if (question->status == 202) {
        value_set(core->arena, &own, "state", value_str("handed_over"));
        value_set(core->arena, &own, "attempt", value_int(question->attempt));
        if (value_get(row, "note") != NULL)
            value_set(core->arena, &own, "note", VALUE_NONE);
        if (question->until_ms > core->now_ms)
            value_set(core->arena, &own, "until_ms", value_int(question->until_ms));
        mark_delivery(core, row, "handed_over", slice_of(NULL, 0), effects);
        type = "task.handed_over";
    } else {
        type = settle_failed(core, question, row, &own, effects);
    }
    value_set(core->arena, effects, "", own);
    return type;
}

int task_settle(struct core *core, const struct question *question)
{
    struct slice key = task_key(core, question->task), record;
    const struct value *found = state_row(core->state, key);
    struct author author = run_principal(core);
    struct value effects = value_map(), body = value_map(), row;
    const char *type, *event;
    int64_t cause;

    if (found == NULL)
        return run_refuse(core, 410, "lease-lost", "Task %lld is no longer there.",
                          (long long)question->task);
    row = value_copy(core->arena, found);
    record = value_get_text(&row, "record");
    author.signature = slice_of(NULL, 0);
    value_set(core->arena, &body, "status", value_int(question->status));
    value_set(core->arena, &body, "attempt", value_int(question->attempt));
    if (question->status == 200 && question->output != NULL && question->output->count > 0)
        value_set(core->arena, &body, "out", *question->output);
    type = settle(core, question, &row, &effects);
    cause = run_leaf(core, type, key, record, &author, &body, &effects);
    if (cause < 0)
        return -1;
    event = value_get_str(&row, strcmp(type, "task.done") == 0 ? "on_done" : "on_failure", NULL,
                          core->arena);
    if (event != NULL && (strcmp(type, "task.done") == 0 || strcmp(type, "task.parked") == 0) &&
        signal_record(core, record, event, cause, NULL, NOBODY) != 0)
        return -1;
    if (record.len > 0)
        run_follow(core, record, NULL, cause, NULL, NOBODY);
    return 0;
}

static int by_hand(struct core *core, const struct question *question, const char *command,
                   struct value *row, int64_t *task)
{
    const struct value *found;
    const char *sentence = "";

    *task = value_get_int(question->args, "task", -1);
    if (authority_command(core, question->principal, command, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    found = state_row(core->state, task_key(core, *task));
    if (found == NULL)
        return run_refuse(core, 404, "no-record", "There is no open task %lld.", (long long)*task);
    *row = value_copy(core->arena, found);
    return 0;
}

static int64_t redrive_one(struct core *core, int64_t task, const struct value *row,
                           const struct author *author, const struct value *body)
{
    struct value effects = value_map(), own = value_map();

    value_set(core->arena, &own, "state", value_str("open"));
    value_set(core->arena, &own, "failures", value_int(0));
    value_set(core->arena, &own, "not_before_ms", VALUE_NONE);
    value_set(core->arena, &effects, "", own);
    mark_delivery(core, row, "queued", slice_of(NULL, 0), &effects);
    run_offer(core, task);
    return run_leaf(core, "task.redriven", task_key(core, task), value_get_text(row, "record"),
                    author, body, &effects);
}

/* A step that was refused: its task goes, and it is asked again; if it is refused again, that is a task again. */
static int64_t redrive_step(struct core *core, int64_t task, const struct value *row,
                            const struct author *author, const struct value *body)
{
    struct value effects = value_map();

    value_set(core->arena, &effects, "", VALUE_NONE);
    follow_unmark(core, row, &effects);
    if (follow_again(core, row) != 0)
        return -1;
    return run_leaf(core, "task.redriven", task_key(core, task), value_get_text(row, "record"),
                    author, body, &effects);
}

static bool is_step(const struct value *row)
{
    return slice_is(value_get_text(row, "service"), FOLLOW_SERVICE);
}

/* All that are parked, or those of one service: at most REDRIVE_AT_ONCE by one command. */
static int redrive_many(struct core *core, const struct question *question)
{
    struct slice service = value_get_text(question->args, "service");
    struct author author = run_principal(core);
    const struct value *body = question->args;
    struct value rows, none = value_map();
    int64_t cause = -1, count = 0;

    state_rows(core->state, slice_str("task/"), UINT32_MAX, &rows);
    for (uint32_t i = 0; i < rows.count && count < REDRIVE_AT_ONCE; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        struct value row = value_copy(core->arena, value_get(&rows.as.items[i], "row"));
        int64_t seq;

        if (!slice_is(value_get_text(&row, "state"), "parked") ||
            (service.len > 0 && !slice_equal(service, value_get_text(&row, "service"))) ||
            (is_step(&row) && !follow_is_kept(&row)))
            continue;
        seq = is_step(&row) ? redrive_step(core, task_number(key), &row, &author, body)
                            : redrive_one(core, task_number(key), &row, &author, body);
        if (seq < 0)
            return -1;
        cause = cause < 0 ? seq : cause;
        author = run_engine(cause);
        body = &none;
        count++;
    }
    return count > 0 ? 0 : run_refuse(core, 404, "no-record", "No such task is parked.");
}

int task_redrive(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    const char *sentence = "";
    struct value row;
    int64_t task;

    if (value_get(question->args, "task") == NULL) {
        if (authority_command(core, question->principal, "task.redrive", &sentence) != PERMIT)
            return run_refuse(core, 403, "not-allowed", "%s", sentence);
        return redrive_many(core, question);
    }
    if (by_hand(core, question, "task.redrive", &row, &task) != 0)
        return -1;
    if (!slice_is(value_get_text(&row, "state"), "parked"))
        return run_refuse(core, 409, "wrong-state", "Task %lld is not parked.", (long long)task);
    if (!is_step(&row))
        return redrive_one(core, task, &row, &author, question->args) < 0 ? -1 : 0;
    if (!follow_is_kept(&row))
        return run_refuse(core, 409, "wrong-state",
                          "What task %lld stands for is too much to be asked again; do what its "
                          "note says by hand, then cancel it.",
                          (long long)task);
    return redrive_step(core, task, &row, &author, question->args) < 0 ? -1 : 0;
}

int task_cancel(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), row;
    struct slice record;
    int64_t task, cause;

    if (by_hand(core, question, "task.cancel", &row, &task) != 0)
        return -1;
    record = value_get_text(&row, "record");
    value_set(core->arena, &effects, "", VALUE_NONE);
    mark_delivery(core, &row, "failed", slice_str("cancelled"), &effects);
    follow_unmark(core, &row, &effects);
    run_withdraw(core, task);
    cause = run_leaf(core, "task.cancelled", task_key(core, task), record, &author, question->args,
                     &effects);
    if (cause >= 0 && record.len > 0)
        run_follow(core, record, NULL, cause, NULL, NOBODY);
    return cause < 0 ? -1 : 0;
}

/* ---- as a worker gets it ---- */

/* What a message may say besides the record's own fields: why, until when, how to look at it. */
static void put_occasion(struct core *core, const struct subject *subject,
                         const struct value *input, struct value *names)
{
    struct slice reason =
        state_content(core->state, value_get_bin(value_get(input, "reason"), "content"));
    const struct calendar *calendar = calendar_of(core);
    int64_t due = timers_next(subject->row, core->now_ms);
    char *date = arena_take(core->arena, DATE_TEXT_LEN + 1);

    value_set(core->arena, names, "reason", value_text(reason));
    value_set(core->arena, names, "link",
              value_text(textf(core, "rota show %.*s", (int)subject->id.len,
                               (const char *)subject->id.at)));
    if (due < 0 || calendar == NULL || calendar->zone == NULL)
        return;
    date_format(zone_date(calendar->zone, due), date);
    if (value_get(names, "due") == NULL)
        value_set(core->arena, names, "due", value_str(date));
}

/* The record's fields as a message says them: a text that can be erased as long as it is there. */
static struct value fields_said(struct core *core, const struct subject *subject)
{
    struct value names = value_copy(core->arena, value_get(subject->row, "fields"));

    for (uint32_t i = 0; i < names.count; i++) {
        struct pair *pair = &names.as.pairs[i];
        const struct field *field = kind_field(subject->kind, pair->key);

        if (field != NULL && field->erasable && field->type != FIELD_TABLE)
            pair->value = inlined(core, field, &pair->value);
    }
    return names;
}

static struct value names_of(struct core *core, const struct subject *subject,
                             const struct value *input)
{
    struct value names = fields_said(core, subject);
    const struct value *actor = authority_person(core, value_get_text(input, "actor"));
    const struct value *round = subject->round;
    const struct value *stage = round_stage(round, value_get_text(input, "person"));
    char *hex = arena_take(core->arena, 2 * HASH_LEN + 1);

    hex_encode(value_get_bin(subject->row, "digest"), hex);
    value_set(core->arena, &names, "record", value_text(subject->id));
    value_set(core->arena, &names, "title", value_text(value_get_text(subject->row, "title")));
    value_set(core->arena, &names, "version", value_text(value_get_text(subject->row, "version")));
    value_set(core->arena, &names, "state", value_text(value_get_text(subject->row, "state")));
    value_set(core->arena, &names, "owner", value_text(value_get_text(subject->row, "owner")));
    value_set(core->arena, &names, "kind", value_str(subject->kind->title));
    value_set(core->arena, &names, "event", value_text(value_get_text(input, "event")));
    value_set(core->arena, &names, "digest", value_str(hex));
    value_set(core->arena, &names, "actor",
              value_get(actor, "title") != NULL ? *value_get(actor, "title")
                                                : value_text(value_get_text(input, "actor")));
    value_set(core->arena, &names, "need",
              value_int(value_get_int(stage != NULL ? stage : round, "need", 0)));
    value_set(core->arena, &names, "approval_stage", value_text(value_get_text(stage, "name")));
    put_occasion(core, subject, input, &names);
    return names;
}

static void put_address(struct core *core, struct slice name, struct value *input)
{
    const struct value *person = authority_person(core, name);
    const struct value *email = value_get(person, "email"), *title = value_get(person, "title");

    value_set(core->arena, input, "address", email != NULL ? *email : value_str(""));
    value_set(core->arena, input, "name", title != NULL ? *title : value_text(name));
    if (value_get(input, "channel") == NULL)
        value_set(core->arena, input, "channel", value_str("inbox"));
}

static void put_message(struct core *core, const struct subject *subject, const char *name,
                        struct value *input)
{
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));
    const struct message *message = pack_message(pack, name);
    struct value names = names_of(core, subject, input);
    struct slice subject_line, text;

    if (message == NULL)
        message = pack_message(pack, "default");
    subject_line =
        render(core, message != NULL ? message->subject : "{{record}}: {{event}}", &names);
    text = render(core,
                  message != NULL ? message->body
                                  : "{{kind}} {{record}} \"{{title}}\" is now {{state}}.",
                  &names);
    value_set(core->arena, input, "subject", value_text(subject_line));
    value_set(core->arena, input, "text", value_text(text));
}

/* Whoever is asked in somebody else's place reads so first. */
static void put_in_place(struct core *core, struct slice person, struct slice right,
                         struct value *input)
{
    struct slice text = value_get_text(input, "text"), number = value_get_text(input, "delegation");

    if (slice_equal(person, right))
        return;
    value_set(core->arena, input, "text",
              value_text(textf(core, "For %.*s, delegation %.*s. %.*s", (int)right.len,
                               (const char *)right.at, (int)number.len, (const char *)number.at,
                               (int)text.len, (const char *)text.at)));
}

/* By when, and what changes. A first version changes nothing: all of it is new, and to be read. */
static void put_what_changes(struct core *core, const struct subject *subject, struct value *input)
{
    int64_t by_ms = timer_due(subject->row, ROUND_EXPIRES), more = 0;
    int64_t next_ms = timers_next(subject->row, core->now_ms);
    struct subject before;

    if (by_ms >= 0)
        value_set(core->arena, input, "by_ms", value_int(by_ms));
    if (next_ms >= 0 && next_ms != by_ms)
        value_set(core->arena, input, "reminder_ms", value_int(next_ms));
    if (!change_base(core, subject, &before))
        return;
    value_set(core->arena, input, "against", value_text(before.id));
    value_set(core->arena, input, "changes",
              changes_told(core, &before, subject, LETTER_CHANGES_MAX, &more));
    if (more > 0)
        value_set(core->arena, input, "changes_more", value_int(more));
}

static const char *hex_text(struct core *core, struct slice hash)
{
    char *hex = arena_take(core->arena, 2 * HASH_LEN + 1);

    hex_encode(hash, hex);
    return hex;
}

/* What goes together with it and asks the same person: one vote answers all, so one letter names all. */
static void put_beside(struct core *core, const struct subject *subject, struct slice person,
                       struct slice right, struct value *input)
{
    struct value others = rounds_beside(core, subject, right), beside = value_array();
    struct slice text = value_get_text(input, "text");
    struct subject other;

    for (uint32_t i = 0; i < others.count; i++) {
        struct value one = value_map();
        const struct transition *grant;
        struct slice title;

        if (!subject_find(core, value_slice(&others.as.items[i]), &other))
            continue;
        grant = row_of_vote(&other, VOTE_GRANT);
        title = value_get_text(other.row, "title");
        value_set(core->arena, &one, "record", value_text(other.id));
        value_set(core->arena, &one, "title", value_text(title));
        value_set(core->arena, &one, "digest",
                  value_str(hex_text(core, value_get_bin(other.row, "digest"))));
        if (grant != NULL)
            value_set(core->arena, &one, "statement",
                      value_text(statement_for(core, &other, grant, person, right)));
        value_push(core->arena, &beside, one);
        text = textf(core, "%.*s Together with %.*s \"%.*s\": one vote answers both.",
                     (int)text.len, (const char *)text.at, (int)other.id.len,
                     (const char *)other.id.at, (int)title.len, (const char *)title.at);
    }
    if (beside.count == 0)
        return;
    value_set(core->arena, input, "beside", beside);
    value_set(core->arena, input, "text", value_text(text));
}

static void fill_approval(struct core *core, const struct subject *subject, struct value *input)
{
    const struct transition *grant = NULL;
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    int state = kind_state_index(subject->kind, value_get_text(subject->row, "state"));
    struct slice person = value_get_text(input, "person"), right = value_get_text(input, "for");

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].vote == VOTE_GRANT && state != MODEL_NONE &&
            lifecycle->transitions[i].from[state])
            grant = &lifecycle->transitions[i];
    }
    right = right.len > 0 ? right : person;
    put_address(core, person, input);
    put_message(core, subject, "approval_request", input);
    put_in_place(core, person, right, input);
    put_beside(core, subject, person, right, input);
    value_set(core->arena, input, "digest",
              value_str(hex_text(core, value_get_bin(subject->row, "digest"))));
    value_set(core->arena, input, "title", value_text(value_get_text(subject->row, "title")));
    value_set(core->arena, input, "version", value_text(value_get_text(subject->row, "version")));
    put_what_changes(core, subject, input);
    if (grant == NULL)
        return;
    value_set(core->arena, input, "event", value_str(grant->event));
    value_set(core->arena, input, "meaning", value_str(meaning_of(subject, grant, right)));
    value_set(core->arena, input, "statement",
              value_text(statement_for(core, subject, grant, person, right)));
}

static struct value filled_input(struct core *core, const struct value *row)
{
    struct value input = value_copy(core->arena, value_get(row, "input"));
    struct slice make = value_get_text(&input, "make"), person = value_get_text(&input, "person");
    const struct value *texts = value_get(row, "texts");
    struct subject subject;

    for (uint32_t i = 0; value_is(texts, VALUE_MAP) && i < texts->count; i++)
        value_put(core->arena, &input, texts->as.pairs[i].key,
                  value_text(state_content(core->state,
                                           value_get_bin(&texts->as.pairs[i].value, "content"))));
    if (value_get_text(row, "record").len == 0 ||
        !subject_find(core, value_get_text(row, "record"), &subject))
        return input;
    value_set(core->arena, &input, "record", value_text(subject.id));
    if (slice_is(make, "approval")) {
        fill_approval(core, &subject, &input);
    } else if (slice_is(make, "notice")) {
        put_address(core, person, &input);
        put_message(core, &subject, value_get_str(&input, "message", "default", core->arena),
                    &input);
    } else if (person.len > 0 && value_get_text(&input, "address").len == 0) {
        put_address(core, person, &input);
    }
    value_remove(&input, slice_str("make"));
    return input;
}

static void copy_number(struct core *core, const struct value *row, const char *key,
                        struct value *out)
{
    value_set(core->arena, out, key, value_int(value_get_int(row, key, 0)));
}

bool core_task(struct core *core, int64_t task, struct value *out)
{
    static const char *const numbers[] = {"due_ms",     "priority",      "lease_ms",
                                          "max_run_ms", "not_before_ms", "failures"};
    const struct value *row;
    struct slice record;

    core->arena = state_arena(core->state);
    row = state_row(core->state, task_key(core, task));
    if (row == NULL)
        return false;
    record = value_get_text(row, "record");
    *out = value_map();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        copy_number(core, row, numbers[i], out);
    value_set(core->arena, out, "task", value_int(task));
    value_set(core->arena, out, "attempt", value_int(value_get_int(row, "attempt", 0) + 1));
    value_set(core->arena, out, "service", value_text(value_get_text(row, "service")));
    value_set(core->arena, out, "state", value_text(value_get_text(row, "state")));
    value_set(core->arena, out, "record", value_text(value_get_text(row, "record")));
    value_set(core->arena, out, "kind", value_text(value_get_text(row, "kind")));
    value_set(
        core->arena, out, "revision",
        value_int(record.len > 0 ? value_get_int(state_row(core->state, record), "rev", 0) : 0));
    value_set(
        core->arena, out, "key",
        value_text(textf(
            core, "%.*s/task/%lld",
            (int)value_get_text(state_row(core->state, slice_str("journal")), "origin").len,
            (const char *)value_get_text(state_row(core->state, slice_str("journal")), "origin").at,
            (long long)task)));
    value_set(core->arena, out, "input", filled_input(core, row));
    return true;
}
