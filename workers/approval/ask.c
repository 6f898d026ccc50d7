#include "approval/ask.h"

#include "base/date.h"

#include <stdlib.h>

enum {
    CHANGES_MAX = 200,     /* rows of the list; more are counted */
    SHOWN_BYTES_MAX = 400, /* of a value before and after */
    TEXT_BYTES_MAX = 64 * 1024
};

int asking_open(const struct program *program, struct asking *out, struct error *err)
{
    *out = (struct asking){.program = program};
    return courier_open(program, &out->courier, err);
}

void asking_release(struct asking *asking)
{
    courier_release(&asking->courier);
}

/* ---- the letter ---- */

/* A field of the input in a letter is one line: what somebody wrote must not look like our own
 * sentences. */
static void add_line(struct buf *out, const char *label, const char *text)
{
    buf_addf(out, "  %-10s", label);
    for (; *text != '\0'; text++)
        buf_add_byte(out, (unsigned char)*text < 0x20 ? ' ' : (uint8_t)*text);
    buf_add_byte(out, '\n');
}

static void add_if(struct buf *out, const char *label, const struct rota_value *input,
                   const char *pointer)
{
    const char *text = rota_text(input, pointer, "");

    if (text[0] != '\0')
        add_line(out, label, text);
}

/* A digest as text stands there as it is; as bytes, in hexadecimal digits. */
static void add_digest(struct buf *out, const struct rota_value *input)
{
    const unsigned char *bytes;
    struct buf hex = BUF_EMPTY;
    size_t len;

    bytes = rota_bytes(input, "/digest", &len);
    buf_add_str(&hex, rota_text(input, "/digest", ""));
    for (size_t i = 0; i < len; i++)
        buf_addf(&hex, "%02x", bytes[i]);
    if (hex.len > 0)
        add_line(out, "digest", buf_text(&hex));
    buf_release(&hex);
}

/* Quoted, so that the text of a record cannot be mistaken for the letter around it. */
static void add_quoted(struct buf *out, const char *text)
{
    size_t len = strlen(text), limit = len < TEXT_BYTES_MAX ? len : TEXT_BYTES_MAX;
    bool at_start = true;

    for (size_t i = 0; i < limit; i++) {
        if (at_start)
            buf_add_str(out, "  | ");
        at_start = text[i] == '\n';
        if (text[i] != '\r')
            buf_add_byte(out, (uint8_t)text[i]);
    }
    if (!at_start)
        buf_add_byte(out, '\n');
    if (limit < len)
        buf_add_str(out, "  | (shortened: rota show has the whole text)\n");
}

