# SPDX-License-Identifier: BSD-3-Clause
"""What the maps of reducing.c come to, computed once more: in fractions what is exact, in NumPy the
rest."""

import fractions
import math

import numpy as np

EDGES = np.array([-0.25, 0, 0.125, 0.5, 0.7])


class Reduced:
    """The items of a map of one of the kinds drawn, fields and plain, but for those left out."""

    def __init__(self, kind, count, left_out=(), shift=0):
        self.kind, self.count = kind, count
        self.items = np.setdiff1d(np.arange(count), left_out)
        at = self.items + shift
        self.x, self.wide = item_values(at)
        self.whole = at % 1000 - 300
        self.pair = np.stack([at % 77 - 11, at * at % 31 / 4], -1)
        self.squares = at * at - 1000

    def exact(self):
        """What must come out exactly, by name."""
        total = float(sum(map(fractions.Fraction, self.wide.tolist())))
        assert total == math.fsum(self.wide)
        if self.kind == "drawn":
            last = self.items[-1] if len(self.items) > 0 else 0
            return {"sum": total, "integers": self.squares.sum(),
                    "extremes": extremes(self.x, self.items), "histogram": bins(self.x),
                    "own": [len(self.items), last]}
        if self.kind == "fields":
            return {"sum": total, "integers": self.whole.sum(),
                    "extremes": extremes(self.pair.ravel(), self.items.repeat(2)),
                    "histogram": bins(self.pair.ravel())}
        return {}

    def nearly(self):
        """What must come out nearly."""
        if self.kind == "drawn":
            return {"moments": moments(self.x),
                    "covariance": covariance(np.stack([self.x, self.x * self.x], -1))}
        if self.kind == "fields":
            return {"moments": moments(self.wide), "covariance": covariance(self.pair)}
        return {}

    def fields(self):
        """The values of fields, with fill values where items are left out."""
        values = {}
        if self.kind != "drawn":
            values["wide"] = np.full(self.count, np.nan)
            values["whole"] = np.full(self.count, np.iinfo(np.int32).min, np.int32)
            values["pair"] = np.full((self.count, 2), np.nan, np.float32)
            for name in values:
                values[name][self.items] = getattr(self, name)
        return values

    def check(self, test, values):
        """The values of its reductions, by name."""
        test.assertEqual(set(values), {*self.exact(), *self.nearly(),
                                       *(["quantiles"] if self.kind == "drawn" else [])})
        for name, wanted in self.exact().items():
            np.testing.assert_array_equal(np.ravel(values[name]), np.ravel(wanted), name)
        for name, wanted in self.nearly().items():
            # Covariances, skewness and kurtosis may be 0 where all else is not.
            split = 4 if name == "moments" else 1
            small = 1e-9 if name == "moments" else 1e-9 * np.nan_to_num(np.abs(wanted[1:])).max()
            np.testing.assert_allclose(values[name][:split], wanted[:split], rtol=1e-9,
                                       err_msg=name)
            np.testing.assert_allclose(values[name][split:], wanted[split:], rtol=1e-9, atol=small,
                                       err_msg=name)
        if self.kind == "drawn":
            x = np.sort(self.x)
            exact = x[[0, (len(x) - 1) // 2, -1]] if len(x) > 0 else np.full(3, np.nan)
            np.testing.assert_allclose(values["quantiles"], exact, rtol=0.01)


def item_values(items):
    whole = items.astype(np.uint64) * np.uint64(2654435761) % np.uint64(1 << 32)
    x = whole.astype(float) * 2.0 ** -32 - 0.3
    return x, np.ldexp(x, (items % 41) * 10 - 200)


def bins(x):
    counts = [((x >= a) & ((x <= b) if b == EDGES[-1] else (x < b))).sum()
              for a, b in zip(EDGES, EDGES[1:])]
    return counts + [(x < EDGES[0]).sum(), (x > EDGES[-1]).sum(), 0]


def extremes(x, items):
    if x.size == 0:
        return [np.nan, -1, np.nan, -1, 0, 0]
    return [x.min(), items[x.argmin()], x.max(), items[x.argmax()], x.size, 0]


def moments(x):
    if len(x) < 2:
        return [len(x), x[0] if len(x) > 0 else np.nan, *[np.nan] * 4]
    scale = abs(x).max()
    d = (x - x.mean()) / scale
    second = (d ** 2).mean()
    variance = x.var(ddof=1)
    return [len(x), x.mean(), math.sqrt(variance / len(x)), variance,
            (d ** 3).mean() / second ** 1.5, (d ** 4).mean() / second ** 2 - 3]


def covariance(x):
    if len(x) < 2:
        return [len(x), *(x[0] if len(x) > 0 else [np.nan] * 2), *[np.nan] * 4]
    return np.concatenate([[len(x)], x.mean(0), np.cov(x.T).ravel()])
