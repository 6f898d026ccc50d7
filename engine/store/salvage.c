#include "store/salvage.h"

#include "store/exchange.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int journal_salvage(const char *directory, struct error *err)
{
    const struct exchange *salvage = &exchange_salvage;
    struct lock lock = LOCK_NONE;
    struct error spare;
    int at, rc = -1;

    if (err == NULL)
        err = &spare;
    if (lock_take(&lock, directory, err) != 0)
        return -1;
    at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        error_set(err, ERROR_IO, "%s: %s", directory, strerror(errno));
    else if (exchange_is_marked(at, salvage) ||
             (exchange_copy(at, salvage, SQLITE_FILE_NAME, err) == 0 &&
              exchange_check(directory, salvage, err) == 0 && exchange_mark(at, salvage, err) == 0))
        rc = exchange_swap(at, salvage, err) != 0 || exchange_end(at, salvage, err) != 0 ? -1 : 0;
    if (at >= 0)
        close(at);
    lock_release(&lock);
    return rc;
}
