#include "base/check.h"
#include "net/parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLACES_FIRST = 64 };

/* ---- order ---- */

static bool more_urgent(const void *a, const void *b)
{
    const struct task *one = a, *other = b;

    if (one->priority != other->priority)
        return one->priority > other->priority;
    if (one->due_ms != other->due_ms) {
        if (one->due_ms == 0 || other->due_ms == 0)
            return other->due_ms == 0;
        return one->due_ms < other->due_ms;
    }
    return one->id < other->id;
}

static void moved_ready(void *item, ptrdiff_t place)
{
    ((struct task *)item)->ready_at = place;
}

static bool expires_first(const void *a, const void *b)
{
    return ((const struct task *)a)->lease->until_boot_ms <
           ((const struct task *)b)->lease->until_boot_ms;
}

static void moved_expiry(void *item, ptrdiff_t place)
{
    ((struct task *)item)->expiry_at = place;
}

void tasks_open(struct broker *broker)
{
    broker->expiries.before = expires_first;
    broker->expiries.moved = moved_expiry;
}

/* ---- services ---- */

struct service *service_of(struct broker *broker, struct slice name)
{
    struct service *service = map_get(&broker->services_by_name, name);

    if (service != NULL)
        return service;
    check(name.len > 0 && name.len <= SERVICE_NAME_MAX);
    service = calloc(1, sizeof *service);
    check(service != NULL);
    memcpy(service->name, name.at, name.len);
    service->ready.before = more_urgent;
    service->ready.moved = moved_ready;
    service->next = broker->services;
    broker->services = service;
    map_put(&broker->services_by_name, name, service);
    return service;
}

/* ---- tasks in and out of the map and the heaps ---- */

/* Ids follow one another: their low bits spread them evenly. */
static struct task **place_of(const struct broker *broker, int64_t id)
{
    return &broker->places[(uint64_t)id & (broker->place_count - 1)];
}

struct task *task_find(const struct broker *broker, int64_t id)
{
    struct task *task = broker->place_count > 0 ? *place_of(broker, id) : NULL;

    while (task != NULL && task->id != id)
        task = task->next_place;
    return task;
}

static void put_in_place(struct broker *broker, struct task *task)
{
    struct task **place = place_of(broker, task->id);

    task->next_place = *place;
    *place = task;
}

static void grow_places(struct broker *broker)
{
    struct task **before = broker->places;
    size_t count = broker->place_count;

    broker->place_count = count > 0 ? count * 2 : PLACES_FIRST;
    broker->places = calloc(broker->place_count, sizeof *broker->places);
    check(broker->places != NULL);
    for (size_t i = 0; i < count; i++) {
        struct task *task = before[i], *next;

        for (; task != NULL; task = next) {
            next = task->next_place;
            put_in_place(broker, task);
        }
    }
    free(before);
}

static void enter_places(struct broker *broker, struct task *task)
{
    if (broker->task_count == broker->place_count)
        grow_places(broker);
    put_in_place(broker, task);
    broker->task_count++;
}

static void leave_places(struct broker *broker, struct task *task)
{
    struct task **at = place_of(broker, task->id);

    while (*at != task) {
        check(*at != NULL);
        at = &(*at)->next_place;
    }
    *at = task->next_place;
    broker->task_count--;
}

static void note_change(struct broker *broker, enum change_kind kind, struct task *task)
{
    if (broker->change_count == broker->change_cap) {
        broker->change_cap = broker->change_cap > 0 ? broker->change_cap * 2 : 64;
        broker->changes = realloc(broker->changes, broker->change_cap * sizeof *broker->changes);
        check(broker->changes != NULL);
    }
    broker->changes[broker->change_count++] = (struct change){kind, task->state, task};
}

static void enter_ready(struct broker *broker, struct task *task)
{
    check(task->state == TASK_PAST);
    task->state = TASK_READY;
    task->session = NULL;
    task->lost_why = NULL;
    task->is_undelivered = false;
    enter_places(broker, task);
    heap_add(&task->service->ready, task);
}

static void enter_leased(struct broker *broker, struct task *task)
{
    if (task->state == TASK_PAST)
        enter_places(broker, task);
    task->state = TASK_LEASED;
    heap_add(&broker->expiries, task);
    task->service->leased++;
}

