/* ask.c - questions and commands: keys, places, refusals in words. */
#include "ask.h"

#include <dirent.h>
#include <libconfig.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/dmp.h"
#include "client.h"
#include "wire/json.h"
#include "wire/status.h"

/* ---- the place ---------------------------------------------------------------------------------- */

/* The first endpoint of a setting that is a text or a list of texts; ipc before tcp. */
static const char *endpoint_in(struct tool *tool, const config_setting_t *setting)
{
    const char *found = NULL;

    if (setting == NULL)
        return NULL;
    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        found = config_setting_get_string(setting);
    for (int i = 0; i < config_setting_length(setting); i++) {
        const char *item = config_setting_get_string_elem(setting, i);

        if (item != NULL && (found == NULL ||
                             (strncmp(item, "ipc://", 6) == 0 && strncmp(found, "ipc://", 6) != 0)))
            found = item;
    }
    return found != NULL && *found != '\0' ? arena_str(&tool->arena, found) : NULL;
}

static const char *endpoint_from_here(struct tool *tool, const char *endpoint)
{
    int fd; /* stays open as long as the program runs: the path goes through it */

    if (endpoint == NULL)
        return NULL;
    if (strncmp(endpoint, "tcp://*:", 8) == 0)
        return arena_printf(&tool->arena, "tcp://127.0.0.1:%s", endpoint + 8);
    return client_endpoint(&tool->arena, tool->dir, endpoint, &fd);
}

int ask_place_quietly(struct tool *tool, struct engine_place *out, struct error *err)
{
    const char *path = tool_path(tool, "rotad.cfg"), *text = NULL;
    config_t config;
    int flag = 0, result = 0;

    memset(out, 0, sizeof *out);
    config_init(&config);
    if (config_read_file(&config, path) != CONFIG_TRUE) {
        result = config_error_type(&config) == CONFIG_ERR_FILE_IO
                     ? error_set(err, ERROR_IO, "%s cannot be read", path)
                     : error_set(err, ERROR_INPUT, "%s:%d: %s", path, config_error_line(&config),
                                 config_error_text(&config));
    } else {
        out->front = endpoint_from_here(tool, endpoint_in(tool, config_lookup(&config, "front")));
        out->feed = endpoint_from_here(tool, endpoint_in(tool, config_lookup(&config, "feed")));
        out->admin = endpoint_from_here(tool, endpoint_in(tool, config_lookup(&config, "admin")));
        out->is_insecure =
            config_lookup_bool(&config, "insecure", &flag) == CONFIG_TRUE && flag != 0;
        out->timezone = config_lookup_string(&config, "timezone", &text) == CONFIG_TRUE
                            ? arena_str(&tool->arena, text)
                            : "UTC";
        if (out->front == NULL)
            out->front = endpoint_from_here(tool, "ipc://run/front");
        if (out->feed == NULL)
            out->feed = endpoint_from_here(tool, "ipc://run/feed");
        if (out->admin == NULL)
            out->admin = endpoint_from_here(tool, "ipc://run/admin");
    }
    config_destroy(&config);
    return result;
}

