// SPDX-License-Identifier: Apache-2.0
/* The transition table says what the shop's rules say. */
#include "orders/rules/transitions.h"

#include <criterion/criterion.h>

/* Rows: action; columns: status it is asked in. */
static const bool allowed[5][6] = {
    /*               pending paid   shipped delivered cancelled refunded */
    [ORDER_PAY] = {true, false, false, false, false, false},
    [ORDER_SHIP] = {false, true, false, false, false, false},
    [ORDER_DELIVER] = {false, false, true, false, false, false},
    [ORDER_CANCEL] = {true, false, false, false, false, false},
    [ORDER_REFUND] = {false, true, false, true, false, false},
};

Test(transitions, are_allowed_from_the_right_statuses_only)
{
    for (enum order_action a = ORDER_PAY; a <= ORDER_REFUND; a++)
        for (enum order_status s = ORDER_PENDING; s <= ORDER_REFUNDED; s++)
            cr_assert_eq(transition_allowed(transition_of(a), s), allowed[a][s],
                         "%s from %s", transition_of(a)->name,
                         wire_enum_label(&order_status_enum, s));
}

Test(transitions, give_pieces_back_only_when_they_never_left)
{
    for (enum order_action a = ORDER_PAY; a <= ORDER_REFUND; a++)
        cr_assert_eq(transition_of(a)->restock, a == ORDER_CANCEL);
}

Test(transitions, let_the_owner_pay_and_cancel_and_nothing_else)
{
    for (enum order_action a = ORDER_PAY; a <= ORDER_REFUND; a++)
        cr_assert_eq(transition_of(a)->by_owner, a == ORDER_PAY || a == ORDER_CANCEL);
}
