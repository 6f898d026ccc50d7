/* rights.h - who may do what, by the definition: an oracle for authority.c, which it neither includes nor resembles.
 *
 * It reads the compiled pack, the directory's rows and a record's row as they lie there, in the plainest code that the
 * words of workflows/README.md allow: a set of people is a number with a bit for each. It has no draft, no index, no
 * arena. A word that it does not know ends the test, so that it cannot agree by ignorance.
 */
#ifndef ROTA_TESTS_CORE_RIGHTS_H
#define ROTA_TESTS_CORE_RIGHTS_H

#include "core/model.h"

enum { FOLK_MAX = 64, NOTES_MAX = 4096, WAIVED_MAX = 3 };

typedef uint64_t people_set;

struct folk { /* the directory */
    const char *names[FOLK_MAX];
    const struct value *rows[FOLK_MAX];
    int count;
    const struct value *notes[FOLK_MAX]; /* what each has delegated: map number -> row, or NULL */
    int64_t now_ms;
    int32_t today;
};

struct sheet { /* a record: rows as they are stored; `row` NULL while it is being created */
    const char *id;
    const struct kind *kind;
    const struct value *row, *round;
    const struct value
        *waivers[WAIVED_MAX]; /* rows; of what was waived, over this content or another */
    int waiver_count;
};

struct rights {
    const struct pack *pack;
    struct folk folk;
    struct sheet sheets[NOTES_MAX];
    int sheet_count;
    bool looks_back; /* while a word is read for `apart`: everybody who ever was owner */
};

enum answer { MAY, NOT_ALLOWED, KEPT_APART, WRONG_TIME /* not refused for the sake of who asks */ };
const char *answer_name(enum answer answer);

int folk_find(const struct folk *folk, struct slice name); /* -1: not there */
people_set folk_with_role(const struct folk *folk, const char *role);
people_set rights_of_word(const struct rights *rights, const struct sheet *sheet, const char *word);

/* By one row of the lifecycle (with `event` in the record's state, or that creates it). */
enum answer rights_event(const struct rights *rights, const struct sheet *sheet,
                         const struct transition *way, int who);
/* The same, in the place of `person`. */
enum answer rights_in_place(const struct rights *rights, const struct sheet *sheet,
                            const struct transition *way, int who, int person);
enum answer rights_edit(const struct rights *rights, const struct sheet *sheet, int who);
enum answer rights_edit_in_place(const struct rights *rights, const struct sheet *sheet, int who,
                                 int person);
enum answer rights_hand_over(const struct rights *rights, const struct sheet *sheet, int who);
enum answer rights_ack(const struct rights *rights, const struct sheet *sheet, int who);
/* May they waive a rule of separation, if there is one to waive? */
enum answer rights_waive(const struct rights *rights, int who);
/* May they ask to break glass for an event, as its first row in the lifecycle has it (NULL: there is none)? */
enum answer rights_glass(const struct rights *rights, const struct transition *first, int who);
/* May they agree to what `by` proposed, and may they end it? */
enum answer rights_agree(const struct rights *rights, int who, int by);
enum answer rights_end_proposal(const struct rights *rights, int who, int by);
/* May they end what `from` delegated to `to`? */
enum answer rights_end_delegation(const struct rights *rights, int who, int from, int to);
/* May the engine itself do it: a worker's result, a timer, a rule? */
bool rights_of_system(const struct transition *way);
/* Would a need of people before the event stand against it, whoever asks? */
bool rights_need_apart(const struct rights *rights, const struct sheet *sheet,
                       const struct transition *way);

#endif
