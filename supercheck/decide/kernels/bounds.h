/* Bounds of a network's rows and outputs over a case of inputs (bounds.c). */

#ifndef SC_BOUNDS_H
#define SC_BOUNDS_H

#include "kernels.h"

/* Lines above and below ReLU on a range: ReLU(z) <= up z + lift and ReLU(z) >= down z. */
typedef struct {
    double up, lift, down; /* lift is 0 exactly where the row is stable */
} Lines;

/* An output's w . h on one input. */
typedef struct {
    double value;
    uint64_t low; /* the same modulo 2^64 */
    bool sure;    /* whether both may be trusted */
} Value;

/* Whether one value is above another, and whether that is sure. */
typedef struct {
    bool better, sure;
} Above;

/* Features from one up to another. */
typedef struct {
    int64_t begin, end;
} Span;

void trace(const Flat *net, Scratch *own, int64_t row);
bool bound_rows(const Flat *net, Scratch *own, int64_t active, int64_t room, bool rule_b);
double highest(const Flat *net, Scratch *own, int64_t row, int64_t layer, double sign, int64_t active, int64_t room,
               int64_t *taken);
int64_t collect(const Flat *net, Scratch *own, int64_t row, int64_t room, int64_t taken, Span *done);
Value run(const Flat *net, Scratch *own, int64_t row, int64_t active);

/* The lines on [low, high] (rule 4); `likely` says which line below is taken where the row may be on or off. */
static inline Lines relax(double low, double high, bool likely)
{
    if (high <= 0.0)
        return (Lines){0.0, 0.0, 0.0};
    if (low >= 0.0)
        return (Lines){1.0, 0.0, 1.0};
    double width = high - low, above = high * SLOPES + rounded_down(width / 2.0);
    double steps = rounded_down(above / width);
    if (steps * width > above) /* the quotient was rounded up to an integer */
        steps -= 1.0;
    double slope = steps / SLOPES;
    slope = slope < 0.0 ? 0.0 : slope > 1.0 ? 1.0 : slope;
    double at_low = -slope * low, at_high = (1.0 - slope) * high;
    return (Lines){slope, at_high > at_low ? at_high : at_low, likely ? 1.0 : 0.0};
}

/* Whether value > goal: by the doubles, or by the lowest 64 bits where those are close. */
static inline Above above(double value, uint64_t low, double goal, uint64_t goal_low, double slack)
{
    double gap = value - goal;
    if (slack == 0.0 || __builtin_fabs(gap) > slack)
        return (Above){gap > 0.0, true};
    uint64_t over = low - goal_low;
    return (Above){over != 0 && over < HALF, slack < WRAP};
}

/* Where the rows of a layer of the cone begin in `members`; layers are counted down from the last hidden one. */
static inline int64_t layer_begin(const Scratch *own, int64_t depth)
{
    return depth > 0 ? own->ends[depth - 1] : 0;
}

#endif
