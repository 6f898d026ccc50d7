/* A worker in C, by librota. Build and start it with
 *     cc greeter.c $(pkg-config --cflags --libs rota) -o greeter
 * and from the organisation's directory, as a worker that may serve the service (here the sample's):
 *     ./greeter ipc://run/front audit.collect keys/collector.key keys/engine.pub
 */
#include <rota.h>
#include <stdio.h>

static int greet(void *self, struct rota_task *task)
{
    (void)self;
    rota_put_text(rota_task_output(task), "/greeting",
                  rota_text(rota_task_input(task), "/name", "stranger"));
    return 200;
}

static void print_line(void *self, enum rota_log_level level, const char *text)
{
    (void)self;
    (void)level;
    fprintf(stderr, "%s\n", text);
}

int main(int argc, char **argv)
{
    struct rota_options options = {.name = "greeter", .log = print_line};
    struct rota_worker *worker = NULL;
    struct rota_error err = {0, "", ""};
    const char *service = argc > 2 ? argv[2] : "demo.greet";
    int status = 1;

    options.endpoint = argc > 1 ? argv[1] : "ipc://run/front";
    if (argc > 4) {
        options.key_file = argv[3];
        options.engine_key_file = argv[4];
    }
    if (rota_worker_open(&options, &worker, &err) == 0 &&
        rota_worker_stop_on_signals(worker, &err) == 0 &&
        rota_worker_serve(worker, service, 1, greet, NULL, &err) == 0 &&
        rota_worker_run(worker, &err) == 0)
        status = 0;
    else
        fprintf(stderr, "%s\n", err.text);
    rota_worker_close(&worker);
    return status;
}
