#include "wire/service_name.h"

static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool service_name_is_valid(struct slice name)
{
    bool after_dot = false;

    if (name.len == 0 || name.len > SERVICE_NAME_MAX || name.at[0] < 'a' || name.at[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '.') {
            if (after_dot)
                return false;
            after_dot = true;
        } else if (!is_word_byte(name.at[i])) {
            return false;
        } else {
            after_dot = false;
        }
    }
    return !after_dot;
}

bool service_name_is_reserved(struct slice name)
{
    return slice_starts(name, "mmi.") || slice_starts(name, "rota.") ||
           slice_starts(name, "titanic.");
}
