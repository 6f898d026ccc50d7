/* mail.c - a signed command as a letter (RFC 5322, text/plain). */
#include "mail.h"

#include <time.h>

#include "base/dmp.h"
#include "wire/json.h"

static void add_date(struct buf *out, int64_t now_s)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)now_s;
    struct tm utc;

    gmtime_r(&now, &utc);
    buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\n", days[utc.tm_wday], utc.tm_mday,
             months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/* The command as JSON, a member a line, so that no line is too long for a mail. */
static void add_command(struct buf *out, const struct command *command, const char *who)
{
    struct command carried = *command;
    struct arena arena = ARENA_EMPTY;
    struct buf body = BUF_EMPTY;
    struct value map = VALUE_NONE;

    carried.on_behalf_of = slice_str(who);
    command_encode(&body, &carried, false);
    if (mp_decode(&arena, buf_slice(&body), LOOSE_DEPTH_MAX, &map, NULL) == 0)
        value_to_json(out, &map, true);
    buf_release(&body);
    arena_release(&arena);
}

void mail_write(struct buf *out, const struct mail *mail, const struct command *command)
{
    if (mail->from != NULL)
        buf_addf(out, "From: %s\n", mail->from);
    if (mail->to != NULL)
        buf_addf(out, "To: %s\n", mail->to);
    buf_addf(out, "Subject: Re: %.*s %.*s\n", (int)command->record.len,
             (const char *)command->record.at, (int)command->command.len,
             (const char *)command->command.at);
    add_date(out, mail->now_s);
    buf_addf(out, "Message-ID: <%.*s@rota>\n", (int)command->id.len, (const char *)command->id.at);
    buf_add_str(out, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                     "Content-Transfer-Encoding: 8bit\n\n");
    if (mail->sentence != NULL)
        buf_addf(out, "%s\n\n", mail->sentence);
    buf_add_str(out, "-----BEGIN ROTA COMMAND-----\n");
    add_command(out, command, mail->who);
    if (out->len > 0 && out->at[out->len - 1] != '\n')
        buf_add_byte(out, '\n');
    buf_add_str(out, "-----END ROTA COMMAND-----\n");
}
