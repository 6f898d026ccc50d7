/* error.h - the machine failed, or its input could not be read: one sentence for a person.
 *
 * A function that can fail returns 0 or -1 and fills the error through its last parameter. Results
 * given through parameters are untouched after an error. `err` may be NULL where nobody will read it.
 */
#ifndef ROTA_BASE_ERROR_H
#define ROTA_BASE_ERROR_H

enum { ERROR_TEXT_MAX = 512 };

enum error_class {
    ERROR_NONE,
    ERROR_INPUT,   /* malformed bytes or text from outside */
    ERROR_IO,      /* the operating system or the disk said no */
    ERROR_FULL,    /* no space; may pass */
    ERROR_DAMAGED, /* stored data is not what was stored */
    ERROR_STALE,   /* it is whole, but not the newest that there was */
    ERROR_BUSY,    /* somebody else holds it */
    ERROR_MEMORY
};

struct error {
    enum error_class class;
    char text[ERROR_TEXT_MAX];
};

/* Fills `err` and returns -1, so that a caller can write `return error_set (...)`. */
int error_set(struct error *err, enum error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before what `err` says and returns -1. */
int error_add(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
