/* The entry: what the loops find out about a chunk of outputs. */

#include "bounds.h"
#include "search.h"

/* Some outputs with functions of one shape, and where what is found out goes; outputs.py says what each is. */
typedef struct {
    const int64_t *outputs;
    const int32_t *supports;
    double *goals;
    uint64_t *goal_lows;
    int8_t *status;
    int64_t *sizes;
    int32_t *witnesses;
    int64_t *nodes;
    uint8_t *plain;
    int64_t max_active, cap, optimise, count, width;
} Chunk;

SC_EXPORT void sc_answer(const Flat *net, Scratch *own, const Cases *cases, const Chunk *chunk);

/* Keep what was found about one class and side, in its `place`. */
static void keep(const Chunk *chunk, const Scratch *own, int64_t place, const Found *found)
{
    if (found->size >= 0) {
        chunk->sizes[place] = found->size;
        for (int64_t a = 0; a < found->size; a++)
            chunk->witnesses[place * chunk->max_active + a] = (int32_t)own->best[a];
    }
    if (found->state != PROVED)
        chunk->status[place] = (int8_t)found->state;
}

/* Mark the features of a case in `state`, or clear them, and list those that are on. */
static void fix(Scratch *own, const Cases *cases, const int32_t *features, int64_t c, int8_t on, int8_t off)
{
    int64_t active = cases->on_count[c];
    for (int64_t a = 0; a < active; a++) {
        own->on[a] = features[cases->on_positions[cases->on_ends[c] - active + a]];
        own->state[own->on[a]] = on;
    }
    for (int64_t p = c > 0 ? cases->off_ends[c - 1] : 0; p < cases->off_ends[c]; p++)
        own->state[features[cases->off_positions[p]]] = off;
}

/* Ask of one output whether each class keeps to its goals. */
static void answer_one(const Flat *net, Scratch *own, const Cases *cases, const Chunk *chunk, int64_t o)
{
    int64_t row = net->starts[net->layers] + chunk->outputs[o], max_active = chunk->max_active;
    const int32_t *features = chunk->supports + o * chunk->width;
    bool optimise = chunk->optimise != 0, refuted = false;
    bool merged = cases->fixed != 0 && net->layers == 1 && !optimise;
    trace(net, own, row);
    chunk->plain[o] = !optimise;
    if (merged)
        weigh(net, own, row, features, chunk->width, max_active);

    /* Off, then on; of each the values that are too great, then those that are too small. */
    for (int64_t turn = 0; turn < 4 && !refuted; turn++) {
        int64_t place = o * 4 + turn, kind = turn / 2;
        if (chunk->goals[place] == __builtin_inf())
            continue;
        Question asked = {row, turn % 2 == 0 ? 1.0 : -1.0, chunk->goals[place], chunk->goal_lows[place]};

        /* All cases of the class at once, where that is possible. */
        if (merged) {
            int64_t taken = hull(net, own, &asked, features, chunk->width, cases, kind, max_active);
            Found found = attempt(net, own, &asked, features, cases, kind, max_active, taken);
            chunk->nodes[place] = found.nodes;
            if (found.state == REFUTED) {
                keep(chunk, own, place, &found);
                refuted = true;
            }
            if (found.state != OPEN)
                continue;
        }

        /* What is still open, case by case. */
        for (int64_t c = 0; c < cases->count && !refuted; c++) {
            int64_t active = cases->on_count[c];
            if (cases->values[c] != kind || active > max_active)
                continue;
            if (merged && closed(own->bound[c], asked.goal, net->slack[row]))
                continue;
            fix(own, cases, features, c, ON, OFF);
            Found found = search(net, own, &asked, active, max_active - active, chunk->cap, optimise);
            fix(own, cases, features, c, FREE, FREE);
            keep(chunk, own, place, &found);
            chunk->nodes[place] += found.nodes;
            chunk->plain[o] = chunk->plain[o] && found.by_b;
            refuted = found.state == REFUTED && !optimise;
        }
        chunk->goals[place] = asked.goal;
        chunk->goal_lows[place] = asked.goal_low;
    }
}

/* Ask of each output of a chunk; `stop` ends the work. */
void sc_answer(const Flat *net, Scratch *own, const Cases *cases, const Chunk *chunk)
{
    for (int64_t o = 0; o < chunk->count && *own->stop == 0; o++)
        answer_one(net, own, cases, chunk, o);
}
