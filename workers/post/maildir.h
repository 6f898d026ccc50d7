/* maildir.h - messages as files: DIR/<person>/{tmp,new,cur}, as mail readers know them.
 *
 *   1. A message is in new/ whole and durable, or not at all.
 *   2. A message of the same id is written once, also when the first was read since (and is in
 *      cur/ now).
 */
#ifndef ROTA_POST_MAILDIR_H
#define ROTA_POST_MAILDIR_H

#include "base/buf.h"
#include "base/error.h"

enum { MAILDIR_NAME_MAX = 128, MAILDIR_MESSAGE_MAX = 256 * 1024, MAILDIR_PATH_MAX = 1024 };

/* May `name` be a folder below a root: letters, digits and . _ @ + -, not beginning with a dot. */
bool maildir_name_is_valid(const char *name);

/* Makes root/name with its three folders, mode 0700, where they are missing. */
int maildir_make(const char *root, const char *name, struct error *err);

/* Delivers. `id` is a valid name too; the file is called `<id>.rota`. *was_there (may be NULL):
 * nothing was written, because it had been delivered before. */
int maildir_deliver(const char *root, const char *name, const char *id, struct slice message,
                    bool *was_there, struct error *err);

/* Calls `each` for the messages that wait in root/name/new, oldest name first; at most `max`. A
 * message that is larger than MAILDIR_MESSAGE_MAX comes without bytes (at NULL). `file` is the name
 * in new/. */
typedef void maildir_fn(void *self, const char *file, struct slice message);
int maildir_each_new(const char *root, const char *name, int max, maildir_fn *each, void *self,
                     struct error *err);

/* Moves new/file to cur/file:2,<flags>. */
int maildir_seen(const char *root, const char *name, const char *file, const char *flags,
                 struct error *err);

#endif
