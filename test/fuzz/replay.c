/* SPDX-License-Identifier: Apache-2.0
 *
 * A target without libFuzzer: replay PATH… gives it every file of the folders and files named,
 * in an exact copy, and prints TAP.
 */
#include "fuzz.h"

#include "../unit/slowly.h"
#include "file.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, SECONDS_MAX = 20 * SLOWLY };

static const char *current = "";

static void say_failed(void)
{
    static const char before[] = "not ok 1 - ";
    ssize_t wrote = write(STDOUT_FILENO, before, sizeof before - 1);
    wrote += write(STDOUT_FILENO, current, strlen(current));
    wrote += write(STDOUT_FILENO, "\n", 1);
    (void)wrote;
}

static void on_signal(int number)
{
    (void)number;
    say_failed();
    _exit(1);
}

/* Only so does it pass here before it ends the process. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "abort_on_error=1";
}

static void replay_file(const char *path)
{
    AUTO_BUF struct buf text = {0};
    struct error err = {0};
    if (file_read(path, FILE_MAX, false, &text, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        on_signal(0);
    }
    uint8_t *exact = memory_alloc(text.length);
    memcpy(exact, text.data, text.length);
    alarm(SECONDS_MAX);
    LLVMFuzzerTestOneInput(exact, text.length);
    alarm(0);
    free(exact);
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static size_t replay(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_file, alphasort);
    current = path;
    if (count < 0) {
        replay_file(path);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
        current = file;
        replay_file(file);
        current = path;
    }
    free(entries);
    return (size_t)count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    signal(SIGABRT, on_signal);
    signal(SIGALRM, on_signal);
    __sanitizer_set_death_callback(say_failed);
    printf("1..1\n");
    fflush(stdout);
    for (int i = 1; i < argc; i++) {
        count += replay(argv[i]);
    }
    bool good = count > 0 && __lsan_do_recoverable_leak_check() == 0;
    printf("%s 1 - %zu inputs\n", good ? "ok" : "not ok", count);
    return good ? 0 : 1;
}
