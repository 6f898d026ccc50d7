/* chart.c - two pictures under one heading, on one time axis: a map of load, and the overdue work below it.
 *
 * Numbers are whole or tenths of a pixel, so that the same years give the same bytes everywhere.
 */
#include "simulate/chart.h"

#include <stdio.h>

enum {
    WIDTH = 1180,
    LEFT = 150,  /* names */
    RIGHT = 190, /* totals */
    TOP = 96,
    ROW = 24, /* one person */
    GAP = 64, /* between the pictures */
    OVERDUE_HEIGHT = 150,
    BOTTOM = 56,
    SHADES = 7,
    NUMBERS_UP_TO = 40 /* months beyond which cells carry no number */
};

struct chart {
    const struct tally *tally;
    struct buf *out;
    int plot;  /* width of the time axis */
    int most;  /* deeds of the busiest cell */
    int total; /* deeds of the busiest person */
};

static const char *const shades[SHADES] = {"#eef3f8", "#d3e3f0", "#a9cbe3", "#74abd1",
                                           "#4486b8", "#22629a", "#0f406f"};

static void add_text(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            buf_add_str(out, "&lt;");
        else if (*text == '&')
            buf_add_str(out, "&amp;");
        else if (*text == '>')
            buf_add_str(out, "&gt;");
        else if ((unsigned char)*text >= ' ')
            buf_add_byte(out, (uint8_t)*text);
    }
}

