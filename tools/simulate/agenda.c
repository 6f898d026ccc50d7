/* agenda.c - who means to do what, and when: a heap, earliest first. */
#include "simulate/inside.h"

#include "base/check.h"

#include <stdlib.h>

static bool is_before(const struct item *a, const struct item *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct item *a, struct item *b)
{
    struct item kept = *a;

    *a = *b;
    *b = kept;
}

void agenda_add(struct agenda *agenda, const struct item *item)
{
    size_t at = agenda->count;

    if (agenda->count == agenda->cap) {
        agenda->cap = agenda->cap == 0 ? 256 : agenda->cap * 2;
        agenda->items = realloc(agenda->items, agenda->cap * sizeof agenda->items[0]);
        check(agenda->items != NULL);
    }
    agenda->items[at] = *item;
    agenda->items[at].order = ++agenda->order;
    agenda->count++;
    for (; at > 0 && is_before(&agenda->items[at], &agenda->items[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&agenda->items[at], &agenda->items[(at - 1) / 2]);
}

const struct item *agenda_first(struct agenda *agenda)
{
    while (agenda->count > 0 && agenda->items[0].is_void)
        agenda_take(agenda);
    return agenda->count > 0 ? &agenda->items[0] : NULL;
}

struct item agenda_take(struct agenda *agenda)
{
    struct item first = agenda->items[0];
    size_t at = 0;

    agenda->items[0] = agenda->items[--agenda->count];
    for (;;) {
        size_t least = at, left = 2 * at + 1;

        for (size_t child = left; child < left + 2 && child < agenda->count; child++) {
            if (is_before(&agenda->items[child], &agenda->items[least]))
                least = child;
        }
        if (least == at)
            return first;
        swap(&agenda->items[at], &agenda->items[least]);
        at = least;
    }
}

void agenda_release(struct agenda *agenda)
{
    free(agenda->items);
    *agenda = (struct agenda){0};
}
