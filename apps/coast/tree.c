/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the search tree: blocks of eight pieces, and above them nodes of eight boxes each.
 *
 * The pieces are ordered so that every aligned run of 8, 64, 512 … of them lies close together;
 * node i of a level then has the nodes 8i … 8i+7 of the level below, and no pointer is needed. The
 * loops over eight are written so that compilers make vector code of them. */
#include "tree.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 8
#define MAX_LEVELS 12

/* Boxes are single precision, half a metre at the earth's radius. They are made larger by more than
 * all rounding errors together can come to, and squares of distances are taken a little smaller, so
 * that a box is never passed over that holds a piece within reach. */
#define BOX_MARGIN_M 3.0
#define BOX_SHRINK 0.999998F

typedef struct block {
    double a[3][WIDE];
    double b[3][WIDE];
} block;

typedef struct node {
    float low[3][WIDE];
    float high[3][WIDE];
} node;

struct tree {
    int64_t count; /* pieces, a multiple of WIDE */
    block *blocks;
    int levels;
    node *nodes[MAX_LEVELS]; /* level 0 has the boxes of the blocks, the last level one node */
};

static double middle(const piece *p, int axis)
{
    return p->a[axis] + p->b[axis];
}

static int longest_axis(const piece *pieces, int64_t count)
{
    double low[3] = {HUGE_VAL, HUGE_VAL, HUGE_VAL}, high[3] = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    for (int64_t i = 0; i < count; i++) {
        for (int axis = 0; axis < 3; axis++) {
            double value = middle(&pieces[i], axis);
            low[axis] = value < low[axis] ? value : low[axis];
            high[axis] = value > high[axis] ? value : high[axis];
        }
    }
    int longest = 0;
    for (int axis = 1; axis < 3; axis++) {
        if (high[axis] - low[axis] > high[longest] - low[longest]) {
            longest = axis;
        }
    }
    return longest;
}

static void swap(piece *p, piece *q)
{
    piece kept = *p;
    *p = *q;
    *q = kept;
}

static double median(double x, double y, double z)
{
    double low = x < y ? x : y, high = x < y ? y : x;
    return z < low ? low : z > high ? high : z;
}

/* Hoare's selection: afterwards nothing before `wanted` is greater than anything from it on. */
static void select_middle(piece *pieces, int64_t count, int64_t wanted, int axis)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = median(middle(&pieces[low], axis), middle(&pieces[(low + high) / 2], axis),
                              middle(&pieces[high], axis));
        int64_t i = low, j = high;
        while (i <= j) {
            while (middle(&pieces[i], axis) < pivot) {
                i++;
            }
            while (middle(&pieces[j], axis) > pivot) {
                j--;
            }
            if (i <= j) {
                swap(&pieces[i++], &pieces[j--]);
            }
        }
        if (wanted <= j) {
            high = j;
        } else if (wanted >= i) {
            low = i;
        } else {
            return;
        }
    }
}

/* Splits at powers of two, so that every aligned run is one branch. */
static void arrange(piece *pieces, int64_t count)
{
    while (count > WIDE) {
        int64_t half = WIDE;
        while (2 * half < count) {
            half *= 2;
        }
        select_middle(pieces, count, half, longest_axis(pieces, count));
        arrange(pieces, half);
        pieces += half;
        count -= half;
    }
}

static void fill_blocks(tree *t, const piece *pieces, int64_t count)
{
    for (int64_t i = 0; i < t->count; i++) {
        const piece *p = &pieces[i < count ? i : count - 1];
        block *b = &t->blocks[i / WIDE];
        for (int axis = 0; axis < 3; axis++) {
            b->a[axis][i % WIDE] = p->a[axis];
            b->b[axis][i % WIDE] = p->b[axis];
        }
    }
}

/* Sets one child's box along one axis; an empty one has low > high and is infinitely far away. */
static void set_box(node *n, int child, int axis, double low, double high)
{
    n->low[axis][child] = (float)low;
    n->high[axis][child] = (float)high;
}

static void bound_block(const block *b, node *n, int child)
{
    for (int axis = 0; axis < 3; axis++) {
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (int i = 0; i < WIDE; i++) {
            low = fmin(low, fmin(b->a[axis][i], b->b[axis][i]));
            high = fmax(high, fmax(b->a[axis][i], b->b[axis][i]));
        }
        set_box(n, child, axis, low - BOX_MARGIN_M, high + BOX_MARGIN_M);
    }
}

