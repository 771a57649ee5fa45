// SPDX-License-Identifier: Apache-2.0
/* Reading the Maildir. */
#include "tests/support/stack/mail.h"

#include "tests/support/stack/program.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAIL_MAX = 256 * 1024 };

static bool holds(const char *path, const char *word, const char *other)
{
    static char text[MAIL_MAX];
    FILE *in = fopen(path, "r");
    size_t n;

    if (!in)
        return false;
    n = fread(text, 1, sizeof text - 1, in);
    text[n] = 0;
    (void)fclose(in);
    return strstr(text, word) && strstr(text, other);
}

int mail_count(const char *word, const char *other)
{
    const char *maildir = getenv("VIADUCT_TEST_MAILDIR");
    char path[1024];
    struct dirent *e;
    DIR *dir;
    int n = 0;

    (void)snprintf(path, sizeof path, "%s/new", maildir ? maildir : ".");
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        (void)snprintf(path, sizeof path, "%s/new/%s", maildir, e->d_name);
        n += e->d_name[0] != '.' && holds(path, word, other);
    }
    if (dir)
        (void)closedir(dir);
    return n;
}

struct expected {
    const char *word, *other;
    int n;
};

static bool has_come(void *arg)
{
    const struct expected *e = arg;

    return mail_count(e->word, e->other) >= e->n;
}

void mail_wait(const char *word, const char *other, int n, int timeout_s)
{
    struct expected e = {word, other, n};

    wait_until(has_come, &e, timeout_s, "mail");
}
