/* key.c - `rota key ...`: people's signing keys, from the pair to the journal.
 *
 * A key counts when its holder's present key, or two root keys, endorse it. The roots belong to top management and are kept
 * off this machine; what must be endorsed travels as a small file (enrolment.h).
 */
#include <errno.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "core/endorse.h"
#include "enrolment.h"
#include "facts.h"
#include "forms.h"
#include "given.h"
#include "keys.h"
#include "principal.h"
#include "secret.h"

/* ---- what the engine says ---- */

static int people(struct tool *tool, struct value *answer, const struct value **out)
{
    int status = ask_query(tool, "people", value_map(), answer);

    if (status != TOOL_DONE)
        return status;
    *out = value_is(answer, VALUE_ARRAY) ? answer : value_get(answer, "people");
    return value_is(*out, VALUE_ARRAY) ? TOOL_DONE
                                       : tool_fail(TOOL_INPUT, "the engine's answer has no people");
}

static int find_person(struct tool *tool, const char *name, const struct value **out)
{
    struct value *answer = arena_take(&tool->arena, sizeof *answer);
    const struct value *list;
    const char *names[ASK_PERSONS_MAX];
    int count = 0, status = people(tool, answer, &list);

    for (uint32_t i = 0; status == TOOL_DONE && i < list->count; i++) {
        *out = &list->as.items[i];
        if (slice_is(value_get_text(*out, "name"), name))
            return TOOL_DONE;
        if (count < ASK_PERSONS_MAX)
            names[count++] = value_get_str(*out, "name", "", &tool->arena);
    }
    return status != TOOL_DONE
               ? status
               : tool_fail(TOOL_REFUSED,
                           "%s is not in the directory%s (`rota people` lists who is)", name,
                           nearest_said(&tool->arena, name, names, count));
}

/* ---- list ---- */

static void list_one(struct tool *tool, struct table *table, const struct value *person, bool plain)
{
    struct slice key = value_get_bin(person, "sign");
    const char *name = value_get_str(person, "name", "", &tool->arena);
    char *hex = arena_take(&tool->arena, 2 * SIGN_KEY_LEN + 1);
    struct value line = value_map();

    if (key.len != SIGN_KEY_LEN)
        return;
    hex_encode(key, hex);
    if (plain) {
        output_line(&tool->out, INK_NONE, "%s %s", name, hex);
        return;
    }
    table_row(table);
    table_cell(table, 0, INK_BOLD, name);
    table_cell(table, 1, INK_NONE, value_get_str(person, "title", "", &tool->arena));
    table_cell(table, 2, INK_NONE, hex);
    if (!tool->out.json)
        return;
    value_set(&tool->arena, &line, "name", value_str(name));
    value_set(&tool->arena, &line, "sign", value_bin(key.at, key.len));
    value_set(&tool->arena, &line, "changes", value_int(value_get_int(person, "key_changes", 0)));
    output_json(&tool->out, &line);
}

static int list_keys(struct tool *tool, const struct arguments *given)
{
    static const char *const heads[] = {"name", "who", "signing key (Ed25519)"};
    bool plain = arguments_have(given, "--actor-keys");
    struct value answer;
    const struct value *list;
    struct table table;
    int status = people(tool, &answer, &list);

    if (status != TOOL_DONE)
        return status;
    table_begin(&table, 3, heads);
    table.spare = 1; /* a key is copied whole */
    for (uint32_t i = 0; i < list->count; i++)
        list_one(tool, &table, &list->as.items[i], plain);
    if (!plain && !tool->out.json)
        table_print(&table, &tool->out, 0);
    table_release(&table);
    return TOOL_DONE;
}

/* ---- roots ---- */

static int show_roots(struct tool *tool, const struct arguments *given)
{
    struct value info, line = value_map();
    const struct value *roots;
    uint8_t fingerprint[HASH_LEN];
    char hex[2 * HASH_LEN + 1];
    int status = ask_query(tool, "info", value_map(), &info);

    (void)given;
    if (status != TOOL_DONE)
        return status;
    roots = value_get(&info, "root_keys");
    if (!value_is(roots, VALUE_ARRAY) || roots->count == 0)
        return tool_fail(TOOL_REFUSED,
                         "this journal was founded without root keys: whoever keeps the directory "
                         "says whose key is whose");
    endorse_fingerprint(roots, fingerprint);
    hex_encode(slice_of(fingerprint, HASH_LEN), hex);
    value_set(&tool->arena, &line, "fingerprint", value_str(hex));
    value_set(&tool->arena, &line, "root_keys", *roots);
    if (tool->out.json) {
        output_json(&tool->out, &line);
        return TOOL_DONE;
    }
    output_line(&tool->out, INK_BOLD, "%s", hex);
    output_text(&tool->out, 0,
                slice_str(arena_printf(
                    &tool->arena,
                    "is the fingerprint of the %u root keys. Let top management tell it to your "
                    "auditor, not this machine: rota-verify --roots FINGERPRINT.",
                    roots->count)));
    return TOOL_DONE;
}

