/* Branch and bound over one case of one output (search.c), and all cases of a class at once (hull.c). */

#ifndef SC_SEARCH_H
#define SC_SEARCH_H

#include "kernels.h"

/* What is asked: does sign * (w . h) of an output exceed a goal? */
typedef struct {
    int64_t row;       /* the output's */
    double sign;       /* 1 or -1 */
    double goal;       /* an integer */
    uint64_t goal_low; /* the same modulo 2^64 */
} Question;

/* What was found. */
typedef struct {
    int state;    /* PROVED if nothing exceeds the goal, REFUTED or OPEN */
    int64_t size; /* of the input in `best`, or -1 */
    int64_t nodes;
    bool by_b; /* whether rule b closed all of the case at once */
} Found;

int64_t choose(const Flat *net, const Scratch *own, int64_t row, int64_t taken);
Found search(const Flat *net, Scratch *own, Question *asked, int64_t active, int64_t room, int64_t cap, bool optimise);

void weigh(const Flat *net, Scratch *own, int64_t row, const int32_t *features, int64_t width, int64_t room);
int64_t hull(const Flat *net, Scratch *own, const Question *asked, const int32_t *features, int64_t width,
             const Cases *cases, int64_t kind, int64_t max_active);
Found attempt(const Flat *net, Scratch *own, const Question *asked, const int32_t *features, const Cases *cases,
              int64_t kind, int64_t max_active, int64_t taken);

#endif