static void bound_node(const node *below, node *n, int child)
{
    for (int axis = 0; axis < 3; axis++) {
        float low = INFINITY, high = -INFINITY;
        for (int i = 0; i < WIDE; i++) {
            low = fminf(low, below->low[axis][i]);
            high = fmaxf(high, below->high[axis][i]);
        }
        n->low[axis][child] = low;
        n->high[axis][child] = high;
    }
}

static weft_status add_level(tree *t, int64_t children)
{
    int64_t count = (children + WIDE - 1) / WIDE;
    node *nodes = aligned_alloc(64, (size_t)count * sizeof *nodes);
    if (nodes == NULL) {
        return WEFT_ERR_MEMORY;
    }
    const int level = t->levels++;
    t->nodes[level] = nodes;
    for (int64_t i = 0; i < count * WIDE; i++) {
        node *n = &nodes[i / WIDE];
        int child = (int)(i % WIDE);
        if (i >= children) {
            for (int axis = 0; axis < 3; axis++) {
                set_box(n, child, axis, HUGE_VAL, -HUGE_VAL);
            }
        } else if (level == 0) {
            bound_block(&t->blocks[i], n, child);
        } else {
            bound_node(&t->nodes[level - 1][i], n, child);
        }
    }
    return WEFT_OK;
}

weft_status tree_build(piece *pieces, int64_t count, tree **out)
{
    weft_status status = WEFT_ERR_MEMORY;
    const int64_t blocks = (count + WIDE - 1) / WIDE;
    tree *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return status;
    }
    t->count = blocks * WIDE;
    t->blocks = aligned_alloc(64, (size_t)blocks * sizeof *t->blocks);
    if (t->blocks == NULL) {
        goto fail;
    }
    arrange(pieces, count);
    fill_blocks(t, pieces, count);
    int64_t children = blocks;
    do {
        status = add_level(t, children);
        if (status != WEFT_OK) {
            goto fail;
        }
        children = (children + WIDE - 1) / WIDE;
    } while (children > 1);
    *out = t;
    return WEFT_OK;
fail:
    tree_destroy(t);
    return status;
}

void tree_destroy(tree *t)
{
    if (t == NULL) {
        return;
    }
    for (int level = 0; level < t->levels; level++) {
        free(t->nodes[level]);
    }
    free(t->blocks);
    free(t);
}

int64_t tree_count(const tree *t)
{
    return t->count;
}

/* A geodesic's curvature lies between those of the ellipsoid, so a geodesic of length s over a
 * chord c obeys s = c + c³ / 24R² + 3c⁵ / 640R⁴ + … with R between 6335.4 and 6399.6 km. What is
 * nearest along the surface thus has a chord at most longer than the shortest one by the difference
 * of the two extremes. The factors below bound that difference for chords up to 12,000 km. */
double tree_reach(double square)
{
    const double third_order = 1.25 * (1 / (6335.4e3 * 6335.4e3) - 1 / (6399.6e3 * 6399.6e3)) / 24;
    double growth = 1 + third_order * square * (1 + square / (6000e3 * 6000e3));
    return square * growth * growth;
}

/* The share of the way from a to b, 0 … 1, at which the foot lies. The addend keeps a piece of no
 * length from giving 0/0 and changes no other. */
static inline double share_of(double wd, double dd)
{
    double share = wd / (dd + DBL_MIN);
    share = share > 0 ? share : 0;
    return share < 1 ? share : 1;
}

static inline double square_of(const block *b, int i, const double place[3])
{
    double dx = b->b[0][i] - b->a[0][i], wx = place[0] - b->a[0][i];
    double dy = b->b[1][i] - b->a[1][i], wy = place[1] - b->a[1][i];
    double dz = b->b[2][i] - b->a[2][i], wz = place[2] - b->a[2][i];
    double share = share_of(wx * dx + wy * dy + wz * dz, dx * dx + dy * dy + dz * dz);
    double rx = wx - share * dx, ry = wy - share * dy, rz = wz - share * dz;
    return rx * rx + ry * ry + rz * rz;
}

double tree_square(const tree *t, int64_t number, const double place[3])
{
    return square_of(&t->blocks[number / WIDE], (int)(number % WIDE), place);
}

void tree_foot(const tree *t, int64_t number, const double place[3], double foot[3])
{
    const block *b = &t->blocks[number / WIDE];
    const int i = (int)(number % WIDE);
    double wd = 0, dd = 0;
    for (int axis = 0; axis < 3; axis++) {
        double d = b->b[axis][i] - b->a[axis][i];
        wd += (place[axis] - b->a[axis][i]) * d;
        dd += d * d;
    }
    double share = share_of(wd, dd);
    for (int axis = 0; axis < 3; axis++) {
        foot[axis] =
            share < 1 ? b->a[axis][i] + share * (b->b[axis][i] - b->a[axis][i]) : b->b[axis][i];
    }
}

