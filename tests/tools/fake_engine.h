/* fake_engine.h - an engine that knows only what a script tells it: for tests of the command line.
 *
 * Listens with CURVE on DIR/run/front and without on DIR/run/admin, prints "ready" and answers Majordomo clients.
 * The script (JSON) maps "query show", "command open", "events", "admin status" to {status, out, code, message, seq};
 * what is not there is answered 404. `silent: n` leaves the first n unanswered, `busy: n` answers the first n with 503,
 * `stale: n` with 409 stale-rules.
 * A command whose id came before is answered with duplicate: true. content.put is answered as the engine
 * does. Each message is written to DIR/seen: its name, and what was in it as a line of JSON.
 */
#ifndef TESTS_TOOLS_FAKE_ENGINE_H
#define TESTS_TOOLS_FAKE_ENGINE_H

/* Serves until it is ended by a signal; an exit status otherwise. */
int fake_engine(const char *dir, const char *script);

#endif
