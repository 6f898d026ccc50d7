/* A person's decision, signed: the tuple that both sides build (engine/JOURNAL.md, "what an actor
 * signs"). */

#include "sdk/client.h"

#include "base/dmp.h"
#include "base/hash.h"

#include <stdio.h>

enum { ID_MAX = 64, TYPE_MAX = 96 };

struct prepared { /* lent by the reply to `prepare` */
    const char *origin, *type, *stream, *meaning, *statement;
    int64_t rev, round;
    const unsigned char *digest;
    size_t digest_len;
};

static int read_prepared(const struct rota_value *out, struct prepared *to, struct rota_error *err)
{
    *to = (struct prepared){.origin = rota_text(out, "/origin", NULL),
                            .type = rota_text(out, "/type", NULL),
                            .stream = rota_text(out, "/stream", NULL),
                            .meaning = rota_text(out, "/meaning", NULL),
                            .statement = rota_text(out, "/statement", NULL),
                            .rev = rota_int(out, "/rev", -1),
                            .round = rota_int(out, "/round", -1)};
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

/* The body of the decision; a reason goes up as content first and is named by its hash. */
static int fill_args(struct rota_client *client, const struct prepared *what, const char *reason,
                     const struct rota_signer *signer, struct rota_doc *args,
                     unsigned char content[ROTA_CONTENT_LEN], struct rota_error *err)
{
    uint8_t key[SIGN_KEY_LEN];

    if (what->meaning != NULL)
        rota_put_text(args, "/meaning", what->meaning);
    if (what->digest_len > 0)
        rota_put_bytes(args, "/digest", what->digest, what->digest_len);
    if (what->round >= 0)
        rota_put_int(args, "/round", what->round);
    if (what->statement != NULL)
        put_hash(args, "/statement", slice_str(what->statement));
    public_key_of(signer, key);
    put_hash(args, "/key", slice_of(key, sizeof key));
    if (reason == NULL)
        return 0;
    if (rota_upload(client, reason, strlen(reason), content, err) != 0)
        return -1;
    rota_put_bytes(args, "/reason/content", content, ROTA_CONTENT_LEN);
    rota_put_int(args, "/reason/size", (int64_t)strlen(reason));
    return 0;
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

static int send_decision(struct rota_client *client, const struct rota_decision *decision,
                         const struct prepared *what, const char *actor,
                         const struct rota_signer *signer, struct rota_doc **reply,
                         struct rota_error *err)
{
    struct rota_command command = ROTA_COMMAND_INIT;
    struct rota_doc *args = rota_doc_new();
    unsigned char content[ROTA_CONTENT_LEN], signature[ROTA_SIGNATURE_LEN];
    char fresh[33];
    int status = -1;

    client_new_id(fresh);
    command.id = decision->id != NULL ? decision->id : fresh;
    command.command = decision->event;
    command.record = decision->record;
    command.args = rota_doc_value(args);
    command.signature = signature;
    if (fill_args(client, what, decision->reason, signer, args, content, err) != 0)
        goto out;
    if (sign_tuple(what, actor, command.id, command.args, decision->reason == NULL ? NULL : content,
                   signer, signature) != 0) {
        fail(err, 0, "", "the signature was declined");
        goto out;
    }
    status = rota_command(client, &command, reply, err);
out:
    rota_doc_free(&args);
    return status;
}

int rota_decide(struct rota_client *client, const struct rota_decision *decision,
                const struct rota_signer *signer, struct rota_doc **reply, struct rota_error *err)
{
    struct rota_doc *answer = NULL;
    struct prepared what;
    const char *actor = own_name(client, err);
    int status;

    if (actor == NULL)
        return -1;
    status = prepare(client, decision, &answer, err);
    if (status != 200) {
        *reply = answer;
        return status;
    }
    if (read_prepared(rota_at(rota_doc_value(answer), "/out"), &what, err) != 0 ||
        check_digest(&what, decision->digest, err) != 0)
        status = -1;
    else
        status = send_decision(client, decision, &what, actor, signer, reply, err);
    rota_doc_free(&answer);
    return status;
}
