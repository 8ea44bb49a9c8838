# SPDX-License-Identifier: BSD-3-Clause
import math

import h5py
import numpy as np
from mpi4py.futures import MPIPoolExecutor


def payoff(path):
    bits = np.random.Philox(key=[0, 0], counter=[0, path, 0, 0])
    normal = np.random.Generator(bits).standard_normal()
    return max(100 * math.exp(0.2 * normal - 0.02) - 100, 0)


def main():
    with MPIPoolExecutor() as pool:
        payoffs = np.fromiter(pool.map(payoff, range(100000), chunksize=1000), float)
    mean, error = payoffs.mean(), payoffs.std(ddof=1) / math.sqrt(len(payoffs))
    with h5py.File("price.h5", "w") as file:
        file["paths/price"] = [mean, error]
    print(f"{mean:g} +- {error:g}")


if __name__ == "__main__":
    main()
