/* nearest.c - the name that was probably meant, as the engine would guess it. */
#include "base/nearest.h"

#include "tool.h"

#include <dirent.h>

const char *nearest_name(const char *word, const char *const *names, int count)
{
    struct nearest nearest = nearest_to(slice_str(word));

    for (int i = 0; i < count; i++)
        nearest_offer(&nearest, names[i]);
    return nearest.best;
}

const char *nearest_said(struct arena *arena, const char *word, const char *const *names, int count)
{
    struct nearest nearest = nearest_to(slice_str(word));

    for (int i = 0; i < count; i++)
        nearest_offer(&nearest, names[i]);
    return nearest_hint(&nearest, arena);
}

const char *nearest_path(struct arena *arena, const char *path)
{
    size_t len = strlen(path);
    const char *slash, *folder = ".";
    struct nearest nearest;
    const struct dirent *entry;
    DIR *all;

    while (len > 1 && path[len - 1] == '/')
        len--;
    path = arena_copy(arena, path, len);
    slash = strrchr(path, '/');
    if (slash != NULL)
        folder = slash == path ? "/" : arena_copy(arena, path, (size_t)(slash - path));
    nearest = nearest_to(slice_str(slash != NULL ? slash + 1 : path));
    all = opendir(folder);
    if (all == NULL)
        return "";
    while ((entry = readdir(all)) != NULL) {
        if (entry->d_name[0] != '.')
            nearest_offer(&nearest, arena_str(arena, entry->d_name));
    }
    closedir(all);
    if (nearest.best == NULL)
        return "";
    return arena_printf(arena, "; did you mean '%s%s%s'?", slash != NULL ? folder : "",
                        slash != NULL && folder[1] != '\0' ? "/" : "", nearest.best);
}
