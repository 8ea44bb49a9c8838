/* SPDX-License-Identifier: BSD-3-Clause */
/* montecarlo: what an Asian option is worth, with an error bar, and a table of such options that
 * uses what the first map has found. Killed anywhere, the same command goes on. */
#include "asian.h"
#include "axis.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <weft/weft.h>

#define MOST_PATHS 1e9 /* of an item of the table */

typedef struct request {
    asian option;
    int64_t paths;
    int64_t strikes;
    int64_t maturities;
    double accuracy;
} request;

typedef struct estimate {
    double value;
    double error; /* its standard deviation */
} estimate;

/* How to price the table's options. */
typedef struct recipe {
    const request *wish;
    double weight; /* of the control variate */
    int64_t paths; /* per option */
} recipe;

/* An item is a path. Nothing is kept of it but what it adds to the map's reductions. */
static int simulate(const weft_span *span, void *context)
{
    const request *wish = context;
    weft_moments *plain = weft_span_accumulator(span, 0);
    weft_moments *antithetic = weft_span_accumulator(span, 1);
    weft_covariance *averages = weft_span_accumulator(span, 2);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        weft_random random = weft_span_random(span, weft_span_first(span) + i, 0);
        const asian_path path = asian_simulate(&wish->option, &random);
        weft_moments_add(plain, path.plain);
        weft_moments_add(antithetic, path.arithmetic);
        weft_covariance_add(averages, (double[]){path.arithmetic, path.geometric});
    }
    return 0;
}

static double strike_of_row(const void *context, int64_t row)
{
    const request *wish = context;
    const double share = wish->strikes == 1 ? 0.5 : (double)row / (double)(wish->strikes - 1);
    return wish->option.strike * (0.8 + 0.4 * share);
}

static double maturity_of_column(const void *context, int64_t column)
{
    const request *wish = context;
    return wish->option.maturity * (double)(column + 1) / (double)wish->maturities;
}

static asian option_of_item(const request *wish, int64_t item)
{
    asian option = wish->option;
    option.strike = strike_of_row(wish, item / wish->maturities);
    option.maturity = maturity_of_column(wish, item % wish->maturities);
    return option;
}

/* An item is an option of the table, whose paths come from its own random stream. */
static int value_option(const weft_span *span, void *context)
{
    const recipe *r = context;
    double *value = weft_span_double(span, "value");
    double *error = weft_span_double(span, "error");
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        const asian option = option_of_item(r->wish, item);
        const double expected = asian_geometric_value(&option), n = (double)r->paths;
        weft_random random = weft_span_random(span, item, 1);
        double sum = 0, squares = 0;
        for (int64_t k = 0; k < r->paths; k++) {
            const asian_path path = asian_simulate(&option, &random);
            const double x = path.arithmetic - r->weight * path.geometric;
            sum += x;
            squares += x * x;
        }
        value[i] = sum / n + r->weight * expected;
        error[i] = sqrt(fmax(squares - sum * sum / n, 0) / (n - 1) / n);
    }
    return 0;
}

static weft_status check(weft_session *session, const request *wish)
{
    const asian *o = &wish->option;
    if (!(o->spot > 0 && o->strike > 0 && o->volatility > 0 && o->maturity > 0)) {
        return weft_error(session, WEFT_ERR_USAGE,
                          "--spot, --strike, --volatility and --maturity must be more than 0");
    }
    if (o->dates < 1 || wish->strikes < 1 || wish->maturities < 1) {
        return weft_error(session, WEFT_ERR_USAGE,
                          "--dates, --strikes and --maturities must be at least 1");
    }
    if (wish->paths < 2) {
        return weft_error(session, WEFT_ERR_USAGE, "--paths must be at least 2, not %" PRId64,
                          wish->paths);
    }
    if (!(wish->accuracy > 0)) {
        return weft_error(session, WEFT_ERR_USAGE, "--accuracy must be more than 0, not %g",
                          wish->accuracy);
    }
    return WEFT_OK;
}

/* What results depend on becomes a parameter: a file made with another value is refused. */
static void add_option(weft_map *map, const asian *o)
{
    weft_map_add_double(map, "spot", o->spot);
    weft_map_add_double(map, "strike", o->strike);
    weft_map_add_double(map, "rate", o->rate);
    weft_map_add_double(map, "volatility", o->volatility);
    weft_map_add_double(map, "maturity", o->maturity);
    weft_map_add_int64(map, "dates", o->dates);
}

static weft_map *describe_paths(weft_session *session, const request *wish)
{
    weft_map *map;
    weft_map_create(session, "paths", 1, &wish->paths, &map);
    weft_map_add_reduction(map, "plain", WEFT_MOMENTS);
    weft_map_add_reduction(map, "antithetic", WEFT_MOMENTS);
    weft_map_add_reduction(map, "averages", weft_covariance_of(2));
    add_option(map, &wish->option);
    return map;
}

static weft_status describe_table(weft_session *session, const request *wish, weft_map **map)
{
    const int64_t shape[] = {wish->strikes, wish->maturities};
    weft_map_create(session, "table", 2, shape, map);
    weft_status status =
        axis_set(session, *map, 0, "strike", "EUR", wish->strikes, strike_of_row, wish);
    if (!status) {
        status = axis_set(session, *map, 1, "maturity", "year", wish->maturities,
                          maturity_of_column, wish);
    }
    weft_map_add_field(*map, "value", WEFT_FLOAT64, 0, NULL, "EUR", "value");
    weft_map_add_field(*map, "error", WEFT_FLOAT64, 0, NULL, "EUR", "standard error of the value");
    weft_map_reduce_field(*map, "error", WEFT_EXTREMES, "errors");
    add_option(*map, &wish->option);
    weft_map_add_double(*map, "accuracy", wish->accuracy);
    return status;
}

