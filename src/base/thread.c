/* SPDX-License-Identifier: BSD-3-Clause */
/* Which thread of a rank a function runs on. */
#include "base/thread.h"

static _Thread_local bool is_other;

void thread_set_other(bool other)
{
    is_other = other;
}

bool thread_drives(void)
{
    return !is_other;
}
