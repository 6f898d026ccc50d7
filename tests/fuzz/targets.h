/* targets.h - the fuzz targets: any bytes in; a crash, a sanitizer's word or a failed check() is a finding.
 *
 * Each target is a function of its own name, so that one test can replay them all. For libFuzzer compile its
 * file with -DFUZZ_ALONE -fsanitize=fuzzer: then it has the name that libFuzzer looks for.
 */
#ifndef ROTA_TESTS_TARGETS_H
#define ROTA_TESTS_TARGETS_H

#include <stddef.h>
#include <stdint.h>

#ifdef FUZZ_ALONE
#define FUZZ_NAME(name) LLVMFuzzerTestOneInput
int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);
#else
#define FUZZ_NAME(name) name
#endif

int fuzz_mp(const uint8_t *at, size_t len);
int fuzz_command(const uint8_t *at, size_t len);
int fuzz_mdp(const uint8_t *at, size_t len);
int fuzz_condition(const uint8_t *at, size_t len);
int fuzz_pack(const uint8_t *at, size_t len);

#endif
