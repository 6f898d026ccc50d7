#include "post/message.h"

#include "base/dmp.h"
#include "base/hash.h"

#include <stdio.h>
#include <time.h>

enum {
    LINE_WANTED = 78,
    LINE_MAX_BYTES = 998,
    QP_LINE_MAX = 76,
    WORD_BYTES = 39 /* of text in one encoded word: 52 of base64 and 12 around, under 75 */
};

/* ---- addresses ---- */

static bool is_atext(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_local_part(const char *at, size_t len)
{
    if (len == 0 || len > 64 || at[0] == '.' || at[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_atext((unsigned char)at[i]) && (at[i] != '.' || at[i - 1] == '.'))
            return false;
    }
    return true;
}

static bool is_domain(const char *domain)
{
    size_t label = 0, len = strlen(domain);

    for (size_t i = 0; i < len; i++) {
        char c = domain[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (c == '.' && label > 0 && domain[i - 1] != '-')
            label = 0;
        else if ((is_word || (c == '-' && label > 0)) && label < 63)
            label++;
        else
            return false;
    }
    return label > 0 && domain[len - 1] != '-';
}

const char *address_domain(const char *address)
{
    const char *at = strrchr(address, '@');

    return at == NULL ? "" : at + 1;
}

bool address_is_valid(const char *address)
{
    const char *at = strrchr(address, '@');

    return at != NULL && strlen(address) <= ADDRESS_MAX &&
           is_local_part(address, (size_t)(at - address)) && is_domain(at + 1);
}

int mailbox_parse(const char *text, struct buf *out, struct mailbox *box)
{
    const char *open = strrchr(text, '<'), *close = strrchr(text, '>');
    size_t name_len = open == NULL ? 0 : (size_t)(open - text);

    buf_clear(out);
    while (name_len > 0 && (text[name_len - 1] == ' ' || text[name_len - 1] == '"'))
        name_len--;
    while (name_len > 0 && (text[0] == ' ' || text[0] == '"')) {
        text++;
        name_len--;
    }
    buf_add(out, text, name_len);
    buf_add_byte(out, '\0');
    if (open == NULL)
        buf_add(out, text, strlen(text) + 1);
    else if (close > open && close[1] == '\0')
        buf_add(out, open + 1, (size_t)(close - open - 1));
    buf_add_byte(out, '\0');
    box->name = (const char *)out->at;
    box->address = (const char *)out->at + name_len + 1;
    return address_is_valid(box->address) ? 0 : -1;
}

/* ---- headers ---- */

/* A copy on one line: runs of control characters and blanks become one space. */
static void flatten(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool is_blank = (unsigned char)*text <= 0x20 || *text == 0x7f;

        if (!is_blank)
            buf_add_byte(out, (uint8_t)*text);
        else if (out->len > 0 && out->at[out->len - 1] != ' ')
            buf_add_byte(out, ' ');
    }
    while (out->len > 0 && out->at[out->len - 1] == ' ')
        out->len--;
}

static bool is_plain(struct slice text)
{
    size_t word = 0;

    for (size_t i = 0; i < text.len; i++) {
        word = text.at[i] == ' ' ? 0 : word + 1;
        if (text.at[i] >= 0x7f || word > LINE_MAX_BYTES - LINE_WANTED)
            return false;
        if (text.at[i] == '=' && i + 1 < text.len && text.at[i + 1] == '?')
            return false;
    }
    return true;
}

/* Words of plain text, a new line (with a leading space) before the one that would pass the margin.
 * */
static void add_folded(struct buf *out, struct slice text, size_t column)
{
    size_t at = 0;

    while (at < text.len) {
        size_t end = at;

        while (end < text.len && text.at[end] != ' ')
            end++;
        if (at > 0 && column + 1 + (end - at) > LINE_WANTED) {
            buf_add_byte(out, '\n');
            column = 0;
        }
        if (at > 0) {
            buf_add_byte(out, ' ');
            column++;
        }
        buf_add(out, text.at + at, end - at);
        column += end - at;
        at = end + 1;
    }
}

/* RFC 2047: base64 words that never cut a character, one a line. */
static void add_encoded(struct buf *out, struct slice text, const char *before_next)
{
    size_t at = 0;

    while (at < text.len) {
        size_t len = text.len - at < WORD_BYTES ? text.len - at : WORD_BYTES;

        while (at + len < text.len && len > 1 && (text.at[at + len] & 0xc0) == 0x80)
            len--;
        if (at > 0)
            buf_add_str(out, before_next);
        buf_add_str(out, "=?UTF-8?B?");
        base64_add(out, slice_of(text.at + at, len));
        buf_add_str(out, "?=");
        at += len;
    }
}

void header_add_text(struct buf *out, const char *name, const char *text)
{
    struct buf flat = BUF_EMPTY;

    flatten(&flat, text);
    buf_addf(out, "%s: ", name);
    if (is_plain(buf_slice(&flat)))
        add_folded(out, buf_slice(&flat), strlen(name) + 2);
    else
        add_encoded(out, buf_slice(&flat), "\n ");
    buf_add_byte(out, '\n');
    buf_release(&flat);
}

/* A display name: a quoted string (RFC 5322, 3.2.4) or encoded words. */
static void add_phrase(struct buf *out, const char *name)
{
    struct buf flat = BUF_EMPTY;

    flatten(&flat, name);
    if (flat.len > 0 && is_plain(buf_slice(&flat)) && flat.len < 60) {
        buf_add_byte(out, '"');
        for (size_t i = 0; i < flat.len; i++) {
            if (flat.at[i] == '"' || flat.at[i] == '\\')
                buf_add_byte(out, '\\');
            buf_add_byte(out, flat.at[i]);
        }
        buf_add_str(out, "\" ");
    } else if (flat.len > 0) {
        add_encoded(out, buf_slice(&flat), "\n ");
        buf_add_str(out, "\n ");
    }
    buf_release(&flat);
}

static int header_add_mailbox(struct buf *out, const char *name, const struct mailbox *box,
                              struct error *err)
{
    if (box->address == NULL || !address_is_valid(box->address))
        return error_set(err, ERROR_INPUT, "not an address to write in %s", name);
    buf_addf(out, "%s: ", name);
    if (box->name != NULL)
        add_phrase(out, box->name);
    buf_addf(out, "<%s>\n", box->address);
    return 0;
}

static int header_add_id(struct buf *out, const char *name, const char *id, struct error *err)
{
    if (id == NULL || !address_is_valid(id))
        return error_set(err, ERROR_INPUT, "not a message id to write in %s", name);
    buf_addf(out, "%s: <%s>\n", name, id);
    return 0;
}

static void header_add_date(struct buf *out, int64_t date_s)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)date_s;
    struct tm utc;

    gmtime_r(&when, &utc);
    buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\n", days[utc.tm_wday], utc.tm_mday,
             months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void message_id(struct buf *out, const char *key, const char *from_address)
{
    uint8_t hash[HASH_LEN];
    char hex[2 * HASH_LEN + 1];

    hash_bytes(slice_str(key), hash);
    hex_encode(slice_of(hash, 16), hex);
    buf_addf(out, "%s@%s", hex, address_domain(from_address));
}

