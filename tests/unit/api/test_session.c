/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests sessions: weft's options and the program's, what is refused, and what main() returns. */
#include "fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* How a session with these words begins and ends; the error's text is copied. */
static weft_status try_words(const char *const words[], const weft_program *program, char text[512],
                             int *exit_status)
{
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    const weft_status status = fixture_open(words, program, &argc, &argv, &session);
    (void)snprintf(text, 512, "%.511s", weft_error_text(session));
    *exit_status = weft_finish(session, status);
    return status;
}

static void test_alone(void **state)
{
    (void)state;
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(fixture_open(WORDS("--log=error"), NULL, &argc, &argv, &session), WEFT_OK);
    assert_int_equal(weft_session_rank(session), 0);
    assert_int_equal(weft_session_ranks(session), 1);
    assert_true(weft_session_workers(session) >= 1);
    assert_string_equal(weft_error_text(session), "");
    assert_int_equal(argc, 1);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    assert_string_equal(weft_version(), WEFT_VERSION);
    assert_string_equal(weft_error_text(NULL), "");
}

static void test_foreign_words_stay(void **state)
{
    (void)state;
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(
        fixture_open(WORDS("--mine", "--log", "error", "word", "--threads=2", "-x", "--", "--seed"),
                     NULL, &argc, &argv, &session),
        WEFT_OK);
    assert_int_equal(argc, 5);
    assert_string_equal(argv[1], "--mine");
    assert_string_equal(argv[2], "word");
    assert_string_equal(argv[3], "-x");
    assert_string_equal(argv[4], "--seed");
    assert_null(argv[5]);
    assert_int_equal(weft_session_workers(session), 2);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
}

static void test_options_of_the_program(void **state)
{
    (void)state;
    int64_t width = 5;
    bool fast = false;
    const char *name = "none";
    double step = 0;
    const weft_option options[] = {
        {"width", "W", WEFT_OPTION_INT64, &width, "how wide"},
        {"fast", NULL, WEFT_OPTION_FLAG, &fast, "hurry"},
        {"name", "NAME", WEFT_OPTION_STRING, &name, "who"},
        {"step", "S", WEFT_OPTION_DOUBLE, &step, "how far"},
        {NULL, NULL, WEFT_OPTION_FLAG, NULL, NULL},
    };
    weft_program program = {.name = "tester", .options = options, .arguments = "FILE"};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(fixture_open(WORDS("--width", "3k", "--fast", "--name=a b", "--log=error",
                                        "--step", "0.5", "word"),
                                  &program, &argc, &argv, &session),
                     WEFT_OK);
    assert_int_equal(width, 3000);
    assert_true(fast);
    assert_string_equal(name, "a b");
    assert_true(step == 0.5);
    assert_int_equal(argc, 2);
    assert_string_equal(argv[1], "word");
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    char text[512];
    int exit_status = 0;
    assert_int_equal(try_words(WORDS("--widht=3"), &program, text, &exit_status), WEFT_ERR_USAGE);
    assert_non_null(strstr(text, "--widht=3"));
    assert_non_null(strstr(text, "did you mean --width?"));
    assert_int_equal(exit_status, 2);
    program.arguments = NULL;
    assert_int_equal(try_words(WORDS("--fast", "word"), &program, text, &exit_status),
                     WEFT_ERR_USAGE);
    assert_non_null(strstr(text, "'word'"));
    assert_int_equal(exit_status, 2);
    assert_int_equal(try_words(WORDS("--width=many"), &program, text, &exit_status),
                     WEFT_ERR_USAGE);
    assert_non_null(strstr(text, "--width"));
    assert_non_null(strstr(text, "many"));
    assert_int_equal(exit_status, 2);
}

