/* All cases of one class bounded at once: what makes large sparse networks cheap. */

#include "bounds.h"
#include "search.h"

/* Mark the features of a function in `state`. */
static void mark(Scratch *own, const int32_t *features, int64_t width, int8_t state)
{
    for (int64_t s = 0; s < width; s++)
        own->state[features[s]] = state;
}

/* What each feature of an output's function weighs in each row of its cone, and sums of the row's greatest others.

   For one hidden layer. `weight` receives [row of the cone, position], `most` and `least` the sums of 0 to `room` of a
   row's greatest and least free entries. */
void weigh(const Flat *net, Scratch *own, int64_t row, const int32_t *features, int64_t width, int64_t room)
{
    const uint32_t *order_cols = net->order_cols;
    const double *order_vals = net->order_vals;
    const int8_t *state = own->state;
    int64_t first = net->indptr[row], last = net->indptr[row + 1];
    mark(own, features, width, ON);
    for (int64_t t = 0; t < last - first; t++) {
        if (first + t + SOON < last)
            fetch(net, net->cols[first + t + SOON]);
        int64_t r = net->cols[first + t], begin = net->indptr[r], end = net->indptr[r + 1];
        double *weight = own->weight + t * own->split;
        double *most = own->most + t * own->rooms, *least = own->least + t * own->rooms, total = 0.0;
        for (int64_t s = 0; s < width; s++) {
            int64_t p = entry(net, r, features[s]);
            weight[s] = p >= 0 ? net->vals[p] : 0.0;
        }

        /* The greatest free entries, from the front. */
        most[0] = 0.0;
        for (int64_t taken = 0, p = begin; taken < room; taken++) {
            while (p < end && order_vals[p] > 0.0 && state[order_cols[p]] != FREE)
                p++;
            if (p < end && order_vals[p] > 0.0)
                total += order_vals[p++];
            most[taken + 1] = total;
        }

        /* The least, from the back. */
        least[0] = total = 0.0;
        for (int64_t taken = 0, p = end - 1; taken < room; taken++) {
            while (p >= begin && order_vals[p] < 0.0 && state[order_cols[p]] != FREE)
                p--;
            if (p >= begin && order_vals[p] < 0.0)
                total += order_vals[p--];
            least[taken + 1] = total;
        }
    }
    mark(own, features, width, FREE);
}

/* Bound all cases of one class at once: one form over the free features that is above each case's own.

   For one hidden layer and cases that fix every feature of the function, after `weigh`. Coefficient by coefficient the
   form is at least that of any case, so each bound in `bound` is at least the case's own: what this closes, rule 5
   closes. Returns how many coefficients stand in `top_feature`. */
int64_t hull(const Flat *net, Scratch *own, const Question *asked, const int32_t *features, int64_t width,
             const Cases *cases, int64_t kind, int64_t max_active)
{
    const int64_t *on_count = cases->on_count;
    int64_t count = cases->count, room = 0, taken = 0;
    int64_t first = net->indptr[asked->row], last = net->indptr[asked->row + 1];
    bool pushed = false;
    for (int64_t c = 0; c < count; c++) {
        own->bound[c] = 0.0;
        if (cases->values[c] == kind && max_active - on_count[c] > room)
            room = max_active - on_count[c];
    }

    for (int64_t t = 0; t < last - first; t++) {
        if (first + t + SOON < last)
            fetch(net, net->cols[first + t + SOON]);
        int64_t r = net->cols[first + t];
        double coefficient = asked->sign * net->vals[first + t], slack = net->slack[r], bias = net->bias[r];
        const double *weight = own->weight + t * own->split;
        const double *up_to = own->most + t * own->rooms, *down_to = own->least + t * own->rooms;

        /* Each case's line above or below the row, and the range of their slopes. */
        double least = __builtin_inf(), most = -__builtin_inf();
        for (int64_t c = 0; c < count; c++) {
            int64_t left = max_active - on_count[c];
            if (cases->values[c] != kind || left < 0)
                continue;
            double base = bias;
            for (int64_t p = cases->on_ends[c] - on_count[c]; p < cases->on_ends[c]; p++)
                base += weight[cases->on_positions[p]];
            Lines lines = relax(base + down_to[left] - slack, base + up_to[left] + slack, base > 0.0);
            double slope = coefficient * (coefficient > 0.0 ? lines.up : lines.down);
            own->bound[c] += slope * base + (coefficient > 0.0 ? coefficient * lines.lift : 0.0);
            least = slope < least ? slope : least;
            most = slope > most ? slope : most;
        }

        /* Its entries, with the greatest slope where they are positive and the least where they are negative. */
        if (room > 0 && ((most > 0.0 && up_to[1] > 0.0) || (least < 0.0 && down_to[1] < 0.0))) {
            const uint32_t *cols = net->cols;
            const double *vals = net->vals;
            double *form = own->form;
            pushed = true;
            for (int64_t p = net->indptr[r], end = net->indptr[r + 1]; p < end; p++)
                form[cols[p]] += vals[p] * (vals[p] > 0.0 ? most : least);
        }
    }

    /* The form's maximum over the free features. */
    if (pushed) {
        Span done = {0, 0};
        mark(own, features, width, ON);
        for (int64_t q = first; q < last; q++)
            taken = collect(net, own, net->cols[q], room, taken, &done);
        mark(own, features, width, FREE);
    }
    for (int64_t c = 0; c < count; c++)
        for (int64_t q = 0; q < taken && q < max_active - on_count[c]; q++)
            own->bound[c] += own->top_value[q];
    return taken;
}

/* Decide a class by the bounds of `hull`, or refute it by the input that the loosest of them points to. */
Found attempt(const Flat *net, Scratch *own, const Question *asked, const int32_t *features, const Cases *cases,
              int64_t kind, int64_t max_active, int64_t taken)
{
    double slack = net->slack[asked->row];
    int64_t worst = -1;
    for (int64_t c = 0; c < cases->count; c++) {
        bool of_class = cases->values[c] == kind && cases->on_count[c] <= max_active;
        if (of_class && !closed(own->bound[c], asked->goal, slack) && (worst < 0 || own->bound[c] > own->bound[worst]))
            worst = c;
    }
    if (worst < 0)
        return (Found){PROVED, -1, 1, true};

    int64_t active = cases->on_count[worst];
    for (int64_t a = 0; a < active; a++)
        own->best[a] = features[cases->on_positions[cases->on_ends[worst] - active + a]];
    for (int64_t q = 0, left = max_active - active; q < taken && q < left; q++)
        own->best[active++] = own->top_feature[q];
    for (int64_t a = 0; a < active; a++)
        own->on[a] = own->best[a];
    Value met = run(net, own, asked->row, active);
    Above over = above(asked->sign * met.value, with_sign(asked->sign, met.low), asked->goal, asked->goal_low, slack);
    if (over.better && met.sure && over.sure)
        return (Found){REFUTED, active, 1, false};
    return (Found){OPEN, -1, 1, false};
}
