/* proof.h - does what the journal says was approved rest on approvals? Not only are signatures right: the votes that a
 * round counts were given, by those who were asked or by somebody whom they put in their place, are enough by what was
 * settled when it opened, and were given on the content that then came in force; and no record came anywhere in its life
 * except by a way that its definition knows.
 *
 * Rules are taken from the pack's own files (definition.h), facts from leaves and the fold. What is wrong is said with
 * the entry, the record, and what it means:
 *
 *   PACK_UNREAD       the definition of a record cannot be read, so its approvals cannot be proven
 *   MOVE_UNKNOWN      a record came into a state by no way that its definition knows
 *   APPROVAL_MISSING  a record went on as if it were approved, and no round of it was granted
 *   CONTENT_CHANGED   what was approved is not what stands there
 *   RECORD_DIGEST     the digest that a record stands with is not that of its content
 *   ROUND_OPENED      a round was opened otherwise than its definition says
 *   ROUND_DIGEST      a round is not about what the record holds
 *   ROUND_CHANGED     what was settled when a round opened was changed afterwards
 *   ROUND_COUNT       a round is said to be granted, and its votes are not enough
 *   VOTE_UNCAST       a round counts a vote that its entry does not cast
 *   VOTE_DROPPED      a round does not count a vote that was cast
 *   VOTE_TWICE        one person, or one key, votes twice in a round
 *   VOTE_UNASKED      somebody votes whom the round does not ask
 *   VOTE_APART        somebody votes whom the approval keeps apart, or whose rights had ended
 *   MOVE_APART        somebody makes an event happen, or is named for it, whom a rule of separation keeps apart from it
 *   VOTE_PLACE        a vote is in the place of somebody who did not delegate it (places.h)
 *   DELEGATION        a delegation is not what its giver signed (places.h)
 *   MOVE_BY           a signed event that is no vote, or a migration, is by the engine, or by somebody whom the definition does not
 *                     let make it
 *   ERASED            a text or file is erased, and no event of the record that it belonged to erases it
 *   DECISION_MEANING  a decision does not carry the meaning that its definition demands
 */
#ifndef ROTA_VERIFY_PROOF_H
#define ROTA_VERIFY_PROOF_H

#include "actor.h"
#include "definition.h"
#include "leaf.h"

enum { PROOF_NAME = 64 };

struct proof_change { /* what a leaf does to one row; judged when all of the leaf is folded */
    const struct table_entry *entry;
    struct bytes patch;
    bool was_there, moves, sets_valid, is_edited, opens_round, grants_round;
    bool goes_home;         /* back to the definition that it was migrated from */
    char state[PROOF_NAME]; /* before */
};

struct proof_mark {                  /* of a record: the approval that it stands on */
    uint64_t granted, in_force, end; /* seq of the leaves that made it so; 0: none */
    uint64_t migrated, changed;      /* newest, since then: `changed` as its definition allows */
    uint32_t round;                  /* its number; 0: none was granted */
    uint8_t review_len;              /* 0: it was not there */
    uint8_t review[16]; /* next_review_due then, as it is encoded: older journals sign it too */
    uint8_t digest[HASH_LEN]; /* what was granted */
};

struct proof_vote {
    uint64_t seq;
    uint8_t key[HASH_LEN];
    bool is_signed; /* and the signature was proven */
};

struct proof_votes {       /* of a round */
    struct proof_vote *at; /* owned */
    size_t count, cap;
    uint32_t next_free; /* of one that is free: the next, counted from 1 */
};

struct proof_version {
    const struct table_entry *entry; /* of SCP-0001@2.0 */
    uint32_t before;                 /* the one that came before, counted from 1; 0: none */
};

struct proof {
    struct report *report;            /* borrowed */
    struct table *rows;               /* borrowed; of the fold */
    const struct actor_check *actors; /* borrowed */
    struct definitions definitions;
    struct proof_mark *marks; /* owned; of records, by table_entry.mark */
    size_t mark_count, mark_cap;
    struct proof_votes *votes; /* owned; of rounds, by table_entry.mark */
    size_t votes_count, votes_cap;
    uint32_t free_votes; /* the first that is free, counted from 1; 0: none */
    const struct leaf *leaf;
    uint64_t seq;
    bool is_vote;
    struct bytes round_row;       /* of a vote */
    enum vote vote;               /* what the leaf casts, as the definition says */
    struct proof_change *changes; /* owned */
    size_t change_count, change_cap;
    struct buf scratch;
    const struct table_entry **people; /* owned; person/NAME, all that were ever there */
    size_t people_count, people_cap;
    struct table
        versions; /* of documents: SCP-0001, its mark the newest of its versions, counted from 1 */
    struct proof_version *version_at; /* owned */
    size_t version_count, version_cap;
    struct table disposals; /* of records: revision is 1 + the seq of the event that erased, last */
    bool keeps_votes;       /* also of rounds that are over */
    bool has_pack;          /* there is a definition at all */
    bool looks_back;        /* a word is asked for a rule of separation */
    const struct kind
        *named_kind; /* of an event that brings fields: its needs are asked when it is folded */
    const struct kind_row *named_row;
    int word_depth;                 /* WORD@KIND inside WORD@KIND */
    const struct kind *recent_kind; /* the last that was asked for */
    uint64_t unproven_asks;         /* people asked by words that are not followed here */
};

