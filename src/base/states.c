/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the time of workers goes: sums per state, shares of them, and what is said of them. */
#include "base/states.h"

#include "base/number.h"

#include <math.h>

static const struct {
    const char *name;
    const char *text;
} known[WEFT_STATES] = {
#define STATE(enumerator, name, text) [enumerator] = {name, text},
    WEFT_STATE_MAP(STATE)
#undef STATE
};

const char *weft_state_name(weft_state state)
{
    return (unsigned)state < WEFT_STATES ? known[state].name : "?";
}

/* Relative to the largest, so that no sum is too large. */
static double amounts(const double seconds[], double amount[])
{
    double largest = 0;
    double sum = 0;
    for (int i = 0; i < WEFT_STATES; i++) {
        amount[i] = isfinite(seconds[i]) && seconds[i] > 0 ? seconds[i] : 0;
        largest = fmax(largest, amount[i]);
    }
    for (int i = 0; i < WEFT_STATES && largest > 0; i++) {
        amount[i] /= largest;
        sum += amount[i];
    }
    return sum;
}

static int largest_of(const double value[])
{
    int largest = 0;
    for (int i = 1; i < WEFT_STATES; i++) {
        largest = value[i] > value[largest] ? i : largest;
    }
    return largest;
}

bool weft_states_share(const double seconds[WEFT_STATES], int percent[WEFT_STATES])
{
    double rest[WEFT_STATES];
    int left = 100;
    const double sum = amounts(seconds, rest);
    for (int i = 0; i < WEFT_STATES; i++) {
        const double exact = sum > 0 ? 100 * (rest[i] / sum) : 0;
        percent[i] = (int)exact;
        rest[i] = exact - percent[i];
        left -= percent[i];
    }
    while (left > 0 && sum > 0) {
        const int next = largest_of(rest);
        percent[next]++;
        rest[next] = -1;
        left--;
    }
    return sum > 0;
}

void weft_states_print(const int count[WEFT_STATES], const char *unit, char *text, size_t bytes)
{
    text[0] = '\0';
    for (int i = 0; i < WEFT_STATES; i++) {
        if (count[i] > 0) {
            number_append(text, bytes, "%s%d%s %s", text[0] != '\0' ? ", " : "", count[i], unit,
                          known[i].text);
        }
    }
}

static int32_t count_workers(const states *s)
{
    int32_t workers = 0;
    for (int i = 0; i < WEFT_STATES; i++) {
        workers += s->workers[i];
    }
    return workers;
}

static int64_t sum_up(const states *s)
{
    int64_t ns = 0;
    for (int i = 0; i < WEFT_STATES; i++) {
        ns += s->ns[i];
    }
    return ns;
}

void states_extend(states *s, int32_t workers, int64_t elapsed_ns, bool lost)
{
    const int64_t rest_ns = workers * elapsed_ns - sum_up(s);
    for (int i = 0; i < WEFT_STATES && lost; i++) {
        s->workers[i] = 0;
    }
    s->workers[WEFT_ELSEWHERE] += workers - count_workers(s);
    if (rest_ns <= 0 || workers <= 0) {
        return;
    }
    int most = 0;
    for (int i = 0; i < WEFT_STATES; i++) {
        s->ns[i] += rest_ns / workers * s->workers[i];
        most = s->workers[i] > s->workers[most] ? i : most;
    }
    s->ns[most] += rest_ns % workers;
}

void states_end_work(states *s, int64_t ns)
{
    const int64_t most = ns * s->workers[WEFT_WAITING_FOR_WORK];
    const int64_t moved = most < s->ns[WEFT_WAITING_FOR_WORK] ? most : s->ns[WEFT_WAITING_FOR_WORK];
    s->ns[WEFT_WAITING_FOR_WORK] -= moved;
    s->ns[WEFT_WAITING_FOR_DISK] += moved;
    s->workers[WEFT_WAITING_FOR_DISK] += s->workers[WEFT_WAITING_FOR_WORK];
    s->workers[WEFT_WAITING_FOR_WORK] = 0;
}
