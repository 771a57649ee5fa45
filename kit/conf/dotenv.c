// SPDX-License-Identifier: Apache-2.0
/* Reading a .env file. */
#include "kit/base/mem.h"
#include "kit/conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DOTENV_MAX_BYTES = 1 << 20, FROM_FILE_MAX = 1024 };

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

        if (!letter && !(c >= '0' && c <= '9' && i > 0))
            return false;
    }
    return s.n > 0;
}

/* Nothing but a comment may follow a closing quote. */
static bool is_rest(struct str s)
{
    s = str_trim(s);
    return s.n == 0 || s.p[0] == '#';
}

/* s begins behind the quote. Writes into `out`, which has room for s.n + 1 bytes. */
static bool unquote(struct str s, char quote, char *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote) {
            *out = '\0';
            return is_rest((struct str){s.p + i + 1, s.n - i - 1});
        }
        if (quote == '"' && s.p[i] == '\\' && i + 1 < s.n) {
            i++;
            *out++ = s.p[i];
            if (s.p[i] == 'n')
                out[-1] = '\n';
            continue;
        }
        *out++ = s.p[i];
    }
    return false;
}

static void copy_plain(struct str s, char *out)
{
    size_t n = s.n;

    for (size_t i = 1; i < s.n && n == s.n; i++)
        if (s.p[i] == '#' && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
            n = i;
    s = str_trim((struct str){s.p, n});
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
}

static bool read_value(struct str s, char *out)
{
    if (s.n > 0 && (s.p[0] == '"' || s.p[0] == '\''))
        return unquote((struct str){s.p + 1, s.n - 1}, s.p[0], out);
    copy_plain(s.n > 0 && s.p[0] == '#' ? STR("") : s, out);
    return true;
}

/* Variables that came from a file: those of the environment win, these are read anew. */
static char *from_file[FROM_FILE_MAX];
static size_t n_from_file;

static void forget_all(void)
{
    while (n_from_file > 0) {
        unsetenv(from_file[--n_from_file]);
        free(from_file[n_from_file]);
    }
}

static bool keep(const char *name, const char *text)
{
    if (getenv(name))
        return true;
    if (n_from_file == FROM_FILE_MAX || setenv(name, text, 1) != 0)
        return false;
    from_file[n_from_file++] = mem_strdup(name);
    return true;
}

static bool read_line(struct arena *a, struct str line)
{
    struct str name, value;
    char *text;

    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return true;
    if (str_starts(line, STR("export ")))
        line = str_trim((struct str){line.p + 7, line.n - 7});
    name = str_trim(str_split(line, '=', &value));
    if (!value.p || !is_name(name) || memchr(line.p, '\0', line.n))
        return false;
    value = str_trim(value);
    text = arena_alloc(a, value.n + 1);
    return read_value(value, text) && keep(arena_str(a, name).p, text);
}

static struct str trim_cr(struct str line)
{
    return line.n > 0 && line.p[line.n - 1] == '\r' ? (struct str){line.p, line.n - 1}
                                                    : line;
}

static const struct err *read_lines(struct arena *a, const char *path, struct str all)
{
    for (int number = 1; all.p; number++) {
        struct str line = str_split(all, '\n', &all);

        if (!read_line(a, trim_cr(line)))
            return err_new(a, &ERR_CODE_BAD_ENV_FILE, "line %d of %s is not NAME=value",
                           number, path);
    }
    return NULL;
}

static const struct err *bad_file(struct arena *a, const char *path, const char *why)
{
    return err_new(a, &ERR_CODE_BAD_ENV_FILE, "%s: %s", path, why);
}

/* Absent when it cannot be read or is too large. */
static struct str read_all(FILE *f, struct buf *b)
{
    char chunk[4096];
    size_t n;

    do {
        n = fread(chunk, 1, sizeof chunk, f);
        buf_put(b, chunk, n);
    } while (n == sizeof chunk);
    return ferror(f) || b->failed ? (struct str){0} : buf_view(b);
}

const struct err *conf_read_dotenv(struct arena *a, const char *path, bool must_exist)
{
    FILE *f = fopen(path, "re");
    const struct err *e;
    struct buf b;
    struct str all;

    forget_all();
    if (!f && errno == ENOENT && !must_exist)
        return NULL;
    if (!f)
        return bad_file(a, path, strerror(errno));
    buf_init(&b, DOTENV_MAX_BYTES);
    all = read_all(f, &b);
    e = all.p ? read_lines(a, path, all)
              : bad_file(a, path, "cannot be read, or is over 1 MiB");
    buf_fini(&b);
    fclose(f);
    return e;
}
