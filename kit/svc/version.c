// SPDX-License-Identifier: Apache-2.0
/* --version: the program and the libraries it runs with, as the dynamic linker found
 * them. */
#include "kit/svc/internal.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>

/* The file behind the link carries the full version: libevent_core-2.1.so.7.0.1 */
static int print_library(struct dl_phdr_info *info, size_t size, void *arg)
{
    char *path = info->dlpi_name[0] == '/' ? realpath(info->dlpi_name, NULL) : NULL;

    (void)size;
    (void)arg;
    if (path)
        printf("  %s\n", strrchr(path, '/') + 1);
    free(path);
    return 0;
}

void svc_print_version(const struct svc_def *def)
{
    printf("%s %s\n", def->name, VIADUCT_VERSION);
    dl_iterate_phdr(print_library, NULL);
}
