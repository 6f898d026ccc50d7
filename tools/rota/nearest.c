/* nearest.c - the name that was probably meant. */
#include "tool.h"

enum { NAME_MAX_LEN = 64 };

static int edit_distance(const char *a, const char *b)
{
    size_t len = strlen(b);
    int row[NAME_MAX_LEN + 1];

    for (size_t j = 0; j <= len; j++)
        row[j] = (int)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        int corner = row[0];

        row[0] = (int)i + 1;
        for (size_t j = 0; j < len; j++) {
            int above = row[j + 1];
            int change = corner + (a[i] != b[j]);
            int least = above + 1 < row[j] + 1 ? above + 1 : row[j] + 1;

            row[j + 1] = change < least ? change : least;
            corner = above;
        }
    }
    return row[len];
}

const char *nearest_name(const char *word, const char *const *names, int count)
{
    const char *best = NULL;
    int best_distance = (int)strlen(word) / 3 + 2;

    if (strlen(word) > NAME_MAX_LEN)
        return NULL;
    for (int i = 0; i < count; i++) {
        int distance;

        if (strlen(names[i]) > NAME_MAX_LEN)
            continue;
        distance = edit_distance(word, names[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = names[i];
        }
    }
    return best;
}
