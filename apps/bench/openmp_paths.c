/* SPDX-License-Identifier: BSD-3-Clause */
/* A Monte Carlo as one writes it by hand: sums and sums of squares in an OpenMP reduction, over
 * ranks an equal share each and MPI_Reduce(), with the same random numbers. Nothing of it is kept.
 */
#include "paths.h"
#include "report.h"

#include <math.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLAIN,
    PLAIN_SQUARED,
    ARITHMETIC,
    ARITHMETIC_SQUARED,
    GEOMETRIC,
    GEOMETRIC_SQUARED,
    PRODUCT,
    SUMS
};

static inline void add(double sum[SUMS], const asian *option, int64_t item)
{
    weft_random random;
    weft_random_init(&random, 0, 0, (uint64_t)item);
    const asian_path path = asian_simulate(option, &random);
    sum[PLAIN] += path.plain;
    sum[PLAIN_SQUARED] += path.plain * path.plain;
    sum[ARITHMETIC] += path.arithmetic;
    sum[ARITHMETIC_SQUARED] += path.arithmetic * path.arithmetic;
    sum[GEOMETRIC] += path.geometric;
    sum[GEOMETRIC_SQUARED] += path.geometric * path.geometric;
    sum[PRODUCT] += path.arithmetic * path.geometric;
}

static void draw_static(const asian *option, int64_t first, int64_t end, int threads,
                        double sum[SUMS])
{
#pragma omp parallel for num_threads(threads) default(none) shared(option, first, end) \
    reduction(+ : sum[:SUMS]) schedule(static)
    for (int64_t item = first; item < end; item++) {
        add(sum, option, item);
    }
}

static void draw_dynamic(const asian *option, int64_t first, int64_t end, int threads,
                         double sum[SUMS])
{
#pragma omp parallel for num_threads(threads) default(none) shared(option, first, end) \
    reduction(+ : sum[:SUMS]) schedule(dynamic, 256)
    for (int64_t item = first; item < end; item++) {
        add(sum, option, item);
    }
}

static bool measure(const settings *s, int rank, int ranks)
{
    const asian option = paths_option(s);
    const int64_t first = s->items / ranks * rank;
    const int64_t end = rank == ranks - 1 ? s->items : s->items / ranks * (rank + 1);
    double sum[SUMS] = {0}, all[SUMS] = {0};
    report r;
    if (ranks > 1) {
        (void)MPI_Barrier(MPI_COMM_WORLD);
    }
    report_begin(&r);
    (strcmp(s->action, "dynamic") == 0 ? draw_dynamic : draw_static)(&option, first, end,
                                                                     (int)s->threads, sum);
    if (ranks > 1) {
        (void)MPI_Allreduce(sum, all, SUMS, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    } else {
        memcpy(all, sum, sizeof all);
    }
    return report_end(&r, rank, end - first, s->items, all[PLAIN] / (double)s->items);
}

/* Within a process nobody starts MPI by hand. */
int main(int argc, char **argv)
{
    const bool alone = getenv("PMIX_RANK") == NULL;
    settings s;
    int rank = 0, ranks = 1;
    if (!alone) {
        (void)MPI_Init(&argc, &argv);
        (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        (void)MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    }
    const bool good = settings_read(&s, argc, argv) && measure(&s, rank, ranks);
    if (!alone) {
        (void)MPI_Finalize();
    }
    return good ? 0 : 1;
}
