/* import.h - the findings of a file, cut into parts, each a command `audit.import`.
 *
 * A part says with which finding of how many it begins, and its id follows from the audit, the file and the place: whoever
 * breaks off asks the query `import` how far the file is and goes on from there, and a part that was on its way is the
 * same command when it is sent again. A file that fits into one part goes as it always did, without `from` and `of`.
 */
#ifndef ROTA_WIRE_IMPORT_H
#define ROTA_WIRE_IMPORT_H

#include "base/arena.h"
#include "base/value.h"

enum {
    IMPORT_PART_MAX = 64,          /* findings: each may cause several entries */
    IMPORT_PART_BYTES = 512 * 1024 /* of findings, encoded; one alone may have more */
};

/* The arguments of the part that begins with finding `from` of `report`: {tool, format, sha256, covers, file, findings}, the
 * last of which is an array. At most `max` findings, at most IMPORT_PART_BYTES. Gives how many: at least one
 * where there is one. `args` shares memory with `report`. */
uint32_t import_part(struct arena *arena, const struct value *report, uint32_t from, uint32_t max,
                     struct value *args);

/* The id of that command, in `arena`. */
struct slice import_part_id(struct arena *arena, struct slice audit, const struct value *args);

#endif
