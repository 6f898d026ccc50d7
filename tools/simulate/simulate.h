/* simulate.h - a scenario is lived through: the engine's core in virtual time, people who are away, programs that fail.
 *
 *   1. The same scenario with the same seed gives the same events, tallies and leaves, byte for byte.
 *   2. While years pass it is checked, by means of its own, that a document that was valid stays so until it is withdrawn
 *      and never twice over, that nothing is put in force unsigned, that no gate is passed before what it waits for is
 *      closed, and that every timer fires at its moment; at the end, that what is stored equals the fold of the journal.
 *      A breach ends the simulation with the seed and the moment.
 */
#ifndef ROTA_SIMULATE_SIMULATE_H
#define ROTA_SIMULATE_SIMULATE_H

#include "simulate/scenario.h"
#include "simulate/tally.h"

enum happened { /* what a line of the account is about */
                HAPPENED_OPENED,
                HAPPENED_EVENT,
                HAPPENED_REVIEW,
                HAPPENED_VOTE,
                HAPPENED_EDIT,
                HAPPENED_ACK,
                HAPPENED_REMINDER,
                HAPPENED_ESCALATION,
                HAPPENED_OVERDUE,
                HAPPENED_REFUSAL,
                HAPPENED_TASK,
                HAPPENED_PEOPLE,
                HAPPENED_GATE
};
const char *happened_name(enum happened what); /* "opened", "reminder" ... */

struct sim_event { /* lent for the call */
    int64_t at_ms;
    char day[16], time[8]; /* "2027-02-03 Wed", "09:14", where the organisation lives */
    enum happened what;
    const char *record, *title; /* or "" */
    const char *who;            /* who did it, or those who are told; "engine" */
    const char *text;           /* a sentence without who and record */
};

struct simulation;

struct simulation_view { /* who looks on; each may be NULL */
    void *self;
    void (*event)(void *self, const struct sim_event *event);
    void (*day)(void *self, int32_t day, const struct simulation *simulation); /* each begins */
};

/* Runs it to its end. 0 and the tally (tally_release()); -1 with what was wrong: an opening that was refused, or a
 * breach. The scenario's pack is taken. */
int simulate(struct scenario *scenario, const struct simulation_view *view, struct tally *tally,
             struct error *err);

uint64_t simulation_leaves(const struct simulation *simulation);

#endif
