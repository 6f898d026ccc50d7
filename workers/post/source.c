#include "post/source.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { FRESH_MS = 2000, TRY_MS = 1000 };

struct source {
    pthread_mutex_t lock;
    struct rota_client *client;
    struct rota_doc *head; /* owned; NULL: not known */
    int64_t asked_ms;      /* 0: never */
};

int source_open(struct program *program, struct source **out, struct error *err)
{
    struct rota_options options = program_options(program);
    struct source *source = calloc(1, sizeof *source);
    struct rota_error why;

    if (source == NULL)
        return error_set(err, ERROR_MEMORY, "no memory");
    if (rota_client_open(&options, &source->client, &why) != 0) {
        free(source);
        return error_set(err, ERROR_IO, "%s", why.text);
    }
    rota_client_patience(source->client, TRY_MS, 1);
    pthread_mutex_init(&source->lock, NULL);
    *out = source;
    return 0;
}

void source_close(struct source **out)
{
    struct source *source = out == NULL ? NULL : *out;

    if (source == NULL)
        return;
    *out = NULL;
    rota_client_close(&source->client);
    rota_doc_free(&source->head);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

static int64_t clock_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

static struct rota_doc *copy_of(const struct rota_doc *head)
{
    static const char *const kept[] = {"/size", "/root", "/note"};
    struct rota_doc *copy;

    if (head == NULL)
        return NULL;
    copy = rota_doc_new();
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const struct rota_value *value = rota_at(rota_doc_value(head), kept[i]);

        if (value != NULL)
            rota_put_value(copy, kept[i], value);
    }
    return copy;
}

/* Under the lock. */
static void ask(struct source *source)
{
    struct rota_doc *reply = NULL;

    rota_doc_free(&source->head);
    if (rota_query(source->client, "status", NULL, &reply, NULL) == 200) {
        source->head = rota_doc_new();
        rota_put_value(source->head, "", rota_at(rota_doc_value(reply), "/out"));
    }
    rota_doc_free(&reply);
    source->asked_ms = clock_now_ms();
}

struct rota_doc *source_head(struct source *source)
{
    struct rota_doc *copy;

    pthread_mutex_lock(&source->lock);
    if (source->asked_ms == 0 || clock_now_ms() - source->asked_ms > FRESH_MS)
        ask(source);
    copy = copy_of(source->head);
    pthread_mutex_unlock(&source->lock);
    return copy;
}

/* Under the lock: one piece from where `out` ends; *size is the whole. */
static int read_piece(struct source *source, const unsigned char *hash, size_t done,
                      struct buf *out, int64_t *size)
{
    struct rota_doc *args = rota_doc_new(), *reply = NULL;
    const unsigned char *data;
    size_t len;
    int status;

    rota_put_bytes(args, "/content", hash, ROTA_CONTENT_LEN);
    rota_put_int(args, "/offset", (int64_t)done);
    status = rota_query(source->client, "content", rota_doc_value(args), &reply, NULL);
    if (status == 200) {
        data = rota_bytes(rota_doc_value(reply), "/out/data", &len);
        *size = rota_int(rota_doc_value(reply), "/out/size", -1);
        if (len > 0)
            buf_add(out, data, len);
    }
    rota_doc_free(&args);
    rota_doc_free(&reply);
    return status;
}

int source_text(struct source *source, const struct rota_value *reference, struct buf *out)
{
    size_t hash_len, begin = out->len, done = 0, before;
    const unsigned char *hash = rota_bytes(reference, "/content", &hash_len);
    int64_t size = -1;
    int status = 200;

    if (hash_len != ROTA_CONTENT_LEN)
        return 400;
    pthread_mutex_lock(&source->lock);
    do {
        before = done;
        status = read_piece(source, hash, done, out, &size);
        done = out->len - begin;
        if (size > SOURCE_TEXT_MAX)
            status = 413;
    } while (status == 200 && (int64_t)done < size && done > before);
    pthread_mutex_unlock(&source->lock);
    return status == 200 && (int64_t)done != size ? 500 : status;
}
