/* The slot rule asked of many outputs: each laid out, its cases searched one by one. slot_search.c has the rule. */

#include "slots.h"

#define NODES (LEVELS * (int64_t)(sizeof(Node) / sizeof(int64_t))) /* whole numbers that they take */

/* The thread's memory shared out for outputs of at most `width` features and `size` neurons. */
static void share_out(Search *s, const Memory *memory)
{
    int64_t *wholes = memory->wholes;
    double *reals = memory->reals;
    s->nodes = (Node *)(void *)wholes;
    wholes += NODES;
    for (int64_t d = 0; d < LEVELS; d++) {
        s->nodes[d].features = wholes + d * memory->width;
        s->nodes[d].minus = reals + d * (memory->size + memory->width);
        s->nodes[d].score = s->nodes[d].minus + memory->size;
    }
    reals += LEVELS * (memory->size + memory->width);
    s->gain = reals;
    s->theta = reals + memory->size;
    s->slope = reals + 2 * memory->size;
    s->turned = reals + 3 * memory->size;
    s->stop = memory->stop;
}

/* One output's neurons and features: all of a dense network's, or its own, gathered into a block. */
static void lay_out(Search *s, const Memory *memory, int64_t output)
{
    const Flat *net = s->net;
    const Slots *more = s->more;
    s->row = net->starts[1] + output;
    int64_t begin = net->indptr[s->row], count = net->indptr[s->row + 1] - begin;
    s->near = more->near[output];
    s->loose = more->loose[output];
    if (more->stride) {
        s->rows = more->columns;
        s->names = 0;
        s->width = more->features;
        s->size = more->stride;
        s->mean = more->means;
        s->bias = more->biases;
        return;
    }
    int64_t *names = memory->wholes + NODES + LEVELS * memory->width;
    double *mean = s->turned + memory->size, *bias = mean + memory->size;
    s->width = 0;
    s->size = (count + LANES - 1) / LANES * LANES;
    for (int64_t t = 0; t < count; t++)
        for (int64_t e = net->indptr[net->cols[begin + t]]; e < net->indptr[net->cols[begin + t] + 1]; e++)
            if (memory->place[net->cols[e]] < 0) {
                memory->place[net->cols[e]] = s->width;
                names[s->width++] = net->cols[e];
            }
    for (int64_t q = 0; q < s->width * s->size; q++)
        memory->block[q] = 0.0;
    for (int64_t t = 0; t < s->size; t++)
        mean[t] = bias[t] = 0.0;
    for (int64_t t = 0; t < count; t++) {
        int64_t neuron = net->cols[begin + t];
        bias[t] = net->bias[neuron];
        for (int64_t e = net->indptr[neuron]; e < net->indptr[neuron + 1]; e++) {
            memory->block[memory->place[net->cols[e]] * s->size + t] = net->vals[e];
            mean[t] += net->vals[e];
        }
        mean[t] /= (double)s->width;
    }
    s->rows = memory->block;
    s->names = names;
    s->mean = mean;
    s->bias = bias;
}

/* Leave the memory as it was found. */
static void put_back(const Search *s, const Memory *memory)
{
    for (int64_t q = 0; s->names && q < s->width; q++)
        memory->place[s->names[q]] = -1;
}

/* The weights of w . h, or of its negative. */
static void take_side(Search *s, double side)
{
    const Flat *net = s->net;
    int64_t begin = net->indptr[s->row], end = net->indptr[s->row + 1];
    s->side = side;
    for (int64_t t = 0; t < s->size; t++)
        s->gain[t] = 0.0;
    for (int64_t e = begin; e < end; e++)
        s->gain[s->names ? e - begin : net->cols[e]] = side * net->vals[e];
}

/* The first node of a case: its features on, the free ones listed. Returns how many features may be added, -1 where the
   case has more on than may be; `outside` becomes the number of free features that change nothing. */
