# SPDX-License-Identifier: BSD-3-Clause
"""The short programs among the examples leave what the same programs in Python do."""

import os
import subprocess
import sys

import numpy as np

import results
from launch import SystemTest, main, run

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
# What mpi4py.futures is here: one process.
POOL = '''
class MPIPoolExecutor:
    def __enter__(self): return self
    def __exit__(self, *error): pass
    def map(self, function, items, chunksize): return map(function, items)
'''


class Examples(SystemTest):
    def peer(self, name):
        """What a Python program prints, and its file."""
        folder = os.path.join(self.folder, "peer")
        os.makedirs(os.path.join(folder, "mpi4py"))
        for module, text in (("__init__.py", ""), ("futures.py", POOL)):
            with open(os.path.join(folder, "mpi4py", module), "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([sys.executable, os.path.join(PEERS, name + ".py")], cwd=folder,
                              env=os.environ | {"PYTHONPATH": folder}, capture_output=True,
                              text=True, check=True)
        return done.stdout, folder

    def example(self, name, layout):
        ending = run(os.environ["PROGRAM_" + name], "--out", self.path(), "--fresh",
                     "--progress", "never", layout=layout)
        self.assert_ended(ending)
        return ending.out

    def check_price(self, mine, theirs):
        count, mean, error = np.array(mine["paths/price"]).ravel()[:3]
        self.assertEqual(count, 100000)
        np.testing.assert_allclose([mean, error], theirs["paths/price"][:], rtol=1e-12)

    def test_price(self):
        printed, folder = self.peer("price")
        for layout in (0, 1), (2, 1):
            with self.subTest(layout=layout):
                self.assertEqual(self.example("price", layout), printed)
                with results.open_result(self.path()) as mine, \
                        results.open_result(os.path.join(folder, "price.h5")) as theirs:
                    self.check_price(mine, theirs)

    def test_surface(self):
        printed, folder = self.peer("surface")
        for layout in (0, 1), (2, 1):
            with self.subTest(layout=layout):
                self.assertEqual(self.example("surface", layout), printed)
                with results.open_result(self.path()) as mine, \
                        results.open_result(os.path.join(folder, "surface.h5")) as theirs:
                    self.check_price(mine, theirs)
                    np.testing.assert_allclose(mine["surface/value"][:],
                                               theirs["surface/value"][:], rtol=1e-12)

    def test_meanwhile(self):
        printed, folder = self.peer("meanwhile")
        for layout in (0, 1), (2, 1):
            with self.subTest(layout=layout):
                self.assertEqual(self.example("meanwhile", layout), printed)
                with results.open_result(self.path()) as mine, \
                        results.open_result(os.path.join(folder, "noise.h5")) as theirs:
                    np.testing.assert_array_equal(mine["noise/noise"][:],
                                                  theirs["noise/noise"][:])


if __name__ == "__main__":
    main()
