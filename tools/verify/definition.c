#include "definition.h"

#include "dmp.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* ---- words ---- */

static bool is_text(words one)
{
    return one != NULL && config_setting_type(one) == CONFIG_TYPE_STRING;
}

int words_count(words list)
{
    return list == NULL ? 0 : is_text(list) ? 1 : config_setting_length(list);
}

const char *words_at(words list, int index)
{
    const char *word = is_text(list) ? config_setting_get_string(list)
                                     : config_setting_get_string_elem(list, index);

    return word != NULL ? word : "";
}

bool words_have(words list, struct bytes word)
{
    for (int i = 0; i < words_count(list); i++)
        if (bytes_are(word, words_at(list, i)))
            return true;
    return false;
}

static const char *text_of(const config_setting_t *group, const char *name)
{
    const char *text = NULL;

    return config_setting_lookup_string(group, name, &text) == CONFIG_TRUE ? text : NULL;
}

static bool truth_of(const config_setting_t *group, const char *name, bool preset)
{
    int truth = preset;

    config_setting_lookup_bool(group, name, &truth);
    return truth != 0;
}

/* One group, or a list of them. */
static int group_count(const config_setting_t *setting)
{
    if (setting == NULL)
        return 0;
    return config_setting_is_group(setting) ? 1 : config_setting_length(setting);
}

static const config_setting_t *group_at(const config_setting_t *setting, int index)
{
    return config_setting_is_group(setting) ? setting
                                            : config_setting_get_elem(setting, (unsigned)index);
}

static enum vote vote_of(const char *name)
{
    static const char *const names[] = {"", "grant", "refuse", "return", "abstain"};

    for (int i = VOTE_GRANT; name != NULL && i <= VOTE_ABSTAIN; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum vote)i;
    return VOTE_NONE;
}

/* ---- a lifecycle ---- */

int kind_state(const struct kind *kind, struct bytes name)
{
    for (int i = 0; i < kind->state_count; i++)
        if (bytes_are(name, kind->states[i].name))
            return i;
    return -1;
}

static void add_states(struct kind *kind, const config_setting_t *lifecycle)
{
    const config_setting_t *states = config_setting_get_member(lifecycle, "states");

    for (int i = 0; i < group_count(states) && kind->state_count < KIND_STATES_MAX; i++) {
        const config_setting_t *one = group_at(states, i);
        struct kind_state *state = &kind->states[kind->state_count++];

        state->name = text_of(one, "name") != NULL ? text_of(one, "name") : "";
        state->stage = text_of(one, "stage") != NULL ? text_of(one, "stage") : "";
        state->is_valid = truth_of(one, "valid", false);
        state->edit = config_setting_get_member(one, "edit");
        state->edit_fields = config_setting_get_member(one, "edit_fields");
    }
}

/* "stage:closed" means the lifecycle's own states of that stage. */
static uint64_t states_meant(const struct kind *kind, words from)
{
    static const char prefix[] = "stage:";
    size_t prefix_len = sizeof prefix - 1;
    uint64_t meant = 0;

    for (int w = 0; w < words_count(from); w++) {
        const char *word = words_at(from, w);
        bool is_stage = strncmp(word, prefix, prefix_len) == 0;

        for (int i = 0; i < (is_stage ? kind->own_states : kind->state_count); i++) {
            const struct kind_state *state = &kind->states[i];

            if (is_stage ? strcmp(word + prefix_len, state->stage) == 0
                         : strcmp(word, state->name) == 0)
                meant |= (uint64_t)1 << i;
        }
    }
    return meant;
}

