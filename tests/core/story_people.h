/* story_people.h - the people of a directory file (config/sample/directory.cfg), as `directory.install` takes them. */
#ifndef ROTA_TESTS_CORE_STORY_PEOPLE_H
#define ROTA_TESTS_CORE_STORY_PEOPLE_H

#include "base/arena.h"
#include "base/value.h"

/* An array of {name, kind, roles, manager, title, email}, without keys. Ends the test if the file cannot be read. */
struct value story_people_read(struct arena *arena, const char *file);

#endif
