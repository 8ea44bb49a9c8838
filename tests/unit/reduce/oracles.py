#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares reductions with math.fsum, fractions and NumPy, over random orders and tiles."""
import math
import struct
import subprocess
import sys
from fractions import Fraction

import numpy as np

SUM, INT64_SUM, MOMENTS, COVARIANCE, EXTREMES, HISTOGRAM, QUANTILES = range(7)
TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
         "float64", "longdouble"]
random = np.random.default_rng(20)
program = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def reduce(kind, tiles, count=0, numbers=(), accuracy=0.0, low=0.0, high=0.0, one_by_one=False):
    """The value of tiles, arrays of (items, elements per item)."""
    kept = tiles[0].dtype
    each = tiles[0].shape[1]
    request = struct.pack("<qqdddqqqqq", kind, count, accuracy, low, high,
                          TYPES.index("longdouble" if kept == np.longdouble else kept.name), each,
                          len(numbers), len(tiles), one_by_one)
    program.stdin.write(request + np.asarray(numbers, float).tobytes())
    for tile in tiles:
        program.stdin.write(struct.pack("<q", len(tile)) + tile.tobytes())
    program.stdin.flush()
    status, size = struct.unpack("<qq", program.stdout.read(16))
    return status, program.stdout.read(size)


def cut(x, parts):
    """Some tiles, one of them empty now and then."""
    places = np.sort(random.integers(0, len(x) + 1, parts - 1))
    return np.split(x.reshape(len(x), 1), places)


def doubles(data):
    return np.frombuffer(data)


def spread(n, low, high):
    return np.ldexp(random.random(n) - 0.5, random.integers(low, high, n))


def cancelling(n):
    x = spread(n, -1000, 1000)
    x = np.concatenate([x, -x, [8.7e-19, 5e-324]])
    random.shuffle(x)
    return x


def sums():
    yield np.array([])
    yield np.array([-0.0, -0.0])
    yield np.array([1e308, 1e308, -1e308, -1e308, 1e-308])
    yield np.array([5e-324] * 3 + [2.0 ** -1022])
    yield np.array([1.0, 2.0 ** -53, 2.0 ** -53 * (1 - 2.0 ** -52)])
    yield np.array([1.0, 2.0 ** -53]), np.array([1.0, 2.0 ** -53, 5e-324])
    yield np.array([1 + 2.0 ** -52, 2.0 ** -53]), -np.array([1 + 2.0 ** -52, 2.0 ** -53])
    for n in 1, 2, 511, 512, 513, 2000, 20000:
        yield random.random(n), random.normal(size=n), random.exponential(size=n) ** 9
        yield spread(n, -1074, 1024), spread(n, -40, 40), spread(n, -1074, -1020)
        yield random.integers(-2 ** 53, 2 ** 53, n).astype(float), cancelling(n)
        yield np.concatenate([np.ones(n), spread(1, -1074, 1000), np.zeros(n)])
        yield np.repeat(spread(3, 900, 1023), n) / n, np.full(n, -0.1)
        # Most have the same exponent, or are 0 or very small; the others are of all sizes, and cancel.
        wide = spread(n, -1074, 1024)
        for most in np.full(9 * n, 2 - 2.0 ** -52), random.integers(-1, 3, 9 * n) * 5e-324:
            yield random.permutation(np.concatenate([most, wide, -wide]))


def fsum(x):
    try:
        return math.fsum(x)
    except OverflowError:  # of a partial sum
        total = sum(map(Fraction, x), Fraction(0))
        try:
            return float(total)
        except OverflowError:
            return math.copysign(math.inf, total)


