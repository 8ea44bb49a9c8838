/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions on sessions. */
#include "api/session.h"

#include "api/alike.h"
#include "api/deadline.h"
#include "api/drive.h"
#include "api/files.h"
#include "api/map.h"
#include "api/start.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "engine/run/run.h"
#include "host/host.h"
#include "host/outcome_file.h"
#include "host/signals.h"
#include "host/watchdog.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/version.h>

const char *weft_version(void)
{
    return WEFT_VERSION;
}

/* The command line as it was given, for the table of runs. */
static void keep_command(weft_session *s, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        number_append(s->command, sizeof s->command, "%s%s", i == 0 ? "" : " ", argv[i]);
    }
}

static const char *program_name(const weft_program *program, char **argv)
{
    if (program != NULL && program->name != NULL) {
        return program->name;
    }
    const char *slash = argv[0] == NULL ? NULL : strrchr(argv[0], '/');
    return slash != NULL ? slash + 1 : argv[0] == NULL ? "program" : argv[0];
}

/* In collective calls that follow each other a rank does not come only if it has died; but where a
 * program may do something of its own first, such as reading its input, that must be allowed to
 * take long. */
enum {
    START_OF_MPI_S = 300,
    STOP_IN_START_S = 5,
    START_LIMITS = 60,
    FINISH_LIMITS = 4,
    END_OF_MPI_LIMITS = 6
};

/* Where MPI's end has no limit, and where it has been told to stop. */
enum { NEVER_S = 1000000000, STOP_IN_END_S = 10 };

/* All that they hold has been written before. */
enum { CLOSE_FILES_S = 10 };

/* What has been sent is on its way by then. */
enum { FLUSH_NS = 1000000000 };

static void set_patience(const weft_session *s, comm *c, double limits)
{
    comm_set_patience(c, (int64_t)(1e9 * limits * s->options.run.dead_after_s));
}

void session_expect_all(const weft_session *s, comm *c)
{
    set_patience(s, c, START_LIMITS);
}

void session_allow_absence(const weft_session *s, comm *c)
{
    set_patience(s, c, comm_recovers() ? START_LIMITS : 0);
}

/* Within a limit: MPI waits for all ranks. Some implementations have handlers of their own. */
static weft_status meet_ranks(weft_session *s, int *argc, char ***argv)
{
    watchdog_set(START_OF_MPI_S, weft_status_exit(WEFT_ERR_MPI),
                 "weft: error: MPI has not started for 5 minutes; some rank may have died\n");
    watchdog_hurry(STOP_IN_START_S, weft_status_exit(WEFT_STOPPED),
                   "weft: told to stop while MPI was starting; run the same command again\n");
    launcher_claim claim;
    const bool several = launcher_claims_several(&claim);
    weft_status status =
        comm_open(argc, argv, s->program != NULL && s->program->mpi, &s->comm, &s->error);
    if (status == WEFT_OK && several && comm_size(s->comm) == 1) {
        status = alike_check_launcher(&claim, &s->error);
    }
    if (status == WEFT_OK) {
        status = alike_begin(s->comm, &s->error);
    }
    watchdog_clear();
    signals_take_back();
    return status;
}

/* A signal may have come to this rank alone. */
static weft_status heed_signal(weft_session *s)
{
    return signals_seen() == 0
               ? WEFT_OK
               : error_set(&s->error, WEFT_STOPPED,
                           "%s before the program had begun; run the same command again",
                           signals_name(signals_seen()));
}

/* Threads that drive maps that are started: as many on every rank, unless it has none, and who
 * waits drives them. Else one rank could wait long for another one to begin. Collective. */
static weft_status count_drivers(weft_session *s, int *drivers)
{
    const int ranks = comm_size(s->comm);
    const int mine = comm_multiple(s->comm) && s->placement.workers > 0 ? TEAM_LANES : 0;
    int *all = malloc((size_t)ranks * sizeof *all);
    weft_status status = comm_agree(
        s->comm, all != NULL ? WEFT_OK : error_memory(&s->error, "the threads of %d ranks", ranks),
        &s->error);
    if (status == WEFT_OK && all != NULL) {
        status = comm_gather(s->comm, &mine, sizeof mine, all, &s->error);
    }
    *drivers = mine;
    for (int rank = 0; rank < ranks && status == WEFT_OK && all != NULL; rank++) {
        *drivers = all[rank] < *drivers ? 1 : *drivers;
    }
    free(all);
    return status;
}

/* What drives maps: service threads, and what they speak in. Collective. */
static weft_status make_service(weft_session *s)
{
    int drivers = 0;
    weft_status status = count_drivers(s, &drivers);
    if (status == WEFT_OK) {
        /* Ranks that had fewer than others would keep them waiting. */
        const int least = comm_size(s->comm) == 1 && drivers > 1 ? 1 : drivers;
        status = service_create(drivers, least, &s->service, &s->error);
    }
    status = comm_agree(s->comm, status, &s->error);
    if (status == WEFT_OK) {
        status = comm_branch(s->comm, &s->main_comm, &s->error);
    }
    return status == WEFT_OK ? comm_branch(s->comm, &s->second_comm, &s->error) : status;
}

