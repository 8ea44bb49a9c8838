/* SPDX-License-Identifier: BSD-3-Clause */
/* A price with an error bar: the mean of what paths pay, of which nothing else is kept. */
#include <math.h>
#include <stdio.h>
#include <weft/weft.h>

static double payoff(int64_t path, weft_random *random, void *context)
{
    return fmax(100 * exp(0.2 * weft_random_normal(random) - 0.02) - 100, 0);
}

int main(int argc, char **argv)
{
    weft_session *session;
    weft_map *paths;
    weft_moments_value price;
    weft_init(&argc, &argv, NULL, &session);
    weft_map_create(session, "paths", 1, (int64_t[]){100000}, &paths);
    weft_map_add_reduction(paths, "price", WEFT_MOMENTS);
    weft_status status = weft_map_run_each(paths, payoff, NULL);
    if (!status) status = weft_map_get(paths, "price", &price);
    if (!status && weft_session_rank(session) == 0) printf("%g +- %g\n", price.mean, price.error);
    return weft_finish(session, status);
}
