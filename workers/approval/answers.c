#include "approval/answers.h"

#include "base/hash.h"
#include "post/maildir.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    LOOK_MS = 1000,    /* how often the folder is looked at */
    LETTERS_MAX = 100, /* at a time */
    TRY_MS = 3000,
    TRIES = 2,
    COMMAND_MAX = 64 * 1024
};

static const char BEGIN[] = "-----BEGIN ROTA COMMAND-----";
static const char END[] = "-----END ROTA COMMAND-----";

struct answers {
    struct program *program;
    const struct courier *courier;
    struct rota_client *client;
    const char *root, *folder;
    pthread_t thread;
    int stop_fd;
};

/* ---- reading a letter ---- */

static const uint8_t *find(struct slice text, const char *what)
{
    return text.len == 0 ? NULL : memmem(text.at, text.len, what, strlen(what));
}

/* The JSON between the two lines of `text`. */
static int read_block(struct slice text, struct rota_doc **out)
{
    const uint8_t *begin = find(text, BEGIN), *end;
    struct slice rest;

    if (begin == NULL)
        return -1;
    begin += strlen(BEGIN);
    rest = slice_of(begin, text.len - (size_t)(begin - text.at));
    end = find(rest, END);
    if (end == NULL || end - begin > COMMAND_MAX)
        return -1;
    return rota_doc_parse((const char *)begin, (size_t)(end - begin), out, NULL);
}

/* The bytes of a body in base64, line ends left out; empty if it is none. */
static void undo_base64(struct slice letter, struct buf *out)
{
    const uint8_t *body = find(letter, "\n\n");
    struct buf packed = BUF_EMPTY;

    if (body == NULL)
        body = find(letter, "\n\r\n");
    for (; body != NULL && body < letter.at + letter.len; body++) {
        if (*body > ' ')
            buf_add_byte(&packed, *body);
    }
    if (base64_decode(buf_slice(&packed), out) != 0)
        buf_clear(out);
    buf_release(&packed);
}

static int check_command(const struct rota_value *command, struct error *err)
{
    size_t len;

    if (rota_type(command) != ROTA_MAP)
        return error_set(err, ERROR_INPUT, "what stands in it is not a command");
    rota_bytes(command, "/signature", &len);
    if (!maildir_name_is_valid(rota_text(command, "/on_behalf_of", "")) ||
        len != ROTA_SIGNATURE_LEN)
        return error_set(err, ERROR_INPUT, "the command is not signed by a person");
    if (rota_text(command, "/record", "")[0] == '\0' || rota_text(command, "/id", "")[0] == '\0')
        return error_set(err, ERROR_INPUT, "the command names no record or has no id");
    return 0;
}

int answer_read(struct slice letter, struct rota_doc **out, struct error *err)
{
    struct rota_doc *doc = NULL;
    struct buf decoded = BUF_EMPTY;
    int rc = read_block(letter, &doc);

    if (rc != 0) {
        quoted_printable_undo(&decoded, letter);
        rc = read_block(buf_slice(&decoded), &doc);
    }
    if (rc != 0) {
        buf_clear(&decoded);
        undo_base64(letter, &decoded);
        rc = read_block(buf_slice(&decoded), &doc);
    }
    buf_release(&decoded);
    if (rc != 0)
        return error_set(err, ERROR_INPUT, "there is no readable command in it");
    if (check_command(rota_doc_value(doc), err) != 0) {
        rota_doc_free(&doc);
        return -1;
    }
    *out = doc;
    return 0;
}

/* ---- telling the person ---- */

static void write_refusal(struct buf *text, const struct rota_value *command, int status,
                          const struct rota_error *why)
{
    buf_addf(text, "%s,\n\nyour answer by mail was read, and the engine did not accept it:\n\n",
             rota_text(command, "/on_behalf_of", ""));
    buf_addf(text, "  record    %s\n  command   %s\n  answer    %d %s\n  reason    %s\n",
             rota_text(command, "/record", ""), rota_text(command, "/command", ""), status,
             why->code, why->text);
    buf_addf(text, "\nNothing was changed. See where it stands:\n\n    rota --as %s show %s\n",
             rota_text(command, "/on_behalf_of", ""), rota_text(command, "/record", ""));
}

/* The mail address that the engine knows of a person; false if it knows nobody of that name. A
 * letter's own sender is not asked: anybody could make us write to anybody. */
static bool find_person(struct answers *answers, const char *name, struct buf *address)
{
    struct rota_doc *reply = NULL;
    bool found = false;
    int status = rota_query(answers->client, "people", NULL, &reply, NULL);
    const struct rota_value *out = rota_at(rota_doc_value(reply), "/out");
    const struct rota_value *people = rota_at(out, "/people");

    if (people == NULL)
        people = out;
    for (size_t i = 0; status == 200 && !found && i < rota_count(people); i++) {
        const struct rota_value *person = rota_item(people, i);

        found = strcmp(rota_text(person, "/name", ""), name) == 0;
        if (found)
            buf_add_str(address, rota_text(person, "/email", ""));
    }
    rota_doc_free(&reply);
    return found;
}

