/* A person's decision, signed: the tuple that both sides build (engine/JOURNAL.md, "what an actor
 * signs"). */

#include "sdk/client.h"

#include "base/dmp.h"
#include "base/hash.h"

#include <stdio.h>

enum { TRIES_MAX = 3 }; /* how often one decision is signed while what governs it changes */

struct prepared { /* lent by the reply to `prepare` */
    const char *origin, *type, *stream, *meaning, *statement;
    int64_t rev, round;
    const unsigned char *digest;
    size_t digest_len;
    const struct rota_value *under; /* the directory and the definitions; NULL: an older engine */
};

/* `origin`: of the journal, where the part itself does not say it. */
static int read_prepared(const struct rota_value *out, const char *origin, struct prepared *to,
                         struct rota_error *err)
{
    *to = (struct prepared){.origin = rota_text(out, "/origin", origin),
                            .type = rota_text(out, "/type", NULL),
                            .stream = rota_text(out, "/stream", NULL),
                            .meaning = rota_text(out, "/meaning", NULL),
                            .statement = rota_text(out, "/statement", NULL),
                            .rev = rota_int(out, "/rev", -1),
                            .round = rota_int(out, "/round", -1),
                            .under = rota_at(out, "/under")};
    to->digest = rota_bytes(out, "/digest", &to->digest_len);
    if (to->origin == NULL || to->type == NULL || to->stream == NULL || to->rev < 0)
        return fail(err, 0, "", "the engine's answer to `prepare` cannot be read");
    return 0;
}

static int check_digest(const struct prepared *what, const char *seen, struct rota_error *err)
{
    uint8_t digest[HASH_LEN];

    if (seen == NULL)
        return 0;
    if (hex_decode(seen, digest, sizeof digest) != 0 || what->digest_len != sizeof digest ||
        memcmp(digest, what->digest, sizeof digest) != 0)
        return fail(err, 409, "stale-content",
                    "the content is not what was seen: its digest is another one now");
    return 0;
}

static void public_key_of(const struct rota_signer *signer, uint8_t key[SIGN_KEY_LEN])
{
    if (signer->seed != NULL)
        sign_public_key(signer->seed, key);
    else
        memcpy(key, signer->public_key, SIGN_KEY_LEN);
}

static void put_hash(struct rota_doc *args, const char *pointer, struct slice bytes)
{
    uint8_t hash[HASH_LEN];

    hash_bytes(bytes, hash);
    rota_put_bytes(args, pointer, hash, sizeof hash);
}

/* The body of the decision; a reason (or NULL) is named by the hash that it has as content. */
static void fill_args(const struct prepared *what, const char *reason, const unsigned char *content,
                      const struct rota_signer *signer, struct rota_doc *args)
{
    uint8_t key[SIGN_KEY_LEN];

    if (what->meaning != NULL)
        rota_put_text(args, "/meaning", what->meaning);
    if (what->digest_len > 0)
        rota_put_bytes(args, "/digest", what->digest, what->digest_len);
    if (what->round >= 0)
        rota_put_int(args, "/round", what->round);
    if (what->under != NULL)
        rota_put_value(args, "/under", what->under);
    if (what->statement != NULL)
        put_hash(args, "/statement", slice_str(what->statement));
    public_key_of(signer, key);
    put_hash(args, "/key", slice_of(key, sizeof key));
    if (reason == NULL)
        return;
    rota_put_bytes(args, "/reason/content", content, ROTA_CONTENT_LEN);
    rota_put_int(args, "/reason/size", (int64_t)strlen(reason));
}

static int sign_tuple(const struct prepared *what, const char *actor, const char *id,
                      const struct rota_value *args, const unsigned char *content,
                      const struct rota_signer *signer, uint8_t signature[SIGNATURE_LEN])
{
    struct buf message = BUF_EMPTY;
    uint8_t command_id[16];
    int rc = 0;

    hash_command_id(slice_str(actor), slice_str(id), command_id);
    buf_add_str(&message, "rota.command/1\n");
    dmp_put_array(&message, 8);
    dmp_put_str(&message, slice_str(what->origin));
    dmp_put_bin(&message, slice_of(command_id, sizeof command_id));
    dmp_put_str(&message, slice_str(what->type));
    dmp_put_str(&message, slice_str(what->stream));
    dmp_put_int(&message, what->rev);
    dmp_put_str(&message, slice_str(actor));
    dmp_encode(&message, value_in(args));
    if (content == NULL)
        dmp_put_nil(&message);
    else
        dmp_put_bin(&message, slice_of(content, ROTA_CONTENT_LEN));
    if (signer->seed != NULL)
        sign_message(signer->seed, buf_slice(&message), signature);
    else
        rc = signer->sign(signer->self, message.at, message.len, signature);
    buf_release(&message);
    return rc;
}

/* Who we are here, as the engine sees this key. Asked once. */
static const char *own_name(struct rota_client *client, struct rota_error *err)
{
    const char *name;

    if (client->info == NULL && rota_query(client, "info", NULL, &client->info, err) != 200)
        rota_doc_free(&client->info);
    if (client->info == NULL)
        return NULL;
    name = rota_text(rota_doc_value(client->info), "/out/principal", NULL);
    if (name == NULL)
        fail(err, 0, "", "the engine does not say who this key belongs to");
    return name;
}

static int prepare(struct rota_client *client, const struct rota_decision *decision,
                   struct rota_doc **reply, struct rota_error *err)
{
    struct rota_doc *args = rota_doc_new();
    int status;

    rota_put_text(args, "/record", decision->record);
    rota_put_text(args, "/event", decision->event);
    status = rota_query(client, "prepare", rota_doc_value(args), reply, err);
    rota_doc_free(&args);
    return status;
}

