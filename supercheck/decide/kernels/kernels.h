/* What all compiled loops share: the export mark, the structs that Python fills in (arrays.py), small helpers.

   Arithmetic is IEEE doubles, rounded after every operation: compiled without contraction and without -ffast-math, and
   sums are added in the order that is written here. Integers are int64, or uint64 where they wrap modulo 2^64. Nothing
   here allocates, keeps state between calls or calls a library: all memory comes from the caller. */

#ifndef SC_KERNELS_H
#define SC_KERNELS_H

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

_Static_assert(FLT_EVAL_METHOD == 0, "doubles have to be rounded to 64 bits after every operation");

#if defined(_WIN32)
#define SC_EXPORT __declspec(dllexport)
#else
#define SC_EXPORT __attribute__((visibility("default")))
#endif

enum { FREE, ON, OFF };           /* of a feature */
enum { PROVED, REFUTED, OPEN };   /* of an output, class and side */

#define SLOPES 4096.0             /* slopes are multiples of 2^-12 */
#define WRAP 2305843009213693952.0 /* 2^61: what is this close to a goal is told apart by its lowest 64 bits */
#define HALF (UINT64_C(1) << 63)

/* A network as flat arrays, rows numbered through all layers; arrays.py says what each is. */
typedef struct {
    const int64_t *starts, *indptr;
    const uint32_t *cols;
    const double *vals;
    const uint64_t *lows;
    const double *bias;
    const uint64_t *bias_lows;
    const uint32_t *order_cols;
    const double *order_vals, *slack;
    const int64_t *bits;
    int64_t layers; /* hidden ones */
} Flat;

/* The cases of one shape. */
typedef struct {
    const int64_t *values, *on_count, *on_ends, *off_ends, *on_positions, *off_positions;
    int64_t fixed, count;
} Cases;

/* One thread's working memory. `form`, `middle`, `state` and `met` are zero between uses. */
typedef struct {
    double *form;
    int8_t *state;
    double *middle, *up, *lift, *down, *value;
    uint64_t *low;
    int8_t *met;
    int64_t *members, *ends, *on;
    double *top_value;
    int64_t *top_feature, *path;
    int8_t *side;
    int64_t *best;
    double *weight, *most, *least, *bound;
    const volatile int8_t *stop; /* anything but 0 ends the work; another thread sets it */
    int64_t split, rooms;        /* columns of `weight`, and of `most` and `least` */
} Scratch;

/* x rounded down; exact, and -0 stays -0. */
static inline double rounded_down(double x)
{
    if (!(__builtin_fabs(x) < 4503599627370496.0)) /* 2^52: an integer already */
        return x;
    double whole = (double)(int64_t)x;
    return __builtin_copysign(whole > x ? whole - 1.0 : whole, x);
}

/* x rounded up. */
static inline double rounded_up(double x)
{
    return -rounded_down(-x);
}

/* Whether a bound shows that an integer cannot exceed its goal (rule 5 of certificate/README.md). */
static inline bool closed(double bound, double goal, double slack)
{
    return bound + slack < goal + 1.0 - slack;
}

/* The number or its negative, modulo 2^64. */
static inline uint64_t with_sign(double sign, uint64_t low)
{
    return sign > 0.0 ? low : UINT64_C(0) - low;
}

/* Where a feature stands in a row, whose columns ascend; -1 where it does not. */
static inline int64_t entry(const Flat *net, int64_t row, int64_t feature)
{
    int64_t begin = net->indptr[row], count = net->indptr[row + 1] - begin;
    const uint32_t *cols = net->cols, *at = cols + begin;
    if (count == 0)
        return -1;
    while (count > 1) {
        int64_t half = count >> 1;
        at += (int64_t)at[half - 1] < feature ? half : 0;
        count -= half;
    }
    return (int64_t)*at == feature ? at - cols : -1;
}

/* An entry modulo 2^64, out of the double where that is exact: it has been read already. */
static inline uint64_t entry_low(const Flat *net, int64_t p)
{
    double value = net->vals[p];
    return __builtin_fabs(value) < 9007199254740992.0 ? (uint64_t)(int64_t)value : net->lows[p];
}

/* Have the memory bring a row that is needed soon: the rows of a cone lie anywhere. */
static inline void fetch(const Flat *net, int64_t row)
{
    int64_t first = net->indptr[row];
    for (int64_t p = first; p < first + 64; p += 16)
        __builtin_prefetch(net->cols + p);
    for (int64_t p = first; p < first + 64; p += 8)
        __builtin_prefetch(net->vals + p);
}

enum { SOON = 8 }; /* rows from now */

/* Insert a coefficient into the `room` greatest ones, which descend; equal ones stay in the order of their coming.

   Of `taken` there are now; returns how many there are then. Where there are `room` already, the last one falls out, so
   the caller asks first whether the coefficient is greater than that. `room` is at least 1. */
static inline int64_t top_insert(double *values, int64_t *features, int64_t taken, int64_t room, double value,
                                 int64_t feature)
{
    int64_t q = taken < room ? taken : taken - 1;
    for (; q > 0 && values[q - 1] < value; q--) {
        values[q] = values[q - 1];
        features[q] = features[q - 1];
    }
    values[q] = value;
    features[q] = feature;
    return taken + (taken < room);
}

#endif
