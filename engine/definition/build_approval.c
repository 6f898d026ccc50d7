/* build_approval.c - an approval as written -> its stages. The short form becomes one stage; whatever the form, the model
 * has stages only. */
#include "definition/build_inside.h"

#include "definition/condition.h"
#include "base/nearest.h"

enum { WEIGHT_MAX = 1000 };

static const char *const OUTCOMES[] = {"void", "grant", "refuse", "return"};

/* "void" is VOTE_NONE: nobody's vote stands for it. */
static enum vote build_outcome(struct builder *b, const char *name, enum vote preset,
                               bool may_be_void)
{
    int index;

    if (name == NULL)
        return preset;
    index =
        find_placed(b, name, "outcome", may_be_void ? OUTCOMES : OUTCOMES + 1, may_be_void ? 4 : 3);
    if (index == MODEL_NONE)
        return preset;
    return (enum vote)(may_be_void ? index : index + 1);
}

static void build_weights(struct builder *b, struct reader *reader, const config_setting_t *written,
                          struct approval_stage *stage)
{
    int count = config_setting_is_group(written) ? config_setting_length(written) : 0;

    if (!config_setting_is_group(written)) {
        wrong_type(reader, written, "a group { who = number; }");
        return;
    }
    if (count > WORDS_MAX) {
        problem(b->problems, where_setting(reader, written), "more than %d weights", WORDS_MAX);
        return;
    }
    stage->weights = arena_zero(b->arena, sizeof *stage->weights * (size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        const config_setting_t *one = config_setting_get_elem(written, (unsigned)i);
        struct weight *weight = &stage->weights[stage->weight_count];
        struct where where = where_setting(reader, one);

        read_int(reader, one, &weight->weight);
        if (weight->weight < 1 || weight->weight > WEIGHT_MAX) {
            problem(b->problems, where, "'%s': a vote weighs 1 to %d", config_setting_name(one),
                    WEIGHT_MAX);
            continue;
        }
        weight->who = text_placed(b->arena, where, config_setting_name(one));
        stage->weight_count++;
    }
}

static bool is_all(const config_setting_t *need)
{
    return need != NULL && config_setting_type(need) == CONFIG_TYPE_STRING &&
           strcmp(config_setting_get_string(need), "all") == 0;
}

/* By number, by everyone, by share or by majority: one of them. */
static void build_counting(struct builder *b, struct reader *reader,
                           const struct written_stage *written, struct approval_stage *stage)
{
    bool by_share = stage->percent != 0, by_majority = written->majority == 1;

    if (by_share + by_majority + is_all(written->need) > 1)
        problem(b->problems, stage->where,
                "need = \"all\", percent and majority are different ways to count; keep one");
    if (stage->percent < 0 || stage->percent > 100)
        problem(b->problems, stage->where, "'percent': a share is 1 to 100");
    stage->counting = by_share                ? COUNT_PERCENT
                      : by_majority           ? COUNT_MAJORITY
                      : is_all(written->need) ? COUNT_ALL
                                              : COUNT_NEED;
    if (written->need == NULL)
        stage->need = condition_pending(b->arena, "1", stage->where);
    else if (!is_all(written->need))
        read_expr(reader, written->need, &stage->need);
}

static bool build_closing(struct builder *b, const struct written_stage *written)
{
    static const char *const CLOSINGS[] = {"early", "all"};

    return written->closing != NULL &&
           find_placed(b, written->closing, "closing", CLOSINGS, 2) == 1;
}

static struct approval_stage build_stage(struct builder *b, struct reader *reader,
                                         const struct written_stage *written, const char *meaning)
{
    struct approval_stage stage = written->stage;

    build_counting(b, reader, written, &stage);
    if (written->weights != NULL)
        build_weights(b, reader, written->weights, &stage);
    stage.waits_for_all = build_closing(b, written);
    stage.one_refuse_ends = written->one_refuse_ends != FLAG_UNSET
                                ? written->one_refuse_ends == 1
                                : (stage.counting == COUNT_NEED || stage.counting == COUNT_ALL) &&
                                      stage.veto.count == 0 && !stage.waits_for_all;
    if (stage.meaning == NULL)
        stage.meaning = meaning;
    return stage;
}

/* ---- which begins after which ---- */

static int stage_index(const struct approval *made, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (made->stages[i].name != NULL && strcmp(made->stages[i].name, name) == 0)
            return i;
    }
    return MODEL_NONE;
}

