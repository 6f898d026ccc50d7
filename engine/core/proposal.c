/* proposal.c - what governs is changed by two people: one proposes, another agrees, signed with their own key.
 *
 *     ──propose──> open ──agree (another person who may, signed)──> agreed   the change's own entry is made
 *                    └────end (who proposed it, or who may agree)──> ended
 *
 * Row proposal/N is small: whose it is, the digest of what was given, and of what counted then; what was given stands in the
 * entry that proposed it (`seq`). Row `proposals` names the open ones. The agreement is the same command with the number of
 * the proposal: its signature is over all that was given, so that nobody is believed to have agreed to anything else.
 */
#include "core/inside.h"

static struct slice proposal_key(struct core *core, int64_t number)
{
    return textf(core, "proposal/%lld", (long long)number);
}

const struct value *proposal_row(struct core *core, int64_t number)
{
    return number > 0 ? state_row(core->state, proposal_key(core, number)) : NULL;
}

struct slice proposal_statement(struct core *core, int64_t number, const struct value *row)
{
    struct slice says = value_get_text(row, "says"), by = value_get_text(row, "by");

    return textf(core, "I authorise that %.*s, as %.*s proposed (proposal %lld).", (int)says.len,
                 (const char *)says.at, (int)by.len, (const char *)by.at, (long long)number);
}

int proposal_permit(struct core *core, const struct question *question)
{
    const char *command = (const char *)keep_text(core, question->command).at;
    const char *sentence = "";

    if (value_get(question->args, "for") != NULL)
        return run_refuse(core, 403, "not-allowed",
                          "Nobody changes who may what, or the workflows, in the place of somebody "
                          "else.");
    if (value_get(question->args, "proposal") == NULL &&
        authority_command(core, question->principal, command, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    return 0;
}

/* ---- proposed ---- */

/* What becomes of a proposal: its row, and its place among the open ones. */
static void put_state(struct core *core, int64_t number, const char *state, struct value *row,
                      struct value *effects)
{
    struct slice n = textf(core, "%lld", (long long)number);
    struct value *open =
        value_sub(core->arena, run_patch(core, effects, slice_str("proposals")), slice_str("open"));

    value_put(core->arena, open, n,
              strcmp(state, "open") == 0 ? *value_get(row, "what") : VALUE_NONE);
    value_set(core->arena, row, "state", value_str(state));
}

static int propose(struct core *core, const struct question *question, const struct change *change)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), row = value_map();
    int64_t number = run_next_number(core, &effects, "proposal");

    if (change->facts.type == VALUE_MAP)
        row = value_copy(core->arena, &change->facts);
    value_set(core->arena, &row, "n", value_int(number));
    value_set(core->arena, &row, "what", value_str(change->what));
    value_set(core->arena, &row, "by", value_text(question->principal));
    value_set(core->arena, &row, "at_ms", value_int(core->now_ms));
    value_set(core->arena, &row, "digest", value_bin(change->digest.at, change->digest.len));
    value_set(core->arena, &row, "base", value_bin(change->base.at, change->base.len));
    value_set(core->arena, &row, "says", value_text(change->says));
    value_set(core->arena, &row, "seq", value_int((int64_t)core->question->seq));
    put_state(core, number, "open", &row, &effects);
    value_set(core->arena, &effects, "", row);
    return run_leaf(core, (const char *)textf(core, "%s.proposed", change->what).at,
                    proposal_key(core, number), change->record, &author, question->args,
                    &effects) < 0
               ? -1
               : 0;
}

/* ---- agreed ---- */

static int refuse_closed(struct core *core, int64_t number, const struct value *row)
{
    bool is_agreed = slice_is(value_get_text(row, "state"), "agreed");
    struct slice who = value_get_text(row, is_agreed ? "agreed_by" : "ended_by");

    return run_refuse(core, 409, "wrong-state",
                      is_agreed ? "Proposal %lld is in force: %.*s agreed to it."
                                : "Proposal %lld was ended by %.*s; what is still wanted is "
                                  "proposed anew.",
                      (long long)number, (int)who.len, (const char *)who.at);
}

/* The proposal that the command agrees to, if they may; NULL after a refusal. */
static const struct value *agreeable(struct core *core, const struct question *question,
                                     const struct change *change, int64_t number)
{
    const struct value *row = proposal_row(core, number);
    enum permission permission;
    const char *sentence = "";

    if (row == NULL || !slice_is(value_get_text(row, "what"), change->what)) {
        run_refuse(core, 404, "no-record",
                   "There is no such proposal about this; `rota proposals` lists them.");
        return NULL;
    }
    if (!slice_is(value_get_text(row, "state"), "open")) {
        refuse_closed(core, number, row);
        return NULL;
    }
    permission = authority_agree(core, question->principal, &sentence);
    if (slice_equal(value_get_text(row, "by"), question->principal)) {
        run_refuse_apart(
            core, "SOD-6",
            "SOD-6: who proposed a change does not agree to it. Another person with the "
            "role top_management or isms_manager does: rota agree %lld.",
            (long long)number);
        return NULL;
    }
    if (permission != PERMIT) {
        run_refuse(core, 403, "not-allowed", "%s", sentence);
        return NULL;
    }
    return row;
}