static void test_bad_values(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"--threads=-1", "--threads"},
                                           {"--threads=65536", "--threads"},
                                           {"--threads=", "--threads"},
                                           {"--threads=two", "--threads"},
                                           {"--grain=0", "--grain"},
                                           {"--grain=-3", "--grain"},
                                           {"--seed=-1", "--seed"},
                                           {"--seed=9223372036854775808", "--seed"},
                                           {"--sync=-0.5", "--sync"},
                                           {"--sync=nan", "--sync"},
                                           {"--schedule=best", "best"},
                                           {"--progress=maybe", "--progress"},
                                           {"--log=loud", "--log"},
                                           {"--out=", "--out"},
                                           {"--out", "--out"},
                                           {"--fresh=perhaps", "--fresh"},
                                           {"--retry-failed=x", "--retry"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        int exit_status = 0;
        assert_int_equal(try_words(WORDS(cases[i][0]), NULL, text, &exit_status), WEFT_ERR_USAGE);
        assert_non_null(strstr(text, cases[i][1]));
        assert_int_equal(exit_status, 2);
    }
}

static void test_unknown_schedule_names_those_there_are(void **state)
{
    (void)state;
    char text[512];
    int exit_status = 0;
    assert_int_equal(try_words(WORDS("--schedule=best"), NULL, text, &exit_status), WEFT_ERR_USAGE);
    assert_non_null(strstr(text, "auto, static, ss, fsc, mfsc, gss"));
}

static int count_workers(const char *const words[])
{
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(fixture_open(words, NULL, &argc, &argv, &session), WEFT_OK);
    const int workers = weft_session_workers(session);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    return workers;
}

static void test_workers(void **state)
{
    (void)state;
    assert_int_equal(count_workers(WORDS("--log=error", "--threads=0")), 0);
    assert_int_equal(count_workers(WORDS("--log=error", "--threads=7")), 7);
    (void)setenv("OMP_NUM_THREADS", "5", 1);
    assert_int_equal(count_workers(WORDS("--log=error")), 5);
    (void)setenv("OMP_NUM_THREADS", "3,2", 1);
    assert_int_equal(count_workers(WORDS("--log=error")), 3);
    (void)setenv("WEFT_THREADS", "4", 1);
    assert_int_equal(count_workers(WORDS("--log=error")), 4);
    assert_int_equal(count_workers(WORDS("--log=error", "--threads=6")), 6);
    (void)unsetenv("WEFT_THREADS");
    (void)setenv("OMP_NUM_THREADS", "junk", 1);
    assert_true(count_workers(WORDS("--log=error")) >= 1);
    (void)unsetenv("OMP_NUM_THREADS");
}

static void test_bad_environment(void **state)
{
    (void)state;
    char text[512];
    int exit_status = 0;
    (void)setenv("WEFT_GRAIN", "coarse", 1);
    const weft_status status = try_words(WORDS("--log=error"), NULL, text, &exit_status);
    (void)unsetenv("WEFT_GRAIN");
    assert_int_equal(status, WEFT_ERR_USAGE);
    assert_non_null(strstr(text, "WEFT_GRAIN"));
    assert_int_equal(exit_status, 2);
}

/* What is printed on a standard stream while a session with these words opens and ends. */
static weft_status capture(int stream, const char *const words[], const weft_program *program,
                           char printed[8192], int *exit_status)
{
    char text[512];
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    (void)fflush(NULL);
    const int saved = dup(stream);
    (void)dup2(ends[1], stream);
    (void)close(ends[1]);
    const weft_status status = try_words(words, program, text, exit_status);
    (void)fflush(NULL);
    (void)dup2(saved, stream);
    (void)close(saved);
    const ssize_t got = read(ends[0], printed, 8191);
    printed[got > 0 ? got : 0] = '\0';
    (void)close(ends[0]);
    return status;
}