static void tell_refusal(struct answers *answers, const struct rota_value *command, int status,
                         const struct rota_error *why)
{
    struct buf text = BUF_EMPTY, subject = BUF_EMPTY, key = BUF_EMPTY, id = BUF_EMPTY;
    struct buf address = BUF_EMPTY;
    struct post_report report = {POST_DONE, "", ""};
    struct letter letter = {.person = rota_text(command, "/on_behalf_of", ""),
                            .name = "",
                            .record = rota_text(command, "/record", "")};

    write_refusal(&text, command, status, why);
    buf_addf(&subject, "Not accepted: %s %s", letter.record, rota_text(command, "/command", ""));
    buf_addf(&key, "refusal/%s/%s", letter.person, rota_text(command, "/id", ""));
    letter.subject = buf_text(&subject);
    letter.text = buf_text(&text);
    letter.key = buf_text(&key);
    if (!find_person(answers, letter.person, &address)) {
        program_say(answers->program, ROTA_LOG_WARNING, "an answer of nobody here: not replied to");
    } else {
        letter.address = buf_text(&address);
        if (courier_send(answers->courier, &letter, &id, &report) != POST_DONE)
            program_say(answers->program, ROTA_LOG_WARNING, "%s could not be told: %s",
                        letter.person, report.text);
    }
    buf_release(&text);
    buf_release(&subject);
    buf_release(&key);
    buf_release(&id);
    buf_release(&address);
}

/* ---- carrying ---- */

static void put_away(struct answers *answers, const char *file, const char *flags)
{
    struct error err = {ERROR_NONE, ""};

    if (maildir_seen(answers->root, answers->folder, file, flags, &err) != 0)
        program_say(answers->program, ROTA_LOG_ERROR, "%s", err.text);
}

/* Gives whether the engine has spoken: silence, "later" and failures of its own leave the letter
 * where it is. */
static bool carry(struct answers *answers, const char *file, const struct rota_value *command)
{
    struct rota_error why = {0, "", ""};
    struct rota_doc *reply = NULL;
    int status = rota_carry(answers->client, command, &reply, &why);
    bool is_final = status >= 200 && status < 500 && status != 429;

    rota_doc_free(&reply);
    program_say(answers->program, status >= 200 && status < 300 ? ROTA_LOG_INFO : ROTA_LOG_WARNING,
                "answer of %s about %s: %d %s", rota_text(command, "/on_behalf_of", ""),
                rota_text(command, "/record", ""), status, why.text);
    if (!is_final)
        return false;
    if (status >= 400)
        tell_refusal(answers, command, status, &why);
    put_away(answers, file, status >= 400 ? "FS" : "S");
    return true;
}

static void take_letter(void *self, const char *file, struct slice letter)
{
    struct answers *answers = self;
    struct error err = {ERROR_NONE, "too large, or not a file"};
    struct rota_doc *command = NULL;

    if (letter.at == NULL || answer_read(letter, &command, &err) != 0) {
        program_say(answers->program, ROTA_LOG_WARNING, "answer %s is put aside: %s", file,
                    err.text);
        put_away(answers, file, "FS");
        return;
    }
    carry(answers, file, rota_doc_value(command));
    rota_doc_free(&command);
}

static void *look_for_letters(void *argument)
{
    struct answers *answers = argument;
    struct pollfd stop = {answers->stop_fd, POLLIN, 0};
    struct error err = {ERROR_NONE, ""};

    while (poll(&stop, 1, LOOK_MS) == 0) {
        if (maildir_each_new(answers->root, answers->folder, LETTERS_MAX, take_letter, answers,
                             &err) != 0)
            program_say(answers->program, ROTA_LOG_ERROR, "%s", err.text);
    }
    return NULL;
}

int answers_start(struct program *program, const struct courier *courier, struct answers **out,
                  struct error *err)
{
    struct rota_options options = program_options(program);
    struct answers *answers = calloc(1, sizeof *answers);
    struct rota_error why;
    sigset_t all, before;
    int rc;

    if (answers == NULL)
        return error_set(err, ERROR_MEMORY, "no memory");
    *answers = (struct answers){.program = program,
                                .courier = courier,
                                .root = courier->mail,
                                .folder = program_text(program, "answers", "answers")};
    answers->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (maildir_make(answers->root, answers->folder, err) != 0)
        goto failed;
    if (rota_client_open(&options, &answers->client, &why) != 0) {
        error_set(err, ERROR_IO, "%s", why.text);
        goto failed;
    }
    rota_client_patience(answers->client, TRY_MS, TRIES);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    rc = pthread_create(&answers->thread, NULL, look_for_letters, answers);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) {
        *out = answers;
        return 0;
    }
    error_set(err, ERROR_IO, "cannot start a thread: %s", strerror(rc));
failed:
    rota_client_close(&answers->client);
    close(answers->stop_fd);
    free(answers);
    return -1;
}

void answers_stop(struct answers **out)
{
    struct answers *answers = out == NULL ? NULL : *out;
    uint64_t one = 1;

    if (answers == NULL)
        return;
    *out = NULL;
    if (write(answers->stop_fd, &one, sizeof one) == (ssize_t)sizeof one)
        pthread_join(answers->thread, NULL);
    rota_client_close(&answers->client);
    close(answers->stop_fd);
    free(answers);
}