/* Only stages that stand before can be waited for, so that none waits for itself. */
static uint32_t build_after(struct builder *b, const struct words *after,
                            const struct approval *made, int index)
{
    uint32_t mask = 0;

    if (after->at == NULL)
        return index == 0 ? 0 : 1u << (index - 1);
    for (int i = 0; i < after->count; i++) {
        int other = stage_index(made, index, after->at[i]);
        struct nearest nearest = nearest_to(slice_str(after->at[i]));

        for (int k = 0; k < index && made->stages[k].name != NULL; k++)
            nearest_offer(&nearest, made->stages[k].name);
        if (other == MODEL_NONE)
            problem(b->problems, where_of(after->at[i]),
                    "no stage '%s' stands before this one, and only such can be waited for%s",
                    after->at[i], nearest_hint(&nearest, &b->problems->arena));
        else
            mask |= 1u << other;
    }
    return mask;
}

static void build_stages(struct builder *b, struct reader *reader,
                         const struct written_approval *written, struct approval *made)
{
    int count;

    if (!are_groups(reader, written->stages, &count))
        return;
    if (count > APPROVAL_STAGES_MAX) {
        problem(b->problems, made->where, "more than %d stages in an approval",
                APPROVAL_STAGES_MAX);
        return;
    }
    made->stages = arena_zero(b->arena, sizeof *made->stages * (size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        struct written_stage stage = grammar_stage(reader, group_at(written->stages, i));

        made->stages[i] = build_stage(b, reader, &stage, written->whole.stage.meaning);
        made->stages[i].after = build_after(b, &stage.after, made, i);
        made->stage_count++;
        if (stage.stage.name != NULL && stage_index(made, i, stage.stage.name) != MODEL_NONE)
            problem(b->problems, stage.stage.where, "a second stage '%s'", stage.stage.name);
    }
}

/* ---- both forms ---- */

static bool has_stage_settings(const struct written_stage *whole)
{
    const struct approval_stage *stage = &whole->stage;

    return stage->ask.at != NULL || stage->veto.at != NULL || stage->require.at != NULL ||
           stage->percent != 0 || whole->need != NULL || whole->weights != NULL ||
           whole->closing != NULL || whole->majority != FLAG_UNSET ||
           whole->one_refuse_ends != FLAG_UNSET;
}

static void build_whole(struct builder *b, struct reader *reader,
                        const struct written_approval *written, struct approval *made)
{
    made->stages = arena_zero(b->arena, sizeof *made->stages);
    made->stage_count = 1;
    made->stages[0] = build_stage(b, reader, &written->whole, written->whole.stage.meaning);
    made->stages[0].name = text_placed(b->arena, made->where, "approval");
    if (written->whole.stage.ask.at == NULL)
        problem(b->problems, made->where, "the approval needs 'ask', or 'stages' that ask");
}

static bool has_majority(const struct approval *approval)
{
    for (int i = 0; i < approval->stage_count; i++) {
        if (approval->stages[i].counting == COUNT_MAJORITY)
            return true;
    }
    return false;
}

static void build_ends(struct builder *b, const struct written_approval *written,
                       struct approval *made)
{
    bool expires = made->expires.months != 0 || made->expires.days != 0 || made->expires.ms != 0;

    made->on_expiry = build_outcome(b, written->on_expiry, VOTE_NONE, true);
    made->on_tie = build_outcome(b, written->on_tie, VOTE_REFUSE, false);
    if (written->on_expiry != NULL && !expires)
        problem(b->problems, made->where, "'on_expiry' without 'expires': the round never expires");
    if (written->on_tie != NULL && !has_majority(made))
        problem(b->problems, made->where,
                "'on_tie' without majority = true: there is no tie where a number is needed");
}

struct approval *build_approval(struct builder *b, const struct written_approval *written,
                                struct reader *reader)
{
    struct approval *made;
    const char **editors;

    if (!written->is_there)
        return NULL;
    made = arena_zero(b->arena, sizeof *made);
    *made = written->approval;
    if (made->apart.at == NULL) {
        editors = arena_zero(b->arena, sizeof *editors);
        editors[0] = text_placed(b->arena, made->where, "editors");
        made->apart = (struct words){editors, 1};
    }
    if (written->stages == NULL)
        build_whole(b, reader, written, made);
    else if (has_stage_settings(&written->whole))
        problem(b->problems, made->where,
                "beside 'stages' an approval asks nobody itself: 'ask' and how it is counted stand "
                "in each stage");
    else
        build_stages(b, reader, written, made);
    build_ends(b, written, made);
    return made;
}
