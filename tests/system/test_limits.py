# SPDX-License-Identifier: BSD-3-Clause
"""What grows without a limit of its own, and waits that have one: a million failed items, a disk
that does not answer, far too many tiles, a clock that is set (promises P5 and P6)."""

import json
import os
import re
import resource

import h5py
import results
from launch import (KNOWN, MPIRUN, WEFT, Launch, SystemTest, environment, main, needs, recovery,
                    run)

FAULTY = os.environ.get("FAULTY_SO")
MILLION = 1000000


def faulty(*rules, clock=""):
    """The environment of a run whose file system fails so, or whose clock is set."""
    sanitizer = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
    return environment(LD_PRELOAD=FAULTY, FAULTY=";".join(rules), FAULTY_CLOCK=clock,
                       ASAN_OPTIONS=sanitizer)


def cpu_s():
    """Of all programs that have been run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Failures(SystemTest):
    def test_a_million_at_once(self):
        """They cost about what good items cost, and nobody is taken for dead meanwhile."""
        spent = []
        for words, status in (([], 0), (["--fail-all"], 3)):
            before = cpu_s()
            words = [*MPIRUN, *recovery(), "-np", "2", KNOWN, "--threads", "1", "--fresh", "--out",
                     self.path(), "--count", str(MILLION), "--dead-after", "1", *words]
            ending = Launch(words).finish()
            self.assert_ended(ending, status, 0)  # which is all that this mpirun says
            self.assertNotIn("taken for dead", ending.err)
            spent.append(cpu_s() - before)
        self.assertIn(f"{MILLION} failed", ending.err)
        self.assertLess(spent[1], 2 * spent[0] + 2)
        with results.open_result(self.path()) as file:
            self.assertEqual(file["weft/tiles"]["failed"].sum(), MILLION)
            self.assertTrue((file["results/remainder"][()] == 0).all())


class Efficiency(SystemTest):
    def test_waiting_for_cores(self):
        """Four workers on one core are not efficient, however busy they seem to be."""
        core = str(min(os.sched_getaffinity(0)))
        ending = self.run_well("taskset", "-c", core, KNOWN, "--out", self.path(), "--count",
                               3 * MILLION, layout=(0, 4))
        with results.open_result(self.path()) as file:
            row = file["weft/runs"][0]
        if row["wait"] == 0:
            self.skipTest("the system does not tell who waits")
        said = re.search(r"; (\d+) % of the computing time was waiting for a core", ending.err)
        self.assertIsNotNone(said, ending.err)
        self.assertAlmostEqual(int(said.group(1)), 100 * row["wait"] / row["busy"], delta=1)
        shown = self.run_well(WEFT, "status", self.path(), layout=(0, None)).out
        self.assertRegex(shown, r" busy +waited +outcome")
        self.assertRegex(shown, rf" \d+ % +{100 * row['wait'] / row['busy']:.0f} % +complete ")


@needs(FAULTY, "faulty.so")
class Clock(SystemTest):
    def test_clock_is_set(self):
        """The time of day jumps by a day during the run: that does not make it longer, or shorter,
        and what is planned from it is planned from what it took."""
        for shift in (86400, -86400):
            path, signal = self.path(f"{shift}.h5"), self.path(f"{shift}")
            launch = self.start(KNOWN, "--out", path, "--count", 100, "--grain", 1, "--item-us",
                                8000, layout=(2, 1), env=faulty(clock=f"{shift},{signal}"))
            launch.wait_for(lambda: os.path.exists(path) and results.done_items(path).any(),
                            "work begins")
            with open(signal, "w", encoding="ascii"):
                pass
            self.assert_ended(launch.finish())
            with results.open_result(path) as file:
                row = file["weft/runs"][0]
                longest = file["weft/tiles"]["seconds"].max()
            self.assertGreater(row["end"] - row["start"], longest)
            self.assertLess(row["end"] - row["start"], 3600)
            self.assertEqual(self.planned(path)["runs_compared"], 1)

    def planned(self, path):
        ending = self.run_well(WEFT, "plan", path, "--json", "--ranks", 1, layout=(0, None))
        return json.loads(ending.out)

    def test_runs_of_impossible_length(self):
        """They are no evidence: files of earlier versions may hold some."""
        self.run_well(KNOWN, "--out", self.path(), "--count", 50, "--item-us", 2000, "--grain", 1)
        for length in (86400, 1e-4):
            with h5py.File(self.path(), "r+", locking=False) as file:
                rows = file["weft/runs"][()]
                rows[0]["end"] = rows[0]["start"] + length
                file["weft/runs"][...] = rows
            self.assertEqual(self.planned(self.path())["runs_compared"], 0)


if __name__ == "__main__":
    main()