static void test_help(void **state)
{
    (void)state;
    int64_t width = 5;
    const weft_option options[] = {
        {"width", "W", WEFT_OPTION_INT64, &width, "how wide it is"},
        {NULL, NULL, WEFT_OPTION_FLAG, NULL, NULL},
    };
    const weft_program program = {.summary = "Tests much.", .options = options};
    char printed[8192];
    int exit_status = -1;
    assert_int_equal(
        capture(STDOUT_FILENO, WORDS("--help", "word"), &program, printed, &exit_status),
        WEFT_HELP_SHOWN);
    assert_int_equal(exit_status, 0);
    assert_non_null(strstr(printed, "tester"));
    assert_int_equal(setenv("WEFT_THREADS", "many", 1), 0);
    assert_int_equal(capture(STDOUT_FILENO, WORDS("--help"), &program, printed, &exit_status),
                     WEFT_HELP_SHOWN);
    assert_int_equal(capture(STDERR_FILENO, WORDS("--seed", "1"), &program, printed, &exit_status),
                     WEFT_ERR_USAGE);
    assert_non_null(strstr(printed, "WEFT_THREADS"));
    assert_int_equal(unsetenv("WEFT_THREADS"), 0);
    assert_int_equal(capture(STDOUT_FILENO, WORDS("--help"), &program, printed, &exit_status),
                     WEFT_HELP_SHOWN);
    assert_non_null(strstr(printed, "Tests much."));
    assert_non_null(strstr(printed, "--width W"));
    assert_non_null(strstr(printed, "how wide it is"));
    static const char *const ours[] = {"--out",          "--threads", "--schedule", "--grain",
                                       "--seed",         "--sync",    "--fresh",    "--progress",
                                       "--retry-failed", "--log",     "--help",     "--time-limit"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        assert_non_null(strstr(printed, ours[i]));
        assert_non_null(strstr(weft_options_text(), ours[i]));
    }
    int names = 0;
    for (const char *name = NULL; (name = weft_schedule_name(names)) != NULL; names++) {
        char line[160];
        (void)snprintf(line, sizeof line, "\n  %-8s %s\n", name, weft_schedule_text(names));
        assert_non_null(strstr(printed, line));
    }
    assert_true(names > 3);
    assert_null(weft_schedule_name(-1));
    assert_null(weft_schedule_name(INT_MAX));
    assert_null(weft_schedule_text(names));
}

static void test_version(void **state)
{
    (void)state;
    const weft_program program = {.version = "3.1"};
    char printed[8192];
    int exit_status = -1;
    assert_int_equal(capture(STDOUT_FILENO, WORDS("--version"), &program, printed, &exit_status),
                     WEFT_HELP_SHOWN);
    assert_string_equal(printed, "tester 3.1\nweft " WEFT_VERSION "\n");
    assert_int_equal(exit_status, 0);
    assert_int_equal(capture(STDOUT_FILENO, WORDS("--version"), NULL, printed, &exit_status),
                     WEFT_HELP_SHOWN);
    assert_string_equal(printed, "weft " WEFT_VERSION "\n");
}

static void test_strange_variables(void **state)
{
    (void)state;
    char printed[8192];
    int exit_status = -1;
    (void)setenv("WEFT_THREDS", "2", 1);
    (void)setenv("WEFT_VERSION", "of a module file", 1);
    assert_int_equal(capture(STDERR_FILENO, WORDS("--threads=1"), NULL, printed, &exit_status),
                     WEFT_OK);
    const char *warning = strstr(printed, "WARNING");
    assert_non_null(warning);
    assert_non_null(strstr(warning, "WEFT_THREDS"));
    assert_non_null(strstr(warning, "did you mean WEFT_THREADS?"));
    assert_null(strstr(warning + 1, "WARNING"));
    (void)unsetenv("WEFT_THREDS");
    assert_int_equal(capture(STDERR_FILENO, WORDS("--threads=1"), NULL, printed, &exit_status),
                     WEFT_OK);
    assert_null(strstr(printed, "WARNING"));
    (void)unsetenv("WEFT_VERSION");
}

static void test_errors_are_printed_once(void **state)
{
    (void)state;
    char printed[8192];
    int exit_status = -1;
    assert_int_equal(capture(STDERR_FILENO, WORDS("--threads=many"), NULL, printed, &exit_status),
                     WEFT_ERR_USAGE);
    assert_int_equal(exit_status, 2);
    const char *first = strstr(printed, "error: --threads: 'many' is not a whole number");
    assert_non_null(first);
    assert_null(strstr(first + 1, "error"));
    assert_null(strstr(printed, "MPI"));
}

