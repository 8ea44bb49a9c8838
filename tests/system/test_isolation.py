# SPDX-License-Identifier: BSD-3-Clause
"""Items that crash, hang, eat memory or call exit() cost themselves and nothing else (promise P5)."""

import os
import re
import signal
import subprocess
import time

import results
from launch import KNOWN, WEFT, SystemTest, environment, main, needs, strike

COUNT, GRAIN = 300, 5
EXIT, TIMEOUT, MEMORY = -1003, -1001, -1002

# Kinds of death: what is recorded of them.
DEATHS = {
    "segv": (-signal.SIGSEGV, "killed by signal 11 (Segmentation fault), twice"),
    "abort": (-signal.SIGABRT, "killed by signal 6 (Aborted), twice"),
    "fpe": (-signal.SIGFPE, "killed by signal 8 (Floating point exception), twice"),
    "exit": (EXIT, "called exit(3), twice"),
    "kill": (-signal.SIGKILL, "killed by signal 9 (Killed), twice"),
}


class Isolation(SystemTest):
    def words(self, *more):
        return ["--out", self.path(), "--count", COUNT, "--grain", GRAIN, "--item-us", 100, *more]

    def run_and_die(self, *arguments, layout):
        """A run that ends by the death of a rank, whatever the launcher makes of that."""
        ending = self.start(KNOWN, *arguments, layout=layout).finish()
        self.assertNotIn(ending.status, (0, 3, 75), str(ending))
        return ending

    def tile_is_known(self, item):
        """Whether the file says where a crash was, or has been: leased, or in quarantine."""
        tile = item // GRAIN
        return (results.leases(self.path())[tile] != 0 or
                results.tiles(self.path())["state"][tile] == results.QUARANTINED)

    def assert_quarantined(self, deaths):
        results.check_failures(self, self.path(), deaths, results.QUARANTINED)
        self.assertIsNone(results.opens_everywhere(self.path()))
        self.assert_nothing_beside()

    def assert_nothing_beside(self):
        beside = [name for name in os.listdir(self.folder) if name.startswith("result.h5")]
        self.assertEqual(beside, ["result.h5"])

    def assert_right(self):
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
        self.assertEqual(results.failures(self.path()), {})
        self.assert_nothing_beside()

    def test_rerun_after_a_crash(self):
        """The kernel kills its rank; the next run, on any layout, knows where."""
        for kind, layout, next_layout in (("segv", (0, 2), (0, 0)), ("exit", (0, 0), (2, 1)),
                                          ("kill", (2, 1), (0, 2))):
            with self.subTest(kind=kind, layout=layout):
                words = self.words("--deadly", f"{kind}:77")
                ending = self.run_and_die(*words, "--fresh", layout=layout)
                if kind == "exit":
                    self.assertEqual(ending.status, 1)
                    self.assertIn("has called exit(3)", ending.err)
                self.assertTrue(self.tile_is_known(77), str(ending))
                left = results.tiles(self.path())["state"][77 // GRAIN] != results.QUARANTINED
                ending = self.run_well(KNOWN, *words, status=3, layout=next_layout)
                self.assertEqual("died with items in progress" in ending.err, left, str(ending))
                self.assert_quarantined({77: DEATHS[kind]})
                os.unlink(self.path())

    def test_reruns_converge(self):
        """Every crash of a run is the last one at that item."""
        # Longer than a rank looks ahead, so that a run dies before the next one is in its hands.
        words = self.words("--deadly", "segv:20,abort:120,segv:220", "--item-us", 3000)
        for _ in range(3):
            self.run_and_die(*words, layout=(0, 0))
        self.run_well(KNOWN, *words, status=3, layout=(0, 0))
        self.assert_quarantined({20: DEATHS["segv"], 120: DEATHS["abort"], 220: DEATHS["segv"]})

    def test_suspects_survive_a_stop(self):
        """What is known of deadly items is not forgotten by a run that does not come to them."""
        words = self.words("--schedule", "static", "--deadly", "segv:150")
        self.run_and_die(*words, layout=(0, 0))
        # The item before it waits for the stop: the first run cannot have recorded that.
        launch = self.start(KNOWN, *words, "--civil", 149, layout=(0, 0))
        launch.wait_for(lambda: "died with items in progress" in launch.err_now(), "it has begun")
        strike(launch.pid, signal.SIGTERM)
        self.assert_ended(launch.finish(), 75)
        self.assertTrue(self.tile_is_known(150))
        self.run_well(KNOWN, *words, status=3, layout=(0, 0))
        self.assert_quarantined({150: DEATHS["segv"]})

    def test_leases(self):
        """Killed, a run has little in its hands, also with one chunk per rank, and the next one is
        careful of it, which takes a child per worker; stopped in good order, it has nothing."""
        for signum, status in ((signal.SIGKILL, None), (signal.SIGUSR1, 75)):
            words = ["--out", self.path(), "--count", 20000, "--grain", 1, "--item-us", 250,
                     "--schedule", "static", "--sync", 0]  # a slow disk leaves more
            launch = self.start(KNOWN, *words, *self.gated(after=10000), layout=(0, 2))
            launch.wait_for(lambda: os.path.exists(self.path()) and
                            results.done_items(self.path()).sum() > 500, "work is on its way")
            strike(launch.pid, signum)
            ending = launch.finish()
            self.assertTrue(status is None or ending.status == status, str(ending))
            undone = ~results.done_items(self.path())
            leased = int((results.leases(self.path()) != 0)[undone].sum())
            self.assertEqual(leased > 0, status is None)
            # Half of all that there is would take two workers more than a second.
            self.assertLess(leased, 5000, "more than a block per worker")
            ending = self.run_well(KNOWN, *words, "--item-us", 0, "--log", "debug", layout=(0, 2))
            forked = re.search(r"(\d+) children were forked", ending.err)
            self.assertEqual(forked is not None, status is None, str(ending))
            self.assertLessEqual(int(forked[1]) if forked else 0, 2)
            warned = f"died with items in progress ({leased}," in ending.err
            self.assertEqual(warned, status is None, str(ending))
            self.assertEqual(results.all_bytes(self.path()), results.known_bytes(20000))
            os.unlink(self.path())

    def test_harmless_in_a_child(self):
        """An item that kills only a rank comes out right."""
        words = self.words("--deadly", "segv:77", "--deadly-where", "rank")
        self.run_and_die(*words, layout=(0, 2))
        self.run_well(KNOWN, *words, layout=(0, 2))
        self.assert_right()

    def test_every_kind_of_death(self):
        items = {10 + 20 * i: kind for i, kind in enumerate([*DEATHS, "stack", "heap"])}
        deadly = ",".join(f"{kind}:{item}" for item, kind in items.items())
        for layout in ((0, 1), (2, 2), (0, 0)):
            with self.subTest(layout=layout):
                self.run_well(KNOWN, *self.words("--fresh", "--isolate", "--deadly", deadly),
                              status=3, layout=layout)
                there = results.failures(self.path())
                heap = next(item for item, kind in items.items() if kind == "heap")
                self.assertRegex(there[heap][1], "killed by signal|called exit")
                stack = next(item for item, kind in items.items() if kind == "stack")
                self.assertEqual(there[stack][0], -signal.SIGSEGV)
                whose, remedy = (("main thread", "ulimit -s") if layout[1] == 0
                                 else ("worker", "OMP_STACKSIZE"))
                self.assertRegex(there[stack][1], r"killed by signal 11 .* near the end of the "
                                 rf"{whose}'s stack of [0-9.]+ MB: {remedy}, twice")
                expected = {item: DEATHS.get(kind, there[item]) for item, kind in items.items()}
                self.tidy()
                self.assert_quarantined(expected)

    def tidy(self):
        """Takes away what --fresh has moved out of the way."""
        if os.path.exists(self.path("result.h5.bak")):
            os.unlink(self.path("result.h5.bak"))

    def test_stack_overflow_in_a_rank(self):
        """The rank says why it dies, and dies as it would have died."""
        for layout, remedy in (((0, 0), "ulimit -s"), ((0, 2), "OMP_STACKSIZE")):
            ending = self.run_and_die(*self.words("--deadly", "stack:77"), layout=layout)
            for name in os.listdir(self.folder):
                os.unlink(self.path(name))
            # A sanitizer, whose handler has been there before, ends the process in its own way.
            ended = 1 if "AddressSanitizer" in ending.err else -signal.SIGSEGV
            self.assertEqual(ending.status, ended, str(ending))
            self.assertRegex(ending.err, f"near the end of .* stack of [0-9.]+ MB: .*{remedy}")

    def test_all_alike(self):
        """Where every item dies in the same way, one line says so."""
        deadly = ",".join(f"abort:{item}" for item in range(8))
        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 8, "--isolate", "--deadly",
                               deadly, status=3)
        self.assertIn("all died alike (killed by signal 6 (Aborted))", ending.err)

    def test_deadly_only_once(self):
        once = self.path("once")
        self.run_well(KNOWN, *self.words("--isolate", "--deadly", "segv:7,exit:99,kill:299",
                                         "--deadly-once", once), layout=(0, 2))
        self.assertEqual(len([name for name in os.listdir(self.folder) if "once-" in name]), 3)
        self.assert_right()

    def test_same_bytes(self):
        for layout in ((0, 0), (0, 1), (0, 2), (2, 0), (2, 2), (3, 1)):
            for isolate in ([], ["--isolate"]):
                with self.subTest(layout=layout, isolate=isolate):
                    self.run_well(KNOWN, *self.words("--fresh", *isolate), layout=layout)
                    self.tidy()
                    self.assert_right()

    def test_timeout(self):
        for layout in ((0, 2), (2, 0)):
            with self.subTest(layout=layout):
                self.run_well(KNOWN, *self.words("--fresh", "--item-timeout", 0.6, "--deadly",
                                                 "hang:33,hang:250"), status=3, layout=layout)
                self.tidy()
                hung = (TIMEOUT, "took longer than 0.6 s, twice")
                self.assert_quarantined({33: hung, 250: hung})

    def test_bad_timeout(self):
        ending = self.run_well(KNOWN, *self.words("--item-timeout", -1), status=2)
        self.assertIn("--item-timeout", ending.err)

    def test_retry(self):
        """Items in quarantine are tried again, and a rank is not put at risk."""
        words = self.words("--deadly", "segv:5,segv:6,exit:200")
        self.run_well(KNOWN, *words, "--isolate", status=3, layout=(0, 2))
        self.run_well(KNOWN, *words, status=3, layout=(0, 2))
        self.run_well(KNOWN, *words, "--retry-failed", status=3, layout=(0, 2))
        self.assert_quarantined({5: DEATHS["segv"], 6: DEATHS["segv"], 200: DEATHS["exit"]})
        self.run_well(KNOWN, *self.words("--retry-failed", "--deadly", "exit:200"), status=3)
        self.assert_quarantined({200: DEATHS["exit"]})
        self.run_well(KNOWN, *self.words("--retry-failed"), layout=(2, 1))
        self.assert_right()

    def test_failures_are_told_from_deaths(self):
        """What the kernel itself says of items is recorded as ever."""
        self.run_well(KNOWN, *self.words("--isolate", "--fail", "3,4", "--error", 50,
                                         "--deadly", "segv:100"), status=3, layout=(0, 2))
        said = (5, "this item fails on purpose")
        self.assertEqual(results.failures(self.path()),
                         {3: said, 4: said, 50: (7, ""), 100: DEATHS["segv"]})
        states = results.tiles(self.path())["state"]
        self.assertEqual([states[tile] for tile in (0, 10, 20)],
                         [results.DONE_WITH_FAILURES] * 2 + [results.QUARANTINED])

    def test_impure_items_are_not_repeated(self):
        calls = self.path("calls")
        self.run_well(KNOWN, *self.words("--isolate", "--impure", "--deadly", "segv:100",
                                         "--calls", calls), status=3, layout=(0, 2))
        computed = results.calls(calls)
        self.assertEqual(len(computed), len(set(computed)))
        self.assertEqual(results.failures(self.path())[100][1],
                         "killed by signal 11 (Segmentation fault)")

    def test_kill_leaves_nothing_behind(self):
        """Children go with their rank (finish() looks), and do not hold the lock longer than it."""
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                calls = self.path("calls")
                words = ["--out", self.path(), "--count", COUNT, "--calls", calls]
                launch = self.start(KNOWN, *words, "--fresh", "--isolate", "--item-us", 20000,
                                    "--sync", 0, *self.gated(after=20), layout=layout)
                launch.wait_for(lambda: len(results.calls(calls)) > 5, "the work is on its way")
                for pid in launch.ranks():
                    strike(pid, signal.SIGKILL)
                launch.process.wait()
                self.run_well(KNOWN, *words)
                launch.finish()
                self.tidy()
                self.assert_right()
                os.unlink(calls)

    def test_stop(self):
        """A kernel in a child is told to stop like any other, and left behind if it does not."""
        for manner in (["--civil", 30], ["--deadly", "hang:30"]):
            with self.subTest(manner=manner):
                calls = self.path("calls" + manner[0])
                words = self.words("--calls", calls)
                launch = self.start(KNOWN, *words, "--fresh", "--isolate", *manner, layout=(0, 2))
                launch.wait_for(lambda: 30 in results.calls(calls), "the long item has begun")
                strike(launch.pid, signal.SIGTERM)
                self.assert_ended(launch.finish(), 75)
                self.tidy()
                self.assert_nothing_beside()
                self.run_well(KNOWN, *words)
                self.assert_right()

    @needs(WEFT, "weft")
    def test_status_and_verify(self):
        self.run_well(KNOWN, *self.words("--isolate", "--deadly", "segv:100"), status=3)
        show = subprocess.run([WEFT, "status", self.path()], env=environment(), text=True,
                              capture_output=True, check=True)
        self.assertIn(DEATHS["segv"][1], show.stdout)
        self.assertIn("quarantined: 1 tiles contain items that crash their process", show.stdout)
        subprocess.run([WEFT, "verify", self.path()], env=environment(), capture_output=True,
                       check=True)

    def test_memory(self):
        """A child that the system kills for memory is told from one that is killed otherwise."""
        folder, limit, file = memory_group()
        if folder is None:
            self.skipTest("no group of processes with a limit on memory can be made here")
        self.addCleanup(remove_group, folder)
        with open(os.path.join(folder, limit), "w", encoding="ascii") as out:
            out.write("200M")

        def enter():
            with open(os.path.join(folder, file), "w", encoding="ascii") as out:
                out.write(str(os.getpid()))

        words = self.words("--isolate", "--deadly", "memory:100,kill:200")
        self.run_well(KNOWN, *words, status=3, layout=(0, 2), preexec_fn=enter)
        self.assert_quarantined({100: (MEMORY, "killed for want of memory, twice"),
                                 200: DEATHS["kill"]})


def memory_group():
    """A new group of processes: its folder, the files for the limit and for processes."""
    for top, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                       ("/sys/fs/cgroup", "memory.max")):
        folder = os.path.join(top, f"weft-test-{os.getpid()}")
        try:
            os.mkdir(folder)
        except OSError:
            continue
        if os.path.exists(os.path.join(folder, limit)):
            return folder, limit, "cgroup.procs"
        os.rmdir(folder)
    return None, None, None


def remove_group(folder):
    """The system may still be busy with processes that have just ended."""
    for _ in range(200):
        try:
            os.rmdir(folder)
            return
        except OSError:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
