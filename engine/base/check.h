/* check.h - a bug stops the process, in production too.
 *
 * check() is for what this program promises itself; never for input that came from outside.
 */
#ifndef ROTA_BASE_CHECK_H
#define ROTA_BASE_CHECK_H

_Noreturn void check_failed(const char *what, const char *file, int line);

#define check(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

#endif
