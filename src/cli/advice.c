/* SPDX-License-Identifier: BSD-3-Clause */
/* One line of advice: which layout to take, and from where on more of it gains nothing. */
#include "forecast.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Workers are used well if they compute for this share of the time. */
static const double good_efficiency = 0.8;

/* Who is within this factor of the fastest gains nothing by being larger. */
static const double near_fastest = 1.05;

/* The largest that is used well, and among equals the fastest; if none is, the best used. */
static const forecast_row *best_row(const forecast *f)
{
    const forecast_row *best = &f->row[0];
    for (int i = 1; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        const bool good = row->p.efficiency >= good_efficiency;
        const bool was_good = best->p.efficiency >= good_efficiency;
        const int64_t more = forecast_workers(row) - forecast_workers(best);
        const bool faster = row->p.makespan_s < best->p.makespan_s;
        if (good != was_good ? good
            : good           ? more > 0 || (more == 0 && faster)
                             : row->p.efficiency > best->p.efficiency) {
            best = row;
        }
    }
    return best;
}

static const forecast_row *largest_row(const forecast *f)
{
    const forecast_row *largest = &f->row[0];
    for (int i = 1; i < f->rows; i++) {
        largest = forecast_workers(&f->row[i]) > forecast_workers(largest) ? &f->row[i] : largest;
    }
    return largest;
}

/* The smallest that is nearly as fast as the fastest. */
static const forecast_row *enough_row(const forecast *f)
{
    double fastest_s = f->row[0].p.makespan_s;
    for (int i = 1; i < f->rows; i++) {
        fastest_s = f->row[i].p.makespan_s < fastest_s ? f->row[i].p.makespan_s : fastest_s;
    }
    const forecast_row *enough = NULL;
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        if (row->p.makespan_s <= near_fastest * fastest_s &&
            (enough == NULL || forecast_workers(row) < forecast_workers(enough))) {
            enough = row;
        }
    }
    return enough;
}

static void say(forecast *f, const char *format, ...) WEFT_PRINTF(2, 3);

static void say(forecast *f, const char *format, ...)
{
    const size_t used = strlen(f->advice);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(f->advice + used, sizeof f->advice - used, format, arguments);
    va_end(arguments);
}

static void say_layout(forecast *f, const weft_layout *layout)
{
    say(f, "%d rank%s x %d worker%s", layout->ranks, layout->ranks == 1 ? "" : "s", layout->workers,
        layout->workers == 1 ? "" : "s");
}

static void say_reason(forecast *f, const forecast_row *row)
{
    const weft_plan_info *info = f->info;
    char text[CLOCK_TEXT_BYTES];
    switch (row->p.limit) {
    case WEFT_LIMIT_TILE:
        clock_format_duration(info->longest_s, text);
        say(f,
            info->grain == 1 ? ": the longest item alone takes %s"
                             : ": the longest tile alone takes %s, a smaller --grain divides it",
            text);
        break;
    case WEFT_LIMIT_TILES:
        say(f, ": there are only %" PRId64 " tiles%s", info->tiles,
            info->grain == 1 ? "" : ", a smaller --grain makes more");
        break;
    case WEFT_LIMIT_COORDINATOR:
        say(f, ": rank 0 cannot hand out work any faster; take fewer ranks with more workers, or "
               "a larger --grain");
        break;
    case WEFT_LIMIT_CORES:
        say(f, ": the %g cores are busy", row->layout.cores);
        break;
    case WEFT_LIMIT_FIXED:
        clock_format_duration(info->cost_s, text);
        say(f, ": to start and to end takes %s", text);
        break;
    case WEFT_LIMIT_NONE:
    case WEFT_LIMIT_TAIL:
        say(f, ": workers wait for the last tiles");
        break;
    }
}

void forecast_advise(forecast *f)
{
    const forecast_row *best = best_row(f);
    const forecast_row *enough = enough_row(f);
    char text[CLOCK_TEXT_BYTES];
    f->advice[0] = '\0';
    clock_format_duration(best->p.makespan_s, text);
    say_layout(f, &best->layout);
    say(f, ": %s, %.0f %%", text, 100 * best->p.efficiency);
    if (forecast_workers(enough) < forecast_workers(largest_row(f))) {
        say(f, "; beyond ");
        say_layout(f, &enough->layout);
        say(f, " nothing is gained");
        say_reason(f, largest_row(f));
    } else if (best != largest_row(f)) {
        say(f, "; more is faster, but less well used");
    }
}
