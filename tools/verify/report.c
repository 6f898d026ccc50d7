#include "report.h"

#include "approvals.h"
#include "dmp.h"
#include "memory.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void report_init(struct report *report)
{
    *report = (struct report){
        .newest_checkpoint = -1, .newest_witnessed = -1, .newest_witnessed_time = -1};
}

static void findings_release(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        free(findings->at[i].text);
    free(findings->at);
    *findings = (struct findings){0};
}

void report_release(struct report *report)
{
    findings_release(&report->errors);
    findings_release(&report->warnings);
}

void report_clean(char *out, size_t room, struct bytes text)
{
    size_t len = text.len < room - 1 ? text.len : room - 1;
    bool is_text;

    while (len < text.len && len > 0 && (text.at[len] & 0xc0) == 0x80)
        len--; /* not through the middle of a character */
    is_text = utf8_valid(bytes_of(text.at, len));
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.at[i];
        bool is_control =
            c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0 && i > 0 && text.at[i - 1] == 0xc2);

        out[i] = (char)c;
        if (c >= 0x80 && !is_text)
            out[i] = '?';
        else if (is_control)
            out[i] = '?';
        if (is_control && c >= 0x80 && is_text)
            out[i - 1] = '?';
    }
    out[len] = '\0';
}

__attribute__((format(printf, 4, 0))) static void findings_add(struct findings *findings,
                                                               const char *code, int64_t seq,
                                                               const char *format, va_list args)
{
    char raw[REPORT_TEXT], *text;

    if (findings->count >= REPORT_MAX_ERRORS) {
        findings->not_shown++;
        return;
    }
    vsnprintf(raw, sizeof raw, format, args);
    text = memory_new(1, sizeof raw);
    report_clean(text, sizeof raw, bytes_text(raw));
    findings->at =
        memory_grow(findings->at, &findings->cap, findings->count + 1, sizeof *findings->at);
    findings->at[findings->count++] = (struct finding){code, text, seq};
}

void report_error(struct report *report, const char *code, int64_t seq, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    findings_add(&report->errors, code, seq, format, args);
    va_end(args);
}

void report_warn(struct report *report, const char *code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    findings_add(&report->warnings, code, REPORT_NO_SEQ, format, args);
    va_end(args);
}

static bool findings_have(const struct findings *findings, const char *code)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->at[i].code, code) == 0)
            return true;
    return false;
}

bool report_has(const struct report *report, const char *code)
{
    return findings_have(&report->errors, code) || findings_have(&report->warnings, code);
}

/* ---- for people ---- */

enum { FINDING_HANG = 7, FINDING_WIDTH_MIN = 40 };

struct paint {
    FILE *out;
    const char *red, *yellow, *green, *bold, *plain;
};

static struct paint paint_of(FILE *out, bool in_colour)
{
    if (!in_colour)
        return (struct paint){out, "", "", "", "", ""};
    return (struct paint){out, "\033[31m", "\033[33m", "\033[32m", "\033[1m", "\033[0m"};
}

static const char *clock_name(enum report_clock clock)
{
    return clock == CLOCK_SYSTEM ? "system" : clock == CLOCK_VIRTUAL ? "virtual" : "unknown";
}

static void print_facts(const struct report *report, FILE *out)
{
    fprintf(out, "journal      %s\n", report->origin[0] != '\0' ? report->origin : "unknown");
    fprintf(out, "clock        %s\n", clock_name(report->clock));
    fprintf(out, "entries      %llu in %llu streams\n", (unsigned long long)report->entries,
            (unsigned long long)report->streams);
    fprintf(out, "checkpoints  %llu", (unsigned long long)report->checkpoints);
    if (report->newest_checkpoint >= 0)
        fprintf(out, ", the newest over %lld entries", (long long)report->newest_checkpoint);
    fprintf(out, "; %llu kept outside\n", (unsigned long long)report->outside_checkpoints);
    if (report->has_witnesses && report->newest_witnessed >= 0)
        fprintf(out, "witnessed    %lld entries\n", (long long)report->newest_witnessed);
    if (report->contents > 0)
        fprintf(out, "contents     %llu, of which %llu erased\n",
                (unsigned long long)report->contents, (unsigned long long)report->contents_erased);
    fprintf(out, "signatures   %llu by people, checked\n", (unsigned long long)report->signatures);
    if (report->is_replayed)
        fprintf(out, "replay       %llu state rows\n", (unsigned long long)report->rows);
    else
        fprintf(out, "replay       not compared\n");
    fprintf(out, "root         %s\n", report->root);
    if (report->roots[0] != '\0')
        fprintf(out, "root keys    %s\n", report->roots);
}