static int64_t begin_case(Search *s, const Memory *memory, const Cases *cases, int64_t number, const int32_t *support,
                          int64_t *outside)
{
    int64_t on_begin = number ? cases->on_ends[number - 1] : 0, on_end = cases->on_ends[number];
    int64_t off_begin = number ? cases->off_ends[number - 1] : 0, off_end = cases->off_ends[number];
    int64_t fixed = (on_end - on_begin) + (off_end - off_begin), met = 0;
    Node *node = &s->nodes[0];
    int64_t *on = memory->wholes + NODES + (LEVELS + 1) * memory->width;
    if (on_end - on_begin > s->more->max_active)
        return -1;
    for (int64_t t = 0; t < s->size; t++)
        node->minus[t] = -s->bias[t];
    for (int64_t q = 0; q < s->width; q++)
        node->features[q] = q;
    for (int64_t p = 0; p < fixed; p++) {
        bool is_on = p < on_end - on_begin;
        int64_t position = is_on ? cases->on_positions[on_begin + p]
                                 : cases->off_positions[off_begin + p - (on_end - on_begin)];
        int64_t feature = support[position], place = s->names ? memory->place[feature] : feature;
        if (is_on)
            on[p] = feature;
        if (place < 0)
            continue;
        met++;
        node->features[place] = -1;
        for (int64_t t = 0; is_on && t < s->size; t++)
            node->minus[t] -= s->rows[place * s->size + t];
    }
    node->count = 0;
    for (int64_t q = 0; q < s->width; q++)
        if (node->features[q] >= 0)
            node->features[node->count++] = q;
    s->on = on;
    s->on_count = on_end - on_begin;
    *outside = s->more->features - s->width - (fixed - met);
    return s->more->max_active - s->on_count;
}

/* How many rows of weights may be looked at for so many nodes with all features free. */
static int64_t visits_for(int64_t nodes, int64_t free)
{
    return nodes > INT64_MAX / (free + 1) ? INT64_MAX : nodes * (free + 1);
}

SC_EXPORT void sc_slots(const Flat *net, const Slots *more, const Memory *memory, const Cases *cases,
                        const Asked *asked);

/* What is asked of some outputs, in all their cases: to compare sign * (w . h) with its goals, where the first input
   that exceeds one ends an output; to find its greatest value; or to count the inputs that exceed its goals. */
void sc_slots(const Flat *net, const Slots *more, const Memory *memory, const Cases *cases, const Asked *asked)
{
    Searching *searching = fastest_search();
    bool comparing = !asked->optimise && !asked->counting;
    Search s;
    s.net = net;
    s.more = more;
    s.counts = 0;
    s.optimise = asked->optimise != 0;
    share_out(&s, memory);
    for (int64_t x = 0; x < asked->count && !*memory->stop; x++) {
        Best bests[4];
        bool refuted = false;
        lay_out(&s, memory, asked->outputs[x]);
        for (int64_t b = 0; b < 4; b++) {
            int64_t place = 4 * x + b;
            bests[b].value = asked->goals[place];
            bests[b].low = asked->goal_lows[place];
            bests[b].size = -1;
            bests[b].features = asked->witnesses + place * more->max_active;
        }
        for (int64_t c = 0; c < cases->count && !refuted; c++)
            for (int64_t side = 0; side < 2 && !refuted; side++) {
                int64_t claim = 2 * cases->values[c] + side, number = x * cases->count + c, outside;
                if (asked->goals[4 * x + claim] > DBL_MAX)
                    continue;
                int64_t room = begin_case(&s, memory, cases, c, asked->supports + x * asked->width, &outside);
                if (room < 0)
                    continue;
                if (asked->counting) {
                    s.counts = asked->counts + number * (more->max_active + 1);
                    asked->outside[number] = outside;
                }
                take_side(&s, side ? -1.0 : 1.0);
                s.best = &bests[claim];
                s.visits = 0;
                s.most_visits = visits_for(asked->nodes, s.nodes[0].count);
                int8_t answer = searching(&s, room);
                asked->visits[x] += s.visits;
                refuted = answer == REFUTED && comparing;
                if (answer == OPEN || refuted)
                    asked->status[4 * x + claim] = answer;
            }
        for (int64_t b = 0; b < 4 && !asked->counting; b++)
            asked->sizes[4 * x + b] = bests[b].size;
        put_back(&s, memory);
    }
}
