/* SPDX-License-Identifier: BSD-3-Clause */
/* A process that does not answer: whether it is at work, or waits for what nobody will do. */
#include "engine/exec/stillness.h"

#include "host/process.h"

/* A look costs some system calls per thread: there are LOOKS of them until the limit, and one per
 * second is enough. Of the time between two of them PAUSES pauses count at most, since this process
 * may itself have been stopped. */
static const int64_t pause_most_ns = INT64_C(1000000000);
enum { LOOKS = 20, PAUSES = 2, WAITING_TIMES = 6 };

static bool is_still(process_state state, bool begun)
{
    return state >= (begun ? PROCESS_WAITING : PROCESS_ASLEEP);
}

bool stillness_now(int64_t pid, bool begun)
{
    return is_still(process_look(pid), begun);
}

bool stillness_look(stillness *s, int64_t pid, bool begun, int64_t limit_ns, int64_t now_ns)
{
    const int64_t pause_ns = limit_ns / LOOKS < pause_most_ns ? limit_ns / LOOKS : pause_most_ns;
    const int64_t passed_ns = now_ns - s->looked_ns;
    if (s->looked_ns != 0 && passed_ns < pause_ns) {
        return false;
    }
    const int64_t cpu_ns = process_cpu_ns(pid);
    const process_state state = process_look(pid);
    if (s->looked_ns == 0 || cpu_ns != s->cpu_ns || !is_still(state, begun)) {
        s->for_ns = 0;
    } else {
        s->for_ns += passed_ns < PAUSES * pause_ns ? passed_ns : PAUSES * pause_ns;
    }
    s->looked_ns = now_ns;
    s->cpu_ns = cpu_ns;
    return s->for_ns >= (begun && state == PROCESS_WAITING ? WAITING_TIMES : 1) * limit_ns;
}
