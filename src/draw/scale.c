/* SPDX-License-Identifier: BSD-3-Clause */
/* Scales: where a number lies between two ends, and at which numbers there are marks. */
#include "draw/scale.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* The least round number that leaves at most `most` marks. */
static double choose_step(double range, bool degrees, int most)
{
    static const double round_numbers[] = {1, 2, 5, 10};
    static const double angles[] = {15, 30, 45, 60, 90, 180};
    const double least = range / most;
    const double power = pow(10, floor(log10(least)));
    if (degrees && least > 5 && least <= 180) {
        for (int i = 0; i < 6; i++) {
            if (angles[i] >= least) {
                return angles[i];
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        if (round_numbers[i] * power >= least * (1 - 1e-9)) {
            return round_numbers[i] * power;
        }
    }
    return 10 * power;
}

double draw_scale_place(const draw_scale *s, double value)
{
    return s->logarithmic ? log(value / s->low) / log(s->high / s->low)
                          : (value / 2 - s->low / 2) / (s->high / 2 - s->low / 2);
}

static void add_tick(draw_scale *s, double value, int decimals)
{
    const double place = draw_scale_place(s, value);
    if (s->ticks == DRAW_SCALE_TICKS || !(place >= -1e-9 && place <= 1 + 1e-9)) {
        return;
    }
    draw_tick *t = &s->tick[s->ticks++];
    t->place = place;
    if (decimals >= 0) {
        (void)snprintf(t->text, sizeof t->text, "%.*f", decimals, value);
    } else {
        (void)snprintf(t->text, sizeof t->text, "%.6g", value);
    }
}

/* Numbers that are neither long nor many digits apart are written in full. */
static void add_linear(draw_scale *s, bool degrees, int most)
{
    const double step = choose_step(s->high - s->low, degrees, most);
    const double largest = fmax(fabs(s->low), fabs(s->high));
    const bool plain = largest < 1e6 && step > 1e-5;
    const int decimals = !plain ? -1 : step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    const double first = ceil(s->low / step - 1e-9);
    for (int i = 0; i <= 2 * most; i++) {
        const double value = (first + i) * step;
        add_tick(s, fabs(value) < step / 2 ? 0 : value, decimals);
    }
}

/* Powers of ten, some left out where there are many; where there are fewer than three, also 2 and
 * 5 times these. */
static void add_powers(draw_scale *s, int most)
{
    const double first = floor(log10(s->low));
    const double decades = log10(s->high) - first;
    const int stride = (int)fmax(1, ceil(decades / most));
    const bool between = decades < 3;
    for (int i = 0; i <= decades + 1; i += stride) {
        const double power = pow(10, first + i);
        add_tick(s, power, -1);
        if (between) {
            add_tick(s, 2 * power, -1);
            add_tick(s, 5 * power, -1);
        }
    }
}

void draw_scale_init(draw_scale *s, double low, double high, bool logarithmic, bool degrees,
                     int most)
{
    *s = (draw_scale){.low = low, .high = high, .logarithmic = logarithmic};
    const double apart = 1e-12 * fmax(fabs(low), fabs(high));
    if (!(high - low > apart)) {
        const double margin = low == 0 ? 1 : fmax(0.05 * fabs(low), DBL_MIN);
        s->low = fmax(low - margin, -DBL_MAX);
        s->high = fmin(low + margin, DBL_MAX);
        s->logarithmic = false;
    }
    if (!isfinite(s->high - s->low)) {
        /* No step between such numbers is a double. */
        add_tick(s, s->low, -1);
        add_tick(s, s->high, -1);
    } else if (s->logarithmic) {
        add_powers(s, most);
    } else {
        add_linear(s, degrees, most);
    }
}

void draw_scale_print(double value, char text[DRAW_SCALE_TEXT_BYTES])
{
    (void)snprintf(text, DRAW_SCALE_TEXT_BYTES, "%.6g", value);
}
