/* Any bytes as the one file of a pack: it loads, or every problem has a place and a sentence. */
#include "base/check.h"
#include "definition/pack.h"
#include "definition/prove.h"

#include "targets.h"

/* libconfig 1.5 forgets the text at which a file stops making sense. A pack is read once, so that is borne. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig\n";
}

/* Who there is does not make a sound pack unsound, only too much for them. */
static void prove_with_people(const struct pack *pack, struct problems *problems)
{
    static const char *one[] = {"isms_manager", "boss"}, *two[] = {"clerk", "boss"};
    struct person persons[] = {{"ann", {one, 2}, NULL}, {"ben", {two, 2}, "ann"}};
    const struct people people = {persons, 2};

    prove_people(pack, &people, problems);
}

int FUZZ_NAME(fuzz_pack)(const uint8_t *at, size_t len)
{
    const struct pack_file file = {"pack.cfg", slice_of(at, len)};
    struct problems problems = PROBLEMS_EMPTY;
    struct error err = {ERROR_NONE, ""};
    struct pack *pack = NULL;
    struct buf text = BUF_EMPTY;

    if (pack_load_files(&file, 1, &pack, &problems, &err) == 0) {
        check(problems.errors == 0 && pack->name != NULL);
        prove_with_people(pack, &problems);
    } else {
        check(pack == NULL && problems.errors > 0 && err.text[0] != '\0');
    }
    problems_show(&problems, &text);
    check((problems.count == 0) == (text.len == 0));
    buf_release(&text);
    pack_free(&pack);
    problems_release(&problems);
    return 0;
}
