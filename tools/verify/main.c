/* rota-verify - check a copy of a Rota journal offline, trusting neither its keeper nor the engine. */
#include "audit.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifndef ROTA_VERSION
#define ROTA_VERSION "1.0.0"
#endif

enum { EXIT_HOLDS = 0, EXIT_DOES_NOT_HOLD = 1, EXIT_UNUSABLE = 2 };
enum { MAX_KEYS = 64, MAX_WITNESSES = 64, MAX_TRUSTED = 64, MAX_FILE = 1 << 24 };

struct settings {
    struct audit_options audit;
    struct vkey logs[MAX_KEYS], witnesses[MAX_WITNESSES];
    struct bytes trusted[MAX_TRUSTED]; /* owned */
    struct actor_keys keys;
    long quorum; /* -1: every witness */
    uint8_t roots[HASH_LEN];
    FILE *keys_out; /* owned */
    struct approvals approvals;
    bool has_keys, as_json, is_quiet;
};

enum option_value {
    OPTION_VKEY = 256,
    OPTION_TRUSTED,
    OPTION_WITNESS,
    OPTION_QUORUM,
    OPTION_FRESH,
    OPTION_KEYS,
    OPTION_ROOTS,
    OPTION_WRITE_KEYS,
    OPTION_NO_REPLAY,
    OPTION_NO_INTEGRITY,
    OPTION_APPROVALS,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option_text {
    const char *name, *argument, *help;
    int value;
} option_texts[] = {
    {"vkey", "KEY|@FILE",
     "the log's verifier key (repeat after a change of key);\n"
     "                          a file may have several, a line each",
     OPTION_VKEY},
    {"trusted", "FILE", "a checkpoint that was kept outside (repeat)", OPTION_TRUSTED},
    {"witness", "KEY|@FILE", "a witness's verifier key (repeat)", OPTION_WITNESS},
    {"quorum", "N", "witnesses that must have signed (default: all)", OPTION_QUORUM},
    {"fresh-after", "T",
     "a witness must have signed at T or later: 2026-01-31,\n"
     "                          2026-01-31T12:00:00Z, or POSIX seconds",
     OPTION_FRESH},
    {"actor-keys", "FILE",
     "people's keys, lines of \"actor hexkey [first [last]]\"\n"
     "                          (default: the keys the journal itself records)",
     OPTION_KEYS},
    {"roots", "FINGERPRINT",
     "of the root keys, as top management told it to you by\n"
     "                          another way: 64 hexadecimal digits",
     OPTION_ROOTS},
    {"write-actor-keys", "FILE", "write people's keys as --actor-keys takes them",
     OPTION_WRITE_KEYS},
    {"no-replay", NULL, "do not fold the entries and compare the stored state", OPTION_NO_REPLAY},
    {"no-integrity-check", NULL, "leave out SQLite's own check of the file", OPTION_NO_INTEGRITY},
    {"approvals", NULL,
     "also what is or was in force, and who signed for it,\n"
     "                          when, with which meaning, in whose place, over which\n"
     "                          content",
     OPTION_APPROVALS},
    {"json", NULL, "print one JSON object", OPTION_JSON},
    {"quiet", NULL, "print errors and the last sentence only", OPTION_QUIET},
    {"help", NULL, "print this", OPTION_HELP},
    {"version", NULL, "print the version", OPTION_VERSION},
};

enum { OPTION_COUNT = sizeof option_texts / sizeof *option_texts };

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static int complain(const char *what, const char *about)
{
    fprintf(stderr, "rota-verify: %s%s%s\n", what, about != NULL ? ": " : "",
            about != NULL ? about : "");
    return -1;
}

static void print_help(FILE *out)
{
    fputs("usage: rota-verify FILE --vkey KEY|@FILE [option]...\n\n"
          "Checks a copy of a Rota journal offline. Writes nothing beside it.\n\n",
          out);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_text *one = &option_texts[i];
        char left[64];

        snprintf(left, sizeof left, "--%s%s%s", one->name, one->argument != NULL ? " " : "",
                 one->argument != NULL ? one->argument : "");
        fprintf(out, "  %-22s  %s\n", left, one->help);
    }
    fputs("\nexit status: 0 the journal holds, 1 it does not, 2 usage or unreadable\n", out);
}

