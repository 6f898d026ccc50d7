#include "base/streams.h"

#include <fcntl.h>
#include <unistd.h>

/* open() gives the lowest number that is free, so from the lowest up each takes its own. The other way round as it is used,
 * so that a write to a closed output is still an error. */
void streams_keep(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return;
}
