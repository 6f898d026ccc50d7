/* packs.h - a pack, read and compiled in this program: for commands that work without an engine. */
#ifndef ROTA_PACKS_H
#define ROTA_PACKS_H

#include "core/model.h"
#include "tool.h"

#define PACKS_OPTION                                                                               \
    {                                                                                              \
        "--pack", "DIR", "the workflows to read; else those of the organisation, else the shipped" \
    }

/* DIR/pack of the organisation, or the shipped workflows; NULL if there are none. */
const char *packs_usual(struct tool *tool);

/* The directory that --pack names, or the usual one. NULL and said if there is none. */
const char *packs_directory(struct tool *tool, const struct arguments *given);

/* Loads it; everything that is wrong goes to stderr with its place (TOOL_INPUT). The caller frees it. */
int packs_load(struct tool *tool, const struct arguments *given, struct pack **out);

/* Says why a folder could not be loaded as a pack; if it is not there, which one beside it was probably meant. */
int packs_error(const char *directory, const struct error *err);

/* A kind by its name, or by the prefix of its records; the nearest name on stderr if there is none (TOOL_USAGE). */
int packs_kind(const struct pack *pack, const char *name, const struct kind **out);

#endif
