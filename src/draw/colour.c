/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the colour ramps. */
#include "draw/colour.h"

#include <stddef.h>

/* A control point: a place on the ramp, and an sRGB colour as one would write it in a style sheet.
 * Along the sea and the land ramp lightness falls all the way, so that they also read in grey. */
typedef struct stop {
    double place;
    unsigned rgb;
} stop;

static const stop sea[] = {{0.00, 0xd3f0ea}, {0.04, 0xa9dedb}, {0.14, 0x67bcc8}, {0.32, 0x3390b4},
                           {0.55, 0x1f6299}, {0.78, 0x1c3a74}, {1.00, 0x170f3f}};

static const stop land[] = {{0.00, 0xf8efd3}, {0.10, 0xf1dfae}, {0.28, 0xe6bd7c}, {0.50, 0xd08d52},
                            {0.72, 0xaa583b}, {0.88, 0x7c2f2e}, {1.00, 0x4f1424}};

static const stop fractal[] = {{0.00, 0x0a1238}, {0.18, 0x1d4f9a}, {0.34, 0x5fb6d6},
                               {0.47, 0xf4f6e4}, {0.60, 0xf6c04f}, {0.74, 0xc5582a},
                               {0.88, 0x4a163f}, {1.00, 0x0a1238}};

static const stop values[] = {{0.000, 0x440154}, {0.125, 0x472d7b}, {0.250, 0x3b528b},
                              {0.375, 0x2c728e}, {0.500, 0x21918c}, {0.625, 0x28ae80},
                              {0.750, 0x5ec962}, {0.875, 0xaddc30}, {1.000, 0xfde725}};

static const stop signs[] = {{0.00, 0x12386b}, {0.17, 0x2f79b5}, {0.33, 0x8fc3de}, {0.50, 0xf7f6f4},
                             {0.67, 0xf4a987}, {0.83, 0xc9433e}, {1.00, 0x70091f}};

typedef struct stops {
    const stop *list;
    size_t count;
} stops;

static const stops ramps[] = {
    [RAMP_SEA] = {sea, sizeof sea / sizeof sea[0]},
    [RAMP_LAND] = {land, sizeof land / sizeof land[0]},
    [RAMP_FRACTAL] = {fractal, sizeof fractal / sizeof fractal[0]},
    [RAMP_VALUES] = {values, sizeof values / sizeof values[0]},
    [RAMP_SIGNS] = {signs, sizeof signs / sizeof signs[0]},
};

colour ramp_colour(ramp which, double place)
{
    const stops s = ramps[which];
    if (!(place > s.list[0].place)) {
        return COLOUR(s.list[0].rgb);
    }
    for (size_t i = 1; i < s.count; i++) {
        const stop *low = &s.list[i - 1];
        const stop *high = &s.list[i];
        if (place < high->place) {
            return colour_mix(COLOUR(low->rgb), COLOUR(high->rgb),
                              (place - low->place) / (high->place - low->place));
        }
    }
    return COLOUR(s.list[s.count - 1].rgb);
}

colour colour_mix(colour first, colour second, double share)
{
    return (colour){first.red + (second.red - first.red) * share,
                    first.green + (second.green - first.green) * share,
                    first.blue + (second.blue - first.blue) * share};
}

colour colour_shade(colour value, double amount)
{
    return colour_mix(value, amount > 0 ? COLOUR(0xffffff) : COLOUR(0x000000),
                      amount > 0 ? amount : -amount);
}