/* The second person's word: whether it is theirs to give, about this very change, and signed. */
static int check_agreed(struct core *core, const struct question *question,
                        const struct change *change, int64_t number, const struct value *row)
{
    struct signing signing = {
        .type = slice_str(change->agreed),
        .stream = change->stream,
        .rev = (uint64_t)value_get_int(state_row(core->state, change->stream), "rev", 0),
        .meaning = PROPOSAL_MEANING,
        .statement = proposal_statement(core, number, row),
        .digest = change->digest,
        .about = proposal_key(core, number),
        .pack = pack_that_counts(core)};

    if (!slice_equal(value_get_bin(row, "digest"), change->digest))
        return run_refuse(core, 409, "stale-content",
                          "This is something else than proposal %lld says; look at it again (rota "
                          "proposals).",
                          (long long)number);
    if (!slice_equal(value_get_bin(row, "base"), change->base))
        return run_refuse(core, 409, "stale-content",
                          "What proposal %lld would replace has changed since. Propose it anew.",
                          (long long)number);
    return check_signing(core, question, &signing);
}

static int agree(struct core *core, const struct question *question, const struct change *change,
                 struct value *effects, struct value *own)
{
    const struct value *given = value_get(question->args, "proposal");
    int64_t number = value_is(given, VALUE_INT) ? given->as.number : 0;
    const struct value *row = agreeable(core, question, change, number);
    struct value *patch;

    if (row == NULL || check_agreed(core, question, change, number, row) != 0)
        return -1;
    value_set(core->arena, own, "by", value_text(value_get_text(row, "by")));
    value_set(core->arena, own, "agreed_by", value_text(question->principal));
    value_set(core->arena, own, "proposal", value_int(number));
    value_set(core->arena, own, "alone", VALUE_NONE);
    put_under(core, pack_that_counts(core), own);
    patch = arena_zero(core->arena, sizeof *patch);
    *patch = value_map();
    value_set(core->arena, patch, "agreed_by", value_text(question->principal));
    value_set(core->arena, patch, "agreed_ms", value_int(core->now_ms));
    put_state(core, number, "agreed", patch, effects);
    value_put(core->arena, effects, proposal_key(core, number), *patch);
    return 0;
}

int proposal_take(struct core *core, const struct question *question, const struct change *change,
                  struct value *effects, struct value *own, enum passage *passage)
{
    if (value_get(question->args, "proposal") != NULL) {
        *passage = PASSAGE_AGREED;
        return agree(core, question, change, effects, own);
    }
    if (authority_has_second(core, question->principal)) {
        *passage = PASSAGE_PROPOSED;
        return propose(core, question, change);
    }
    *passage = PASSAGE_ALONE;
    value_set(core->arena, own, "by", value_text(question->principal));
    value_set(core->arena, own, "agreed_by", VALUE_NONE);
    value_set(core->arena, own, "proposal", VALUE_NONE);
    value_set(core->arena, own, "alone", value_bool(true));
    return 0;
}

/* ---- ended ---- */

/* args {proposal, reason}. */
int proposal_end(struct core *core, const struct question *question)
{
    int64_t number = value_get_int(question->args, "proposal", 0);
    const struct value *row = proposal_row(core, number);
    struct slice reason = value_get_bin(value_get(question->args, "reason"), "content");
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map();
    const char *sentence = "";

    if (row == NULL)
        return run_refuse(core, 404, "no-record",
                          "There is no such proposal; `rota proposals --all` lists them.");
    if (!(slice_equal(value_get_text(row, "by"), question->principal) &&
          authority_may_write(core, question->principal)) &&
        authority_agree(core, question->principal, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed",
                          "A proposal is ended by who made it, or by who may agree to it. %s",
                          sentence);
    if (!slice_is(value_get_text(row, "state"), "open"))
        return refuse_closed(core, number, row);
    if (reason.len != HASH_LEN)
        return run_refuse(core, 422, "guard-failed",
                          "To end a proposal needs a reason (--reason \"...\").");
    value_set(core->arena, &own, "ended_by", value_text(question->principal));
    value_set(core->arena, &own, "ended_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "reason", *value_get(question->args, "reason"));
    put_state(core, number, "ended", &own, &effects);
    value_set(core->arena, &effects, "", own);
    return run_leaf(core, "proposal.ended", proposal_key(core, number), slice_of(NULL, 0), &author,
                    question->args, &effects) < 0
               ? -1
               : 0;
}

/* ---- told ---- */

static bool ends_in(struct slice text, const char *end)
{
    size_t len = strlen(end);

    return text.len > len && memcmp(text.at + text.len - len, end, len) == 0;
}

void proposal_reply(struct arena *arena, const struct leaf *leaf, struct value *out)
{
    const struct value *own = value_get(&leaf->effects, "");

    if (ends_in(leaf->type, ".proposed")) {
        value_set(arena, out, "outcome", value_str("proposed"));
        value_set(arena, out, "proposal", *value_get(own, "n"));
        value_set(arena, out, "says", value_text(value_get_text(own, "says")));
    } else if (slice_is(leaf->type, "directory.installed") ||
               slice_is(leaf->type, "pack.installed") ||
               slice_is(leaf->type, "break_glass.agreed")) {
        value_set(arena, out, "outcome",
                  value_str(slice_is(leaf->type, "break_glass.agreed") ? "agreed" : "installed"));
        if (value_get_int(own, "proposal", 0) > 0)
            value_set(arena, out, "proposal", *value_get(own, "proposal"));
        if (value_get_bool(own, "alone", false))
            value_set(arena, out, "alone", value_bool(true));
    }
}
