// SPDX-License-Identifier: Apache-2.0
/* The mails in the sink's Maildir (VIADUCT_TEST_MAILDIR). */
#ifndef TESTS_SUPPORT_STACK_MAIL_H
#define TESTS_SUPPORT_STACK_MAIL_H

/* Mails whose text, decoded or not, holds both words (an address, an order's id). */
int mail_count(const char *word, const char *other);
/* Waits until there are n of them; aborts the test after timeout_s. */
void mail_wait(const char *word, const char *other, int n, int timeout_s);

/* Calls each(arg, text) with every mail. */
void mail_each(void (*each)(void *arg, const char *text), void *arg);

#endif
