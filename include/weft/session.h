/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The session: MPI, the options of the command line, and the text of the last error.
 *
 * Errors stay with what they are about, so that a program may look at the status of a run alone:
 *
 * @code
 * weft_init(&argc, &argv, &program, &session);
 * weft_map_create(session, "pi", 1, (int64_t[]){1000}, &map);
 * weft_map_add_field(map, "hits", WEFT_INT64, 0, NULL, "1", "hits");
 * return weft_finish(session, weft_map_run(map, count_hits, NULL));
 * @endcode
 *
 * Where weft_init() has failed there are no maps: weft_map_create() says NULL, calls with that do
 * nothing and return WEFT_ERR_USAGE, and weft_finish() ends as weft_init() has said. The first
 * error in the description of a map is returned by all that runs or reads the map, see
 * weft_map_create(), and by weft_finish() at the latest.
 */
#ifndef WEFT_SESSION_H
#define WEFT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/macros.h>
#include <weft/option.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/** A process's membership in a run: one per process, from weft_init() to weft_finish(). */
typedef struct weft_session weft_session;

/** What a program says of itself; weft adds its own options to the help text and the parsing. */
typedef struct weft_program {
    const char *name;        /**< the program's name, as in messages; NULL: argv[0] */
    const char *summary;     /**< one sentence for `--help` */
    const char *default_out; /**< the result's path when `--out` is not given; NULL: NAME.h5,
                                  after the map */
    const weft_option
        *options;          /**< the program's options, ended by one whose name is NULL; or NULL */
    const char *arguments; /**< what the help text calls the words that are no options, such as
                                "FILE..."; NULL: the program takes none, and one is an error */
    const char *version;   /**< the program's version, at most 63 characters, for `--version`, and
                                part of the identity of its results: a file of another version is
                                refused, so change it when the kernel computes other numbers. NULL:
                                none; of a file that another build has begun a warning is given */
    bool mpi; /**< the program calls MPI itself: weft_init() starts it in any case. Else
                   a process that no launcher has started does without MPI, which
                   takes half a second to start */
} weft_program;

/**
 * Starts MPI where that is needed, reads the options, and opens the session.
 *
 * MPI is started if a launcher (mpirun, srun, PMIx, PMI) has started this process, or @p program
 * says that it calls MPI (weft_program.mpi), unless the program has called MPI_Init_thread()
 * before, with MPI_THREAD_MULTIPLE, or MPI_THREAD_FUNNELED if no map is to go on by itself, see
 * weft_map_start(). A process that is started without a launcher is one
 * rank, and runs without MPI: the results are the same bytes.
 *
 * Weft's own options (`--out`, `--threads`, …, see weft_options_text()) are taken out of argv, and
 * so are those of @p program; an option that neither knows is an error. Words that are not options
 * stay in argv if @p program takes some. Without @p program, unknown options stay there too, for
 * the caller to read. Of weft's own options those of rank 0 hold for all ranks, also where they
 * come from the environment; but a rank that has been given `--threads` itself keeps to that.
 *
 * Also on failure the session is set (unless memory ran out), since it holds the error's text: hand
 * it to weft_finish() in every case. A program that does something of its own before its first map,
 * or without one, looks at the status first.
 *
 * From here on signals do not end the process but ask it to stop: SIGTERM, SIGINT, SIGUSR1,
 * SIGUSR2, SIGHUP unless it is ignored (nohup), and SIGXCPU, the soft limit on CPU time. They take
 * effect in weft_init() itself, in a map's run, and before the next map; what a program does in
 * between may ask weft_session_stopping(). A second SIGINT ends the process at once. A program's
 * own handlers for them are set aside until weft_finish(); one that it installs later is set aside
 * during a map's run. SIGPIPE and SIGXFSZ do nothing where they would end the process: the write
 * fails.
 *
 * @collective Over all processes of the job. Main thread only.
 * @param argc    in, out: the number of arguments
 * @param argv    in, out: the arguments
 * @param program what the program is; may be NULL; must live as long as the session
 * @param session out: the session, owned by the caller
 * @retval WEFT_OK          the session is open
 * @retval WEFT_STOPPED     a signal came before all processes had begun
 * @retval WEFT_HELP_SHOWN  `--help` or `--version` was asked for and has been printed on rank 0
 * @retval WEFT_ERR_USAGE   an unknown option, a word too many, a value that cannot be read, or
 *                          ranks that were started differently: with another version of weft,
 *                          another @p program, or other values of its options
 * @retval WEFT_ERR_SYSTEM  `--help` was asked for, and standard output takes nothing
 * @retval WEFT_ERR_MPI     MPI could not be started, as once it has been ended in this process
 * @retval WEFT_ERR_MEMORY  out of memory; @p session is NULL
 */
