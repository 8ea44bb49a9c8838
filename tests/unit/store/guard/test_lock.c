/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the lock: one run at a time, named in the refusal, and none that outlives its process. */
#define _GNU_SOURCE 1
#include "store/folder.h"

#include "base/log.h"
#include "host/host.h"
#include "store/guard/lock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { LIMIT_S = 600, NOBODY = 65534 };

/* A file system that has no locks, and a host whose clock is wrong: these stand before the C
 * library's. */
static bool no_locks;
static time_t skew_s;

int fcntl(int fd, int command, ...);
int fcntl64(int fd, int command, ...);
int clock_gettime(clockid_t clock, struct timespec *now);

static int call_fcntl(int fd, int command, va_list arguments)
{
    void *argument = va_arg(arguments, void *);
    if (no_locks && (command == F_OFD_SETLK || command == F_OFD_GETLK)) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    const int result = call_fcntl(fd, command, arguments);
    va_end(arguments);
    return result;
}

int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    const int result = call_fcntl(fd, command, arguments);
    va_end(arguments);
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int result = (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += clock == CLOCK_REALTIME ? skew_s : 0;
    return result;
}

static int reset(void **state)
{
    (void)state;
    no_locks = false;
    skew_s = 0;
    sample_empty_folder();
    return 0;
}

static void test_take_and_release(void **state)
{
    (void)state;
    const char *path = sample_path("a.h5");
    char text[256] = "x";
    error e = {.status = WEFT_OK};
    assert_false(lock_holder(path, text, sizeof text));
    assert_string_equal(text, "");
    for (int i = 0; i < 3; i++) {
        lock *l = NULL;
        bool lost = true;
        assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
        assert_true(sample_exists(sample_path("a.h5.lock")));
        assert_true(lock_holder(path, text, sizeof text));
        assert_int_equal(lock_touch(l, &lost, &e), WEFT_OK);
        assert_false(lost);
        lock_release(l);
        assert_false(sample_exists(sample_path("a.h5.lock")));
        assert_false(lock_holder(path, text, sizeof text));
    }
    lock_release(NULL);
}

static void test_second_taker_is_refused(void **state)
{
    (void)state;
    const char *path = sample_path("a.h5");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    lock *second = NULL;
    assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
    assert_int_equal(lock_take(path, &second, &e), WEFT_ERR_BUSY);
    assert_null(second);
    char host[HOST_NAME_BYTES];
    char pid[128];
    host_name(host);
    (void)snprintf(pid, sizeof pid, "pid %ld on host %s since 20", (long)getpid(), host);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, pid));
    assert_non_null(strstr(e.text, "a.h5.lock"));
    lock_release(l);
    assert_int_equal(lock_take(path, &second, &e), WEFT_OK);
    lock_release(second);
}

/* A child that takes the lock, says so, and waits to be killed. */
static pid_t start_holder(const char *path)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        error e = {.status = WEFT_OK};
        lock *l = NULL;
        (void)alarm(LIMIT_S);
        const char answer = lock_take(path, &l, &e) == WEFT_OK ? 'y' : 'n';
        const bool told = write(ends[1], &answer, 1) == 1;
        while (told && answer == 'y') {
            (void)pause();
        }
        _exit(1);
    }
    char answer = '?';
    (void)close(ends[1]);
    assert_true(child > 0);
    assert_int_equal(read(ends[0], &answer, 1), 1);
    (void)close(ends[0]);
    assert_int_equal(answer, 'y');
    return child;
}

