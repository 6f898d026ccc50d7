#include "base/nearest.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

int edit_distance(struct slice a, struct slice b, int limit)
{
    int rows[3][NEAREST_NAME_MAX + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2], *spare;
    size_t i, j;

    if (a.len > NEAREST_NAME_MAX || b.len > NEAREST_NAME_MAX)
        return limit + 1;
    memset(rows, 0, sizeof rows);
    for (j = 0; j <= b.len; j++)
        above[j] = (int)j;
    for (i = 1; i <= a.len; i++) {
        row[0] = (int)i;
        for (j = 1; j <= b.len; j++) {
            int change = above[j - 1] + (a.at[i - 1] != b.at[j - 1]);

            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return least(above[b.len], limit + 1);
}

struct nearest nearest_to(struct slice wanted)
{
    int distance = wanted.len < 3 ? 1 : 2;

    if (wanted.len > 8)
        distance = (int)(wanted.len / 3);
    if (wanted.len < 2)
        distance = 0; /* one letter for another has nothing in common with it */
    return (struct nearest){wanted, NULL, distance + 1, false};
}

/* Does one of the words of the name (as scope_change has two) begin with what was wanted? */
static bool has_word(const char *name, struct slice wanted)
{
    const char *at = name;

    while (wanted.len >= 3 && at != NULL) {
        if (strlen(at) >= wanted.len && memcmp(at, wanted.at, wanted.len) == 0)
            return true;
        at = strpbrk(at, "_- .");
        if (at != NULL)
            at++;
    }
    return false;
}

void nearest_offer(struct nearest *nearest, const char *name)
{
    int distance = edit_distance(nearest->wanted, slice_str(name), nearest->distance);

    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = name;
        nearest->is_part = false;
    } else if (has_word(name, nearest->wanted) &&
               (nearest->best == NULL ||
                (nearest->is_part && strlen(name) < strlen(nearest->best)))) {
        nearest->best = name;
        nearest->is_part = true;
    }
}

const char *nearest_hint(const struct nearest *nearest, struct arena *arena)
{
    if (nearest->best == NULL)
        return "";
    return arena_printf(arena, "; did you mean '%s'?", nearest->best);
}
