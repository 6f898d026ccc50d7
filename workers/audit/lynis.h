/* lynis.h - what a Lynis report says, as findings.
 *
 * A report is `key=value` lines; a key that repeats ends in `[]`. warning[] and suggestion[] become
 * findings: `ID|text|details|solution|`, "-" for nothing. Real reports break that in many ways;
 * each has an answer here:
 *
 *   a pipe inside the text              id from the left, details and solution from the right
 *   the same row again                  one finding; the copies are counted
 *   one id and text, several details    one finding, all details in its statement
 *   one id, several texts               one finding each
 *   a warning that is a suggestion too  the warning stands
 *   a line without a key, no text,      a reject: line, what stood there, why; the rest is read
 *     an id that is none, a line over 16 KiB
 *   a byte order mark, CRLF, bytes      read, with a note on the finding that had to be mended
 *     that are not UTF-8
 *   no `finish=true`                    `complete` is false: what is not named is not gone
 *
 * All or nothing: a file that is no report, too large, or with too many findings is an error and
 * gives none.
 */
#ifndef ROTA_AUDIT_LYNIS_H
#define ROTA_AUDIT_LYNIS_H

#include "base/error.h"
#include "base/value.h"

enum {
    LYNIS_BYTES_MAX = 16 * 1024 * 1024,
    LYNIS_LINE_MAX = 16 * 1024, /* of a row; the lists of tests may be longer */
    LYNIS_FINDINGS_MAX = 20000,
    LYNIS_REJECTS_MAX = 100 /* listed; more are only counted */
};

/* Reads a report. `found_on` (YYYY-MM-DD) stands where the report has no readable date; NULL: then
 * that is an error. Gives, in `arena`:
 *
 *   {tool: "lynis", format: "lynis", version, sha256: 64 hex digits of the file, host, hostid,
 *    started, complete: bool,
 *    findings: [{title, dedupe_key,
 *                fields: {source, classification, severity, criterion, statement, location,
 *                         found_on, tool, rule_id, solution?, import_notes?}}],
 *    rejects: [{line, text, why}],
 *    counts: {lines, warnings, suggestions, findings, duplicates, rejects, tests_done, executed,
 *             skipped},
 *    skipped: [test ids that were not looked at]}
 */
int lynis_read(struct arena *arena, struct slice file, const char *found_on, struct value *out,
               struct error *err);

/* The Annex A controls that a test speaks about, by its prefix: "PKGS-7392" -> "A.8.8". */
const char *lynis_controls(struct slice test_id);

#endif
