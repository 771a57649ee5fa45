// SPDX-License-Identifier: Apache-2.0
/* Reading the Maildir. */
#include "tests/support/stack/mail.h"

#include "tests/support/stack/program.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAIL_MAX = 256 * 1024 };

static void read_mail(const char *path, void (*each)(void *arg, const char *text),
                      void *arg)
{
    static char text[MAIL_MAX];
    FILE *in = fopen(path, "r");
    size_t n;

    if (!in)
        return;
    n = fread(text, 1, sizeof text - 1, in);
    text[n] = 0;
    (void)fclose(in);
    each(arg, text);
}

void mail_each(void (*each)(void *arg, const char *text), void *arg)
{
    const char *maildir = getenv("VIADUCT_TEST_MAILDIR");
    char path[1024];
    struct dirent *e;
    DIR *dir;

    (void)snprintf(path, sizeof path, "%s/new", maildir ? maildir : ".");
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        (void)snprintf(path, sizeof path, "%s/new/%s", maildir, e->d_name);
        if (e->d_name[0] != '.')
            read_mail(path, each, arg);
    }
    if (dir)
        (void)closedir(dir);
}

struct search {
    const char *word, *other;
    int n;
};

static void count_if_found(void *arg, const char *text)
{
    struct search *s = arg;

    s->n += strstr(text, s->word) && strstr(text, s->other);
}

int mail_count(const char *word, const char *other)
{
    struct search s = {word, other, 0};

    mail_each(count_if_found, &s);
    return s.n;
}

static bool has_come(void *arg)
{
    const struct search *e = arg;

    return mail_count(e->word, e->other) >= e->n;
}

void mail_wait(const char *word, const char *other, int n, int timeout_s)
{
    struct search e = {word, other, n};

    wait_until(has_come, &e, timeout_s, "mail");
}
