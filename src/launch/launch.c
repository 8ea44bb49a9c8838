/* SPDX-License-Identifier: BSD-3-Clause */
/* `weft run`: from the command line to the mpirun line. */
#define _GNU_SOURCE 1
#include "launch/launch.h"

#include "base/number.h"
#include "host/host.h"
#include "launch/allocation.h"
#include "launch/folder.h"
#include "launch/message.h"
#include "launch/openmpi.h"
#include "launch/rank.h"
#include "launch/remote.h"
#include "launch/request.h"
#include "launch/spawn.h"
#include "launch/supervise.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NO_PROGRAM = 127 };

typedef struct launch {
    request asked;
    allocation slurm;
    hosts hosts;
    openmpi_run run;
    char *self;
    char *parent; /* of the run's folder */
} launch;

static weft_status find_mpirun(launch *l, error *e)
{
    static char mpirun[] = "mpirun", version[] = "--version";
    char *const line[] = {mpirun, version, NULL};
    int status = 0;
    char *text = spawn_read(line, &status);
    const weft_status found =
        status == NO_PROGRAM && *text == '\0'
            ? error_set(e, WEFT_ERR_SYSTEM,
                        "there is no mpirun in $PATH; Open MPI 4.1 or 5 is needed")
            : openmpi_read_version(text, &l->run.version, e);
    free(text);
    return found;
}

static weft_status read_host_file(launch *l, error *e)
{
    char *line = NULL;
    size_t room = 0;
    weft_status status = WEFT_OK;
    FILE *file = fopen(l->asked.host_file, "re");
    if (file == NULL) {
        return error_set(e, WEFT_ERR_USAGE, "--hostfile: %s cannot be read: %s", l->asked.host_file,
                         strerror(errno));
    }
    while (status == WEFT_OK && getline(&line, &room, file) > 0) {
        status = hosts_read_line(&l->hosts, line, e);
    }
    free(line);
    (void)fclose(file);
    return status;
}

/* The first hardware thread of a core; the thread itself if that is not known. */
static int first_of_core(int thread)
{
    char text[16];
    const char *at = text;
    uint64_t first = HOST_MOST_CORES;
    (void)host_read_file(text, sizeof text,
                         "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", thread);
    (void)number_take(&at, &first);
    return first < HOST_MOST_CORES ? (int)first : thread;
}

/* The cores that this process may use; hardware threads of one core count once. */
static int count_cores(void)
{
    host_cores usable;
    host_cores cores;
    memset(&cores, 0, sizeof cores);
    host_get_cores(&usable);
    for (int i = 0; i < HOST_MOST_CORES; i++) {
        if (host_has_core(&usable, i)) {
            host_add_core(&cores, first_of_core(i));
        }
    }
    const int count = host_count_cores(&cores);
    return count > 0 ? count : 1;
}

static weft_status add_this_host(launch *l, error *e)
{
    char cores[16];
    (void)snprintf(cores, sizeof cores, "%d", count_cores());
    return hosts_add(&l->hosts, "localhost", cores, e);
}

static weft_status find_hosts(launch *l, error *e)
{
    weft_status status;
    if (l->asked.host_list != NULL) {
        status = hosts_read_list(&l->hosts, l->asked.host_list, e);
    } else if (l->asked.host_file != NULL) {
        status = read_host_file(l, e);
    } else if (l->slurm.job != NULL) {
        status = hosts_read_slurm(&l->hosts, l->slurm.nodes, l->slurm.cores, e);
    } else {
        status = add_this_host(l, e);
    }
    if (status == WEFT_OK && l->hosts.count == 0) {
        return error_set(e, WEFT_ERR_USAGE, "no hosts are named");
    }
    return status;
}

/* As many ranks on each host as the Slurm job asked for, or as evenly as can be: an interactive
 * step may have fewer hosts than its job. */
static void share_ranks(launch *l)
{
    const bool by_slurm = l->asked.ranks == 0 && l->asked.host_list == NULL &&
                          l->asked.host_file == NULL && l->slurm.tasks != NULL &&
                          number_read_count(l->slurm.tasks, 1, &l->run.ranks);
    if (!by_slurm) {
        l->run.ranks = l->asked.ranks > 0 ? l->asked.ranks : l->hosts.count;
    }
    if (!by_slurm || !hosts_share_as_slurm(&l->hosts, l->slurm.tasks_of_node)) {
        hosts_share(&l->hosts, l->run.ranks);
    }
}

/* Whether it is an address of this host: no other can be bound. Some systems give a host's own name
 * an address, such as 127.0.1.1, that no interface has. */
static bool is_mine(const struct addrinfo *of)
{
    const int fd = socket(of->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool mine = fd >= 0 && bind(fd, of->ai_addr, of->ai_addrlen) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return mine;
}

static int find_by_address(const hosts *h)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    int found = -1;
    for (int i = 0; i < h->count && found < 0; i++) {
        struct addrinfo *of = NULL;
        if (getaddrinfo(h->row[i].name, NULL, &wanted, &of) == 0) {
            found = is_mine(of) ? i : -1;
            freeaddrinfo(of);
        }
    }
    return found;
}

