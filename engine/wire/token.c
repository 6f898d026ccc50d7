#include "wire/token.h"

#include "base/check.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>

void token_format(char out[TOKEN_MAX + 1], int64_t task, int attempt,
                  const uint8_t nonce[TOKEN_NONCE_LEN])
{
    char digits[2 * TOKEN_NONCE_LEN + 1];
    int len;

    check(task >= 0 && attempt >= 1 && attempt <= TOKEN_ATTEMPT_MAX);
    hex_encode(slice_of(nonce, TOKEN_NONCE_LEN), digits);
    len = snprintf(out, TOKEN_MAX + 1, "T1.%" PRId64 ".%d.%s", task, attempt, digits);
    check(len > 0 && len <= TOKEN_MAX);
}

/* A decimal number without leading zeros, then a dot. */
static int read_number(struct slice text, size_t *at, int64_t limit, int64_t *out)
{
    size_t start = *at;
    int64_t number = 0;

    for (; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; (*at)++) {
        int digit = text.at[*at] - '0';

        if (number > (limit - digit) / 10)
            return -1;
        number = number * 10 + digit;
    }
    if (*at == start || *at >= text.len || text.at[*at] != '.')
        return -1;
    if (text.at[start] == '0' && *at - start > 1)
        return -1;
    (*at)++;
    *out = number;
    return 0;
}

int token_parse(struct slice text, int64_t *task, int *attempt)
{
    int64_t task_read = 0, attempt_read = 0;
    size_t at = 3;

    if (text.len > TOKEN_MAX || !slice_starts(text, "T1."))
        return -1;
    if (read_number(text, &at, INT64_MAX, &task_read) != 0 ||
        read_number(text, &at, TOKEN_ATTEMPT_MAX, &attempt_read) != 0 || attempt_read == 0)
        return -1;
    if (text.len - at != 2 * TOKEN_NONCE_LEN)
        return -1;
    for (; at < text.len; at++) {
        uint8_t c = text.at[at];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return -1;
    }
    if (task != NULL)
        *task = task_read;
    if (attempt != NULL)
        *attempt = (int)attempt_read;
    return 0;
}
