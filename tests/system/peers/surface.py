# SPDX-License-Identifier: BSD-3-Clause
import functools
import math

import h5py
import numpy as np
from mpi4py.futures import MPIPoolExecutor


def payoff(path):
    bits = np.random.Philox(key=[0, 0], counter=[0, path, 0, 0])
    normal = np.random.Generator(bits).standard_normal()
    return max(100 * math.exp(0.2 * normal - 0.02) - 100, 0)


def value(price, item):
    strike, maturity = 75 + item // 80, (item % 80 + 1) / 20
    return price * math.sqrt(maturity) * math.exp((100 - strike) / 50)


def main():
    with MPIPoolExecutor() as pool:
        payoffs = np.fromiter(pool.map(payoff, range(100000), chunksize=1000), float)
        mean, error = payoffs.mean(), payoffs.std(ddof=1) / math.sqrt(len(payoffs))
        of_item = functools.partial(value, mean)
        values = np.fromiter(pool.map(of_item, range(4000), chunksize=40), float)
    with h5py.File("surface.h5", "w") as file:
        file["paths/price"] = [mean, error]
        field = file.create_dataset("surface/value", data=values.reshape(50, 80))
        field.attrs.update(units="EUR", long_name="option value")
    print(f"{mean:g} +- {error:g}")


if __name__ == "__main__":
    main()
