// SPDX-License-Identifier: Apache-2.0
/*
 * Settings from one option table per program: parsing, defaults, bounds, --help, masking
 * and the configuration page come from the same rows. Values are VIADUCT_* environment
 * variables, also read from a .env file (the environment wins).
 *
 *     #define USERS_OPTIONS(O)                                                       \
 *         O(secret, pg, "VIADUCT_USERS_PG", NULL, 0, 0, "libpq connection URI")      \
 *         O(i64, conns, "VIADUCT_USERS_PG_CONNECTIONS", "4", 1, 100, "per loop")
 *     CONF_STRUCT(users_conf, USERS_OPTIONS)      in the header
 *     #define CONF_T users_conf                   in one .c file
 *     CONF_DEFINE(USERS_OPTIONS)
 *
 * gives struct users_conf and users_conf_options. Kinds: str, secret, url (secret in its
 * password only), path, i64, ms, bytes (suffixes k, m, g), flag (true/false), f64. A
 * default of NULL makes an option required; an empty variable counts as one that is not
 * set. min and max bound numbers, and lengths in bytes when max is not 0. Main thread, at
 * start.
 */
#ifndef KIT_CONF_CONF_H
#define KIT_CONF_CONF_H

#include "kit/base/buf.h"
#include "kit/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum conf_kind {
    CONF_str,
    CONF_secret,
    CONF_url,
    CONF_path,
    CONF_i64,
    CONF_ms,
    CONF_bytes,
    CONF_flag,
    CONF_f64
};

struct conf_option {
    enum conf_kind kind;
    const char *member;
    const char *env;
    const char *dflt; /* NULL: required */
    double min, max;
    const char *doc;
    size_t offset;
};

#define CONF_CTYPE_str    const char *
#define CONF_CTYPE_secret const char *
#define CONF_CTYPE_url    const char *
#define CONF_CTYPE_path   const char *
#define CONF_CTYPE_i64    int64_t
#define CONF_CTYPE_ms     int64_t
#define CONF_CTYPE_bytes  int64_t
#define CONF_CTYPE_flag   bool
#define CONF_CTYPE_f64    double

#define CONF_MEMBER(knd, nam, envname, dflt, lo, hi, text) CONF_CTYPE_##knd nam;
#define CONF_STRUCT(T, TABLE) \
    struct T {                \
        TABLE(CONF_MEMBER)    \
    };                        \
    extern const struct conf_option T##_options[];
/* The struct's name is needed inside the row, so CONF_DEFINE opens a local alias. */
#define CONF_ROW(knd, nam, envname, def, lo, hi, text) \
    {CONF_##knd, #nam, envname, def, lo, hi, text, offsetof(struct CONF_T, nam)},
/* Use:  #define CONF_T users_conf
 *       CONF_DEFINE(USERS_OPTIONS) */
#define CONF_DEFINE_(T, TABLE) \
    const struct conf_option T##_options[] = {TABLE(CONF_ROW){0}};
#define CONF_DEFINE__(T, TABLE) CONF_DEFINE_(T, TABLE)
#define CONF_DEFINE(TABLE)      CONF_DEFINE__(CONF_T, TABLE)

/* How reading settings fails. */
#define CONF_ERRORS(E)                                                              \
    E(BAD_SETTING, "conf.bad_setting", INVALID, "Some settings are not acceptable") \
    E(BAD_ENV_FILE, "conf.bad_env_file", INVALID, "The .env file cannot be used")
CONF_ERRORS(ERR_DECLARE)

/* Reads the .env file into the environment without overriding it; a missing file is fine
 * unless `must_exist`. Lines: NAME=value, '#' comments (at the start of a line, or after
 * a space behind a value without quotes), optional quotes: "with \n, \" and \\" or 'as it
 * is', optional `export`. Called again, it first takes away what it set before. Errors
 * name file and line, never what stands there. */
MUST_CHECK const struct err *conf_read_dotenv(struct arena *a, const char *path,
                                              bool must_exist);

/* Fills *out. The error names every bad variable, its bounds and what it was (not when
 * secret): a field each, and all of them in its detail. Unknown VIADUCT_* variables are
 * not an error. Strings live in the arena. */
MUST_CHECK const struct err *conf_load(struct arena *a, const struct conf_option *options,
                                       void *out);

/* For --help and docs: one line per option. */
void conf_help(struct buf *b, const struct conf_option *options);
/* For --print-config: NAME=value lines, secrets as ***. */
void conf_print(struct buf *b, const struct conf_option *options, const void *conf);
/* One value as conf_print shows it. */
void conf_print_value(struct buf *b, const struct conf_option *option, const void *conf);

#endif
