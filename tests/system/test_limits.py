# SPDX-License-Identifier: BSD-3-Clause
"""What grows without a limit of its own, and waits that have one: a million failed items, a disk
that does not answer, far too many tiles, a clock that is set (promises P5 and P6)."""

import json
import os
import re
import resource
import signal
import time

import h5py
import results
from faults import FAULTY, faulty
from launch import (KNOWN, MPIRUN, WEFT, Launch, SystemTest, alone, main, needs, rank_of,
                    recovery, run, strike)

# A rank that does not answer within a fifth of a second is left behind by a stop, which may happen
# on a busy machine.
TRIES = 5
MILLION = 1000000


def cpu_s():
    """Of all programs that have been run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Failures(SystemTest):
    @alone
    def test_a_million_at_once(self):
        """They cost about what good items cost, and nobody is presumed dead meanwhile."""
        spent = []
        for words, status in (([], 0), (["--fail-all"], 3)):
            before = cpu_s()
            words = [*MPIRUN, *recovery(), "-np", "2", KNOWN, "--threads", "1", "--fresh", "--out",
                     self.path(), "--count", str(MILLION), "--dead-after", "3", *words]
            ending = Launch(words).finish()
            self.assert_ended(ending, status, 0)  # which is all that this mpirun says
            self.assertNotIn("presumed dead", ending.err)
            spent.append(cpu_s() - before)
        self.assertIn(f"{MILLION} failed", ending.err)
        self.assertLess(spent[1], 2 * spent[0] + 2)
        with results.open_result(self.path()) as file:
            self.assertEqual(file["weft/known/tiles"]["failed"].sum(), MILLION)
            self.assertTrue((file["known/remainder"][()] == 0).all())


@needs(FAULTY, "faulty.so")
class Disk(SystemTest):
    """A disk that does not answer for a day."""

    def words(self, *more):
        return ["--out", self.path(), "--count", 3000, "--grain", 10, "--item-us", 1000, "--sync",
                "0.1", "--progress", "never", *more]

    def check_goes_on(self):
        self.assertEqual(list(results.wrong_items(self.path())), [])
        self.run_well(KNOWN, *self.words("--item-us", 0), layout=(0, 1))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(3000))

    def test_time_limit(self):
        """The run ends all the same, and what is recorded is right."""
        for layout, rule in (((2, 1), "call=fdatasync,path=.h5,rank=1,after=3"),
                             ((0, 1), "call=pwrite,path=.h5,after=6")):
            with self.subTest(rule=rule):
                for limit in (2, 8, 32):  # on a busy machine the start alone may take seconds
                    ending = run(KNOWN, *self.words("--fresh", "--time-limit", limit),
                                 layout=layout, env=faulty(f"{rule},delay=86400"))
                    self.assert_ended(ending, 75)
                    if "the disk has not answered" in ending.err:
                        break
                self.assertIn("the disk has not answered", ending.err)
                self.assertIn("run the same command again", ending.err)
                self.check_goes_on()

    def test_told_to_stop(self):
        """Before the work is done; with the last item; while the books are closed, and the file."""
        self.run_well(KNOWN, *self.words("--item-us", 0))
        with results.open_result(self.path()) as file:
            tiles = file["weft/known/tiles"]
            first, size = tiles.id.get_offset(), tiles.size * tiles.dtype.itemsize
        records = f"call=pwrite,path=.h5,from={first},before={first + size}"
        cases = (("early", (0, 1), 15, "call=fdatasync,path=.h5,after=3", []),
                 ("last", (0, 1), 10, records, ["--slow", 2999, "--slow-s", 1, "--sync", 0]),
                 ("books", (0, 1), 15, records, ["--sync", 0, "--item-us", 0]),
                 ("file", (2, 1), 15, "call=close,path=.h5,rank=1", ["--item-us", 0]))
        launches = [self.start_silent(name, layout, rule, more)
                    for name, layout, _, rule, more in cases]
        for (name, layout, number, _, _), launch in zip(cases, launches):
            launch.wait_for(lambda: self.is_silent(name), "the disk is silent")
            if name == "books":
                time.sleep(1)  # until they are being closed
            strike(launch.pid if layout[0] == 0 else
                    next(pid for pid in launch.ranks() if rank_of(pid) == 1), number)
        for (name, *_), launch in zip(cases, launches):
            ending = launch.finish()
            self.assert_ended(ending, 75)
            self.assertIn("the disk has not answered", ending.err)
            os.replace(self.path(f"{name}.h5"), self.path())
            self.check_goes_on()

    @alone
    def test_slow_disk_and_told_to_stop(self):
        """Kernels have a moment, the disk has a time of its own: what is computed gets recorded."""
        for layout, rule in (((0, 1), "call=fdatasync,path=.h5,delay=3"),
                             ((2, 1), "call=fdatasync,path=.h5,rank=1,delay=3")):
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(layout=layout, signal=number):
                    calls = self.path("calls")
                    words = self.words("--sync", 100, "--calls", calls, *self.gated(after=1200))
                    for _ in range(TRIES):
                        launch = self.start(KNOWN, *words, "--fresh", layout=layout,
                                            env=faulty(rule))
                        launch.wait_for(lambda: len(results.calls(calls)) >= 1000, "it computes")
                        strike(launch.pid if layout[0] == 0 else launch.ranks()[0], number)
                        self.assert_ended(launch.finish(), 75)
                        # All workers wait for the sync, of which none has anything to compute.
                        self.assertGreater(results.runs(self.path())[-1]["disk"],
                                           max(layout[0], 1))
                        lost = len(results.calls(calls)) - results.done_items(self.path()).sum()
                        os.remove(calls)
                        if lost <= 20 * max(layout[0], 1):
                            break
                    self.assertLessEqual(lost, 20 * max(layout[0], 1))
                    self.check_goes_on()

    def start_silent(self, name, layout, rule, more):
        words = ["--out", self.path(f"{name}.h5"), "--calls", self.path(f"{name}.calls"), *more]
        return self.start(KNOWN, *self.words(*words), layout=layout, env=faulty(
            f"{rule},delay=86400", log=self.path(f"{name}.log")))

    def is_silent(self, name):
        """And all items have been begun, where the run goes on without its records."""
        return os.path.exists(self.path(f"{name}.log")) and (
            name == "early" or len(results.calls(self.path(f"{name}.calls"))) == 3000)

    def test_time_limit_of_closing(self):
        """It holds for what is complete, too."""
        for limit in (2, 8, 32):
            ending = run(KNOWN, *self.words("--fresh", "--item-us", 0, "--time-limit", limit),
                         layout=(2, 1), env=faulty("call=close,path=.h5,rank=1,delay=86400"))
            self.assert_ended(ending, 75)
            if "weft: complete" in ending.err:
                break
        self.assertIn("has not answered while the file was closed", ending.err)
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(3000))

    def test_before_the_beginning(self):
        """Time limits and signals hold while the file is made, and while it is read."""
        making = faulty("call=fsync,path=.new,delay=86400", log=self.path("log"))
        ending = run(KNOWN, *self.words("--time-limit", 2), layout=(2, 1), env=making)
        self.assert_ended(ending, 75)
        self.assertIn("never gets anywhere", ending.err)
        os.remove(self.path("log"))
        looking = faulty("call=stat,path=.h5,delay=86400", log=self.path("log"))
        for env, layout in ((making, (0, 1)), (looking, (0, 1)), (looking, (2, 1))):
            launch = self.start(KNOWN, *self.words(), layout=layout, env=env)
            launch.wait_for(lambda: os.path.exists(self.path("log")), "the disk is silent")
            strike(launch.ranks()[0], signal.SIGTERM)
            ending = launch.finish()
            self.assert_ended(ending, 75)
            self.assertIn("told to stop before the run had begun", ending.err)
            os.remove(self.path("log"))
        ending = run(KNOWN, *self.words("--time-limit", 2), layout=(0, 1), env=looking)
        self.assert_ended(ending, 75)
        self.assertIn("never gets anywhere", ending.err)
        self.run_well(KNOWN, *self.words("--item-us", 0))
        ending = run(KNOWN, *self.words("--time-limit", 2, "--retry-failed"), layout=(0, 1),
                     env=faulty("call=pread,path=.h5,after=1,delay=86400"))
        self.assert_ended(ending, 75)
        self.assertIn("never gets anywhere", ending.err)
        self.check_goes_on()

    def test_death_of_rank_0(self):
        """Who is left waits for its own disk as after any other end."""
        log = self.path("log")
        words = [*MPIRUN, *recovery(), "-np", "2", KNOWN, "--threads", "1", *self.words(),
                 *self.gated(after=1000)]
        launch = Launch(list(map(str, words)), env=faulty(
            "call=fdatasync,path=.h5,rank=1,after=3,delay=1", log=log))
        self.launches.append(launch)
        launch.wait_for(lambda: os.path.exists(log), "the disk is slow")
        strike(next(pid for pid in launch.ranks() if rank_of(pid) == 0), signal.SIGKILL)
        ending = launch.finish()
        self.assertIn("rank 0 has died", ending.err)
        self.assertNotIn("has not answered", ending.err)
        self.check_goes_on()

    def test_standstill(self):
        """Twice stopped before anything was done: whoever has it started again should know."""
        times = 0
        while times < 2:
            ending = run(KNOWN, *self.words("--item-us", 10000000, "--time-limit", 3))
            self.assert_ended(ending, 75)
            if "before the run has begun" not in ending.err:
                self.assertEqual("never gets anywhere" in ending.err, times > 0, ending.err)
                times += 1


class Tiles(SystemTest):
    def test_far_too_many(self):
        """Such a grain is taken, but not without a word."""
        words = ["--fresh", "--out", self.path(), "--count", (1 << 20) + 1, "--time-limit", 60]
        for grain, warned in ((1, True), (2, False)):
            ending = run(KNOWN, *words, "--grain", grain, layout=(0, 2))
            self.assert_ended(ending, 0, 75)
            self.assertEqual("1048577 tiles" in ending.err, warned, ending.err)


class Efficiency(SystemTest):
    @alone
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
        waited = min(100 * row["wait"] / row["busy"], 100)
        self.assertAlmostEqual(int(said.group(1)), waited, delta=1)
        shown = self.run_well(WEFT, "status", self.path(), layout=(0, None)).out
        self.assertRegex(shown, r" busy +waited +outcome")
        self.assertRegex(shown, rf" \d+ % +{waited:.0f} % +complete ")


@needs(FAULTY, "faulty.so")
class Clock(SystemTest):
    def test_clock_is_set(self):
        """The time of day jumps by a day during the run: that does not make it longer, or shorter,
        and what is planned from it is planned from what it took."""
        for shift in (86400, -86400):
            path, signal = self.path(f"{shift}.h5"), self.path(f"{shift}")
            self.shut_gate()
            launch = self.start(KNOWN, "--out", path, "--count", 100, "--grain", 1, "--item-us",
                                8000, "--sync", 0, *self.gated(after=20), layout=(2, 1),
                                env=faulty(FAULTY_CLOCK=f"{shift},{signal}"))
            launch.wait_for(lambda: os.path.exists(path) and results.done_items(path).any(),
                            "work begins")
            with open(signal, "w", encoding="ascii"):
                pass
            self.open_gate()
            self.assert_ended(launch.finish())
            with results.open_result(path) as file:
                row = file["weft/runs"][0]
                longest = file["weft/known/tiles"]["seconds"].max()
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
    main(at_once=3)
