/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how the price of the underlying moves, and what the option pays. */
#include "asian.h"

#include <math.h>

static double payoff(const asian *o, double average)
{
    return exp(-o->rate * o->maturity) * fmax(average - o->strike, 0);
}

/* The logarithm of the geometric average is that of the spot, half of all drift, and of each step's
 * deviate the share of the time behind its middle. */
asian_path asian_simulate(const asian *o, weft_random *random)
{
    const double n = (double)o->dates;
    const double step = o->maturity / n;
    const double deviation = o->volatility * sqrt(step);
    const double drift = (o->rate - o->volatility * o->volatility / 2) * step;
    const double growth = exp(drift);
    double price = o->spot, sum = o->spot / 2;
    double mirrored = price, mirrored_sum = sum;
    double exponent = 0;
    for (int64_t i = 0; i < o->dates; i++) {
        const double z = weft_random_normal(random);
        const double jump = exp(deviation * z);
        price *= growth * jump;
        mirrored *= growth / jump;
        sum += price;
        mirrored_sum += mirrored;
        exponent += (n - (double)i - 0.5) * z;
    }
    sum -= price / 2;
    mirrored_sum -= mirrored / 2;
    exponent *= deviation / n;
    const double middle = o->spot * exp(drift * n / 2);
    const double plain = payoff(o, sum / n);
    return (asian_path){
        .plain = plain,
        .arithmetic = (plain + payoff(o, mirrored_sum / n)) / 2,
        .geometric = (payoff(o, middle * exp(exponent)) + payoff(o, middle * exp(-exponent))) / 2};
}

static double normal_probability(double x)
{
    return erfc(-x * sqrt(0.5)) / 2;
}

double asian_geometric_value(const asian *o)
{
    const double n = (double)o->dates;
    const double squared = o->volatility * o->volatility;
    const double variance = squared * o->maturity * (1 - 1 / (4 * n * n)) / 3;
    const double mean = log(o->spot) + (o->rate - squared / 2) * o->maturity / 2;
    const double d = (mean - log(o->strike)) / sqrt(variance);
    const double expected = exp(mean + variance / 2) * normal_probability(d + sqrt(variance));
    return exp(-o->rate * o->maturity) * (expected - o->strike * normal_probability(d));
}
