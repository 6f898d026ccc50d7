/* courier.h - brings one letter to one person: into their maildir, or to a mail server if one is
 * configured.
 *
 * Settings (section of the worker, or the top of workers.cfg):
 *
 *     mail = "mail";                             // where the maildirs are: mail/<person>
 *     from = "Rota <rota@isms.example>";
 *     reply_to = "answers@isms.example";
 *     domains = ("isms.example");                // maildir only: others are refused; absent: any
 *     unresolved = ("invalid.example");          // maildir only: see courier.c
 *     smtp: { host = "mail.isms.example"; port = 587; tls = "starttls"; user = "rota";
 *             password_file = "keys/smtp.password"; ca_file = "keys/mail-ca.pem"; };
 *
 * Safe to use from several threads once it is open.
 */
#ifndef ROTA_POST_COURIER_H
#define ROTA_POST_COURIER_H

#include "common/program.h"
#include "post/message.h"
#include "post/report.h"
#include "post/smtp.h"
#include "post/source.h"

struct courier {
    const struct program *program; /* lent */
    const char *mail;
    struct mailbox from;
    struct buf from_text; /* owned; what `from` points into */
    const char *reply_to; /* or NULL */
    bool has_smtp;
    struct smtp smtp;
    char *password;        /* owned */
    struct source *source; /* owned; NULL: the engine is not asked for heads */
};

struct letter {
    const char *person;  /* folder of their maildir; empty: the address is */
    const char *name;    /* shown; may be empty */
    const char *address; /* may be empty if person is not */
    bool is_inbox;       /* where the person reads: a maildir will do if they have no address */
    const char *subject, *text;
    const char *key;    /* makes the Message-ID: the same key, the same mail */
    const char *record; /* or empty */
};

int courier_open(const struct program *program, struct courier *out, struct error *err);
void courier_release(struct courier *courier);

/* From now on letters whose task brings no head of the journal bear the one that the engine tells.
 * */
int courier_ask_engine(struct courier *courier, struct program *program, struct error *err);

/* Appends a text of a task's input, which may be a reference to content. */
enum post_outcome courier_text(const struct courier *courier, const struct rota_value *text,
                               struct buf *out, struct post_report *report);

/* Appends the letter's message id (without <>) to `id` when it is delivered. */
enum post_outcome courier_send(const struct courier *courier, const struct letter *letter,
                               struct buf *id, struct post_report *report);

/* The footer of every letter: the journal's head {size, root, note}, so that each mailbox is a
 * witness. `head` nil: the engine's, where it may be asked; else nothing. */
void courier_add_head(const struct courier *courier, struct buf *text,
                      const struct rota_value *head);

#endif
