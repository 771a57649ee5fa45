// SPDX-License-Identifier: Apache-2.0
/* What the end of an SMTP transfer means. */
#include "jobs/kinds/mailer.h"
#include "jobs/rules/errors.h"

#include <criterion/criterion.h>
#include <curl/curl.h>

Test(judge, looks_at_the_transfer_before_the_reply)
{
    cr_expect_null(mail_judge(CURLE_OK, 250, true));
    cr_expect_null(mail_judge(CURLE_OK, 550, true));
    cr_expect_eq(mail_judge(CURLE_SEND_ERROR, 250, false), &ERR_CODE_SMTP_DOWN,
                 "a send that failed may leave a good code behind");
}

Test(judge, believes_the_reply_about_the_mail)
{
    cr_expect_eq(mail_judge(CURLE_SEND_ERROR, 550, false), &ERR_CODE_SMTP_REFUSED);
    cr_expect_eq(mail_judge(CURLE_SEND_ERROR, 451, false), &ERR_CODE_SMTP_DEFERRED);
    cr_expect_eq(mail_judge(CURLE_WEIRD_SERVER_REPLY, 552, true), &ERR_CODE_SMTP_REFUSED);
    cr_expect_eq(mail_judge(CURLE_WEIRD_SERVER_REPLY, 452, true),
                 &ERR_CODE_SMTP_DEFERRED);
}

Test(judge, does_not_blame_the_mail_for_a_server_that_is_away)
{
    cr_expect_eq(mail_judge(CURLE_COULDNT_CONNECT, 0, false), &ERR_CODE_SMTP_DOWN);
    cr_expect_eq(mail_judge(CURLE_OPERATION_TIMEDOUT, 0, false), &ERR_CODE_SMTP_DOWN);
    cr_expect_eq(mail_judge(CURLE_WEIRD_SERVER_REPLY, 554, false), &ERR_CODE_SMTP_DOWN,
                 "in the greeting");
    cr_expect_eq(mail_judge(CURLE_SEND_ERROR, 421, false), &ERR_CODE_SMTP_DOWN);
    cr_expect_eq(mail_judge(CURLE_LOGIN_DENIED, 535, false), &ERR_CODE_SMTP_DOWN);
}

Test(judge, counts_an_unclear_end_after_the_whole_mail_as_an_attempt)
{
    cr_expect_eq(mail_judge(CURLE_OPERATION_TIMEDOUT, 354, true),
                 &ERR_CODE_SMTP_DEFERRED);
    cr_expect_eq(mail_judge(CURLE_RECV_ERROR, 354, true), &ERR_CODE_SMTP_DEFERRED);
}
