/* SPDX-License-Identifier: BSD-3-Clause */
/* Colours, and ramps of colours through a few control points. */
#ifndef DRAW_COLOUR_H
#define DRAW_COLOUR_H

/* Each part 0 … 1, gamma-encoded as in sRGB. */
typedef struct colour {
    double red;
    double green;
    double blue;
} colour;

/* A colour as one would write it in a style sheet, 0xRRGGBB; COLOUR_PARTS as an initialiser. */
#define COLOUR_PARTS(rgb)                                                             \
    {                                                                                 \
        ((rgb) >> 16 & 255) / 255.0, ((rgb) >> 8 & 255) / 255.0, ((rgb)&255) / 255.0, \
    }
#define COLOUR(rgb) ((colour)COLOUR_PARTS(rgb))

typedef enum ramp {
    RAMP_SEA,     /* 0: pale aqua, at the coast; 1: deep indigo, far out */
    RAMP_LAND,    /* 0: pale sand, at the coast; 1: dark red, far inland */
    RAMP_FRACTAL, /* a closed circle of colours: 1 is 0 again */
    RAMP_VALUES,  /* of equal steps for the eye: 0: dark violet; 1: yellow (matplotlib's viridis) */
    RAMP_SIGNS    /* 0: dark blue; 0.5: nearly white; 1: dark red */
} ramp;

/* The colour at a place on a ramp; what is below 0 or above 1 gets the colour of that end. */
colour ramp_colour(ramp which, double place);

/* A colour between two: share 0 gives the first, 1 the second. */
colour colour_mix(colour first, colour second, double share);

/* A colour made lighter (amount > 0) or darker (amount < 0), by at most the whole at ±1. */
colour colour_shade(colour value, double amount);

#endif
