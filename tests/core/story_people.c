/* story_people.c - the people of a directory file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/story_people.h"
#include "definition/people.h"

struct value story_people_read(struct arena *arena, const char *file)
{
    struct value people;
    struct error err;

    if (people_entries(file, arena, &people, &err) != 0)
        fail_msg("%s", err.text);
    return people;
}
