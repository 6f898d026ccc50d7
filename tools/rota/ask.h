/* ask.h - questions and commands of this run: who asks, where the engine is, what came of it.
 *
 * Every function returns a status of the program (tool.h) and has said on stderr what went wrong when that is
 * not TOOL_DONE. The connection is made by the first question. What comes back lives in `tool->arena`.
 */
#ifndef ROTA_ASK_H
#define ROTA_ASK_H

#include "tool.h"
#include "wire/command.h"
#include "wire/keyfile.h"

enum { ASK_ID_LEN = 32, ASK_CHUNK = 512 * 1024, ASK_PERSONS_MAX = 1024 };

/* rotad.cfg of an organisation, as far as a client needs it. Endpoints can be connected to as they stand. */
struct engine_place {
    const char *front, *feed, *admin; /* NULL: not set */
    const char *timezone;
    bool is_insecure; /* development: no CURVE, no keys */
    char server_key[CURVE_Z85_LEN + 1];
};

int ask_place(struct tool *tool, struct engine_place *out);
/* rotad.cfg alone, without a word; -1 if it cannot be read. No key is read. */
int ask_place_quietly(struct tool *tool, struct engine_place *out, struct error *err);

/* Who asks: --as, $ROTA_AS, or the only person whose key is here. */
int ask_who(struct tool *tool, const char **out);
/* Those whose key is here, by name; how many. */
int ask_persons_here(struct tool *tool, const char *names[ASK_PERSONS_MAX]);
/* Their key. The caller wipes it (keyfile_wipe). */
int ask_key(struct tool *tool, const char *who, struct keyfile *out);

/* A query; `*out` is its answer's `out`. `patience_ms` as in client.h. */
int ask_query(struct tool *tool, const char *query, struct value args, struct value *out);
int ask_events(struct tool *tool, const struct value *question, int64_t patience_ms,
               struct value *out);

/* As ask_query; a refusal with 404 is not said and not an error: `*out` is nil then. */
int ask_query_if(struct tool *tool, const char *query, struct value args, struct value *out);

/* A command; makes an id if `command->id` is empty. */
int ask_command(struct tool *tool, struct command *command, struct reply *out);
/* The same; a refusal is not said: `*out` has it, and ask_refused() says it. */
int ask_command_quietly(struct tool *tool, struct command *command, struct reply *out);
int ask_refused(struct tool *tool, const struct reply *reply);
/* A command about no record; says `done`, or with --json the engine's answer. */
int ask_told(struct tool *tool, const char *name, const struct value *args, const char *done);
struct slice ask_new_id(struct tool *tool);

/* Administration, over the admin socket: no key is needed, the kernel says who asks. */
int ask_admin(struct tool *tool, const char *command, struct value args, struct value *out);
/* The same without a word when nobody listens: TOOL_NO_ENGINE and nothing on stderr. */
int ask_admin_quietly(struct tool *tool, const char *command, struct value args, struct value *out);

/* A command by whoever owns the engine's account: on the admin socket too. */
int ask_operator(struct tool *tool, const char *command, struct value args, struct value *out);
/* And a query by them. */
int ask_operator_query(struct tool *tool, const char *query, struct value args, struct value *out);

/* A values_upload_fn (values.h); self is the tool. */
int ask_upload(void *self, struct slice data, struct value *out, struct error *err);

/* The same with a salt that is not secret: for what is the same for everybody. -1 and no text: it was said. */
int ask_upload_salted(struct tool *tool, struct slice data, const uint8_t salt[16],
                      struct value *out, struct error *err);

/* Bytes of a content reference, at most `max`. */
int ask_content(struct tool *tool, struct slice hash, size_t max, struct slice *out);

void ask_close(struct tool *tool);

#endif
