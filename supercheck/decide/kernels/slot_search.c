/* Branch and bound over the features of one case of one output. slot_rule.h has the bound.

   A node's features are sorted by what the bound says they add. Children take them one by one, each with those that
   follow it, so that every set is looked at once, below its best feature. Why decisions are exact: slot_layout.py. */

#include "slot_rule.h"

static inline int64_t name_of(const Search *s, int64_t feature)
{
    return s->names ? s->names[feature] : feature;
}

/* The lowest 64 bits of side * (w . h) on the input of a node and one feature more, or none (-1). Sets `unsure` where
   the sign of a neuron cannot be told. */
static uint64_t lowest_bits(const Search *s, int64_t depth, int64_t extra, bool *unsure)
{
    const Flat *net = s->net;
    uint64_t total = 0;
    for (int64_t e = net->indptr[s->row]; e < net->indptr[s->row + 1]; e++) {
        int64_t neuron = net->cols[e], added = depth + (extra >= 0);
        double z = net->bias[neuron];
        uint64_t low = net->bias_lows[neuron];
        for (int64_t q = 0; q < s->on_count + added; q++) {
            int64_t below = q - s->on_count;
            int64_t feature = below < 0       ? s->on[q]
                              : below < depth ? name_of(s, s->nodes[below].added)
                                              : name_of(s, extra);
            int64_t found = entry(net, neuron, feature);
            if (found >= 0) {
                z += net->vals[found];
                low += net->lows[found];
            }
        }
        double slack = net->slack[neuron];
        *unsure |= slack >= WRAP;
        if (z > slack || (z >= -slack && low != 0 && low < HALF))
            total += net->lows[e] * low;
    }
    return with_sign(s->side, total);
}

/* Whether the input of a node and one feature more is better than the best; it becomes that unless inputs are counted.

   Closer than `near`, doubles do not tell: the lowest 64 bits of the difference do. */
static bool better(Search *s, int64_t depth, int64_t extra, double value, bool *unsure)
{
    Best *best = s->best;
    double gap = value - best->value;
    bool close = s->near > 0.0 && gap <= s->near && gap >= -s->near, lost = s->near >= WRAP;
    uint64_t low = 0;
    if (!close && !(gap > 0.0))
        return false;
    if (s->near > 0.0 && (close || s->optimise))
        low = lowest_bits(s, depth, extra, &lost);
    if (close) {
        uint64_t above = low - best->low;
        *unsure |= lost;
        if (lost || above == 0 || above >= HALF)
            return false;
    }
    if (s->counts) {
        s->counts[depth + (extra >= 0)]++;
        return true;
    }
    best->value = value;
    best->low = low;
    best->size = 0;
    for (int64_t q = 0; q < s->on_count; q++)
        best->features[best->size++] = (int32_t)s->on[q];
    for (int64_t q = 0; q < depth; q++)
        best->features[best->size++] = (int32_t)name_of(s, s->nodes[q].added);
    if (extra >= 0)
        best->features[best->size++] = (int32_t)name_of(s, extra);
    return true;
}

/* Greatest scores first; of equal ones the order is the same everywhere. */
static void sort(double *score, int64_t *features, int64_t count)
{
    static const int64_t gaps[] = {57313, 25355, 11217, 4961, 2194, 970, 429, 190, 84, 37, 16, 7, 3, 1};
    for (unsigned g = count < 32 ? sizeof gaps / sizeof *gaps - 1 : 0; g < sizeof gaps / sizeof *gaps; g++) {
        int64_t gap = gaps[g];
        for (int64_t i = gap; i < count; i++) {
            double one = score[i];
            int64_t feature = features[i], q = i;
            for (; q >= gap && score[q - gap] < one; q -= gap) {
                score[q] = score[q - gap];
                features[q] = features[q - gap];
            }
            score[q] = one;
            features[q] = feature;
        }
    }
}

/* The sum of the positive ones among so many scores. */
INLINE double positive(const Node *node, int64_t from, int64_t many)
{
    double total = 0.0;
    for (int64_t q = from; q < node->count && q < from + many && node->score[q] > 0.0; q++)
        total += node->score[q];
    return total;
}

/* Count all inputs below a node, where a bound from below shows that all of them exceed the goal. */
INLINE bool count_all(Search *s, Node *node, int64_t depth, AllSums *add_up)
{
    double empty, greatest;
    for (int64_t t = 0; t < s->size; t++)
        s->turned[t] = -s->gain[t];
    greatest = slot_sums(s, node, s->turned, &empty, add_up) + (double)node->slots * empty;
    for (int64_t q = 0; q < node->count; q++)
        node->score[q] -= empty;
    sort(node->score, node->features, node->count);
    greatest += positive(node, 0, node->slots);
    if (!(greatest <= -s->best->value - 1.0 - s->loose))
        return false;
    int64_t sets[LEVELS], most = INT64_MAX / 4 / (node->count + 1);
    if (node->slots >= LEVELS)
        return false;
    sets[0] = 1;
    for (int64_t j = 1; j <= node->slots; j++) {
        sets[j] = sets[j - 1] * (node->count - j + 1) / j;
        if (sets[j] > most || s->counts[depth + j] > most)
            return false;
    }
    for (int64_t j = 0; j <= node->slots; j++)
        s->counts[depth + j] += sets[j];
    return true;
}

