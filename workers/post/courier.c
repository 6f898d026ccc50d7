#include "post/courier.h"

#include "base/hash.h"
#include "post/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { PASSWORD_MAX = 1024 };

/* ---- settings ---- */

static int read_password(struct courier *courier, const char *path, struct error *err)
{
    char text[PASSWORD_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (len < 0)
        return error_set(err, ERROR_IO, "cannot read %s: %s", path, strerror(errno));
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    courier->password = strdup(text);
    courier->smtp.password = courier->password;
    return courier->password == NULL ? error_set(err, ERROR_MEMORY, "no memory") : 0;
}

static int read_smtp(struct courier *courier, struct error *err)
{
    const struct program *program = courier->program;
    const char *host = program_text(program, "smtp.host", ""), *file;
    const char *tls = program_text(program, "smtp.tls", "starttls");

    courier->has_smtp = host[0] != '\0';
    if (!courier->has_smtp)
        return 0;
    if (strcmp(tls, "starttls") != 0 && strcmp(tls, "none") != 0)
        return error_set(err, ERROR_INPUT, "smtp.tls is \"starttls\" or \"none\"");
    courier->smtp = (struct smtp){.host = host,
                                  .port = (int)program_int(program, "smtp.port", 0),
                                  .starttls = tls[0] == 's',
                                  .ca_file = program_text(program, "smtp.ca_file", NULL),
                                  .user = program_text(program, "smtp.user", NULL),
                                  .timeout_s = (long)program_int(program, "smtp.timeout_s", 0)};
    file = program_text(program, "smtp.password_file", NULL);
    return file == NULL ? 0 : read_password(courier, file, err);
}

int courier_open(const struct program *program, struct courier *out, struct error *err)
{
    const char *from = program_text(program, "from", "Rota <rota@localhost>");
    struct courier courier = {.program = program,
                              .mail = program_text(program, "mail", "mail"),
                              .reply_to = program_text(program, "reply_to", NULL)};

    if (mailbox_parse(from, &courier.from_text, &courier.from) != 0)
        error_set(err, ERROR_INPUT, "`from` is not \"Name <address>\": %s", from);
    else if (courier.reply_to != NULL && !address_is_valid(courier.reply_to))
        error_set(err, ERROR_INPUT, "`reply_to` is not an address: %s", courier.reply_to);
    else if (read_smtp(&courier, err) == 0) {
        *out = courier;
        return 0;
    }
    courier_release(&courier);
    return -1;
}

void courier_release(struct courier *courier)
{
    source_close(&courier->source);
    buf_release(&courier->from_text);
    free(courier->password);
    courier->password = NULL;
}

int courier_ask_engine(struct courier *courier, struct program *program, struct error *err)
{
    return source_open(program, &courier->source, err);
}

/* ---- the footer ---- */

/* Bytes as hexadecimal digits, text as it is. */
static void add_root(struct buf *text, const struct rota_value *head)
{
    const unsigned char *root;
    size_t len;

    root = rota_bytes(head, "/root", &len);
    if (root == NULL)
        buf_add_str(text, rota_text(head, "/root", ""));
    for (size_t i = 0; i < len; i++)
        buf_addf(text, "%02x", root[i]);
}

static void add_head(struct buf *text, const struct rota_value *head)
{
    const char *note = rota_text(head, "/note", "");

    while (text->len > 0 && text->at[text->len - 1] <= ' ')
        text->len--;
    buf_add_str(text,
                "\n\n-- \nThe journal when this was sent. Keep this mail: it proves that what was\n"
                "in the journal then is still there (rota verify --against THIS-MAIL).\n");
    buf_addf(text, "size %lld root ", (long long)rota_int(head, "/size", 0));
    add_root(text, head);
    buf_add_byte(text, '\n');
    if (note[0] == '\0')
        return;
    buf_addf(text, "-----BEGIN ROTA HEAD-----\n%s", note);
    if (text->at[text->len - 1] != '\n')
        buf_add_byte(text, '\n');
    buf_add_str(text, "-----END ROTA HEAD-----\n");
}

void courier_add_head(const struct courier *courier, struct buf *text,
                      const struct rota_value *head)
{
    struct rota_doc *asked = NULL;

    if (rota_type(head) != ROTA_MAP && courier->source != NULL) {
        asked = source_head(courier->source);
        head = rota_doc_value(asked);
    }
    if (rota_type(head) == ROTA_MAP)
        add_head(text, head);
    rota_doc_free(&asked);
}

/* ---- letters ---- */

enum post_outcome courier_text(const struct courier *courier, const struct rota_value *text,
                               struct buf *out, struct post_report *report)
{
    int status;

    if (rota_type(text) != ROTA_MAP) {
        buf_add_str(out, rota_text(text, "", ""));
        return POST_DONE;
    }
    status = courier->source == NULL ? -1 : source_text(courier->source, text, out);
    if (status == 200)
        return POST_DONE;
    if (status < 0 || status == 503)
        return post_report_set(report, POST_BUSY, "no-engine", "the text could not be fetched");
    return post_report_set(report, POST_FAILED, "no-content",
                           "the engine does not give the text (%d)", status);
}

static bool is_listed(const struct program *program, const char *key, const char *domain)
{
    const char *item;

    for (int i = 0; (item = program_item(program, key, i)) != NULL; i++) {
        if (strcasecmp(item, domain) == 0)
            return true;
    }
    return false;
}

/* Where there is no mail server, who would say that a domain cannot be reached? A mail server that
 * cannot resolve a domain right now (SERVFAIL, no answer) does not bounce the mail: it tries again
 * and gives up later. The domains under `unresolved` stand for that case here: "failed this time",
 * so that the engine retries by its policy and then parks the task. By default they are those that
 * RFC 2606 keeps from ever resolving. */
static bool is_unresolved(const struct program *program, const char *domain)
{
    size_t len = strlen(domain);

    if (program_has(program, "unresolved"))
        return is_listed(program, "unresolved", domain);
    return strcasecmp(domain, "invalid.example") == 0 || strcasecmp(domain, "invalid") == 0 ||
           (len > 8 && strcasecmp(domain + len - 8, ".invalid") == 0);
}

static enum post_outcome check_domain(const struct courier *courier, const char *address,
                                      struct post_report *report)
{
    const char *domain = address_domain(address);

    if (is_unresolved(courier->program, domain))
        return post_report_set(report, POST_FAILED, "unresolved-domain",
                               "the domain %s cannot be resolved", domain);
    if (program_has(courier->program, "domains") && !is_listed(courier->program, "domains", domain))
        return post_report_set(report, POST_CANNOT, "unknown-domain",
                               "no maildir for the domain %s", domain);
    return POST_DONE;
}

static enum post_outcome put_into_maildir(const struct courier *courier,
                                          const struct letter *letter, struct slice message,
                                          const char *id, struct post_report *report)
{
    const char *folder = letter->person[0] != '\0' ? letter->person : letter->address;
    char name[MAILDIR_NAME_MAX + 1];
    struct error err = {ERROR_NONE, ""};
    bool was_there = false;
    size_t len = strcspn(id, "@");

    if (!maildir_name_is_valid(folder) || len > MAILDIR_NAME_MAX)
        return post_report_set(report, POST_CANNOT, "unknown-person",
                               "that name cannot have a maildir");
    memcpy(name, id, len);
    name[len] = '\0';
    if (maildir_deliver(courier->mail, folder, name, message, &was_there, &err) != 0)
        return post_report_set(report, POST_FAILED, "disk", "%s", err.text);
    return post_report_set(report, POST_DONE, "sent",
                           was_there ? "was there already" : "put into the maildir");
}

/* The address a letter bears where the person has none. */
static const char *address_of(const struct letter *letter, struct buf *made)
{
    if (letter->address[0] != '\0')
        return letter->address;
    buf_addf(made, "%s@localhost", letter->person);
    return buf_text(made);
}

static enum post_outcome send_composed(const struct courier *courier, const struct letter *letter,
                                       const char *address, const char *id, bool by_smtp,
                                       struct post_report *report)
{
    struct message message = {.from = courier->from,
                              .to = {letter->name, address},
                              .reply_to = courier->reply_to,
                              .subject = letter->subject,
                              .id = id,
                              .record = letter->record,
                              .date_s = (int64_t)time(NULL),
                              .body = letter->text,
                              .may_be_8bit = !by_smtp};
    struct error err = {ERROR_NONE, ""};
    struct buf bytes = BUF_EMPTY;
    enum post_outcome outcome;

    if (message_compose(&bytes, &message, &err) != 0)
        outcome = post_report_set(report, POST_CANNOT, "malformed", "%s", err.text);
    else if (by_smtp)
        outcome =
            smtp_send(&courier->smtp, courier->from.address, address, buf_slice(&bytes), report);
    else
        outcome = put_into_maildir(courier, letter, buf_slice(&bytes), id, report);
    buf_release(&bytes);
    return outcome;
}

enum post_outcome courier_send(const struct courier *courier, const struct letter *letter,
                               struct buf *id, struct post_report *report)
{
    bool by_smtp = courier->has_smtp && letter->address[0] != '\0';
    struct buf made = BUF_EMPTY, own_id = BUF_EMPTY;
    enum post_outcome outcome = POST_DONE;
    const char *address;

    if (letter->person[0] == '\0' && letter->address[0] == '\0')
        return post_report_set(report, POST_CANNOT, "no-address", "nobody to send it to");
    if (letter->person[0] != '\0' && !maildir_name_is_valid(letter->person))
        return post_report_set(report, POST_CANNOT, "unknown-person", "not the name of a person");
    if (letter->address[0] != '\0' && !address_is_valid(letter->address))
        return post_report_set(report, POST_CANNOT, "malformed-address", "not a mail address: %s",
                               letter->address);
    if (courier->has_smtp && !letter->is_inbox && !by_smtp)
        return post_report_set(report, POST_CANNOT, "no-address", "%s has no mail address",
                               letter->person);
    address = address_of(letter, &made);
    if (!by_smtp && letter->address[0] != '\0')
        outcome = check_domain(courier, letter->address, report);
    if (outcome == POST_DONE) {
        message_id(&own_id, letter->key, courier->from.address);
        outcome = send_composed(courier, letter, address, buf_text(&own_id), by_smtp, report);
    }
    if (outcome == POST_DONE)
        buf_add_str(id, buf_text(&own_id));
    buf_release(&made);
    buf_release(&own_id);
    return outcome;
}
