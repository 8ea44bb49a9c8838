/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the conversions between degrees and metres from the earth's centre. */
#include "globe.h"

#include <math.h>

#define DEGREE 0.017453292519943295
#define SQUARED_ECCENTRICITY (GLOBE_FLATTENING * (2 - GLOBE_FLATTENING))

void globe_from_degrees(double lon, double lat, double place[3])
{
    double sine = sin(lat * DEGREE), cosine = cos(lat * DEGREE);
    double normal = GLOBE_RADIUS_M / sqrt(1 - SQUARED_ECCENTRICITY * sine * sine);
    place[0] = normal * cosine * cos(lon * DEGREE);
    place[1] = normal * cosine * sin(lon * DEGREE);
    place[2] = normal * (1 - SQUARED_ECCENTRICITY) * sine;
}

void globe_to_degrees(const double place[3], double *lon, double *lat)
{
    double axis_distance = sqrt(place[0] * place[0] + place[1] * place[1]);
    double east = atan2(place[1], place[0]) / DEGREE;
    /* Exact on the surface; a metre below it, wrong by some millimetres. */
    *lat = atan2(place[2], (1 - SQUARED_ECCENTRICITY) * axis_distance) / DEGREE;
    *lon = east < 180 ? east : -180;
}
