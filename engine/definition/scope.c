#include "definition/scope.h"

static const struct member ROUND_MEMBERS[] = {{"n", &TYPE_INT},
                                              {"need", &TYPE_INT},
                                              {"granted", &TYPE_INT},
                                              {"refused", &TYPE_INT},
                                              {"asked", &TYPE_INT}};
static const struct type ROUND = {.sort = SORT_MAP,
                                  .members = ROUND_MEMBERS,
                                  .member_count = 5,
                                  .what = "a round",
                                  .uses = EXPR_USES_ROUND};

static const struct member ACTOR_MEMBERS[] = {{"name", &TYPE_TEXT}, {"roles", &TYPE_TEXTS}};
static const struct type ACTOR = {
    .sort = SORT_MAP, .members = ACTOR_MEMBERS, .member_count = 2, .what = "an actor"};

static const struct member DELIVERY_MEMBERS[] = {
    {"to", &TYPE_TEXT}, {"state", &TYPE_TEXT}, {"at", &TYPE_MOMENT}, {"note", &TYPE_TEXT}};
static const struct type DELIVERY = {
    .sort = SORT_MAP, .members = DELIVERY_MEMBERS, .member_count = 4, .what = "a delivery"};
static const struct type DELIVERIES = {
    .sort = SORT_LIST, .item = &DELIVERY, .uses = EXPR_USES_DELIVERIES};

static const struct member ACK_MEMBERS[] = {
    {"person", &TYPE_TEXT}, {"state", &TYPE_TEXT}, {"at", &TYPE_MOMENT}};
static const struct type ACK = {
    .sort = SORT_MAP, .members = ACK_MEMBERS, .member_count = 3, .what = "an acknowledgement"};
static const struct type ACKS = {.sort = SORT_LIST, .item = &ACK, .uses = EXPR_USES_ACKS};

static const struct member PROCESS_MEMBERS[] = {
    {"id", &TYPE_TEXT},     {"phase", &TYPE_TEXT},     {"title", &TYPE_TEXT},
    {"clause", &TYPE_TEXT}, {"owner", &TYPE_TEXTS},    {"approves", &TYPE_TEXTS},
    {"tell", &TYPE_TEXTS},  {"inputs", &TYPE_TEXTS},   {"runs", &TYPE_TEXTS},
    {"output", &TYPE_TEXT}, {"triggers", &TYPE_TEXTS}, {"every", &TYPE_SPAN}};
static const struct type PROCESS = {.sort = SORT_MAP,
                                    .members = PROCESS_MEMBERS,
                                    .member_count = 12,
                                    .what = "a process",
                                    .uses = EXPR_USES_PROCESS};

static const struct member KPI_MEMBERS[] = {
    {"name", &TYPE_TEXT}, {"value", &TYPE_TEXT}, {"target", &TYPE_TEXT}};
static const struct type KPI = {
    .sort = SORT_MAP, .members = KPI_MEMBERS, .member_count = 3, .what = "a figure"};
static const struct type KPIS = {.sort = SORT_LIST, .item = &KPI, .uses = EXPR_USES_KPIS};

static const struct member PERSON_MEMBERS[] = {
    {"name", &TYPE_TEXT}, {"roles", &TYPE_TEXTS}, {"email", &TYPE_TEXT}, {"manager", &TYPE_TEXT}};
static const struct type PERSON = {
    .sort = SORT_MAP, .members = PERSON_MEMBERS, .member_count = 4, .what = "a person"};
static const struct type PEOPLE = {.sort = SORT_LIST, .item = &PERSON, .uses = EXPR_USES_PEOPLE};

static const struct member WAIVER_MEMBERS[] = {
    {"record", &TYPE_TEXT}, {"rule", &TYPE_TEXT}, {"person", &TYPE_TEXT}, {"by", &TYPE_TEXT},
    {"at", &TYPE_MOMENT},   {"used", &TYPE_BOOL}, {"ended", &TYPE_BOOL}};
static const struct type WAIVER = {
    .sort = SORT_MAP, .members = WAIVER_MEMBERS, .member_count = 7, .what = "a waiver"};
static const struct type WAIVERS = {.sort = SORT_LIST, .item = &WAIVER, .uses = EXPR_USES_WAIVERS};

static const char *STAGE_NAMES[] = {"draft",        "approved", "in_force",
                                    "under_review", "changed",  "closed"};