static void end_holder(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_lock_of_another_process(void **state)
{
    (void)state;
    const char *path = sample_path("b.h5");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    const pid_t child = start_holder(path);
    char pid[64];
    char text[256];
    (void)snprintf(pid, sizeof pid, "pid %ld ", (long)child);
    const weft_status refused = lock_take(path, &l, &e);
    const bool held = lock_holder(path, text, sizeof text);
    end_holder(child);
    assert_int_equal(refused, WEFT_ERR_BUSY);
    assert_non_null(strstr(e.text, pid));
    assert_true(held);
    assert_non_null(strstr(text, pid));
    /* Its lock file lies there still, and counts for nothing. */
    assert_true(sample_exists(sample_path("b.h5.lock")));
    assert_false(lock_holder(path, text, sizeof text));
    assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
    assert_true(lock_holder(path, text, sizeof text));
    (void)snprintf(pid, sizeof pid, "pid %ld ", (long)getpid());
    assert_non_null(strstr(text, pid));
    lock_release(l);
    assert_false(sample_exists(sample_path("b.h5.lock")));
}

/* Of this version, and of one that did not say yet where the process is. */
static void test_leftovers(void **state)
{
    (void)state;
    static const char *const contents[] = {
        "", "host elsewhere pid 1 started 1 since 2026-01-31T12:34:56Z\n",
        "host elsewhere pid 1 started 1 since 2026-01-31T12:34:56Z in 0123-4567 4026531836\n"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        error e = {.status = WEFT_OK};
        lock *l = NULL;
        sample_write(sample_path("c.h5.lock"), contents[i], strlen(contents[i]));
        assert_int_equal(lock_take(sample_path("c.h5"), &l, &e), WEFT_OK);
        lock_release(l);
    }
}

static void check_foreign(const char *name)
{
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    char text[256];
    for (int i = 0; i < 2; i++) {
        no_locks = i == 1;
        assert_int_equal(lock_take(sample_path("f.h5"), &l, &e), WEFT_ERR_FORMAT);
        assert_non_null(strstr(e.text, name));
        assert_false(lock_holder(sample_path("f.h5"), text, sizeof text));
    }
}

/* What anybody else has written is kept, to the last byte. */
static void test_foreign_content(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
    } foreign[] = {
        {"\n", 1},
        {"garbage", 7},
        {"hos", 3},
        {"host  all all trust\n", 20},
        {"host a pid 1 started 1 since 2026-01-31T12:34:56Z\nmore\n", 55},
        {"host a pid +1 started 1 since 2026-01-31T12:34:56Z\n", 51},
        {"host a pid 1 started 1 since 2026-01-31T12:34:56Z in b\n", 55},
        {"\0\0\0secret", 9},
        {"\0\0\0\0\0\0\0\0", 8},
    };
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        sample_write(sample_path("f.h5.lock"), foreign[i].text, foreign[i].count);
        check_foreign("f.h5.lock");
        assert_true(sample_same(sample_path("f.h5.lock"), (const unsigned char *)foreign[i].text,
                                foreign[i].count));
    }
}

/* Where a link leads is nobody's concern, and nothing that is no file is waited for. */
static void test_no_file(void **state)
{
    (void)state;
    const char *victim = sample_path("victim");
    const char *path = sample_path("f.h5.lock");
    (void)alarm(LIMIT_S);
    sample_write(victim, "", 0);
    assert_int_equal(symlink("victim", path), 0);
    check_foreign("f.h5.lock");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(link(victim, path), 0);
    check_foreign("f.h5.lock");
    assert_int_equal(unlink(path), 0);
    assert_true(sample_same(victim, (const unsigned char *)"", 0));
    assert_int_equal(mkfifo(path, 0666), 0);
    check_foreign("f.h5.lock");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    check_foreign("f.h5.lock");
    assert_int_equal(rmdir(path), 0);
    (void)alarm(0);
}

/* A child with a lock of the old kind on the file, as any program may take. */
static pid_t start_locker(const char *path, short type)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct flock region = {.l_type = type, .l_whence = SEEK_SET};
        const int fd = open(path, type == F_RDLCK ? O_RDONLY : O_RDWR);
        (void)alarm(LIMIT_S);
        const char answer = fcntl(fd, F_SETLK, &region) == 0 ? 'y' : 'n';
        const bool told = write(ends[1], &answer, 1) == 1;
        while (told) {
            (void)pause();
        }
        _exit(1);
    }
    char answer = '?';
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &answer, 1), 1);
    (void)close(ends[0]);
    assert_int_equal(answer, 'y');
    return child;
}

