/* journal_maker.h - small journals for the tests of rota-verify, made through SQLite with an encoder, a tree
 * and a signer of their own, so that no mistake of the verifier can hide in what it is given.
 *
 * The journal that maker_story() writes: it is opened, a directory comes in with amara (who has a signing
 * key) and bo (who has none), amara opens and submits SCP-0001@1.0, grants it in round 1 with her signature,
 * and the engine approves it in the same run. Six leaves, seven state rows, a checkpoint at 3 and at 6.
 */
#ifndef ROTA_TEST_JOURNAL_MAKER_H
#define ROTA_TEST_JOURNAL_MAKER_H

#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes being encoded. Values go in one after the other; the caller sorts the keys of maps. */
struct pack {
    uint8_t at[4096];
    size_t len;
};

void pack_nil(struct pack *pack);
void pack_uint(struct pack *pack, uint64_t number);
void pack_str(struct pack *pack, const char *text);
void pack_bin(struct pack *pack, const void *at, size_t len);
void pack_array(struct pack *pack, unsigned count); /* below 16 */
void pack_map(struct pack *pack, unsigned pairs);   /* below 16 */
void pack_raw(struct pack *pack, const struct pack *other);
void pack_pair(struct pack *pack, const char *key, const char *text);

/* What is wrong with a story although every hash and checkpoint of it is right. */
enum flaw {
    FLAW_NONE,
    FLAW_FORGED,        /* the vote's signature is by another key */
    FLAW_STRIPPED,      /* the vote's signature is missing */
    FLAW_NO_MEANING,    /* so is its meaning, as if it were no decision */
    FLAW_SSHSIG,        /* none: signed through OpenSSH's envelope */
    FLAW_SSHSIG_BARE,   /* says sshsig, but signed without the envelope */
    FLAW_OTHER_KEY,     /* the vote names another key */
    FLAW_OTHER_DIGEST,  /* the vote is about something else than the round */
    FLAW_OTHER_STREAM,  /* the vote stands in bo's stream */
    FLAW_UNCAST_VOTE,   /* the round counts a vote of bo */
    FLAW_PLACE,         /* the round counts amara's vote in bo's place */
    FLAW_PLACE_KEPT,    /* so does the vote's row, and amara did not sign that */
    FLAW_COMMAND_TWICE, /* the command of leaf 1 comes again as leaf 3 */
    FLAW_EFFECT_TWICE,  /* leaf 5 asks for what leaf 4 asked for, in one run */
    FLAW_REV_GAP,
    FLAW_TIME,
    FLAW_CAUSE,
    FLAW_SEQ,
    FLAW_CLOCK,   /* a virtual clock under an origin that does not say so */
    FLAW_VIRTUAL, /* none: a virtual clock under an origin that says so */
    FLAW_LOG_KEY,
    FLAW_OPENED_TYPE,
    FLAW_OPENED_STREAM,
    FLAW_OPENED_ROOTS,
    FLAW_EFFECTS, /* an effect is neither a map nor nil */
    /* From here on the journal goes on, before the submission, as MAKER_SINCE. */
    FLAW_RESTORED,       /* none */
    FLAW_RESTORED_SIZE,  /* from one entry more than there are */
    FLAW_RESTORED_ROOT,  /* from another root */
    FLAW_RESTORED_NAME,  /* from another name */
    FLAW_RESTORED_AGAIN, /* under the name that it has */
    FLAW_RESTORED_CLOCK, /* as if its clock were virtual */
    FLAW_RESTORED_BY,    /* amara says so */
    FLAW_RESTORED_KNOWN, /* what was known is no head */
    FLAW_RESTORED_TYPE,  /* the entry is of another type */
    FLAW_RESTORED_VOTE,  /* amara's vote was signed for the name before */
    /* From here on amara and bo are top management, bo has a key and frees amara from a rule, and her vote says so. */
    FLAW_WAIVED,         /* none */
    FLAW_WAIVER_BARE,    /* the waiver's signature is missing */
    FLAW_WAIVER_FORGED,  /* it is by amara's key */
    FLAW_WAIVER_MEANING, /* it was signed as something else */
    FLAW_WAIVER_KEYLESS, /* bo has no key after all */
    FLAW_WAIVER_ROLE,    /* bo is not of top management */
    FLAW_WAIVER_SELF,    /* amara signs it herself */
    FLAW_WAIVER_DIGEST,  /* it is about another text */
    FLAW_WAIVER_ROW,     /* its row names another rule than was signed */
    FLAW_WAIVER_TEXT,    /* it has no compensating check */
    FLAW_WAIVER_MADE,    /* its row comes with the submission, and nobody signed it */
    FLAW_WAIVER_OTHER,   /* it frees cleo */
    FLAW_WAIVER_NUMBER,  /* the vote names the second one, which is not there */
    FLAW_WAIVER_MUTE,    /* none: the vote rests on no waiver */
    /* From here on the journal has two root keys, and amara's key comes by key.enrolled as leaf 2. */
    FLAW_ROOTED,          /* none */
    FLAW_ONE_ROOT,        /* one root endorses it, twice */
    FLAW_STRANGER,        /* bo's key is entered as hers, endorsed by itself, and signs the vote */
    FLAW_ROOT_FORGED,     /* bo's key signs in a root's name */
    FLAW_OTHER_SERIAL,    /* the endorsements are for a later change of hers */
    FLAW_OTHER_LOG,       /* the endorsements are for another log */
    FLAW_BACKDATED,       /* it is entered after the vote */
    FLAW_ROOTED_STRIPPED, /* the vote's signature is missing */
    FLAW_REVOKED,         /* it is revoked before the vote */
    FLAW_REVIVED,         /* so, and the old enrolment is entered again */
    FLAW_DIRECTORY_KEY,   /* what the entry does is to give her bo's key */
};

#define MAKER_SINCE "rota.test/journal/since-1"

struct maker {
    char dir[64], path[96];
    sqlite3 *db;
    enum flaw flaw;
    const char *origin;
    uint64_t count;
    uint8_t hashes[64][32];
    EVP_PKEY *log_key, *witness_key, *amara_key, *bo_key, *root_keys[2];
    unsigned shift; /* leaves that come in between because the story is rooted */
    char vkey[256], witness_vkey[256];
    const char *origin_before; /* of a story that is restored */
    char vkey_before[256];
};

/* Make a temporary directory with an empty journal in it. */
void maker_begin(struct maker *maker, const char *origin);

/* Write the whole story, with a flaw. */
void maker_story(struct maker *maker, enum flaw flaw);

/* Write a leaf as it is, and a checkpoint over all leaves so far. */
void maker_leaf(struct maker *maker, const void *at, size_t len);
void maker_checkpoint(struct maker *maker);

/* The checkpoint over the first leaves; and a witness's line under it. */
void maker_note(const struct maker *maker, uint64_t size, char out[1024]);
void maker_cosign(struct maker *maker, uint64_t size, uint64_t time);

/* The root over the first leaves, by the definition of RFC 6962. */
void maker_root(const struct maker *maker, uint64_t size, uint8_t out[32]);

/* Do with the tables what their triggers forbid, and put the triggers back. */
void maker_tamper(struct maker *maker, const char *sql);
void maker_sql(struct maker *maker, const char *sql);

/* Close and remove everything. With ROTA_KEEP_JOURNALS=DIR the journal is moved there, for other auditors. */
void maker_end(struct maker *maker);

#endif
