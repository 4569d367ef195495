/* Depth-first branch and bound over one case of one output. */

#include "search.h"
#include "bounds.h"

/* The feature to branch on: the greatest coefficient's, else the heaviest in an unstable row, else any; or -1. */
int64_t choose(const Flat *net, const Scratch *own, int64_t row, int64_t taken)
{
    int64_t layers = net->layers, chosen = -1;
    double heaviest = 0.0;
    if (taken > 0)
        return own->top_feature[0];
    if (layers == 0) {
        for (int64_t p = net->indptr[row]; p < net->indptr[row + 1]; p++)
            if (own->state[net->cols[p]] == FREE)
                return net->cols[p];
        return -1;
    }
    for (int turn = 0; turn < 2 && chosen < 0; turn++) { /* unstable rows; then all */
        for (int64_t q = layer_begin(own, layers - 1); q < own->ends[layers - 1]; q++) {
            int64_t r = own->members[q];
            if (turn == 0 && (own->up[r] == 0.0 || own->lift[r] == 0.0))
                continue;
            for (int64_t p = net->indptr[r]; p < net->indptr[r + 1]; p++) {
                double weight = __builtin_fabs(net->vals[p]);
                if (weight > heaviest && own->state[net->cols[p]] == FREE) {
                    chosen = net->cols[p];
                    heaviest = weight;
                }
            }
        }
    }
    return chosen;
}

/* Look for an input with sign * (w . h) above a goal, depth first, the greatest coefficient's feature first.

   The case's features are marked in `state`, the `active` ones of them listed in `on`; `room` more may be on. At most
   `cap` nodes are bounded. To optimise is to raise the goal to what is found, and to go on. */
Found search(const Flat *net, Scratch *own, Question *asked, int64_t active, int64_t room, int64_t cap, bool optimise)
{
    int64_t depth = 0, nodes = 0, taken = 0;
    double slack = net->slack[asked->row], bound = 0.0;
    bool sure = true;
    Found found = {OPEN, -1, 0, false};

    while (true) {
        nodes++;
        if (nodes > cap || *own->stop != 0)
            break;

        /* Bound the node by rule b; by rule a too, where they differ. */
        bool shut = false;
        for (int turn = 0; turn < 2; turn++) {
            bool rule_b = turn == 0, differ = bound_rows(net, own, active, room, rule_b);
            bound = highest(net, own, asked->row, net->layers, asked->sign, active, room, &taken);
            shut = closed(bound, asked->goal, slack);
            if (shut || !differ) {
                found.by_b = shut && rule_b && nodes == 1;
                break;
            }
        }

        /* Where it stays open, try the input that the bound itself points to. */
        if (!shut) {
            for (int64_t q = 0; q < taken; q++)
                own->on[active + q] = own->top_feature[q];
            Value met = run(net, own, asked->row, active + taken);
            double value = asked->sign * met.value;
            uint64_t low = with_sign(asked->sign, met.low);
            Above over = above(value, low, asked->goal, asked->goal_low, slack);
            sure = sure && met.sure && over.sure;
            if (over.better && met.sure && over.sure) {
                found.size = active + taken;
                for (int64_t q = 0; q < found.size; q++)
                    own->best[q] = own->on[q];
                if (!optimise) {
                    found.state = REFUTED;
                    break;
                }
                asked->goal = value;
                asked->goal_low = low;
                shut = closed(bound, value, slack);
            }
        }

        /* Branch: first with a feature on. */
        int64_t chosen = shut || room == 0 ? -1 : choose(net, own, asked->row, taken);
        if (chosen >= 0) {
            own->path[depth] = chosen;
            own->side[depth] = ON;
            own->state[chosen] = ON;
            own->on[active] = chosen;
            depth++, active++, room--;
            continue;
        }

        /* Or go back to the last feature that was on, and turn it off. */
        while (depth > 0 && own->side[depth - 1] == OFF)
            own->state[own->path[--depth]] = FREE;
        if (depth == 0) {
            found.state = sure ? PROVED : OPEN;
            break;
        }
        own->side[depth - 1] = OFF;
        own->state[own->path[depth - 1]] = OFF;
        active--, room++;
    }
    while (depth > 0)
        own->state[own->path[--depth]] = FREE;
    found.nodes = nodes < cap ? nodes : cap;
    return found;
}