/* Lays what the group names over the row. */
static void read_row(const struct kind *kind, const config_setting_t *group, struct kind_row *row)
{
    const config_setting_t *from = config_setting_get_member(group, "from");
    const config_setting_t *set = config_setting_get_member(group, "set");
    const char *to = text_of(group, "to"), *opens = text_of(group, "opens");

    if (text_of(group, "event") != NULL)
        row->event = text_of(group, "event");
    if (from != NULL)
        row->from = states_meant(kind, from);
    if (to != NULL)
        row->to = strcmp(to, "same") == 0 ? TO_SAME : kind_state(kind, bytes_text(to));
    if (text_of(group, "meaning") != NULL)
        row->meaning = text_of(group, "meaning");
    if (text_of(group, "vote") != NULL)
        row->vote = vote_of(text_of(group, "vote"));
    if (config_setting_get_member(group, "by") != NULL)
        row->by = config_setting_get_member(group, "by");
    row->is_automatic = truth_of(group, "auto", row->is_automatic);
    row->erases = truth_of(group, "erases", row->erases);
    if (config_setting_get_member(group, "apart") != NULL)
        row->apart = config_setting_get_member(group, "apart");
    if (text_of(group, "apart_rule") != NULL)
        row->apart_rule = text_of(group, "apart_rule");
    if (opens != NULL)
        row->opens_round = strcmp(opens, "round") == 0;
    if (set != NULL && row->set_count < ROW_SETS_MAX)
        row->sets[row->set_count++] = set;
}

static void add_row(struct kind *kind, const config_setting_t *group)
{
    struct kind_row row = {.event = "", .to = KIND_STATES_MAX};

    read_row(kind, group, &row);
    kind->rows = memory_grow(kind->rows, &kind->row_cap, kind->row_count + 1, sizeof *kind->rows);
    kind->rows[kind->row_count++] = row;
}

static void add_rows(struct kind *kind, const config_setting_t *lifecycle)
{
    const config_setting_t *rows = config_setting_get_member(lifecycle, "transitions");

    for (int i = 0; i < group_count(rows); i++)
        add_row(kind, group_at(rows, i));
}

/* One entry of the kind's `on`. It means the rows of its event; if it names states, it chooses among several by them, gives
 * them to a single one, or is a row of its own if that one leaves none of them and it says where it leads. */
static void lay_over(struct kind *kind, const config_setting_t *group)
{
    const char *event = text_of(group, "event");
    uint64_t from = states_meant(kind, config_setting_get_member(group, "from"));
    size_t count = kind->row_count;
    int alike = 0, met = 0;

    for (size_t i = 0; event != NULL && i < count; i++)
        alike += strcmp(kind->rows[i].event, event) == 0;
    for (size_t i = 0; event != NULL && i < count; i++) {
        struct kind_row *row = &kind->rows[i];
        uint64_t own = row->from;

        if (strcmp(row->event, event) != 0 ||
            !(from == 0 || (from & own) != 0 || (alike == 1 && text_of(group, "to") == NULL)))
            continue;
        met++;
        read_row(kind, group, row);
        if (alike > 1)
            row->from = own;
    }
    if (met == 0 && event != NULL)
        add_row(kind, group);
}

const struct kind_row *kind_row(const struct kind *kind, struct bytes event, int state)
{
    for (size_t i = 0; i < kind->row_count; i++) {
        const struct kind_row *row = &kind->rows[i];

        if (state < 0 ? row->from == 0
                      : (row->from >> state & 1) != 0 && bytes_are(event, row->event))
            return row;
    }
    return NULL;
}

bool row_sets(const struct kind_row *row, struct bytes field)
{
    for (int i = 0; i < row->set_count; i++)
        for (int k = 0; k < config_setting_length(row->sets[i]); k++)
            if (bytes_are(field,
                          config_setting_name(config_setting_get_elem(row->sets[i], (unsigned)k))))
                return true;
    return false;
}

/* What can be reached over rows that are no grant. */
static void find_free_states(struct kind *kind)
{
    uint64_t before;

    for (size_t i = 0; i < kind->row_count; i++)
        if (kind->rows[i].from == 0 && kind->rows[i].to >= 0 && kind->rows[i].to < KIND_STATES_MAX)
            kind->free |= (uint64_t)1 << kind->rows[i].to;
    do {
        before = kind->free;
        for (size_t i = 0; i < kind->row_count; i++) {
            const struct kind_row *row = &kind->rows[i];

            if (row->vote != VOTE_GRANT && row->to >= 0 && row->to < KIND_STATES_MAX &&
                (row->from & kind->free) != 0)
                kind->free |= (uint64_t)1 << row->to;
        }
    } while (before != kind->free);
}

