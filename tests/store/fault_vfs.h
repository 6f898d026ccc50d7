/* fault_vfs.h - a file system for SQLite that fails on demand and can lose power.
 *
 * Files live in memory: what a process sees, and apart from it what is on the disk. A write reaches the disk with
 * the next sync of its file; a sync that fails leaves its writes seen but never on the disk, as Linux does. A
 * power cut puts any of the unsynced writes on the disk, whole or torn at a sector, in any combination. A kill
 * makes every later operation fail without effect. For one connection in one thread: locks always succeed.
 */
#ifndef ROTA_TESTS_FAULT_VFS_H
#define ROTA_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_operation { FAULT_WRITE, FAULT_SYNC };

void fault_vfs_install(void); /* as the default; without any file */
void fault_vfs_remove(void);  /* back to the real one */
void fault_vfs_reset(void);   /* forgets files and faults; nothing may be open */

/* The `nth` operation of this kind from now (1: the next) and the `times` - 1 after it fail with this result
 * code of SQLite. */
void fault_vfs_fail(enum fault_operation operation, unsigned nth, unsigned times, int result);
void fault_vfs_heal(void); /* no more of these faults */

/* After `operations` more writes, truncations, deletions and syncs the process is dead. */
void fault_vfs_kill_after(uint64_t operations);
/* Dead at the `nth` sync from now, before it has any effect: all was written, nothing of it is safe. */
void fault_vfs_kill_at_sync(uint64_t nth);
bool fault_vfs_is_dead(void);
/* The next process: sees what the last one wrote. Everything must be closed. */
void fault_vfs_revive(void);
/* The machine starts again: sees what is on the disk. Everything must be closed. */
void fault_vfs_cut(uint64_t seed);

uint64_t fault_vfs_syncs(void); /* so far */
/* The bytes of a file as a process sees them, to be looked at and damaged; NULL if there is none. */
uint8_t *fault_vfs_bytes(const char *path_end, size_t *len);
/* Writes journal.db and its log, as a process sees them, to real files of that directory; nothing if there are none here. */
void fault_vfs_copy_out(const char *directory);

#endif