/* With --json: the file that was written, and the enrolment that is in it. */
static int tell_file(struct tool *tool, const char *path, const struct value *enrolment)
{
    struct value line = value_map();

    value_set(&tool->arena, &line, "file", value_str(path));
    if (enrolment != NULL)
        value_set(&tool->arena, &line, "enrolment", *enrolment);
    output_json(&tool->out, &line);
    return TOOL_DONE;
}

/* ---- a pair, a root ---- */

/* A secret is sealed with a passphrase unless somebody says that it shall not be. */
static struct keys_plan plan_of(const struct arguments *given, bool transport)
{
    return (struct keys_plan){.transport = transport,
                              .can_sign = true,
                              .sealed = !arguments_have(given, "--unsealed"),
                              .ssh = arguments_get(given, "--ssh")};
}

static int new_pair(struct tool *tool, const struct arguments *given)
{
    struct keys_plan plan = plan_of(given, true);

    return given->word_count == 2 ? person_new(tool, given->words[1], &plan)
                                  : tool_usage(given, "whose? rota key new NAME");
}

static int new_root(struct tool *tool, const struct arguments *given)
{
    const char *to = arguments_get(given, "--to"), *name;
    struct keys_plan plan = plan_of(given, false);
    int status;

    if (given->word_count != 2)
        return tool_usage(given, "whose? rota key root NAME --to DIRECTORY");
    if (to == NULL)
        return tool_usage(given, "--to DIRECTORY: a root key does not belong on the engine's "
                                 "machine; name a place of its holder's");
    name = arena_printf(&tool->arena, "root-%s", given->words[1]);
    status = keys_make(tool, to, name, &plan);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json)
        return tell_file(tool, arena_printf(&tool->arena, "%s/%s.key", to, name), NULL);
    output_line(&tool->out, INK_GOOD, "made %s/%s.key and its public half", to, name);
    output_text(&tool->out, 0,
                slice_str("Keep the secret off this machine. Two or more public halves found a "
                          "journal: rota init DIR --root A.pub --root B.pub"));
    return TOOL_DONE;
}

/* A passphrase for a key that has none, or another one. */
static int seal(struct tool *tool, const struct arguments *given)
{
    struct keyfile key = {0};
    const char *path;
    int status;

    if (given->word_count != 2)
        return tool_usage(given, "whose? rota key seal NAME");
    path = tool_path(tool, arena_printf(&tool->arena, "keys/%s.key", given->words[1]));
    status = ask_key(tool, given->words[1], &key);
    if (status == TOOL_DONE && !key.has_sign_seed && !key.is_sealed)
        status = tool_fail(TOOL_REFUSED, "%s holds no secret of ours to seal", path);
    if (status == TOOL_DONE)
        status = secret_open(tool, &key);
    if (status == TOOL_DONE)
        status = secret_seal(tool, &key);
    if (status == TOOL_DONE)
        status = keys_replace(tool, path, &key, true);
    keyfile_wipe(&key);
    if (status == TOOL_DONE && tool->out.json)
        return tell_file(tool, path, NULL);
    if (status == TOOL_DONE)
        output_line(&tool->out, INK_GOOD, "%s: the secret signing key is sealed", path);
    return status;
}

/* ---- request, endorse, enrol ---- */

