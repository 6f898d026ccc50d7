/* compile.h - compiles every pending expression of a built pack and checks that what it gives fits its place. */
#ifndef ROTA_DEFINITION_COMPILE_H
#define ROTA_DEFINITION_COMPILE_H

#include "definition/problems.h"

void compile_pack(struct pack *pack, struct arena *arena, struct problems *problems);

#endif
