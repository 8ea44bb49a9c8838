/* SPDX-License-Identifier: BSD-3-Clause */
/* What one writes by hand over ranks: pieces from a counter that all ranks share, one at a time or
 * by factoring, or from a master that computes, too; every rank writes its own results. */
#include "output.h"
#include "report.h"

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NOTHING_LEFT = -1;

typedef struct team {
    const work *w;
    output out;
    int rank, ranks, threads;
    bool kept;       /* the results are written */
    int64_t pieces;  /* of the work */
    int64_t *starts; /* of the chunks, in pieces, and the end of the last */
    int64_t chunks;
    MPI_Win window;
    int64_t *counter;
} team;

static bool compute_chunk(const team *t, output_buffers *buffers, int64_t start, int64_t end)
{
    const int64_t first = start * t->w->piece, last = end * t->w->piece;
    const int64_t count = (last < t->w->items ? last : t->w->items) - first;
    if (t->kept) {
        return output_compute(&t->out, buffers, first, count);
    }
    t->w->compute(t->w, first, count, buffers->results);
    return true;
}

/* Chunks of one piece, or by factoring: batches of a chunk per worker, each half of what is left.
 * Every rank computes the same table, so that the counter is all they share. */
static bool plan_chunks(team *t, bool factoring)
{
    const int64_t workers = (int64_t)t->ranks * t->threads;
    int64_t start = 0, size = 1;
    t->starts = malloc((size_t)(t->pieces + 1) * sizeof *t->starts);
    if (t->starts == NULL) {
        return false;
    }
    for (t->chunks = 0; start < t->pieces; t->chunks++) {
        if (factoring && t->chunks % workers == 0) {
            size = (t->pieces - start + 2 * workers - 1) / (2 * workers);
        }
        t->starts[t->chunks] = start;
        start += size;
    }
    t->starts[t->chunks] = t->pieces;
    return true;
}

static int64_t next_chunk(const team *t)
{
    const int64_t one = 1;
    int64_t number = 0;
    (void)MPI_Fetch_and_op(&one, &number, MPI_INT64_T, 0, 0, MPI_SUM, t->window);
    (void)MPI_Win_flush(0, t->window);
    return number;
}

/* The number of items that this rank has computed; -1 on failure. */
static int64_t take_chunks(team *t)
{
    int64_t items = 0;
    bool good = true;
#pragma omp parallel num_threads(t->threads) default(none) shared(t) reduction(&& : good) \
    reduction(+ : items)
    {
        output_buffers buffers;
        good = output_allocate(&t->out, &buffers) && good;
        for (int64_t chunk = 0; chunk < t->chunks;) {
#pragma omp critical
            chunk = next_chunk(t);
            if (chunk < t->chunks) {
                const int64_t end = t->starts[chunk + 1] * t->w->piece;
                good = good && compute_chunk(t, &buffers, t->starts[chunk], t->starts[chunk + 1]);
                items += (end < t->w->items ? end : t->w->items) - t->starts[chunk] * t->w->piece;
            }
        }
        output_free(&buffers);
    }
    return good ? items : -1;
}

/* Answers the requests that are there, or waits for one; what the master still has is in *next. */
static int serve(const team *t, int64_t *next, int working, bool wait)
{
    int there = 1;
    MPI_Status from;
    while (working > 0) {
        if (!wait) {
            (void)MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
        }
        if (!there) {
            break;
        }
        const int64_t piece = *next < t->pieces ? (*next)++ : NOTHING_LEFT;
        (void)MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &from);
        (void)MPI_Send(&piece, 1, MPI_INT64_T, from.MPI_SOURCE, 1, MPI_COMM_WORLD);
        working -= piece < 0;
    }
    return working;
}

static int64_t lead(const team *t, output_buffers *buffers)
{
    int64_t next = 0, items = 0;
    int working = t->ranks - 1;
    bool good = true;
    while (next < t->pieces && good) {
        const int64_t piece = next++;
        good = compute_chunk(t, buffers, piece, piece + 1);
        items += t->w->items - piece * t->w->piece < t->w->piece ? t->w->items - piece * t->w->piece
                                                                 : t->w->piece;
        working = serve(t, &next, working, false);
    }
    (void)serve(t, &next, working, true);
    return good ? items : -1;
}

/* Asks for a piece before the one before is computed. */
static int64_t follow(const team *t, output_buffers *buffers)
{
    int64_t piece = 0, ahead = 0, items = 0;
    bool good = true;
    MPI_Request coming = MPI_REQUEST_NULL;
    (void)MPI_Send(NULL, 0, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
    (void)MPI_Recv(&piece, 1, MPI_INT64_T, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (; piece >= 0; piece = ahead) {
        (void)MPI_Irecv(&ahead, 1, MPI_INT64_T, 0, 1, MPI_COMM_WORLD, &coming);
        (void)MPI_Send(NULL, 0, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
        good = compute_chunk(t, buffers, piece, piece + 1) && good;
        items += t->w->items - piece * t->w->piece < t->w->piece ? t->w->items - piece * t->w->piece
                                                                 : t->w->piece;
        (void)MPI_Wait(&coming, MPI_STATUS_IGNORE);
    }
    return good ? items : -1;
}

static int64_t follow_master(team *t)
{
    output_buffers buffers;
    int64_t items = -1;
    if (output_allocate(&t->out, &buffers)) {
        items = t->rank == 0 ? lead(t, &buffers) : follow(t, &buffers);
    }
    output_free(&buffers);
    return items;
}

static void make_counter(team *t)
{
    (void)MPI_Win_allocate(t->rank == 0 ? (MPI_Aint)sizeof *t->counter : 0, sizeof *t->counter,
                           MPI_INFO_NULL, MPI_COMM_WORLD, &t->counter, &t->window);
    (void)MPI_Win_lock_all(MPI_MODE_NOCHECK, t->window);
    if (t->rank == 0) {
        *t->counter = 0;
        (void)MPI_Win_sync(t->window);
    }
}

static bool measure(const settings *s, team *t)
{
    const bool master = strcmp(s->action, "master") == 0;
    report r;
    if (!plan_chunks(t, strcmp(s->action, "factoring") == 0)) {
        return false;
    }
    make_counter(t);
    (void)MPI_Barrier(MPI_COMM_WORLD);
    report_begin(&r);
    bool good = output_open(&t->out, t->w);
    const int64_t items = master ? follow_master(t) : take_chunks(t);
    good = output_close(&t->out) && good && items >= 0;
    good = report_end(&r, t->rank, items, t->w->items, (double)NAN) && good;
    (void)MPI_Win_unlock_all(t->window);
    (void)MPI_Win_free(&t->window);
    free(t->starts);
    return good;
}

int main(int argc, char **argv)
{
    settings s;
    work w;
    int provided = MPI_THREAD_SINGLE;
    (void)MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    bool good =
        provided >= MPI_THREAD_SERIALIZED && settings_read(&s, argc, argv) && work_open(&w, &s);
    if (good) {
        team t = {.w = &w,
                  .threads = (int)s.threads,
                  .kept = strcmp(s.action, "unkept") != 0,
                  .pieces = (w.items + w.piece - 1) / w.piece};
        (void)MPI_Comm_rank(MPI_COMM_WORLD, &t.rank);
        (void)MPI_Comm_size(MPI_COMM_WORLD, &t.ranks);
        good = measure(&s, &t);
    }
    (void)MPI_Finalize();
    return good ? 0 : 1;
}
