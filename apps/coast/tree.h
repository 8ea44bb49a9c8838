/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A search tree over straight pieces in space: which of them come nearest to a place?
 *
 * What is found depends on the place and the pieces alone, not on the hint and not on the order of
 * the search.
 */
#ifndef COAST_TREE_H
#define COAST_TREE_H

#include "shoreline.h"

#include <stdint.h>
#include <weft/status.h>

/** The most pieces that a search gives. */
#define TREE_HITS 64

/** The tree. */
typedef struct tree tree;

/** A piece that was found. */
typedef struct tree_hit {
    double square; /**< of its distance in a straight line, in square metres */
    int64_t piece; /**< its number in the tree */
} tree_hit;

/** What a search found: every piece nearer than tree_reach() of the nearest, in no given order; of
 * more than TREE_HITS the nearest ones, and of equals those with the lower numbers. */
typedef struct tree_found {
    int count;
    tree_hit hits[TREE_HITS];
} tree_found;

/** Builds a tree, which holds a copy of the pieces; these are put into another order. */
weft_status tree_build(piece *pieces, int64_t count, tree **out);

/** Frees a tree, or NULL. */
void tree_destroy(tree *t);

/**
 * Searches.
 *
 * @param t     the tree
 * @param place in metres from the earth's centre
 * @param hint  a piece that may be near, which makes the search faster; -1 for none
 * @param found out: what was found, at least one piece
 */
void tree_search(const tree *t, const double place[3], int64_t hint, tree_found *found);

/**
 * How far the straight line to a point of the ellipsoid may reach, if the point could still be the
 * nearest along the surface.
 *
 * @param square the square of the shortest straight line to any piece
 * @return the square of the longest that need be looked at
 */
double tree_reach(double square);

/** The point of a piece that is nearest in a straight line; an end is given with its own bits. */
void tree_foot(const tree *t, int64_t piece, const double place[3], double foot[3]);

/** The square of a place's distance to one piece, with the bits that a search gives. */
double tree_square(const tree *t, int64_t piece, const double place[3]);

/** How many pieces there are. The last may be there more than once. */
int64_t tree_count(const tree *t);

#endif
