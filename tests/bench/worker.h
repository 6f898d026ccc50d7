/* worker.h - the external worker of the bench: a process of its own that answers each task at once. */
#ifndef ROTA_BENCH_WORKER_H
#define ROTA_BENCH_WORKER_H

/* Serves `service` of the server in `directory` with that status until it is killed. `mode`: "curve" or the name of a
 * socket without CURVE. Speaks MDP 0.1 with READY options, so that one process may have many tasks at once. */
int worker_main(const char *directory, const char *service, const char *status, const char *mode);

#endif
