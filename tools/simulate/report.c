/* report.c - the summary. */
#include "simulate/report.h"

#include <stdio.h>

enum { NAME_SHOWN_MAX = 28 };

/* ---- text ---- */

static void heading(struct buf *out, const char *text)
{
    buf_addf(out, "\n%s\n", text);
}

static void counted(struct buf *out, const char *what, int count, const char *more)
{
    buf_addf(out, "  %-28s %8d%s%s\n", what, count, more[0] != '\0' ? "   " : "", more);
}

static void add_years(const struct tally *tally, struct buf *out)
{
    char first[DATE_TEXT_LEN + 1], last[DATE_TEXT_LEN + 1];

    date_format(tally->first_day, first);
    date_format(tally->last_day, last);
    buf_addf(out, "%s\n%s to %s, %d days, seed %lld\n", tally->name, first, last, tally->day_count,
             (long long)tally->seed);
}

static void add_totals(const struct tally *tally, struct buf *out)
{
    char more[64];

    heading(out, "What happened");
    counted(out, "records opened", tally->records, "");
    counted(out, "reviews opened", tally->reviews_opened, "");
    counted(out, "reviews done", tally->reviews_done, "");
    counted(out, "signatures asked for", tally->approvals_asked, "");
    counted(out, "signatures given", tally->signatures, "");
    counted(out, "notices", tally->notices, "");
    counted(out, "reminders", tally->reminders, "");
    counted(out, "escalations", tally->escalations, "");
    snprintf(more, sizeof more, "%d days in all, at most %d at once", tally->overdue_days,
             tally->most_overdue);
    counted(out, "became overdue", tally->overdue_began, more);
    counted(out, "refusals", tally->refusals, "");
    snprintf(more, sizeof more, "%d attempts failed, %d parked", tally->attempts_failed,
             tally->tasks_parked);
    counted(out, "tasks done", tally->tasks_done, more);
    snprintf(more, sizeof more, "passed %d times, never unmet", tally->gates_passed);
    counted(out, "gates that held", tally->gates_held, more);
    buf_addf(out, "  %-28s %8d   in %d runs; what is stored equals their fold\n",
             "leaves of the journal", tally->leaves, tally->runs);
}

static void add_documents(const struct tally *tally, struct buf *out)
{
    heading(out,
            "Documents              versions  reviews  reaffirmed  changed  missed  days late");
    for (int i = 0; i < tally->document_count; i++) {
        const struct tally_document *one = &tally->documents[i];

        buf_addf(out, "  %-20s %9d %8d %11d %8d %7d %10d\n", one->id, one->versions,
                 one->reviews_opened, one->reaffirmed, one->changed, one->missed,
                 one->overdue_days);
    }
}

static int busiest(const struct tally *tally, const struct tally_person *person)
{
    int best = 0;

    for (int m = 1; m < tally->month_count; m++) {
        if (person->months[m].deeds > person->months[best].deeds)
            best = m;
    }
    return best;
}

static void add_people(const struct tally *tally, struct buf *out)
{
    char month[8];

    heading(out, "People        done  a month  signed  notices  a month  busiest month");
    for (int i = 0; i < tally->person_count; i++) {
        const struct tally_person *one = &tally->people[i];
        int best = busiest(tally, one), months = tally->month_count;

        tally_month_name(tally, best, month);
        buf_addf(out, "  %-12s %5d %5d.%d %7d %8d %5d.%d  ", one->name, one->total.deeds,
                 one->total.deeds / months, one->total.deeds * 10 / months % 10,
                 one->total.signatures, one->total.notices, one->total.notices / months,
                 one->total.notices * 10 / months % 10);
        if (one->months[best].deeds > 0)
            buf_addf(out, "%s (%d)", month, one->months[best].deeds);
        buf_addf(out, "\n");
    }
}

static void add_gates(const struct tally *tally, struct buf *out)
{
    if (tally->gate_count == 0)
        return;
    heading(out, "Gates that held, and how often somebody came to them");
    for (int i = 0; i < tally->gate_count; i++)
        buf_addf(out, "  %-60s %4d\n", tally->gates[i].text, tally->gates[i].count);
}

static void add_stuck(const struct tally *tally, struct buf *out)
{
    if (tally->stuck_count == 0)
        return;
    heading(out, "Where nobody got on, what stood in the way, and how often it was tried");
    for (int i = 0; i < tally->stuck_count; i++)
        buf_addf(out, "  %s (%d)\n", tally->stuck[i].text, tally->stuck[i].count);
}

static void add_end(const struct tally *tally, struct buf *out)
{
    heading(out, "At the end");
    for (int i = 0; i < tally->state_count; i++) {
        const struct tally_state *one = &tally->states[i];
        bool is_same = i > 0 && strcmp(tally->states[i - 1].kind, one->kind) == 0;

        buf_addf(out, "%s%-24s %-22s %6d\n", is_same ? "  " : "  ", is_same ? "" : one->kind,
                 one->state, one->count);
    }
}

void report_text(const struct tally *tally, struct buf *out)
{
    add_years(tally, out);
    add_totals(tally, out);
    if (tally->document_count > 0)
        add_documents(tally, out);
    add_people(tally, out);
    add_gates(tally, out);
    add_stuck(tally, out);
    add_end(tally, out);
}

