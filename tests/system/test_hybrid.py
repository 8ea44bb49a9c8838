# SPDX-License-Identifier: BSD-3-Clause
"""Programs that use OpenMP themselves, and change what belongs to threads."""

import os
import signal

import numpy as np

import results
from launch import SystemTest, children, main, strike

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
            return file["main"]["value"][()]

    def assert_right(self, path="main.h5"):
        with results.open_result(self.path(path)) as file:
            np.testing.assert_array_equal(file["main"]["value"][()][:, 0],
                                          1 / (np.arange(COUNT) + 3.0))

    def test_parallel_regions_in_children(self):
        """OpenMP works in a child, whatever the rank has used of it: a killed job is finished."""
        words = ["--count", COUNT, "--grain", 5, "--region"]
        launch = self.start(HYBRID, *words, "--nap-s", 0.005, layout=(0, 0), cwd=self.folder)
        launch.wait_for(lambda: os.path.exists(self.path("main.h5")), "the second map has begun")
        strike(launch.pid, signal.SIGKILL)
        launch.finish()
        ending = self.run_well(HYBRID, *words, layout=(0, 0), cwd=self.folder)
        self.assertNotIn("wait for a lock", ending.err)
        self.assert_right()
        for more, layout in ((["--isolate"], (0, 0)), (["--item-timeout", 30], (0, 0)),
                             (["--isolate"], (2, 2))):
            ending = self.run_well(HYBRID, *words, "--fresh", *more, layout=layout,
                                   cwd=self.folder)
            self.assertNotIn("wait for a lock", ending.err)
            self.assert_right()

    def test_forked_while_nobody_holds_a_lock(self):
        """A child is made when the other workers' kernels have released what they hold."""
        words = ["--count", 80, "--grain", 4, "--share", "--sync", 0]
        launch = self.start(HYBRID, *words, "--nap-s", 0.1, layout=(0, 1), cwd=self.folder)
        launch.wait_for(lambda: os.path.exists(self.path("pilot.h5")) and
                        results.done_items(self.path("pilot.h5")).sum() > 3, "items are done")
        strike(launch.pid, signal.SIGKILL)
        launch.finish()
        # Every child but the first is made while the other worker is at its own items.
        ending = self.run_well(HYBRID, *words, "--nap-s", 0.005, "--fall", "--dead-after", 15,
                               "--log", "debug", status=3, layout=(0, 2), cwd=self.folder)
        self.assertNotIn("stuck", ending.err)
        # What had been handed out, in whole tiles.
        failed = len(results.failures(self.path("pilot.h5")))
        self.assertTrue(failed > 0 and failed % 4 == 0, failed)

    def test_stop_ends_children(self):
        """Also where the main thread waits for its child itself."""
        for layout in ((0, 0), (2, 0)):
            launch = self.start(HYBRID, "--count", COUNT, "--isolate", "--nap-s", 1e6,
                                "--dead-after", 60, layout=layout, cwd=self.folder)
            launch.wait_for(lambda: all(children(pid) for pid in launch.ranks())
                            and launch.ranks() and os.path.exists(self.path("pilot.h5")),
                            "there are children")
            # mpirun itself would not give them much time.
            strike(launch.ranks()[0], signal.SIGTERM)
            ending = launch.finish()
            self.assertIn("weft: stopped", ending.err)
            self.assert_ended(ending, 75)
            os.unlink(self.path("pilot.h5"))

    def test_children_that_wait_for_ever(self):
        """What no child can compute is computed in the rank, and why is said."""
        for layout in ((0, 0), (0, 2)):
            ending = self.run_well(HYBRID, "--count", COUNT, "--isolate", "--lock", "--fresh",
                                   "--dead-after", 0.2, layout=layout, cwd=self.folder)
            self.assertIn("did nothing but wait for a lock", ending.err)
            self.assertIn("WEFT_NEVER", ending.err)
            self.assert_right()

    def test_never_in_a_child(self):
        ending = self.run_well(HYBRID, "--count", COUNT, "--isolate", "--never", layout=(0, 2),
                               cwd=self.folder)
        self.assertIn("--isolate has no effect", ending.err)
        self.assert_right()

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
