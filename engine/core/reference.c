/* reference.c - a field that names a record names one that exists, and of a kind that the field takes.
 *
 * Looked at when somebody (a person, a rule, an import) gives the field. A record never goes away again, so that what
 * was right stays right; a journal from before this was asked keeps what it says.
 */
#include "core/inside.h"

#include "base/nearest.h"

/* Numbers of a prefix are given in order, so that two of them say what there is: the one that was typed, and the last. */
static void offer_numbers(struct core *core, struct nearest *nearest, const struct kind *kind,
                          int64_t typed)
{
    int64_t last = value_get_int(state_rowf(core->state, "next/%s", kind->prefix), "n", 0);
    int64_t numbers[] = {typed, last};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct slice id = textf(core, "%s-%04lld", kind->prefix,
                                (long long)(numbers[i] < last ? numbers[i] : last));

        if (numbers[i] > 0 && state_row(core->state, id) != NULL)
            nearest_offer(nearest, (const char *)id.at);
    }
}

static int64_t number_in(struct slice id)
{
    int64_t number = 0;

    for (size_t i = 0; i < id.len && number < 1000000000; i++) {
        if (id.at[i] >= '0' && id.at[i] <= '9')
            number = number * 10 + (id.at[i] - '0');
    }
    return number;
}

static bool takes(const struct field *field, const struct kind *kind)
{
    return field->of.count == 0 || words_have(&field->of, slice_str(kind->name));
}

static size_t prefix_len(struct slice id)
{
    size_t len = 0;

    while (len < id.len && (id.at[len] | 0x20) >= 'a' && (id.at[len] | 0x20) <= 'z')
        len++;
    return len;
}

/* Letters and a number as an id has them: "pol-1" and "POL 0001" as "POL-0001". */
static struct slice as_written(struct core *core, struct slice id)
{
    char *text = arena_copy(core->arena, id.at, id.len);
    size_t letters = prefix_len(id);

    for (size_t i = 0; i < letters; i++)
        text[i] = (char)(text[i] & ~0x20);
    if (letters == 0 || number_in(id) == 0)
        return id;
    return textf(core, "%.*s-%04lld", (int)letters, text, (long long)number_in(id));
}

const char *record_hint(struct core *core, struct slice id, const struct field *field)
{
    const struct pack *pack = core_current_pack(core);
    struct slice base = as_written(core, record_base(id));
    struct nearest nearest = nearest_to(base);
    const struct kind *meant;
    struct subject latest;

    if (pack == NULL || id.len == 0 || id.len > RECORD_ID_MAX)
        return ". `rota list` shows those that exist.";
    if (pack_kind(pack, id) != NULL)
        return (const char *)textf(core,
                                   ": that is a kind. `rota list %.*s` shows the records of it.",
                                   (int)id.len, (const char *)id.at)
            .at;
    if (record_version(id).len > 0 && subject_find(core, base, &latest) &&
        (field == NULL || takes(field, latest.kind)))
        return (const char *)textf(core, "; the latest version is %.*s.", (int)latest.id.len,
                                   (const char *)latest.id.at)
            .at;
    /* A prefix that exists is meant as it stands: only the number is wrong. */
    meant = pack_prefix(pack, slice_of(base.at, prefix_len(base)));
    for (int i = 0; i < pack->kind_count; i++) {
        if ((meant == NULL || meant == &pack->kinds[i]) &&
            (field == NULL || takes(field, &pack->kinds[i])))
            offer_numbers(core, &nearest, &pack->kinds[i], number_in(base));
    }
    return (const char *)textf(core, "%s `rota list` shows those that exist.",
                               or_stop(nearest_hint(&nearest, core->arena)))
        .at;
}

/* "finding", "scope statement or policy": what the field takes. */
static const char *kinds_taken(struct core *core, const struct field *field)
{
    const struct pack *pack = core_current_pack(core);
    struct slice list = slice_str("");

    for (int i = 0; i < field->of.count; i++) {
        const struct kind *kind = pack != NULL ? pack_kind(pack, slice_str(field->of.at[i])) : NULL;

        list = textf(core, "%s%s%s", (const char *)list.at,
                     i == 0                     ? ""
                     : i + 1 == field->of.count ? " or "
                                                : ", ",
                     kind != NULL ? kind->title : field->of.at[i]);
    }
    return (const char *)list.at;
}

int record_check_reference(struct core *core, const struct field *field, struct slice id)
{
    struct subject named;

    if (!subject_find(core, id, &named))
        return run_refuse(core, 422, "guard-failed", "Field %s: there is no record %.*s%s",
                          field->name, (int)(id.len < RECORD_ID_MAX ? id.len : RECORD_ID_MAX),
                          (const char *)id.at, record_hint(core, id, field));
    if (takes(field, named.kind))
        return 0;
    return run_refuse(
        core, 422, "guard-failed", "Field %s: %.*s is of kind \"%s\"; \"%s\" is expected here.",
        field->name, (int)id.len, (const char *)id.at, named.kind->title, kinds_taken(core, field));
}