def test_sums():
    for group in sums():
        for x in group if isinstance(group, tuple) else [group]:
            wanted = struct.pack("<d", fsum(x))
            for parts in 1, 2, 7:
                random.shuffle(x)
                for one in False, True:
                    got = reduce(SUM, cut(x, parts), one_by_one=one)
                    assert got == (0, wanted), (x, parts, one, got, wanted)
    inf, nan = math.inf, math.nan
    many = list(random.random(1500)) + list(spread(20000, -300, 300))
    for special, wanted in [([inf], inf), ([-inf], -inf), ([inf, -inf], nan), ([nan], nan),
                            ([nan, inf], nan), ([1e308, 1e308], inf), ([-1e308] * 2, -inf)]:
        for x in special, many + special:
            for parts in 1, 3:
                x = random.permutation(x)
                got = reduce(SUM, cut(x, parts))
                assert got == (0, struct.pack("<d", wanted)), (special, got)
    for kind in "float32", "longdouble", "int8", "uint64":
        x = np.array(random.random(3000) * 100 + 1 / 3, kind)
        got = doubles(reduce(SUM, cut(x, 3))[1])[0]
        assert got == math.fsum(x.astype(float)), (kind, got)


def test_integers():
    for kind in TYPES[:8]:
        limit = np.iinfo(kind)
        x = random.integers(limit.min, limit.max, 1000, kind, endpoint=True)
        for x in x, x[:1], x[:0], np.full(5, limit.max, kind), np.full(3, limit.min, kind):
            total = sum(int(v) for v in x)
            nearest = min(max(total, -2 ** 63), 2 ** 63 - 1)
            status, data = reduce(INT64_SUM, cut(x, 4))
            assert data == struct.pack("<q", nearest) and (status != 0) == (total != nearest), total


def exact_moments(x):
    x = [Fraction(v) for v in x]
    n = len(x)
    mean = sum(x) / n
    second, third, fourth = (sum((v - mean) ** k for v in x) for k in (2, 3, 4))
    variance = second / (n - 1)
    root = math.sqrt(second / n)
    return [n, mean, math.sqrt(variance / n), variance, float(third / n) / root ** 3,
            float(fourth / n) / root ** 4 - 3]


def test_moments():
    outlier = np.concatenate([[1e6], random.normal(size=20000)])
    for x in (random.normal(size=3000), random.exponential(size=999) * 1e-60, outlier, outlier[::-1],
              random.random(5) + 1e6, random.normal(3, 2, 800) * 1e60, random.random(500) + 1e9,
              np.arange(2000.0) ** 2, np.repeat([1.0, 1e8], 70), random.standard_cauchy(5000)):
        wanted = [float(v) for v in exact_moments(x)]
        close = np.array([0, 1e-16 * abs(wanted[1]) + 1e-15 * wanted[2], 3e-14 * wanted[2],
                          3e-14 * wanted[3], *1e-12 * np.maximum(1, np.abs(wanted[4:]))])
        for parts in 1, 5, 30:
            got = doubles(reduce(MOMENTS, cut(x, parts))[1])
            assert (abs(got - wanted) <= close).all(), (got, wanted)
    for x, wanted in [([], [0] + [math.nan] * 5), ([3], [1, 3] + [math.nan] * 4),
                      ([2, 2], [2, 2, 0, 0, math.nan, math.nan]),
                      ([1, math.inf], [2, math.inf] + [math.nan] * 4),
                      ([math.inf, 1, -math.inf], [3] + [math.nan] * 5),
                      ([-math.inf] * 2, [2, -math.inf] + [math.nan] * 4),
                      ([1, math.nan], [2] + [math.nan] * 5)]:
        for one in False, True:
            got = reduce(MOMENTS, [np.array(x, float).reshape(-1, 1)], one_by_one=one)
            assert got[1] == np.array(wanted, float).tobytes(), (x, doubles(got[1]))


def test_covariance():
    for k in 1, 2, 5, 40:
        x = random.normal(size=(500, k)) @ random.normal(size=(k, k)) + 10
        for parts in 1, 6:
            got = doubles(reduce(COVARIANCE, np.split(x, np.sort(random.integers(0, 500, parts))),
                                 count=k)[1])
            assert got[0] == 500 and np.allclose(got[1:1 + k], x.mean(0))
            matrix = got[1 + k:].reshape(k, k)
            assert np.allclose(matrix, np.cov(x.T).reshape(k, k), rtol=1e-9, atol=1e-12)
            assert (matrix == matrix.T).all()
        x[7, k - 1] = math.inf
        got = doubles(reduce(COVARIANCE, [x], count=k)[1])
        assert np.isnan(got).sum() == 1 + 2 * k - 1 and np.isnan(got[k])


