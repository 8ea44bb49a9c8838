/* SPDX-License-Identifier: BSD-3-Clause */
/* weft-bench: what weft costs, next to what people would use or write without it. */
#include "plan.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct request {
    const char *only; /* NULL: all */
    const char *json;
    const char *folder;
    plan_sizes sizes;
    int child; /* the measurement to do in this process; -1: it starts the others */
    int pipe;
} request;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static void print_help(void)
{
    (void)printf(
        "Usage: weft-bench [OPTION]...\n"
        "Measures what weft costs, next to what one would use or write without it. Run it alone,\n"
        "without mpirun; WEFT_THREADS or OMP_NUM_THREADS set the number of workers.\n\n"
        "  --only NAME,NAME...  of span, mandelbrot, coast, write, start (all)\n"
        "  --repeat N           how often each side is measured (5);\n"
        "                       span and write three times as often, since they are short\n"
        "  --dir DIR            where the files are written, up to 1 GB (.)\n"
        "  --json FILE          gives the results to programs, too\n"
        "  --scale F            sizes times F, for a quick look (1)\n"
        "  --help               this text\n"
        "A goal that is missed is said to be, and changes nothing in the exit status.\n");
}

/* The next name of a list with commas: where it starts, and its length. */
static const char *next_name(const char *at, size_t *length)
{
    at += strspn(at, ",");
    *length = strcspn(at, ",");
    return at;
}

static bool is_name(const char *at, size_t length, const char *name)
{
    return strlen(name) == length && strncmp(at, name, length) == 0;
}

static bool is_chosen(const request *wish, const char *name)
{
    size_t length = 0;
    bool found = !wish->only;
    for (const char *at = wish->only; at && *at && !found; at += length) {
        at = next_name(at, &length);
        found = is_name(at, length, name);
    }
    return found;
}

static bool knows_all(const char *only)
{
    size_t length = 0;
    bool known = true;
    for (const char *at = only; at && *at && known; at += length) {
        at = next_name(at, &length);
        known = length == 0;
        for (int i = 0; i < plan_count() && !known; ++i)
            known = is_name(at, length, plan_name(i));
    }
    return known;
}

/* A whole number, or -1. */
static int read_count(const char *text)
{
    char *end = NULL;
    const long value = strtol(text, &end, 10);
    return end != text && *end == '\0' && value >= 0 && value <= 1000000 ? (int)value : -1;
}

static double read_scale(const char *text)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(value) ? value : 0;
}

static bool take_option(request *wish, int letter)
{
    switch (letter) {
    case 'o':
        wish->only = optarg;
        return knows_all(optarg);
    case 'r':
        wish->sizes.repeat = read_count(optarg);
        return wish->sizes.repeat >= 1;
    case 'd':
        wish->folder = optarg;
        return true;
    case 'j':
        wish->json = optarg;
        return true;
    case 's':
        wish->sizes.scale = read_scale(optarg);
        return wish->sizes.scale > 0;
    case 'c':
        wish->child = read_count(optarg);
        return true;
    case 'p':
        wish->pipe = read_count(optarg);
        return true;
    default:
        return false;
    }
}

/* -1 to go on, or else the exit status. */
static int read_options(request *wish, int argc, char **argv)
{
    /* The last two are for the processes that this program starts. */
    static const struct option options[] = {
        {"only", required_argument, NULL, 'o'},
        {"repeat", required_argument, NULL, 'r'},
        {"dir", required_argument, NULL, 'd'},
        {"json", required_argument, NULL, 'j'},
        {"scale", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {"child", required_argument, NULL, 'c'},
        {"pipe", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    int letter = 0, index = 0;
    while ((letter = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (letter == 'h') {
            print_help();
            return 0;
        }
        if (!take_option(wish, letter)) {
            if (letter != '?')
                (void)fprintf(stderr, "weft-bench: --%s cannot be \"%s\"; see --help\n",
                              options[index].name, optarg);
            return 2;
        }
    }
    if (optind < argc)
        (void)fprintf(stderr, "weft-bench: unexpected argument \"%s\"; see --help\n", argv[optind]);
    return optind < argc ? 2 : -1;
}

static int count_workers(void)
{
    const char *text = getenv("WEFT_THREADS");
    const int given = text ? read_count(text) : 0;
    return given > 0 ? given : omp_get_max_threads();
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "weft-bench: %s: %s\n", what, strerror(errno));
    return 1;
}

/* Whatever a measurement may have left behind when it was interrupted goes as well. */
static void remove_scratch(const char *name)
{
    DIR *folder = opendir(".");
    /* cppcheck-suppress readdirCalled ; nobody else reads this folder */
    for (struct dirent *entry = NULL; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            (void)unlink(entry->d_name);
    if (folder)
        (void)closedir(folder);
    if (chdir("..") == 0)
        (void)rmdir(name);
}

static int measure_all(const request *wish, table *t)
{
    const struct sigaction action = {.sa_handler = on_signal};
    char scratch[] = "weft-bench-XXXXXX";
    bool good = true;
    if (chdir(wish->folder) != 0 || !mkdtemp(scratch) || chdir(scratch) != 0)
        return fail(wish->folder);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    table_begin(t, omp_get_num_procs(), &wish->sizes);
    for (int i = 0; i < plan_count() && !interrupted; ++i)
        if (is_chosen(wish, plan_name(i)))
            good = plan_start(i, &wish->sizes, t) && good;
    table_end(t);
    remove_scratch(scratch);
    return interrupted ? 128 + interrupted : !good;
}

int main(int argc, char **argv)
{
    request wish = {.folder = ".", .sizes = {.repeat = 5, .scale = 1}, .child = -1};
    table t = {0};
    int status = read_options(&wish, argc, argv);
    if (status >= 0)
        return status;
    if (wish.child >= 0)
        return plan_measure(wish.child, &wish.sizes, wish.pipe);
    wish.sizes.workers = count_workers();
    if (wish.json && !(t.json = fopen(wish.json, "we")))
        return fail(wish.json);
    status = measure_all(&wish, &t);
    if (t.json && fclose(t.json) != 0)
        return fail(wish.json);
    return status;
}
