/* SPDX-License-Identifier: BSD-3-Clause */
/* What one writes by hand within a process: OpenMP's dynamic loop, with results that are written
 * while it computes, or at once at its end with HDF5, or that are not kept. */
#include "metg.h"
#include "output.h"
#include "report.h"
#include "sums.h"

#ifdef WEFT_BENCH_HDF5
#include <hdf5.h>
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool compute_into_files(const work *w, int threads)
{
    output out;
    bool good = output_open(&out, w);
#pragma omp parallel num_threads(threads) default(none) shared(w, out) reduction(&& : good)
    {
        output_buffers buffers;
        good = output_allocate(&out, &buffers) && good;
#pragma omp for schedule(dynamic)
        for (int64_t first = 0; first < w->items; first += w->piece) {
            const int64_t left = w->items - first;
            good = good && output_compute(&out, &buffers, first, left < w->piece ? left : w->piece);
        }
        output_free(&buffers);
    }
    return output_close(&out) && good;
}

static void compute_into_memory(const work *w, int threads, char *const data[])
{
    const int64_t items = w->items, piece = w->piece;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) default(none) \
    shared(w, data, items, piece)
    for (int64_t first = 0; first < items; first += piece) {
        void *results[WORK_FIELDS];
        for (int i = 0; i < w->fields; i++) {
            results[i] = data[i] + first * w->field[i].bytes;
        }
        w->compute(w, first, items - first < piece ? items - first : piece, results);
    }
}

static void free_all(char *data[WORK_FIELDS])
{
    for (int i = 0; i < WORK_FIELDS; i++) {
        free(data[i]);
    }
}

static bool allocate(const work *w, char *data[WORK_FIELDS])
{
    for (int i = 0; i < w->fields; i++) {
        data[i] = malloc((size_t)(w->items * w->field[i].bytes));
        if (data[i] == NULL) {
            return false;
        }
    }
    return true;
}

#ifdef WEFT_BENCH_HDF5
static bool write_field(hid_t file, const work *w, int number, const void *data)
{
    const work_field *field = &w->field[number];
    const hsize_t shape[] = {(hsize_t)w->rows, (hsize_t)w->columns, (hsize_t)field->elements};
    const hid_t type = field->type == WEFT_FLOAT64  ? H5T_NATIVE_DOUBLE
                       : field->type == WEFT_UINT32 ? H5T_NATIVE_UINT32
                       : field->type == WEFT_UINT8  ? H5T_NATIVE_UINT8
                                                    : H5T_NATIVE_UINT64;
    const hid_t extent = H5Screate_simple(field->elements > 1 ? 3 : 2, shape, NULL);
    const hid_t dataset =
        H5Dcreate2(file, field->name, type, extent, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    return H5Dclose(dataset) >= 0 && H5Sclose(extent) >= 0 && good;
}

static bool write_at_once(const work *w, int threads)
{
    static char *data[WORK_FIELDS]; /* freed by the end of the process, which nobody waits for */
    bool good = allocate(w, data);
    if (good) {
        compute_into_memory(w, threads, data);
        const hid_t file = H5Fcreate("by-hand.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        good = file >= 0;
        for (int i = 0; i < w->fields && good; i++) {
            good = write_field(file, w, i, data[i]);
        }
        good = file >= 0 && H5Fclose(file) >= 0 && good;
    }
    return good;
}
#else
static bool write_at_once(const work *w, int threads)
{
    (void)w;
    return threads < 0;
}
#endif

/* What tasks without results cost; the memory is there before the clock starts. */
static double measure_loop(const work *w, void *context)
{
    const settings *s = context;
    char *data[WORK_FIELDS] = {NULL};
    double seconds = (double)NAN;
    if (allocate(w, data)) {
        for (int i = 0; i < w->fields && data[i] != NULL; i++) {
            memset(data[i], 1, (size_t)(w->items * w->field[i].bytes));
        }
        const double begin = report_now();
        compute_into_memory(w, (int)s->threads, data);
        seconds = report_now() - begin;
    }
    free_all(data);
    return seconds;
}

/* Nanoseconds per step of arithmetic while all threads compute; of CPU time, so that it is the same
 * on a busy machine. */
static double measure_peak(const settings *s)
{
    enum { STEPS = 2000000, TRIES = 12 };
    double least = HUGE_VAL, sum = 0;
    for (int i = 0; i < TRIES; i++) {
        double longest = 0;
#pragma omp parallel num_threads((int)s->threads) default(none) shared(i) reduction(+ : sum) \
    reduction(max : longest)
        {
            const double begin = report_thread_cpu();
            sum += work_spin(i, STEPS);
            longest = report_thread_cpu() - begin;
        }
        least = fmin(least, 1e9 * longest / STEPS);
    }
    /* The compiler must not find out that nobody needs the sum. */
    return sum < 0 ? (double)NAN : least;
}

static double add_up(int64_t n, const double x[])
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum;
}

static bool measure(const settings *s, const work *w, double *value)
{
    const int threads = (int)s->threads;
    *value = (double)NAN;
    if (strcmp(s->action, "hdf5") == 0) {
        return write_at_once(w, threads);
    }
    if (strcmp(s->action, "run") == 0) {
        return compute_into_files(w, threads);
    }
    settings copy = *s;
    *value = strcmp(s->action, "peak") == 0   ? measure_peak(s)
             : strcmp(s->action, "sum") == 0  ? sums_measure(s, add_up)
             : strcmp(s->action, "metg") == 0 ? metg_search(s, threads, measure_loop, &copy)
                                              : measure_loop(w, &copy);
    return !isnan(*value);
}

int main(int argc, char **argv)
{
    settings s;
    work w;
    report r;
    double value = (double)NAN;
    if (!settings_read(&s, argc, argv) || !work_open(&w, &s)) {
        return 2;
    }
    report_begin(&r);
    return measure(&s, &w, &value) && report_end(&r, 0, w.items, w.items, value) ? 0 : 1;
}
