/* story_client.h - what `rota` does before a command goes out: what can be erased, and a large table, goes up, and its hash
 * stands in its place. */
#ifndef ROTA_TESTS_CORE_STORY_CLIENT_H
#define ROTA_TESTS_CORE_STORY_CLIENT_H

#include "core/story.h"

/* In the args of a command that opens, edits or does something to a record. */
void client_put_up(struct story *story, const char *event, const char *record, struct value *args);

/* What a field of a record says: a text or rows that were put away as they were written. */
struct value client_read(struct story *story, const char *kind, const char *field,
                         const struct value *value);

#endif