static const struct words STAGES = {STAGE_NAMES, 6};
static const struct type STAGE = {.sort = SORT_TEXT, .of = &STAGES};

static const char *PHASE_NAMES[] = {"editing", "awaiting_approval", "paused"};
static const struct words PHASES = {PHASE_NAMES, 3};
static const struct type PHASE = {.sort = SORT_TEXT, .of = &PHASES};

static const char *const RESERVED[] = {"id",    "kind",   "title", "version", "state",  "stage",
                                       "owner", "author", "phase", "created", "entered"};

bool scope_is_reserved(struct slice field_name)
{
    size_t i;

    for (i = 0; i < sizeof RESERVED / sizeof RESERVED[0]; i++) {
        if (slice_is(field_name, RESERVED[i]))
            return true;
    }
    return false;
}

static const struct type *state_type(struct arena *arena, const struct kind *kind)
{
    const struct lifecycle *lifecycle = kind->lifecycle;
    const char **names = arena_zero(arena, sizeof *names * (size_t)(lifecycle->state_count + 1));
    struct words *words = arena_zero(arena, sizeof *words);
    struct type *type = arena_zero(arena, sizeof *type);
    int i;

    for (i = 0; i < lifecycle->state_count; i++)
        names[i] = lifecycle->states[i].name;
    *words = (struct words){names, lifecycle->state_count};
    *type = (struct type){.sort = SORT_TEXT, .of = words};
    return type;
}

/* What every record has; `state` stands before these. */
static const struct member FACTS[] = {{"id", &TYPE_TEXT},        {"kind", &TYPE_TEXT},
                                      {"title", &TYPE_TEXT},     {"version", &TYPE_TEXT},
                                      {"stage", &STAGE},         {"phase", &PHASE},
                                      {"owner", &TYPE_TEXT},     {"author", &TYPE_TEXT},
                                      {"created", &TYPE_MOMENT}, {"entered", &TYPE_MOMENT}};
enum { FACT_COUNT = sizeof FACTS / sizeof FACTS[0] };

/* A record as conditions see it: what every record has, and its fields. The first member is `state`. */
static const struct type *record_type(struct arena *arena, const struct kind *kind)
{
    struct member *members =
        arena_zero(arena, sizeof *members * (size_t)(kind->field_count + FACT_COUNT + 1));
    struct type *type = arena_zero(arena, sizeof *type);
    int count = 0, i;

    members[count++] = (struct member){"state", state_type(arena, kind)};
    for (i = 0; i < FACT_COUNT; i++)
        members[count++] = FACTS[i];
    for (i = 0; i < kind->field_count; i++)
        members[count++] =
            (struct member){kind->fields[i].name, type_of_field(arena, &kind->fields[i])};
    *type = (struct type){.sort = SORT_MAP,
                          .members = members,
                          .member_count = count,
                          .what = arena_printf(arena, "a %s", kind->name)};
    return type;
}

/* A record of some kind: only what every record has is known of it. */
static const struct type *any_record(struct arena *arena)
{
    struct member *members = arena_zero(arena, sizeof *members * (FACT_COUNT + 1));
    struct type *type = arena_zero(arena, sizeof *type);
    int i;

    members[0] = (struct member){"state", &TYPE_TEXT};
    for (i = 0; i < FACT_COUNT; i++)
        members[i + 1] = FACTS[i];
    *type = (struct type){
        .sort = SORT_MAP, .members = members, .member_count = FACT_COUNT + 1, .what = "a record"};
    return type;
}

static const struct type *record_of(struct scopes *scopes, int kind)
{
    if (scopes->records[kind] == NULL)
        scopes->records[kind] = record_type(scopes->arena, &scopes->pack->kinds[kind]);
    return scopes->records[kind];
}

static const struct type *by_kind(struct scopes *scopes, unsigned uses, const char *what)
{
    const struct pack *pack = scopes->pack;
    struct member *members =
        arena_zero(scopes->arena, sizeof *members * (size_t)(pack->kind_count + 1));
    struct type *type = arena_zero(scopes->arena, sizeof *type);
    int i;

    for (i = 0; i < pack->kind_count; i++) {
        struct type *list = arena_zero(scopes->arena, sizeof *list);

        *list = (struct type){
            .sort = SORT_LIST, .item = record_of(scopes, i), .uses = uses, .or_empty = true};
        members[i] = (struct member){pack->kinds[i].name, list};
    }
    *type = (struct type){.sort = SORT_MAP,
                          .members = members,
                          .member_count = pack->kind_count,
                          .what = what,
                          .uses = uses};
    return type;
}

