#include "scratch.h"

#include "base/check.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void scratch_make(char path[64])
{
    snprintf(path, 64, "/tmp/rota-test-XXXXXX");
    check(mkdtemp(path) != NULL);
}

static int remove_one(const char *path, const struct stat *facts, int type, struct FTW *where)
{
    (void)facts;
    (void)type;
    (void)where;
    return remove(path);
}

void scratch_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void scratch_write(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    check(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

int scratch_read(const char *folder, const char *name, struct buf *out)
{
    char path[512], step[4096];
    size_t got;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "r");
    if (file == NULL)
        return -1;
    while ((got = fread(step, 1, sizeof step, file)) > 0)
        buf_add(out, step, got);
    fclose(file);
    return 0;
}

int scratch_count(const char *folder, char name[256])
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (name != NULL)
            snprintf(name, 256, "%s", entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}