/* A finding, at a terminal wrapped between words; elsewhere it stays one line. The first line has `column` columns already. */
static void print_text(FILE *out, int column, const char *text)
{
    struct winsize size = {0, 0, 0, 0};
    bool wraps = isatty(fileno(out)) == 1 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0;

    for (size_t len; *text != '\0'; text += len) {
        int width = 0;

        len = strspn(text, " ");
        len += strcspn(text + len, " ");
        for (size_t i = 0; i < len; i++)
            width += (text[i] & 0xc0) != 0x80; /* characters, not bytes */
        if (wraps && size.ws_col >= FINDING_WIDTH_MIN && column + width > size.ws_col) {
            fputs("\n       ", out);
            column = FINDING_HANG;
        }
        fwrite(text, 1, len, out);
        column += width;
    }
    fputc('\n', out);
}

static void print_findings(const struct paint *paint, const struct findings *findings,
                           const char *colour, const char *label)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->at[i];
        int column = (int)(strlen(label) + 1 + strlen(finding->code) + 2);

        fprintf(paint->out, "%s%s%s %s", colour, label, paint->plain, finding->code);
        if (finding->seq != REPORT_NO_SEQ)
            column += fprintf(paint->out, " at entry %lld", (long long)finding->seq);
        fputs(": ", paint->out);
        print_text(paint->out, column, finding->text);
    }
    if (findings->not_shown > 0)
        fprintf(paint->out, "%s%s%s and %zu more\n", colour, label, paint->plain,
                findings->not_shown);
}

void report_print(const struct report *report, FILE *out, bool in_colour, bool is_quiet)
{
    struct paint paint = paint_of(out, in_colour);

    if (!is_quiet) {
        print_facts(report, out);
        print_findings(&paint, &report->warnings, paint.yellow, "warning");
    }
    print_findings(&paint, &report->errors, paint.red, "ERROR  ");
    if (report->approvals != NULL && report_holds(report))
        approvals_print(report->approvals, out, in_colour);
    else if (report->approvals != NULL)
        fputs("approvals    not shown: the journal does not hold, so nothing in it is proven\n",
              out);
    if (report->clock == CLOCK_VIRTUAL)
        fprintf(out, "%s%sThis journal was kept under a virtual clock: not a real record.%s\n",
                paint.bold, paint.yellow, paint.plain);
    if (report_holds(report))
        fprintf(out, "%sThe journal holds.%s\n", paint.green, paint.plain);
    else
        fprintf(out, "%s%sThe journal does NOT hold: %zu error%s.%s\n", paint.bold, paint.red,
                report->errors.count + report->errors.not_shown,
                report->errors.count + report->errors.not_shown == 1 ? "" : "s", paint.plain);
}

/* ---- as JSON ---- */

static json_t *json_findings(const struct findings *findings)
{
    json_t *list = json_array();

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->at[i];
        json_t *seq = finding->seq == REPORT_NO_SEQ ? json_null() : json_integer(finding->seq);

        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "code", finding->code, "text",
                                              finding->text, "seq", seq));
    }
    return list;
}

static json_t *json_facts(const struct report *report)
{
    return json_pack(
        "{s:s?, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:b, s:I}", "origin",
        report->origin[0] != '\0' ? report->origin : NULL, "clock", clock_name(report->clock),
        "real_record", report->clock == CLOCK_SYSTEM, "entries", (json_int_t)report->entries,
        "streams", (json_int_t)report->streams, "checkpoints", (json_int_t)report->checkpoints,
        "newest_checkpoint", (json_int_t)report->newest_checkpoint, "outside_checkpoints",
        (json_int_t)report->outside_checkpoints, "root", report->root, "contents",
        (json_int_t)report->contents, "contents_erased", (json_int_t)report->contents_erased,
        "signatures", (json_int_t)report->signatures, "replayed", report->is_replayed, "rows",
        (json_int_t)report->rows);
}

int report_print_json(const struct report *report, FILE *out)
{
    json_t *all = json_facts(report);
    int result = -1;

    if (all == NULL)
        return -1;
    if (report->has_witnesses) {
        json_object_set_new(all, "newest_witnessed", json_integer(report->newest_witnessed));
        json_object_set_new(all, "newest_witnessed_time",
                            report->newest_witnessed_time < 0
                                ? json_null()
                                : json_integer(report->newest_witnessed_time));
    }
    if (report->roots[0] != '\0')
        json_object_set_new(all, "root_keys", json_string(report->roots));
    if (report->approvals != NULL)
        json_object_set_new(all, "approvals",
                            report_holds(report) ? approvals_json(report->approvals) : json_null());
    json_object_set_new(all, "warnings", json_findings(&report->warnings));
    json_object_set_new(all, "errors", json_findings(&report->errors));
    json_object_set_new(all, "errors_not_shown",
                        json_integer((json_int_t)report->errors.not_shown));
    json_object_set_new(all, "ok", json_boolean(report_holds(report)));
    if (json_dumpf(all, out, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0 && fputc('\n', out) != EOF)
        result = 0;
    json_decref(all);
    return result;
}
