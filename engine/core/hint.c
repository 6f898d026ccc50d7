/* hint.c - the name that was probably meant, at the end of the sentence that refuses another one. */
#include "core/inside.h"

#include "base/nearest.h"

const char *person_hint(struct core *core, struct slice name)
{
    const struct value *people = authority_directory(core);
    struct nearest nearest = nearest_to(name);

    for (uint32_t i = 0; i < people->count; i++) {
        struct slice one = value_get_text(&people->as.items[i], "name");

        nearest_offer(&nearest, arena_copy(core->arena, one.at, one.len));
    }
    return nearest_hint(&nearest, core->arena);
}

const char *role_hint(struct core *core, struct slice name)
{
    const struct pack *pack = core_current_pack(core);
    struct nearest nearest = nearest_to(name);

    for (int i = 0; pack != NULL && i < pack->role_count; i++)
        nearest_offer(&nearest, pack->roles[i].name);
    return nearest_hint(&nearest, core->arena);
}

const char *kind_hint(struct core *core, struct slice name)
{
    const struct pack *pack = core_current_pack(core);
    struct nearest nearest = nearest_to(name);

    for (int i = 0; pack != NULL && i < pack->kind_count; i++)
        nearest_offer(&nearest, pack->kinds[i].name);
    return nearest_hint(&nearest, core->arena);
}

const char *event_hint(struct core *core, const struct kind *kind, struct slice event)
{
    const struct lifecycle *lifecycle = kind->lifecycle;
    struct nearest nearest = nearest_to(event);

    for (int i = 0; i < lifecycle->transition_count; i++)
        nearest_offer(&nearest, lifecycle->transitions[i].event);
    return nearest_hint(&nearest, core->arena);
}

const char *field_hint(struct core *core, const struct field *fields, int count, struct slice name)
{
    struct nearest nearest = nearest_to(name);

    for (int i = 0; i < count; i++)
        nearest_offer(&nearest, fields[i].name);
    return nearest_hint(&nearest, core->arena);
}
