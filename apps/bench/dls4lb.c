/* SPDX-License-Identifier: BSD-3-Clause */
/* The same over ranks with DLS4LB: by factoring or one item at a time, and every rank writes its
 * own results. Built only where WEFT_DLS4LB_DIR says where that library's source is. */
#include "output.h"
#include "report.h"

#include <math.h>
#include <mpi.h>
#include <string.h>

/* Its header uses MPI's names without including them. */
#include <DLS.h>

enum { PROBE = -1 };

static int64_t compute_loop(infoDLS *info, int method, const work *w, const output *out)
{
    const double one = 1;
    output_buffers buffers;
    int64_t items = 0;
    int ranks = 0, start = 0, size = 0, mine = 0;
    double seconds = 0;
    bool good = output_allocate(out, &buffers);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    DLS_Parameters_Setup(MPI_COMM_WORLD, info, ranks, PROBE, PROBE, 1, 1e-6, one, 0, one, one);
    DLS_StartLoop(info, 0, (int)w->items - 1, method);
    while (!DLS_Terminated(info)) {
        DLS_StartChunk(info, &start, &size);
        good = good && output_compute(out, &buffers, start, size);
        items += size;
        DLS_EndChunk(info);
    }
    DLS_EndLoop(info, &mine, &seconds);
    output_free(&buffers);
    return good ? items : -1;
}

int main(int argc, char **argv)
{
    settings s;
    work w;
    report r;
    infoDLS info;
    output out;
    int rank = 0;
    (void)MPI_Init(&argc, &argv);
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    bool good = settings_read(&s, argc, argv) && work_open(&w, &s);
    if (good) {
        (void)MPI_Barrier(MPI_COMM_WORLD);
        report_begin(&r);
        good = output_open(&out, &w);
        const int method = strcmp(s.action, "ss") == 0 ? SS : FAC;
        const int64_t items = compute_loop(&info, method, &w, &out);
        good = output_close(&out) && good && items >= 0;
        good = report_end(&r, rank, items, w.items, (double)NAN) && good;
    }
    (void)MPI_Finalize();
    return good ? 0 : 1;
}
