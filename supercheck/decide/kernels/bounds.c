/* Bounds of a network's rows and outputs over a case of inputs, by the rules of certificate/README.md; the exact value
   of one input. `flatten.py` says why doubles may be trusted. */

#include "bounds.h"

/* Find the cone of an output: the hidden rows that it depends on, the last layer's first. */
void trace(const Flat *net, Scratch *own, int64_t row)
{
    int64_t count = 0, begin = 0;
    if (net->layers > 0)
        for (int64_t p = net->indptr[row]; p < net->indptr[row + 1]; p++)
            own->members[count++] = net->cols[p];
    for (int64_t depth = 0; depth < net->layers; depth++) {
        own->ends[depth] = count;
        if (depth + 1 == net->layers)
            break;
        for (int64_t q = begin; q < own->ends[depth]; q++) {
            int64_t r = own->members[q];
            for (int64_t p = net->indptr[r]; p < net->indptr[r + 1]; p++) {
                int64_t below = net->cols[p];
                if (!own->met[below]) {
                    own->met[below] = 1;
                    own->members[count++] = below;
                }
            }
        }
        begin = own->ends[depth];
    }
    for (int64_t q = net->layers > 0 ? own->ends[0] : 0; q < count; q++)
        own->met[own->members[q]] = 0;
}

/* Relax a row of the first layer by the exact ends of its range, top-k sums (rule 1).

   Returns whether rules a and b relax it differently. */
static bool bound_first(const Flat *net, Scratch *own, int64_t row, int64_t active, int64_t room, bool rule_b)
{
    const uint32_t *order_cols = net->order_cols;
    const double *order_vals = net->order_vals;
    const int8_t *state = own->state;
    int64_t begin = net->indptr[row], end = net->indptr[row + 1];

    /* What the features that are on bring. */
    double base = net->bias[row];
    for (int64_t a = 0; a < active; a++) {
        int64_t p = entry(net, row, own->on[a]);
        if (p >= 0)
            base += net->vals[p];
    }

    /* The greatest free entries from the front, the least from the back. */
    double high = base, low = base;
    for (int64_t p = begin, taken = 0; p < end && taken < room && order_vals[p] > 0.0; p++)
        if (state[order_cols[p]] == FREE) {
            high += order_vals[p];
            taken++;
        }
    for (int64_t p = end - 1, taken = 0; p >= begin && taken < room && order_vals[p] < 0.0; p--)
        if (state[order_cols[p]] == FREE) {
            low += order_vals[p];
            taken++;
        }
    low -= net->slack[row];
    high += net->slack[row];

    bool by_a = high > -low, by_b = base > 0.0;
    Lines lines = relax(low, high, rule_b ? by_b : by_a);
    own->up[row] = lines.up;
    own->lift[row] = lines.lift;
    own->down[row] = lines.down;
    return lines.lift > 0.0 && by_a != by_b;
}

/* Move a row's features out of `form` into the `room` greatest coefficients; returns how many there are.

   `done` is a range of features of which none is left: the first dense row empties the form, and the others are passed
   over. */
int64_t collect(const Flat *net, Scratch *own, int64_t row, int64_t room, int64_t taken, Span *done)
{
    const uint32_t *cols = net->cols + net->indptr[row];
    int64_t count = net->indptr[row + 1] - net->indptr[row];
    if (count == 0 || (cols[0] >= done->begin && cols[count - 1] < done->end))
        return taken;
    double *form = own->form, *top_value = own->top_value;
    double least = room > 0 && taken == room ? top_value[taken - 1] : 0.0;
    for (int64_t p = 0; p < count; p++) {
        int64_t j = cols[p];
        double coefficient = form[j];
        form[j] = 0.0;
        if (coefficient > least && room > 0 && own->state[j] == FREE) {
            taken = top_insert(top_value, own->top_feature, taken, room, coefficient, j);
            least = taken == room ? top_value[taken - 1] : 0.0;
        }
    }
    if (cols[count - 1] - cols[0] == count - 1 && count > done->end - done->begin)
        *done = (Span){cols[0], cols[0] + count};
    return taken;
}

/* Replace a coefficient on ReLU(row) by one on the row (rule 4), and that by the row's entries, which go to `target`.

   Returns the constant that is left over. */
static double push(const Flat *net, const Scratch *own, int64_t row, double coefficient, double *target)
{
    double slope = coefficient * (coefficient > 0.0 ? own->up[row] : own->down[row]);
    double constant = slope * net->bias[row];
    if (coefficient > 0.0)
        constant += coefficient * own->lift[row];
    int64_t begin = net->indptr[row], count = net->indptr[row + 1] - begin;
    if (slope == 0.0 || count == 0)
        return constant;
    const uint32_t *cols = net->cols + begin;
    const double *vals = net->vals + begin;
    if (cols[count - 1] - cols[0] == count - 1) { /* no gaps: several at a time */
        target += cols[0];
        for (int64_t p = 0; p < count; p++)
            target[p] += slope * vals[p];
    } else {
        for (int64_t p = 0; p < count; p++)
            target[cols[p]] += slope * vals[p];
    }
    return constant;
}

