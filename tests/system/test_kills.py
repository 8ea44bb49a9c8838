# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 at random moments: nothing that is marked done is lost or wrong, and the same command
goes on, on any layout (promises P3 and P4).

KILLS is the number of kills (a run by hand may take thousands), KILLS_SEED the seed of moments,
layouts and victims.
"""

import os
import random
import signal
import subprocess
import time

import numpy as np

import results
from faults import FAULTY, faulty
from launch import KNOWN, WEFT, SystemTest, environment, main, needs, schedules, strike

KILLS = int(os.environ.get("KILLS", "32"))
SEED = int(os.environ.get("KILLS_SEED", str(random.SystemRandom().randrange(1 << 32))))
ROUND = 4  # kills of one job, before it may end

LAYOUTS = ((0, 1), (0, 2), (1, 3), (2, 0), (2, 2), (3, 1), (4, 2))
COUNT = 1999


class Kills(SystemTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.killed_at_work = 0

    def words(self, calls, layout):
        """The job; how it is computed may change from run to run, but not what. All of it takes
        about 1.6 seconds, on any layout."""
        item_us = 800 * max(layout[0], 1) * max(layout[1], 1)
        schedule = self.random.choice(schedules())
        sync = self.random.choice(("0", "10", "0.05"))
        return ["--out", self.path(), "--count", COUNT, "--item-us", item_us, "--seed", 5,
                "--calls", calls, "--schedule", schedule, "--sync", sync, "--progress", "never"]

    def victims(self, launch):
        """Whom to kill: one rank, all of them, or mpirun."""
        ranks = launch.ranks()
        whom = self.random.choice(("one", "all", "mpirun"))
        if whom == "one":
            ranks = self.random.sample(ranks, min(1, len(ranks)))
        return whom, [launch.pid] if whom == "mpirun" else ranks

    def check_file(self, done_before):
        """What is in the file after a kill; the items that are marked done."""
        if not os.path.exists(self.path()):
            self.assertFalse(done_before.any(), "the file is gone")
            return done_before
        self.assertIsNone(results.opens_everywhere(self.path()))
        done = results.done_items(self.path())
        wrong = results.wrong_items(self.path(), done, seed=5)
        self.assertEqual(list(wrong), [], "items are marked done and are wrong")
        self.assertTrue((done | ~done_before).all(), "items that were done are no longer")
        if WEFT:
            verify = subprocess.run([WEFT, "verify", self.path()], env=environment(),
                                    capture_output=True, text=True, check=False)
            self.assertEqual(verify.returncode, 0, verify.stdout + verify.stderr)
        return done

    def check_calls(self, path, done_before):
        repeated = [item for item in results.calls(path) if done_before[item]]
        self.assertEqual(repeated, [], "items that were done were computed again")

    def check_leases(self, calls, done):
        """Of a run that was killed: what it had begun was leased before."""
        rows = results.runs(self.path()) if os.path.exists(self.path()) else []
        if len(rows) > 0 and rows[-1]["outcome"] == b"running":
            grain = int(results.identity(self.path())["grain"])
            begun = results.calls(calls)
            leases = results.leases(self.path())
            free = [item for item in begun if not done[item] and not leases[item // grain]]
            self.assertEqual(free, [], "items were handed out before the file said so")

    def kill_once(self, number, grain, done):
        layout = self.random.choice(LAYOUTS)
        calls = self.path(f"calls-{number}")
        began = time.monotonic()
        launch = self.start(KNOWN, *self.words(calls, layout), *grain, layout=layout)
        # Starting takes about 0.3 s: kills fall into that, too.
        if self.random.random() < 0.8:
            launch.wait_for(lambda: os.path.exists(calls) or launch.process.poll() is not None,
                            "the work begins")
            time.sleep(self.random.uniform(0, 0.6))
        else:
            time.sleep(self.random.uniform(0, 0.5))
        whom, victims = self.victims(launch)
        for pid in victims:
            strike(pid, signal.SIGKILL)
        ending = launch.finish_after_deaths()
        seconds = time.monotonic() - began
        after = self.check_file(done)
        self.check_calls(calls, done)
        self.check_leases(calls, after)
        computed = len(results.calls(calls))
        self.killed_at_work += ending.status != 0 and computed > 0
        print(f"  {number}: {layout[0]}x{layout[1]}, kill {whom}: status {ending.status}, "
              f"{computed} computed, {after.sum()} of {COUNT} done, {seconds:.1f} s", flush=True)
        return after

    def finish_job(self, number, grain, done):
        layout = self.random.choice(LAYOUTS)
        calls = self.path(f"calls-{number}")
        ending = self.run_well(KNOWN, *self.words(calls, layout), *grain, layout=layout)
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT, seed=5))
        if not done.all():
            last = results.runs(self.path())[-1]
            self.assertEqual(last["items"], COUNT - done.sum(), str(ending))
            self.assertEqual(last["outcome"], b"complete")
        self.check_calls(calls, done)
        again = np.setdiff1d(np.flatnonzero(~done), results.calls(calls))
        self.assertEqual(list(again), [], "items are in the result, but were never computed")
        self.check_files_beside()

    def check_files_beside(self):
        """The lock goes with the run that held it, and so does a file that was being made."""
        beside = [name for name in os.listdir(self.folder) if name.startswith("result.h5")]
        self.assertEqual(beside, ["result.h5"])

    def test_kills(self):
        print(f"\n  KILLS={KILLS} KILLS_SEED={SEED}", flush=True)
        for number in range(KILLS):
            if number % ROUND == 0:
                for name in os.listdir(self.folder):
                    os.unlink(self.path(name))
                grain = self.random.choice((["--grain", "1"], ["--grain", "7"],
                                            ["--grain", "100"]))
                done = np.zeros(COUNT, bool)
            with self.subTest(number=number, seed=SEED):
                done = self.kill_once(number, grain, done)
            if number % ROUND == ROUND - 1 or number == KILLS - 1:
                with self.subTest(number=number, seed=SEED):
                    self.finish_job(f"{number}-end", grain, done)
        self.assertGreater(self.killed_at_work, KILLS // 8, "too few kills hit a run at work")

    def test_rerun_goes_on_at_once(self):
        """The lock that a killed run leaves behind is recognised, without any waiting."""
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                out, calls = self.path("%d-%d.h5" % layout), self.path("calls-%d-%d" % layout)
                words = ["--out", out, "--count", 500, "--grain", 1, "--calls", calls]
                launch = self.start(KNOWN, *words, "--item-us", 20000, "--sync", 0,
                                    *self.gated(after=50), layout=layout)
                launch.wait_for(lambda: len(results.calls(calls)) > 20 and
                                results.done_items(out).any(), "the work is on its way")
                for pid in launch.ranks():
                    strike(pid, signal.SIGKILL)
                launch.finish()
                self.assertTrue(os.path.exists(out + ".lock"), "the test hit no lock")
                done = results.done_items(out).sum()
                self.assertGreater(done, 0)
                ending = self.run_well(KNOWN, *words, limit_s=20)
                self.assertIn(f"resuming {out}: {done} of 500", ending.err)
                self.assertFalse(os.path.exists(out + ".lock"))
                self.assertEqual(results.all_bytes(out), results.known_bytes(500))

    def test_killed_while_the_file_is_made(self):
        """Until the file is whole it has another name, and what a kill leaves of that is no hurdle.
        """
        words = ["--count", 100000, "--grain", 1]
        for number in range(16):
            out = self.path(f"{number}.h5")
            launch = self.start(KNOWN, "--out", out, *words)
            launch.wait_for(lambda: os.path.exists(out + ".new") or os.path.exists(out),
                            "the file is being made", pause_s=0)
            time.sleep(self.random.uniform(0, 0.003))
            strike(launch.pid, signal.SIGKILL)
            launch.finish()
            with self.subTest(number=number):
                if os.path.exists(out):
                    self.assertIsNone(results.opens_everywhere(out))
                if number % 4 == 0:
                    self.run_well(KNOWN, "--out", out, *words)
                    self.assertTrue(results.done_items(out).all())
                    self.assertFalse(os.path.exists(out + ".new"))

    @needs(FAULTY, "faulty.so")
    def test_killed_at_a_step_of_making_the_file(self):
        """Each of these takes so long that the kill cannot miss it."""
        words = ["--count", 1000, "--grain", 1]
        for step in ("fallocate", "pwrite", "pwrite,after=1", "fsync"):
            with self.subTest(step=step):
                out, log = self.path(f"{step}.h5"), self.path(f"{step}.log")
                launch = self.start(KNOWN, "--out", out, *words, env=faulty(
                    f"call={step},path=.new,delay=86400", log=log))
                launch.wait_for(lambda: os.path.exists(log), "the step is taken")
                strike(launch.pid, signal.SIGKILL)
                launch.finish()
                self.assertFalse(os.path.exists(out))
                self.assertTrue(os.path.exists(out + ".new"))
                self.run_well(KNOWN, "--out", out, *words)
                self.assertEqual(results.all_bytes(out), results.known_bytes(1000))
                self.assertFalse(os.path.exists(out + ".new"))

    def check_now(self):
        self.assertIsNone(results.opens_everywhere(self.path()))
        self.assertEqual(list(results.wrong_items(self.path())), [])

    def test_readable_while_it_runs(self):
        """From its beginning to its end. However long a look takes, there is time for some: an item
        waits until the run is stopped."""
        words = ["--out", self.path(), "--count", 400, "--grain", 1, "--item-us", 5000, "--sync", 0]
        launch = self.start(KNOWN, *words, "--civil", 399, "--slow-s", 300, layout=(2, 1))
        launch.wait_for(lambda: os.path.exists(self.path()), "there is a file")
        for _ in range(4):
            self.check_now()
        strike(launch.ranks()[0], signal.SIGTERM)
        self.assert_ended(launch.finish(), 75)
        launch = self.start(KNOWN, *words, layout=(2, 1))
        while launch.process.poll() is None:
            self.check_now()
        self.assert_ended(launch.finish())

    def test_crash_in_the_kernel(self):
        """A process that dies by itself costs what it was at, and no more. The other rank does not
        compute that before mpirun ends it, too."""
        calls = self.path("calls")
        words = ["--out", self.path(), "--count", 300, "--grain", 1, "--item-us", 1000]
        ending = self.start(KNOWN, *words, "--crash", 250, "--schedule", "ss", "--sync", 0,
                            "--dead-after", 0, layout=(2, 2)).finish()
        self.assertNotIn(ending.status, (0, 3, 75), str(ending))
        done = self.check_partial(300)
        ending = self.run_well(KNOWN, *words, "--calls", calls, layout=(0, 2))
        self.assertEqual(sorted(results.calls(calls)), list(np.flatnonzero(~done)), str(ending))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(300))

    def check_partial(self, count):
        done = results.done_items(self.path())
        self.assertEqual(list(results.wrong_items(self.path(), done)), [])
        self.assertGreater(done.sum(), 0)
        self.assertLess(done.sum(), count)
        return done

    @needs(WEFT, "weft")
    def test_verify_finds_what_was_changed(self):
        """So that its silence after all those kills means something."""
        self.run_well(KNOWN, "--out", self.path(), "--count", 100, "--grain", 7)
        with results.open_result(self.path()) as file:
            offset = file["known/pair"].id.get_offset()
        with open(self.path(), "r+b") as file:
            file.seek(offset + 16 * 50 + 3)
            byte = file.read(1)
            file.seek(offset + 16 * 50 + 3)
            file.write(bytes([byte[0] ^ 1]))
        verify = subprocess.run([WEFT, "verify", self.path()], env=environment(),
                                capture_output=True, text=True, check=False)
        self.assertEqual(verify.returncode, 1, verify.stdout + verify.stderr)
        self.assertEqual(list(results.wrong_items(self.path())), [50])


if __name__ == "__main__":
    main()
