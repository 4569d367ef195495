/* Repair where each output owns a list of neurons, all of one length: channels swap neurons. */

#include "repair.h"

/* kernels.py says what each is. */
typedef struct {
    const int64_t *pairs;
    int64_t *lists;
    int32_t *owners;
    int64_t *number;
    int32_t *place, *feeds;
    uint8_t *fed;
    int16_t *hit;
    int64_t *kept;
    int64_t outputs, features, size;
} Apart;

enum { TRIES = 64 }; /* for a neuron that is free */

SC_EXPORT void sc_mend_apart(const Apart *net, const Open *left, int64_t most, int64_t least, int64_t moves,
                             double chance, uint32_t seed);

/* How many more counterexamples there are if output i owns `new` in place of t; cut short above a limit. */
static int64_t swapped(const Apart *net, int64_t most, int64_t i, int64_t t, int64_t new, int64_t limit)
{
    int64_t more = 0, features = net->features, outputs = net->outputs;
    const uint8_t *fed_t = net->fed + t * features, *fed_new = net->fed + new * features;
    const int16_t *hit = net->hit + i * features;
    const int32_t *place_t = net->place + t * outputs, *place_new = net->place + new * outputs;
    const int32_t *feeds_t = net->feeds + t * features, *feeds_new = net->feeds + new * features;

    /* In the output's own channel. */
    int bound = (int)most;
    for (int64_t other = 0; other < features; other++)
        more += (hit[other] + fed_new[other] - fed_t[other] > bound) - (hit[other] > bound);

    /* A feature of it that covers t no more: other channels are hit less. */
    for (int q = 0; q < 2; q++) {
        int64_t f = net->pairs[2 * i + q];
        if (feeds_t[f] != 1)
            continue;
        for (int64_t p = 0; p < net->number[t]; p++) {
            int64_t j = net->owners[t * outputs + p];
            bool stays = place_new[j] >= 0 && feeds_new[f] == 0;
            more -= net->hit[j * features + f] == most + 1 && !stays;
        }
    }

    /* One that now covers `new`: they are hit more. */
    for (int q = 0; q < 2; q++) {
        int64_t f = net->pairs[2 * i + q];
        if (feeds_new[f] != 0)
            continue;
        for (int64_t p = 0; p < net->number[new]; p++) {
            int64_t j = net->owners[new * outputs + p];
            bool stays = place_t[j] >= 0 && feeds_t[f] == 1;
            more += net->hit[j * features + f] == most && !stays;
        }
        if (more > limit)
            break;
    }
    return more;
}

/* Output i comes to own neuron t (by = 1), or gives it up (by = -1). */
static void own(const Apart *net, const Open *left, int64_t most, int64_t i, int64_t t, int by)
{
    int64_t features = net->features, outputs = net->outputs, more = 0;
    int32_t *owners = net->owners + t * outputs, *place = net->place + t * outputs;
    uint8_t *fed = net->fed + t * features;
    int16_t *hit = net->hit + i * features;

    /* Its channel is hit by what feeds the neuron. */
    int bound = (int)most;
    for (int64_t other = 0; other < features; other++) {
        int was = hit[other], is = was + fed[other] * by;
        hit[other] = (int16_t)is;
        more += (is > bound) - (was > bound);
    }
    note(left, i, more);

    /* The neuron's list of owners. */
    if (by == 1) {
        owners[net->number[t]] = (int32_t)i;
        place[i] = (int32_t)net->number[t]++;
    } else {
        int32_t last = owners[--net->number[t]];
        owners[place[i]] = last;
        place[last] = place[i];
        place[i] = -1;
    }

    /* Its two features begin to feed the neuron, or cease to: they hit all its owners. */
    for (int q = 0; q < 2; q++) {
        int64_t f = net->pairs[2 * i + q];
        int32_t *feeds = &net->feeds[t * features + f];
        *feeds += by;
        if (*feeds == (by == 1)) {
            fed[f] = by == 1;
            for (int64_t p = 0; p < net->number[t]; p++) {
                int64_t j = owners[p];
                int16_t *at = &net->hit[j * features + f];
                int was = *at, is = was + by;
                *at = (int16_t)is;
                note(left, j, (is > bound) - (was > bound));
            }
        }
        hit[f] = -OWN_PAIR;
    }
}

/* Output i owns `new` in place of t. */
static void swap(const Apart *net, const Open *left, int64_t most, int64_t i, int64_t t, int64_t new)
{
    own(net, left, most, i, t, -1);
    own(net, left, most, i, new, 1);
    int64_t *list = net->lists + i * net->size;
    while (*list != t)
        list++;
    *list = new;
}

/* Take away the last neuron; its owners own another instead. */
static void drop(const Apart *net, const Open *left, Random *random, int64_t most)
{
    int64_t t = left->state[NEURONS] - 1;
    left->state[NEURONS] = t;
    while (net->number[t] > 0) {
        int64_t i = net->owners[t * net->outputs], new = random_below(random, t);
        while (net->place[new * net->outputs + i] >= 0)
            new = random_below(random, t);
        swap(net, left, most, i, t, new);
    }
}

/* Swap neurons of channels, for so many moves or until `least` neurons, at least a channel's size, are kept. */
void sc_mend_apart(const Apart *net, const Open *left, int64_t most, int64_t least, int64_t moves, double chance,
                   uint32_t seed)
{
    int64_t features = net->features, outputs = net->outputs, size = net->size;
    Random random;
    random_seed(&random, seed);
    for (int64_t move = 0; move < moves; move++) {

        /* Right: keep that, and go on with a neuron less. */
        while (left->state[BROKEN] == 0) {
            for (int64_t q = 0; q < outputs * size; q++)
                net->kept[q] = net->lists[q];
            left->state[KEPT] = left->state[NEURONS];
            if (left->state[NEURONS] <= least)
                return;
            drop(net, left, &random, most);
        }

        /* One counterexample, and a neuron of the channel that the other feature hits. */
        int64_t i = left->rows[random_below(&random, left->state[BROKEN])], other = random_below(&random, features);
        while (net->hit[i * features + other] <= most)
            other = other + 1 < features ? other + 1 : 0;
        int64_t q = random_below(&random, size);
        while (net->fed[net->lists[i * size + q] * features + other] == 0)
            q = q + 1 < size ? q + 1 : 0;

        /* Half of the time the other feature's channel gives up the neuron that they share, not this one. */
        int64_t t = net->lists[i * size + q], changed = i;
        if (random_unit(&random) < 0.5) {
            const int32_t *owners = net->owners + t * outputs;
            int64_t p = random_below(&random, net->number[t]);
            while (net->pairs[2 * owners[p]] != other && net->pairs[2 * owners[p] + 1] != other)
                p = p + 1 < net->number[t] ? p + 1 : 0;
            changed = owners[p];
        }

        /* The first neuron that is free takes its place, if that breaks little. */
        for (int try = 0; try < TRIES; try++) {
            int64_t new = random_below(&random, left->state[NEURONS]);
            const int32_t *place = net->place + new * outputs;
            if (place[i] >= 0 || place[changed] >= 0 || (changed == i && net->fed[new * features + other] != 0))
                continue;
            int64_t limit = allowed(&random, chance);
            if (swapped(net, most, changed, t, new, limit) <= limit)
                swap(net, left, most, changed, t, new);
            break;
        }
    }
}
