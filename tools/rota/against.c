#include "against.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "values.h"

static const char BEGIN[] = "-----BEGIN ROTA HEAD-----";
static const char END[] = "-----END ROTA HEAD-----";

enum { MAIL_BYTES_MAX = 4 * 1024 * 1024 };

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of the block: `=XX` stands for a byte, `=` at the end of a line for nothing. Gives how many were read. */
static size_t add_decoded(struct buf *out, const uint8_t *at, size_t left)
{
    if (at[0] == '\r')
        return 1;
    if (at[0] != '=') {
        buf_add_byte(out, at[0]);
        return 1;
    }
    if (left >= 3 && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
        buf_add_byte(out, (uint8_t)(hex_digit(at[1]) << 4 | hex_digit(at[2])));
        return 3;
    }
    if (left >= 3 && at[1] == '\r' && at[2] == '\n')
        return 3;
    if (left >= 2 && at[1] == '\n')
        return 2;
    buf_add_byte(out, '=');
    return 1;
}

static void decode_block(struct buf *out, const char *from, const char *end, bool is_quoted)
{
    const uint8_t *at = (const uint8_t *)from;
    size_t left = (size_t)(end - from);

    while (left > 0) {
        size_t used = 1;

        if (is_quoted)
            used = add_decoded(out, at, left);
        else if (*at != '\r')
            buf_add_byte(out, *at);
        at += used;
        left -= used;
    }
}

static int write_note(const char *path, const struct buf *note)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t put;

    if (fd < 0)
        return tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
    put = write(fd, note->at, note->len);
    close(fd);
    return put == (ssize_t)note->len ? TOOL_DONE
                                     : tool_fail(TOOL_INTERNAL, "%s cannot be written", path);
}

/* The note in the text of a mail, or the text itself. False: neither. */
static bool find_note(const char *text, struct buf *note)
{
    const char *begin = strstr(text, BEGIN), *end = begin != NULL ? strstr(begin, END) : NULL;

    if (begin == NULL && strstr(text, "\n\n— ") != NULL) {
        buf_add(note, text, strlen(text));
        return true;
    }
    if (end == NULL)
        return false;
    begin += strlen(BEGIN);
    begin += strspn(begin, "\r\n");
    decode_block(note, begin, end,
                 strcasestr(text, "Content-Transfer-Encoding: quoted-printable") != NULL);
    return true;
}

int against_extract(struct tool *tool, const char *mail, const char *path)
{
    struct slice bytes;
    struct error err = {ERROR_NONE, ""};
    struct buf note = BUF_EMPTY;
    int status;

    if (values_read_bytes(&tool->arena, mail, MAIL_BYTES_MAX, &bytes, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (find_note(arena_copy(&tool->arena, bytes.at, bytes.len), &note))
        status = write_note(path, &note);
    else
        status = tool_fail(TOOL_INPUT,
                           "%s holds no head of a journal: a mail that Rota sent has it at its end",
                           mail);
    buf_release(&note);
    return status;
}
