// SPDX-License-Identifier: Apache-2.0
/* What the fuzzers of kit/wire share. */
#ifndef TESTS_FUZZ_WIRE_FUZZ_H
#define TESTS_FUZZ_WIRE_FUZZ_H

#include "tests/support/wire/sample.h"

#include <stdio.h>
#include <stdlib.h>

enum { FUZZ_BUF_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(true_thing)                                                        \
    do {                                                                               \
        if (!(true_thing)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #true_thing); \
            abort();                                                                   \
        }                                                                              \
    } while (0)

/* The first byte chooses the message; the rest is the document. */
static inline const struct wire_msg *fuzz_message(const uint8_t *data, size_t *size)
{
    static const struct wire_msg *const messages[] = {
        &sample_all_msg, &sample_node_msg, &sample_user_msg, &sample_query_msg};

    if (*size == 0)
        return NULL;
    --*size;
    return messages[data[0] % 4];
}

/* Errors are text for people: printable, and JSON can hold them. */
static inline void fuzz_check_err(const struct err *e)
{
    unsigned fields = 0;

    for (const struct err_field *f = e->fields; f; f = f->next, fields++) {
        FUZZ_ASSERT(f->pointer.n < 4096 && str_is_utf8(f->pointer));
        FUZZ_ASSERT(f->detail.n > 0 && f->detail.n < 256 && str_is_utf8(f->detail));
    }
    FUZZ_ASSERT(fields <= 32);
    FUZZ_ASSERT(e->detail.n > 0);
}

#endif
