/* event.h - an event on a record: prepared, signed if it must be, sent; and what is said about it. */
#ifndef ROTA_EVENT_H
#define ROTA_EVENT_H

#include "ask.h"
#include "tool.h"

/* Makes the command for `event` on `record` as the arguments ask (--reason, --change, field=value from word
 * `first` on) and signs it if the engine says that it must be signed: what is signed is shown (preview.h), and on a terminal
 * asked about before. Where the engine says that it will refuse, nobody is asked to sign: the command carries no signature and is
 * to be sent all the same, for the refusal is an entry. */
int event_prepare(struct tool *tool, const struct arguments *given, int first, const char *record,
                  const char *event, struct command *out);

/* The parts of it, for commands that are signed like an event: what the engine says of it, and the signature over what stands in
 * `command` then, if `prepared` says that it must be signed: shown and, if `asks`, on a terminal asked about. */
int event_ask(struct tool *tool, const char *record, const char *event, struct value *prepared);
int event_sign(struct tool *tool, const struct value *prepared, const char *event, bool asks,
               struct command *command);

/* The same for what is no event of a record's: it is about no record, and nothing is shown. `what` names it in messages. */
int event_sign_other(struct tool *tool, const struct value *prepared, const char *what,
                     struct command *command);

/* event_prepare, sent, told. */
int event_send(struct tool *tool, const struct arguments *given, int first, const char *record,
               const char *event);

/* Tells what a command did: a line for people, the reply for programs. */
void event_tell(struct tool *tool, const struct command *command, const struct reply *reply);

/* The event that is this `vote` (NULL: none is) or the first of `names` that this person may do now with the
 * record; or, if there is none, one that its kind knows, so that the engine can say why not. */
int event_pick(struct tool *tool, const char *record, const char *vote, const char *const *names,
               const char **out);

/* The options that events share. */
#define EVENT_OPTIONS                                                                              \
    {"--reason", "TEXT", "why; @FILE reads it from a file"},                                       \
        {"--from", "FILE", "fields from a libconfig or JSON file"},                                \
        {"--for", "WHO", "in whose place; found by itself if it is clear"},                        \
        {"--change", "major|minor", "what the next version will be"},                              \
        {"--yes", NULL, "on a terminal: sign what is shown without being asked"},                  \
    {                                                                                              \
        "--id", "ID", "the command's id: the same id again gives the same answer and does nothing" \
    }

#endif
