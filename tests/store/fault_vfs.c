#include "fault_vfs.h"

#include "base/buf.h"
#include "base/check.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 16, PATH_LEN_MAX = 1024, SECTOR = 512, SHM_REGIONS_MAX = 64 };

/* One write or truncation that is not on the disk. */
struct pending {
    int64_t at;
    bool is_truncation; /* to `at` bytes */
    struct buf bytes;
};

struct inode {
    struct buf seen, disk;
    struct pending *pending; /* owned */
    size_t pending_count, pending_cap;
    unsigned links; /* names and open files */
    void *shm[SHM_REGIONS_MAX];
    unsigned shm_users;
};

/* A name leads to one inode for processes and perhaps to another on the disk. */
struct name {
    char path[PATH_LEN_MAX];
    struct inode *seen, *disk; /* NULL: there is no such file */
};

struct fault_file {
    sqlite3_file base;
    struct inode *inode;
    struct name *name;
    bool has_shm;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct name names[FILES_MAX];
    size_t name_count;
    unsigned fail_nth[2], fail_times[2];
    int fail_result[2];
    uint64_t kill_after;   /* 0: never */
    uint64_t kill_at_sync; /* 0: never */
    bool is_dead;
    uint64_t syncs;
} fs;

/* ---- inodes ---- */

static void pending_clear(struct inode *inode)
{
    for (size_t i = 0; i < inode->pending_count; i++)
        buf_release(&inode->pending[i].bytes);
    inode->pending_count = 0;
}

static void shm_clear(struct inode *inode)
{
    for (size_t i = 0; i < SHM_REGIONS_MAX; i++) {
        free(inode->shm[i]);
        inode->shm[i] = NULL;
    }
}

static void inode_drop(struct inode *inode)
{
    if (inode == NULL || --inode->links > 0)
        return;
    pending_clear(inode);
    shm_clear(inode);
    free(inode->pending);
    buf_release(&inode->seen);
    buf_release(&inode->disk);
    free(inode);
}

static struct inode *inode_keep(struct inode *inode)
{
    if (inode != NULL)
        inode->links++;
    return inode;
}

static void link_set(struct inode **link, struct inode *to)
{
    inode_keep(to);
    inode_drop(*link);
    *link = to;
}

static void apply(struct buf *file, const struct pending *write, size_t len)
{
    size_t at = (size_t)write->at;

    if (write->is_truncation) {
        if (file->len > at)
            file->len = at;
        return;
    }
    if (file->len < at + len) {
        buf_reserve(file, at + len - file->len);
        memset(file->at + file->len, 0, at + len - file->len);
        file->len = at + len;
    }
    if (len > 0)
        memcpy(file->at + at, write->bytes.at, len);
}

static void add_pending(struct inode *inode, int64_t at, const void *bytes, size_t len,
                        bool is_truncation)
{
    struct pending *write;

    if (inode->pending_count == inode->pending_cap) {
        inode->pending_cap = inode->pending_cap > 0 ? 2 * inode->pending_cap : 16;
        inode->pending = realloc(inode->pending, inode->pending_cap * sizeof *inode->pending);
        check(inode->pending != NULL);
    }
    write = &inode->pending[inode->pending_count++];
    *write = (struct pending){at, is_truncation, BUF_EMPTY};
    buf_add(&write->bytes, bytes, len);
    apply(&inode->seen, write, len);
}

static struct name *name_of(const char *path)
{
    for (size_t i = 0; i < fs.name_count; i++)
        if (strcmp(fs.names[i].path, path) == 0)
            return &fs.names[i];
    check(fs.name_count < FILES_MAX && strlen(path) < PATH_LEN_MAX);
    strcpy(fs.names[fs.name_count].path, path);
    return &fs.names[fs.name_count++];
}

/* ---- faults ---- */

/* The result of one more operation before it has any effect. */
static int strike(enum fault_operation operation)
{
    if (!fs.is_dead && fs.kill_after > 0 && --fs.kill_after == 0)
        fs.is_dead = true;
    if (operation == FAULT_SYNC && fs.kill_at_sync > 0 && --fs.kill_at_sync == 0)
        fs.is_dead = true;
    if (fs.is_dead)
        return operation == FAULT_SYNC ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
    if (fs.fail_times[operation] == 0)
        return SQLITE_OK;
    if (fs.fail_nth[operation] > 1) {
        fs.fail_nth[operation]--;
        return SQLITE_OK;
    }
    fs.fail_times[operation]--;
    return fs.fail_result[operation];
}

