/* source.h - what letters need from the engine: the head of the journal for their footer, and long
 * texts, which a task names by their content hash.
 *
 * Safe to use from several threads. The head is asked for at most every few seconds; an engine that
 * does not answer costs a second, and then nothing for a while: a letter without a head is better
 * than none.
 */
#ifndef ROTA_POST_SOURCE_H
#define ROTA_POST_SOURCE_H

#include "base/buf.h"
#include "common/program.h"

struct source;

int source_open(struct program *program, struct source **out, struct error *err);
void source_close(struct source **source);

/* {size, root, note?}; owned. NULL if it is not known. */
struct rota_doc *source_head(struct source *source);

enum { SOURCE_TEXT_MAX = 512 * 1024 };

/* Appends the content that `reference` ({content, size}) names. The engine's status: 200; 404, 413
 * ...; -1: no answer. */
int source_text(struct source *source, const struct rota_value *reference, struct buf *out);

#endif
