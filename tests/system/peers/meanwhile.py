# SPDX-License-Identifier: BSD-3-Clause
import h5py
import numpy as np
from mpi4py.futures import MPIPoolExecutor


def noise(item):
    bits = np.random.Philox(key=[0, 0], counter=[0, item, 0, 0])
    return np.random.Generator(bits).standard_normal()


def main():
    with MPIPoolExecutor() as pool:
        under_way = pool.map(noise, range(10000), chunksize=100)
        print(f"{sum(1 / i**2 for i in range(1, 1000001)):.6f}")
        values = np.fromiter(under_way, float)
    with h5py.File("noise.h5", "w") as file:
        field = file.create_dataset("noise/noise", data=values)
        field.attrs.update(units="1", long_name="white noise")


if __name__ == "__main__":
    main()
