// SPDX-License-Identifier: Apache-2.0
/* What goes first when there is too much: a column of the route table, carried by the
 * flow, applied by the limiter of an upstream. */
#ifndef KIT_BASE_PRIORITY_H
#define KIT_BASE_PRIORITY_H

/*   priority, name, percent of a limit it may fill */
#define PRIORITIES(P)                                                   \
    P(NORMAL, "normal", 90)                                             \
    P(VITAL, "vital", 100) /* without it nobody can work: signing in */ \
    P(BULK, "bulk", 70)    /* lists, exports, reports */

enum priority {
#define PRIORITY_ENUM(priority, name, percent) PRIORITY_##priority,
    PRIORITIES(PRIORITY_ENUM)
#undef PRIORITY_ENUM
        PRIORITY_COUNT
};

#endif
