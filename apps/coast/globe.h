/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The WGS84 ellipsoid: from degrees to metres from its centre, and back.
 */
#ifndef COAST_GLOBE_H
#define COAST_GLOBE_H

/** The equatorial radius, in metres. */
#define GLOBE_RADIUS_M 6378137.0

/** The flattening. */
#define GLOBE_FLATTENING (1 / 298.257223563)

/** Where a point of the surface lies, in metres from the centre; the third axis points north. */
void globe_from_degrees(double lon, double lat, double place[3]);

/** The degrees of a point that is on the surface, or some metres off it; lon in [-180, 180). */
void globe_to_degrees(const double place[3], double *lon, double *lat);

#endif