/* ---- bodies ---- */

static bool line_ends_at(struct slice text, size_t at)
{
    return at == text.len || text.at[at] == '\n';
}

void quoted_printable_add(struct buf *out, struct slice text)
{
    size_t column = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        bool is_literal = (c >= 0x21 && c <= 0x7e && c != '=') ||
                          ((c == ' ' || c == '\t') && !line_ends_at(text, i + 1));
        size_t width = is_literal ? 1 : 3;

        if (c == '\n') {
            buf_add_byte(out, '\n');
            column = 0;
            continue;
        }
        /* One place is kept for the soft break's own "=". */
        if (column + width > QP_LINE_MAX - 1) {
            buf_add_str(out, "=\n");
            column = 0;
        }
        if (is_literal)
            buf_add_byte(out, c);
        else
            buf_addf(out, "=%02X", c);
        column += width;
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void quoted_printable_undo(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        size_t left = text.len - i;

        if (text.at[i] != '=') {
            buf_add_byte(out, text.at[i]);
        } else if (left > 1 && text.at[i + 1] == '\n') {
            i += 1;
        } else if (left > 2 && text.at[i + 1] == '\r' && text.at[i + 2] == '\n') {
            i += 2;
        } else if (left > 2 && hex_digit(text.at[i + 1]) >= 0 && hex_digit(text.at[i + 2]) >= 0) {
            buf_add_byte(out,
                         (uint8_t)(hex_digit(text.at[i + 1]) * 16 + hex_digit(text.at[i + 2])));
            i += 2;
        } else {
            buf_add_byte(out, '=');
        }
    }
}

/* What the body needs: nothing (7bit), 8bit, or quoted-printable (lone CRs, NULs, long lines). */
static const char *encoding_of(struct slice body, bool may_be_8bit)
{
    const char *found = "7bit";
    size_t column = 0;

    for (size_t i = 0; i < body.len; i++) {
        uint8_t c = body.at[i];

        column = c == '\n' ? 0 : column + 1;
        if (column > LINE_MAX_BYTES || c == '\r' || c == '\0' || (c >= 0x80 && !may_be_8bit))
            return "quoted-printable";
        if (c >= 0x80)
            found = "8bit";
    }
    return found;
}

static void add_body(struct buf *out, const struct message *message)
{
    struct slice body = slice_str(message->body);
    const char *encoding = encoding_of(body, message->may_be_8bit);

    buf_add_str(out, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n");
    buf_addf(out, "Content-Transfer-Encoding: %s\n\n", encoding);
    if (encoding[0] == 'q')
        quoted_printable_add(out, body);
    else
        buf_add_slice(out, body);
    if (out->at[out->len - 1] != '\n')
        buf_add_byte(out, '\n');
}

int message_compose(struct buf *out, const struct message *message, struct error *err)
{
    struct mailbox reply_to = {NULL, message->reply_to};

    if (!utf8_is_valid(slice_str(message->subject)) || !utf8_is_valid(slice_str(message->body)))
        return error_set(err, ERROR_INPUT, "the text is not UTF-8");
    if (header_add_mailbox(out, "From", &message->from, err) != 0 ||
        header_add_mailbox(out, "To", &message->to, err) != 0 ||
        (message->reply_to != NULL && header_add_mailbox(out, "Reply-To", &reply_to, err) != 0))
        return -1;
    header_add_text(out, "Subject", message->subject);
    header_add_date(out, message->date_s);
    if (header_add_id(out, "Message-ID", message->id, err) != 0 ||
        (message->in_reply_to != NULL &&
         header_add_id(out, "In-Reply-To", message->in_reply_to, err) != 0))
        return -1;
    buf_add_str(out, "Auto-Submitted: auto-generated\n"); /* RFC 3834: no out-of-office answers */
    if (message->record != NULL && message->record[0] != '\0')
        header_add_text(out, "Rota-Record", message->record);
    add_body(out, message);
    return 0;
}

void message_crlf(struct buf *out, struct slice message)
{
    for (size_t i = 0; i < message.len; i++) {
        if (message.at[i] == '\n' && (i == 0 || message.at[i - 1] != '\r'))
            buf_add_byte(out, '\r');
        buf_add_byte(out, message.at[i]);
    }
}
