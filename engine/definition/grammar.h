/* grammar.h - the groups of the workflow language as they are written: what the tables of grammar.c fill.
 * build.c turns them into the model. */
#ifndef ROTA_DEFINITION_GRAMMAR_H
#define ROTA_DEFINITION_GRAMMAR_H

#include "definition/option.h"

enum { FLAG_UNSET = -1 };

struct written_state {
    struct state state;
    const char *stage, *pdca;
    int closed; /* FLAG_UNSET or 0 or 1 */
};

struct written_notice {
    struct words to;
    const char *message;
    struct where where;
};

struct written_notices {
    struct written_notice *at;
    int count;
};

struct written_task {
    struct task_plan plan;
    struct settings input;
};

struct written_tasks {
    struct written_task *at;
    int count;
};

struct written_transition {
    const char *event, *title;
    struct words from;
    const char *to;
    struct words by, apart;
    const char *apart_rule;
    struct expr *when;
    const char *says;
    bool reason;
    const char *meaning, *statement;
    const char *opens, *vote;
    bool automatic, supersedes, makes_successor, drops_successor, reviewed, erases;
    int needs_fields; /* FLAG_UNSET or 0 or 1 */
    struct settings set;
    struct written_tasks tasks;
    struct written_notices tell;
    const char *message;
    struct where where;
};

struct written_moment { /* "30 days", or "80 %" of the way */
    struct span span;
    int percent;
};

struct written_step {
    struct written_moment after;
    const char *event;
    struct words tell;
    const char *message;
    struct where where;
};

struct written_steps {
    struct written_step *at;
    int count;
};

struct written_timer {
    const char *name;
    struct words in;
    const char *from, *until;
    struct span every;
    struct written_steps steps;
    struct where where;
};

struct written_lifecycle {
    const char *name, *title, *ends_with;
    bool versioned;
    const config_setting_t *states, *transitions,
        *timers; /* read once for each kind that uses it */
    struct where where;
};

struct written_stage {
    struct approval_stage stage;
    const config_setting_t *need, *weights;
    const char *closing;
    struct words after;
    int majority, one_refuse_ends; /* FLAG_UNSET or 0 or 1 */
};

struct written_approval {
    struct approval approval;
    struct written_stage whole; /* the short form: an approval that is one stage */
    const config_setting_t *stages;
    const char *on_expiry, *on_tie;
    bool is_there;
};

struct written_field {
    struct field field;
    const char *type;
};

struct written_fields {
    struct written_field *at;
    int count;
};

struct written_kind {
    struct kind kind;
    const char *lifecycle;
    struct written_approval approval;
    struct written_fields fields;
    const config_setting_t *needs, *on, *timers;
    struct where where;
};

struct written_signal {
    struct expr *to;
    const char *event;
};

struct written_rule {
    const char *name,
        *when;            /* one kind.event: a rule that watches several is one of these for each */
    struct words watched; /* all of them, as written */
    struct expr *condition, *each, *title, *once;
    const char *starts;
    struct written_signal signal;
    struct settings set, due;
    struct words tell;
    const char *message, *gate;
    struct where where;
};

struct written_kpis {
    struct kpi *at;
    int count;
};

struct written_process {
    struct process process;
    const char *phase;
    struct written_kpis kpis;
};

struct written_retention {
    struct retention retention;
    const char *from;
};

/* Everything that was written, in the order in which it was read. */
struct written_pack {
    const char *name, *version, *timezone;
    struct where where; /* of the group `pack` */
    struct words migrate_by;
    const char *migrate_meaning;
    bool has_pack, has_calendar;
    struct words working, holidays;
    struct written_lifecycle *lifecycles;
    int lifecycle_count;
    struct written_kind *kinds;
    int kind_count;
    struct written_rule *rules;
    int rule_count;
    struct written_process *processes;
    int process_count;
    struct role *roles;
    int role_count;
    struct message *messages;
    int message_count;
    struct meaning *meanings;
    int meaning_count;
    struct written_retention *retention;
    int retention_count;
    struct separation *separation;
    int separation_count;
};

/* Reads the top level of one file into `written`. */
void grammar_read(struct reader *reader, const config_setting_t *root,
                  struct written_pack *written);

/* Parts that are read again for each kind. */
struct written_state grammar_state(struct reader *reader, const config_setting_t *setting);
struct written_transition grammar_transition(struct reader *reader,
                                             const config_setting_t *setting);
void grammar_change(struct reader *reader, const config_setting_t *setting,
                    struct written_transition *row); /* an `on` over the lifecycle's row */
struct written_timer grammar_timer(struct reader *reader, const config_setting_t *setting);
struct written_stage grammar_stage(struct reader *reader, const config_setting_t *setting);
struct need grammar_need(struct reader *reader, const config_setting_t *setting);

void grammar_reference(struct buf *out);

#endif
