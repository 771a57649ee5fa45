// SPDX-License-Identifier: Apache-2.0
/*
 * What only starting needed is given back once the process is ready: free heap, and the
 * pages of code and constants that relocation, initialisers and first connections
 * touched. They are clean copies of files: what is used again comes back by a minor
 * fault.
 */
#include "kit/svc/internal.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

static int give_back(struct dl_phdr_info *info, size_t size, void *arg)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t from = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
        uintptr_t to = (info->dlpi_addr + p->p_vaddr + p->p_filesz) & ~(page - 1);

        /* Only what was never writable: anything else may differ from its file. */
        if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && to > from)
            (void)madvise((void *)from, to - from, MADV_DONTNEED); /* only advice */
    }
    return 0;
}

void svc_settle(struct svc *s)
{
    for (unsigned i = 0; i < s->loop_count; i++)
        loop_turns_restart(s->loops[i].loop);
    (void)malloc_trim(0);
    (void)dl_iterate_phdr(give_back, NULL);
}
