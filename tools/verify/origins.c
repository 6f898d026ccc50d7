#include "origins.h"

#include "dmp.h"
#include "memory.h"

#include <stdlib.h>

struct head { /* as a leaf names it */
    struct bytes origin, root;
    int64_t size;
};

void origins_release(struct origins *origins)
{
    for (size_t i = 0; i < origins->count; i++)
        free(origins->at[i].name);
    free(origins->at);
    *origins = (struct origins){0};
}

static void add(struct origins *origins, struct bytes name, uint64_t from)
{
    char *copy = memory_new(name.len + 1, 1);

    memcpy(copy, name.at, name.len);
    origins->at = memory_grow(origins->at, &origins->cap, origins->count + 1, sizeof *origins->at);
    origins->at[origins->count++] = (struct origin_span){copy, from};
}

void origins_open(struct origins *origins, struct bytes name)
{
    add(origins, name, 0);
}

struct bytes origins_now(const struct origins *origins)
{
    return origins->count > 0 ? bytes_text(origins->at[origins->count - 1].name) : bytes_text("");
}

static bool was_named(const struct origins *origins, struct bytes name)
{
    for (size_t i = 0; i < origins->count; i++)
        if (bytes_are(name, origins->at[i].name))
            return true;
    return false;
}

static bool read_head(struct bytes body, const char *key, struct head *out)
{
    struct bytes head;

    return dmp_find(body, key, &head) && dmp_is_map(head) &&
           dmp_find_str(head, "origin", &out->origin) && dmp_find_bin(head, "root", &out->root) &&
           out->root.len == HASH_LEN && dmp_find_int(head, "size", &out->size) && out->size >= 0;
}

static bool ends_in(struct bytes text, const char *ending)
{
    size_t len = strlen(ending);

    return text.len >= len && memcmp(text.at + text.len - len, ending, len) == 0;
}

static const char *fault_of(const struct origins *origins, const struct leaf *leaf, uint64_t seq,
                            const struct tree *tree, struct bytes *name, struct head *known)
{
    uint8_t root[HASH_LEN];
    struct head was;
    struct bytes unused;

    if (!bytes_are(leaf->type, "journal.restored"))
        return "it is on the journal's own stream and is not journal.restored";
    if (!bytes_are(leaf->actor, "engine") || !bytes_are(leaf->auth_method, "engine") ||
        leaf->has_auth_key)
        return "it was not written by the engine";
    if (!dmp_find_str(leaf->body, "origin", name) || name->len == 0 ||
        memchr(name->at, '\0', name->len) != NULL)
        return "it names no origin";
    if (was_named(origins, *name))
        return "the journal had the origin that it names before";
    if (ends_in(*name, "/virtual") != ends_in(origins_now(origins), "/virtual"))
        return "it changes a journal of a virtual clock into a real one, or the other way round";
    tree_root(tree, root);
    if (!read_head(leaf->body, "was", &was) || (uint64_t)was.size != seq ||
        !bytes_equal(was.origin, origins_now(origins)) || memcmp(was.root.at, root, HASH_LEN) != 0)
        return "the head that it goes on from is not that of the entries before it";
    *known = (struct head){.size = -1};
    if (dmp_find(leaf->body, "known", &unused) && !read_head(leaf->body, "known", known))
        return "what it says was known is no head";
    return NULL;
}

static void tell(struct report *report, uint64_t seq, struct bytes old, const struct head *known)
{
    if (known->size < 0)
        report_warn(report, "RESTORED",
                    "entry %llu: the journal went on from a copy of %.*s with %llu entries, under "
                    "another name; how many more there had been was not known",
                    (unsigned long long)seq, BYTES_ARG(old), (unsigned long long)seq);
    else
        report_warn(report, "RESTORED",
                    "entry %llu: the journal went on from a copy of %.*s with %llu entries, under "
                    "another name; %lld entries of %.*s had been signed",
                    (unsigned long long)seq, BYTES_ARG(old), (unsigned long long)seq,
                    (long long)known->size, BYTES_ARG(known->origin));
}

bool origins_leaf(struct origins *origins, struct report *report, const struct leaf *leaf,
                  uint64_t seq, const struct tree *tree)
{
    struct bytes name;
    struct head known;
    const char *fault;

    if (origins->count == 0 || !bytes_are(leaf->stream, "journal"))
        return false;
    fault = fault_of(origins, leaf, seq, tree, &name, &known);
    if (fault != NULL) {
        report_error(report, "ORIGIN_BAD", (int64_t)seq, "entry %llu: %s", (unsigned long long)seq,
                     fault);
        return false;
    }
    tell(report, seq, origins_now(origins), &known);
    add(origins, name, seq);
    return true;
}

bool origins_ended(const struct origins *origins, struct bytes name, uint64_t *end)
{
    for (size_t i = 0; i + 1 < origins->count; i++) {
        if (bytes_are(name, origins->at[i].name)) {
            *end = origins->at[i + 1].from;
            return true;
        }
    }
    return false;
}