void proof_init(struct proof *proof, struct report *report, struct table *rows,
                const struct actor_check *actors, struct db *db);
void proof_release(struct proof *proof);

/* Before a leaf is folded, for each row that it changes, and when it is folded. */
void proof_begin(struct proof *proof, const struct leaf *leaf, uint64_t seq);
void proof_row(void *proof, const struct table_entry *entry, struct bytes patch);
void proof_end(struct proof *proof);

/* After the last leaf. */
void proof_conclude(struct proof *proof);

/* ---- shared by its parts ---- */

#define PROOF_ERROR(proof, code, ...)                                                              \
    report_error((proof)->report, (code), (int64_t)(proof)->seq, __VA_ARGS__)

struct proof_facts {                /* of a record's row, read in one pass */
    struct bytes kind, state, pack; /* the pack as it is encoded */
    bool is_valid;
};

struct proof_facts proof_facts(struct bytes row);

/* The kind that a record's row names, in the pack that it names. NULL: reported, or there is no pack at all. */
const struct kind *proof_kind(struct proof *proof, struct bytes record, struct bytes row);
const struct kind *proof_kind_of(struct proof *proof, struct bytes record,
                                 const struct proof_facts *facts);

/* The definition that counts now. NULL: there is none, or it cannot be read. */
const struct definition *proof_current(struct proof *proof);

/* The row under a key of the fold; of no length: there is none. */
struct bytes proof_find(const struct proof *proof, struct bytes key);

/* The versions of a document that ever were, the newest first, counted from 1: 0 ends them. */
uint32_t proof_versions(const struct proof *proof, struct bytes document);

/* The mark of a record; empty if there is none. */
struct proof_mark proof_mark(const struct proof *proof, struct bytes record);
void proof_set_mark(struct proof *proof, struct bytes record, const struct proof_mark *mark);

/* The votes of a round that were given so far. Lent until the next are made. `make`: made if there are none; else NULL. */
struct proof_votes *proof_votes(struct proof *proof, struct bytes round, bool make);
void proof_drop_votes(struct proof *proof, struct bytes round);

/* "SCP-0001@2.0" of ".../round/3"; its number. False: it is no round's key. */
bool proof_round_key(struct bytes key, struct bytes *record, uint64_t *number);

/* The day of the next review in a record's row, as it is encoded; of no length: there is none. */
struct bytes proof_review(struct bytes row);

/* Is this the digest of what the record holds: of its title and the fields that its kind does not leave out? The engine of
 * former days took the day of the next review for content; `review` is that day as it was signed then. */
bool proof_is_content(struct proof *proof, struct bytes record, struct bytes row,
                      const struct kind *kind, struct bytes digest, struct bytes review);

static inline int64_t proof_now_ms(const struct proof *proof)
{
    return (int64_t)(proof->leaf->time_us / 1000);
}

/* "approve" of "record.approve"; of no length: another type. */
struct bytes proof_event(const struct leaf *leaf);

/* The row of the definition that answers this leaf's event, for a record in a state. NULL: none. */
const struct kind_row *proof_transition(const struct proof *proof, const struct kind *kind,
                                        struct bytes state);

/* A new change of a row, to be judged when the leaf is folded. Lent until the next. */
struct proof_change *proof_add(struct proof *proof, const struct table_entry *entry,
                               struct bytes patch);

/* ---- rounds.c ---- */

void rounds_vote(struct proof *proof);  /* a leaf that casts a vote, before it is folded */
void rounds_voted(struct proof *proof); /* and afterwards */
void rounds_row(struct proof *proof, const struct table_entry *entry, struct bytes patch);
void rounds_opened(struct proof *proof, const struct proof_change *change);
void rounds_granted(struct proof *proof, const struct proof_change *change);

/* ---- moves.c ---- */

void moves_row(struct proof *proof, const struct table_entry *entry, struct bytes patch);
void moves_made(struct proof *proof, const struct proof_change *change);
void moves_conclude(struct proof *proof);

/* ---- people.c ---- */

/* Does a word of the pack mean this person, for this record as it stands in the fold? Sets *is_known to false if it is one that
 * is not followed here (and then says true). */
bool people_mean(struct proof *proof, const struct kind *kind, struct bytes record,
                 const char *word, struct bytes name, bool *is_known);

/* The same for a rule of separation: whoever was owner once counts as owner. */
bool people_keep_apart(struct proof *proof, const struct kind *kind, struct bytes record,
                       const char *word, struct bytes name, bool *is_known);

/* The first word of a list that means them; NULL: none that is followed here. */
const char *people_word(struct proof *proof, const struct kind *kind, struct bytes record,
                        words list, struct bytes name);

/* Has top management freed them from this rule, over just this content, and not taken it back? That it has signed so is checked
 * where waivers are (waiver.h). */
bool people_are_freed(const struct proof *proof, struct bytes record, struct bytes digest,
                      const char *rule, struct bytes name);

/* ---- rights.c ---- */

/* Is what is signed, and no vote, by somebody who may; is what is erased erased by such an event: before the leaf is folded. */
void rights_event(struct proof *proof);

/* ---- apart.c ---- */

/* Who makes an event that is no vote happen to a record, or is named for it, is not kept apart from it, or was freed: asked
 * before the leaf is folded. */
void apart_event(struct proof *proof);
void apart_folded(struct proof *proof); /* and afterwards, where the event brings fields */

#endif
