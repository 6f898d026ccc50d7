/* prove_need.c - what a kind asks for is asked at some time, and can be met.
 *
 *   error: a need that nothing can ever meet, so that its event could not happen;
 *   warning: a need before an event that only opens records: there is nothing yet of which it could be asked;
 *   warning: required fields where no row that can be made checks them (`needs_fields` is false in all of them). */
#include "definition/prove_inside.h"

static bool only_opens(const struct lifecycle *lifecycle, const char *event)
{
    bool opens = false;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (strcmp(lifecycle->transitions[i].event, event) != 0)
            continue;
        if (!lifecycle->transitions[i].creates)
            return false;
        opens = true;
    }
    return opens;
}

static const struct field *first_required(const struct kind *kind)
{
    for (int i = 0; i < kind->field_count; i++) {
        const struct field *field = &kind->fields[i];

        if (!field->computed && (field->required || field->required_if != NULL))
            return field;
    }
    return NULL;
}

static bool is_asked_for(const struct proof *p)
{
    const struct lifecycle *lifecycle = kind_of(p)->lifecycle;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].needs_fields && life_of(p)->made[i])
            return true;
    }
    return false;
}

void prove_needs(struct proof *proof)
{
    const struct kind *kind = kind_of(proof);
    const struct field *field = first_required(kind);

    for (int i = 0; i < kind->need_count; i++) {
        const struct words *before = &kind->needs[i].before;

        const char *why = never_holds(proof, proof->kind, kind->needs[i].when);

        if (why != NULL ||
            (kind->needs[i].when != NULL && truth_of(kind->needs[i].when, NULL, NULL) == NEVER))
            say_of_kind(proof, PROBLEM_ERROR, kind->needs[i].where,
                        "this need before '%s' can never be met: %s", before->at[0],
                        why != NULL ? why : "its condition is false whatever the data");
        for (int e = 0; e < before->count; e++) {
            if (only_opens(kind->lifecycle, before->at[e]))
                say_of_kind(proof, PROBLEM_WARNING, kind->needs[i].where,
                            "this need is never asked: before '%s', which opens the record, there "
                            "is nothing to ask; name the event that follows",
                            before->at[e]);
        }
    }
    if (field != NULL && !is_asked_for(proof))
        say_of_kind(proof, PROBLEM_WARNING, field->where,
                    "'%s' is required, but no event asks for it: 'needs_fields' is false in every "
                    "row; give one 'needs_fields = true'",
                    field->name);
}