static int kind_index(const struct pack *pack, const char *name)
{
    const struct kind *kind = pack_kind(pack, slice_str(name));

    return kind == NULL ? MODEL_NONE : (int)(kind - pack->kinds);
}

/* refs: by field of type ref, the records that it names. */
static const struct type *refs_type(struct scopes *scopes, int index)
{
    const struct kind *kind = &scopes->pack->kinds[index];
    struct member *members =
        arena_zero(scopes->arena, sizeof *members * (size_t)(kind->field_count + 1));
    struct type *type = arena_zero(scopes->arena, sizeof *type);
    int count = 0, i;

    for (i = 0; i < kind->field_count; i++) {
        const struct field *field = &kind->fields[i];
        int only = field->of.count == 1 ? kind_index(scopes->pack, field->of.at[0]) : MODEL_NONE;
        struct type *list;

        if (field->type != FIELD_REF)
            continue;
        list = arena_zero(scopes->arena, sizeof *list);
        *list = (struct type){.sort = SORT_LIST,
                              .item = only == MODEL_NONE ? any_record(scopes->arena)
                                                         : record_of(scopes, only),
                              .uses = EXPR_USES_REFS,
                              .or_empty = true};
        members[count++] = (struct member){field->name, list};
    }
    *type = (struct type){.sort = SORT_MAP,
                          .members = members,
                          .member_count = count,
                          .what = "refs",
                          .uses = EXPR_USES_REFS};
    return type;
}

static const struct type *refs_of(struct scopes *scopes, int kind)
{
    if (scopes->refs[kind] == NULL)
        scopes->refs[kind] = refs_type(scopes, kind);
    return scopes->refs[kind];
}

void scopes_init(struct scopes *scopes, struct arena *arena, const struct pack *pack)
{
    *scopes = (struct scopes){.arena = arena, .pack = pack};
    scopes->records = arena_zero(arena, sizeof *scopes->records * (size_t)(pack->kind_count + 1));
    scopes->refs = arena_zero(arena, sizeof *scopes->refs * (size_t)(pack->kind_count + 1));
    scopes->links = by_kind(scopes, EXPR_USES_LINKS, "links");
    scopes->valid = by_kind(scopes, EXPR_USES_VALID, "valid");
    scopes->open = by_kind(scopes, EXPR_USES_OPEN, "open");
    scopes->recent = by_kind(scopes, EXPR_USES_RECENT, "recent");
}

struct condition_scope scopes_of(struct scopes *scopes, int kind, enum scope_use use,
                                 const struct type *row)
{
    enum { NAMES_MAX = 22 };
    struct member *names = arena_zero(scopes->arena, sizeof *names * NAMES_MAX);
    const struct type *record = record_of(scopes, kind);
    int count = 0;

    names[count++] = (struct member){"record", record};
    names[count++] = (struct member){"state", record->members[0].type};
    names[count++] = (struct member){"event", &TYPE_TEXT};
    names[count++] = (struct member){"actor", &ACTOR};
    names[count++] = (struct member){"now", &TYPE_MOMENT};
    names[count++] = (struct member){"today", &TYPE_DATE};
    names[count++] = (struct member){"round", &ROUND};
    names[count++] = (struct member){"links", scopes->links};
    names[count++] = (struct member){"valid", scopes->valid};
    names[count++] = (struct member){"open", scopes->open};
    names[count++] = (struct member){"refs", refs_of(scopes, kind)};
    names[count++] = (struct member){"recent", scopes->recent};
    if (kind_is_run(&scopes->pack->kinds[kind])) {
        names[count++] = (struct member){"process", &PROCESS};
        names[count++] = (struct member){"kpis", &KPIS};
    }
    names[count++] = (struct member){"deliveries", &DELIVERIES};
    names[count++] = (struct member){"acks", &ACKS};
    names[count++] = (struct member){"people", &PEOPLE};
    names[count++] = (struct member){"waivers", &WAIVERS};
    if (use == SCOPE_EVENT)
        names[count++] = (struct member){"args", &TYPE_MAP};
    if (row != NULL) {
        names[count++] = (struct member){"row", row};
        names[count++] = (struct member){"n", &TYPE_INT};
    }
    return (struct condition_scope){names, count, record};
}
