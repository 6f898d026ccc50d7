/* no_zap.c - preloaded into an engine: its ZAP handler seems to be bound and is not there, as in a build of libzmq, or a
 * change of ours, that forgot it. The engine must notice.
 */
#include <dlfcn.h>
#include <string.h>

int zmq_bind(void *socket, const char *endpoint);
int zmq_setsockopt(void *socket, int option, const void *value, size_t len);

int zmq_bind(void *socket, const char *endpoint)
{
    int (*bind)(void *, const char *) = NULL;

    *(void **)&bind = dlsym(RTLD_NEXT, "zmq_bind");
    return strcmp(endpoint, "inproc://zeromq.zap.01") == 0 ? 0 : bind(socket, endpoint);
}

/* With ZMQ_ZAP_ENFORCE_DOMAIN (93) libzmq itself would refuse everybody: as in a build without it, it is not set. */
int zmq_setsockopt(void *socket, int option, const void *value, size_t len)
{
    int (*set)(void *, int, const void *, size_t) = NULL;

    *(void **)&set = dlsym(RTLD_NEXT, "zmq_setsockopt");
    return option == 93 ? 0 : set(socket, option, value, len);
}
