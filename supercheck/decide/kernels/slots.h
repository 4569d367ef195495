/* What the two files of the slot rule share. */

#ifndef SC_SLOTS_H
#define SC_SLOTS_H

#include "kernels.h"

#define LANES 8         /* partial sums of a row, whatever the processor: every machine adds in the same order */
#define LEVELS 64       /* features that are fixed one below the other */

/* What the network's flat arrays do not have; slot_rule.py says what each is. */
typedef struct {
    const double *columns, *means, *biases, *near, *loose;
    int64_t stride, features, max_active;
} Slots;

/* One thread's memory. `place` is -1 for every feature between uses. */
typedef struct {
    double *block, *reals;
    int64_t *wholes, *place;
    const volatile int8_t *stop;
    int64_t width, size; /* the most features and neurons, padded, that an output has */
} Memory;

/* Some outputs whose functions have one shape, and where what is found out goes. */
typedef struct {
    const int64_t *outputs;
    const int32_t *supports; /* [count, width] */
    const double *goals;     /* [count, class, side], as all that follows */
    const uint64_t *goal_lows;
    int8_t *status;
    int64_t *sizes;
    int32_t *witnesses; /* [.., max_active] */
    int64_t *visits;    /* [count] */
    int64_t *counts;    /* [count, cases, max_active + 1] */
    int64_t *outside;   /* [count, cases] */
    int64_t nodes, optimise, counting, count, width;
} Asked;

/* The best input so far, or the goal that one has to exceed. */
typedef struct {
    double value;
    uint64_t low;
    int64_t size;
    int32_t *features;
} Best;

/* A node on the way down: what is added to it next is features[next]. */
typedef struct {
    double *minus, *score;
    int64_t *features;
    int64_t count, next, slots, added;
    double constant;
} Node;

/* One output, its neurons laid out side by side. */
typedef struct {
    const Flat *net;
    const Slots *more;
    const volatile int8_t *stop;
    const double *rows;                         /* [width, size]: what each feature adds to each neuron */
    const int64_t *names;                       /* of the features; NULL: their places */
    double *gain, *theta, *slope, *turned;      /* [size] */
    const double *mean, *bias;
    int64_t width, size, row;
    Node *nodes; /* [LEVELS] */
    const int64_t *on; /* features that the case has on */
    int64_t on_count, visits, most_visits;
    double side, near, loose;
    Best *best;
    int64_t *counts; /* of inputs that exceed the goal, by how many features were added; NULL: the first one ends it */
    bool optimise;
} Search;

/* Whether no input of one case is better than the best (PROVED), one is (REFUTED), or that is not known (OPEN).

   The first node's features and pre-activations are there already; at most `room` features may be added. */
typedef int8_t Searching(Search *, int64_t room);

/* The search for the widest vectors that processor and system have; all of them compute the same. */
Searching *fastest_search(void);

#endif
