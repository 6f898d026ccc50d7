/* log.h - one line an event on stderr: time, level, what. Nothing secret, no names of people beyond principals. */
#ifndef ROTA_DAEMON_LOG_H
#define ROTA_DAEMON_LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_set_level(int level);
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
