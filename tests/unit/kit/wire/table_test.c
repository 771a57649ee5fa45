// SPDX-License-Identifier: Apache-2.0
/* Look-ups in tables. */
#include "tests/unit/kit/wire/arena_suite.h"

Test(table, finds_fields_by_their_whole_name)
{
    for (unsigned i = 0; i < sample_all_msg.count; i++) {
        const struct wire_field *f = sample_all_msg.fields + i;

        cr_assert_eq(wire_field_find(&sample_all_msg, str_of(f->name)), f);
    }
    cr_assert_null(wire_field_find(&sample_all_msg, STR("")));
    cr_assert_null(wire_field_find(&sample_all_msg, STR("nam")));
    cr_assert_null(wire_field_find(&sample_all_msg, STR("namee")));
    cr_assert_null(wire_field_find(&sample_all_msg, STR("Name")));
}

Test(table, knows_labels_and_values_of_an_enum)
{
    cr_assert_str_eq(wire_enum_label(&sample_colour_enum, SAMPLE_GREEN), "green");
    cr_assert_str_eq(wire_enum_label(&sample_colour_enum, 3), "?");
    cr_assert_eq(wire_enum_value(&sample_colour_enum, STR("blue")), SAMPLE_BLUE);
    cr_assert_eq(wire_enum_value(&sample_colour_enum, STR("blu")), -1);
    cr_assert_eq(wire_enum_value(&sample_colour_enum, STR("Blue")), -1);
    cr_assert_eq(wire_enum_value(&sample_colour_enum, STR("")), -1);
}
