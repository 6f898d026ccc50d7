/* restoring.c - a copy of the journal takes its place; where entries are missing that were signed, under a new origin.
 *
 * What was signed last (keys/log.signed, a mail's head, the journal that still stands there) says whether anything is missing.
 * If so, and somebody accepts it, the journal goes on as another one: its next entry, `journal.restored`, names the head that it
 * goes on from and what was known of the one that is lost. Whoever holds a larger head of the old origin sees what happened
 * instead of being contradicted. */
#include "daemon/engine.h"

#include "core/leaf.h"
#include "store/merkle.h"
#include "store/note.h"
#include "store/restore.h"
#include "store/small_file.h"

#include <inttypes.h>
#include <libconfig.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SINCE "/since-"
#define MOMENT "20261126T053107Z" /* as long as each is */
#define VIRTUAL "/virtual"

struct restoring {
    struct engine engine;
    struct restore *restore;
    uint8_t seed[SIGN_SEED_LEN];
    struct checkpoint known; /* the largest head that was signed; size 0: none is known */
    struct buf known_note;   /* what `known` borrows from */
    uint64_t in_place;       /* entries of the journal that stands there */
    uint64_t copy_size;
    const char *copy_origin;
};

/* ---- what is known ---- */

static int key_named(struct restoring *self, struct slice origin, struct note_key *out,
                     struct error *err)
{
    uint8_t key[SIGN_KEY_LEN];

    sign_public_key(self->seed, key);
    return note_key_make(origin, key, out, err);
}

/* A note counts if our own key signed it, whatever the journal was called then. */
static int open_note(struct restoring *self, struct slice note, struct checkpoint *out,
                     struct error *err)
{
    const uint8_t *end = memchr(note.at, '\n', note.len);
    struct note_key key;

    if (end == NULL)
        return error_set(err, ERROR_INPUT, "not a signed head");
    return key_named(self, slice_of(note.at, (size_t)(end - note.at)), &key, err) != 0
               ? -1
               : checkpoint_open(note, &key, out, err);
}

static int take_known(struct restoring *self, struct error *err)
{
    const char *path = settings_path(&self->engine.settings, SIGNED_NAME);
    int found = small_file_read(path, &self->known_note, err);

    if (found != 1)
        return found;
    if (open_note(self, buf_slice(&self->known_note), &self->known, err) != 0)
        return error_add(
            err, "%s cannot be read; move it away and tell by --against what was signed", path);
    return 0;
}

/* A head that came back from outside is what the signer should know, if it is newer. */
static int take_against(struct restoring *self, const char *path, struct error *err)
{
    const char *kept = settings_path(&self->engine.settings, SIGNED_NAME);
    struct buf note = BUF_EMPTY;
    struct checkpoint outside = {.size = 0};
    int rc = small_file_read(path, &note, err);

    if (rc == 0)
        rc = error_set(err, ERROR_INPUT, "%s is not there", path);
    else if (rc == 1)
        rc = open_note(self, buf_slice(&note), &outside, err) != 0 ? error_add(err, "%s", path) : 0;
    if (rc == 0 && !slice_is(outside.origin, self->engine.settings.origin))
        rc = error_set(err, ERROR_INPUT, "%s is a head of %.*s, not of %s", path,
                       (int)outside.origin.len, (const char *)outside.origin.at,
                       self->engine.settings.origin);
    if (rc == 0 && outside.size > self->known.size) {
        rc = small_file_replace(kept, buf_slice(&note), err);
        buf_clear(&self->known_note);
        rc = rc == 0 ? take_known(self, err) : rc;
    }
    buf_release(&note);
    return rc;
}

/* ---- is anything missing? ---- */

enum signing { LOOKS_ONLY, SIGNS };

/* With SIGNS what is not signed yet is signed at the close: only what is to be the journal is opened so. */
static int open_copy(struct restoring *self, const char *origin, const char *signed_path,
                     enum signing signing, struct error *err)
{
    struct journal_options options = {.directory = restore_directory(self->restore),
                                      .origin = origin,
                                      .signed_path = signed_path,
                                      .has_log_seed = signing == SIGNS};

    memcpy(options.log_seed, self->seed, SIGN_SEED_LEN);
    return journal_open_sqlite(&options, &self->engine.journal, err);
}

/* How far the copy goes, and under which name (in the engine's arena). */
static int look_at_copy(struct restoring *self, struct error *err)
{
    const char *origin;

    if (open_copy(self, NULL, NULL, LOOKS_ONLY, err) != 0)
        return -1;
    origin = journal_origin(self->engine.journal);
    self->copy_size = journal_size(self->engine.journal);
    self->copy_origin = arena_str(&self->engine.arena, origin);
    journal_close(&self->engine.journal);
    return 0;
}

