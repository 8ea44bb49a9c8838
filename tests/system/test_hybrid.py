# SPDX-License-Identifier: BSD-3-Clause
"""Programs that use OpenMP themselves, and change what belongs to threads."""

import os

import numpy as np

import results
from launch import SystemTest, main

HYBRID = os.environ.get("PROGRAM_hybrid")
COUNT = 100


class Hybrid(SystemTest):
    def compute(self, *words, layout):
        """The values of the program's second map."""
        self.run_well(HYBRID, "--count", COUNT, "--grain", 1, *words, layout=layout,
                      cwd=self.folder)
        for name in ("pilot.h5", "main.h5"):
            os.replace(self.path(name), self.path("last-" + name))
        with results.open_result(self.path("last-main.h5")) as file:
            return file["results"]["value"][()]

    def test_main_decides_on_arithmetic(self):
        """Workers and children round, flush and block signals as main() does, whenever they were
        made; a kernel that leaves its thread changed harms nobody else."""
        divisors = np.arange(COUNT) + 3.0
        for mode, variants in (("upward", ([], ["--leave", 7], ["--isolate", "--leave", 7])),
                               ("flush", ([], ["--isolate"]))):
            values = {}
            for layout in ((0, 0), (0, 2), (2, 1)):
                for more in variants:
                    values[layout, tuple(more)] = self.compute("--mode", mode, *more,
                                                               layout=layout)
            reference = values[(0, 0), ()]
            for name, other in values.items():
                with self.subTest(mode=mode, layout=name):
                    np.testing.assert_array_equal(other, reference)
            self.assertTrue(np.all(reference[:, 0] >= 1 / divisors))
            self.assertEqual(bool(np.any(reference[:, 0] > 1 / divisors)), mode == "upward")
            self.assertEqual(bool(np.all(reference[:, 1] == 0)), mode == "flush")


if __name__ == "__main__":
    main()
