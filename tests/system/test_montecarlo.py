# SPDX-License-Identifier: BSD-3-Clause
"""The program montecarlo: its paths number for number, its values against quadrature and published
ones, and the same bytes on every layout, killed or not."""

import itertools
import math
import os
import random
import signal
import time

import numpy as np

import results
from launch import SystemTest, main, needs, schedules, strike

MONTECARLO = os.environ.get("PROGRAM_montecarlo")
LAYOUTS = ((0, 1), (1, 3), (2, 2), (3, 1), (2, 0))
RATE, SPOT = 0.09, 100
# Zhang, as in apps/montecarlo/asian.h: volatility and value, of an average over all times.
PUBLISHED = {0.05: 4.3082350, 0.1: 4.9151167, 0.2: 6.7773481, 0.3: 8.8287588}


def draw(item, dates, stream, count):
    """Normal deviates of `count` paths, one after the other, of an item's stream."""
    bits = np.random.Philox(key=[0, stream], counter=[0, item, 0, 0])
    return np.random.Generator(bits).standard_normal(count * dates).reshape(count, dates)


def simulate(z, strike=100.0, volatility=0.2, maturity=1.0):
    """What a path pays, with the program's operations in their order."""
    n = len(z)
    step = maturity / n
    deviation = volatility * math.sqrt(step)
    drift = (RATE - volatility * volatility / 2) * step
    growth = math.exp(drift)
    price = mirrored = float(SPOT)
    sums = [SPOT / 2, SPOT / 2]
    exponent = 0.0
    for i, deviate in enumerate(map(float, z)):
        jump = math.exp(deviation * deviate)
        price *= growth * jump
        mirrored *= growth / jump
        sums = [sums[0] + price, sums[1] + mirrored]
        exponent += (n - i - 0.5) * deviate
    sums = [sums[0] - price / 2, sums[1] - mirrored / 2]
    exponent *= deviation / n
    middle = SPOT * math.exp(drift * n / 2)

    def payoff(average):
        return math.exp(-RATE * maturity) * max(average - strike, 0.0)

    plain = payoff(sums[0] / n)
    return (plain, (plain + payoff(sums[1] / n)) / 2,
            (payoff(middle * math.exp(exponent)) + payoff(middle * math.exp(-exponent))) / 2)


def call(forward, strike, deviation):
    """Black's formula without discount."""
    d = (np.log(forward / strike)) / deviation
    probability = np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2)
    return (forward * probability(d + deviation / 2) - strike * probability(d - deviation / 2))


def quadrature(dates, volatility, strike=100.0, maturity=1.0, points=400):
    """The value without random numbers: the average is spot·(w₀ + exp B₁), where Bₖ = xₖ + log(wₖ +
    exp Bₖ₊₁) with a normal xₖ (Carverhill and Clewlow, 1990); the density of each B follows from the
    next one's, and the first x is integrated by Black's formula."""
    step = maturity / dates
    deviation = volatility * math.sqrt(step)
    drift = (RATE - volatility ** 2 / 2) * step
    weight = [0.5 / dates] + [1 / dates] * (dates - 1) + [0.5 / dates]
    u, width = np.linspace(-1, 1, points, retstep=True)
    u, width = u * 7 * volatility * math.sqrt(maturity), width * 7 * volatility * math.sqrt(maturity)

    def normal(x):
        return np.exp(-0.5 * (x / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))

    centre = drift + math.log(weight[dates])
    density = normal(u)
    for k in range(dates - 1, 1, -1):
        shift = np.log(weight[k] + np.exp(centre + u))
        centre = drift + math.log(weight[k] + math.exp(centre))
        density = normal((centre + u - drift)[:, None] - shift) @ density * width
    growth = SPOT * (weight[1] + np.exp(centre + u)) * math.exp(RATE * step)
    value = density @ call(growth, strike - SPOT * weight[0], deviation) * width
    return math.exp(-RATE * maturity) * value


