/* nearest.c - the name that was probably meant, as the engine would guess it. */
#include "base/nearest.h"

#include "tool.h"

const char *nearest_name(const char *word, const char *const *names, int count)
{
    struct nearest nearest = nearest_to(slice_str(word));

    for (int i = 0; i < count; i++)
        nearest_offer(&nearest, names[i]);
    return nearest.best;
}
