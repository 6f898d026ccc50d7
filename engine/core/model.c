#include "core/model.h"

#include "base/check.h"
#include "base/date.h"

const char *stage_name(enum stage stage)
{
    static const char *const NAMES[] = {"draft",        "approved", "in_force",
                                        "under_review", "changed",  "closed"};

    check((size_t)stage < sizeof NAMES / sizeof NAMES[0]);
    return NAMES[stage];
}

const char *pdca_name(enum pdca pdca)
{
    static const char *const NAMES[] = {"plan", "do", "check", "act"};

    check((size_t)pdca < sizeof NAMES / sizeof NAMES[0]);
    return NAMES[pdca];
}

const char *vote_name(enum vote vote)
{
    static const char *const NAMES[] = {"none", "grant", "refuse", "return", "abstain"};

    check((size_t)vote < sizeof NAMES / sizeof NAMES[0]);
    return NAMES[vote];
}

/* The pack stands in its own arena, so the arena is moved out before it goes. */
void pack_free(struct pack **pack)
{
    struct arena arena;

    if (*pack == NULL)
        return;
    if ((*pack)->calendar.zone != NULL)
        zone_free(&(*pack)->calendar.zone);
    arena = (*pack)->arena;
    *pack = NULL;
    arena_release(&arena);
}

const struct kind *pack_kind(const struct pack *pack, struct slice name)
{
    int i;

    for (i = 0; i < pack->kind_count; i++) {
        if (slice_is(name, pack->kinds[i].name))
            return &pack->kinds[i];
    }
    return NULL;
}

const struct kind *pack_prefix(const struct pack *pack, struct slice prefix)
{
    int i;

    for (i = 0; i < pack->kind_count; i++) {
        if (slice_is(prefix, pack->kinds[i].prefix))
            return &pack->kinds[i];
    }
    return NULL;
}

const struct role *pack_role(const struct pack *pack, struct slice name)
{
    int i;

    for (i = 0; i < pack->role_count; i++) {
        if (slice_is(name, pack->roles[i].name))
            return &pack->roles[i];
    }
    return NULL;
}

const struct message *pack_message(const struct pack *pack, const char *name)
{
    int i;

    for (i = 0; i < pack->message_count; i++) {
        if (strcmp(pack->messages[i].name, name) == 0)
            return &pack->messages[i];
    }
    return NULL;
}

const struct meaning *pack_meaning(const struct pack *pack, const char *name)
{
    int i;

    for (i = 0; i < pack->meaning_count; i++) {
        if (strcmp(pack->meanings[i].name, name) == 0)
            return &pack->meanings[i];
    }
    return NULL;
}

int kind_state_index(const struct kind *kind, struct slice name)
{
    const struct lifecycle *lifecycle = kind->lifecycle;
    int i;

    for (i = 0; i < lifecycle->state_count; i++) {
        if (slice_is(name, lifecycle->states[i].name))
            return i;
    }
    return MODEL_NONE;
}

const struct state *kind_state(const struct kind *kind, struct slice name)
{
    int index = kind_state_index(kind, name);

    return index == MODEL_NONE ? NULL : &kind->lifecycle->states[index];
}

bool field_is_content(const struct field *field)
{
    return !field->computed || field->is_signed;
}

const struct field *kind_field(const struct kind *kind, struct slice name)
{
    int i;

    for (i = 0; i < kind->field_count; i++) {
        if (slice_is(name, kind->fields[i].name))
            return &kind->fields[i];
    }
    return NULL;
}

const struct transition *kind_transition(const struct kind *kind, int state, struct slice event)
{
    const struct lifecycle *lifecycle = kind->lifecycle;
    int i;

    check(state == MODEL_NONE || (state >= 0 && state < lifecycle->state_count));
    for (i = 0; i < lifecycle->transition_count; i++) {
        const struct transition *row = &lifecycle->transitions[i];
        bool answers = state == MODEL_NONE ? row->creates : row->from[state];

        if (answers && slice_is(event, row->event))
            return row;
    }
    return NULL;
}

bool words_have(const struct words *words, struct slice word)
{
    int i;

    for (i = 0; i < words->count; i++) {
        if (slice_is(word, words->at[i]))
            return true;
    }
    return false;
}

const struct retention *pack_retention(const struct pack *pack, const char *name)
{
    for (int i = 0; name != NULL && i < pack->retention_count; i++) {
        if (strcmp(pack->retention[i].name, name) == 0)
            return &pack->retention[i];
    }
    return NULL;
}

const struct process *pack_process(const struct pack *pack, struct slice id)
{
    int i;

    for (i = 0; i < pack->process_count; i++) {
        if (slice_is(id, pack->processes[i].id))
            return &pack->processes[i];
    }
    return NULL;
}

bool kind_is_run(const struct kind *kind)
{
    const struct field *field = kind_field(kind, slice_str("process"));

    return field != NULL && field->type == FIELD_ENUM && !field->list;
}