/* ---- values ---- */

static void put(struct arena *arena, struct value *map, const char *key, int64_t number)
{
    value_set(arena, map, key, value_int(number));
}

static struct value date_value(struct arena *arena, int32_t date)
{
    char *text = arena_take(arena, DATE_TEXT_LEN + 1);

    date_format(date, text);
    return value_str(text);
}

static struct value months_value(const struct tally *tally, const struct tally_person *person,
                                 struct arena *arena)
{
    struct value list = value_array();

    for (int m = 0; m < tally->month_count; m++) {
        struct value one = value_map();
        char month[8];

        tally_month_name(tally, m, month);
        value_set(arena, &one, "month", value_str(arena_str(arena, month)));
        put(arena, &one, "done", person->months[m].deeds);
        put(arena, &one, "notices", person->months[m].notices);
        put(arena, &one, "signatures", person->months[m].signatures);
        value_push(arena, &list, one);
    }
    return list;
}

static struct value people_value(const struct tally *tally, struct arena *arena)
{
    struct value list = value_array();

    for (int i = 0; i < tally->person_count; i++) {
        const struct tally_person *person = &tally->people[i];
        struct value one = value_map();

        value_set(arena, &one, "name", value_str(arena_str(arena, person->name)));
        put(arena, &one, "done", person->total.deeds);
        put(arena, &one, "notices", person->total.notices);
        put(arena, &one, "signatures", person->total.signatures);
        value_set(arena, &one, "months", months_value(tally, person, arena));
        value_push(arena, &list, one);
    }
    return list;
}

static struct value documents_value(const struct tally *tally, struct arena *arena)
{
    struct value list = value_array();

    for (int i = 0; i < tally->document_count; i++) {
        const struct tally_document *document = &tally->documents[i];
        struct value one = value_map();

        value_set(arena, &one, "document", value_str(arena_str(arena, document->id)));
        value_set(arena, &one, "title", value_str(arena_str(arena, document->title)));
        put(arena, &one, "versions", document->versions);
        put(arena, &one, "reviews_opened", document->reviews_opened);
        put(arena, &one, "reaffirmed", document->reaffirmed);
        put(arena, &one, "changed", document->changed);
        put(arena, &one, "missed", document->missed);
        put(arena, &one, "overdue_days", document->overdue_days);
        value_push(arena, &list, one);
    }
    return list;
}

static struct value end_value(const struct tally *tally, struct arena *arena)
{
    struct value kinds = value_map();

    for (int i = 0; i < tally->state_count; i++) {
        const struct tally_state *one = &tally->states[i];
        struct value *kind = value_sub(arena, &kinds, slice_str(arena_str(arena, one->kind)));

        put(arena, kind, arena_str(arena, one->state), one->count);
    }
    return kinds;
}

static struct value texts_value(const struct tally_text *texts, int count, const char *name,
                                struct arena *arena)
{
    struct value list = value_array();

    for (int i = 0; i < count; i++) {
        struct value one = value_map();

        value_set(arena, &one, name, value_str(arena_str(arena, texts[i].text)));
        put(arena, &one, "times", texts[i].count);
        value_push(arena, &list, one);
    }
    return list;
}

static void put_totals(const struct tally *tally, struct arena *arena, struct value *out)
{
    put(arena, out, "seed", tally->seed);
    put(arena, out, "days", tally->day_count);
    put(arena, out, "records", tally->records);
    put(arena, out, "leaves", tally->leaves);
    put(arena, out, "runs", tally->runs);
    put(arena, out, "reviews_opened", tally->reviews_opened);
    put(arena, out, "reviews_done", tally->reviews_done);
    put(arena, out, "approvals_asked", tally->approvals_asked);
    put(arena, out, "signatures", tally->signatures);
    put(arena, out, "votes", tally->votes);
    put(arena, out, "notices", tally->notices);
    put(arena, out, "reminders", tally->reminders);
    put(arena, out, "escalations", tally->escalations);
    put(arena, out, "overdue_began", tally->overdue_began);
    put(arena, out, "overdue_days", tally->overdue_days);
    put(arena, out, "refusals", tally->refusals);
    put(arena, out, "tasks_done", tally->tasks_done);
    put(arena, out, "attempts_failed", tally->attempts_failed);
    put(arena, out, "tasks_parked", tally->tasks_parked);
    put(arena, out, "gates_held", tally->gates_held);
    put(arena, out, "gates_passed", tally->gates_passed);
}

struct value report_value(const struct tally *tally, struct arena *arena)
{
    struct value out = value_map();

    value_set(arena, &out, "scenario", value_str(arena_str(arena, tally->name)));
    value_set(arena, &out, "from", date_value(arena, tally->first_day));
    value_set(arena, &out, "to", date_value(arena, tally->last_day));
    put_totals(tally, arena, &out);
    value_set(arena, &out, "documents", documents_value(tally, arena));
    value_set(arena, &out, "people", people_value(tally, arena));
    value_set(arena, &out, "gates", texts_value(tally->gates, tally->gate_count, "gate", arena));
    value_set(arena, &out, "stuck", texts_value(tally->stuck, tally->stuck_count, "record", arena));
    value_set(arena, &out, "at_the_end", end_value(tally, arena));
    return out;
}
