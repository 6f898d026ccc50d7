#include "net/heap.h"

#include "base/check.h"

#include <stdlib.h>

void heap_release(struct heap *heap)
{
    free(heap->items);
    heap->items = NULL;
    heap->count = heap->cap = 0;
}

static void put(struct heap *heap, size_t place, void *item)
{
    heap->items[place] = item;
    heap->moved(item, (ptrdiff_t)place);
}

static void sink(struct heap *heap, size_t place, void *item)
{
    for (;;) {
        size_t child = 2 * place + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!heap->before(heap->items[child], item))
            break;
        put(heap, place, heap->items[child]);
        place = child;
    }
    put(heap, place, item);
}

static void settle(struct heap *heap, size_t place, void *item)
{
    while (place > 0 && heap->before(item, heap->items[(place - 1) / 2])) {
        put(heap, place, heap->items[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    sink(heap, place, item);
}

void heap_add(struct heap *heap, void *item)
{
    if (heap->count == heap->cap) {
        heap->cap = heap->cap > 0 ? heap->cap * 2 : 16;
        heap->items = realloc(heap->items, heap->cap * sizeof *heap->items);
        check(heap->items != NULL);
    }
    settle(heap, heap->count++, item);
}

void *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

void heap_remove(struct heap *heap, ptrdiff_t place)
{
    void *last;

    check(place >= 0 && (size_t)place < heap->count);
    heap->moved(heap->items[place], HEAP_NOWHERE);
    last = heap->items[--heap->count];
    if ((size_t)place < heap->count)
        settle(heap, (size_t)place, last);
}

void heap_changed(struct heap *heap, ptrdiff_t place)
{
    check(place >= 0 && (size_t)place < heap->count);
    settle(heap, (size_t)place, heap->items[place]);
}
