/* SPDX-License-Identifier: BSD-3-Clause */
/* weft-bench: what weft costs, next to what people would use or write without it. */
#include "launch.h"

#include "base/terminal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char before[] = "weft-bench: ";

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static int fail(const char *what)
{
    terminal_print(before, "%s: %s", what, strerror(errno));
    return 1;
}

/* Whatever a measurement may have left behind when it was interrupted goes as well. */
static void remove_scratch(const char *name)
{
    DIR *folder = opendir(".");
    /* cppcheck-suppress readdirCalled ; nobody else reads this folder */
    for (struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            (void)unlink(entry->d_name);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    if (chdir("..") == 0) {
        (void)rmdir(name);
    }
}

static int measure_all(const request *wish, const plan *p, table *t)
{
    const struct sigaction action = {.sa_handler = on_signal};
    char scratch[] = "weft-bench-XXXXXX";
    bool good = true;
    if (chdir(wish->folder) != 0 || mkdtemp(scratch) == NULL || chdir(scratch) != 0) {
        return fail(wish->folder);
    }
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    table_begin(t, omp_get_num_procs(), wish);
    for (int i = 0; i < p->count && !interrupted; i++) {
        t->measurement = p->jobs[i].name;
        good = launch_job(wish, &p->jobs[i], i, t, &interrupted) && good;
    }
    table_end(t);
    remove_scratch(scratch);
    return interrupted ? 128 + interrupted : !good;
}

static int draw(const request *wish, const table *t)
{
    char error[PICTURE_ERROR_BYTES] = "out of memory for the picture";
    picture *image = grid_draw(&t->overview);
    const bool good = image != NULL && picture_write_png(image, wish->image, error);
    if (!good) {
        terminal_print(before, "%s", error);
    }
    picture_destroy(image);
    return !good;
}

/* What is wrong with the files that are asked for is said before the hours of measuring. */
static int prepare_files(const request *wish, table *t)
{
    char error[PICTURE_ERROR_BYTES];
    if (wish->image != NULL && !picture_path_usable(wish->image, error)) {
        terminal_print(before, "%s", error);
        return 2;
    }
    if (wish->json != NULL && (t->json = fopen(wish->json, "we")) == NULL) {
        return fail(wish->json);
    }
    return 0;
}

static int measure_into_files(const request *wish, const plan *p)
{
    table t = {0};
    const int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = home < 0 ? fail(".") : prepare_files(wish, &t);
    if (status == 0) {
        status = measure_all(wish, p, &t);
    }
    if (t.json != NULL && fclose(t.json) != 0) {
        status = fail(wish->json);
    }
    /* Paths are meant from where the program was started. */
    if (wish->image != NULL && t.overview.lines > 0 && fchdir(home) == 0 && draw(wish, &t) != 0) {
        status = 1;
    }
    if (home >= 0) {
        (void)close(home);
    }
    return status;
}

static int measure_here(const request *wish, const plan *p)
{
    return wish->child < p->count && wish->pipe != NULL
               ? launch_measure(wish, &p->jobs[wish->child])
               : 2;
}

int main(int argc, char **argv)
{
    request wish;
    int status = request_read(&wish, argc, argv);
    if (status >= 0) {
        return status;
    }
    plan *p = plan_create(&wish);
    if (p == NULL) {
        return fail("the plan");
    }
    status = wish.child >= 0 ? measure_here(&wish, p) : measure_into_files(&wish, p);
    plan_destroy(p);
    return status;
}
