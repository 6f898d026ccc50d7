/* heap.h - a binary heap of pointers; each item knows its place, so that it can be taken out of the
 * middle. */
#ifndef ROTA_NET_HEAP_H
#define ROTA_NET_HEAP_H

#include <stdbool.h>
#include <stddef.h>

enum { HEAP_NOWHERE = -1 };

typedef bool heap_before_fn(const void *a, const void *b); /* a leaves the heap before b */
typedef void heap_moved_fn(void *item, ptrdiff_t place);   /* HEAP_NOWHERE: it left */

struct heap {
    void **items; /* owned; what they point to is not */
    size_t count, cap;
    heap_before_fn *before;
    heap_moved_fn *moved;
};

void heap_release(struct heap *heap);
void heap_add(struct heap *heap, void *item);
void *heap_first(const struct heap *heap); /* NULL if empty */
void heap_remove(struct heap *heap, ptrdiff_t place);
void heap_changed(struct heap *heap, ptrdiff_t place); /* the item's order is another now */

#endif
