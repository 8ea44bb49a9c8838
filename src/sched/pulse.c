/* SPDX-License-Identifier: BSD-3-Clause */
/* How ranks assure each other that they are alive, and the time that counts as silence. */
#include "sched/pulse.h"

/* What a beat costs the coordinator, with much to spare. */
enum { BEAT_COST_NS = 20000 };

/* A rank that has missed this many beats may well be dead. */
enum { BEATS_MISSED = 3 };

/* How much longer to wait with ranks whose main thread computes. What they leave undone is computed
 * by others before that, once it is late. */
enum { BUSY_LIMITS = 60 };

/* Looks that come less often within a limit are no listening. */
enum { LOOKS_PER_LIMIT = 20 };

pulse pulse_for(int64_t beat_ns, int64_t limit_ns, int ranks, bool busy)
{
    const int64_t least_ns = (int64_t)ranks * BEAT_COST_NS;
    const int64_t slowness = busy ? BUSY_LIMITS : 1;
    pulse p = {.beat_ns = beat_ns > least_ns ? beat_ns : least_ns};
    const int64_t missed_ns = BEATS_MISSED * p.beat_ns;
    const int64_t usual_ns = limit_ns == 0 || limit_ns > missed_ns ? limit_ns : missed_ns;
    p.limit_ns = slowness * usual_ns;
    p.doubt_ns = slowness * missed_ns;
    p.sure_ns = p.limit_ns - usual_ns / 4;
    return p;
}

listening listening_begin(int64_t limit_ns, int64_t now_ns)
{
    return (listening){.longest_ns = limit_ns / LOOKS_PER_LIMIT, .looked_ns = now_ns};
}

void listening_look_after(listening *l, int64_t now_ns, int64_t own_ns)
{
    const int64_t passed_ns = now_ns - l->looked_ns;
    const int64_t most_ns = own_ns < l->longest_ns ? own_ns : l->longest_ns;
    l->looked_ns = now_ns;
    l->listened_ns += passed_ns < most_ns ? passed_ns : most_ns;
}

void listening_look(listening *l, int64_t now_ns)
{
    listening_look_after(l, now_ns, INT64_MAX);
}