/* That is where mpirun begins, wherever this host is named; so rank 0 is always on the first. */
static void put_this_host_first(launch *l)
{
    char name[HOST_NAME_BYTES];
    host_name(name);
    int here = hosts_find(&l->hosts, name);
    if (here < 0 && l->hosts.count > 1) {
        here = find_by_address(&l->hosts);
    }
    if (here > 0) {
        hosts_to_front(&l->hosts, here);
    }
}

/* A rank finds by itself how many of its host's cores are its share. A Slurm job may have fewer. */
static void count_workers(launch *l)
{
    l->run.workers = l->asked.workers;
    if (l->run.workers == 0 && l->slurm.job != NULL &&
        (l->slurm.cores_of_task == NULL ||
         !number_read_count(l->slurm.cores_of_task, 1, &l->run.workers))) {
        l->run.workers = hosts_least_share(&l->hosts);
    }
}

static bool is_program(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 && S_ISREG(is.st_mode) && access(path, X_OK) == 0;
}

/* Whether a name without a slash is found in $PATH. */
static bool is_in_path(const char *name)
{
    const char *path = getenv("PATH");
    bool found = false;
    for (const char *at = path == NULL ? "/usr/bin:/bin" : path; !found;) {
        const size_t length = strcspn(at, ":");
        char *file = words_text("%.*s%s%s", (int)length, at, length > 0 ? "/" : "./", name);
        found = is_program(file);
        free(file);
        if (at[length] == '\0') {
            break;
        }
        at += length + 1;
    }
    return found;
}

static int find_program(launch *l)
{
    char **name = &l->asked.program[0];
    const bool bare = strchr(*name, '/') == NULL && **name != '\0';
    if (bare ? is_in_path(*name) : is_program(*name)) {
        return REQUEST_GO_ON;
    }
    if (bare && is_program(*name)) {
        *name = words_text("./%s", *name);
        return REQUEST_GO_ON;
    }
    return message_fail(NO_PROGRAM, "there is no program '%s' to be run", *name);
}

static void choose_remote_shell(const launch *l)
{
    static const char ssh[] = "ssh -x -o BatchMode=yes -o ConnectTimeout=10 "
                              "-o ServerAliveInterval=5 -o ServerAliveCountMax=3";
    static const char srun[] =
        "srun --overlap --no-kill --kill-on-bad-exit=0 --wait=0 --mpi=none --nodes=1 --ntasks=1 "
        "--input=none --quiet";
    if (l->asked.remote_shell != NULL) {
        (void)setenv(REMOTE_VARIABLE, l->asked.remote_shell, 1);
    }
    if (l->slurm.job != NULL) {
        (void)unsetenv("SRUN_CPUS_PER_TASK"); /* each daemon would get no more of its host */
    }
    const char *named = getenv(REMOTE_VARIABLE);
    if (named != NULL && *named != '\0') {
        return;
    }
    if (l->slurm.job == NULL) {
        (void)setenv(REMOTE_VARIABLE, ssh, 1);
        return;
    }
    /* Where Slurm binds no process, it complains of being told not to. */
    char *shell = words_text("%s%s", srun, allocation_binds_nothing() ? "" : " --cpu-bind=none");
    (void)setenv(REMOTE_VARIABLE, shell, 1);
    free(shell);
}

static bool is_writable_folder(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 && S_ISDIR(is.st_mode) && access(path, W_OK) == 0;
}

/* The folder of --out, as the program will see it, or that of $WEFT_OUT, or this one. */
static char *folder_of_result(char *const program[])
{
    const char *out = getenv("WEFT_OUT");
    for (int i = 1; program[i] != NULL; i++) {
        if (strncmp(program[i], "--out=", 6) == 0) {
            out = program[i] + 6;
        } else if (strcmp(program[i], "--out") == 0 && program[i + 1] != NULL) {
            out = program[i + 1];
        }
    }
    const char *slash = out == NULL ? NULL : strrchr(out, '/');
    char *parent = slash == NULL ? words_text(".")
                                 : words_text("%.*s", slash == out ? 1 : (int)(slash - out), out);
    if (!is_writable_folder(parent)) {
        free(parent);
        parent = words_text(".");
    }
    return parent;
}

static int find_parent(launch *l)
{
    char *named = l->asked.done_folder != NULL ? words_text("%s", l->asked.done_folder)
                                               : folder_of_result(l->asked.program);
    l->parent = is_writable_folder(named) ? realpath(named, NULL) : NULL;
    int status = REQUEST_GO_ON;
    if (l->parent == NULL) {
        status = message_fail(
            1, "%s is no folder that can be written to; --done-dir takes one that all hosts see",
            named);
    } else if (strchr(l->parent, '\n') != NULL) {
        status =
            message_fail(1, "%s: a line break is in its name; --done-dir takes another", named);
    }
    free(named);
    return status;
}

