/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * GSHHG shorelines as Debian's gmt-gshhg packages bring them: binned_GSHHS_<r>.nc, which is HDF5.
 *
 * The file cuts every shoreline at the borders of square bins. Points are whole numbers, 65535 to a
 * bin, and the pieces of neighbouring bins meet in exactly the same point.
 */
#ifndef COAST_GSHHG_H
#define COAST_GSHHG_H

#include <stdint.h>
#include <weft/status.h>

/** Room enough for any error text of this module. */
#define GSHHG_ERROR_BYTES 1024

/** The level of the ocean's shoreline, Antarctica's ice front included. */
#define GSHHG_OCEAN 1

/** One piece of a shoreline, inside one bin: consecutive points are joined. */
typedef struct gshhg_line {
    int32_t first; /**< its first point */
    int32_t count; /**< how many points it has */
    int32_t level; /**< 1 ocean, 2 lake, 3 island in a lake, 4 pond, 6 grounding line */
} gshhg_line;

/** A whole file. */
typedef struct gshhg {
    char version[32];    /**< of GSHHG, such as "2.3.7" */
    int32_t bin_minutes; /**< the size of a bin, in minutes of arc */
    int32_t columns;     /**< bins around the globe */
    int32_t rows;        /**< bins from pole to pole */
    int64_t point_count;
    int32_t *x; /**< eastwards from Greenwich, 0 … columns · 65535 */
    int32_t *y; /**< northwards from the south pole, 0 … rows · 65535 */
    int64_t line_count;
    gshhg_line *lines;
} gshhg;

/**
 * Reads a file.
 *
 * @param folder     where the files lie
 * @param resolution one of c, l, i, h, f
 * @param data       out: the shorelines, to be freed with gshhg_free()
 * @param error      out, on failure: what is wrong, and what to do
 * @retval WEFT_OK            done
 * @retval WEFT_ERR_USAGE     no such resolution
 * @retval WEFT_ERR_NOT_FOUND no such file
 * @retval WEFT_ERR_HDF5      not such a file, or damaged
 * @retval WEFT_ERR_MEMORY    out of memory
 */
weft_status gshhg_read(const char *folder, const char *resolution, gshhg **data,
                       char error[GSHHG_ERROR_BYTES]);

/** Frees shorelines, or NULL. */
void gshhg_free(gshhg *data);

/** A length of x or y, in degrees. */
double gshhg_degrees(const gshhg *data, double length);

/** How many points the lines of a level have. */
int64_t gshhg_level_points(const gshhg *data, int32_t level);

#endif
