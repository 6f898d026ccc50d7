/* decide.c - the one door: a question comes in, a run or a refusal goes out. */
#include "core/inside.h"

#include "base/check.h"

#include <stdlib.h>

/* ---- life ---- */

struct core *core_new(const struct shelf *shelf)
{
    struct core *core = calloc(1, sizeof *core);

    check(core != NULL);
    core->state = state_new(shelf);
    return core;
}

void core_free(struct core **core)
{
    const struct map_entry *entry;
    size_t at = 0;

    if (*core == NULL)
        return;
    while ((entry = map_next(&(*core)->packs, &at)) != NULL) {
        struct pack *pack = entry->value;

        pack_free(&pack);
    }
    map_release(&(*core)->packs);
    directory_forget(*core);
    state_free(&(*core)->state);
    buf_release(&(*core)->leaf_bytes);
    free(*core);
    *core = NULL;
}

void core_use_pack(struct core *core, struct pack **pack)
{
    struct pack *before = map_put(&core->packs, slice_of((*pack)->digest, HASH_LEN), *pack);

    if (before != NULL && before != *pack)
        pack_free(&before);
    *pack = NULL;
}

void core_forget_pack(struct core *core, struct slice digest)
{
    struct pack *pack;
    char hex[2 * HASH_LEN + 1];

    if (digest.len != HASH_LEN)
        return;
    hex_encode(digest, hex);
    if (state_rowf(core->state, "pack/%s", hex) != NULL)
        return;
    pack = map_remove(&core->packs, digest);
    pack_free(&pack);
}

const struct pack *core_pack(const struct core *core, struct slice digest)
{
    return map_get(&core->packs, digest);
}

const struct pack *core_current_pack(struct core *core)
{
    return core_pack(core, pack_that_counts(core));
}

struct state *core_state(struct core *core)
{
    return core->state;
}

void core_forget(struct core *core)
{
    state_forget(core->state);
    directory_forget(core);
}

/* ---- commands that are about no lifecycle ---- */

/* May it be acknowledged (or not) by whoever asks? `row` is the key of what they did so far. */
static int check_ack(struct core *core, const struct question *question, struct subject *out,
                     struct slice *row)
{
    struct slice stage, given = value_get_bin(question->args, "digest");
    const char *sentence = "";
    struct subject subject;