/* ---- reading what is given ---- */

/* The whole file ("-": standard input). Owned by the caller. -1: reported. */
static int read_file(const char *path, struct buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char block[4096];
    size_t got;
    int result = 0;

    *out = (struct buf){0};
    if (file == NULL)
        return complain(path, strerror(errno));
    while (out->len < MAX_FILE && (got = fread(block, 1, sizeof block, file)) > 0)
        buf_add(out, block, got);
    if (ferror(file) || out->len >= MAX_FILE)
        result = complain(path, "cannot be read, or too large");
    if (file != stdin)
        fclose(file);
    if (result != 0)
        buf_release(out);
    return result;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.len > 0 && strchr(" \t\r\n", text.at[text.len - 1]) != NULL)
        text.len--;
    while (text.len > 0 && strchr(" \t\r\n", text.at[0]) != NULL)
        text = bytes_of(text.at + 1, text.len - 1);
    return text;
}

static int read_key(const char *argument, struct vkey *out)
{
    struct buf file = {0};
    struct bytes text = bytes_text(argument);
    const char *why;

    if (argument[0] == '@') {
        if (read_file(argument + 1, &file) != 0)
            return -1;
        text = buf_bytes(&file);
    }
    text = trimmed(text);
    why = vkey_read(text, out);
    buf_release(&file);
    return why == NULL ? 0 : complain(argument, why);
}

static int add_log_key(struct settings *settings, const char *argument, struct bytes text)
{
    struct note_policy *policy = &settings->audit.policy;
    struct vkey *key = &settings->logs[policy->log_count];
    const char *why;

    if (policy->log_count == MAX_KEYS)
        return complain("too many keys", NULL);
    why = vkey_read(text, key);
    if (why == NULL && key->kind != VKEY_ED25519)
        why = "is a witness's key, not a log's";
    policy->log_count += why == NULL;
    return why == NULL ? 0 : complain(argument, why);
}

/* A file has a line for each name that the log had: the newest first. */
static int add_log(struct settings *settings, const char *argument)
{
    struct buf file = {0};
    struct bytes rest = bytes_text(argument);
    int result = 0, count = 0;

    if (argument[0] == '@') {
        if (read_file(argument + 1, &file) != 0)
            return -1;
        rest = buf_bytes(&file);
    }
    while (result == 0 && rest.len > 0) {
        const uint8_t *end = memchr(rest.at, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.at) : rest.len;
        struct bytes line = trimmed(bytes_of(rest.at, len));

        rest = bytes_of(rest.at + len + (end != NULL), rest.len - len - (end != NULL));
        if (line.len == 0)
            continue;
        count++;
        result = add_log_key(settings, argument, line);
    }
    buf_release(&file);
    return result == 0 && count == 0 ? complain(argument, "holds no key") : result;
}

static int add_witness(struct settings *settings, const char *argument)
{
    struct note_policy *policy = &settings->audit.policy;
    struct vkey *key = &settings->witnesses[policy->witness_count];

    if (policy->witness_count == MAX_WITNESSES)
        return complain("too many witnesses", NULL);
    if (read_key(argument, key) != 0)
        return -1;
    vkey_as_witness(key);
    for (size_t i = 0; i < policy->witness_count; i++)
        if (memcmp(settings->witnesses[i].key, key->key, PUBLIC_KEY_LEN) == 0)
            return complain(argument, "this witness is named twice");
    policy->witness_count++;
    return 0;
}