/* One search. */
typedef struct search {
    const tree *t;
    const double *place;
    float place_f[3];
    double best;  /* the smallest square so far */
    double reach; /* tree_reach(best) */
    tree_found *found;
} search;

static bool comes_before(tree_hit p, tree_hit q)
{
    return p.square < q.square || (p.square <= q.square && p.piece < q.piece);
}

static void drop_beyond(tree_found *found, double reach)
{
    int kept = 0;
    for (int i = 0; i < found->count; i++) {
        if (found->hits[i].square <= reach) {
            found->hits[kept++] = found->hits[i];
        }
    }
    found->count = kept;
}

static void keep(search *s, tree_hit hit)
{
    tree_found *found = s->found;
    if (found->count == TREE_HITS) {
        drop_beyond(found, s->reach);
    }
    if (found->count < TREE_HITS) {
        found->hits[found->count++] = hit;
        return;
    }
    /* Too many: keep the first ones of a total order, so that the order of the search is not seen.
     */
    int last = 0;
    for (int i = 1; i < TREE_HITS; i++) {
        if (comes_before(found->hits[last], found->hits[i])) {
            last = i;
        }
    }
    if (comes_before(hit, found->hits[last])) {
        found->hits[last] = hit;
    }
}

static void improve(search *s, double square)
{
    if (square < s->best) {
        s->best = square;
        s->reach = tree_reach(square);
    }
}

static void look_into_block(search *s, int64_t number)
{
    const block *b = &s->t->blocks[number];
    double squares[WIDE];
    for (int i = 0; i < WIDE; i++) {
        squares[i] = square_of(b, i, s->place);
    }
    for (int i = 0; i < WIDE; i++) {
        if (squares[i] <= s->reach) {
            improve(s, squares[i]);
            keep(s, (tree_hit){squares[i], number * WIDE + i});
        }
    }
}

static inline float beyond(float low, float place, float high)
{
    float below = low - place, above = place - high;
    float outside = below > above ? below : above;
    return outside > 0 ? outside : 0;
}

static void box_squares(const node *n, const float place[3], float squares[WIDE])
{
    for (int i = 0; i < WIDE; i++) {
        float x = beyond(n->low[0][i], place[0], n->high[0][i]);
        float y = beyond(n->low[1][i], place[1], n->high[1][i]);
        float z = beyond(n->low[2][i], place[2], n->high[2][i]);
        squares[i] = (x * x + y * y + z * z) * BOX_SHRINK;
    }
}

/* A node, or at level -1 a block, still to be looked into. */
typedef struct task {
    int64_t number;
    int level;
    float square;
} task;

/* Puts the children within reach on the stack, the nearest on top. */
static int push_children(const search *s, task from, task *stack, int depth)
{
    float squares[WIDE];
    box_squares(&s->t->nodes[from.level][from.number], s->place_f, squares);
    const int bottom = depth;
    for (int i = 0; i < WIDE; i++) {
        if (!((double)squares[i] <= s->reach)) {
            continue;
        }
        int at = depth++;
        for (; at > bottom && stack[at - 1].square < squares[i]; at--) {
            stack[at] = stack[at - 1];
        }
        stack[at] = (task){from.number * WIDE + i, from.level - 1, squares[i]};
    }
    return depth;
}

void tree_search(const tree *t, const double place[3], int64_t hint, tree_found *found)
{
    search s = {.t = t, .place = place, .best = HUGE_VAL, .reach = HUGE_VAL, .found = found};
    for (int axis = 0; axis < 3; axis++) {
        s.place_f[axis] = (float)place[axis];
    }
    found->count = 0;
    /* The hint only tells how far to look: its piece is found again like every other. */
    if (hint >= 0) {
        improve(&s, tree_square(t, hint, place));
    }
    task stack[MAX_LEVELS * WIDE];
    stack[0] = (task){0, t->levels - 1, 0};
    int depth = 1;
    while (depth > 0) {
        task next = stack[--depth];
        if ((double)next.square > s.reach) {
            continue;
        }
        if (next.level < 0) {
            look_into_block(&s, next.number);
        } else {
            depth = push_children(&s, next, stack, depth);
        }
    }
    drop_beyond(found, s.reach);
}