    if (subject_of(core, question->record, &subject) != 0)
        return -1;
    stage = value_get_text(subject.row, "stage");
    if (subject.kind->acknowledge.count == 0 ||
        !(slice_is(stage, "in_force") || slice_is(stage, "under_review")))
        return run_refuse(core, 409, "wrong-state", "%.*s asks nobody to acknowledge now.",
                          (int)subject.id.len, (const char *)subject.id.at);
    if (value_get(question->args, "for") != NULL)
        return run_refuse(core, 403, "not-allowed",
                          "To acknowledge says that one has read it oneself: nobody does that in "
                          "the place of another.");
    if (authority_ack(core, question->principal, &subject, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    if (given.len > 0 && !slice_equal(given, value_get_bin(subject.row, "digest")))
        return run_refuse(core, 409, "stale-content", "The content has changed; look at it again.");
    *row = textf(core, "%.*s/ack/%.*s", (int)subject.id.len, (const char *)subject.id.at,
                 (int)question->principal.len, (const char *)question->principal.at);
    if (slice_is(value_get_text(state_row(core->state, *row), "state"), "acknowledged"))
        return run_refuse(core, 409, "wrong-state", "You have acknowledged this already.");
    *out = subject;
    return 0;
}

static void put_ack(struct core *core, const struct subject *subject, const char *state,
                    struct value reason, struct value *effects)
{
    struct value own = value_map();

    value_set(core->arena, &own, "person", value_text(core->question->principal));
    value_set(core->arena, &own, "state", value_str(state));
    value_set(core->arena, &own, "at_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "digest", *value_get(subject->row, "digest"));
    value_set(core->arena, &own, "reason", reason);
    value_set(core->arena, effects, "", own);
}

/* Somebody disagrees, or did not understand: the owner is told why. They are asked on, and may acknowledge later. */
int decline_acknowledgement(struct core *core, const struct question *question)
{
    static const char *message = "ack_declined", *to[] = {"owner"};
    struct author author = run_principal(core);
    const struct value *reason = value_get(question->args, "reason");
    struct value effects = value_map();
    struct notice notice = {{to, 1}, message};
    struct subject subject;
    struct slice stream;

    if (check_ack(core, question, &subject, &stream) != 0)
        return -1;
    if (value_get_bin(reason, "content").len != HASH_LEN)
        return run_refuse(core, 422, "guard-failed",
                          "Say why you do not acknowledge it: --reason.");
    if (pack_message(core_pack(core, value_get_bin(subject.row, "pack")), message) == NULL)
        notice.message = "default";
    put_ack(core, &subject, "declined", *reason, &effects);
    if (tell(core, &subject, &notice, slice_str("decline_ack"), question->principal, question->args,
             &effects) != 0)
        return -1;
    return run_leaf(core, "record.decline_ack", stream, subject.id, &author, question->args,
                    &effects) < 0
               ? -1
               : 0;
}

int acknowledge(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    struct value effects = value_map();
    struct subject subject;
    struct slice stream;
    int64_t seq;

    if (check_ack(core, question, &subject, &stream) != 0)
        return -1;
    put_ack(core, &subject, "acknowledged", VALUE_NONE, &effects);
    seq = run_leaf(core, "record.ack", stream, subject.id, &author, question->args, &effects);
    if (seq < 0)
        return -1;
    run_follow(core, subject.id, NULL, seq, NULL, NOBODY);
    return 0;
}

/* What an administrator does to the engine is a fact too: args {what, ...}. */
static int admin_note(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    struct value effects = value_map();
    const char *sentence = "";
    struct slice what = value_get_text(question->args, "what");

    if (authority_command(core, question->principal, "admin", &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    if (what.len == 0 || what.len > 40)
        return run_refuse(core, 400, "malformed", "It must be said what is done.");
    return run_leaf(
               core,
               (const char *)textf(core, "admin.%.*s", (int)what.len, (const char *)what.at).at,
               textf(core, "admin/%.*s", (int)question->principal.len,
                     (const char *)question->principal.at),
               slice_of(NULL, 0), &author, question->args, &effects) < 0
               ? -1
               : 0;
}

/* ---- the door ---- */

static const char *const open_keys[] = {"kind", "title", "fields", "owner", "links", "for", NULL};
static const char *const edit_keys[] = {"set", "title", "reason", "for", NULL};
static const char *const ack_keys[] = {"digest", "reason", "for", NULL};
static const char *const hand_over_keys[] = {"to", "reason", NULL};
static const char *const import_keys[] = {"tool",   "format", "sha256",   "version",
                                          "worker", "covers", "findings", "file",
                                          "from",   "of",     NULL};
static const char *const migrate_keys[] = {"to",        "map",    "set",        "void_round",
                                           "reason",    "digest", "meaning",    "key",
                                           "statement", "under",  "sig_format", NULL};
static const char *const back_keys[] = {"reason",    "digest", "meaning",    "key",
                                        "statement", "under",  "sig_format", NULL};
static const char *const waive_keys[] = {"rule",   "person",     "reason", "check",
                                         "digest", "meaning",    "key",    "statement",
                                         "under",  "sig_format", NULL};
static const char *const waive_end_keys[] = {"waiver",    "reason", "digest",     "meaning", "key",
                                             "statement", "under",  "sig_format", NULL};
static const char *const people_keys[] = {"people",     "proposal",  "meaning", "digest",
                                          "key",        "statement", "reason",  "under",
                                          "sig_format", "for",       NULL};
static const char *const pack_keys[] = {"digest",     "pack", "reason",    "proposal",
                                        "meaning",    "key",  "statement", "under",
                                        "sig_format", "for",  NULL};
static const char *const glass_keys[] = {"event",      "reason", "proposal",  "meaning",
                                         "digest",     "key",    "statement", "under",
                                         "sig_format", "for",    NULL};
static const char *const proposal_keys[] = {"proposal", "reason", NULL};
static const char *const enrol_keys[] = {"person", "key", "serial", "endorsements", "reason", NULL};
static const char *const revoke_keys[] = {"person", "reason", NULL};
static const char *const give_keys[] = {"to",        "of",     "from",   "until",      "kinds",
                                        "roles",     "onward", "reason", "meaning",    "key",
                                        "statement", "number", "under",  "sig_format", NULL};
static const char *const end_keys[] = {"delegation", "reason", NULL};
static const char *const task_keys[] = {"task", "service", "all", "reason", NULL};

static const struct {
    const char *name;
    int (*answer)(struct core *core, const struct question *question);
    const char *const *keys; /* NULL: what it takes is its own business */
} commands[] = {
    {"open", record_open, open_keys},
    {"edit", record_edit, edit_keys},
    {"ack", acknowledge, ack_keys},
    {"hand_over", record_hand_over, hand_over_keys},
    {"decline_ack", decline_acknowledgement, ack_keys},
    {"migrate", record_migrate, migrate_keys},
    {"migrate_back", record_migrate_back, back_keys},
    {WAIVE_COMMAND, waiver_give, waive_keys},
    {WAIVE_END_COMMAND, waiver_end, waive_end_keys},
    {"audit.import", audit_import, import_keys},
    {"directory.install", directory_install, people_keys},
    {"pack.install", pack_install, pack_keys},
    {"proposal.end", proposal_end, proposal_keys},
    {"break_glass", glass_break, glass_keys},
    {"task.redrive", task_redrive, task_keys},
    {"task.cancel", task_cancel, task_keys},
    {"key.enrol", key_enrol, enrol_keys},
    {"key.revoke", key_revoke, revoke_keys},
    {"delegation.give", delegation_give, give_keys},
    {"delegation.end", delegation_end, end_keys},
    {"admin", admin_note, NULL},
};

/* The optimistic lock holds for every command that is about a record. */
static int check_revision(struct core *core, const struct question *question)
{
    const struct value *said = value_get(question->args, "if_revision");
    const struct value *by = value_get(question->args, "on_behalf_of");
    int64_t wanted = question->if_revision, now;
    struct subject subject;

    /* What the arguments say is what was signed: the envelope may not say otherwise, nor leave it out. */
    if (said != NULL && (said->type != VALUE_INT || said->as.number < 0 ||
                         (wanted >= 0 && wanted != said->as.number)))
        return run_refuse(core, 400, "malformed", "\"if_revision\" is one revision of the record.");
    if (by != NULL && !slice_equal(value_slice(by), question->principal))
        return run_refuse(core, 400, "malformed",
                          "\"on_behalf_of\" in the arguments is not whose command this is.");
    wanted = said != NULL ? said->as.number : wanted;
    if (wanted < 0 || !subject_find(core, question->record, &subject))
        return 0;
    now = value_get_int(subject.row, "rev", 0);
    if (now == wanted)
        return 0;
    return run_refuse(core, 409, "revision-mismatch",
                      "%.*s is at revision %lld, not %lld; look at it again.", (int)subject.id.len,
                      (const char *)subject.id.at, (long long)now, (long long)wanted);
}

/* An engine of rules does not obey half of what it was told: arguments that a command does not know are refused. */
static int check_keys(struct core *core, const struct value *args, const char *command,
                      const char *const *known)
{
    static const char *const always[] = {"if_revision", "on_behalf_of", NULL};

    for (uint32_t i = 0; known != NULL && i < args->count; i++) {
        struct slice key = args->as.pairs[i].key;
        bool is_known = slice_starts(key, "x-");

        for (const char *const *at = known; *at != NULL && !is_known; at++)
            is_known = slice_is(key, *at);
        for (const char *const *at = always; *at != NULL && !is_known; at++)
            is_known = slice_is(key, *at);
        if (!is_known)
            return run_refuse(core, 400, "unknown-key", "\"%s\" knows no argument \"%.*s\".",
                              command, (int)key.len, (const char *)key.at);
    }
    return 0;
}

static int answer_any(struct core *core, const struct question *question)
{
    if (question->on_behalf_of.len > 0)
        return run_refuse(
            core, 403, "not-allowed",
            "Only a gateway may bring a command for somebody else, and only a signed one.");
    if (check_revision(core, question) != 0)
        return -1;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (!slice_is(question->command, commands[i].name))
            continue;
        if (check_keys(core, question->args, commands[i].name, commands[i].keys) != 0)
            return -1;
        return commands[i].answer(core, question);
    }
    return transition_command(core, question);
}

/* A signature in the journal is one that was checked. A command that is no signed decision takes none: else a gateway
 * could bring anything in anybody's name, and anybody could enter signatures that no audit can confirm. */
static int answer_command(struct core *core, const struct question *question)
{
    if (answer_any(core, question) != 0)
        return -1;
    if (question->signature.len > 0 && !core->is_signature_checked)
        return run_refuse(core, 400, "malformed",
                          "\"%.*s\" takes no signature; only a decision with a meaning is signed.",
                          (int)question->command.len, (const char *)question->command.at);
    return 0;
}

static int answer(struct core *core, const struct question *question)
{
    switch (question->kind) {
    case QUESTION_COMMAND:
        return answer_command(core, question);
    case QUESTION_SETTLE:
        return task_settle(core, question);
    case QUESTION_WAKE:
        return wake(core, question);
    case QUESTION_FOLLOW:
        return answer_follow(core, question);
    case QUESTION_READ:
        return note_read(core, question);
    case QUESTION_COUNTED:
        return note_counted(core, question);
    }
    return -1;
}

static void follow_command_id(struct core *core, const struct question *question)
{
    struct buf bytes = BUF_EMPTY;
    uint8_t hash[HASH_LEN];

    buf_add_str(&bytes, "rota.id/1\n");
    dmp_put_array(&bytes, 4);
    dmp_put_str(&bytes, slice_str("engine"));
    dmp_put_str(&bytes, value_get_text(question->follow, "record"));
    dmp_put_str(&bytes, value_get_text(question->follow, "event"));
    dmp_put_int(&bytes, (int64_t)question->seq);
    hash_bytes(buf_slice(&bytes), hash);
    memcpy(core->run->command_id, hash, COMMAND_ID_LEN);
    buf_release(&bytes);
}

/* Nobody gave this read, or this count, an id: it has one of its own place in the journal, in a form that no command's
 * id has. */
static void own_command_id(struct core *core, const struct question *question, const char *type)
{
    struct buf bytes = BUF_EMPTY;
    uint8_t hash[HASH_LEN];

    buf_add_str(&bytes, "rota.id/1\n");
    dmp_put_array(&bytes, 3);
    dmp_put_str(&bytes, question->principal);
    dmp_put_str(&bytes, slice_str(type));
    dmp_put_int(&bytes, (int64_t)question->seq);
    hash_bytes(buf_slice(&bytes), hash);
    memcpy(core->run->command_id, hash, COMMAND_ID_LEN);
    buf_release(&bytes);
}

static void begin_run(struct core *core, const struct question *question, struct run *run)
{
    *run = (struct run){0};
    run->leaves = core->leaves;
    core->run = run;
    core->question = question;
    core->arena = state_arena(core->state);
    core->now_ms = question->now_us / 1000;
    core->streams = value_map();
    core->is_signature_checked = false;
    core->waived = NULL;
    core->contents_told = 0;
    core->apart = (struct apart){NULL, {NULL, 0}};
    core->looks_back = false;
    core->has_too_many = false;
    core->is_alone = false;
    buf_clear(&core->leaf_bytes);
    run->follows = value_array();
    run->offers = value_array();
    run->withdrawn = value_array();
    run->contents = value_array();
    run->erased = value_array();
    run->reply = value_map();
    if (question->kind == QUESTION_FOLLOW)
        follow_command_id(core, question);
    else if (question->kind == QUESTION_READ)
        own_command_id(core, question, "auditor.read");
    else if (question->kind == QUESTION_COUNTED)
        own_command_id(core, question, "refusals.counted");
    else if (question->kind != QUESTION_WAKE)
        hash_command_id(question->principal, question->id, run->command_id);
}

/* Leaves were written one after the other: now that the buffer no longer moves, point into it. */
static void place_leaves(struct core *core, struct run *run)
{
    for (int i = 0; i < run->leaf_count; i++) {
        size_t at = (size_t)(uintptr_t)run->leaves[i].bytes.at;

        run->leaves[i].bytes.at = core->leaf_bytes.at + at;
    }
}

/* Gives up what a refused run has drafted; the refusal stays. */
static void give_up(struct core *core, struct run *run)
{
    struct buf sentence = BUF_EMPTY, rule = BUF_EMPTY;

    buf_add_str(&sentence, run->refusal.sentence);
    buf_add_str(&rule, run->refusal.rule != NULL ? run->refusal.rule : "");
    state_drop(core->state);
    core->arena = state_arena(core->state);
    run->refusal.sentence = arena_str(core->arena, buf_text(&sentence));
    run->refusal.rule = rule.len > 0 ? arena_str(core->arena, buf_text(&rule)) : NULL;
    buf_release(&sentence);
    buf_release(&rule);
    run->leaf_count = 0;
    run->follows = value_array();
    run->offers = value_array();
    run->withdrawn = value_array();
    run->contents = value_array();
    run->erased = value_array();
    core->contents_told = 0;
    run->people_changed = false;
    core->has_too_many = false;
    buf_clear(&core->leaf_bytes);
    core->streams = value_map();
}

static size_t bytes_of(const struct value *value)
{
    struct buf bytes = BUF_EMPTY;
    size_t len;

    dmp_encode(&bytes, value);
    len = bytes.len;
    buf_release(&bytes);
    return len;
}

static const struct pair *largest_of(const struct value *map, size_t *bytes)
{
    const struct pair *largest = NULL;

    *bytes = 0;
    for (uint32_t i = 0; value_is(map, VALUE_MAP) && i < map->count; i++) {
        size_t len = bytes_of(&map->as.pairs[i].value);

        if (len < *bytes)
            continue;
        *bytes = len;
        largest = &map->as.pairs[i];
    }
    return largest;
}

/* What the store cannot take is refused here, alone: there it would take the whole batch with it. */
static void refuse_row(struct core *core, struct slice key)
{
    const struct value *row = state_row(core->state, key);
    const struct pair *part, *field = NULL;
    size_t bytes, field_bytes;

    part = largest_of(row, &bytes);
    if (part != NULL && slice_is(part->key, "fields"))
        field = largest_of(&part->value, &field_bytes);
    if (field != NULL) {
        part = field;
        bytes = field_bytes;
    }
    run_refuse(
        core, 413, "too-large",
        "%.*s would become larger than the %d bytes that are kept of one; its largest %s is "
        "\"%.*s\" with %zu bytes. Put long texts and tables up as files, or go on in another "
        "record.",
        (int)(key.len < ROW_KEY_MAX ? key.len : ROW_KEY_MAX), (const char *)key.at, ROW_BYTES_MAX,
        field != NULL ? "field" : "part", part != NULL ? (int)part->key.len : 0,
        part != NULL ? (const char *)part->key.at : "", bytes);
}

static void draft(struct core *core, const struct question *question, struct run *run)
{
    struct slice key;

    if (answer(core, question) != 0 && !run->is_refused && !state_is_broken(core->state))
        run_refuse(core, 500, "internal", "The command could not be carried out.");
    if (!run->is_refused)
        check_follows(core);
    if (!run->is_refused)
        follows_drop_idle(core);
    if (!run->is_refused && !state_seal(core->state, &key))
        refuse_row(core, key);
    if (run->is_refused)
        give_up(core, run);
}

/* A time that has come has come: if what it brings about is refused, that follows by itself, and is parked if it must be. */
static void draft_alone(struct core *core, const struct question *question, struct run *run)
{
    run->is_refused = false;
    core->is_alone = true;
    draft(core, question, run);
}

int core_decide(struct core *core, const struct question *question, struct run *run)
{
    begin_run(core, question, run);
    draft(core, question, run);
    if (run->is_refused && question->kind == QUESTION_WAKE && !state_is_broken(core->state))
        draft_alone(core, question, run);
    if (run->is_refused && question->kind == QUESTION_COMMAND)
        journal_refusal(core, question, run);
    if (run->is_refused && question->kind == QUESTION_FOLLOW)
        follow_park(core, question, run);
    if (state_is_broken(core->state)) {
        core_drop(core);
        return -1;
    }
    place_leaves(core, run);
    return 0;
}

/* Passes each changed row on, and notices when the directory is among them. */
struct keeping {
    state_changed_fn *changed;
    void *self;
    bool people_changed;
};

static void note_changed(void *self, struct slice key, const struct value *row, struct slice bytes)
{
    struct keeping *keeping = self;

    if (slice_starts(key, "person/"))
        keeping->people_changed = true;
    if (keeping->changed != NULL)
        keeping->changed(keeping->self, key, row, bytes);
}

void core_keep(struct core *core, state_changed_fn *changed, void *self)
{
    struct keeping keeping = {changed, self, false};

    state_keep(core->state, note_changed, &keeping);
    if (keeping.people_changed)
        directory_forget(core);
}

void core_drop(struct core *core)
{
    state_drop(core->state);
}

void core_fold(struct core *core, const struct leaf *leaf, state_changed_fn *changed, void *self)
{
    state_fold(core->state, leaf);
    core_keep(core, changed, self);
}

/* ---- replies ---- */

static struct slice record_of(const struct leaf *leaf)
{
    const struct value *chain = value_get(&leaf->effects, "^");

    return value_is(chain, VALUE_MAP) && chain->count > 0 ? chain->as.pairs[0].key
                                                          : slice_of(NULL, 0);
}

static void add_started(struct arena *arena, const struct leaf *leaf, struct value *started,
                        struct value *out)
{
    if (!slice_is(leaf->type, "record.open"))
        return;
    value_push(arena, started, value_text(leaf->stream));
    if (value_get(&leaf->body, "from") != NULL)
        value_set(arena, out, "successor", value_text(leaf->stream));
}

static int64_t number_at_end(struct slice stream)
{
    int64_t n = 0;

    for (size_t i = 0; i < stream.len; i++)
        n = stream.at[i] < '0' || stream.at[i] > '9' ? 0 : n * 10 + (stream.at[i] - '0');
    return n;
}

struct value core_reply(struct arena *arena, const struct run_leaf *leaves, int count)
{
    const struct leaf *first = &leaves[0].leaf;
    struct value out = value_map(), started = value_array();
    struct slice record = record_of(first);

    if (record.len > 0)
        value_set(arena, &out, "record", value_text(record));
    for (int i = 0; i < count; i++) {
        const struct value *own = value_get(&leaves[i].leaf.effects, "");

        if (i > 0)
            add_started(arena, &leaves[i].leaf, &started, &out);
        if (!slice_equal(leaves[i].leaf.stream, record) || !value_is(own, VALUE_MAP))
            continue;
        if (value_get(own, "state") != NULL)
            value_set(arena, &out, "state", *value_get(own, "state"));
        if (value_is(value_get(own, "round"), VALUE_INT))
            value_set(arena, &out, "round", *value_get(own, "round"));
    }
    if (slice_starts(first->type, "delegation."))
        value_set(arena, &out, "delegation",
                  value_text(slice_of(first->stream.at + 11, first->stream.len - 11)));
    if (slice_is(first->type, "record." WAIVE_COMMAND) ||
        slice_is(first->type, "record." WAIVE_END_COMMAND))
        value_set(arena, &out, "waiver", value_int(number_at_end(first->stream)));
    proposal_reply(arena, first, &out);
    if (started.count > 0)
        value_set(arena, &out, "started", started);
    return value_copy(arena, &out);
}

/* `SCP-0001` may stand for the version that the leaf names; a version stands for itself. */
static bool is_same_record(struct slice asked, struct slice record)
{
    if (asked.len == 0 || slice_equal(asked, record))
        return true;
    return record_version(asked).len == 0 && slice_equal(asked, record_base(record));
}

/* The leaf of an import holds its arguments with the number of findings in the place of the findings. */
static bool is_same_import(const struct question *question, const struct leaf *leaf)
{
    const struct value *findings = value_get(question->args, "findings");

    for (uint32_t i = 0; i < question->args->count; i++) {
        const struct pair *pair = &question->args->as.pairs[i];
        const struct value *kept = value_find(&leaf->body, pair->key);

        if (!slice_is(pair->key, "findings") && (kept == NULL || !value_equal(kept, &pair->value)))
            return false;
    }
    return value_is(findings, VALUE_ARRAY) &&
           value_get_int(&leaf->body, "findings", -1) == findings->count;
}

static bool is_named(const struct leaf *leaf, const char *prefix, struct slice command)
{
    size_t len = strlen(prefix);

    return leaf->type.len == len + command.len && slice_starts(leaf->type, prefix) &&
           memcmp(leaf->type.at + len, command.at, command.len) == 0;
}

/* Commands whose entry is not called "record." and their name. */
static const struct {
    const char *command, *type;
} entered[] = {
    {"directory.install", "directory.installed"},
    {"directory.install", "directory.proposed"},
    {"pack.install", "pack.installed"},
    {"pack.install", "pack.proposed"},
    {"proposal.end", "proposal.ended"},
    {"break_glass", "break_glass.proposed"},
    {"break_glass", "break_glass.agreed"},
    {"delegation.give", "delegation.given"},
    {"delegation.end", "delegation.ended"},
    {"key.enrol", "key.enrolled"},
    {"key.revoke", "key.revoked"},
    {"task.redrive", "task.redriven"},
    {"task.cancel", "task.cancelled"},
};

bool core_is_same_command(const struct question *question, const struct leaf *leaf)
{
    bool is_entered = false;

    if (slice_starts(leaf->type, "refusal."))
        return was_refused_so(question, leaf);
    if (!is_same_record(question->record, record_of(leaf)))
        return false;
    if (slice_is(question->command, "audit.import"))
        return slice_is(leaf->type, "record.import") && is_same_import(question, leaf);
    if (!value_equal(&leaf->body, question->args))
        return false;
    for (size_t i = 0; i < sizeof entered / sizeof entered[0]; i++) {
        is_entered = is_entered || slice_is(question->command, entered[i].command);
        if (slice_is(question->command, entered[i].command) &&
            slice_is(leaf->type, entered[i].type))
            return true;
    }
    if (is_entered)
        return false;
    if (slice_is(question->command, "admin"))
        return slice_starts(leaf->type, "admin.");
    return is_named(leaf, "record.", question->command);
}