/* Whoever can read the file can lock it for reading; that keeps nobody out. */
static void test_read_lock_of_a_stranger(void **state)
{
    (void)state;
    const char *path = sample_path("s.h5");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    lock *second = NULL;
    char text[256];
    bool lost = false;
    sample_write(sample_path("s.h5.lock"), "", 0);
    const pid_t child = start_locker(sample_path("s.h5.lock"), F_RDLCK);
    const bool held_before = lock_holder(path, text, sizeof text);
    const weft_status status = lock_take(path, &l, &e);
    const bool held = lock_holder(path, text, sizeof text);
    const weft_status refused = lock_take(path, &second, &e);
    end_holder(child);
    assert_false(held_before);
    assert_int_equal(status, WEFT_OK);
    assert_true(held);
    assert_int_equal(refused, WEFT_ERR_BUSY);
    (void)snprintf(text, sizeof text, "pid %ld ", (long)getpid());
    assert_non_null(strstr(e.text, text));
    assert_int_equal(lock_touch(l, &lost, &e), WEFT_OK);
    lock_release(l);
    assert_false(sample_exists(sample_path("s.h5.lock")));
}

/* One for writing does, and is the stranger's, not the dead run's. */
static void test_write_lock_of_a_stranger(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    char pid[64];
    sample_write(sample_path("s.h5.lock"), "", 0);
    const pid_t child = start_locker(sample_path("s.h5.lock"), F_WRLCK);
    const weft_status status = lock_take(sample_path("s.h5"), &l, &e);
    end_holder(child);
    assert_int_equal(status, WEFT_ERR_BUSY);
    (void)snprintf(pid, sizeof pid, "process %ld, which is no run", (long)child);
    assert_non_null(strstr(e.text, pid));
}

/* In a child of another user: what lock_take() says. */
static void take_as_nobody(const char *path, weft_status *status, char text[ERROR_TEXT_BYTES])
{
    int ends[2] = {-1, -1};
    error e = {.status = WEFT_OK};
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        lock *l = NULL;
        if (setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0) {
            (void)lock_take(path, &l, &e);
        }
        _exit(write(ends[1], &e, sizeof e) == (ssize_t)sizeof e ? 0 : 1);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &e, sizeof e), sizeof e);
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    *status = e.status;
    memcpy(text, e.text, sizeof e.text);
}

/* Another user's run is named, as long as its lock can be read, and its user if not. */
static void test_lock_of_another_user(void **state)
{
    (void)state;
    const char *path = sample_path("u.h5");
    error e = {.status = WEFT_OK};
    weft_status status = WEFT_OK;
    lock *l = NULL;
    char text[ERROR_TEXT_BYTES];
    char pid[64];
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chmod(sample_folder, 0755), 0);
    assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
    assert_int_equal(chmod(sample_path("u.h5.lock"), 0644), 0);
    take_as_nobody(path, &status, text);
    assert_int_equal(status, WEFT_ERR_BUSY);
    (void)snprintf(pid, sizeof pid, "in use by pid %ld on host", (long)getpid());
    assert_non_null(strstr(text, pid));
    assert_non_null(strstr(text, "of user 0"));
    assert_int_equal(chmod(sample_path("u.h5.lock"), 0600), 0);
    take_as_nobody(path, &status, text);
    assert_int_equal(status, WEFT_ERR_BUSY);
    assert_non_null(strstr(text, "of user 0"));
    lock_release(l);
    take_as_nobody(path, &status, text);
    assert_int_equal(status, WEFT_ERR_USAGE);
    assert_non_null(strstr(text, "u.h5 cannot be made"));
    assert_non_null(strstr(text, "Permission denied"));
    assert_null(strstr(text, ".lock"));
    end_holder(start_holder(path));
    assert_int_equal(chmod(sample_path("u.h5.lock"), 0644), 0);
    take_as_nobody(path, &status, text);
    assert_int_equal(status, WEFT_ERR_USAGE);
    assert_non_null(strstr(text, "was in use by pid"));
}

/* Somebody has removed the lock file of a live run: it comes back, unless it is another's now. */
static void test_removed_under_its_holder(void **state)
{
    (void)state;
    const char *path = sample_path("r.h5");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    lock *second = NULL;
    char text[256];
    bool lost = false;
    assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
    assert_int_equal(unlink(sample_path("r.h5.lock")), 0);
    assert_false(lock_holder(path, text, sizeof text));
    assert_int_equal(lock_touch(l, &lost, &e), WEFT_OK);
    assert_true(lost);
    assert_true(lock_holder(path, text, sizeof text));
    assert_int_equal(lock_take(path, &second, &e), WEFT_ERR_BUSY);
    assert_int_equal(unlink(sample_path("r.h5.lock")), 0);
    assert_int_equal(lock_take(path, &second, &e), WEFT_OK);
    assert_int_equal(lock_touch(l, &lost, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "another run"));
    lock_release(l);
    assert_true(sample_exists(sample_path("r.h5.lock")));
    lock_release(second);
    assert_false(sample_exists(sample_path("r.h5.lock")));
}