/* ---- a kind ---- */

static bool erases(const config_setting_t *rows)
{
    for (int i = 0; i < group_count(rows); i++)
        if (truth_of(group_at(rows, i), "erases", false))
            return true;
    return false;
}

bool kind_leaves_out(const struct kind *kind, struct bytes field)
{
    static const char *const kept[] = {"retain_until", "legal_hold", "disposal_proposed"};

    if (bytes_are(field, KIND_REVIEW))
        return true;

    for (int i = 0; kind->fields != NULL && i < config_setting_length(kind->fields); i++) {
        const config_setting_t *one = config_setting_get_elem(kind->fields, (unsigned)i);

        if (bytes_are(field, config_setting_name(one)))
            return truth_of(one, "computed", false) && !truth_of(one, "signed", false);
    }
    for (size_t i = 0; kind->is_kept && i < sizeof kept / sizeof kept[0]; i++)
        if (bytes_are(field, kept[i]))
            return true;
    return false;
}

/* libconfig's own search takes "process.owner" for the member "process". */
bool kind_has_field(const struct kind *kind, const char *name)
{
    for (int i = 0; kind->fields != NULL && i < config_setting_length(kind->fields); i++)
        if (strcmp(config_setting_name(config_setting_get_elem(kind->fields, (unsigned)i)), name) ==
            0)
            return true;
    return false;
}

const char *kind_field_type(const struct kind *kind, const char *name)
{
    for (int i = 0; kind->fields != NULL && i < config_setting_length(kind->fields); i++) {
        const config_setting_t *one = config_setting_get_elem(kind->fields, (unsigned)i);

        if (strcmp(config_setting_name(one), name) == 0)
            return text_of(one, "type");
    }
    return NULL;
}

static bool is_word(const config_setting_t *setting, const char *word)
{
    return is_text(setting) && strcmp(config_setting_get_string(setting), word) == 0;
}

static void read_stage(const config_setting_t *group, const char *name, const char *meaning,
                       struct kind_stage *stage)
{
    const char *closing = text_of(group, "closing");
    int percent = 0;

    stage->name = name != NULL ? name : "";
    stage->meaning = text_of(group, "meaning") != NULL ? text_of(group, "meaning") : meaning;
    stage->ask = config_setting_get_member(group, "ask");
    stage->require = config_setting_get_member(group, "require");
    stage->veto = config_setting_get_member(group, "veto");
    stage->weights = config_setting_get_member(group, "weights");
    stage->need = config_setting_get_member(group, "need");
    config_setting_lookup_int(group, "percent", &percent);
    stage->percent = percent;
    stage->counting = percent != 0                         ? "percent"
                      : truth_of(group, "majority", false) ? "majority"
                      : is_word(stage->need, "all")        ? "all"
                                                           : "need";
    stage->waits_for_all = closing != NULL && strcmp(closing, "all") == 0;
    stage->one_refuse_ends =
        truth_of(group, "one_refuse_ends",
                 (strcmp(stage->counting, "need") == 0 || strcmp(stage->counting, "all") == 0) &&
                     words_count(stage->veto) == 0 && !stage->waits_for_all);
}

static void add_apart(struct kind *kind, words list, const char *rule)
{
    for (int i = 0; i < words_count(list) && kind->apart_count < APART_MAX; i++)
        kind->apart[kind->apart_count++] =
            (struct apart){words_at(list, i), rule != NULL ? rule : APART_RULE};
}