static int load(struct keyfile *key, const char *path, bool with_secret)
{
    struct error err = {ERROR_NONE, ""};

    if (keyfile_load(path, key, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (with_secret ? secret_is_there(key) : key->has_sign_public)
        return TOOL_DONE;
    keyfile_wipe(key);
    return tool_fail(TOOL_INPUT, "%s holds no %s", path,
                     with_secret ? "secret signing key" : "signing key");
}

static int origin_of(struct tool *tool, const char **out)
{
    struct value info;
    int status = ask_query(tool, "info", value_map(), &info);

    if (status == TOOL_DONE)
        *out = value_get_str(&info, "origin", "", &tool->arena);
    return status;
}

static int make_request(struct tool *tool, const char *name, const uint8_t key[SIGN_KEY_LEN],
                        struct value *out)
{
    const struct value *person = NULL;
    const char *origin = "";
    int status = find_person(tool, name, &person);

    if (status == TOOL_DONE)
        status = origin_of(tool, &origin);
    if (status == TOOL_DONE)
        *out = enrolment_make(&tool->arena, origin, name, value_get_int(person, "key_changes", 0),
                              key);
    return status;
}

static int request_key(struct tool *tool, const struct arguments *given)
{
    const char *name = given->word_count == 2 ? given->words[1] : NULL;
    const char *to = arguments_get(given, "--to"), *public_path;
    const struct value *person;
    struct value enrolment;
    struct keyfile key;
    int status;

    if (name == NULL)
        return tool_usage(given, "whose? rota key request NAME");
    status = find_person(tool, name, &person);
    if (status != TOOL_DONE)
        return status;
    public_path = tool_path(tool, arena_printf(&tool->arena, "keys/%s.pub", name));
    if (arguments_have(given, "--key"))
        public_path = arguments_get(given, "--key");
    if (to == NULL)
        to = tool_path(tool, arena_printf(&tool->arena, "keys/%s.enrolment", name));
    status = load(&key, public_path, false);
    if (status != TOOL_DONE)
        return status;
    status = make_request(tool, name, key.sign_public, &enrolment);
    keyfile_wipe(&key);
    if (status == TOOL_DONE)
        status = enrolment_write(tool, to, &enrolment);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json)
        return tell_file(tool, to, &enrolment);
    output_line(&tool->out, INK_GOOD, "%s", to);
    output_text(&tool->out, 0,
                slice_str("asks for this key. It takes the endorsement of the present key, or of "
                          "two root keys: rota key endorse FILE --with SECRET.key, then rota key "
                          "enrol FILE."));
    return TOOL_DONE;
}

static int endorse_key(struct tool *tool, const struct arguments *given)
{
    const char *with = arguments_get(given, "--with");
    struct value enrolment;
    struct keyfile key;
    char hex[2 * SIGN_KEY_LEN + 1];
    int status;

    if (given->word_count != 2 || with == NULL)
        return tool_usage(given, "rota key endorse FILE --with SECRET.key");
    status = enrolment_read(tool, given->words[1], &enrolment);
    if (status == TOOL_DONE)
        status = load(&key, with, true);
    if (status != TOOL_DONE)
        return status;
    status = enrolment_endorse(tool, &enrolment, &key);
    keyfile_wipe(&key);
    if (status == TOOL_DONE)
        status = enrolment_write(tool, given->words[1], &enrolment);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json)
        return tell_file(tool, given->words[1], &enrolment);
    hex_encode(value_get_bin(&enrolment, "key"), hex);
    output_line(&tool->out, INK_GOOD, "endorsed: the key of %s in %s, change %lld of theirs",
                value_get_str(&enrolment, "person", "", &tool->arena),
                value_get_str(&enrolment, "origin", "", &tool->arena),
                (long long)value_get_int(&enrolment, "serial", 0));
    output_line(&tool->out, INK_NONE, "  %s", hex);
    return TOOL_DONE;
}

static int send_enrolment(struct tool *tool, const struct value *enrolment)
{
    static const char *const parts[] = {"person", "key", "serial", "endorsements"};
    struct value args = value_map();

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (value_get(enrolment, parts[i]) != NULL)
            value_set(&tool->arena, &args, parts[i], *value_get(enrolment, parts[i]));
    return ask_told(tool, "key.enrol", &args,
                    arena_printf(&tool->arena,
                                 "the key of %s is enrolled; what they sign from now on "
                                 "is proven by it",
                                 value_get_str(enrolment, "person", "", &tool->arena)));
}

static int enrol_key(struct tool *tool, const struct arguments *given)
{
    struct value enrolment;
    int status;

    if (given->word_count != 2)
        return tool_usage(given, "rota key enrol FILE");
    status = enrolment_read(tool, given->words[1], &enrolment);
    return status == TOOL_DONE ? send_enrolment(tool, &enrolment) : status;
}

/* ---- rotate, revoke ---- */

/* The file with the new pair is there before the engine is asked, and takes the old one's place after it said yes: at no
 * moment is the only copy of a key that counts lost. */
static int next_key(struct tool *tool, const struct arguments *given, const char *next,
                    const struct keyfile *now, struct keyfile *made)
{
    struct error err = {ERROR_NONE, ""};
    int status = TOOL_DONE;

    if (access(next, F_OK) == 0)
        return keyfile_load(next, made, &err) == 0 ? TOOL_DONE : tool_error(TOOL_INPUT, &err);
    *made = *now;
    made->is_sealed = false;
    made->ssh_key[0] = '\0';
    if (keyfile_new_sign(made, &err) != 0)
        return tool_error(TOOL_INTERNAL, &err);
    if (!arguments_have(given, "--unsealed"))
        status = secret_seal(tool, made);
    if (status == TOOL_DONE && keyfile_save(next, made, true, &err) != 0)
        status = tool_error(TOOL_INTERNAL, &err);
    return status;
}