static void test_error_of_the_program(void **state)
{
    (void)state;
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(fixture_open(WORDS("--log=error"), NULL, &argc, &argv, &session), WEFT_OK);
    assert_int_equal(weft_agree(session, WEFT_OK), WEFT_OK);
    assert_int_equal(weft_error(session, WEFT_ERR_NOT_FOUND, "no file %s", "a.txt"),
                     WEFT_ERR_NOT_FOUND);
    assert_string_equal(weft_error_text(session), "no file a.txt");
    assert_int_equal(weft_agree(session, WEFT_ERR_NOT_FOUND), WEFT_ERR_NOT_FOUND);
    assert_string_equal(weft_error_text(session), "no file a.txt");
    /* A status without a text gets its own. */
    assert_int_equal(weft_agree(session, WEFT_ERR_SYSTEM), WEFT_ERR_SYSTEM);
    assert_string_equal(weft_error_text(session), weft_status_text(WEFT_ERR_SYSTEM));
    assert_int_equal(weft_agree(session, WEFT_OK), WEFT_OK);
    assert_string_equal(weft_error_text(session), "");
    assert_int_equal(weft_finish(session, WEFT_ERR_NOT_FOUND), 2);
}

static void test_exit_statuses(void **state)
{
    (void)state;
    static const struct {
        weft_status status;
        int exit_status;
    } cases[] = {{WEFT_OK, 0},         {WEFT_ERR_USAGE, 2},  {WEFT_ERR_SYSTEM, 1},
                 {WEFT_STOPPED, 75},   {WEFT_HELP_SHOWN, 0}, {WEFT_ITEMS_FAILED, 3},
                 {(weft_status)77, 1}, {WEFT_ERR_BUSY, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int argc = 0;
        char **argv = NULL;
        weft_session *session = NULL;
        assert_int_equal(fixture_open(WORDS("--log=error"), NULL, &argc, &argv, &session), WEFT_OK);
        assert_int_equal(weft_finish(session, cases[i].status), cases[i].exit_status);
    }
    assert_int_equal(weft_finish(NULL, WEFT_OK), 1);
    assert_int_equal(weft_finish(NULL, WEFT_ERR_USAGE), 2);
}

static void own_handler(int number)
{
    (void)number;
}

/* A program's alarm() is its own, whatever weft watches meanwhile. */
static void test_alarm_of_the_program(void **state)
{
    (void)state;
    const struct sigaction mine = {.sa_handler = own_handler};
    struct sigaction before;
    struct sigaction found;
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(sigaction(SIGALRM, &mine, &before), 0);
    (void)alarm(1000);
    assert_int_equal(fixture_open(WORDS("--log=error"), NULL, &argc, &argv, &session), WEFT_OK);
    assert_in_range(alarm(1000), 1, 1000);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    assert_in_range(alarm(0), 1, 1000);
    assert_int_equal(sigaction(SIGALRM, &before, &found), 0);
    assert_true(found.sa_handler == own_handler);
}

static const char *path_of(weft_session *session)
{
    static char path[FIXTURE_PATH_BYTES];
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "job", 1, (int64_t[]){1}, &map), WEFT_OK);
    (void)snprintf(path, sizeof path, "%s", weft_map_path(map));
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, WEFT_OK), 0);
    return path;
}

static void test_path_of_the_result(void **state)
{
    (void)state;
    const weft_program program = {.default_out = "there.h5"};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    assert_int_equal(fixture_open(WORDS("--log=error"), NULL, &argc, &argv, &session), WEFT_OK);
    assert_string_equal(path_of(session), "job.h5");
    assert_int_equal(fixture_open(WORDS("--log=error"), &program, &argc, &argv, &session), WEFT_OK);
    assert_string_equal(path_of(session), "there.h5");
    assert_int_equal(
        fixture_open(WORDS("--log=error", "--out=a/b.h5"), &program, &argc, &argv, &session),
        WEFT_OK);
    assert_string_equal(path_of(session), "a/b.h5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_foreign_words_stay),
        cmocka_unit_test(test_options_of_the_program),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_unknown_schedule_names_those_there_are),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_bad_environment),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_strange_variables),
        cmocka_unit_test(test_errors_are_printed_once),
        cmocka_unit_test(test_error_of_the_program),
        cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_alarm_of_the_program),
        cmocka_unit_test(test_path_of_the_result),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
