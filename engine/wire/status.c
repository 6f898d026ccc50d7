#include "wire/status.h"

static const struct status TABLE[] = {
    {200, "ok", "Done.", false},
    {202, "accepted", "Accepted; the outcome follows later.", false},
    {400, "malformed", "The message cannot be read.", false},
    {400, "unknown-key", "The command contains a key that this engine does not know.", false},
    {401, "no-principal", "Nobody is known under this key.", false},
    {403, "not-allowed", "You may not do this.", false},
    {403, "separation-of-duties", "Somebody else must do this: you took part in it.", false},
    {404, "no-record", "There is no such record.", false},
    {404, "no-service", "There is no such service.", false},
    {405, "unknown-command", "There is no such command here.", false},
    {409, "revision-mismatch", "The record has changed since you read it.", false},
    {409, "wrong-state", "The record's state does not allow this.", false},
    {409, "id-reused", "This command id was used for something else.", false},
    {409, "stale-content", "What you decide on is not what the record holds now.", false},
    {409, "stale-rules", "The directory or the definitions are not those you signed under.", false},
    {410, "lease-lost", "The task is no longer yours.", false},
    {413, "too-large", "The message is too large or nested too deep.", false},
    {422, "guard-failed", "A condition of the workflow does not hold.", false},
    {422, "role-unheld", "Nobody holds the role that must act.", false},
    {426, "version", "This engine does not speak that version.", false},
    {429, "slow-down", "Too many commands of yours wait for an answer.", true},
    {500, "internal", "The engine failed at this.", false},
    {501, "not-implemented", "The engine does not offer this.", false},
    {503, "journal-unavailable", "The journal takes no entries now.", true},
    {503, "draining", "The engine is stopping.", true},
    {504, "deadline-passed", "The deadline of the command has passed.", false},
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
