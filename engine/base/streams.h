/* streams.h - standard input, output and error are there, whatever the parent closed.
 *
 * Without it the next file that a program opens becomes its standard output, and what it says goes into that file: a lock, a
 * pipe, a journal.
 */
#ifndef ROTA_BASE_STREAMS_H
#define ROTA_BASE_STREAMS_H

/* The first thing in main(). What was closed is there afterwards and fails as before: nothing can be read from it, or
 * written to it. */
void streams_keep(void);

#endif
