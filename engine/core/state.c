#include "core/state.h"

#include "base/check.h"

#include <stdlib.h>

/* A row in memory between drafts: its bytes, or the knowledge that there is none. Neither these nor the row decoded from
 * them are ever changed: a row that changes is kept anew, and goes when no draft can see it any more. */
struct kept {
    struct kept *next_gone;
    struct value row; /* what `bytes` say, once somebody asked; its strings are theirs */
    void *block;      /* of `row`; owned */
    size_t cost;      /* what is counted for it */
    bool is_decoded;
    uint32_t len; /* 0: known to be absent */
    uint8_t bytes[];
};

/* A row in the draft. */
struct open_row {
    struct slice key;
    struct value row; /* shared; only with is_own its first level, and no deeper, is the draft's */
    bool is_there, is_changed, is_own;
    bool is_sealed; /* `bytes` are the row's, in the arena */
    struct slice bytes;
};

/* Rows are kept in two generations. When the young one is full, the old one goes and the young one is the old; a row that
 * is asked for becomes young again. So what is in use stays, and no more than twice this is ever held. */
enum { GENERATION_BYTES_MAX = 32 << 20, KEPT_OVERHEAD = 96 /* of an entry, about */ };

/* A row outgrows a leaf: many leaves patch it (an audit is linked to by each of its findings). */
static int decode_row(struct arena *arena, struct slice bytes, struct value *row)
{
    return dmp_decode_large(arena, bytes, UINT32_MAX, row, NULL) == 0 && row->type == VALUE_MAP
               ? 0
               : -1;
}

struct state {
    struct shelf shelf;
    struct map kept, old; /* the two generations: key -> struct kept, owned */
    struct kept *gone;    /* replaced or forgotten, but the draft may see them yet; owned */
    size_t kept_bytes;    /* of the young one */
    struct map draft;     /* key -> struct open_row in the arena */
    struct map contents;  /* of the draft: hash -> struct slice in the arena */
    struct arena arena;
    struct arena workshop; /* for a row that is being decoded */
    struct buf scratch;
    bool is_broken;
    bool is_over; /* the draft was kept or dropped: the next read begins a new one */
};

struct state *state_new(const struct shelf *shelf)
{
    struct state *state = calloc(1, sizeof *state);

    check(state != NULL);
    state->shelf = *shelf;
    return state;
}

/* Of the draft's end: what nobody sees any more goes. */
static void free_gone(struct state *state)
{
    struct kept *kept;

    while ((kept = state->gone) != NULL) {
        state->gone = kept->next_gone;
        free(kept->block);
        free(kept);
    }
}

static void let_go(struct state *state, struct kept *kept)
{
    if (kept == NULL)
        return;
    kept->next_gone = state->gone;
    state->gone = kept;
}

static void forget_generation(struct state *state, struct map *generation)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(generation, &at)) != NULL)
        let_go(state, entry->value);
    map_release(generation);
}

void state_forget(struct state *state)
{
    forget_generation(state, &state->kept);
    forget_generation(state, &state->old);
    free_gone(state);
    state->kept_bytes = 0;
    map_release(&state->draft);
    map_release(&state->contents);
    arena_release(&state->arena);
    arena_release(&state->workshop);
    state->is_broken = false;
    state->is_over = false;
}

void state_free(struct state **state)
{
    if (*state == NULL)
        return;
    state_forget(*state);
    buf_release(&(*state)->scratch);
    free(*state);
    *state = NULL;
}

/* Without a shelf what is remembered is all there is. */
static void grow_old(struct state *state)
{
    if (state->kept_bytes < GENERATION_BYTES_MAX || state->shelf.row == NULL)
        return;
    forget_generation(state, &state->old);
    state->old = state->kept;
    state->kept = (struct map)MAP_EMPTY;
    state->kept_bytes = 0;
}

static void begin(struct state *state)
{
    if (!state->is_over)
        return;
    map_clear(&state->draft);
    map_clear(&state->contents);
    arena_clear(&state->arena);
    grow_old(state);
    free_gone(state);
    state->is_over = false;
    state->is_broken = false;
}

struct arena *state_arena(struct state *state)
{
    begin(state);
    return &state->arena;
}