/* The words are about what was asked for, and not about a file that nobody has heard of. */
static void test_no_folder(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    assert_int_equal(lock_take(sample_path("none/a.h5"), &l, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "none/a.h5 cannot be made"));
    assert_null(strstr(e.text, ".lock"));
    sample_write(sample_path("file"), "", 0);
    assert_int_equal(lock_take(sample_path("file/a.h5"), &l, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "file/a.h5 cannot be made"));
    char *path = malloc(5000);
    memset(path, 'x', 4999);
    path[4999] = '\0';
    assert_int_equal(lock_take(path, &l, &e), WEFT_ERR_USAGE);
    assert_null(l);
    char text[8];
    assert_false(lock_holder(path, text, sizeof text));
    free(path);
}

static void test_without_locks(void **state)
{
    (void)state;
    no_locks = true;
    test_take_and_release(state);
    test_second_taker_is_refused(state);
    test_lock_of_another_process(state);
    test_removed_under_its_holder(state);
}

/* A process that cannot be seen from here lives as long as it touches its file, whatever the time
 * is on this host. */
static void test_process_elsewhere(void **state)
{
    (void)state;
    static const char line[] =
        "host elsewhere pid 1 started 1 since 2026-01-31T12:34:56Z in 0123-4567 4026531836\n";
    const char *path = sample_path("e.h5.lock");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    no_locks = true;
    sample_write(path, line, sizeof line - 1);
    skew_s = 3600;
    assert_int_equal(lock_take(sample_path("e.h5"), &l, &e), WEFT_ERR_BUSY);
    assert_non_null(strstr(e.text, "pid 1 on host elsewhere"));
    skew_s = 0;
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    const struct timespec past[] = {{.tv_sec = file.st_mtim.tv_sec - 100},
                                    {.tv_sec = file.st_mtim.tv_sec - 100}};
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    skew_s = -3600;
    assert_int_equal(lock_take(sample_path("e.h5"), &l, &e), WEFT_OK);
    skew_s = 0;
    assert_int_equal(lock_take(sample_path("e.h5"), &l, &e), WEFT_ERR_BUSY);
    lock_release(l);
    assert_false(sample_exists(path));
}

/* Of many that want it at a time, never two have it. */
static void test_never_two_at_a_time(void **state)
{
    (void)state;
    enum { CHILDREN = 4, ROUNDS = 200 };
    const char *path = sample_path("d.h5");
    const char *inside = sample_path("d.inside");
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            (void)alarm(LIMIT_S);
            for (int round = 0; round < ROUNDS; round++) {
                error e = {.status = WEFT_OK};
                lock *l = NULL;
                if (lock_take(path, &l, &e) != WEFT_OK) {
                    continue;
                }
                const int fd = open(inside, O_CREAT | O_EXCL | O_WRONLY, 0666);
                if (fd < 0 || unlink(inside) != 0) {
                    _exit(1);
                }
                (void)close(fd);
                lock_release(l);
            }
            _exit(0);
        }
    }
    int failed = 0;
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;
        (void)waitpid(children[i], &status, 0);
        failed += status != 0;
    }
    assert_int_equal(failed, 0);
}

enum { RACERS = 4, RACES = 400 };

/* What the racers share. */
typedef struct track {
    pthread_barrier_t ready; /* the file lies there */
    pthread_barrier_t over;  /* all have tried */
    pthread_barrier_t clear; /* the winner has let go */
    atomic_int winners;
    atomic_int refused;
} track;

static void race(track *t, const char *path)
{
    (void)alarm(LIMIT_S);
    for (int i = 0; i < RACES; i++) {
        error e = {.status = WEFT_OK};
        lock *l = NULL;
        (void)pthread_barrier_wait(&t->ready);
        const weft_status status = lock_take(path, &l, &e);
        atomic_fetch_add(&t->winners, status == WEFT_OK);
        atomic_fetch_add(&t->refused, status == WEFT_ERR_BUSY);
        (void)pthread_barrier_wait(&t->over);
        lock_release(l);
        (void)pthread_barrier_wait(&t->clear);
    }
    _exit(0);
}

