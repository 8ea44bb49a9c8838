/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the command line. */
#include "request.h"

#include "base/number.h"
#include "base/terminal.h"
#include "plan.h"
#include "workload.h"

#include <getopt.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

static const char before[] = "weft-bench: ";

static void print_help(void)
{
    (void)printf(
        "Usage: weft-bench [OPTION]...\n"
        "Measures what weft costs, next to what one would use or write without it. Run it alone,\n"
        "without mpirun; WEFT_THREADS or OMP_NUM_THREADS set the number of workers.\n\n"
        "  --only NAME,NAME...  of\n"
        "      span             an empty span, and an iteration of OpenMP's dynamic loop\n"
        "      mandelbrot       the loop, and the same written by hand with OpenMP and HDF5\n"
        "      coast            the same\n"
        "      write            the store, and pwrite()\n"
        "      isolate          tasks computed in children of the workers, and by the workers\n"
        "      start            the start of a large job, and its resumption\n"
        "      metg             the smallest task that runs at half of the peak rate, in a rank\n"
        "                       and over ranks, and that of three loops written by hand\n"
        "      handout          a chunk's way to another rank, and the same loops over ranks\n"
        "    and, since they take minutes, only if named,\n"
        "      schedule         every technique on every workload\n"
        "      slow             every technique with one rank slowed down: something else\n"
        "                       computes on its cores; it is stopped half of the time\n"
        "      scaling          strong and weak, over workers and over ranks\n"
        "  --repeat N           how often each side is measured (5);\n"
        "                       span and write three times as often, since they are short\n"
        "  --scale F            sizes times F, for a quick look (1)\n"
        "  --workload NAME,...  for schedule (all), slow and scaling (uniform); of\n               "
        "        ");
    for (int i = 0; workload_name(i) != NULL; i++) {
        (void)printf("%s%s",
                     i == 0       ? ""
                     : i % 4 == 0 ? ",\n                       "
                                  : ", ",
                     workload_name(i));
    }
    (void)printf(
        "\n"
        "  --technique NAME,... for schedule and slow (all), as --schedule of any program has\n"
        "  --ranks N            for metg and handout (2, and 4); for schedule and slow (a rank\n"
        "                       per core, up to 16, but at least 2; the cores are shared)\n"
        "  --slow-rank R        the rank that slow disturbs (the last)\n"
        "  --seed S             of the order in which techniques are measured (1)\n"
        "  --dir DIR            where the files are written, up to 1 GB (.)\n"
        "  --json FILE          gives the results to programs, too\n"
        "  --image FILE.png     draws what schedule and slow find\n"
        "  --help               this text\n"
        "  --version            which version of weft this is\n"
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

bool request_names(const char *list, const char *name)
{
    size_t length = 0;
    bool found = false;
    for (const char *at = list; at != NULL && *at && !found; at += length) {
        at = next_name(at, &length);
        found = is_name(at, length, name);
    }
    return found;
}

/* Whether each name of a list is one that name_of() gives for 0, 1, ... until it gives NULL. */
static bool knows_all(const char *list, const char *(*name_of)(int number))
{
    size_t length = 0;
    bool known = true;
    for (const char *at = list; *at && known; at += length) {
        at = next_name(at, &length);
        known = length == 0;
        for (int i = 0; !known && name_of(i) != NULL; i++) {
            known = is_name(at, length, name_of(i));
        }
    }
    return known;
}

static bool take_list(const char **list, const char *(*name_of)(int number))
{
    *list = optarg;
    return knows_all(optarg, name_of);
}

static bool take_text(const char **text)
{
    *text = optarg;
    return true;
}

static bool take_option(request *wish, int letter)
{
    switch (letter) {
    case 'o':
        return take_list(&wish->only, plan_name);
    case 'w':
        return take_list(&wish->workloads, workload_name);
    case 't':
        return take_list(&wish->techniques, weft_schedule_name);
    case 'r':
        return number_read_count(optarg, 1, &wish->repeat);
    case 'n':
        return number_read_count(optarg, 2, &wish->ranks) && wish->ranks <= 4096;
    case 'l':
        return number_read_count(optarg, 0, &wish->slow_rank);
    case 'e':
        return number_read_count(optarg, 0, &wish->seed);
    case 'd':
        return take_text(&wish->folder);
    case 'j':
        return take_text(&wish->json);
    case 'i':
        return take_text(&wish->image);
    case 's':
        return number_read_double(optarg, &wish->scale) && wish->scale > 0;
    case 'c':
        return number_read_count(optarg, 0, &wish->child);
    case 'p':
        return take_text(&wish->pipe);
    default:
        return false;
    }
}

static int count_workers(void)
{
    const char *text = getenv("WEFT_THREADS");
    int given = 0;
    return text != NULL && number_read_count(text, 1, &given) ? given : omp_get_max_threads();
}

int request_read(request *wish, int argc, char **argv)
{
    /* The last two are for the processes that this program starts. */
    static const struct option options[] = {
        {"only", required_argument, NULL, 'o'},      {"workload", required_argument, NULL, 'w'},
        {"technique", required_argument, NULL, 't'}, {"repeat", required_argument, NULL, 'r'},
        {"ranks", required_argument, NULL, 'n'},     {"slow-rank", required_argument, NULL, 'l'},
        {"seed", required_argument, NULL, 'e'},      {"dir", required_argument, NULL, 'd'},
        {"json", required_argument, NULL, 'j'},      {"image", required_argument, NULL, 'i'},
        {"scale", required_argument, NULL, 's'},     {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},         {"child", required_argument, NULL, 'c'},
        {"pipe", required_argument, NULL, 'p'},      {NULL, 0, NULL, 0},
    };
    int letter = 0, index = 0;
    *wish = (request){.argc = argc,
                      .argv = argv,
                      .folder = ".",
                      .repeat = 5,
                      .scale = 1,
                      .slow_rank = -1,
                      .seed = 1,
                      .child = -1};
    opterr = 0;
    while ((letter = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (letter == 'h') {
            print_help();
            return 0;
        }
        if (letter == 'v') {
            (void)printf("weft-bench %s\n", weft_version());
            return 0;
        }
        if (!take_option(wish, letter)) {
            if (letter == '?') {
                terminal_print(before, "no such option, or not so: \"%s\"; see --help",
                               argv[optind - 1]);
            } else {
                terminal_print(before, "--%s cannot be \"%s\"; see --help", options[index].name,
                               optarg);
            }
            return 2;
        }
    }
    if (optind < argc) {
        terminal_print(before, "unexpected argument \"%s\"; see --help", argv[optind]);
    }
    wish->workers = count_workers();
    return optind < argc ? 2 : -1;
}
