/* Repair where each output owns what its two features have in common: which feature feeds which neuron is changed. */

#include "repair.h"

/* kernels.py says what each is. */
typedef struct {
    const int64_t *pairs, *starts, *users;
    uint8_t *fed;
    int16_t *missed;
    uint8_t *kept;
    int64_t outputs, features;
} Common;

SC_EXPORT void sc_mend_common(const Common *net, const Open *left, int64_t least, int64_t moves, double chance,
                              uint32_t seed);

/* Whether neuron t, which these features feed, is in channel j. */
static inline bool in_channel(const Common *net, const uint8_t *feeds, int64_t j)
{
    return feeds[net->pairs[2 * j]] & feeds[net->pairs[2 * j + 1]];
}

/* The other feature of a pair. */
static inline int64_t other_of(const Common *net, int64_t j, int64_t f)
{
    return net->pairs[2 * j] + net->pairs[2 * j + 1] - f;
}

/* Of the features that do not feed a neuron, how many are missed by just so many neurons of a channel. */
static int64_t missed_by(const uint8_t *feeds, const int16_t *missed, int64_t features, int16_t by)
{
    int64_t count = 0;
    for (int64_t other = 0; other < features; other++)
        count += (feeds[other] == 0) & (missed[other] == by);
    return count;
}

/* How many more counterexamples there are if f feeds t where it does not, or the reverse; cut short above a limit.

   What it mends is counted before what it breaks. */
static int64_t flipped(const Common *net, int64_t f, int64_t t, int64_t limit)
{
    int64_t more = 0, features = net->features;
    const uint8_t *feeds = net->fed + t * features;
    if (feeds[f]) {
        for (int64_t j = 0; j < net->outputs; j++)
            if (in_channel(net, feeds, j))
                more -= net->missed[j * features + f] == 0;
        for (int64_t p = net->starts[f]; p < net->starts[f + 1] && more <= limit; p++) {
            int64_t j = net->users[p];
            if (feeds[other_of(net, j, f)])
                more += missed_by(feeds, net->missed + j * features, features, 1);
        }
    } else {
        for (int64_t p = net->starts[f]; p < net->starts[f + 1]; p++) {
            int64_t j = net->users[p];
            if (feeds[other_of(net, j, f)])
                more -= missed_by(feeds, net->missed + j * features, features, 0);
        }
        for (int64_t j = 0; j < net->outputs && more <= limit; j++)
            if (in_channel(net, feeds, j))
                more += net->missed[j * features + f] == 1;
    }
    return more;
}

/* Neuron t joins channel j (by = 1) or leaves it (by = -1); which features feed it stays. */
static void give(const Common *net, const Open *left, int64_t j, int64_t t, int by)
{
    const uint8_t *feeds = net->fed + t * net->features;
    int16_t *missed = net->missed + j * net->features;
    int64_t more = 0;
    for (int64_t other = 0; other < net->features; other++) {
        int free = feeds[other] == 0, was = missed[other];
        missed[other] = (int16_t)(was + free * by);
        more += (free & (was + by == 0)) - (free & (was == 0));
    }
    note(left, j, more);
}

/* Have f feed t where it does not, or the reverse. */
static void flip(const Common *net, const Open *left, int64_t f, int64_t t)
{
    uint8_t *feeds = net->fed + t * net->features;
    int by = feeds[f] ? -1 : 1;

    /* The neuron joins or leaves the channels of f's own outputs. */
    feeds[f] = 1;
    for (int64_t p = net->starts[f]; p < net->starts[f + 1]; p++) {
        int64_t j = net->users[p];
        if (feeds[other_of(net, j, f)])
            give(net, left, j, t, by);
    }

    /* In the channels of all others that it is in, it is covered by f or not. */
    for (int64_t j = 0; j < net->outputs; j++) {
        if (!in_channel(net, feeds, j) || net->pairs[2 * j] == f || net->pairs[2 * j + 1] == f)
            continue;
        int16_t *missed = &net->missed[j * net->features + f];
        int was = *missed;
        *missed = (int16_t)(was - by);
        note(left, j, (was - by == 0) - (was == 0));
    }
    feeds[f] = by == 1;
}

/* Take away the last neuron. */
static void lose(const Common *net, const Open *left)
{
    int64_t t = left->state[NEURONS] - 1;
    left->state[NEURONS] = t;
    for (int64_t j = 0; j < net->outputs; j++)
        if (in_channel(net, net->fed + t * net->features, j))
            give(net, left, j, t, -1);
}

/* A feature that keeps t from being in channel i and not fed by the other feature; one of several at random. */
static int64_t wanting(const Common *net, Random *random, int64_t i, int64_t other, int64_t t)
{
    int64_t first = random_below(random, 3);
    for (int64_t step = 0; step < 3; step++) {
        int64_t which = (first + step) % 3;
        int64_t f = which == 2 ? other : net->pairs[2 * i + which];
        if (net->fed[t * net->features + f] == (which == 2))
            return f;
    }
    return -1; /* none: no counterexample */
}

/* Change which feature feeds which neuron, for so many moves or until `least` neurons are kept. */
void sc_mend_common(const Common *net, const Open *left, int64_t least, int64_t moves, double chance, uint32_t seed)
{
    Random random;
    random_seed(&random, seed);
    for (int64_t move = 0; move < moves; move++) {

        /* Right: keep that, and go on with a neuron less. */
        while (left->state[BROKEN] == 0) {
            int64_t n = left->state[NEURONS];
            for (int64_t q = 0; q < n * net->features; q++)
                net->kept[q] = net->fed[q];
            left->state[KEPT] = n;
            if (n <= least)
                return;
            lose(net, left);
        }

        /* One counterexample, a neuron, and the change of it that would mend. */
        int64_t i = left->rows[random_below(&random, left->state[BROKEN])];
        int64_t other = random_below(&random, net->features);
        while (net->missed[i * net->features + other])
            other = other + 1 < net->features ? other + 1 : 0;
        int64_t t = random_below(&random, left->state[NEURONS]);
        int64_t f = wanting(net, &random, i, other, t), limit = allowed(&random, chance);
        if (f >= 0 && flipped(net, f, t, limit) <= limit)
            flip(net, left, f, t);
    }
}