static void make_young(struct state *state, struct slice key, struct kept *kept)
{
    struct kept *before = map_put(&state->kept, key, kept);

    state->kept_bytes += kept->cost;
    if (before != NULL)
        state->kept_bytes -= before->cost;
    let_go(state, before);
}

static struct kept *recall(struct state *state, struct slice key)
{
    struct kept *kept = map_get(&state->kept, key);

    if (kept == NULL && state->old.count > 0) {
        kept = map_remove(&state->old, key);
        if (kept != NULL)
            make_young(state, key, kept);
    }
    return kept;
}

static struct kept *remember(struct state *state, struct slice key, struct slice bytes)
{
    struct kept *kept = malloc(sizeof *kept + bytes.len);

    check(kept != NULL && bytes.len <= UINT32_MAX);
    *kept = (struct kept){.len = (uint32_t)bytes.len,
                          .cost = sizeof *kept + bytes.len + key.len + KEPT_OVERHEAD};
    if (bytes.len > 0)
        memcpy(kept->bytes, bytes.at, bytes.len);
    if (state->old.count > 0)
        let_go(state, map_remove(&state->old, key));
    make_young(state, key, kept);
    return kept;
}

/* What is in memory of this row, or becomes so now; NULL: the shelf failed. */
static struct kept *kept_row(struct state *state, struct slice key)
{
    struct kept *kept = recall(state, key);
    int found;

    if (kept != NULL)
        return kept;
    buf_clear(&state->scratch);
    found =
        state->shelf.row == NULL ? 0 : state->shelf.row(state->shelf.self, key, &state->scratch);
    if (found < 0)
        return NULL;
    return remember(state, key, found > 0 ? buf_slice(&state->scratch) : slice_of(NULL, 0));
}

/* `row` is what the bytes of `kept`, which is young, say. */
static void keep_decoded(struct state *state, struct kept *kept, const struct value *row)
{
    size_t size;

    kept->row = value_pack(row, &kept->block, &size);
    kept->is_decoded = true;
    kept->cost += size;
    state->kept_bytes += size;
}

/* Once, and not once for each draft that reads it. */
static int decode_kept(struct state *state, struct kept *kept)
{
    struct value row = VALUE_NONE;

    if (kept->is_decoded)
        return 0;
    arena_clear(&state->workshop);
    if (decode_row(&state->workshop, slice_of(kept->bytes, kept->len), &row) != 0)
        return -1;
    keep_decoded(state, kept, &row);
    return 0;
}

static struct open_row *open_row(struct state *state, struct slice key)
{
    struct open_row *row;
    struct kept *kept;

    begin(state);
    row = map_get(&state->draft, key);
    if (row != NULL)
        return row;
    row = arena_zero(&state->arena, sizeof *row);
    row->key = slice_of(arena_copy(&state->arena, key.at, key.len), key.len);
    kept = kept_row(state, key);
    if (kept == NULL || (kept->len > 0 && decode_kept(state, kept) != 0)) {
        state->is_broken = true;
    } else if (kept->len > 0) {
        row->row = kept->row;
        row->is_there = true;
    }
    map_put(&state->draft, key, row);
    return row;
}

const struct value *state_row(struct state *state, struct slice key)
{
    struct open_row *row = open_row(state, key);

    return row->is_there ? &row->row : NULL;
}

const struct value *state_rowf(struct state *state, const char *format, ...)
{
    va_list args;
    char *key;

    begin(state);
    va_start(args, format);
    key = arena_vprintf(&state->arena, format, args);
    va_end(args);
    return state_row(state, slice_str(key));
}

void state_put_content(struct state *state, struct slice hash, struct slice bytes)
{
    struct slice *kept;

    begin(state);
    kept = arena_take(&state->arena, sizeof *kept);
    *kept = bytes;
    map_put(&state->contents, hash, kept);
}

struct slice state_content(struct state *state, struct slice hash)
{
    const struct slice *drafted;
    int found;

    begin(state);
    if (hash.len != HASH_LEN)
        return slice_of(NULL, 0);
    drafted = map_get(&state->contents, hash);
    if (drafted != NULL)
        return *drafted;
    if (state->shelf.content == NULL)
        return slice_of(NULL, 0);
    buf_clear(&state->scratch);
    found = state->shelf.content(state->shelf.self, hash.at, &state->scratch);
    if (found < 0)
        state->is_broken = true;
    if (found <= 0)
        return slice_of(NULL, 0);
    return slice_of(arena_copy(&state->arena, state->scratch.at, state->scratch.len),
                    state->scratch.len);
}

