// SPDX-License-Identifier: Apache-2.0
/*
 * A REST client for tests. Every exchange is also appended to the file that the variable
 * VIADUCT_E2E_RECORD names, one JSON object a line, for the check against the OpenAPI
 * document. Not for several threads at once: each has its own.
 */
#ifndef TESTS_SUPPORT_STACK_API_H
#define TESTS_SUPPORT_STACK_API_H

#include "kit/base/arena.h"

struct api {
    struct arena arena; /* what answers point into */
    void *curl;
    char url[64];
};

struct answer {
    int status;         /* 0: no answer at all */
    struct str body;    /* NUL-terminated */
    struct str headers; /* as they came, NUL-terminated */
};

void api_open(struct api *api, const char *url);
void api_close(struct api *api);

/* token and json may be NULL. */
struct answer api_call(struct api *api, const char *method, const char *path,
                       const char *token, const char *json);
/* With further header lines, NULL-terminated. */
struct answer api_call_with(struct api *api, const char *method, const char *path,
                            const char *token, const char *json,
                            const char *const *headers);
__attribute__((format(printf, 2, 3))) const char *api_text(struct api *api,
                                                           const char *fmt, ...);

/* First header of that name, absent when there is none. */
struct str answer_header(const struct answer *a, const char *name);
/* A value by JSON pointer ("/items/0/id") as text: strings without quotes, numbers and
 * booleans as written, objects and arrays as JSON; NULL when there is none. */
const char *answer_get(struct api *api, const struct answer *a, const char *pointer);

/* Signs in and gives the access token; aborts the test when it cannot. */
const char *api_login(struct api *api, const char *email, const char *password);
/* Registers a fresh user with a random address and signs in. */
struct member {
    const char *email, *id, *token, *refresh_token;
};
struct member api_member(struct api *api);
/* With this at the start of the address: the SMTP sink knows some. */
struct member api_member_called(struct api *api, const char *prefix);

#endif