/* A value in one line; at most SHOWN_BYTES_MAX bytes, never cut inside a character. */
static void add_shown(struct buf *out, const char *label, const struct rota_value *value)
{
    char *json = rota_type(value) == ROTA_TEXT ? NULL : rota_json(value);
    const char *text = json != NULL ? json : rota_text(value, "", "");
    size_t len = strlen(text), limit = len < SHOWN_BYTES_MAX ? len : SHOWN_BYTES_MAX;

    while (limit < len && limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
        limit--;
    buf_addf(out, "      %s ", label);
    for (size_t i = 0; i < limit; i++)
        buf_add_byte(out, (unsigned char)text[i] < 0x20 ? ' ' : (uint8_t)text[i]);
    buf_add_str(out, limit < len ? " ...\n" : "\n");
    free(json);
}

static void add_changes(struct buf *out, const struct rota_value *input)
{
    const struct rota_value *changes = rota_at(input, "/changes");
    const char *against = rota_text(input, "/against", "");
    size_t count = rota_count(changes);
    int64_t more = rota_int(input, "/changes_more", 0);

    if (count == 0 && against[0] != '\0')
        buf_addf(out, "\nNothing differs from %s, the version before.\n", against);
    if (count == 0)
        return;
    buf_addf(out, "\nWhat changes%s%s (- before, + after):\n\n",
             against[0] != '\0' ? " against " : "", against);
    for (size_t i = 0; i < count && i < CHANGES_MAX; i++) {
        const struct rota_value *change = rota_item(changes, i);

        add_line(out, "field", rota_text(change, "/field", "?"));
        if (rota_type(rota_at(change, "/before")) != ROTA_NIL)
            add_shown(out, "-", rota_at(change, "/before"));
        if (rota_type(rota_at(change, "/after")) != ROTA_NIL)
            add_shown(out, "+", rota_at(change, "/after"));
    }
    more += count > CHANGES_MAX ? (int64_t)(count - CHANGES_MAX) : 0;
    if (more > 0)
        buf_addf(out, "  and %lld more: rota diff %s has them all\n", (long long)more,
                 rota_text(input, "/record", ""));
}

/* In the engine's time, which may be virtual: never computed here. */
static void add_moment(struct buf *out, const char *label, int64_t ms)
{
    char when[MOMENT_TEXT_MAX];

    if (ms <= 0)
        return;
    moment_format(ms, when);
    add_line(out, label, when);
}

/* What goes together with it: one vote answers all, and each is signed. */
static void add_beside(struct buf *out, const struct rota_value *input)
{
    const struct rota_value *beside = rota_at(input, "/beside");

    for (size_t i = 0; i < rota_count(beside); i++) {
        const struct rota_value *one = rota_item(beside, i);

        buf_add_str(out, i == 0 ? "\nTogether with it, by the same vote:\n\n" : "\n");
        add_if(out, "record", one, "/record");
        add_if(out, "title", one, "/title");
        add_if(out, "digest", one, "/digest");
        if (rota_text(one, "/statement", "")[0] != '\0')
            add_quoted(out, rota_text(one, "/statement", ""));
    }
}

static void add_commands(struct buf *out, const struct rota_value *input)
{
    const char *person = rota_text(input, "/person", "");
    const char *record = rota_text(input, "/record", "");
    const char *event = rota_text(input, "/event", "approve");

    buf_add_str(out, "\nRead it, and decide with your own key:\n\n");
    buf_addf(out, "    rota --as %s show %s\n", person, record);
    for (size_t i = 0; i < rota_count(rota_at(input, "/beside")); i++)
        buf_addf(out, "    rota --as %s show %s\n", person,
                 rota_text(rota_item(rota_at(input, "/beside"), i), "/record", ""));
    if (rota_count(rota_at(input, "/changes")) > 0)
        buf_addf(out, "    rota --as %s diff %s\n", person, record);
    if (strcmp(event, "approve") == 0)
        buf_addf(out, "    rota --as %s approve %s\n", person, record);
    else
        buf_addf(out, "    rota --as %s do %s %s\n", person, record, event);
    buf_add_str(out,
                "\n(or refuse, or return, with --reason). Where the engine is out of reach, add\n"
                "--mail to the last and send what it prints as the answer to this letter.\n");
}

void asking_write(struct buf *out, const struct rota_value *input)
{
    buf_addf(out, "%s,\n\nyour decision is asked for.\n\n",
             rota_text(input, "/name", rota_text(input, "/person", "")));
    add_if(out, "record", input, "/record");
    add_if(out, "title", input, "/title");
    add_if(out, "kind", input, "/kind");
    add_if(out, "version", input, "/version");
    add_if(out, "meaning", input, "/meaning");
    add_digest(out, input);
    add_moment(out, "by", rota_int(input, "/by_ms", 0));
    add_moment(out, "reminder", rota_int(input, "/reminder_ms", 0));
    add_if(out, "link", input, "/link");
    if (rota_text(input, "/statement", "")[0] != '\0') {
        buf_add_str(out,
                    "\nWhat you sign if you agree, about exactly the content of that digest:\n\n");
        add_quoted(out, rota_text(input, "/statement", ""));
    }
    add_beside(out, input);
    if (rota_text(input, "/text", "")[0] != '\0') {
        buf_add_str(out, "\nWhat is asked:\n\n");
        add_quoted(out, rota_text(input, "/text", ""));
    }
    add_changes(out, input);
    add_commands(out, input);
}

/* ---- the service ---- */

static enum post_outcome send_letter(const struct asking *asking, const struct rota_value *input,
                                     const char *key, struct buf *id, struct post_report *report)
{
    struct buf subject = BUF_EMPTY, text = BUF_EMPTY;
    struct letter letter = {.person = rota_text(input, "/person", ""),
                            .name = rota_text(input, "/name", ""),
                            .address = rota_text(input, "/address", ""),
                            .key = key,
                            .record = rota_text(input, "/record", "")};
    enum post_outcome outcome;

    buf_addf(&subject, "Please decide: %s %s", letter.record, rota_text(input, "/title", ""));
    asking_write(&text, input);
    courier_add_head(&asking->courier, &text, rota_at(input, "/head"));
    letter.subject = rota_text(input, "/subject", buf_text(&subject));
    letter.text = buf_text(&text);
    outcome = courier_send(&asking->courier, &letter, id, report);
    buf_release(&subject);
    buf_release(&text);
    return outcome;
}

int asking_run(void *self, struct rota_task *task)
{
    const struct asking *asking = self;
    const struct rota_facts *facts = rota_task_facts(task);
    const struct rota_value *input = rota_task_input(task);
    struct post_report report = {POST_DONE, "", ""};
    struct buf id = BUF_EMPTY;
    enum post_outcome outcome =
        send_letter(asking, input, facts->key[0] != '\0' ? facts->key : facts->token, &id, &report);

    if (outcome == POST_DONE) {
        /* Without a time for the task: when the round's is over, the engine withdraws it itself, and asking once more
         * in that moment would ask for nothing. */
        rota_put_text(rota_task_output(task), "/id", buf_text(&id));
        program_say(asking->program, ROTA_LOG_INFO, "task %lld: %s asked about %s",
                    (long long)facts->task, rota_text(input, "/person", ""),
                    rota_text(input, "/record", ""));
    } else {
        rota_task_say(task, report.code, report.text);
        if (outcome == POST_BUSY)
            rota_task_retry_after(task, POST_BUSY_MS);
        program_say(asking->program, ROTA_LOG_WARNING, "task %lld attempt %d: %s: %s",
                    (long long)facts->task, facts->attempt, report.code, report.text);
    }
    buf_release(&id);
    return outcome == POST_DONE ? 202 : post_report_status(&report);
}