/* ---- enumeration ---- */

struct gathering {
    struct state *state;
    struct value keys; /* map key -> true: sorted, each once */
};

static int gather(void *with, struct slice key, struct slice bytes)
{
    struct gathering *gathering = with;
    struct arena *arena = &gathering->state->arena;

    (void)bytes;
    value_put(arena, &gathering->keys, slice_of(arena_copy(arena, key.at, key.len), key.len),
              value_bool(true));
    return 0;
}

static bool begins_with(struct slice key, struct slice prefix)
{
    return key.len >= prefix.len && memcmp(key.at, prefix.at, prefix.len) == 0;
}

bool state_rows(struct state *state, struct slice prefix, uint32_t max, struct value *out)
{
    struct gathering gathering = {state, value_map()};
    const struct map_entry *entry;
    size_t at = 0;

    begin(state);
    *out = value_array();
    if (state->shelf.each != NULL &&
        state->shelf.each(state->shelf.self, prefix, gather, &gathering) < 0)
        state->is_broken = true;
    while ((entry = map_next(&state->draft, &at)) != NULL) {
        struct open_row *row = entry->value;

        if (row->is_there && begins_with(row->key, prefix))
            value_put(&state->arena, &gathering.keys, row->key, value_bool(true));
    }
    /* A shelf knows every row that state_keep() has told; without one, what is remembered is all there is. */
    at = 0;
    while (state->shelf.each == NULL && (entry = map_next(&state->kept, &at)) != NULL) {
        struct slice key = slice_of(entry->key, entry->key_len);

        if (((struct kept *)entry->value)->len > 0 && begins_with(key, prefix))
            gather(&gathering, key, slice_of(NULL, 0));
    }
    for (uint32_t i = 0; i < gathering.keys.count; i++) {
        struct slice key = gathering.keys.as.pairs[i].key;
        const struct value *row = state_row(state, key);
        struct value item = value_map();

        if (row == NULL)
            continue;
        if (out->count == max)
            return false;
        value_set(&state->arena, &item, "key", value_text(key));
        value_set(&state->arena, &item, "row", *row);
        value_push(&state->arena, out, item);
    }
    return true;
}

struct paging {
    struct arena *arena;
    struct slice prefix, after;
    uint32_t max;
    struct value *out;
    bool is_full, is_damaged;
};

static int add_to_page(void *with, struct slice key, struct slice bytes)
{
    struct paging *page = with;
    struct value item = value_map(), row = VALUE_NONE;
    char *own;

    if (slice_compare(key, page->after) <= 0 ||
        memchr(key.at + page->prefix.len, '/', key.len - page->prefix.len) != NULL)
        return 0;
    page->is_full = page->out->count == page->max;
    if (page->is_full)
        return 1;
    own = arena_copy(page->arena, bytes.at, bytes.len);
    page->is_damaged = decode_row(page->arena, slice_of(own, bytes.len), &row) != 0;
    if (page->is_damaged)
        return 1;
    own = arena_copy(page->arena, key.at, key.len);
    value_set(page->arena, &item, "key", value_text(slice_of(own, key.len)));
    value_set(page->arena, &item, "row", row);
    value_push(page->arena, page->out, item);
    return 0;
}

bool state_page(struct state *state, struct arena *arena, struct slice prefix, struct slice after,
                uint32_t max, struct value *out)
{
    struct paging page = {arena, prefix, after, max, out, false, false};
    const struct shelf *shelf = &state->shelf;
    int status = 0;

    begin(state);
    *out = value_array();
    if (shelf->each_after != NULL)
        status = shelf->each_after(shelf->self, prefix, after, add_to_page, &page);
    else if (shelf->each != NULL)
        status = shelf->each(shelf->self, prefix, add_to_page, &page);
    if (status < 0 || page.is_damaged)
        state->is_broken = true;
    return !page.is_full;
}

/* ---- the fold ---- */

/* What a row was is never changed, only what it is: others may share it. */
static void merge_into(struct state *state, struct open_row *row, const struct value *patch)
{
    row->is_own = row->is_own || !row->is_there || patch->count > 0;
    row->row = value_merged(&state->arena, row->is_there ? &row->row : NULL, patch);
    row->is_there = true;
    row->is_changed = true;
    row->is_sealed = false;
}