static int add_trusted(struct settings *settings, const char *path)
{
    struct buf note;

    if (settings->audit.trusted_count == MAX_TRUSTED)
        return complain("too many checkpoints", NULL);
    if (read_file(path, &note) != 0)
        return -1;
    settings->trusted[settings->audit.trusted_count++] = buf_bytes(&note);
    return 0;
}

static int set_actor_keys(struct settings *settings, const char *path)
{
    struct buf text;
    int result;

    if (settings->has_keys)
        return complain("one file of keys is enough", NULL);
    if (read_file(path, &text) != 0)
        return -1;
    result = actor_keys_read(buf_bytes(&text), &settings->keys);
    buf_release(&text);
    if (result != 0)
        return complain(path, "want \"actor hexkey [first [last]]\" on each line");
    settings->has_keys = true;
    return 0;
}

static int set_roots(struct settings *settings, const char *text)
{
    if (hex_read(trimmed(bytes_text(text)), settings->roots, HASH_LEN) != 0)
        return complain("not a fingerprint of root keys", text);
    settings->audit.roots = settings->roots;
    return 0;
}

static int set_keys_out(struct settings *settings, const char *path)
{
    if (settings->keys_out != NULL)
        return complain("one file of keys is enough", NULL);
    settings->keys_out = settings->audit.keys_out = fopen(path, "wxe");
    return settings->keys_out != NULL ? 0 : complain(path, strerror(errno));
}

static int set_quorum(struct settings *settings, const char *text)
{
    char *end;

    settings->quorum = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && settings->quorum >= 0 ? 0
                                                                  : complain("not a quorum", text);
}

static int set_fresh_after(struct settings *settings, const char *text)
{
    struct tm day = {0};
    const char *rest;
    char *end;
    long long seconds = strtoll(text, &end, 10);

    if (*text != '\0' && *end == '\0' && seconds >= 0) {
        settings->audit.fresh_after = seconds;
        return 0;
    }
    rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &day);
    if (rest == NULL) {
        day = (struct tm){0};
        rest = strptime(text, "%Y-%m-%d", &day);
    }
    if (rest == NULL || *rest != '\0')
        return complain("not a time", text);
    settings->audit.fresh_after = timegm(&day);
    return 0;
}

/* ---- options ---- */

static int set_option(struct settings *settings, int option, const char *argument)
{
    switch (option) {
    case OPTION_VKEY:
        return add_log(settings, argument);
    case OPTION_TRUSTED:
        return add_trusted(settings, argument);
    case OPTION_WITNESS:
        return add_witness(settings, argument);
    case OPTION_QUORUM:
        return set_quorum(settings, argument);
    case OPTION_FRESH:
        return set_fresh_after(settings, argument);
    case OPTION_KEYS:
        return set_actor_keys(settings, argument);
    case OPTION_ROOTS:
        return set_roots(settings, argument);
    case OPTION_WRITE_KEYS:
        return set_keys_out(settings, argument);
    case OPTION_NO_REPLAY:
        settings->audit.no_replay = true;
        return 0;
    case OPTION_NO_INTEGRITY:
        settings->audit.no_integrity_check = true;
        return 0;
    case OPTION_APPROVALS:
        settings->audit.approvals = &settings->approvals;
        return 0;
    case OPTION_JSON:
        settings->as_json = true;
        return 0;
    case OPTION_QUIET:
        settings->is_quiet = true;
        return 0;
    default:
        return complain("try --help", NULL);
    }
}

static int settle(struct settings *settings, int argc, char **argv)
{
    struct note_policy *policy = &settings->audit.policy;

    if (optind + 1 != argc)
        return complain("give one file", "try --help");
    if (policy->log_count == 0)
        return complain("give --vkey: without the log's key nothing can be proven", NULL);
    if (settings->quorum > (long)policy->witness_count)
        return complain("the quorum is larger than the number of witnesses", NULL);
    if (settings->audit.approvals != NULL && settings->audit.no_replay)
        return complain("--approvals needs the replay", NULL);
    if (settings->audit.fresh_after >= 0 && policy->witness_count == 0)
        return complain("--fresh-after needs a --witness", NULL);
    settings->audit.path = argv[optind];
    policy->logs = settings->logs;
    policy->witnesses = settings->witnesses;
    policy->quorum = settings->quorum < 0 ? policy->witness_count : (size_t)settings->quorum;
    settings->audit.trusted = settings->trusted;
    settings->audit.keys = settings->has_keys ? &settings->keys : NULL;
    return 0;
}

