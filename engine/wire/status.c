#include "wire/status.h"

static const struct status TABLE[] = {
    {200, "ok", "Done."},
    {202, "accepted", "Accepted; the outcome follows later."},
    {400, "malformed", "The message cannot be read."},
    {400, "unknown-key", "The command contains a key that this engine does not know."},
    {401, "no-principal", "Nobody is known under this key."},
    {403, "not-allowed", "You may not do this."},
    {403, "separation-of-duties", "Somebody else must do this: you took part in it."},
    {404, "no-record", "There is no such record."},
    {404, "no-service", "There is no such service."},
    {405, "unknown-command", "There is no such command here."},
    {409, "revision-mismatch", "The record has changed since you read it."},
    {409, "wrong-state", "The record's state does not allow this."},
    {409, "id-reused", "This command id was used for something else."},
    {409, "stale-content", "What you decide on is not what the record holds now."},
    {409, "stale-rules", "The directory or the definitions are not those you signed under."},
    {409, "beyond-end", "The journal has not so many entries."},
    {410, "lease-lost", "The task is no longer yours."},
    {413, "too-large", "The message is too large or nested too deep."},
    {422, "guard-failed", "A condition of the workflow does not hold."},
    {422, "role-unheld", "Nobody holds the role that must act."},
    {426, "version", "This engine does not speak that version."},
    {429, "slow-down", "Too many commands of yours wait for an answer."},
    {500, "internal", "The engine failed at this."},
    {501, "not-implemented", "The engine does not offer this."},
    {503, "journal-unavailable", "The journal takes no entries now."},
    {503, "draining", "The engine is stopping."},
    {504, "deadline-passed", "The deadline of the command has passed."},
};

enum { TABLE_LEN = sizeof TABLE / sizeof TABLE[0] };

const struct status *status_of_code(struct slice code)
{
    for (size_t i = 0; i < TABLE_LEN; i++) {
        if (slice_is(code, TABLE[i].code))
            return &TABLE[i];
    }
    return NULL;
}

const struct status *status_of_number(int number)
{
    for (size_t i = 0; i < TABLE_LEN; i++) {
        if (TABLE[i].number == number)
            return &TABLE[i];
    }
    return NULL;
}

const struct status *status_table(size_t *count)
{
    *count = TABLE_LEN;
    return TABLE;
}
