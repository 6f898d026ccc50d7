/* mdworker - a Majordomo worker as the ZeroMQ Guide has them (MDP 0.1, RFC 7), that knows nothing of this engine:
 *
 *     mdworker ENDPOINT SERVICE [MILLISECONDS-OF-WORK]
 *
 * Echoes each request after its work, silent meanwhile. Prints a line when it begins a task ("task") and when it has
 * answered ("done"). Connects anew when the broker says DISCONNECT or nothing for three heartbeats.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { BEAT_MS = 300, LIVENESS = 3, FRAMES_MAX = 16 };

struct mdworker {
    const char *endpoint, *service;
    int work_ms;
    void *context, *socket;
    int liveness;
    long long beat_ms;
};

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(struct mdworker *worker, char code, const char *service)
{
    zmq_send(worker->socket, "", 0, ZMQ_SNDMORE);
    zmq_send(worker->socket, "MDPW01", 6, ZMQ_SNDMORE);
    zmq_send(worker->socket, &code, 1, service != NULL ? ZMQ_SNDMORE : 0);
    if (service != NULL)
        zmq_send(worker->socket, service, strlen(service), 0);
    worker->beat_ms = now_ms() + BEAT_MS;
}

static void go(struct mdworker *worker)
{
    int linger_ms = 100;

    if (worker->socket != NULL)
        zmq_close(worker->socket);
    worker->socket = zmq_socket(worker->context, ZMQ_DEALER);
    zmq_setsockopt(worker->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_connect(worker->socket, worker->endpoint);
    worker->liveness = LIVENESS;
    say(worker, 1, worker->service);
}

/* From the frame of the client's address on, everything goes back as it came. */
static void echo(struct mdworker *worker, zmq_msg_t *frames, int count)
{
    puts("task");
    poll(NULL, 0, worker->work_ms);
    zmq_send(worker->socket, "", 0, ZMQ_SNDMORE);
    zmq_send(worker->socket, "MDPW01", 6, ZMQ_SNDMORE);
    zmq_send(worker->socket, "\3", 1, ZMQ_SNDMORE);
    for (int i = 3; i < count; i++)
        zmq_msg_send(&frames[i], worker->socket, i < count - 1 ? ZMQ_SNDMORE : 0);
    puts("done");
}

static void hear(struct mdworker *worker)
{
    zmq_msg_t frames[FRAMES_MAX];
    int count = 0, more = 1;
    char code = 0;

    while (more && count < FRAMES_MAX) {
        zmq_msg_init(&frames[count]);
        if (zmq_msg_recv(&frames[count], worker->socket, 0) < 0)
            return;
        more = zmq_msg_more(&frames[count++]);
    }
    if (count >= 3 && zmq_msg_size(&frames[2]) == 1)
        code = *(const char *)zmq_msg_data(&frames[2]);
    worker->liveness = LIVENESS;
    if (code == 2 && count >= 6)
        echo(worker, frames, count);
    for (int i = 0; i < count; i++)
        zmq_msg_close(&frames[i]);
    if (code == 5)
        go(worker);
}

int main(int argc, char **argv)
{
    struct mdworker worker = {0};

    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    worker.endpoint = argv[1];
    worker.service = argv[2];
    worker.work_ms = argc > 3 ? atoi(argv[3]) : 0;
    worker.context = zmq_ctx_new();
    go(&worker);
    for (;;) {
        zmq_pollitem_t item = {worker.socket, 0, ZMQ_POLLIN, 0};

        if (zmq_poll(&item, 1, BEAT_MS) == 1)
            hear(&worker);
        else if (--worker.liveness == 0)
            go(&worker);
        if (now_ms() > worker.beat_ms)
            say(&worker, 4, NULL);
    }
}