static void set_number(struct state *state, struct open_row *row, const char *name, uint64_t number)
{
    struct value value = value_int((int64_t)number), patch = value_map();

    if (row->is_there && row->is_own) {
        value_set(&state->arena, &row->row, name, value);
        row->is_sealed = false;
        return;
    }
    value_set(&state->arena, &patch, name, value);
    merge_into(state, row, &patch);
}

static void fold_patch(struct state *state, struct slice key, const struct value *patch)
{
    struct open_row *row = open_row(state, key);

    if (patch->type != VALUE_NIL) {
        merge_into(state, row, patch);
        return;
    }
    row->is_there = false;
    row->is_changed = true;
    row->is_sealed = false;
    row->row = VALUE_NONE;
}

static void fold_chain(struct state *state, const struct value *chain, uint64_t seq)
{
    for (uint32_t i = 0; chain != NULL && chain->type == VALUE_MAP && i < chain->count; i++) {
        struct open_row *row = open_row(state, chain->as.pairs[i].key);

        if (row->is_there)
            set_number(state, row, "last", seq);
    }
}

void state_fold(struct state *state, const struct leaf *leaf)
{
    const struct value *own = value_get(&leaf->effects, "");

    for (uint32_t i = 0; leaf->effects.type == VALUE_MAP && i < leaf->effects.count; i++) {
        const struct pair *pair = &leaf->effects.as.pairs[i];

        if (slice_is(pair->key, "^"))
            continue;
        fold_patch(state, pair->key.len == 0 ? leaf->stream : pair->key, &pair->value);
    }
    if (own == NULL || own->type != VALUE_NIL)
        set_number(state, open_row(state, leaf->stream), "rev", leaf->rev);
    fold_chain(state, value_get(&leaf->effects, "^"), leaf->seq);
}

bool state_is_broken(const struct state *state)
{
    return state->is_broken;
}

/* ---- the end of a draft ---- */

static int by_key(const void *a, const void *b)
{
    return slice_compare((*(struct open_row *const *)a)->key, (*(struct open_row *const *)b)->key);
}

static void seal(struct state *state, struct open_row *row)
{
    if (row->is_sealed)
        return;
    buf_clear(&state->scratch);
    if (row->is_there)
        dmp_encode(&state->scratch, &row->row);
    row->bytes = slice_of(arena_copy(&state->arena, state->scratch.at, state->scratch.len),
                          state->scratch.len);
    row->is_sealed = true;
}

bool state_seal(struct state *state, struct slice *key)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&state->draft, &at)) != NULL) {
        struct open_row *row = entry->value;

        if (!row->is_changed)
            continue;
        seal(state, row);
        *key = row->key;
        if (row->bytes.len > ROW_BYTES_MAX || row->key.len > ROW_KEY_MAX)
            return false;
    }
    return true;
}

/* What the draft has of a row becomes what is kept of it: nobody has to decode what was just encoded. */
static void keep_row(struct state *state, const struct open_row *row)
{
    struct kept *kept = remember(state, row->key, row->bytes);

    if (!row->is_there || row->row.type != VALUE_MAP)
        return;
    keep_decoded(state, kept, &row->row);
    dmp_adopt(&kept->row, slice_of(kept->bytes, kept->len));
}

void state_keep(struct state *state, state_changed_fn *changed, void *self)
{
    struct open_row **rows = arena_take(&state->arena, (state->draft.count + 1) * sizeof *rows);
    const struct map_entry *entry;
    size_t at = 0, count = 0;

    check(!state->is_broken && !state->is_over);
    while ((entry = map_next(&state->draft, &at)) != NULL) {
        if (((struct open_row *)entry->value)->is_changed)
            rows[count++] = entry->value;
    }
    qsort(rows, count, sizeof rows[0], by_key);
    for (size_t i = 0; i < count; i++) {
        seal(state, rows[i]);
        keep_row(state, rows[i]);
        if (changed != NULL)
            changed(self, rows[i]->key, rows[i]->is_there ? &rows[i]->row : NULL, rows[i]->bytes);
    }
    state->is_over = true;
}

void state_drop(struct state *state)
{
    state->is_over = true;
}