/* 0: the copy is the newest there is, and is closed again, signed to its end. */
static int check_whole(struct restoring *self, struct error *err)
{
    struct settings *settings = &self->engine.settings;

    if (self->copy_size < self->in_place)
        return error_set(err, ERROR_STALE,
                         "the journal that stands there has %" PRIu64
                         " entries, the copy has %" PRIu64
                         ". Take a newer copy, or go on without the others (--accept-loss)",
                         self->in_place, self->copy_size);
    if (open_copy(self, settings->origin, settings_path(settings, SIGNED_NAME), SIGNS, err) != 0)
        return -1;
    journal_close(&self->engine.journal);
    return 0;
}

/* ---- going on under another name ---- */

/* How long the name is without what an earlier restore and a rehearsal put behind it. */
static size_t base_len(const char *origin, bool is_virtual)
{
    size_t len = strlen(origin) - (is_virtual ? strlen(VIRTUAL) : 0);
    size_t behind = strlen(SINCE) + strlen(MOMENT);

    return len > behind && memcmp(origin + len - behind, SINCE, strlen(SINCE)) == 0 ? len - behind
                                                                                    : len;
}

/* ORIGIN/since-20261126T053107Z: another one each time, and a rehearsal stays one by its name. */
static const char *new_origin(struct restoring *self)
{
    const struct settings *settings = &self->engine.settings;
    time_t now = time(NULL);
    char when[32];
    struct tm utc;

    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    return arena_printf(&self->engine.arena, "%.*s" SINCE "%s%s",
                        (int)base_len(settings->origin, settings->is_virtual), settings->origin,
                        when, settings->is_virtual ? VIRTUAL : "");
}

static struct value head_of(struct arena *arena, struct slice origin, uint64_t size,
                            const uint8_t root[HASH_LEN])
{
    struct value head = value_map();

    value_set(arena, &head, "origin", value_str(arena_copy(arena, origin.at, origin.len)));
    value_set(arena, &head, "root", value_bin(arena_copy(arena, root, HASH_LEN), HASH_LEN));
    value_set(arena, &head, "size", value_int((int64_t)size));
    return head;
}

static int append_restored(struct restoring *self, const char *origin, struct slice old,
                           struct error *err)
{
    struct engine *engine = &self->engine;
    struct arena *arena = &engine->arena;
    struct value body = value_map(), effects = value_map();
    uint64_t size = journal_size(engine->journal);
    uint8_t root[HASH_LEN];

    journal_root(engine->journal, root);
    value_set(arena, &body, "origin", value_str(origin));
    value_set(arena, &body, "was", head_of(arena, old, size, root));
    if (self->known.size > 0)
        value_set(arena, &body, "known",
                  head_of(arena, self->known.origin, self->known.size, self->known.root));
    value_set(arena, &effects, "", body);
    return append_by_engine(engine, "journal.restored",
                            arena_printf(arena, "journal.restored.%" PRIu64, size), body, effects,
                            err);
}

/* The copy is closed when this begins and when it ends. */
static int accept_loss(struct restoring *self, struct error *err)
{
    struct engine *engine = &self->engine;
    const char *origin = new_origin(self);
    struct shelf shelf;
    int rc = -1;

    if (strcmp(self->copy_origin, origin) == 0)
        return error_set(err, ERROR_BUSY, "two restores within a second; again, please");
    if (restore_rename(self->restore, origin, err) != 0 ||
        open_copy(self, origin, restore_signed_path(self->restore), SIGNS, err) != 0)
        return -1;
    shelf = engine_shelf(engine);
    engine->core = core_new(&shelf);
    if (engine_start_clock(engine, err) == 0 &&
        append_restored(self, origin, slice_str(self->copy_origin), err) == 0 &&
        journal_commit(engine->journal, err) == 0 &&
        journal_checkpoint(engine->journal, NULL, err) == 0)
        rc = 0;
    core_free(&engine->core);
    journal_close(&engine->journal);
    return rc;
}

/* ---- the files that name the origin ---- */

/* The new name's line after those of before: heads of then can still be checked. */
static int add_verifier(struct restoring *self, struct slice origin, struct error *err)
{
    const char *path = settings_path(&self->engine.settings, "keys/log.vkey");
    struct buf text = BUF_EMPTY, line = BUF_EMPTY;
    struct note_key key;
    int rc = key_named(self, origin, &key, err);

    if (rc == 0)
        rc = small_file_read(path, &text, err);
    if (rc >= 0) {
        note_key_add(&line, &key);
        buf_add_byte(&line, '\n');
        rc = 0;
        if (strstr(buf_text(&text), buf_text(&line)) == NULL) {
            buf_add_slice(&line, buf_slice(&text)); /* the newest first */
            rc = small_file_replace(path, buf_slice(&line), err);
        }
    }
    buf_release(&text);
    buf_release(&line);
    return rc;
}

