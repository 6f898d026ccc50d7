/* message.h - one mail as bytes: RFC 5322 headers, RFC 2047 encoded words, RFC 2045 bodies.
 *
 *   1. What a caller puts into a header cannot end it: control characters become one space in
 *      texts, and are refused in addresses and ids.
 *   2. No line is longer than 998 bytes (RFC 5322, 2.1.1); header lines are folded at 78 where
 *      they can be.
 *   3. Lines end in LF; message_crlf() makes what travels.
 */
#ifndef ROTA_POST_MESSAGE_H
#define ROTA_POST_MESSAGE_H

#include "base/buf.h"
#include "base/error.h"

enum { ADDRESS_MAX = 254 };

struct mailbox {
    const char *name;    /* any UTF-8; NULL or empty: none */
    const char *address; /* local@domain */
};

struct message {
    struct mailbox from, to;
    const char *reply_to;    /* address, or NULL */
    const char *subject;     /* any UTF-8 */
    const char *id;          /* message id without <>: made by message_id */
    const char *in_reply_to; /* id without <>, or NULL */
    const char *record;      /* header Rota-Record; or NULL */
    int64_t date_s;          /* seconds since the epoch */
    const char *body;        /* UTF-8 text, lines end in LF */
    bool may_be_8bit;        /* the way ahead keeps bytes as they are: a file */
};

/* Appends the whole message. An address or id that is none is an error. */
int message_compose(struct buf *out, const struct message *message, struct error *err);

/* "<32 hex digits of the key's hash>@domain of the address": the same key, the same mail. */
void message_id(struct buf *out, const char *key, const char *from_address);

/* An RFC 5321 mailbox in ASCII: dot-atom, @, dotted labels; at most ADDRESS_MAX bytes. */
bool address_is_valid(const char *address);
const char *address_domain(const char *address); /* after the @; "" without one */

/* "Name <address>" or "address" apart; both lent by `out`, a copy. -1 if the address is none. */
int mailbox_parse(const char *text, struct buf *out, struct mailbox *box);

void message_crlf(struct buf *out, struct slice message);

/* The parts, for tests: header `name: text`, folded and encoded; a quoted-printable body. */
void header_add_text(struct buf *out, const char *name, const char *text);
void quoted_printable_add(struct buf *out, struct slice text);
/* Tolerant: wrong escapes stay as they are. */
void quoted_printable_undo(struct buf *out, struct slice text);

#endif
