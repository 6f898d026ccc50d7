/* tally.c - counting. */
#include "simulate/tally.h"

#include <stdio.h>

static int month_number(int32_t date)
{
    int year, month, day;

    date_parts(date, &year, &month, &day);
    return year * 12 + month - 1;
}

int tally_month(const struct tally *tally, int32_t date)
{
    int month = month_number(date) - month_number(tally->first_day);

    return month < 0 ? 0 : month >= tally->month_count ? tally->month_count - 1 : month;
}

void tally_month_name(const struct tally *tally, int month, char out[8])
{
    int number = month_number(tally->first_day) + month;

    snprintf(out, 8, "%04u-%02u", (unsigned)number / 12 % 10000, (unsigned)number % 12 + 1);
}

void tally_begin(struct tally *tally, int32_t first_day, int32_t last_day)
{
    tally->first_day = first_day;
    tally->last_day = last_day;
    tally->month_count = month_number(last_day) - month_number(first_day) + 1;
    tally->overdue = arena_zero(&tally->arena, sizeof(int) * (size_t)(last_day - first_day + 2));
}

/* One more at the end of a list; the list doubles. */
static void *grow(struct arena *arena, void *items, int *count, size_t size)
{
    size_t had = (size_t)*count;
    uint8_t *more = items;

    if ((had & (had - 1)) == 0) {
        more = arena_zero(arena, size * (had == 0 ? 1 : 2 * had));
        if (had > 0)
            memcpy(more, items, size * had);
    }
    *count += 1;
    return more;
}

struct tally_person *tally_person(struct tally *tally, const char *name)
{
    for (int i = 0; i < tally->person_count; i++) {
        if (strcmp(tally->people[i].name, name) == 0)
            return &tally->people[i];
    }
    return NULL;
}

void tally_add_person(struct tally *tally, const char *name, const char *title)
{
    struct tally_person *person;

    tally->people = grow(&tally->arena, tally->people, &tally->person_count, sizeof *person);
    person = &tally->people[tally->person_count - 1];
    person->name = arena_str(&tally->arena, name);
    person->title = arena_str(&tally->arena, title != NULL ? title : name);
    person->months =
        arena_zero(&tally->arena, sizeof(struct load) * (size_t)(tally->month_count + 1));
}

struct tally_document *tally_document(struct tally *tally, struct slice base, const char *title)
{
    struct tally_document *document;

    for (int i = 0; i < tally->document_count; i++) {
        if (slice_is(base, tally->documents[i].id))
            return &tally->documents[i];
    }
    tally->documents =
        grow(&tally->arena, tally->documents, &tally->document_count, sizeof *document);
    document = &tally->documents[tally->document_count - 1];
    document->id = arena_copy(&tally->arena, base.at, base.len);
    document->title = arena_str(&tally->arena, title);
    return document;
}

void tally_add_state(struct tally *tally, const char *kind, const char *state, bool is_closed)
{
    struct tally_state *one;

    for (int i = 0; i < tally->state_count; i++) {
        one = &tally->states[i];
        if (strcmp(one->kind, kind) == 0 && strcmp(one->state, state) == 0) {
            one->count++;
            return;
        }
    }
    tally->states = grow(&tally->arena, tally->states, &tally->state_count, sizeof *one);
    tally->states[tally->state_count - 1] = (struct tally_state){
        arena_str(&tally->arena, kind), arena_str(&tally->arena, state), is_closed, 1};
}

void tally_hold_gate(struct tally *tally, const char *text)
{
    tally->gates_held++;
    for (int i = 0; i < tally->gate_count; i++) {
        if (strcmp(tally->gates[i].text, text) == 0) {
            tally->gates[i].count++;
            return;
        }
    }
    tally->gates = grow(&tally->arena, tally->gates, &tally->gate_count, sizeof *tally->gates);
    tally->gates[tally->gate_count - 1] = (struct tally_text){arena_str(&tally->arena, text), 1};
}

void tally_add_stuck(struct tally *tally, const char *text, int count)
{
    tally->stuck = grow(&tally->arena, tally->stuck, &tally->stuck_count, sizeof *tally->stuck);
    tally->stuck[tally->stuck_count - 1] =
        (struct tally_text){arena_str(&tally->arena, text), count};
}

void tally_release(struct tally *tally)
{
    arena_release(&tally->arena);
    *tally = (struct tally){0};
}