/* 0: go on. 1: help or version was printed. -1: usage, reported. */
static int read_settings(struct settings *settings, int argc, char **argv)
{
    struct option known[OPTION_COUNT + 1] = {{0}};
    int option;

    for (size_t i = 0; i < OPTION_COUNT; i++)
        known[i] =
            (struct option){option_texts[i].name,
                            option_texts[i].argument != NULL ? required_argument : no_argument,
                            NULL, option_texts[i].value};
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h') {
            print_help(stdout);
            return 1;
        }
        if (option == OPTION_VERSION) {
            puts("rota-verify " ROTA_VERSION);
            return 1;
        }
        if (set_option(settings, option, optarg) != 0)
            return -1;
    }
    return settle(settings, argc, argv);
}

static void release_settings(struct settings *settings)
{
    for (size_t i = 0; i < settings->audit.trusted_count; i++)
        free((void *)(uintptr_t)settings->trusted[i].at);
    actor_keys_release(&settings->keys);
    approvals_release(&settings->approvals);
}

/* ---- progress ---- */

static void show_progress(uint64_t done, uint64_t of)
{
    static struct timespec begun, shown;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (begun.tv_sec == 0)
        begun = shown = now;
    if (now.tv_sec - begun.tv_sec < 1 || now.tv_sec == shown.tv_sec)
        return;
    shown = now;
    fprintf(stderr, "\r%llu of %llu entries\033[K", (unsigned long long)done,
            (unsigned long long)of);
}

static int verify(struct settings *settings)
{
    const char *no_color = getenv("NO_COLOR");
    bool in_colour = isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0');
    bool shows_progress = isatty(STDERR_FILENO) == 1 && !settings->is_quiet;
    struct report report;
    char why[REPORT_TEXT];
    int status, written = 0;

    settings->audit.progress = shows_progress ? show_progress : NULL;
    settings->audit.stop = &stop;
    status = audit_run(&settings->audit, &report, why);
    if (shows_progress)
        fputs("\r\033[K", stderr);
    if (status != 0) {
        complain(why, NULL);
        return EXIT_UNUSABLE;
    }
    report.approvals = settings->audit.approvals;
    if (settings->as_json)
        written = report_print_json(&report, stdout);
    else
        report_print(&report, stdout, in_colour, settings->is_quiet);
    status = report_holds(&report) ? EXIT_HOLDS : EXIT_DOES_NOT_HOLD;
    report_release(&report);
    if (written != 0 || fflush(stdout) != 0) {
        complain("cannot write", strerror(errno));
        return EXIT_UNUSABLE;
    }
    return status;
}

/* A standard stream that the caller closed is one that fails: the journal must not become it, nor what we say go there. */
static void keep_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_UNUSABLE);
}

int main(int argc, char **argv)
{
    static struct settings settings = {.quorum = -1, .audit.fresh_after = -1};
    struct sigaction action = {.sa_handler = on_signal};
    int status;

    keep_streams();
    status = read_settings(&settings, argc, argv);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (status == 0)
        status = verify(&settings);
    else
        status = status > 0 ? EXIT_HOLDS : EXIT_UNUSABLE;
    if (settings.keys_out != NULL && fclose(settings.keys_out) != 0) {
        complain("the people's keys could not be written", strerror(errno));
        status = EXIT_UNUSABLE;
    }
    release_settings(&settings);
    hash_release();
    return status;
}
