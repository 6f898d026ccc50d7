#include "communication/deliver.h"

#include <stdlib.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int delivery_open(const struct program *program, struct delivery *out, struct error *err)
{
    *out = (struct delivery){.program = program};
    out->webhook.ca_file = program_text(program, "webhook_ca_file", NULL);
    out->webhook.timeout_s = (long)program_int(program, "webhook_timeout_s", 0);
    return courier_open(program, &out->courier, err);
}

void delivery_release(struct delivery *delivery)
{
    courier_release(&delivery->courier);
}

/* ---- channels ---- */

struct order {
    struct delivery *delivery;
    const struct rota_value *input;
    const char *key;
    struct buf id; /* of what was sent */
};

static enum post_outcome by_mail(struct order *order, bool is_inbox, struct post_report *report)
{
    const struct rota_value *input = order->input;
    struct buf text = BUF_EMPTY;
    struct letter letter = {.person = rota_text(input, "/person", ""),
                            .name = rota_text(input, "/name", ""),
                            .address = rota_text(input, "/address", ""),
                            .is_inbox = is_inbox,
                            .subject = rota_text(input, "/subject", ""),
                            .key = order->key,
                            .record = rota_text(input, "/record", "")};
    const struct courier *courier = &order->delivery->courier;
    enum post_outcome outcome = courier_text(courier, rota_at(input, "/text"), &text, report);

    if (outcome == POST_DONE) {
        courier_add_head(courier, &text, rota_at(input, "/head"));
        letter.text = buf_text(&text);
        outcome = courier_send(courier, &letter, &order->id, report);
    }
    buf_release(&text);
    return outcome;
}

static enum post_outcome by_email(struct order *order, struct post_report *report)
{
    return by_mail(order, false, report);
}

static enum post_outcome by_inbox(struct order *order, struct post_report *report)
{
    return by_mail(order, true, report);
}

/* https anywhere, unless `webhooks` lists what is allowed; plain http only if it is listed. */
static bool is_allowed(const struct program *program, const char *url)
{
    const char *prefix;

    if (!program_has(program, "webhooks"))
        return webhook_is_allowed(url, "https://");
    for (int i = 0; (prefix = program_item(program, "webhooks", i)) != NULL; i++) {
        if (webhook_is_allowed(url, prefix))
            return true;
    }
    return false;
}

static enum post_outcome by_webhook(struct order *order, struct post_report *report)
{
    const char *url = rota_text(order->input, "/address", "");
    enum post_outcome outcome;
    char *json;

    if (!is_allowed(order->delivery->program, url))
        return post_report_set(report, POST_CANNOT, "address-not-allowed",
                               "the configuration does not allow that address");
    json = rota_json(order->input);
    outcome = webhook_post(&order->delivery->webhook, url, order->key, slice_of(json, strlen(json)),
                           report);
    free(json);
    if (outcome == POST_DONE)
        buf_add_str(&order->id, order->key);
    return outcome;
}

static const struct channel {
    const char *name;
    enum post_outcome (*send)(struct order *order, struct post_report *report);
} CHANNELS[] = {
    {"email", by_email},
    {"inbox", by_inbox},
    {"webhook", by_webhook},
};

static const struct channel *channel_of(const char *name)
{
    for (size_t i = 0; i < sizeof CHANNELS / sizeof CHANNELS[0]; i++) {
        if (strcmp(name, CHANNELS[i].name) == 0)
            return &CHANNELS[i];
    }
    return NULL;
}

int delivery_make(struct delivery *delivery, const struct rota_value *input, const char *key,
                  struct rota_doc *output, struct post_report *report)
{
    const char *name = rota_text(input, "/channel", "email");
    const struct channel *channel = channel_of(name);
    struct order order = {.delivery = delivery, .input = input, .key = key};

    if (channel == NULL)
        post_report_set(report, POST_CANNOT, "no-channel", "no program delivers by %.40s", name);
    else
        channel->send(&order, report);
    if (report->outcome == POST_DONE) {
        rota_put_text(output, "/id", buf_text(&order.id));
        rota_put_int(output, "/at", now_ms());
    }
    buf_release(&order.id);
    return post_report_status(report);
}

int delivery_run(void *self, struct rota_task *task)
{
    struct delivery *delivery = self;
    const struct rota_facts *facts = rota_task_facts(task);
    const struct rota_value *input = rota_task_input(task);
    const char *key = facts->key[0] != '\0' ? facts->key : facts->token;
    struct post_report report = {POST_DONE, "", ""};
    int status = delivery_make(delivery, input, key, rota_task_output(task), &report);

    if (status == 200) {
        program_say(delivery->program, ROTA_LOG_INFO, "task %lld: %s told about %s",
                    (long long)facts->task,
                    rota_text(input, "/person", rota_text(input, "/address", "")), facts->record);
        return status;
    }
    rota_task_say(task, report.code, report.text);
    if (report.outcome == POST_BUSY)
        rota_task_retry_after(task, POST_BUSY_MS);
    program_say(delivery->program, ROTA_LOG_WARNING, "task %lld attempt %d: %d %s: %s",
                (long long)facts->task, facts->attempt, status, report.code, report.text);
    return status;
}