INLINE int8_t search(Search *s, int64_t room, AllSums *add_up)
{
    int64_t depth = 0;
    bool found = false, unsure = false, enter = true;
    bool alone = true; /* whether the node's own input may be better than the best */
    for (;;) {
        Node *node = &s->nodes[depth];
        if (enter) {
            enter = false;
            s->visits += node->count + 1;
            if (s->visits > s->most_visits || *s->stop)
                return OPEN;
            node->slots = room - depth < node->count ? room - depth : node->count;
            if (node->slots == 0)
                node->count = 0;
            node->next = node->count;
            if (node->slots < 2) {
                /* A leaf: the values themselves, of the node's own input and with each feature. */
                double empty, common = slot_sums(s, node, s->gain, &empty, add_up);
                for (int64_t q = alone ? -1 : 0; q < node->count; q++) {
                    double value = common + (q < 0 ? empty : node->score[q]);
                    if (value - s->best->value >= -s->near &&
                        better(s, depth, q < 0 ? -1 : node->features[q], value, &unsure)) {
                        found = true;
                        if (!s->optimise && !s->counts)
                            return REFUTED;
                    }
                }
            } else if (s->counts && alone && value_of(s, node->minus) > s->best->value &&
                       count_all(s, node, depth, add_up)) {
                found = true;
                node->count = node->next = 0;
            } else {
                if (alone && better(s, depth, -1, value_of(s, node->minus), &unsure)) {
                    found = true;
                    if (!s->optimise && !s->counts)
                        return REFUTED;
                }
                /* Scores above the empty slot; features stay that the best of the others could lift to the goal. */
                double empty, common = slot_sums(s, node, s->gain, &empty, add_up), top = 0.0;
                node->constant = common + (double)node->slots * empty;
                for (int64_t q = 0; q < node->count; q++) {
                    node->score[q] -= empty;
                    top = node->score[q] > top ? node->score[q] : top;
                }
                double least = s->best->value - s->loose - node->constant - (double)(node->slots - 1) * top;
                int64_t kept = 0;
                for (int64_t q = 0; q < node->count; q++)
                    if (node->score[q] > least) {
                        node->score[kept] = node->score[q];
                        node->features[kept++] = node->features[q];
                    }
                node->count = kept;
                node->next = 0;
                sort(node->score, node->features, kept);
            }
        }
        /* The next child: sets whose best feature is this one. Of those that follow at most slots - 1 are added, and
           where the best of these do not reach the goal, no later child does. */
        double goal = s->best->value - s->loose;
        bool ends = node->next >= node->count;
        if (!ends) {
            double own = node->constant + node->score[node->next];
            ends = own + positive(node, node->next + 1, node->slots - 1) <= goal;
        }
        if (ends) {
            if (--depth < 0)
                return unsure ? OPEN : found ? REFUTED : PROVED;
            continue;
        }
        int64_t chosen = node->next++;
        double own = node->constant + node->score[chosen];
        double others = own + positive(node, chosen + 1, node->slots - 2);
        /* It may add the features that with the best of the others reach the goal: for two slots, these are the pairs
           that the bound leaves. */
        int64_t end = chosen + 1;
        while (end < node->count && others + node->score[end] > goal)
            end++;
        alone = own > goal;
        if (end == chosen + 1 && !alone)
            continue;
        if (depth + 1 == LEVELS)
            return OPEN;
        Node *child = &s->nodes[depth + 1];
        const double *row = s->rows + node->features[chosen] * s->size;
        for (int64_t t = 0; t < s->size; t++)
            child->minus[t] = node->minus[t] - row[t];
        child->count = end - chosen - 1;
        for (int64_t q = 0; q < child->count; q++)
            child->features[q] = node->features[chosen + 1 + q];
        node->added = node->features[chosen];
        depth++;
        enter = true;
    }
}

/* The same for a kind of processor; sums on their own, which compilers then turn into vectors wherever they are. */
#define SEARCH_FOR(kind, target)                                                                              \
    target __attribute__((noinline)) static void sums_##kind(const Search *s, const double *slope,            \
                                                             const double *theta, const Node *node)           \
    {                                                                                                         \
        all_sums(s, slope, theta, node);                                                                      \
    }                                                                                                         \
    target static int8_t search_##kind(Search *s, int64_t room)                                               \
    {                                                                                                         \
        return search(s, room, sums_##kind);                                                                  \
    }

#if defined(__x86_64__)
#include <cpuid.h>
SEARCH_FOR(512, __attribute__((target("avx512f"))))
SEARCH_FOR(256, __attribute__((target("avx2"))))
#endif
SEARCH_FOR(any, )

Searching *fastest_search(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d, saved, high;
    if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE)) {
        __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
            if ((b & bit_AVX512F) && (saved & 0xe6) == 0xe6)
                return search_512;
            if ((b & bit_AVX2) && (saved & 6) == 6)
                return search_256;
        }
    }
#endif
    return search_any;
}

