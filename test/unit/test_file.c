/* SPDX-License-Identifier: Apache-2.0 */
#include "io_test.h"

#include <dirent.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/resource.h>

static char *read_back(const char *path)
{
    static char text[4096];
    struct buf buf;
    assert_int_equal(file_read(path, sizeof(text) - 1, false, &buf, &error), 0);
    memcpy(text, buf.data, buf.length + 1);
    buf_release(&buf);
    return text;
}

static size_t count_entries(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 2;
}

static const char *fresh_folder(void)
{
    static char path[160];
    static unsigned number;
    snprintf(path, sizeof(path), "%s/sub%u", folder, number++);
    assert_int_equal(file_make_folder(path, &error), 0);
    return path;
}

static void reads_up_to_the_cap(void **state)
{
    struct buf buf;
    (void)state;
    write_file(in_folder("ten"), "0123456789");
    assert_int_equal(file_read(in_folder("ten"), 10, true, &buf, &error), 0);
    assert_int_equal(buf.length, 10);
    assert_string_equal(buf.data, "0123456789");
    buf_release(&buf);
    assert_int_equal(file_read(in_folder("ten"), 9, false, &buf, &error), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_non_null(strstr(error.message, "larger than 9 bytes"));
    buf_release(&buf); /* allowed after a failure, too */
    write_file(in_folder("empty"), "");
    assert_int_equal(file_read(in_folder("empty"), 10, false, &buf, &error), 0);
    assert_string_equal(buf.data, "");
    buf_release(&buf);
}

static void reads_what_has_no_size(void **state)
{
    struct buf buf;
    (void)state;
    assert_int_equal(file_read("/proc/self/status", 65536, false, &buf, &error), 0);
    assert_true(buf.length > 100);
    buf_release(&buf);
}

static void bytes_are_kept_as_they_are(void **state)
{
    struct buf buf;
    char data[70000];
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (char)(i % 251);
    }
    assert_int_equal(file_write(in_folder("bytes"), data, sizeof(data), &error), 0);
    assert_int_equal(file_read(in_folder("bytes"), sizeof(data), false, &buf, &error), 0);
    assert_int_equal(buf.length, sizeof(data));
    assert_memory_equal(buf.data, data, sizeof(data));
    buf_release(&buf);
}