static void print(weft_session *session, const char *what, estimate e, double plain_error)
{
    if (weft_session_rank(session) == 0) {
        const double ratio = plain_error / e.error;
        printf("%-12s%.7f ± %.7f EUR", what, e.value, e.error);
        printf(e.error < plain_error ? "  (1/%.1f of the variance)\n" : "\n", ratio * ratio);
        (void)fflush(stdout);
    }
}

/* The value by the control variate, with the weight that leaves the least variance. */
static estimate controlled(const request *wish, const double averages[7], recipe *r)
{
    const double *mean = averages + 1, *covariance = averages + 3;
    r->weight = covariance[3] > 0 ? covariance[1] / covariance[3] : 0;
    const double variance = fmax(covariance[0] - r->weight * covariance[1], 0);
    r->paths =
        (int64_t)fmin(fmax(ceil(variance / wish->accuracy / wish->accuracy), 100), MOST_PATHS);
    return (estimate){.value =
                          mean[0] - r->weight * (mean[1] - asian_geometric_value(&wish->option)),
                      .error = sqrt(variance / averages[0])};
}

static weft_status value_one(weft_session *session, request *wish, weft_map *paths, recipe *r)
{
    weft_moments_value plain, antithetic;
    double averages[7]; /* the count, two means, two by two covariances */
    weft_status status = weft_map_run(paths, simulate, wish);
    if (!status) {
        status = weft_map_get(paths, "plain", &plain);
    }
    if (!status) {
        status = weft_map_get(paths, "antithetic", &antithetic);
    }
    if (!status) {
        status = weft_map_get(paths, "averages", averages);
    }
    if (!status) {
        const estimate best = controlled(wish, averages, r);
        print(session, "plain", (estimate){plain.mean, plain.error}, plain.error);
        print(session, "antithetic", (estimate){antithetic.mean, antithetic.error}, plain.error);
        print(session, "control", best, plain.error);
    }
    return status;
}

static weft_status value_table(weft_session *session, weft_map *table, recipe *r)
{
    weft_extremes_value errors = {.maximum = 0};
    weft_status status = weft_map_run(table, value_option, r);
    if (!status) {
        status = weft_map_get(table, "errors", &errors);
    }
    if (!status && weft_session_rank(session) == 0) {
        printf("table: %" PRId64 " strikes, %" PRId64 " maturities, %" PRId64
               " paths each: errors up to %.7f EUR\n",
               r->wish->strikes, r->wish->maturities, r->paths, errors.maximum);
    }
    return status;
}

/* Both maps are described before the first is run, so that they share a file. */
static weft_status run(weft_session *session, request *wish)
{
    recipe r = {.wish = wish};
    weft_map *table;
    weft_status status = check(session, wish);
    if (status) {
        return status;
    }
    weft_map *paths = describe_paths(session, wish);
    status = describe_table(session, wish, &table);
    if (!status) {
        status = value_one(session, wish, paths, &r);
    }
    return status ? status : value_table(session, table, &r);
}

int main(int argc, char **argv)
{
    request wish = {.option = {.spot = 100,
                               .strike = 100,
                               .rate = 0.09,
                               .volatility = 0.2,
                               .maturity = 1,
                               .dates = 64},
                    .paths = 1000000,
                    .strikes = 21,
                    .maturities = 12,
                    .accuracy = 0.005};
    asian *o = &wish.option;
    const weft_option options[] = {
        {"spot", "EUR", WEFT_OPTION_DOUBLE, &o->spot, "the price today (100)"},
        {"strike", "EUR", WEFT_OPTION_DOUBLE, &o->strike, "what the average is bought for (100)"},
        {"rate", "R", WEFT_OPTION_DOUBLE, &o->rate, "interest without risk, per year (0.09)"},
        {"volatility", "V", WEFT_OPTION_DOUBLE, &o->volatility, "per root of a year (0.2)"},
        {"maturity", "YEARS", WEFT_OPTION_DOUBLE, &o->maturity, "the time until then (1)"},
        {"dates", "N", WEFT_OPTION_INT64, &o->dates, "steps of a path (64)"},
        {"paths", "N", WEFT_OPTION_INT64, &wish.paths, "paths, each with its mirror image (1e6)"},
        {"strikes", "N", WEFT_OPTION_INT64, &wish.strikes,
         "rows of the table, 0.8 to 1.2 times the strike (21)"},
        {"maturities", "N", WEFT_OPTION_INT64, &wish.maturities,
         "columns of the table, up to the maturity (12)"},
        {"accuracy", "EUR", WEFT_OPTION_DOUBLE, &wish.accuracy,
         "the standard error that is wanted in the table (0.005)"},
        {0},
    };
    const weft_program program = {
        .name = "montecarlo",
        .summary = "Values an Asian option on the average of a price, with an error bar.",
        .default_out = "montecarlo.h5",
        .options = options,
        .version = WEFT_VERSION,
    };
    weft_session *session = NULL;
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (!status) {
        status = run(session, &wish);
    }
    return weft_finish(session, status);
}
