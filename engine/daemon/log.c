#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static int least = LOG_LEVEL_INFO;

void log_set_level(int level)
{
    least = level;
}

void log_line(int level, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char text[1024], when[32];
    struct timespec now;
    struct tm parts;
    va_list args;

    if (level < least || level < 0 || level > LOG_LEVEL_ERROR)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s.%03ldZ %s %s\n", when, now.tv_nsec / 1000000, names[level], text);
}
