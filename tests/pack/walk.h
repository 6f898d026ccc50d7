/* walk.h - a walk: people of the sample organisation act on records of the shipped pack, one step a line.
 *
 *     at MOMENT | until MOMENT | pass N days     time; what is due happens with `until` and `pass`
 *     WHO open KIND [as NAME] [JSON]             tests/pack/records/KIND.json with JSON merged over it
 *     WHO edit NAME JSON                         fields
 *     WHO EVENT NAME [JSON]                      signed if the event wants it; a reason is given if it wants one
 *     refused STATUS CODE: WHO EVENT NAME [JSON]
 *     task SERVICE NAME STATUS                   the oldest open task of a record is settled
 *     exists KIND [as NAME] [JSON]               the newest record of a kind that nobody opened, with these fields
 *     count KIND N | state NAME STATE | field NAME FIELD [VALUE] | fact NAME KEY [VALUE]
 *     told WHO NAME MESSAGE | untold WHO NAME MESSAGE
 *     may park                                   from here on what follows may be refused: it is parked
 *     parked NAME EVENT                          an event of the record that the engine was to make, and could not, waits for a person
 *     let NAME VALUE | let NAME JSON             $NAME stands for it, wherever it is
 *     include FILE                               the steps of tests/pack/walks/FILE, here
 *
 * {"file": NAME} in JSON stands for a file of that name. `#` begins a comment; a line that ends in `\` goes on in the next. NAME is a name given with `as` (without it, the
 * kind's name) or an id; $NAME in JSON and in a VALUE stands for the id. `told` delivers the notice, so that the
 * next `told` needs another one. A record that JSON names by an id, as MET-0001, and that is not there yet, is opened first
 * (from tests/pack/records) and left as it was opened.
 */
#ifndef ROTA_TESTS_PACK_WALK_H
#define ROTA_TESTS_PACK_WALK_H

#include "core/story.h"

struct walk;

struct walk *walk_begin(void);
/* Plays a text; `file` names it in messages. False, with file:line and what was wrong in walk_problem(), if a step did
 * not come out as it says. */
bool walk_play(struct walk *walk, const char *file, const char *text);
const char *walk_problem(const struct walk *walk); /* or where it has come to, so far */
struct story *walk_story(struct walk *walk);
void walk_end(struct walk *walk); /* compares the folds, frees */

/* A file below the root of the source, as text in `arena`; NULL if it cannot be read. */
const char *walk_text(struct arena *arena, const char *path);

#endif
