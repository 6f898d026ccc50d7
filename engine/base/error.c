#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, enum error_class class, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    err->class = class;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

int error_add(struct error *err, const char *format, ...)
{
    char said[ERROR_TEXT_MAX];
    size_t used;
    va_list args;

    if (err == NULL)
        return -1;
    memcpy(said, err->text, sizeof said);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", said);
    return -1;
}