/* Puts the line of a dead run there, and of one that died as it took over from that. */
static void put_dead(const char *name, const unsigned char *line, size_t count, int round)
{
    struct stat file;
    char heir[SAMPLE_PATH_BYTES + 32];
    (void)unlink(name);
    sample_write(name, line, count);
    if (round % 3 == 1 && stat(name, &file) == 0) {
        (void)snprintf(heir, sizeof heir, "%s.%lx", name, (unsigned long)file.st_ino);
        sample_write(heir, line, count);
    }
}

static bool is_folder_clean(void)
{
    int files = 0;
    DIR *folder = opendir(sample_folder);
    for (struct dirent *each = readdir(folder); each != NULL; each = readdir(folder)) {
        files += each->d_name[0] != '.';
    }
    (void)closedir(folder);
    return files == 0;
}

/* Many find the lock of a dead run at the same time: exactly one gets it, the others hear of that
 * one, and nothing is left behind. */
static void check_race(bool with_reader)
{
    const char *path = sample_path("d.h5");
    const char *name = sample_path("d.h5.lock");
    size_t count = 0;
    no_locks = !with_reader;
    end_holder(start_holder(path));
    unsigned char *line = sample_read(name, &count);
    track *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t shared;
    assert_int_equal(pthread_barrierattr_init(&shared), 0);
    assert_int_equal(pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED), 0);
    assert_int_equal(pthread_barrier_init(&t->ready, &shared, RACERS + 1), 0);
    assert_int_equal(pthread_barrier_init(&t->over, &shared, RACERS + 1), 0);
    assert_int_equal(pthread_barrier_init(&t->clear, &shared, RACERS + 1), 0);
    pid_t racers[RACERS];
    for (int i = 0; i < RACERS; i++) {
        racers[i] = fork();
        if (racers[i] == 0) {
            race(t, path);
        }
    }
    int wrong = 0;
    for (int round = 0; round < RACES; round++) {
        put_dead(name, line, count, round);
        struct flock region = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        const int fd = open(name, O_RDONLY);
        wrong += with_reader && fcntl(fd, F_OFD_SETLK, &region) != 0;
        (void)pthread_barrier_wait(&t->ready);
        (void)pthread_barrier_wait(&t->over);
        wrong += atomic_exchange(&t->winners, 0) != 1;
        wrong += atomic_exchange(&t->refused, 0) != RACERS - 1;
        (void)pthread_barrier_wait(&t->clear);
        wrong += !is_folder_clean();
        (void)close(fd);
    }
    for (int i = 0; i < RACERS; i++) {
        (void)waitpid(racers[i], NULL, 0);
    }
    free(line);
    (void)munmap(t, sizeof *t);
    assert_int_equal(wrong, 0);
}

static void test_races_without_locks(void **state)
{
    (void)state;
    check_race(false);
}

static void test_races_with_a_reader(void **state)
{
    (void)state;
    log_set(LOG_ERROR, 0);
    check_race(true);
    log_set(LOG_INFO, 0);
}

static void test_never_two_without_locks(void **state)
{
    no_locks = true;
    test_never_two_at_a_time(state);
}

#define RESET_TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESET_TEST(test_take_and_release),
        RESET_TEST(test_second_taker_is_refused),
        RESET_TEST(test_lock_of_another_process),
        RESET_TEST(test_leftovers),
        RESET_TEST(test_foreign_content),
        RESET_TEST(test_no_file),
        RESET_TEST(test_read_lock_of_a_stranger),
        RESET_TEST(test_write_lock_of_a_stranger),
        RESET_TEST(test_lock_of_another_user),
        RESET_TEST(test_removed_under_its_holder),
        RESET_TEST(test_no_folder),
        RESET_TEST(test_never_two_at_a_time),
        RESET_TEST(test_without_locks),
        RESET_TEST(test_process_elsewhere),
        RESET_TEST(test_races_without_locks),
        RESET_TEST(test_races_with_a_reader),
        RESET_TEST(test_never_two_without_locks),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