static int rotate_key(struct tool *tool, const struct arguments *given)
{
    const char *who, *path, *next;
    struct keyfile now = {0}, made = {0};
    struct value enrolment;
    int status = ask_who(tool, &who);

    if (status == TOOL_DONE)
        status = ask_key(tool, who, &now);
    if (status != TOOL_DONE)
        return status;
    path = tool_path(tool, arena_printf(&tool->arena, "keys/%s.key", who));
    next = arena_printf(&tool->arena, "%s.next", path);
    status = next_key(tool, given, next, &now, &made);
    if (status == TOOL_DONE)
        status = make_request(tool, who, made.sign_public, &enrolment);
    if (status == TOOL_DONE)
        status = enrolment_endorse(tool, &enrolment, &now);
    if (status == TOOL_DONE)
        status = send_enrolment(tool, &enrolment);
    if (status == TOOL_DONE && rename(next, path) != 0)
        status = tool_fail(TOOL_INTERNAL, "%s is enrolled, but could not take the place of %s: %s",
                           next, path, strerror(errno));
    if (status == TOOL_DONE)
        status = keys_replace(tool, tool_path(tool, arena_printf(&tool->arena, "keys/%s.pub", who)),
                              &made, false);
    keyfile_wipe(&now);
    keyfile_wipe(&made);
    return status;
}

static int revoke_key(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map();
    int status;

    if (given->word_count != 2 || !arguments_have(given, "--reason"))
        return tool_usage(given, "rota key revoke NAME --reason TEXT");
    status = given_reason(tool, given, &args);
    if (status != TOOL_DONE)
        return status;
    value_set(&tool->arena, &args, "person", value_str(given->words[1]));
    return ask_told(tool, "key.revoke", &args,
                    arena_printf(&tool->arena,
                                 "the key of %s is revoked: what it signed before counts, nothing "
                                 "from now on",
                                 given->words[1]));
}

/* ---- the command ---- */

static const struct {
    const char *name;
    int (*run)(struct tool *tool, const struct arguments *given);
} parts[] = {
    {"list", list_keys},   {"new", new_pair},        {"root", new_root},
    {"roots", show_roots}, {"request", request_key}, {"endorse", endorse_key},
    {"enrol", enrol_key},  {"rotate", rotate_key},   {"revoke", revoke_key},
    {"seal", seal},
};

static int run(struct tool *tool, const struct arguments *given)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(given->words[0], parts[i].name) == 0)
            return parts[i].run(tool, given);
    return forms_unknown(given);
}

static const struct tool_option options[] = {
    {"--actor-keys", NULL,
     "list: lines of NAME and hexadecimal key, as auditors' programs read them"},
    {"--to", "PLACE", "request: the file to write; root: the directory"},
    {"--key", "FILE", "request: the public key (default: keys/NAME.pub)"},
    {"--with", "FILE", "endorse: the secret key that endorses"},
    {"--reason", "TEXT", "revoke: why; @FILE reads it from a file"},
    {"--ssh", "FILE",
     "new: a key of OpenSSH (ssh-ed25519) signs instead of one of ours; FILE.pub if the agent has "
     "it"},
    {"--unsealed", NULL, "new, root, rotate: no passphrase protects the secret"},
    {NULL, NULL, NULL},
};

const struct tool_command command_key = {
    "key",
    "people",
    "list [--actor-keys]\n"
    "roots\n"
    "new NAME [--ssh FILE] [--unsealed]\n"
    "seal NAME\n"
    "request NAME [--key FILE] [--to FILE]\n"
    "endorse FILE --with FILE\n"
    "enrol FILE\n"
    "rotate\n"
    "revoke NAME --reason TEXT\n"
    "root NAME --to DIR",
    "people's signing keys: made, endorsed, enrolled, replaced, revoked",
    "A signing key counts when its holder's present key, or two root keys, endorse it: nobody who "
    "keeps the engine can\n"
    "give a person a key. A lost key is replaced by two roots; one that is found again later is "
    "worth nothing.\nThe secret to sign with is sealed with a passphrase, which is asked for at "
    "each signing; a script names a file that holds it in $ROTA_PASSPHRASE_FILE. To endorse takes "
    "no engine.\n\n"
    "    rota key new bo                           a pair, sealed with a passphrase\n"
    "    rota key new bo --ssh ~/.ssh/id_ed25519   the key that bo has already\n"
    "    rota key request bo                       keys/bo.enrolment, to be endorsed:\n"
    "    rota key endorse bo.enrolment --with root-amara.key   where each root is\n"
    "    rota key enrol bo.enrolment               brings it to the engine\n"
    "    rota --as bo key rotate                   a new one, endorsed by the old\n"
    "    rota key revoke bo --reason \"laptop stolen\"\n"
    "    rota key roots                            the fingerprint auditors are told",
    options,
    1,
    2,
    false,
    run};