/* What is said of a status: what there is, if it is of that. */
static void error_of(weft_status status, error *e)
{
    if (status == WEFT_OK) {
        error_clear(e);
    } else if (e->status != status) {
        (void)error_set(e, status, "%s", weft_status_text(status));
    }
}

static weft_status open_session(weft_session *s, int *argc, char ***argv,
                                const weft_program *program)
{
    const int64_t start_ns = clock_now_ns();
    s->program = program;
    (void)snprintf(s->name, sizeof s->name, "%s", program_name(program, *argv));
    keep_command(s, *argc, *argv);
    weft_status status = meet_ranks(s, argc, argv);
    if (status != WEFT_OK) {
        return status;
    }
    status = options_read(&s->options, program, argc, *argv, &s->error);
    if (status == WEFT_OK) {
        status = heed_signal(s);
    }
    session_expect_all(s, s->comm);
    status = alike_settle(s->comm, program, status, &s->options, &s->texts, &s->error);
    log_set(s->options.log, comm_rank(s->comm));
    if (status == WEFT_STOPPED && comm_rank(s->comm) == 0) {
        log_print(LOG_WARNING, "%s", s->error.text);
    }
    if (status == WEFT_OK && (s->options.help || s->options.version)) {
        if (comm_rank(s->comm) == 0) {
            status = (s->options.help ? options_print_help
                                      : options_print_version)(program, s->name, &s->error);
        }
        return status == WEFT_OK ? WEFT_HELP_SHOWN : status;
    }
    if (comm_rank(s->comm) == 0) {
        options_warn_of_variables();
    }
    if (status == WEFT_OK) {
        s->options.run.command = s->command;
        s->options.run.deadline_ns =
            comm_rank(s->comm) == 0 ? deadline_find(&s->options, start_ns) : 0;
        status = placement_settle(s->comm, s->options.threads, &s->placement, &s->error);
        status = comm_agree(s->comm, status, &s->error);
        status = status == WEFT_OK ? make_service(s) : status;
    }
    if (status == WEFT_OK && comm_rank(s->comm) == 0) {
        outcome_file_mark(OUTCOME_BEGUN, "");
    }
    return status;
}

weft_status weft_init(int *argc, char ***argv, const weft_program *program, weft_session **session)
{
    host_occupy_streams();
    signals_begin();
    weft_session *s = calloc(1, sizeof *s);
    *session = s;
    if (s == NULL) {
        return WEFT_ERR_MEMORY;
    }
    const weft_status status = open_session(s, argc, argv, program);
    if (status != WEFT_OK) {
        error_of(status, &s->error);
        s->failed = s->error;
    }
    return status;
}

/* If a rank has died since, or ranks have made different calls, every rank keeps what it has. */
static weft_status agree_to_finish(const weft_session *s, weft_status own, error *e)
{
    error agreed = *e;
    comm *c = s->comm;
    weft_status status = own;
    if (s->started && !comm_diverged(s->main_comm)) {
        error leaving;
        (void)error_set(
            &leaving, own != WEFT_OK ? own : WEFT_ERR_USAGE,
            "rank %d has called weft_finish(), and others wait for it in another map%s%s",
            comm_rank(c), own != WEFT_OK ? ": " : "", own != WEFT_OK ? e->text : "");
        comm_leave(s->main_comm, &leaving);
        set_patience(s, s->main_comm, comm_recovers() ? FINISH_LIMITS : 0);
        status = comm_agree_on(s->main_comm, "weft_finish()", NULL, own, &agreed);
    }
    if (!comm_diverged(c)) {
        status = comm_agree_on(c, "weft_finish()", NULL, status, &agreed);
    }
    if (comm_broken(c)) {
        return own;
    }
    *e = agreed;
    return status;
}

/* What all ranks end with; the text is that of the lowest rank that failed. */
static weft_status settle_ending(weft_session *s, weft_status status, error *e)
{
    error_clear(e);
    if (s->comm != NULL) {
        set_patience(s, s->comm, comm_recovers() ? FINISH_LIMITS : 0);
    }
    if (status != WEFT_OK) {
        *e = s->error;
        error_of(status, e);
    }
    return s->comm == NULL ? status : agree_to_finish(s, status, e);
}

static void end_mpi(weft_session *s, int exit_status)
{
    const unsigned limit = (unsigned)ceil(END_OF_MPI_LIMITS * s->options.run.dead_after_s);
    watchdog_set(limit > 0 ? limit : NEVER_S, exit_status, "");
    watchdog_hurry(STOP_IN_END_S, exit_status, "");
    comm_close(s->second_comm);
    comm_close(s->main_comm);
    comm_close(s->comm);
    watchdog_clear();
}