/* The greatest value of the relaxed sign * (row . h), without the row's bias.

   `layer` is the row's own, counted from 0; `taken` receives how many features attain the value, in `top_feature`. */
double highest(const Flat *net, Scratch *own, int64_t row, int64_t layer, double sign, int64_t active, int64_t room,
               int64_t *taken)
{
    int64_t layers = net->layers, begin = net->indptr[row], end = net->indptr[row + 1], count = 0;
    double constant = 0.0;
    Span done = {0, 0};

    /* Substitute back, layer by layer, until there is a form over the features. */
    if (layer == 0) {
        for (int64_t p = begin; p < end; p++)
            own->form[net->cols[p]] = sign * net->vals[p];
    } else {
        for (int64_t p = begin; p < end; p++)
            constant += push(net, own, net->cols[p], sign * net->vals[p], layer == 1 ? own->form : own->middle);
        for (int64_t below = layer - 2; below >= 0; below--) {
            int64_t depth = layers - 1 - below;
            for (int64_t q = own->ends[depth - 1]; q < own->ends[depth]; q++) {
                int64_t r = own->members[q];
                double coefficient = own->middle[r];
                if (coefficient == 0.0)
                    continue;
                own->middle[r] = 0.0;
                constant += push(net, own, r, coefficient, below == 0 ? own->form : own->middle);
            }
        }
    }

    /* Its maximum: the features that are on, and the greatest positive coefficients of free ones (rule 1). */
    for (int64_t a = 0; a < active; a++)
        constant += own->form[own->on[a]];
    if (layer == 0)
        count = collect(net, own, row, room, count, &done);
    else if (layer == 1)
        for (int64_t p = begin; p < end; p++)
            count = collect(net, own, net->cols[p], room, count, &done);
    else
        for (int64_t q = own->ends[layers - 2]; q < own->ends[layers - 1]; q++)
            count = collect(net, own, own->members[q], room, count, &done);
    for (int64_t q = 0; q < count; q++)
        constant += own->top_value[q];
    *taken = count;
    return constant;
}

/* Relax every row of the cone, first layer first; returns whether rules a and b do so differently. */
bool bound_rows(const Flat *net, Scratch *own, int64_t active, int64_t room, bool rule_b)
{
    bool differ = false;
    for (int64_t depth = net->layers - 1; depth >= 0; depth--) {
        int64_t layer = net->layers - 1 - depth, unused;
        for (int64_t q = layer_begin(own, depth); q < own->ends[depth]; q++) {
            int64_t r = own->members[q];
            if (layer == 0) {
                differ |= bound_first(net, own, r, active, room, rule_b);
                continue;
            }
            /* Back substitution of the row and of its negative (rule 2); z is an integer. */
            double high = highest(net, own, r, layer, 1.0, active, room, &unused);
            double low = highest(net, own, r, layer, -1.0, active, room, &unused);
            high = rounded_down(net->bias[r] + high + net->slack[r]);
            low = rounded_up(net->bias[r] - low - net->slack[r]);
            Lines lines = relax(low, high, high > -low);
            own->up[r] = lines.up;
            own->lift[r] = lines.lift;
            own->down[r] = lines.down;
        }
    }
    return differ;
}

/* The output's w . h where exactly the first `active` features of `on` are on. */
Value run(const Flat *net, Scratch *own, int64_t row, int64_t active)
{
    int64_t layers = net->layers;
    Value total = {0.0, 0, true};

    /* The rows of the cone after ReLU, first layer first; whose sign doubles cannot tell, the lowest 64 bits tell. */
    for (int64_t depth = layers - 1; depth >= 0; depth--) {
        for (int64_t q = layer_begin(own, depth); q < own->ends[depth]; q++) {
            int64_t r = own->members[q];
            if (q + SOON < own->ends[depth])
                fetch(net, own->members[q + SOON]);
            double z = net->bias[r];
            uint64_t wrapped = net->bias_lows[r];
            if (depth == layers - 1) {
                for (int64_t a = 0; a < active; a++) {
                    int64_t p = entry(net, r, own->on[a]);
                    if (p >= 0) {
                        z += net->vals[p];
                        wrapped += entry_low(net, p);
                    }
                }
            } else {
                for (int64_t p = net->indptr[r]; p < net->indptr[r + 1]; p++) {
                    z += net->vals[p] * own->value[net->cols[p]];
                    wrapped += net->lows[p] * own->low[net->cols[p]];
                }
            }
            if (__builtin_fabs(z) <= net->slack[r]) {
                total.sure = total.sure && net->slack[r] < WRAP;
                z = (double)(int64_t)wrapped;
            }
            own->value[r] = z > 0.0 ? z : 0.0;
            own->low[r] = z > 0.0 ? wrapped : 0;
        }
    }

    /* The output. */
    if (layers > 0) {
        for (int64_t p = net->indptr[row]; p < net->indptr[row + 1]; p++) {
            total.value += net->vals[p] * own->value[net->cols[p]];
            total.low += net->lows[p] * own->low[net->cols[p]];
        }
    } else {
        for (int64_t a = 0; a < active; a++) {
            int64_t p = entry(net, row, own->on[a]);
            if (p >= 0) {
                total.value += net->vals[p];
                total.low += entry_low(net, p);
            }
        }
    }
    return total;
}
