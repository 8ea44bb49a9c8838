/* SPDX-License-Identifier: BSD-3-Clause */
/* A price with an error bar, then a table that uses it, both in surface.h5. */
#include <math.h>
#include <stdio.h>
#include <weft/weft.h>

static double payoff(int64_t path, weft_random *random, void *context)
{
    return fmax(100 * exp(0.2 * weft_random_normal(random) - 0.02) - 100, 0);
}

static double value(int64_t item, weft_random *random, void *price)
{
    const double strike = 75 + (double)(item / 80), maturity = (double)(item % 80 + 1) / 20;
    return *(const double *)price * sqrt(maturity) * exp((100 - strike) / 50);
}

int main(int argc, char **argv)
{
    weft_session *session;
    weft_map *paths, *surface;
    weft_moments_value price;
    weft_init(&argc, &argv, &(weft_program){.default_out = "surface.h5"}, &session);
    weft_map_create(session, "paths", 1, (int64_t[]){100000}, &paths);
    weft_map_add_reduction(paths, "price", WEFT_MOMENTS);
    weft_map_create(session, "surface", 2, (int64_t[]){50, 80}, &surface);
    weft_map_add_field(surface, "value", WEFT_FLOAT64, 0, NULL, "EUR", "option value");
    weft_status status = weft_map_run_each(paths, payoff, NULL);
    if (!status) status = weft_map_get(paths, "price", &price);
    if (!status) status = weft_map_run_each(surface, value, &price.mean);
    if (!status && weft_session_rank(session) == 0) printf("%g +- %g\n", price.mean, price.error);
    return weft_finish(session, status);
}