/* ["editors", ...] or ( "editors", { who = "assessors"; rule = "SOD-5"; } ); without it the editors. */
static void read_apart(const config_setting_t *apart, struct kind *kind)
{
    if (apart == NULL)
        kind->apart[kind->apart_count++] = (struct apart){"editors", APART_RULE};
    else if (!config_setting_is_list(apart))
        add_apart(kind, apart, NULL);
    for (int i = 0;
         apart != NULL && config_setting_is_list(apart) && i < config_setting_length(apart); i++) {
        const config_setting_t *one = config_setting_get_elem(apart, (unsigned)i);

        if (config_setting_is_group(one))
            add_apart(kind, config_setting_get_member(one, "who"), text_of(one, "rule"));
        else
            add_apart(kind, one, NULL);
    }
}

static void read_approval(const config_setting_t *approval, struct kind *kind)
{
    const config_setting_t *stages = config_setting_get_member(approval, "stages");
    const char *meaning = text_of(approval, "meaning"), *tie = text_of(approval, "on_tie");

    kind->has_approval = true;
    kind->silence_grants = vote_of(text_of(approval, "on_expiry")) == VOTE_GRANT;
    kind->on_tie = tie != NULL ? vote_of(tie) : VOTE_REFUSE;
    kind->expires = text_of(approval, "expires");
    read_apart(config_setting_get_member(approval, "apart"), kind);
    kind->is_one_stage = stages == NULL || group_count(stages) == 1;
    if (stages == NULL)
        read_stage(approval, "approval", meaning, &kind->stages[kind->stage_count++]);
    for (int i = 0; i < group_count(stages) && kind->stage_count < DEFINITION_STAGES_MAX; i++) {
        const config_setting_t *one = group_at(stages, i);
        struct kind_stage *stage = &kind->stages[kind->stage_count++];

        read_stage(one, text_of(one, "name"), meaning, stage);
        stage->when = text_of(one, "when");
    }
}

/* The group of this setting whose `key` says so. */
static const config_setting_t *find_group(const struct definition *definition, const char *setting,
                                          const char *key, struct bytes name)
{
    for (size_t i = 0; name.len > 0 && i < definition->file_count; i++) {
        const config_setting_t *all =
            config_setting_get_member(config_root_setting(&definition->files[i]), setting);

        for (int k = 0; k < group_count(all); k++) {
            const char *own = text_of(group_at(all, k), key);

            if (own != NULL && bytes_are(name, own))
                return group_at(all, k);
        }
    }
    return NULL;
}

static const config_setting_t *find_lifecycle(const struct definition *definition, const char *name)
{
    return name == NULL ? NULL : find_group(definition, "lifecycle", "name", bytes_text(name));
}

words definition_process(const struct definition *definition, struct bytes id, const char *what)
{
    const config_setting_t *process = find_group(definition, "processes", "id", id);

    return process == NULL ? NULL : config_setting_get_member(process, what);
}

const config_setting_t *definition_setting(const struct definition *definition, const char *name)
{
    for (size_t i = 0; i < definition->file_count; i++) {
        const config_setting_t *pack = config_lookup(&definition->files[i], "pack");
        const config_setting_t *setting =
            pack != NULL ? config_setting_get_member(pack, name) : NULL;

        if (setting != NULL)
            return setting;
    }
    return NULL;
}