static int find_self(launch *l)
{
    l->self = realpath("/proc/self/exe", NULL);
    return l->self != NULL
               ? REQUEST_GO_ON
               : message_fail(1, "cannot find the program weft itself: %s", strerror(errno));
}

/* mpirun splits the remote shell at spaces, so then `weft` has to be found by its name. */
static void find_self_in_path(const launch *l)
{
    const char *path = getenv("PATH");
    if (strpbrk(l->self, " \t") != NULL) {
        char *longer = words_text("%.*s:%s", (int)(strrchr(l->self, '/') - l->self), l->self,
                                  path == NULL ? "/usr/bin:/bin" : path);
        (void)setenv("PATH", longer, 1);
        free(longer);
    }
}

static void compose_line(launch *l, const char *done, words *line)
{
    const bool in_slurm = l->slurm.job != NULL;
    openmpi_run *run = &l->run;
    run->hosts = &l->hosts;
    run->binds = run->workers > 0 && !in_slurm && hosts_are_filled(&l->hosts, run->workers);
    run->in_slurm = in_slurm;
    run->as_root = geteuid() == 0;
    run->talks = log_wants(LOG_DEBUG);
    run->self = l->self;
    run->done = done;
    run->options = l->asked.options;
    run->environment = environ;
    run->program = l->asked.program;
    openmpi_line(run, line);
}

static int print_line(launch *l)
{
    words line = {.count = 0};
    char *done = words_text("%s/.weft-run/status", l->parent);
    compose_line(l, done, &line);
    char *text = words_line(&line);
    (void)puts(text);
    free(text);
    free(done);
    words_free(&line);
    return fflush(stdout) == 0 ? 0 : 1;
}

static void say_what_runs(const launch *l, const words *line)
{
    char workers[48] = "";
    if (l->run.workers > 0) {
        (void)snprintf(workers, sizeof workers, " x %d worker%s", l->run.workers,
                       l->run.workers == 1 ? "" : "s");
    }
    message_print(LOG_INFO, "%s on %d rank%s%s, %d host%s, by Open MPI %s", l->asked.program[0],
                  l->run.ranks, l->run.ranks == 1 ? "" : "s", workers, l->hosts.count,
                  l->hosts.count == 1 ? "" : "s", l->run.version < 5 ? "4.1" : "5");
    if (log_wants(LOG_DEBUG)) {
        char *text = words_line(line);
        message_print(LOG_DEBUG, "%s", text);
        free(text);
    }
}

static int run(launch *l)
{
    folder f;
    error e = {.status = WEFT_OK};
    words line = {.count = 0};
    folder_remove_stale(l->parent);
    if (folder_make(&f, l->parent, &e) != WEFT_OK) {
        return message_fail(1, "%s", e.text);
    }
    compose_line(l, f.done, &line);
    say_what_runs(l, &line);
    (void)setenv("WEFT_DONE_FILE", f.done, 1);
    find_self_in_path(l);
    const int status = supervise(line.word, &l->hosts, &f, &l->asked);
    folder_remove(&f);
    words_free(&line);
    return status;
}

/* Everything that may refuse comes before there is a folder. */
static int prepare(launch *l, char *arguments[])
{
    error e = {.status = WEFT_OK};
    int status = request_read(&l->asked, arguments);
    if (status != REQUEST_GO_ON) {
        return status;
    }
    spawn_forget(openmpi_is_identity);
    allocation_find(&l->slurm);
    if (find_mpirun(l, &e) != WEFT_OK || find_hosts(l, &e) != WEFT_OK) {
        return message_fail(e.status == WEFT_ERR_USAGE ? 2 : 1, "%s%s", e.text,
                            e.status == WEFT_ERR_USAGE ? "; weft run --help says more" : "");
    }
    share_ranks(l);
    put_this_host_first(l);
    count_workers(l);
    status = find_program(l);
    if (status == REQUEST_GO_ON) {
        status = find_self(l);
    }
    if (status == REQUEST_GO_ON) {
        status = find_parent(l);
    }
    return status;
}

static int launch_all(char *arguments[])
{
    launch l = {.self = NULL};
    supervise_hold_signals();
    int status = prepare(&l, arguments);
    if (status == REQUEST_GO_ON) {
        choose_remote_shell(&l);
        status = l.asked.dry_run ? print_line(&l) : run(&l);
    }
    words_free(&l.asked.options);
    hosts_free(&l.hosts);
    free(l.self);
    free(l.parent);
    return status;
}

int launch_run(char *arguments[])
{
    host_occupy_streams();
    if (arguments[0] != NULL && strcmp(arguments[0], "--rank") == 0 && arguments[1] != NULL) {
        return rank_run(arguments + 1);
    }
    if (arguments[0] != NULL && strcmp(arguments[0], "--remote") == 0) {
        return remote_run(arguments + 1);
    }
    return launch_all(arguments);
}