/* Their locks are on a disk that may not answer. */
static void close_files(weft_session *s, weft_status status)
{
    if (s->files == NULL) {
        return;
    }
    watchdog_set(CLOSE_FILES_S, weft_status_exit(status),
                 "weft: the disk has not answered while the locks of results were removed\n");
    for (session_file *f = s->files; f != NULL; f = f->next) {
        run_close_file(&f->file);
    }
    watchdog_clear();
}

/* The first map whose description has failed; NULL: none. */
static const weft_map *find_faulty(const weft_session *s)
{
    const weft_map *map = s->maps;
    while (map != NULL && map->fault.status == WEFT_OK) {
        map = map->next;
    }
    return map;
}

/* Maps that are under way come to their end, and stop if the program has failed. Whatever they come
 * to, or what is wrong with their description, is the program's end, unless it has one of its own.
 */
static weft_status end_maps(weft_session *s, weft_status status)
{
    const error own = s->error;
    const bool good = drive_is_good(status);
    const weft_map *faulty = find_faulty(s);
    weft_status maps = start_end_all(s, !good);
    if (faulty != NULL && drive_is_good(maps)) {
        s->error = faulty->fault;
        maps = faulty->fault.status;
    }
    while (s->maps != NULL) {
        weft_map_destroy(s->maps);
    }
    service_destroy(s->service);
    s->service = NULL;
    if (maps == WEFT_OK || !good || (maps == WEFT_ITEMS_FAILED && status == maps)) {
        s->error = own;
        return status;
    }
    return maps;
}

/* weft_finish() for a session that is there. */
static int finish(weft_session *session, weft_status status)
{
    error e;
    if (session->failed.status != WEFT_OK) {
        session->error = session->failed;
        status = session->failed.status;
    }
    status = end_maps(session, status);
    close_files(session, status);
    status = settle_ending(session, status, &e);
    const int exit_status = weft_status_exit(status);
    const bool speaker = session->comm == NULL || comm_rank(session->comm) == 0;
    /* How a run went, and the help text, have been said already. */
    if (speaker && error_is_failure(status)) {
        log_print(LOG_ERROR, "error: %s", e.text);
    }
    if (speaker || comm_broken(session->comm)) {
        outcome_file_mark_status(speaker ? "" : OUTCOME_ALONE, "", exit_status);
    }
    if (session->comm != NULL && comm_broken(session->comm)) {
        /* MPI would wait for a rank that has died. The living should still hear of the end. */
        comm_flush(session->comm, FLUSH_NS);
        (void)fflush(NULL);
        _exit(exit_status);
    }
    placement_clear(&session->placement);
    end_mpi(session, exit_status);
    files_free(session);
    free(session->texts);
    free(session);
    return exit_status;
}

int weft_finish(weft_session *session, weft_status status)
{
    const int exit_status = session != NULL
                                ? finish(session, status)
                                : weft_status_exit(status == WEFT_OK ? WEFT_ERR_MEMORY : status);
    signals_end(exit_status);
    return exit_status;
}

const char *weft_error_text(const weft_session *session)
{
    return session == NULL ? "" : session->error.text;
}

weft_status weft_error(weft_session *session, weft_status status, const char *format, ...)
{
    va_list arguments;
    if (session == NULL) {
        return status;
    }
    va_start(arguments, format);
    (void)error_set_list(&session->error, status, format, arguments);
    va_end(arguments);
    return status;
}

int weft_session_rank(const weft_session *session)
{
    return session == NULL || session->comm == NULL ? 0 : comm_rank(session->comm);
}

int weft_session_ranks(const weft_session *session)
{
    return session == NULL || session->comm == NULL ? 1 : comm_size(session->comm);
}

int weft_session_workers(const weft_session *session)
{
    return session == NULL ? 0 : session->placement.workers;
}

uint64_t weft_session_seed(const weft_session *session)
{
    return session == NULL ? 0 : (uint64_t)session->options.run.seed;
}

bool weft_session_stopping(const weft_session *session)
{
    (void)session;
    return signals_seen() != 0;
}

weft_status weft_agree(weft_session *session, weft_status status)
{
    if (session == NULL) {
        return WEFT_ERR_MEMORY;
    }
    if (session->failed.status != WEFT_OK) {
        session->error = session->failed;
        return session->failed.status;
    }
    error_of(status, &session->error);
    /* A map that is under way has its own communicator. */
    comm *c = session->started ? session->main_comm : session->comm;
    session_allow_absence(session, c);
    /* Without those that have died, what the run came to is all there is to agree on. */
    return comm_broken(c) ? status
                          : comm_agree_on(c, "weft_agree()", NULL, status, &session->error);
}
