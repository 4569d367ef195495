/* What both loops of repair share: chance, and the list of counterexamples. */

#ifndef SC_REPAIR_H
#define SC_REPAIR_H

#include "kernels.h"

enum { BROKEN, NEURONS, KEPT }; /* places of `state` */
enum { OWN_PAIR = 1 << 13 };    /* where an output meets its own features, so that these never count */

/* The counterexamples that there are; kernels.py says what each is. */
typedef struct {
    int64_t *wrong, *rows, *place, *state;
} Open;

/* The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), as numpy's RandomState has it. */
enum { MT_WORDS = 624, MT_APART = 397 };
typedef struct {
    uint32_t words[MT_WORDS];
    int next;
} Random;

static inline void random_seed(Random *random, uint32_t seed)
{
    for (uint32_t q = 0; q < MT_WORDS; q++) {
        random->words[q] = seed;
        seed = UINT32_C(1812433253) * (seed ^ (seed >> 30)) + q + 1;
    }
    random->next = MT_WORDS;
}

static inline uint32_t random_word(Random *random)
{
    uint32_t *words = random->words;
    if (random->next >= MT_WORDS) {
        for (int q = 0; q < MT_WORDS; q++) {
            uint32_t y = (words[q] & 0x80000000u) | (words[(q + 1) % MT_WORDS] & 0x7fffffffu);
            words[q] = words[(q + MT_APART) % MT_WORDS] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        random->next = 0;
    }
    uint32_t y = words[random->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* A number in [0, 1), of 53 bits. */
static inline double random_unit(Random *random)
{
    double high = random_word(random) >> 5, low = random_word(random) >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
}

/* A whole number in [0, end), end at most 2^32: so many last bits of a word until they are below. */
static inline int64_t random_below(Random *random, int64_t end)
{
    uint32_t mask = 0, drawn;
    while ((int64_t)mask < end - 1)
        mask = (mask << 1) | 1;
    if (mask == 0)
        return 0;
    do
        drawn = random_word(random) & mask;
    while ((int64_t)drawn >= end);
    return drawn;
}

/* How many counterexamples a change may add: d or more with probability chance^d. */
static inline int64_t allowed(Random *random, double chance)
{
    int64_t most = 0;
    while (random_unit(random) < chance)
        most++;
    return most;
}

/* Output i has so many more counterexamples. */
static inline void note(const Open *left, int64_t i, int64_t more)
{
    int64_t before = left->wrong[i], count = left->state[BROKEN];
    left->wrong[i] = before + more;
    if (before == 0 && more != 0) {
        left->rows[count] = i;
        left->place[i] = count;
        left->state[BROKEN] = count + 1;
    } else if (before != 0 && before + more == 0) {
        int64_t last = left->rows[count - 1];
        left->rows[left->place[i]] = last;
        left->place[last] = left->place[i];
        left->state[BROKEN] = count - 1;
    }
}

#endif