static int origin_line(const char *file, int *line, struct error *err)
{
    const config_setting_t *setting;
    config_t config;
    int rc = -1;

    config_init(&config);
    if (config_read_file(&config, file) != CONFIG_TRUE)
        error_set(err, ERROR_INPUT, "%s:%d: %s", file, config_error_line(&config),
                  config_error_text(&config));
    else if ((setting = config_lookup(&config, "origin")) == NULL ||
             config_setting_source_file(setting) == NULL ||
             strcmp(config_setting_source_file(setting), file) != 0)
        error_set(err, ERROR_INPUT, "%s itself does not say the origin", file);
    else {
        *line = (int)config_setting_source_line(setting);
        rc = 0;
    }
    config_destroy(&config);
    return rc;
}

/* The text with the one name on that line exchanged for the other. */
static bool exchange_name(struct slice text, int line, const char *old, const char *new,
                          struct buf *out)
{
    const char *at = (const char *)text.at, *end = at + text.len, *stop, *found;
    char quoted[NOTE_NAME_MAX + 3];

    for (int i = 1; i < line && at != NULL; i++)
        at = memchr(at, '\n', (size_t)(end - at)) != NULL
                 ? (const char *)memchr(at, '\n', (size_t)(end - at)) + 1
                 : NULL;
    if (at == NULL)
        return false;
    stop = memchr(at, '\n', (size_t)(end - at));
    stop = stop != NULL ? stop : end;
    snprintf(quoted, sizeof quoted, "\"%s\"", old);
    found = memmem(at, (size_t)(stop - at), quoted, strlen(quoted));
    if (found == NULL)
        return false;
    buf_add(out, text.at, (size_t)(found - (const char *)text.at));
    buf_addf(out, "\"%s\"", new);
    found += strlen(quoted);
    buf_add(out, found, (size_t)(end - found));
    return true;
}

static int rename_setting(struct restoring *self, const char *origin, struct error *err)
{
    struct settings *settings = &self->engine.settings;
    const char *file = settings_path(settings, "rotad.cfg");
    struct buf text = BUF_EMPTY, changed = BUF_EMPTY;
    int line = 0, rc = -1;

    if (strcmp(settings->origin, origin) == 0)
        return 0; /* somebody did it, or an interrupted restore */
    if (origin_line(file, &line, err) == 0 && small_file_read(file, &text, err) == 1) {
        if (exchange_name(buf_slice(&text), line, settings->origin, origin, &changed))
            rc = small_file_replace(file, buf_slice(&changed), err);
        else
            error_set(err, ERROR_INPUT, "%s:%d does not say the origin on one line", file, line);
    }
    if (rc != 0)
        error_add(err, "write origin = \"%s\" there by hand, and restore once more", origin);
    buf_release(&text);
    buf_release(&changed);
    return rc;
}

/* Where the copy was renamed; may have been done in part. */
static int settle_name(struct restoring *self, struct error *err)
{
    struct buf note = BUF_EMPTY;
    struct checkpoint head;
    int found = small_file_read(restore_signed_path(self->restore), &note, err), rc = found;

    if (found == 1) {
        rc = open_note(self, buf_slice(&note), &head, err);
        if (rc == 0)
            rc = small_file_replace(settings_path(&self->engine.settings, SIGNED_NAME),
                                    buf_slice(&note), err);
        if (rc == 0)
            rc = add_verifier(self, head.origin, err);
        if (rc == 0)
            rc = rename_setting(
                self, arena_copy(&self->engine.arena, head.origin.at, head.origin.len), err);
    }
    buf_release(&note);
    return rc;
}

/* ---- all of it ---- */

static int make_ready(struct restoring *self, const struct restore_wish *wish, struct error *err)
{
    self->in_place = restore_in_place(self->restore, self->engine.settings.origin);
    if (look_at_copy(self, err) != 0 || take_known(self, err) != 0 ||
        (wish->against != NULL && take_against(self, wish->against, err) != 0))
        return -1;
    if (check_whole(self, err) == 0)
        return 0;
    if (!wish->accept_loss || (err->class != ERROR_STALE && err->class != ERROR_INPUT))
        return -1;
    return accept_loss(self, err);
}

static int restore_all(struct restoring *self, const struct restore_wish *wish, struct error *err)
{
    const char *directory = self->engine.settings.directory;

    if (load_log_seed(&self->engine.settings, self->seed, err) != 0 ||
        restore_begin(directory, wish->file, &self->restore, err) != 0)
        return -1;
    if (!restore_is_placed(self->restore) && make_ready(self, wish, err) != 0)
        return -1;
    return restore_place(self->restore, err) != 0 || settle_name(self, err) != 0 ||
                   restore_end(self->restore, err) != 0
               ? -1
               : 0;
}

int engine_restore(const char *directory, const struct restore_wish *wish, struct error *err)
{
    struct restoring self = {.engine = {.next_due_ms = -1}, .known_note = BUF_EMPTY};
    int rc = -1;

    umask(0077);
    if (settings_load(directory, &self.engine.settings, err) == 0)
        rc = restore_all(&self, wish, err);
    restore_release(&self.restore);
    explicit_bzero(self.seed, sizeof self.seed);
    buf_release(&self.known_note);
    arena_release(&self.engine.arena);
    settings_release(&self.engine.settings);
    return rc;
}