/* Tenths of a pixel. */
static void add_tenths(struct buf *out, int64_t tenths)
{
    buf_addf(out, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

static int64_t month_x(const struct chart *chart, int month)
{
    return (LEFT * 10LL) + chart->plot * 10LL * month / chart->tally->month_count;
}

static void measure(struct chart *chart)
{
    chart->plot = WIDTH - LEFT - RIGHT;
    chart->most = chart->total = 1;
    for (int p = 0; p < chart->tally->person_count; p++) {
        const struct tally_person *person = &chart->tally->people[p];

        if (person->total.deeds > chart->total)
            chart->total = person->total.deeds;
        for (int m = 0; m < chart->tally->month_count; m++) {
            if (person->months[m].deeds > chart->most)
                chart->most = person->months[m].deeds;
        }
    }
}

/* ---- the map of load ---- */

static int shade_of(const struct chart *chart, int deeds)
{
    if (deeds == 0)
        return 0;
    /* The middle shades are for the ordinary months: a busy first one must not make all others pale. */
    for (int shade = 1; shade < SHADES - 1; shade++) {
        if (deeds * (SHADES - 1) * (SHADES - 1) <= chart->most * shade * shade)
            return shade;
    }
    return SHADES - 1;
}

static void add_cell(const struct chart *chart, const struct tally_person *person, int month, int y)
{
    const struct load *load = &person->months[month];
    int shade = shade_of(chart, load->deeds);
    int64_t x = month_x(chart, month), next = month_x(chart, month + 1);
    struct buf *out = chart->out;
    char name[8];

    tally_month_name(chart->tally, month, name);
    buf_add_str(out, "<g><rect x=\"");
    add_tenths(out, x + 5);
    buf_addf(out, "\" y=\"%d\" width=\"", y + 1);
    add_tenths(out, next - x - 10);
    buf_addf(out, "\" height=\"%d\" rx=\"2\" fill=\"%s\"/><title>", ROW - 2, shades[shade]);
    add_text(out, person->name);
    buf_addf(out, ", %s: %d done, %d signed, %d notices</title>", name, load->deeds,
             load->signatures, load->notices);
    if (load->deeds > 0 && chart->tally->month_count <= NUMBERS_UP_TO) {
        buf_add_str(out, "<text class=\"n\" x=\"");
        add_tenths(out, (x + next) / 2);
        buf_addf(out, "\" y=\"%d\" fill=\"%s\">%d</text>", y + ROW / 2 + 4,
                 shade >= 4 ? "#ffffff" : "#3b5168", load->deeds);
    }
    buf_add_str(out, "</g>\n");
}

static void add_person(const struct chart *chart, const struct tally_person *person, int y)
{
    int x = LEFT + chart->plot + 14, wide = RIGHT - 82;
    struct buf *out = chart->out;

    buf_addf(out, "<text class=\"who\" x=\"%d\" y=\"%d\">", LEFT - 12, y + ROW / 2 + 4);
    add_text(out, person->name);
    buf_add_str(out, "<title>");
    add_text(out, person->title);
    buf_add_str(out, "</title></text>\n");
    for (int m = 0; m < chart->tally->month_count; m++)
        add_cell(chart, person, m, y);
    buf_addf(out, "<rect x=\"%d\" y=\"%d\" width=\"", x, y + 6);
    add_tenths(out, wide * 10LL * person->total.deeds / chart->total);
    buf_addf(out, "\" height=\"%d\" rx=\"2\" fill=\"#74abd1\"/>\n", ROW - 12);
    buf_addf(out, "<rect x=\"%d\" y=\"%d\" width=\"", x, y + 6);
    add_tenths(out, wide * 10LL * person->total.signatures / chart->total);
    buf_addf(out, "\" height=\"%d\" rx=\"2\" fill=\"#0f406f\"/>\n", ROW - 12);
    buf_addf(out, "<text class=\"sum\" x=\"%d\" y=\"%d\">%d</text>\n", WIDTH - 20, y + ROW / 2 + 4,
             person->total.deeds);
}

/* ---- the axis that both share ---- */

static void add_years(const struct chart *chart, int y, int height)
{
    struct buf *out = chart->out;
    int step = chart->tally->month_count > 60 ? 12 : chart->tally->month_count > 30 ? 3 : 1;

    for (int m = 0; m < chart->tally->month_count; m++) {
        char name[8];
        int month;

        tally_month_name(chart->tally, m, name);
        month = (name[5] - '0') * 10 + name[6] - '0';
        if (month == 1 || m == 0) {
            buf_add_str(out, "<line class=\"year\" x1=\"");
            add_tenths(out, month_x(chart, m));
            buf_addf(out, "\" y1=\"%d\" x2=\"", y - height - 8);
            add_tenths(out, month_x(chart, m));
            buf_addf(out, "\" y2=\"%d\"/>\n<text class=\"axis\" x=\"", y + 22);
            add_tenths(out, month_x(chart, m) + 40);
            buf_addf(out, "\" y=\"%d\">%.4s</text>\n", y + 30, name);
        }
        if ((month - 1) % step == 0) {
            buf_add_str(out, "<text class=\"month\" x=\"");
            add_tenths(out, (month_x(chart, m) + month_x(chart, m + 1)) / 2);
            buf_addf(out, "\" y=\"%d\">%d</text>\n", y + 14, month);
        }
    }
}

/* ---- overdue work ---- */

static int64_t day_x(const struct chart *chart, int day)
{
    int32_t date = chart->tally->first_day + day;
    int month = tally_month(chart->tally, date), year, number, first;

    date_parts(date, &year, &number, &first);
    return month_x(chart, month) +
           (month_x(chart, month + 1) - month_x(chart, month)) * (first - 1) / 31;
}

static int scale_of(int most)
{
    static const int steps[] = {4, 8, 12, 20, 40, 80, 120, 200, 400, 800, 2000, 8000};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (most <= steps[i])
            return steps[i];
    }
    return most;
}

static void add_overdue(const struct chart *chart, int top)
{
    const struct tally *tally = chart->tally;
    int scale = scale_of(tally->most_overdue), base = top + OVERDUE_HEIGHT;
    struct buf *out = chart->out;

    for (int line = 0; line <= 4; line++) {
        int y = base - OVERDUE_HEIGHT * line / 4;

        buf_addf(out, "<line class=\"grid\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", LEFT, y,
                 LEFT + chart->plot, y);
        buf_addf(out, "<text class=\"who\" x=\"%d\" y=\"%d\">%d</text>\n", LEFT - 12, y + 4,
                 scale * line / 4);
    }
    buf_addf(out, "<path class=\"late\" d=\"M%d %d", LEFT, base);
    for (int day = 0; day < tally->day_count; day++) {
        if (day > 0 && tally->overdue[day] == tally->overdue[day - 1] && day + 1 < tally->day_count)
            continue;
        buf_add_str(out, "H");
        add_tenths(out, day_x(chart, day));
        buf_add_str(out, "V");
        add_tenths(out, base * 10LL - OVERDUE_HEIGHT * 10LL * tally->overdue[day] / scale);
    }
    buf_addf(out, "H%d V%d Z\"/>\n", LEFT + chart->plot, base);
    add_years(chart, base, base - TOP);
}

/* ---- the whole ---- */

static void add_head(const struct chart *chart, int height)
{
    const struct tally *tally = chart->tally;
    char first[DATE_TEXT_LEN + 1], last[DATE_TEXT_LEN + 1];
    struct buf *out = chart->out;

    date_format(tally->first_day, first);
    date_format(tally->last_day, last);
    buf_addf(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
             "height=\"%d\" font-family=\"Inter, 'Helvetica Neue', 'DejaVu Sans', sans-serif\">\n",
             WIDTH, height, WIDTH, height);
    buf_add_str(out, "<style>.who{font-size:12px;text-anchor:end;fill:#33475b}.n{font-size:10px;"
                     "text-anchor:middle}.sum{font-size:12px;text-anchor:end;fill:#33475b;"
                     "font-weight:600}.month{font-size:10px;text-anchor:middle;fill:#8496a9}"
                     ".axis{font-size:12px;fill:#33475b;font-weight:600}.year{stroke:#c4d0dc;"
                     "stroke-width:1}.grid{stroke:#e5ebf1;stroke-width:1}.late{fill:#e8a87c;"
                     "fill-opacity:.55;stroke:#c8622c;stroke-width:1.4}.h{font-size:14px;"
                     "font-weight:600;fill:#1d2f42;paint-order:stroke;stroke:#ffffff;stroke-width:"
                     "5px}.s{font-size:12px;fill:#6b7f93}</style>\n");
    buf_addf(out, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", WIDTH, height);
    buf_add_str(out,
                "<text x=\"24\" y=\"36\" font-size=\"20\" font-weight=\"600\" fill=\"#1d2f42\">");
    add_text(out, tally->name);
    buf_addf(
        out,
        "</text>\n<text class=\"s\" x=\"24\" y=\"57\">%s to %s, seed %lld: %d reviews opened, %d "
        "done, %d reminders, %d escalations, %d overdue at most</text>\n",
        first, last, (long long)tally->seed, tally->reviews_opened, tally->reviews_done,
        tally->reminders, tally->escalations, tally->most_overdue);
}

static void add_legend(const struct chart *chart, int y)
{
    struct buf *out = chart->out;
    int x = LEFT + chart->plot - 150;

    buf_addf(out, "<text class=\"s\" x=\"%d\" y=\"%d\" text-anchor=\"end\">fewer</text>\n", x - 8,
             y);
    for (int shade = 0; shade < SHADES; shade++)
        buf_addf(out, "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"10\" rx=\"2\" fill=\"%s\"/>",
                 x + shade * 16, y - 9, shades[shade]);
    buf_addf(out, "\n<text class=\"s\" x=\"%d\" y=\"%d\">more</text>\n", x + SHADES * 16 + 6, y);
    buf_addf(out,
             "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" rx=\"2\" fill=\"#0f406f\"/>"
             "<text class=\"s\" x=\"%d\" y=\"%d\">signed</text>"
             "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" rx=\"2\" fill=\"#74abd1\"/>"
             "<text class=\"s\" x=\"%d\" y=\"%d\">all</text>\n",
             LEFT + chart->plot + 14, y - 9, LEFT + chart->plot + 29, y, LEFT + chart->plot + 84,
             y - 9, LEFT + chart->plot + 99, y);
}

void chart_svg(const struct tally *tally, struct buf *out)
{
    struct chart chart = {.tally = tally, .out = out};
    int people = tally->person_count * ROW, overdue = TOP + people + GAP;

    measure(&chart);
    add_head(&chart, overdue + OVERDUE_HEIGHT + BOTTOM);
    buf_addf(out,
             "<text class=\"h\" x=\"%d\" y=\"%d\">What each person did, month by month</text>\n",
             LEFT, TOP - 14);
    add_legend(&chart, TOP - 14);
    for (int p = 0; p < tally->person_count; p++)
        add_person(&chart, &tally->people[p], TOP + p * ROW);
    buf_addf(
        out,
        "<text class=\"h\" x=\"%d\" y=\"%d\">Records past a date of theirs, day by day</text>\n",
        LEFT, overdue - 20);
    add_overdue(&chart, overdue);
    buf_add_str(out, "</svg>\n");
}