def test_extremes():
    for x in (random.integers(-5, 5, 400) * 1.0, random.normal(size=50),
              np.array([math.inf, math.nan, -math.inf]), np.array([-0.0, 0.0])):
        got = doubles(reduce(EXTREMES, cut(x, 4))[1])
        wanted = [np.nanmin(x), np.nanargmin(x), np.nanmax(x), np.nanargmax(x),
                  (~np.isnan(x)).sum(), np.isnan(x).sum()]
        assert list(got) == wanted, (got, wanted)
    x = random.normal(size=(700, 3000)).astype("float32")
    got = doubles(reduce(EXTREMES, [x[:1], x[1:]])[1])
    assert got[1] == x.argmin() // 3000 and got[3] == x.argmax() // 3000
    none = doubles(reduce(EXTREMES, [np.full((3, 1), math.nan)])[1])
    assert list(none[[1, 3, 4, 5]]) == [-1, -1, 0, 3] and np.isnan(none[[0, 2]]).all()


def test_histogram():
    x = np.concatenate([random.normal(size=5000), random.integers(-4, 5, 500), [math.inf] * 3,
                        [-math.inf] * 2, [math.nan] * 7, [-0.0]])
    for edges in ([-1, 0, 1], [0, 5e-324], np.linspace(-2, 2, 101), [-math.inf, 0, math.inf],
                  np.sort(random.normal(size=38)), np.arange(-4, 5)):
        edges = np.array(edges, float)
        finite = x[~np.isnan(x)]
        inside = [((finite >= a) & ((finite <= b) if b == edges[-1] else (finite < b))).sum()
                  for a, b in zip(edges, edges[1:])]
        wanted = inside + [(finite < edges[0]).sum(), (finite > edges[-1]).sum(), 7]
        got = reduce(HISTOGRAM, cut(x, 3), count=len(edges) - 1, numbers=edges)[1]
        assert list(np.frombuffer(got, "i8")) == wanted
        if np.isfinite(edges).all():
            assert inside == list(np.histogram(finite[np.isfinite(finite)], edges)[0])


def test_quantiles():
    p = np.concatenate([[0, 0.25, 0.5, 0.999, 1], random.random(20)])
    for x in (random.normal(size=4001), random.exponential(size=1000) ** 5, np.array([3.0]),
              -random.random(100), np.ldexp(random.random(3000) + 0.5, random.integers(-29, 29, 3000)),
              np.array([0.0, -0.0, 1e-30, 2]), 2.0 ** np.arange(-20, 20)):
        for accuracy in 0.5, 0.1, 0.01, 0.0005:
            low, high = 1e-9, 1e9
            got = doubles(reduce(QUANTILES, cut(x, 3), count=len(p), numbers=p, accuracy=accuracy,
                                 low=low, high=high)[1])
            wanted = np.sort(x)[(p * (len(x) - 1)).astype(int)]
            error = abs(got - wanted)
            assert (error <= np.maximum(accuracy * abs(wanted), low)).all(), (accuracy, got, wanted)
    x = np.array([-math.inf, -1e300, -1e-300, math.nan, 1e-300, 1e300, math.inf])
    got = doubles(reduce(QUANTILES, cut(x, 2), count=2, numbers=[0, 1], accuracy=0.01, low=1,
                         high=2)[1])
    assert list(got) == [-math.inf, math.inf]
    got = doubles(reduce(QUANTILES, [np.full((2, 1), math.nan)], count=1, numbers=[1],
                         accuracy=0.01, low=1, high=2)[1])
    assert np.isnan(got).all()


for test in (test_sums, test_integers, test_moments, test_covariance, test_extremes,
             test_histogram, test_quantiles):
    test()
program.stdin.close()
sys.exit(program.wait())