static void leave_session(struct broker *broker, struct task *task)
{
    struct session *session = task->session;

    if (session == NULL)
        return;
    if (task->prev_leased != NULL)
        task->prev_leased->next_leased = task->next_leased;
    else
        session->leased = task->next_leased;
    if (task->next_leased != NULL)
        task->next_leased->prev_leased = task->prev_leased;
    task->next_leased = task->prev_leased = NULL;
    task->session = NULL;
    session->running--;
    if (session->running == 0)
        session->seen_ms = broker->boot_ms;
    session_rank(session);
}

/* Out of everything, whatever it is in. */
static void leave(struct broker *broker, struct task *task)
{
    if (task->state == TASK_READY) {
        heap_remove(&task->service->ready, task->ready_at);
    } else {
        check(task->state == TASK_LEASED);
        heap_remove(&broker->expiries, task->expiry_at);
        task->service->leased--;
        leave_session(broker, task);
    }
    leave_places(broker, task);
    task->state = TASK_PAST;
}

static void task_free(struct task *task)
{
    free(task->lease);
    free(task);
}

/* A task that waits has none: there may be very many. */
static struct lease *lease_room(struct task *task)
{
    if (task->lease == NULL)
        task->lease = calloc(1, sizeof *task->lease);
    check(task->lease != NULL);
    return task->lease;
}

/* ---- the owner's side ---- */

static struct task *task_new(struct broker *broker, const struct offer *offer)
{
    struct task *task = calloc(1, sizeof *task);

    check(task != NULL);
    check(service_name_is_valid(slice_str(offer->service)) && offer->attempt >= 1);
    task->id = offer->task;
    task->state = TASK_PAST; /* so far */
    task->attempt = offer->attempt;
    task->priority = offer->priority;
    task->due_ms = offer->due_ms;
    task->service = service_of(broker, slice_str(offer->service));
    task->lease_ms = offer->lease_ms;
    task->max_run_ms = offer->max_run_ms;
    task->ready_at = task->expiry_at = HEAP_NOWHERE;
    return task;
}

void broker_offer(struct broker *broker, const struct offer *offer)
{
    struct task *task = task_find(broker, offer->task);

    if (task != NULL && task->state == TASK_LEASED)
        return;
    if (task != NULL)
        task_end(broker, task);
    task = task_new(broker, offer);
    enter_ready(broker, task);
    note_change(broker, CHANGE_OFFERED, task);
}

const char *broker_holder(const struct broker *broker, int64_t id)
{
    const struct task *task = task_find(broker, id);

    return task != NULL && task->state == TASK_LEASED ? task->lease->principal : NULL;
}

bool broker_withdraw(struct broker *broker, int64_t id)
{
    struct task *task = task_find(broker, id);
    struct session *session = task != NULL ? task->session : NULL;
    bool is_leased = task != NULL && task->state == TASK_LEASED;

    if (task == NULL)
        return false;
    if (session != NULL) {
        /* The worker is still at it: its credit stays taken until it says something, or as long as
         * the lease would have run. */
        session->overdue++;
        session->overdue_until_ms = task->lease->until_boot_ms;
        if (session->is_sdk)
            session_tell(broker, session, &session->cancels, slice_str(task->lease->token));
    }
    task_end(broker, task);
    return is_leased;
}

void broker_hold(struct broker *broker, const struct lease *lease, const struct offer *offer)
{
    struct task *task = task_find(broker, lease->task);

    check(lease->task == offer->task);
    if (task != NULL && task->state == TASK_LEASED)
        return;
    if (task != NULL)
        task_end(broker, task);
    task = task_new(broker, offer);
    *lease_room(task) = *lease;
    task->attempt = lease->attempt;
    if (task->lease->last_boot_ms == 0)
        task->lease->last_boot_ms = INT64_MAX;
    task->lease_span_ms = offer->lease_ms > 0 ? offer->lease_ms : broker->sdk_lease_ms;
    enter_leased(broker, task);
    note_change(broker, CHANGE_OFFERED, task);
}

/* ---- leases ---- */

void task_adopt(struct broker *broker, struct task *task, struct session *session)
{
    check(task->state == TASK_LEASED);
    leave_session(broker, task);
    task->session = session;
    task->prev_leased = NULL;
    task->next_leased = session->leased;
    if (session->leased != NULL)
        session->leased->prev_leased = task;
    session->leased = task;
    session->running++;
    session_rank(session);
}

