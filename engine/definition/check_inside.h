/* check_inside.h - what the parts of check.c share. */
#ifndef ROTA_DEFINITION_CHECK_INSIDE_H
#define ROTA_DEFINITION_CHECK_INSIDE_H

#include "definition/check.h"

struct checks {
    const struct pack *pack;
    const struct written_pack *written;
    struct problems *problems;
    const struct kind *kind; /* the one being looked at */
};

/* ---- check_names.c ---- */
void check_who(struct checks *c, const struct words *words, bool may_be_did);
void check_separation(struct checks *c, const char *rule); /* NULL: none is named */
void check_conflict(struct checks *c, const struct separation *separation);
void check_migration(struct checks *c); /* who moves records, and what they sign */
void check_fields(struct checks *c);
void check_edit_fields(struct checks *c, const struct words *fields);
void check_message(struct checks *c, const struct message *message);
void check_notice(struct checks *c, const struct notice *notice, const char *event);
void check_meaning(struct checks *c, const char *meaning);
bool kind_has_event(const struct kind *kind, const char *event);
/* The event must be one of the kind's; false (said) if not. `placed` comes from a reader. */
bool check_event(struct checks *c, const struct kind *kind, const char *placed);
/* Says where it stands in for, if a lifecycle is shared: " (in kind 'x')" or "". */
const char *check_for_kind(struct checks *c, const char *file);

/* ---- check_lifecycle.c ---- */
void check_lifecycle(struct checks *c);

#endif