void fault_vfs_fail(enum fault_operation operation, unsigned nth, unsigned times, int result)
{
    fs.fail_nth[operation] = nth;
    fs.fail_times[operation] = times;
    fs.fail_result[operation] = result;
}

void fault_vfs_heal(void)
{
    memset(fs.fail_times, 0, sizeof fs.fail_times);
}

void fault_vfs_kill_after(uint64_t operations)
{
    fs.kill_after = operations + 1;
}

void fault_vfs_kill_at_sync(uint64_t nth)
{
    fs.kill_at_sync = nth;
}

bool fault_vfs_is_dead(void)
{
    return fs.is_dead;
}

uint64_t fault_vfs_syncs(void)
{
    return fs.syncs;
}

/* ---- what happens to the machine ---- */

void fault_vfs_revive(void)
{
    fs.is_dead = false;
    fs.kill_after = 0;
    fs.kill_at_sync = 0;
    fault_vfs_heal();
    for (size_t i = 0; i < fs.name_count; i++)
        if (fs.names[i].seen != NULL)
            check(fs.names[i].seen->shm_users == 0);
}

static uint64_t draw(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance >> 11;
}

/* Any unsynced write may be on the disk, may not be, or only its first sectors. */
static void cut_inode(struct inode *inode, uint64_t *chance)
{
    unsigned keep_of_8 = (unsigned)(draw(chance) % 9);

    for (size_t i = 0; i < inode->pending_count; i++) {
        const struct pending *write = &inode->pending[i];
        size_t len = write->bytes.len;

        if (draw(chance) % 8 >= keep_of_8)
            continue;
        if (draw(chance) % 4 == 0) {
            size_t end = (size_t)write->at + draw(chance) % (len + 1);

            end -= end % SECTOR;
            len = end > (size_t)write->at ? end - (size_t)write->at : 0;
        }
        apply(&inode->disk, write, len);
    }
    pending_clear(inode);
    buf_clear(&inode->seen);
    buf_add_slice(&inode->seen, buf_slice(&inode->disk));
}

void fault_vfs_cut(uint64_t seed)
{
    uint64_t chance = seed * 2 + 1;

    fault_vfs_revive();
    for (size_t i = 0; i < fs.name_count; i++) {
        struct name *name = &fs.names[i];

        if (name->seen != name->disk && draw(&chance) % 2 == 0)
            link_set(&name->disk, name->seen);
        else
            link_set(&name->seen, name->disk);
        if (name->seen != NULL)
            cut_inode(name->seen, &chance);
    }
}

void fault_vfs_reset(void)
{
    for (size_t i = 0; i < fs.name_count; i++) {
        link_set(&fs.names[i].seen, NULL);
        link_set(&fs.names[i].disk, NULL);
    }
    fs.name_count = 0;
    fs.is_dead = false;
    fs.kill_after = 0;
    fs.kill_at_sync = 0;
    fault_vfs_heal();
}

uint8_t *fault_vfs_bytes(const char *path_end, size_t *len)
{
    for (size_t i = 0; i < fs.name_count; i++) {
        size_t all = strlen(fs.names[i].path), end = strlen(path_end);

        if (fs.names[i].seen != NULL && all >= end &&
            strcmp(fs.names[i].path + all - end, path_end) == 0) {
            *len = fs.names[i].seen->seen.len;
            return fs.names[i].seen->seen.at;
        }
    }
    return NULL;
}

/* ---- files ---- */

static struct fault_file *of(sqlite3_file *file)
{
    return (struct fault_file *)(void *)file;
}

static int file_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 at)
{
    const struct buf *seen = &of(file)->inode->seen;
    size_t from = (size_t)at, want = (size_t)amount;
    size_t have = from >= seen->len ? 0 : seen->len - from;

    if (fs.is_dead)
        return SQLITE_IOERR_READ;
    if (have > want)
        have = want;
    if (have > 0)
        memcpy(out, seen->at + from, have);
    memset((char *)out + have, 0, want - have);
    return have < want ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 at)
{
    int rc = strike(FAULT_WRITE);

    if (rc == SQLITE_OK)
        add_pending(of(file)->inode, at, bytes, (size_t)amount, false);
    return rc;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = strike(FAULT_WRITE);

    if (rc == SQLITE_OK)
        add_pending(of(file)->inode, size, NULL, 0, true);
    return rc;
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct inode *inode = of(file)->inode;
    int rc = strike(FAULT_SYNC);

    (void)flags;
    if (fs.is_dead)
        return rc;
    fs.syncs++;
    if (rc == SQLITE_OK) {
        for (size_t i = 0; i < inode->pending_count; i++)
            apply(&inode->disk, &inode->pending[i], inode->pending[i].bytes.len);
        if (of(file)->name != NULL && of(file)->name->seen == inode)
            link_set(&of(file)->name->disk, inode);
    }
    pending_clear(inode);
    return rc;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)of(file)->inode->seen.len;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int what, void *with)
{
    (void)file;
    (void)what;
    (void)with;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file)
{
    (void)file;
    return SECTOR;
}