WEFT_API weft_status weft_init(int *argc, char ***argv, const weft_program *program,
                               weft_session **session);

/**
 * Reports an error, closes the session, ends MPI if weft_init() has started it, and gives what
 * main() should return.
 *
 * Maps that are under way are waited for, and what goes wrong with them is the program's status, if
 * it has not failed itself: if @p status is neither WEFT_OK nor WEFT_ITEMS_FAILED they are
 * cancelled first, see weft_map_cancel(). In the same way a map whose description has failed makes
 * the program fail. Whatever @p status is, a session that could not be opened ends as weft_init()
 * has said. Then all maps that are left are destroyed.
 *
 * An error is printed once, on stderr, by the lowest rank that knows its text.
 *
 * It does not return, but flushes all streams and ends the process with the exit status, where a
 * rank has died, for which MPI would wait for ever, and where the end of MPI takes more than six
 * times
 * `--dead-after`. So whatever a program has to do at its end it does before.
 *
 * Handlers that the program had before weft_init() are put back. Where it had none, further signals
 * are ignored up to the process's end if it was told to stop; else the next one ends it at once,
 * with status 75 after a complete run.
 *
 * @collective Over all processes of the job. Main thread only.
 * @param session the session, or NULL; it is freed
 * @param status  what the program came to
 * @return the exit status, see weft_status_exit()
 */
WEFT_API int weft_finish(weft_session *session, weft_status status);

/**
 * The text of the last error: what, where, and what to do about it.
 *
 * @local Main thread.
 * @param session the session, or NULL
 * @return text that lives until the next call with this session; "" if there was no error
 */
WEFT_API const char *weft_error_text(const weft_session *session);

/**
 * Puts an error of the program's own into the session, so that weft_finish() reports it. If only
 * some ranks may fail, weft_agree() must follow before the next collective call.
 *
 * @local Main thread.
 * @param session the session, or NULL
 * @param status  what kind of error it is
 * @param format  as for printf: what, where, and what to do
 * @return @p status
 */
WEFT_API weft_status weft_error(weft_session *session, weft_status status, const char *format, ...)
    WEFT_PRINTF(3, 4);

/**
 * This process's number, from 0.
 *
 * @local Any thread.
 * @param session an open session
 * @return the rank
 */
WEFT_API int weft_session_rank(const weft_session *session);

/**
 * How many processes the job has.
 *
 * @local Any thread.
 * @param session an open session
 * @return the number of ranks, at least 1
 */
WEFT_API int weft_session_ranks(const weft_session *session);

/**
 * How many workers this rank has. They begin with the first map that has something to compute,
 * serve all maps of the session and sleep in between. The main thread is free to open OpenMP
 * regions of its own there, and to fork, but the session is the parent's alone.
 *
 * @local Any thread.
 * @param session an open session
 * @return the number of threads that compute; 0 if the main thread itself does (`--threads 0`)
 */
WEFT_API int weft_session_workers(const weft_session *session);

/**
 * The seed of all its maps, as by `--seed`: with it any program computes an item's random numbers
 * again, see weft_random_init().
 *
 * @local Any thread.
 * @param session an open session
 * @return the seed
 */
WEFT_API uint64_t weft_session_seed(const weft_session *session);

/**
 * Whether a signal has asked this process to stop. For what a program does itself, before or after
 * its maps, and that takes long; a kernel asks weft_span_stopping().
 *
 * @local Any thread.
 * @param session an open session
 * @return true once a signal has come; other ranks may not have got one
 */
WEFT_API bool weft_session_stopping(const weft_session *session);

/**
 * Agrees on a status: every rank gets WEFT_OK only if every rank brought it, else the status of the
 * lowest rank that failed. For what a program does on its own between weft's calls, such as reading
 * its input. Maps that are under way go on meanwhile.
 *
 * @collective Over all processes of the job. Main thread only.
 * @param session an open session
 * @param status  what this rank came to
 * @return the common status; WEFT_ERR_USAGE if other ranks have made another collective call; the
 *         status of weft_init() if that has failed
 */
WEFT_API WEFT_NODISCARD weft_status weft_agree(weft_session *session, weft_status status);

/**
 * The help text on weft's own options, one line each.
 *
 * @local Any thread.
 * @return a static string
 */
WEFT_API const char *weft_options_text(void);

WEFT_END_DECLS

#endif