struct deciding { /* what is the same for all that one command decides */
    const char *actor, *id, *origin, *reason;
    const unsigned char *content; /* of the reason, or NULL */
    const struct rota_signer *signer;
};

/* A record that goes together with the one that is decided: signed over its own content, into /also. */
static int sign_also(const struct deciding *deciding, const struct rota_value *part,
                     struct rota_doc *args, struct rota_error *err)
{
    struct rota_doc *body = rota_doc_new(), *one = rota_doc_new();
    unsigned char signature[ROTA_SIGNATURE_LEN];
    struct prepared what;
    int rc = read_prepared(part, deciding->origin, &what, err);

    if (rc == 0) {
        fill_args(&what, deciding->reason, deciding->content, deciding->signer, body);
        rc = sign_tuple(&what, deciding->actor, deciding->id, rota_doc_value(body),
                        deciding->content, deciding->signer, signature);
        if (rc != 0)
            fail(err, 0, "", "the signature was declined");
    }
    if (rc == 0) {
        rota_put_text(one, "/record", rota_text(part, "/record", ""));
        rota_put_value(one, "/args", rota_doc_value(body));
        rota_put_bytes(one, "/signature", signature, sizeof signature);
        rota_put_value(args, "/also/-", rota_doc_value(one));
    }
    rota_doc_free(&body);
    rota_doc_free(&one);
    return rc;
}

/* Everything that the command is about is signed; the decision itself last, over all the others too. */
static int sign_all(const struct deciding *deciding, const struct prepared *what,
                    const struct rota_value *prepared, struct rota_doc *args,
                    unsigned char signature[ROTA_SIGNATURE_LEN], struct rota_error *err)
{
    const struct rota_value *also = rota_at(prepared, "/also");

    for (size_t i = 0; i < rota_count(also); i++) {
        if (sign_also(deciding, rota_item(also, i), args, err) != 0)
            return -1;
    }
    fill_args(what, deciding->reason, deciding->content, deciding->signer, args);
    if (sign_tuple(what, deciding->actor, deciding->id, rota_doc_value(args), deciding->content,
                   deciding->signer, signature) == 0)
        return 0;
    return fail(err, 0, "", "the signature was declined");
}

static int send_decision(struct rota_client *client, const struct rota_decision *decision,
                         const struct prepared *what, const struct rota_value *prepared,
                         const char *actor, const struct rota_signer *signer,
                         struct rota_doc **reply, struct rota_error *err)
{
    struct rota_command command = ROTA_COMMAND_INIT;
    struct rota_doc *args = rota_doc_new();
    unsigned char content[ROTA_CONTENT_LEN], signature[ROTA_SIGNATURE_LEN];
    struct deciding deciding = {.actor = actor,
                                .origin = what->origin,
                                .reason = decision->reason,
                                .content = decision->reason != NULL ? content : NULL,
                                .signer = signer};
    char fresh[33];
    int status = -1;

    client_new_id(fresh);
    deciding.id = command.id = decision->id != NULL ? decision->id : fresh;
    command.command = decision->event;
    command.record = decision->record;
    command.args = rota_doc_value(args);
    command.signature = signature;
    if ((decision->reason == NULL ||
         rota_upload(client, decision->reason, strlen(decision->reason), content, err) == 0) &&
        sign_all(&deciding, what, prepared, args, signature, err) == 0)
        status = rota_command(client, &command, reply, err);
    rota_doc_free(&args);
    return status;
}

/* One attempt. `*prepared` is what the one before was about (or NULL), and then what this one is. */
static int decide_once(struct rota_client *client, const struct rota_decision *decision,
                       const char *actor, const struct rota_signer *signer,
                       struct rota_doc **prepared, struct rota_doc **reply, struct rota_error *err)
{
    struct rota_doc *before = *prepared;
    struct prepared what;
    int status;

    *prepared = NULL;
    status = prepare(client, decision, prepared, err);
    if (status != 200) {
        *reply = *prepared;
        *prepared = NULL;
    } else if (before != NULL &&
               !value_equal_but(value_in(rota_at(rota_doc_value(before), "/out")),
                                value_in(rota_at(rota_doc_value(*prepared), "/out")), "under")) {
        status = fail(err, 409, "stale-rules",
                      "the directory or the definitions changed, and what is to be signed with "
                      "them");
    } else if (read_prepared(rota_at(rota_doc_value(*prepared), "/out"), NULL, &what, err) != 0 ||
               check_digest(&what, decision->digest, err) != 0) {
        status = -1;
    } else {
        status = send_decision(client, decision, &what, rota_at(rota_doc_value(*prepared), "/out"),
                               actor, signer, reply, err);
    }
    rota_doc_free(&before);
    return status;
}

/* Under which directory and definitions it is decided is signed. If these have changed since it was prepared, nothing was
 * done, and the same is signed again. */
int rota_decide(struct rota_client *client, const struct rota_decision *decision,
                const struct rota_signer *signer, struct rota_doc **reply, struct rota_error *err)
{
    struct rota_doc *prepared = NULL;
    const char *actor = own_name(client, err);
    int status = -1;

    *reply = NULL;
    for (int tries = 0; actor != NULL && tries < TRIES_MAX; tries++) {
        rota_doc_free(reply);
        status = decide_once(client, decision, actor, signer, &prepared, reply, err);
        if (status != 409 || strcmp(rota_text(rota_doc_value(*reply), "/code", ""), "stale-rules"))
            break;
    }
    rota_doc_free(&prepared);
    return status;
}