static void only_regular_files_are_read(void **state)
{
    struct buf buf;
    (void)state;
    assert_int_equal(file_read(in_folder("absent"), 10, false, &buf, &error), -1);
    assert_int_equal(error.kind, ERROR_NOTFOUND);
    assert_non_null(strstr(error.message, "absent"));
    assert_int_equal(file_read(folder, 10, false, &buf, &error), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_int_equal(file_read("/dev/zero", 10, false, &buf, &error), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    int64_t start = loop_mono();
    assert_int_equal(file_read(in_folder("fifo"), 10, false, &buf, &error), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_true(loop_mono() - start < 1000);
}

static void links_are_followed_only_on_request(void **state)
{
    struct buf buf;
    (void)state;
    write_file(in_folder("target"), "text");
    assert_int_equal(symlink("target", in_folder("link")), 0);
    assert_string_equal(read_back(in_folder("link")), "text");
    assert_int_equal(file_read(in_folder("link"), 10, true, &buf, &error), -1);
    assert_int_equal(error.kind, ERROR_DENIED);
    assert_non_null(strstr(error.message, "symbolic link"));
}

static void writes_whole_and_private(void **state)
{
    struct stat status;
    const char *sub = fresh_folder();
    char path[200];
    (void)state;
    snprintf(path, sizeof(path), "%s/state.json", sub);
    assert_int_equal(file_write(path, "one", 3, &error), 0);
    assert_string_equal(read_back(path), "one");
    assert_int_equal(file_write(path, "second", 6, &error), 0);
    assert_string_equal(read_back(path), "second");
    assert_int_equal(file_write(path, "", 0, &error), 0);
    assert_string_equal(read_back(path), "");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(count_entries(sub), 1);
}

static void a_name_without_a_folder_works(void **state)
{
    char here[PATH_MAX];
    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(file_write("plain-name", "x", 1, &error), 0);
    assert_string_equal(read_back("plain-name"), "x");
    assert_int_equal(file_remove("plain-name", &error), 0);
    assert_int_equal(chdir(here), 0);
}

static void a_link_is_replaced_not_followed(void **state)
{
    struct stat status;
    (void)state;
    write_file(in_folder("victim"), "old");
    assert_int_equal(symlink("victim", in_folder("bait")), 0);
    assert_int_equal(file_write(in_folder("bait"), "new", 3, &error), 0);
    assert_string_equal(read_back(in_folder("victim")), "old");
    assert_int_equal(lstat(in_folder("bait"), &status), 0);
    assert_true(S_ISREG(status.st_mode));
}

static void expect_link(int result)
{
    assert_int_equal(result, -1);
    assert_int_equal(error.kind, ERROR_DENIED);
    assert_non_null(strstr(error.message, "a symbolic link stands in the way"));
}

/* Whatever is written, and wherever the link stands: nothing comes to where it leads. */
static void links_in_the_way_are_refused(void **state)
{
    static const char *const paths[] = {"way/x", "sub/way/x", "sub/way/deeper/x"};
    char here[PATH_MAX];
    struct buf buf;
    int fd = -1;
    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(file_make_folder(in_folder("aim/deeper"), &error), 0);
    assert_int_equal(file_make_folder(in_folder("sub"), &error), 0);
    write_file(in_folder("aim/x"), "old");
    assert_int_equal(symlink("aim", in_folder("way")), 0);
    assert_int_equal(symlink("../aim", in_folder("sub/way")), 0);
    assert_int_equal(symlink("x", in_folder("aim/y")), 0);
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        expect_link(file_write(paths[i], "new", 3, &error));
        expect_link(file_append(paths[i], "new", &error));
        expect_link(file_lock(paths[i], "who", &fd, &error));
        expect_link(file_read(paths[i], 10, true, &buf, &error));
        expect_link(file_make_folder(paths[i], &error));
    }
    expect_link(file_make_folder("way", &error));
    expect_link(file_append("aim/y", "new", &error));
    expect_link(file_lock("aim/y", "who", &fd, &error));
    assert_int_equal(chdir(here), 0);
    expect_link(file_write(in_folder("way/x"), "new", 3, &error)); /* the folder itself */
    assert_int_equal(file_write(in_folder("way/deeper/x"), "new", 3, &error), 0);
    assert_int_equal(file_write(in_folder("sub/../aim/z"), "new", 3, &error), 0);
    assert_string_equal(read_back(in_folder("aim/x")), "old");
    assert_int_equal(count_entries(in_folder("aim")), 4);
}

static void a_failed_write_leaves_the_old_file_and_no_other(void **state)
{
    const char *sub = fresh_folder();
    char path[200];
    struct rlimit old, small = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
    static char data[5000];
    (void)state;
    snprintf(path, sizeof(path), "%s/kept", sub);
    assert_int_equal(file_write(path, "old", 3, &error), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    int result = file_write(path, data, sizeof(data), &error);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(result, -1);
    assert_string_equal(read_back(path), "old");
    assert_int_equal(count_entries(sub), 1);
    /* A folder in the place of the file: found out at the rename. */
    snprintf(path, sizeof(path), "%s/folder", sub);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_write(path, "x", 1, &error), -1);
    assert_int_equal(count_entries(sub), 2);
    assert_int_equal(file_write("/no/such/folder/file", "x", 1, &error), -1);
    assert_int_equal(error.kind, ERROR_NOTFOUND);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    assert_int_equal(file_append("/dev/full", "line", &error), -1);
    assert_int_equal(error.kind, ERROR_STATE);
}

/* "NAME.<16 hex digits>.tmp" in folder, locked by us where `alive`. */
static int leave_temporary(const char *path, const char *digits, bool alive)
{
    char name[220];
    snprintf(name, sizeof(name), "%s.%s.tmp", path, digits);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    if (alive) {
        assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
        return fd;
    }
    close(fd);
    return -1;
}

static void a_sweep_takes_what_the_dead_left_and_nothing_else(void **state)
{
    const char *sub = fresh_folder();
    char path[200];
    (void)state;
    snprintf(path, sizeof(path), "%s/state.json", sub);
    write_file(path, "x");
    leave_temporary(path, "0123456789abcdef", false);
    leave_temporary(path, "fedcba9876543210", false);
    int alive = leave_temporary(path, "00000000000000aa", true);
    leave_temporary(path, "0123456789ABCDEF", false); /* no name of ours */
    leave_temporary(path, "0123456789abcde", false);
    leave_temporary(path, "0123456789abcdef0", false);
    snprintf(path, sizeof(path), "%s/state.json.0123456789abcdff.tmp", sub);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/state.json.0123456789abcdee.tmp", sub);
    assert_int_equal(symlink("state.json", path), 0);
    snprintf(path, sizeof(path), "%s/other.json", sub);
    leave_temporary(path, "0123456789abcdef", false);
    snprintf(path, sizeof(path), "%s/state.json", sub);
    assert_int_equal(count_entries(sub), 10);
    file_sweep(path);
    assert_int_equal(count_entries(sub), 8);
    close(alive);
    file_sweep(path);
    assert_int_equal(count_entries(sub), 7);
    assert_string_equal(read_back(path), "x");
    file_sweep("/no/such/folder/state.json");
}

static void a_sweep_in_the_own_folder_works(void **state)
{
    const char *sub = fresh_folder();
    char before[PATH_MAX];
    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(sub), 0);
    leave_temporary("report.md", "0123456789abcdef", false);
    file_sweep("report.md");
    assert_int_equal(chdir(before), 0);
    assert_int_equal(count_entries(sub), 0);
}

/* Each write finds its file swept away as soon as it is there, and writes on. */
static void a_sweep_beside_a_writer_harms_nobody(void **state)
{
    const char *sub = fresh_folder();
    char path[200];
    (void)state;
    snprintf(path, sizeof(path), "%s/state.json", sub);
    pid_t sweeper = fork_peer();
    while (sweeper == 0) {
        file_sweep(path);
    }
    for (int i = 0; i < 300; i++) {
        if (file_write(path, "whole", 5, &error) < 0) {
            fail_msg("write %d: %s", i, error.message);
        }
    }
    end_peer(sweeper);
    assert_string_equal(read_back(path), "whole");
    file_sweep(path);
    assert_int_equal(count_entries(sub), 1);
}

static void names_that_are_too_long_are_refused(void **state)
{
    char path[PATH_MAX + 10];
    (void)state;
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    path[0] = '/';
    assert_int_equal(file_write(path, "x", 1, &error), -1);
    assert_int_equal(file_make_folder(path, &error), -1);
    assert_int_equal(file_make_folder("", &error), -1);
    file_give(path);
}

static void appends_lines(void **state)
{
    (void)state;
    const char *path = in_folder("log");
    assert_int_equal(file_append(path, "one", &error), 0);
    assert_int_equal(file_append(path, "two\n", &error), 0);
    assert_int_equal(file_append(path, "", &error), 0);
    assert_string_equal(read_back(path), "one\ntwo\n\n");
    /* A writer was killed within its line: it must not swallow ours. */
    write_file(path, "torn li");
    assert_int_equal(file_append(path, "whole", &error), 0);
    assert_string_equal(read_back(path), "torn li\nwhole\n");
    assert_int_equal(file_append("/no/such/log", "x", &error), -1);
    assert_int_equal(error.kind, ERROR_NOTFOUND);
    assert_int_equal(file_append("/dev/null", "x", &error), 0);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(file_append(in_folder("pipe"), "x", &error), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_non_null(strstr(error.message, "pipe: is not a regular file"));
}

static void folders_are_made_with_parents(void **state)
{
    struct stat status;
    (void)state;
    assert_int_equal(file_make_folder(in_folder("a/b/c"), &error), 0);
    assert_int_equal(file_make_folder(in_folder("a/b/c/"), &error), 0);
    assert_int_equal(file_make_folder(in_folder("a//d"), &error), 0);
    assert_int_equal(file_make_folder("/", &error), 0);
    assert_int_equal(stat(in_folder("a/b/c"), &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    write_file(in_folder("a/file"), "x");
    assert_int_equal(file_make_folder(in_folder("a/file"), &error), -1);
    assert_int_equal(file_make_folder(in_folder("a/file/deeper"), &error), -1);
    assert_non_null(strstr(error.message, "a/file/deeper"));
}

static void existence_and_removal(void **state)
{
    (void)state;
    const char *path = in_folder("short-lived");
    assert_false(file_exists(path));
    write_file(path, "x");
    assert_true(file_exists(path));
    assert_int_equal(file_remove(path, &error), 0);
    assert_false(file_exists(path));
    assert_int_equal(file_remove(path, &error), 0); /* absent is what was wanted */
    assert_int_equal(file_remove(folder, &error), -1);
}

static void the_lock_excludes_and_names_its_holder(void **state)
{
    int one = -1, two = -1;
    const char *path = in_folder("run.lock");
    (void)state;
    assert_int_equal(file_lock(path, "run 1 of shop", &one, &error), 0);
    assert_string_equal(read_back(path), "run 1 of shop\n");
    assert_int_equal(file_lock(path, "run 2", &two, &error), -1);
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "run.lock is held by: run 1 of shop"));
    assert_int_equal(two, -1);
    assert_int_equal(fcntl(one, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    file_unlock(one);
    assert_int_equal(file_lock(path, "2", &two, &error), 0);
    assert_string_equal(read_back(path), "2\n"); /* nothing of the longer text is left */
    file_unlock(two);
}

static void a_copy_of_the_descriptor_keeps_the_lock(void **state)
{
    int one = -1, two = -1;
    const char *path = in_folder("shared.lock");
    (void)state;
    assert_int_equal(file_lock(path, "one", &one, &error), 0);
    int copy = dup(one);
    file_unlock(one);
    assert_int_equal(file_lock(path, "two", &two, &error), -1);
    assert_int_equal(error.kind, ERROR_CONFLICT);
    close(copy);
    assert_int_equal(file_lock(path, "two", &two, &error), 0);
    file_unlock(two);
}

static void a_removed_lock_file_does_not_admit_two(void **state)
{
    int one = -1, two = -1, three = -1;
    const char *path = in_folder("gone.lock");
    (void)state;
    assert_int_equal(file_lock(path, "one", &one, &error), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_lock(path, "two", &two, &error), 0); /* another file by now */
    assert_int_equal(file_lock(path, "three", &three, &error), -1);
    file_unlock(one);
    file_unlock(two);
}

static void hostile_holders_are_shown_as_text(void **state)
{
    int one = -1, two = -1;
    const char *path = in_folder("hostile.lock");
    (void)state;
    assert_int_equal(file_lock(path, "\033[2J\xff\xfe run", &one, &error), 0);
    assert_int_equal(file_lock(path, "two", &two, &error), -1);
    assert_null(strchr(error.message, '\033'));
    assert_int_equal(ftruncate(one, 0), 0);
    assert_int_equal(file_lock(path, "two", &two, &error), -1);
    assert_non_null(strstr(error.message, "held by another run"));
    file_unlock(one);
    assert_int_equal(symlink("/etc/passwd", in_folder("link.lock")), 0);
    assert_int_equal(file_lock(in_folder("link.lock"), "x", &two, &error), -1);
    assert_int_equal(file_lock("/no/such/folder/lock", "x", &two, &error), -1);
    assert_int_equal(error.kind, ERROR_NOTFOUND);
}

static void ownership_follows_the_folder(void **state)
{
    struct stat status;
    char path[200];
    const char *sub = fresh_folder();
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    snprintf(path, sizeof(path), "%s/report.md", sub);
    write_file(path, "x");
    assert_int_equal(chown(sub, 4711, 4712), 0);
    file_give(path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, 4711);
    assert_int_equal(status.st_gid, 4712);
    file_give("/no/such/file");
}

static void descriptors_are_closed_once(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fd_cleanup(&fd);
    assert_int_equal(fd, -1);
    fd_cleanup(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_up_to_the_cap),
        cmocka_unit_test(reads_what_has_no_size),
        cmocka_unit_test(bytes_are_kept_as_they_are),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(links_are_followed_only_on_request),
        cmocka_unit_test(writes_whole_and_private),
        cmocka_unit_test(a_name_without_a_folder_works),
        cmocka_unit_test(a_link_is_replaced_not_followed),
        cmocka_unit_test(links_in_the_way_are_refused),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_no_other),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_sweep_takes_what_the_dead_left_and_nothing_else),
        cmocka_unit_test(a_sweep_in_the_own_folder_works),
        cmocka_unit_test(a_sweep_beside_a_writer_harms_nobody),
        cmocka_unit_test(names_that_are_too_long_are_refused),
        cmocka_unit_test(appends_lines),
        cmocka_unit_test(folders_are_made_with_parents),
        cmocka_unit_test(existence_and_removal),
        cmocka_unit_test(the_lock_excludes_and_names_its_holder),
        cmocka_unit_test(a_copy_of_the_descriptor_keeps_the_lock),
        cmocka_unit_test(a_removed_lock_file_does_not_admit_two),
        cmocka_unit_test(hostile_holders_are_shown_as_text),
        cmocka_unit_test(ownership_follows_the_folder),
        cmocka_unit_test(descriptors_are_closed_once),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