int ask_place(struct tool *tool, struct engine_place *out)
{
    struct keyfile key;
    struct error err;

    if (ask_place_quietly(tool, out, &err) != 0)
        return err.class == ERROR_INPUT ? tool_error(TOOL_INPUT, &err)
                                        : tool_fail(TOOL_USAGE,
                                                    "%s: %s is no organisation's directory. Name "
                                                    "it with -C DIR or $ROTA_DIR, or "
                                                    "make one: rota init DIR --sample",
                                                    err.text, tool->dir);
    if (out->is_insecure)
        return TOOL_DONE;
    if (keyfile_load(tool_path(tool, "keys/engine.pub"), &key, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (!key.has_curve_public)
        return tool_fail(TOOL_INPUT, "%s has no CURVE key", tool_path(tool, "keys/engine.pub"));
    curve_to_z85(key.curve_public, out->server_key);
    keyfile_wipe(&key);
    return TOOL_DONE;
}

/* ---- who ---------------------------------------------------------------------------------------- */

static bool key_is_persons(struct tool *tool, const char *file)
{
    struct keyfile key;
    bool person;

    if (strcmp(file, "engine.key") == 0 || strcmp(file, "log.key") == 0 ||
        keyfile_load(tool_path(tool, arena_printf(&tool->arena, "keys/%s", file)), &key, NULL) != 0)
        return false;
    person = key.has_curve_secret && (key.has_sign_seed || key.is_sealed || key.ssh_key[0] != '\0');
    keyfile_wipe(&key);
    return person;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int ask_persons_here(struct tool *tool, const char *names[ASK_PERSONS_MAX])
{
    DIR *dir = opendir(tool_path(tool, "keys"));
    struct dirent *entry;
    int count = 0;

    while (dir != NULL && count < ASK_PERSONS_MAX && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (len > 4 && strcmp(entry->d_name + len - 4, ".key") == 0 &&
            key_is_persons(tool, entry->d_name))
            names[count++] = arena_copy(&tool->arena, entry->d_name, len - 4);
    }
    if (dir != NULL)
        closedir(dir);
    qsort(names, (size_t)count, sizeof *names, by_name);
    return count;
}

int ask_who(struct tool *tool, const char **out)
{
    const char *names[ASK_PERSONS_MAX];
    char *list;
    int count;

    if (tool->who != NULL) {
        *out = tool->who;
        return TOOL_DONE;
    }
    count = ask_persons_here(tool, names);
    if (count == 0)
        return tool_fail(TOOL_USAGE,
                         "no person's key is in %s: name one with --as WHO, or copy yours there",
                         tool_path(tool, "keys"));
    if (count > 1) {
        list = arena_str(&tool->arena, names[0]);
        for (int i = 1; i < count && i < 16; i++)
            list = arena_printf(&tool->arena, "%s, %s", list, names[i]);
        return tool_fail(TOOL_USAGE,
                         "who are you? %d keys are here: say --as WHO or set ROTA_AS (%s%s)", count,
                         list, count > 16 ? ", ..." : "");
    }
    *out = tool->who = names[0];
    return TOOL_DONE;
}

int ask_key(struct tool *tool, const char *who, struct keyfile *out)
{
    const char *path = tool_path(tool, arena_printf(&tool->arena, "keys/%s.key", who));
    const char *names[ASK_PERSONS_MAX], *near;
    struct error err;

    if (*who == '\0' || strchr(who, '/') != NULL)
        return tool_fail(TOOL_USAGE, "--as %s: not a name", who);
    if (access(path, F_OK) != 0) {
        near = nearest_said(&tool->arena, who, names, ask_persons_here(tool, names));
        return tool_fail(TOOL_USAGE, "there is no key of %s here (%s)%s", who, path, near);
    }
    if (keyfile_load(path, out, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    return TOOL_DONE;
}

/* ---- asking ------------------------------------------------------------------------------------- */

struct slice ask_new_id(struct tool *tool)
{
    uint8_t random[ASK_ID_LEN / 2];
    char *text = arena_take(&tool->arena, ASK_ID_LEN + 1);

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        abort();
    hex_encode(slice_of(random, sizeof random), text);
    return slice_of(text, ASK_ID_LEN);
}

/* Our CURVE keys as text, in the run's memory; and the engine's, which is looked for there. */
static int take_keys(struct tool *tool, const struct engine_place *place,
                     struct client_options *options)
{
    char *keys = arena_take(&tool->arena, 3 * (CURVE_Z85_LEN + 1));
    struct keyfile key;
    const char *who;
    int status;

    if ((status = ask_who(tool, &who)) != TOOL_DONE ||
        (status = ask_key(tool, who, &key)) != TOOL_DONE)
        return status;
    if (!key.has_curve_secret) {
        keyfile_wipe(&key);
        return tool_fail(TOOL_INPUT, "the key of %s has no CURVE secret", who);
    }
    memcpy(keys, place->server_key, CURVE_Z85_LEN + 1);
    curve_to_z85(key.curve_public, keys + CURVE_Z85_LEN + 1);
    curve_to_z85(key.curve_secret, keys + 2 * (CURVE_Z85_LEN + 1));
    keyfile_wipe(&key);
    options->server_key = keys;
    options->public_key = keys + CURVE_Z85_LEN + 1;
    options->secret_key = keys + 2 * (CURVE_Z85_LEN + 1);
    return TOOL_DONE;
}

static int open_front(struct tool *tool)
{
    struct client_options options = {.timeout_ms = tool->timeout_ms};
    struct engine_place place;
    struct error err;
    int status;

    if (tool->client != NULL)
        return TOOL_DONE;
    if ((status = ask_place(tool, &place)) != TOOL_DONE)
        return status;
    options.endpoint = place.front;
    if (!place.is_insecure && (status = take_keys(tool, &place, &options)) != TOOL_DONE)
        return status;
    if (client_open(&options, &tool->client, &err) != 0)
        return tool_error(TOOL_INTERNAL, &err);
    return TOOL_DONE;
}

static int no_answer(struct tool *tool, enum client_result result, const struct error *err)
{
    if (result == CLIENT_NO_ENGINE)
        return tool_fail(TOOL_NO_ENGINE, "no engine answers for %s (%s). Start it with: rota up %s",
                         tool->dir, err->text, tool_shell(&tool->arena, tool->dir));
    if (result == CLIENT_NOT_KNOWN)
        return tool_fail(TOOL_REFUSED,
                         "401 no-principal: the engine does not know the key of %s (or "
                         "keys/engine.pub is not its "
                         "key). Is it in directory.cfg, and was that loaded?",
                         tool->who != NULL ? tool->who : "this user");
    return tool_error(TOOL_INPUT, err);
}

int ask_refused(struct tool *tool, const struct reply *reply)
{
    const struct status *known = status_of_number(reply->status);
    struct slice code = reply->code, text = reply->message;
    char *sentence;

    if (code.len == 0)
        code = slice_str(known != NULL ? known->code : "refused");
    if (text.len == 0)
        text = slice_str(known != NULL ? known->sentence : "the engine refused this");
    sentence = text_clean(&tool->arena, text, false);
    return tool_fail(reply->status == 400 || reply->status == 413   ? TOOL_INPUT
                     : reply->status == 500 || reply->status == 501 ? TOOL_INTERNAL
                                                                    : TOOL_REFUSED,
                     "%d %.*s: %s", reply->status, (int)code.len, (const char *)code.at, sentence);
}

static int ask_front(struct tool *tool, const struct question *question, struct reply *out)
{
    struct error err = {ERROR_NONE, ""};
    enum client_result result;
    int status = open_front(tool);

    if (status != TOOL_DONE)
        return status;
    result = client_ask(tool->client, question, &tool->arena, out, &err);
    return result == CLIENT_ANSWERED ? TOOL_DONE : no_answer(tool, result, &err);
}

static int query_reply(struct tool *tool, const char *name, struct value args, struct reply *out)
{
    struct query query = {
        .v = WIRE_VERSION_MAX, .id = ask_new_id(tool), .query = slice_str(name), .args = args};
    struct question question = {"rota.query.v1", query.id, slice_of(NULL, 0), 0};
    struct buf body = BUF_EMPTY;
    int status;

    query_encode(&body, &query, false);
    question.body = buf_slice(&body);
    status = ask_front(tool, &question, out);
    buf_release(&body);
    return status;
}

int ask_query(struct tool *tool, const char *query, struct value args, struct value *out)
{
    struct reply reply;
    int status = query_reply(tool, query, args, &reply);

    if (status != TOOL_DONE)
        return status;
    if (reply.status / 100 != 2)
        return ask_refused(tool, &reply);
    *out = reply.out;
    return TOOL_DONE;
}

int ask_query_if(struct tool *tool, const char *query, struct value args, struct value *out)
{
    struct reply reply;
    int status = query_reply(tool, query, args, &reply);

    if (status != TOOL_DONE)
        return status;
    if (reply.status / 100 != 2 && reply.status != 404)
        return ask_refused(tool, &reply);
    *out = reply.status == 404 ? VALUE_NONE : reply.out;
    return TOOL_DONE;
}

int ask_events(struct tool *tool, const struct value *message, int64_t patience_ms,
               struct value *out)
{
    struct question question = {"rota.events.v1", value_get_text(message, "id"), slice_of(NULL, 0),
                                patience_ms};
    struct buf body = BUF_EMPTY;
    struct reply reply;
    int status;

    dmp_encode(&body, message);
    question.body = buf_slice(&body);
    status = ask_front(tool, &question, &reply);
    buf_release(&body);
    if (status != TOOL_DONE)
        return status;
    if (reply.status / 100 != 2)
        return ask_refused(tool, &reply);
    *out = reply.out;
    return TOOL_DONE;
}

int ask_command_quietly(struct tool *tool, struct command *command, struct reply *out)
{
    struct question question = {"rota.command.v1", slice_of(NULL, 0), slice_of(NULL, 0), 0};
    struct buf body = BUF_EMPTY;
    int status;

    command->v = WIRE_VERSION_MAX;
    if (command->id.len == 0)
        command->id = ask_new_id(tool);
    command_encode(&body, command, false);
    if (body.len > COMMAND_BYTES_MAX && !command_is_bulk(command->command)) {
        status = tool_fail(TOOL_INPUT,
                           "413 too-large: this command has %zu bytes; at most %d fit. Put long "
                           "texts into longtext fields",
                           body.len, (int)COMMAND_BYTES_MAX);
    } else {
        question.id = command->id;
        question.body = buf_slice(&body);
        status = ask_front(tool, &question, out);
    }
    buf_release(&body);
    return status;
}

int ask_command(struct tool *tool, struct command *command, struct reply *out)
{
    int status = ask_command_quietly(tool, command, out);

    if (status == TOOL_DONE && out->status / 100 != 2)
        status = ask_refused(tool, out);
    return status;
}

/* ---- administration ----------------------------------------------------------------------------- */

static int local_reply(struct tool *tool, const char *service, struct slice id, struct slice bytes,
                       struct reply *out, enum client_result *result, struct error *err)
{
    struct question question = {service, id, bytes, 0};
    struct client_options options = {.timeout_ms = tool->timeout_ms};
    struct client *client = NULL;
    struct engine_place place;
    int status = ask_place(tool, &place);

    if (status != TOOL_DONE)
        return status;
    options.endpoint = place.admin;
    if (client_open(&options, &client, err) != 0)
        return tool_error(TOOL_INTERNAL, err);
    *result = client_ask(client, &question, &tool->arena, out, err);
    client_close(&client);
    return TOOL_DONE;
}

static int send_locally(struct tool *tool, const char *service, struct slice id, struct slice bytes,
                        bool quietly, struct value *out)
{
    struct error err = {ERROR_NONE, ""};
    enum client_result result = CLIENT_BROKEN;
    struct reply reply;
    int status = local_reply(tool, service, id, bytes, &reply, &result, &err);

    if (status != TOOL_DONE)
        return status;
    if (result == CLIENT_NO_ENGINE && quietly)
        return TOOL_NO_ENGINE;
    if (result != CLIENT_ANSWERED)
        return no_answer(tool, result, &err);
    if (reply.status / 100 != 2)
        return ask_refused(tool, &reply);
    *out = reply.out;
    return TOOL_DONE;
}

static int ask_locally(struct tool *tool, const char *service, const char *name, struct value args,
                       bool quietly, struct value *out)
{
    struct command command = {
        .v = WIRE_VERSION_MAX, .id = ask_new_id(tool), .command = slice_str(name), .args = args};
    struct buf body = BUF_EMPTY;
    int status;

    command_encode(&body, &command, false);
    status = send_locally(tool, service, command.id, buf_slice(&body), quietly, out);
    buf_release(&body);
    return status;
}

int ask_admin(struct tool *tool, const char *command, struct value args, struct value *out)
{
    return ask_locally(tool, "rota.admin.v1", command, args, false, out);
}

int ask_admin_quietly(struct tool *tool, const char *command, struct value args, struct value *out)
{
    return ask_locally(tool, "rota.admin.v1", command, args, true, out);
}

int ask_operator(struct tool *tool, const char *command, struct value args, struct value *out)
{
    return ask_locally(tool, "rota.command.v1", command, args, false, out);
}

int ask_operator_query(struct tool *tool, const char *name, struct value args, struct value *out)
{
    struct query query = {
        .v = WIRE_VERSION_MAX, .id = ask_new_id(tool), .query = slice_str(name), .args = args};
    struct buf body = BUF_EMPTY;
    int status;

    query_encode(&body, &query, false);
    status = send_locally(tool, "rota.query.v1", query.id, buf_slice(&body), false, out);
    buf_release(&body);
    return status;
}

/* ---- content ------------------------------------------------------------------------------------ */

static int put_part(struct tool *tool, struct slice part, const uint8_t *salt, const char *upload,
                    int64_t number, bool last, struct reply *reply)
{
    struct command command = {.command = slice_str("content.put"), .args = value_map()};

    value_set(&tool->arena, &command.args, "data", value_bin(part.at, part.len));
    if (upload != NULL) {
        value_set(&tool->arena, &command.args, "upload", value_str(upload));
        value_set(&tool->arena, &command.args, "part", value_int(number));
    }
    if (last)
        value_set(&tool->arena, &command.args, "salt", value_bin(salt, 16));
    if (last && upload != NULL)
        value_set(&tool->arena, &command.args, "last", value_bool(true));
    return ask_command(tool, &command, reply);
}

static int put(struct tool *tool, struct slice data, const uint8_t *salt, struct reply *reply)
{
    struct slice id = ask_new_id(tool);
    const char *upload = data.len > ASK_CHUNK ? arena_copy(&tool->arena, id.at, id.len) : NULL;
    int status = TOOL_DONE;
    int64_t number = 0;
    bool last = false;

    while (status == TOOL_DONE && !last) {
        size_t len = data.len < ASK_CHUNK ? data.len : (size_t)ASK_CHUNK;

        last = len == data.len;
        status = put_part(tool, slice_of(data.at, len), salt, upload, number++, last, reply);
        data = slice_of(data.at + len, data.len - len);
    }
    return status;
}

int ask_upload(void *self, struct slice data, struct value *out, struct error *err)
{
    uint8_t salt[16];

    error_set(err, ERROR_NONE, "%s", "");
    if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt)
        return error_set(err, ERROR_IO, "the kernel gave no random bytes");
    return ask_upload_salted(self, data, salt, out, err);
}

int ask_upload_salted(struct tool *tool, struct slice data, const uint8_t salt[16],
                      struct value *out, struct error *err)
{
    uint8_t hash[HASH_LEN];
    struct reply reply;

    error_set(err, ERROR_NONE, "%s", "");
    if (put(tool, data, salt, &reply) != TOOL_DONE)
        return -1;
    hash_content(salt, data, hash);
    if (!slice_equal(value_get_bin(&reply.out, "content"), slice_of(hash, sizeof hash)))
        return error_set(err, ERROR_DAMAGED, "the engine stored other bytes than were sent");
    *out = value_map();
    value_set(&tool->arena, out, "content",
              value_bin(arena_copy(&tool->arena, hash, sizeof hash), sizeof hash));
    value_set(&tool->arena, out, "size", value_int((int64_t)data.len));
    return 0;
}

int ask_content(struct tool *tool, struct slice hash, size_t max, struct slice *out)
{
    struct buf bytes = BUF_EMPTY;
    int status = TOOL_DONE;
    int64_t size = 1;

    while (status == TOOL_DONE && (int64_t)bytes.len < size && bytes.len < max) {
        struct value args = value_map(), answer;
        struct slice part;

        value_set(&tool->arena, &args, "content", value_bin(hash.at, hash.len));
        value_set(&tool->arena, &args, "offset", value_int((int64_t)bytes.len));
        status = ask_query_if(tool, "content", args, &answer);
        part = status == TOOL_DONE ? value_get_bin(&answer, "data") : slice_of(NULL, 0);
        size = status == TOOL_DONE ? value_get_int(&answer, "size", 0) : 0;
        if (part.len == 0)
            break;
        buf_add_slice(&bytes, part);
    }
    *out = slice_of(arena_copy(&tool->arena, bytes.at, bytes.len), bytes.len);
    buf_release(&bytes);
    return status;
}

int ask_told(struct tool *tool, const char *name, const struct value *args, const char *done)
{
    struct command command = {.command = slice_str(name), .args = *args};
    struct reply reply;
    int status = ask_command(tool, &command, &reply);

    if (status == TOOL_DONE && tool->out.json)
        output_json(&tool->out, &reply.out);
    else if (status == TOOL_DONE)
        output_line(&tool->out, INK_GOOD, "%s", done);
    return status;
}

void ask_close(struct tool *tool)
{
    client_close(&tool->client);
}
