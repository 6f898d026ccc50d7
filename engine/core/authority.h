/* authority.h - who may: the one place where a permission is decided.
 *
 * Every way in (a person's command, a worker's result, a timer, a rule, an administrator) asks here, with the
 * directory, the definition and the record as they stand in the draft. A rule of separation that stands against somebody
 * yields only to a signed waiver of that rule for that person over the record's present content (waiver.c).
 */
#ifndef ROTA_CORE_AUTHORITY_H
#define ROTA_CORE_AUTHORITY_H

#include "core/core.h"

enum { PEOPLE_MAX = 4096 };

enum permission { PERMIT, DENY_ROLE, DENY_APART, DENY_UNKNOWN, DENY_EXPIRED };

struct subject { /* the record that is asked about */
    struct slice id;
    const struct value *row; /* NULL while it is being created */
    const struct kind *kind;
    const struct value *round; /* the open round's row, or NULL */
};

/* May `actor` make this transition? `round_apart` adds the approval's words when it is a vote. On a denial,
 * `sentence` says who may, or which rule of separation stands against it (memory of the draft). */
enum permission authority_transition(struct core *core, struct slice actor,
                                     const struct subject *subject,
                                     const struct transition *transition, const char **sentence);

/* By which break-glass the actor may do it, whom no role gives it; 0: by none. */
int64_t authority_glass(struct core *core, struct slice actor, const struct subject *subject,
                        const struct transition *transition);

/* May `actor` do it in the place of `person`, who has delegated it to him, or to somebody who may pass it on? What the
 * rules of separation demand, they demand of both, and of whoever stands between them. `number` (may be NULL) gets the
 * delegation that `person` gave. */
enum permission authority_in_place(struct core *core, struct slice actor, struct slice person,
                                   const struct subject *subject,
                                   const struct transition *transition, const char **sentence,
                                   struct slice *number);

/* Who is asked instead of `person`, who may make this transition: the delegate who could sign it, is not kept apart and is none of
 * `taken` (names). Empty: nobody, so they themselves are. */
struct slice authority_delegate(struct core *core, struct slice person,
                                const struct subject *subject, const struct transition *transition,
                                const struct value *taken, struct slice *number);

/* Is none of the need's `people` one of its `apart` whom no waiver frees? If one is: who, and as which word (memory of the
 * pack and the draft). */
bool authority_apart(struct core *core, const struct subject *subject, const struct need *need,
                     struct slice *who, const char **word);

enum permission authority_edit(struct core *core, struct slice actor, const struct subject *subject,
                               const char **sentence);

/* The same in the place of `person`: nobody is kept apart from editing, and both are editors afterwards. */
enum permission authority_edit_in_place(struct core *core, struct slice actor, struct slice person,
                                        const struct subject *subject, const char **sentence);

/* May `actor` give it another owner: the owner, their manager (or whom it has fallen to), who keeps the rules? */
enum permission authority_hand_over(struct core *core, struct slice actor,
                                    const struct subject *subject, const char **sentence);

/* Who is asked to acknowledge, appended to `out` (array): whom the kind names, but for external auditors, who read and change
 * nothing. May `actor`? */
void authority_asked(struct core *core, const struct subject *subject, struct value *out);
enum permission authority_ack(struct core *core, struct slice actor, const struct subject *subject,
                              const char **sentence);

/* May this principal give this command that is about no record (directory.install, pack.install, task.*)? */
enum permission authority_command(struct core *core, struct slice actor, const char *command,
                                  const char **sentence);

/* May they agree to what somebody else proposed (proposal.c)? Whether they signed is looked at there. */
enum permission authority_agree(struct core *core, struct slice actor, const char **sentence);
/* Is there anybody but `actor` who could? With root keys, who has no signing key yet can be given one without the
 * directory: they count, so that taking keys away leaves nobody alone. */
bool authority_has_second(struct core *core, struct slice actor);
/* Would that person's losing their signing key leave `actor` without anybody who could, where now there is somebody? */
bool authority_needs_key(struct core *core, struct slice actor, struct slice person);

bool authority_may_serve(struct core *core, struct slice actor, struct slice service);
bool authority_may_read(struct core *core, struct slice actor, struct slice topic);

/* An external auditor reads and changes nothing, until `not_after`; what is read is written down (QUESTION_READ). With
 * `scope` in their directory entry they see records of those kinds alone. */
bool authority_is_auditor(struct core *core, struct slice actor);
bool authority_is_scoped(struct core *core, struct slice actor);
bool authority_may_see(struct core *core, struct slice actor, const struct kind *kind);
bool authority_may_bring(struct core *core, struct slice actor); /* what others signed: a gateway */
bool authority_may_write(struct core *core, struct slice actor); /* anything at all */

/* The people a word stands for (names, each once), appended to `out` (array). */
void authority_people(struct core *core, const struct subject *subject, struct slice word,
                      struct value *out);
void authority_people_of(struct core *core, const struct subject *subject,
                         const struct words *words, struct value *out);

/* Whoever a word names by name (owner, author, a field of people) may have left, all of them: then what was theirs to do is
 * their manager's, else that of the role that owns such records, else the ISMS manager's. Appended to `out`; nobody if the
 * word means somebody who is here, or never named anybody. It gives nobody's place in a rule of separation. */
void authority_heirs(struct core *core, const struct subject *subject, struct slice word,
                     struct value *out);

/* The rows of everyone in the directory who has not left, workers left out: appended to `out` (array), lent. */
void authority_everyone(struct core *core, struct value *out);

/* The row person/<name>, or NULL. */
const struct value *authority_person(struct core *core, struct slice name);
const struct value *authority_directory(struct core *core); /* array: everyone in the directory */
bool authority_is_here(struct core *core,
                       struct slice name); /* in the directory, rights not ended */
bool authority_has_role(struct core *core, struct slice name, struct slice role);

/* The principal that a User-Id (Z85 key text given as its 32 bytes, or uid number) belongs to; empty if none. */
struct slice authority_by_key(struct core *core, struct slice transport_key);
struct slice authority_by_uid(struct core *core, int64_t uid);

#endif
