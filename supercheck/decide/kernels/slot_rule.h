/* The slot rule: an upper bound of one output that knows how few features may still come.

   With pre-activations z and a set S of at most r features still to come, w_j being what feature j adds,

       ReLU(z + sum over S of w_j) <= sum over r slots of ReLU(z / r + w_j)      a slot that stays empty has w = 0

   for ReLU is subadditive and positively homogeneous. It serves the neurons that count positively; those that count
   negatively get a line below ReLU, 0 or z itself. Since ReLU(z / r + w) = max(w, -z / r) + z / r, what is to be
   bounded is at most

       K + (the sum over r slots of E_j)      E_j = sum over neurons of g max(w_j, theta)

   with theta = -z / r and g the readout's weight, or theta = -infinity for the line z, or g = 0 for the line 0. That
   is a sum over features: it is greatest at the r features with the greatest E_j above the empty slot's E_0. With
   r = 1 and theta = -z for all neurons it is no bound but the value itself, so nodes that may add one feature are
   leaves.

   Pre-activations are kept with the other sign, as `minus`. slot_layout.py says how far all of this may be off. */

#ifndef SC_SLOT_RULE_H
#define SC_SLOT_RULE_H

#include "slots.h"

#define NOTHING (-DBL_MAX)
#define INLINE static inline __attribute__((always_inline))

typedef void AllSums(const Search *, const double *slope, const double *theta, const Node *);

INLINE double sum_of(const double *lanes)
{
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/* E of some features, up to four at once, which read theta and g once. */
INLINE void sums(const double *const row[], int64_t many, int64_t size, const double *restrict slope,
                 const double *restrict theta, double *restrict out)
{
    double lanes[4][LANES] = {{0}};
    for (int64_t t = 0; t < size; t += LANES)
        for (int64_t l = 0; l < LANES; l++) {
            double g = slope[t + l], least = theta[t + l];
            for (int64_t i = 0; i < many; i++)
                lanes[i][l] += g * (row[i][t + l] > least ? row[i][t + l] : least);
        }
    for (int64_t i = 0; i < many; i++)
        out[i] = sum_of(lanes[i]);
}

INLINE void all_sums(const Search *s, const double *slope, const double *theta, const Node *node)
{
    const int64_t *feature = node->features, count = node->count;
    for (int64_t q = 0; q < count; q += 4) {
        const double *row[4];
        for (int64_t i = 0; i < 4; i++)
            row[i] = s->rows + feature[q + i < count ? q + i : q] * s->size;
        switch (count - q) {
        case 1:
            sums(row, 1, s->size, slope, theta, node->score + q);
            break;
        case 2:
            sums(row, 2, s->size, slope, theta, node->score + q);
            break;
        case 3:
            sums(row, 3, s->size, slope, theta, node->score + q);
            break;
        default:
            sums(row, 4, s->size, slope, theta, node->score + q);
        }
    }
}

/* g and theta of all neurons for r slots. The line below is z where the neuron is on if the others do as on average. */
INLINE void lines(int64_t size, double r, const double *restrict gain, const double *restrict mean,
                  const double *restrict minus, double *restrict slope, double *restrict theta)
{
    double part = 1.0 / r;
    for (int64_t t = 0; t < size; t++) {
        bool upper = gain[t] > 0.0, likely = r * mean[t] > minus[t];
        slope[t] = upper || likely ? gain[t] : 0.0;
        theta[t] = upper ? part * minus[t] : likely ? NOTHING : 0.0;
    }
}

/* E of all features of a node, and what every set of them has in common: K, and E_0 in `empty`. */
INLINE double slot_sums(Search *s, Node *node, const double *gain, double *empty, AllSums *add_up)
{
    double common[LANES] = {0}, none[LANES] = {0};
    const double *slope = gain, *theta = node->minus;
    if (node->slots > 1) {
        lines(s->size, (double)node->slots, gain, s->mean, node->minus, s->slope, s->theta);
        slope = s->slope;
        theta = s->theta;
    }
    for (int64_t t = 0; t < s->size; t += LANES)
        for (int64_t l = 0; l < LANES; l++) {
            common[l] -= slope[t + l] * node->minus[t + l];
            none[l] += slope[t + l] * (theta[t + l] > 0.0 ? theta[t + l] : 0.0);
        }
    add_up(s, slope, theta, node);
    *empty = sum_of(none);
    return sum_of(common);
}

INLINE double value_of(const Search *s, const double *minus)
{
    double lanes[LANES] = {0};
    for (int64_t t = 0; t < s->size; t += LANES)
        for (int64_t l = 0; l < LANES; l++)
            lanes[l] += s->gain[t + l] * (minus[t + l] < 0.0 ? -minus[t + l] : 0.0);
    return sum_of(lanes);
}

#endif