static void read_kind(struct definition *definition, const config_setting_t *group)
{
    const config_setting_t *lifecycles[2] = {
        find_lifecycle(definition, text_of(group, "lifecycle")), NULL};
    const config_setting_t *on = config_setting_get_member(group, "on");
    const config_setting_t *approval = config_setting_get_member(group, "approval");
    struct kind *kind;

    if (text_of(group, "name") == NULL || lifecycles[0] == NULL)
        return;
    lifecycles[1] = find_lifecycle(definition, text_of(lifecycles[0], "ends_with"));
    kind = memory_new(1, sizeof *kind);
    *kind =
        (struct kind){.next = definition->kinds, .name = text_of(group, "name"), .of = definition};
    definition->kinds = kind;
    kind->is_versioned = truth_of(lifecycles[0], "versioned", false);
    kind->fields = config_setting_get_member(group, "fields");
    kind->needs = config_setting_get_member(group, "needs");
    kind->audience = config_setting_get_member(group, "audience");
    kind->owner = config_setting_get_member(group, "owner");
    kind->is_kept = text_of(group, "retention") != NULL;
    add_states(kind, lifecycles[0]);
    kind->own_states = kind->state_count;
    if (lifecycles[1] != NULL)
        add_states(kind, lifecycles[1]);
    for (int i = 0; i < 2 && lifecycles[i] != NULL; i++) {
        add_rows(kind, lifecycles[i]);
        kind->is_kept =
            kind->is_kept || erases(config_setting_get_member(lifecycles[i], "transitions"));
    }
    for (int i = 0; i < group_count(on); i++)
        lay_over(kind, group_at(on, i));
    kind->is_kept = kind->is_kept || erases(on);
    if (approval != NULL)
        read_approval(approval, kind);
    find_free_states(kind);
}

const struct kind *definition_kind(const struct definition *definition, struct bytes name)
{
    const struct kind *kind = definition->kinds;

    while (kind != NULL && !bytes_are(name, kind->name))
        kind = kind->next;
    return kind;
}

/* ---- its files ---- */

static bool is_zone(struct bytes path)
{
    static const char folder[] = "zoneinfo/";

    return path.len > sizeof folder - 1 && memcmp(path.at, folder, sizeof folder - 1) == 0;
}

/* Kept as a file of memory: libc reads zones from files, and knows their rules as well as anybody. */
static bool keep_zone(struct definition *definition, struct bytes bytes)
{
    int fd = definition->zone < 0 ? memfd_create("zone", MFD_CLOEXEC) : -1;

    if (fd < 0 || bytes.len == 0 || write(fd, bytes.at, bytes.len) != (ssize_t)bytes.len) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    definition->zone = fd;
    return true;
}

bool definition_midnight(const struct definition *definition, int64_t day_ms, int64_t *begins_ms)
{
    time_t seconds = (time_t)(day_ms / 1000);
    char place[64];
    struct tm day;

    *begins_ms = day_ms;
    if (definition->zone < 0)
        return true;
    snprintf(place, sizeof place, ":/proc/self/fd/%d", definition->zone);
    if (gmtime_r(&seconds, &day) == NULL || access(place + 1, R_OK) != 0 ||
        setenv("TZ", place, 1) != 0)
        return false;
    tzset();
    day.tm_isdst = -1;
    seconds = mktime(&day);
    unsetenv("TZ");
    tzset();
    *begins_ms = (int64_t)seconds * 1000;
    return true;
}

/* A pack has no @include, and libconfig is not to look for files of this machine. */
static bool has_include(const char *text)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n\r\t ");
        if (strncmp(line, "@include", 8) == 0)
            return true;
        if (*line == '\0')
            break;
    }
    return false;
}

static bool read_file(struct definition *definition, struct bytes bytes)
{
    char *text = memory_new(bytes.len + 1, 1);
    config_t *file;
    bool is_read;

    if (bytes.len > 0)
        memcpy(text, bytes.at, bytes.len);
    definition->files = memory_grow(definition->files, &definition->file_cap,
                                    definition->file_count + 1, sizeof *definition->files);
    file = &definition->files[definition->file_count++];
    config_init(file);
    is_read = strlen(text) == bytes.len && !has_include(text) &&
              config_read_string(file, text) == CONFIG_TRUE;
    free(text);
    return is_read;
}

