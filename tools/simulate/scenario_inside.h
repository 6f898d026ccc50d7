/* scenario_inside.h - what the parts of reading a scenario share; nobody else includes it.
 *
 *     scenario.c         the file -> what was written, by tables
 *     scenario_values.c  fields of records, and files that hold records
 *     scenario_check.c   names, moments: what was written against the directory and the pack
 */
#ifndef ROTA_SIMULATE_SCENARIO_INSIDE_H
#define ROTA_SIMULATE_SCENARIO_INSIDE_H

#include "definition/option.h"
#include "simulate/scenario.h"

/* A group of any depth as a value: groups are maps, lists are arrays. Into a struct value. */
void read_tree(struct reader *reader, const config_setting_t *setting, void *into);

/* The record that the opening's file holds: kind, title, and fields below those that the scenario gives. */
void scenario_read_record(struct scenario *scenario, struct opening *opening,
                          struct problems *problems);

/* A path of the scenario, relative to its folder. */
const char *scenario_file(struct scenario *scenario, const char *path);

void scenario_check(struct scenario *scenario, struct problems *problems);

#endif
