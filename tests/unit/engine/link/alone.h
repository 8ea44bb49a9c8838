/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of what talks to other ranks, in a process that is alone: MPI, and a mailbox. */
#ifndef UNIT_ENGINE_ALONE_H
#define UNIT_ENGINE_ALONE_H

#include "comm/mail.h"

static comm *alone;
static pool *pieces;
static mail *box;

static int open_alone(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    return pool_create(&pieces, &e) == WEFT_OK &&
                   comm_open(NULL, NULL, false, &alone, &e) == WEFT_OK &&
                   mail_create(alone, pieces, &box, &e) == WEFT_OK
               ? 0
               : -1;
}

static int close_alone(void **state)
{
    (void)state;
    mail_destroy(box);
    comm_close(alone);
    pool_destroy(pieces);
    return 0;
}

#endif