/* The files, and the digest over what they are. NULL: read; else why not. */
static const char *read_files(struct definition *definition, struct bytes joined)
{
    struct bytes prefix = bytes_text("rota.pack/1\n"), list;
    struct dmp_cursor cursor = dmp_cursor(joined);
    struct dmp_item item, path;
    struct buf digested = {0};
    uint8_t hash[HASH_LEN];
    const char *fault = NULL;

    if (!dmp_next(&cursor, &item) || item.kind != DMP_ARRAY)
        return "its files are no list";
    dmp_add_array(&digested, item.number);
    for (uint64_t left = item.number; left > 0 && fault == NULL; left--) {
        if (!dmp_next(&cursor, &item) || item.kind != DMP_ARRAY || item.number != 2 ||
            !dmp_next(&cursor, &path) || path.kind != DMP_STR || !dmp_next(&cursor, &item) ||
            item.kind != DMP_BIN) {
            fault = "one of its files has no path or no bytes";
            break;
        }
        hash_sha256(&item.bytes, 1, hash);
        dmp_add_array(&digested, 2);
        dmp_add_str(&digested, path.bytes);
        dmp_add_bin(&digested, bytes_of(hash, HASH_LEN));
        if (is_zone(path.bytes) ? !keep_zone(definition, item.bytes)
                                : !read_file(definition, item.bytes))
            fault = "one of its files cannot be read";
    }
    list = buf_bytes(&digested);
    hash_sha256((struct bytes[]){prefix, list}, 2, hash);
    if (fault == NULL && memcmp(hash, definition->digest, HASH_LEN) != 0)
        fault = "its files are not those of its digest";
    buf_release(&digested);
    return fault;
}

static const char *read_definition(struct definitions *definitions, struct definition *definition,
                                   struct bytes content)
{
    sqlite3_stmt *question;
    struct bytes joined;
    const char *fault = "its files are not in the journal";

    if (content.len != HASH_LEN || !db_has_table(definitions->db, definitions->report, "content"))
        return fault;
    question =
        db_ask(definitions->db, definitions->report, "SELECT data FROM content WHERE hash = ?1");
    if (question != NULL)
        sqlite3_bind_blob(question, 1, content.at, HASH_LEN, SQLITE_TRANSIENT);
    if (db_row(definitions->db, definitions->report, question) && db_blob(question, 0, &joined))
        fault = read_files(definition, joined);
    sqlite3_finalize(question);
    return fault;
}

static void read_kinds(struct definition *definition)
{
    for (size_t i = 0; i < definition->file_count; i++) {
        const config_setting_t *all =
            config_setting_get_member(config_root_setting(&definition->files[i]), "kind");

        for (int k = 0; k < group_count(all); k++)
            read_kind(definition, group_at(all, k));
    }
}

const struct definition *definition_known(const struct definitions *definitions,
                                          struct bytes digest)
{
    const struct definition *definition = definitions->first;

    while (definition != NULL && !bytes_equal(digest, bytes_of(definition->digest, HASH_LEN)))
        definition = definition->next;
    return definition;
}

const struct definition *definition_of(struct definitions *definitions, struct bytes digest,
                                       struct bytes content)
{
    const struct definition *known = definition_known(definitions, digest);
    struct definition *definition;

    if (known != NULL)
        return known;
    definition = memory_new(1, sizeof *definition);
    definition->zone = -1;
    definition->next = definitions->first;
    definitions->first = definition;
    memcpy(definition->digest, digest.at, digest.len < HASH_LEN ? digest.len : HASH_LEN);
    definition->fault = read_definition(definitions, definition, content);
    if (definition->fault == NULL)
        read_kinds(definition);
    return definition;
}

static void definition_free(struct definition *definition)
{
    while (definition->kinds != NULL) {
        struct kind *next = definition->kinds->next;

        free(definition->kinds->rows);
        free(definition->kinds);
        definition->kinds = next;
    }
    for (size_t i = 0; i < definition->file_count; i++)
        config_destroy(&definition->files[i]);
    free(definition->files);
    if (definition->zone >= 0)
        close(definition->zone);
    free(definition);
}

void definitions_release(struct definitions *definitions)
{
    while (definitions->first != NULL) {
        struct definition *next = definitions->first->next;

        definition_free(definitions->first);
        definitions->first = next;
    }
}