static int file_device(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    struct inode *inode = of(file)->inode;

    check(region < SHM_REGIONS_MAX);
    if (!of(file)->has_shm) {
        of(file)->has_shm = true;
        inode->shm_users++;
    }
    if (inode->shm[region] == NULL && extend) {
        inode->shm[region] = calloc(1, (size_t)size);
        check(inode->shm[region] != NULL);
    }
    *out = inode->shm[region];
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    (void)file;
    (void)offset;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *file)
{
    (void)file;
    __sync_synchronize();
}

static int shm_unmap(sqlite3_file *file, int delete)
{
    struct inode *inode = of(file)->inode;

    (void)delete;
    if (of(file)->has_shm && --inode->shm_users == 0)
        shm_clear(inode); /* the next process finds nobody there and recovers */
    of(file)->has_shm = false;
    return SQLITE_OK;
}

static int file_close(sqlite3_file *file)
{
    shm_unmap(file, 0);
    inode_drop(of(file)->inode);
    of(file)->inode = NULL;
    return SQLITE_OK;
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- the file system ---- */

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                    int *out_flags)
{
    struct fault_file *self = of(file);

    (void)vfs;
    memset(self, 0, sizeof *self);
    self->name = path != NULL ? name_of(path) : NULL;
    if (self->name == NULL || self->name->seen == NULL) {
        struct inode *made;

        if ((flags & SQLITE_OPEN_CREATE) == 0 || fs.is_dead)
            return SQLITE_CANTOPEN;
        made = calloc(1, sizeof *made);
        check(made != NULL);
        self->inode = inode_keep(made);
        if (self->name != NULL)
            link_set(&self->name->seen, made);
    } else {
        self->inode = inode_keep(self->name->seen);
    }
    self->base.pMethods = &METHODS;
    if (out_flags != NULL)
        *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    struct name *name = name_of(path);
    int rc = strike(FAULT_WRITE);

    (void)vfs;
    if (rc != SQLITE_OK)
        return rc;
    if (name->seen == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    link_set(&name->seen, NULL);
    if (sync_directory)
        link_set(&name->disk, NULL);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    (void)vfs;
    (void)flags;
    *out = name_of(path)->seen != NULL;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *out)
{
    (void)vfs;
    if (strlen(path) >= (size_t)room)
        return SQLITE_CANTOPEN;
    strcpy(out, path);
    return SQLITE_OK;
}

void fault_vfs_install(void)
{
    memset(&fs, 0, sizeof fs);
    fs.real = sqlite3_vfs_find(NULL);
    check(fs.real != NULL);
    fs.vfs = *fs.real; /* time, sleep and randomness are the real ones */
    fs.vfs.iVersion = 1;
    fs.vfs.pNext = NULL;
    fs.vfs.szOsFile = (int)sizeof(struct fault_file);
    fs.vfs.zName = "rota-fault";
    fs.vfs.xOpen = vfs_open;
    fs.vfs.xDelete = vfs_delete;
    fs.vfs.xAccess = vfs_access;
    fs.vfs.xFullPathname = vfs_full_path;
    check(sqlite3_vfs_register(&fs.vfs, 1) == SQLITE_OK);
}

void fault_vfs_remove(void)
{
    fault_vfs_reset();
    sqlite3_vfs_unregister(&fs.vfs);
    check(sqlite3_vfs_register(fs.real, 1) == SQLITE_OK);
}

void fault_vfs_copy_out(const char *directory)
{
    static const char *const names[] = {"/journal.db", "/journal.db-wal"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        size_t len = 0;
        const uint8_t *bytes = fault_vfs_bytes(names[i], &len);
        FILE *file;

        if (bytes == NULL)
            continue;
        snprintf(path, sizeof path, "%s%s", directory, names[i]);
        file = fopen(path, "wb");
        check(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
    }
}
