/* The proof tree of an output, as certificate/README.md has it: what branch and bound found, written down.

   A tree is a row of tokens in the order in which the format writes it. Nothing here decides anything: an output is
   proved before its tree is grown, and the checker bounds every leaf again in exact integers. */

#include "bounds.h"
#include "search.h"

enum { RULE_A = -1, RULE_B = -2, EVERY = -3, SIDES = -4 }; /* tokens; a feature is its own */
enum { CASE = -1 };                                        /* in a shape's tree; a position to branch on is its own */

/* What a tree is grown of; proof_tree.py says what each is. */
typedef struct {
    const int64_t *support, *shape, *values;
    const double *goals;
    int32_t *tokens;
    int64_t output, max_active, cap, few, width, steps, room;
} Growth;

/* A tree that is being grown. */
typedef struct {
    int32_t *tokens;
    int64_t count, room; /* how many tokens there are, and how many there may be */
    int64_t cap, few;    /* nodes of each case and side; inputs that a leaf may leave to be evaluated */
} Tree;

SC_EXPORT int64_t sc_grow_tree(const Flat *net, Scratch *own, const Growth *growth);

/* How many features an output or its function depends on. */
static int64_t free_features(const Flat *net, Scratch *own, int64_t row, const int64_t *features, int64_t width)
{
    int64_t layers = net->layers, count = width;
    int64_t begin = layers > 0 ? layer_begin(own, layers - 1) : 0, end = layers > 0 ? own->ends[layers - 1] : 1;
    for (int64_t s = 0; s < width; s++)
        own->state[features[s]] = OFF;
    for (int turn = 0; turn < 2; turn++) { /* mark and count; then clear */
        for (int64_t q = begin; q < end; q++) {
            int64_t r = layers > 0 ? own->members[q] : row;
            for (int64_t p = net->indptr[r]; p < net->indptr[r + 1]; p++) {
                int8_t *state = &own->state[net->cols[p]];
                if (turn == 1)
                    *state = FREE;
                else if (*state == FREE) {
                    *state = ON;
                    count++;
                }
            }
        }
    }
    for (int64_t s = 0; s < width; s++)
        own->state[features[s]] = FREE;
    return count;
}

/* Whether at most `room` of `free` features on makes no more than `few` inputs. */
static bool few_inputs(int64_t free, int64_t room, int64_t few)
{
    int64_t total = 1, exactly = 1;
    for (int64_t size = 1; size <= free && size <= room; size++) {
        exactly = exactly * (free - size + 1) / size;
        total += exactly;
        if (total > few)
            return false;
    }
    return true;
}

/* Append the tree that shows sign * (w . h) <= goal on a case.

   The case's features are marked in `state`, the `active` ones of them listed in `on`; `room` more may be on, `free`
   features of the cone and the function are not fixed, and `base` places of `path` are taken. Returns whether the tree
   is of a size worth writing. */
static bool grow(const Flat *net, Scratch *own, const Question *asked, int64_t active, int64_t room, int64_t free,
                 int64_t base, Tree *tree)
{
    int64_t depth = base, nodes = 0, taken = 0;
    bool grown = true;
    while (true) {
        nodes++;
        if (nodes > tree->cap || *own->stop != 0 || tree->count + 2 > tree->room) {
            grown = false;
            break;
        }

        /* A leaf by rule b or a; where neither closes, one whose inputs are evaluated, or a branch. */
        bool shut = false;
        int64_t chosen = -1;
        for (int turn = 0; turn < 2; turn++) {
            bool rule_b = turn == 0, differ = bound_rows(net, own, active, room, rule_b);
            double bound = highest(net, own, asked->row, net->layers, asked->sign, active, room, &taken);
            shut = closed(bound, asked->goal, net->slack[asked->row]);
            if (shut)
                tree->tokens[tree->count] = rule_b ? RULE_B : RULE_A;
            if (shut || !differ)
                break;
        }
        if (!shut) {
            chosen = room == 0 || few_inputs(free, room, tree->few) ? -1 : choose(net, own, asked->row, taken);
            tree->tokens[tree->count] = chosen < 0 ? EVERY : (int32_t)chosen;
        }
        tree->count++;
        if (chosen >= 0) {
            own->path[depth] = chosen;
            own->side[depth] = ON;
            own->state[chosen] = ON;
            own->on[active] = chosen;
            depth++, active++, room--, free--;
            continue;
        }

        /* Back to the last feature that was on, to turn it off. */
        while (depth > base && own->side[depth - 1] == OFF) {
            own->state[own->path[--depth]] = FREE;
            free++;
        }
        if (depth == base)
            break;
        own->side[depth - 1] = OFF;
        own->state[own->path[depth - 1]] = OFF;
        active--, room++;
    }
    while (depth > base)
        own->state[own->path[--depth]] = FREE;
    return grown;
}

/* Grow the tree of an output; returns how many tokens it has, -1 where it would be too large. */
int64_t sc_grow_tree(const Flat *net, Scratch *own, const Growth *growth)
{
    int64_t row = net->starts[net->layers] + growth->output, depth = 0, active = 0, kase = 0;
    Tree tree = {growth->tokens, 0, growth->room, growth->cap, growth->few};
    bool grown = true;
    trace(net, own, row);
    int64_t free = free_features(net, own, row, growth->support, growth->width);
    for (int64_t t = 0; t < growth->steps; t++) {
        if (!grown || tree.count + 4 > tree.room) {
            grown = false;
            break;
        }

        /* A feature of the function to branch on, first with it on. */
        if (growth->shape[t] != CASE) {
            int64_t feature = growth->support[growth->shape[t]];
            tree.tokens[tree.count++] = (int32_t)feature;
            own->path[depth] = feature;
            own->side[depth] = ON;
            own->state[feature] = ON;
            own->on[active] = feature;
            depth++, active++;
            continue;
        }

        /* A case: a tree for each side that is asked. */
        const double *goals = growth->goals + 2 * growth->values[kase++];
        if (goals[0] != __builtin_inf() && goals[1] != __builtin_inf())
            tree.tokens[tree.count++] = SIDES;
        for (int side = 0; side < 2; side++) {
            Question asked = {row, side == 0 ? 1.0 : -1.0, goals[side], 0};
            if (goals[side] != __builtin_inf() && grown)
                grown = grow(net, own, &asked, active, growth->max_active - active, free - depth, depth, &tree);
        }
        while (depth > 0 && own->side[depth - 1] == OFF)
            own->state[own->path[--depth]] = FREE;
        if (depth > 0) {
            own->side[depth - 1] = OFF;
            own->state[own->path[depth - 1]] = OFF;
            active--;
        }
    }
    while (depth > 0)
        own->state[own->path[--depth]] = FREE;
    return grown ? tree.count : -1;
}