void task_lease(struct broker *broker, struct task *task, struct session *session,
                const char *token)
{
    struct lease *lease = lease_room(task);
    int64_t span = task->lease_ms;

    check(task->state == TASK_READY);
    lease->task = task->id;
    lease->attempt = task->attempt;
    snprintf(lease->token, sizeof lease->token, "%s", token);
    snprintf(lease->principal, sizeof lease->principal, "%s", session->principal);
    if (span == 0)
        span = session->lease_ms > 0 ? session->lease_ms
               : session->is_sdk     ? broker->sdk_lease_ms
                                     : broker->plain_lease_ms;
    task->lease_span_ms = span;
    lease->last_boot_ms = task->max_run_ms > 0 ? broker->boot_ms + task->max_run_ms : INT64_MAX;
    lease->until_boot_ms = broker->boot_ms + span;
    if (lease->until_boot_ms > lease->last_boot_ms)
        lease->until_boot_ms = lease->last_boot_ms;
    task->is_envelope = session->envelope;
    task->knows_envelope = true;
    task->is_undelivered = false;
    heap_remove(&task->service->ready, task->ready_at);
    enter_leased(broker, task);
    task_adopt(broker, task, session);
    note_change(broker, CHANGE_LEASED, task);
}

void task_renew(struct broker *broker, struct task *task)
{
    int64_t until = broker->boot_ms + task->lease_span_ms;

    if (until > task->lease->last_boot_ms)
        until = task->lease->last_boot_ms;
    if (until <= task->lease->until_boot_ms)
        return;
    task->lease->until_boot_ms = until;
    heap_changed(&broker->expiries, task->expiry_at);
    broker->ops.leased(broker->ops.self, task->lease);
}

void task_end(struct broker *broker, struct task *task)
{
    note_change(broker, CHANGE_ENDED, task);
    leave(broker, task);
}

void task_lost(struct broker *broker, struct task *task, bool counts, const char *why)
{
    check(task->state == TASK_LEASED);
    task->lost_why = why;
    task->lost_counts = counts;
    task_end(broker, task);
    broker->ops.lost(broker->ops.self, task->lease, counts, why);
}

/* ---- the release and its opposite ---- */

void tasks_keep(struct broker *broker)
{
    for (size_t i = 0; i < broker->change_count; i++) {
        if (broker->changes[i].kind == CHANGE_ENDED)
            task_free(broker->changes[i].task);
    }
    broker->change_count = 0;
}

/* A lease that ended comes back without a session: its worker said what it had to say or is gone,
 * and the token is enough to settle it. One that was lost expires at once, so that the owner is
 * told again. */
static void undo_end(struct broker *broker, const struct change *change)
{
    struct task *task = change->task;

    check(task->state == TASK_PAST && task_find(broker, task->id) == NULL);
    if (change->before == TASK_READY) {
        enter_ready(broker, task);
        return;
    }
    if (task->lost_why != NULL)
        task->lease->until_boot_ms = 0;
    enter_leased(broker, task);
}

void tasks_undo(struct broker *broker)
{
    while (broker->change_count > 0) {
        const struct change *change = &broker->changes[--broker->change_count];
        struct task *task = change->task;

        switch (change->kind) {
        case CHANGE_OFFERED:
            leave(broker, task);
            task_free(task);
            break;
        case CHANGE_LEASED:
            leave(broker, task);
            enter_ready(broker, task);
            break;
        case CHANGE_ENDED:
            undo_end(broker, change);
            break;
        }
    }
}

static void free_all(struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        task_free(heap->items[i]);
    heap_release(heap);
}

void tasks_release(struct broker *broker)
{
    struct service *service = broker->services, *next;

    tasks_keep(broker);
    free(broker->changes);
    free_all(&broker->expiries);
    for (; service != NULL; service = next) {
        next = service->next;
        free_all(&service->ready);
        free(service);
    }
    map_release(&broker->services_by_name);
    free(broker->places);
}

void broker_each_service(struct broker *broker, broker_service_fn *each, void *self)
{
    for (struct service *service = broker->services; service != NULL; service = service->next) {
        struct service_fact fact = {service->name, service->workers, (int)service->ready.count,
                                    service->leased};

        each(self, &fact);
    }
}