@needs(MONTECARLO, "montecarlo")
class MonteCarlo(SystemTest):
    def price(self, *arguments, **options):
        ending = self.run_well(MONTECARLO, "--out", self.path(), *arguments, **options)
        return ending.out

    def everything(self):
        """All datasets outside /weft."""
        found = {}
        with results.open_result(self.path()) as file:
            for name in "paths", "table":
                for each in file[name]:
                    found[f"{name}/{each}"] = file[name][each][()].tobytes()
        return found

    def reductions(self):
        with results.open_result(self.path()) as file:
            return [file["paths"][name][()] for name in ("plain", "antithetic", "averages")]

    def test_paths(self):
        """Number for number, those of NumPy's Philox."""
        self.price("--fresh", "--paths", 7, "--dates", 5, "--accuracy", 1, "--strikes", 3,
                   "--maturities", 2)
        paths = np.array([simulate(draw(item, 5, 0, 1)[0]) for item in range(7)])
        plain, antithetic, averages = self.reductions()
        for got, x in (plain, paths[:, 0]), (antithetic, paths[:, 1]):
            np.testing.assert_allclose(got[:4], [7, x.mean(), x.std(ddof=1) / math.sqrt(7),
                                                 x.var(ddof=1)], rtol=1e-14)
        np.testing.assert_allclose(averages[1:3], paths[:, 1:].mean(0), rtol=1e-14)
        np.testing.assert_allclose(averages[3:], np.cov(paths[:, 1:].T).ravel(), rtol=1e-13)
        weight = averages[4] / averages[6]
        with results.open_result(self.path()) as file:
            error = file["table/error"][()]
        for item in range(6):
            strike, maturity = 100 * (0.8 + 0.4 * (item // 2) / 2), (item % 2 + 1) / 2
            total = squares = 0.0
            for z in draw(item, 5, 1, 100):
                _, arithmetic, geometric = simulate(z, strike, 0.2, maturity)
                x = arithmetic - weight * geometric
                total += x
                squares += x * x
            wanted = math.sqrt(max(squares - total * total / 100, 0) / 99 / 100)
            self.assertEqual(error.ravel()[item], wanted)

    def test_values(self):
        """Within four errors of quadrature, which is published for an average over all times."""
        for volatility, published in PUBLISHED.items():
            coarse, fine = quadrature(16, volatility), quadrature(64, volatility)
            self.assertLess(abs(fine - published), 2e-4)
            # The difference goes with the square of the step.
            self.assertLess(abs(fine + (fine - coarse) / 15 - published), 1e-5)
            # With few dates, how the geometric average differs from that over all times counts.
            few = quadrature(4, volatility)
            said = self.price("--fresh", "--volatility", volatility, "--dates", 4, "--paths",
                              20000, "--accuracy", 0.02, "--strikes", 3, "--maturities", 2)
            lines = {line.split()[0]: line.split() for line in said.splitlines()}
            errors = {}
            for name in "plain", "antithetic", "control":
                value, errors[name] = float(lines[name][1]), float(lines[name][3])
                self.assertLess(abs(value - few), 4 * errors[name], (volatility, name))
            self.assertLess(errors["antithetic"], errors["plain"] / 1.5)
            self.assertLess(errors["control"], errors["plain"] / 20)
            self.check_table(volatility)

    def check_table(self, volatility):
        with results.open_result(self.path()) as file:
            values, errors = file["table/value"][()], file["table/error"][()]
            self.assertEqual(file["table/errors"][2], errors.max())
            np.testing.assert_allclose(file["table/strike"][()], [80, 100, 120])
            np.testing.assert_allclose(file["table/maturity"][()], [0.5, 1])
        for (row, column), value in np.ndenumerate(values):
            wanted = quadrature(4, volatility, 80 + 20.0 * row, (column + 1) / 2)
            # Where no path has paid, the error is 0, too.
            self.assertLess(abs(value - wanted), max(5 * errors[row, column], 1e-3))

    def test_layouts(self):
        first = None
        techniques = itertools.cycle(schedules())
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                said = self.price("--fresh", "--paths", 3000, "--dates", 8, "--accuracy", 0.05,
                                  "--schedule", next(techniques), layout=layout)
                first = first or (said, self.everything())
                self.assertEqual((said, self.everything()), first)
                # What is complete is passed, with the same words.
                self.assertEqual(self.price("--paths", 3000, "--dates", 8, "--accuracy", 0.05,
                                            layout=layout), said)

    def test_kills(self):
        """kill -9 at random moments; the same command goes on, on another layout."""
        moments = random.Random(int(os.environ.get("KILLS_SEED", "11")))
        job = ["--paths", 60000, "--dates", 32, "--accuracy", 0.01, "--sync", 0.05]
        said = self.price(*job, layout=(0, 2))
        wanted = self.everything()
        os.remove(self.path())
        for kill in range(int(os.environ.get("KILLS", "12"))):
            launch = self.start(MONTECARLO, "--out", self.path(), *job, "--progress", "never",
                                layout=moments.choice(LAYOUTS))
            time.sleep(moments.uniform(0, 1.5))
            for pid in launch.ranks():
                strike(pid, signal.SIGKILL)
            launch.ends()
            if kill % 4 == 3:
                self.assertEqual(self.price(*job, layout=moments.choice(LAYOUTS)), said)
                self.assertEqual(self.everything(), wanted)
                os.remove(self.path())

    def test_refusals(self):
        for words in ("--spot", 0), ("--volatility", -1), ("--dates", 0), ("--paths", 1), (
                "--accuracy", 0), ("--strikes", 0), ("--maturities", 0), ("--maturity", 0):
            ending = self.run_well(MONTECARLO, "--out", self.path(), *words, status=2)
            self.assertIn(words[0], ending.err)
            self.assertFalse(os.path.exists(self.path()))
        self.price("--paths", 100, "--accuracy", 1)
        ending = self.run_well(MONTECARLO, "--out", self.path(), "--paths", 100, "--accuracy", 1,
                               "--strike", 101, status=2)
        self.assertIn("strike", ending.err)


if __name__ == "__main__":
    main()
