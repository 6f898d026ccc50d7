/* forgery.h - a story's journal as somebody would leave it who has the database, the engine's keys and the administrator's
 * account, but neither two root keys nor the key of the person in whose name he acts.
 *
 * He has the engine as well, so nothing of what he leaves shows it: leaves are numbered, hashed and signed by the log's key,
 * the stored state is their fold. What stands against him is that people sign, and what they sign; rota-verify is asked.
 */
#ifndef ROTA_TESTS_CORE_FORGERY_H
#define ROTA_TESTS_CORE_FORGERY_H

#include "core/leaf.h"
#include "core/story.h"

struct forgery;

/* A copy of the journal as it stands, to be rewritten. The story goes on as it was. */
struct forgery *forgery_begin(struct story *story);

/* The nth leaf (from 1) of this type on a stream (NULL: any), to be written in. Ends the test if there is none. */
struct leaf *forgery_leaf(struct forgery *forgery, const char *type, const char *stream, int nth);

/* What it does to a row, to be written in; "" is its own. Made if there is nothing. */
struct value *forgery_effect(struct forgery *forgery, struct leaf *leaf, const char *row);

void forgery_set(struct forgery *forgery, struct value *map, const char *key, struct value value);

/* A leaf by the engine, or by somebody, at the end: about the record. `effects` is JSON with ' for ". */
struct leaf *forgery_add(struct forgery *forgery, const char *type, const char *stream,
                         const char *actor, const char *body, const char *effects);

/* Takes a leaf out, as if it had never been. */
void forgery_remove(struct forgery *forgery, const struct leaf *leaf);

/* Puts a leaf before another, at its time, as if it had been then. */
void forgery_move(struct forgery *forgery, struct leaf *leaf, const struct leaf *before);

/* Makes all that the engine says of the directory agree again with its entries: the digest of the whole, and `under` in what was
 * decided, and the pack that counted where a
 * decision is about no record. */
void forgery_settle(struct forgery *forgery);

/* Signs the leaf as it will stand, with a key by its name: what he can do with keys that he has. */
void forgery_sign(struct forgery *forgery, struct leaf *leaf, const char *key);

/* JSON with ' for ", as a value of the forgery's. */
struct value forgery_value(struct forgery *forgery, const char *text);

/* rota-verify finds fault with it, and says this code among others. Frees it. */
void forgery_is_found(struct forgery **forgery, const char *code);

/* It says that it holds: for forgeries that leave everything as it was. Frees it. */
void forgery_holds(struct forgery **forgery);

#endif
