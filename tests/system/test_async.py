# SPDX-License-Identifier: BSD-3-Clause
"""Several maps under way: signals, the time limit and deaths end them in good order, each says what
it has come to, and the same command goes on."""

import os
import signal

import results
from launch import KNOWN, MPIRUN, Launch, SystemTest, lives, main, rank_of, recovery, strike

STOPPED = 75
MAPS, COUNT = 4, 300
NAMES = [f"known-{number}" for number in range(MAPS)]


def under_way(layout):
    """Maps at a time."""
    return 2 if layout[1] > 0 else 1


class Async(SystemTest):
    def words(self, *more):
        return ["--out", self.path(), "--count", COUNT, "--grain", 1, "--maps", MAPS, "--start",
                "--progress", "never", *more]

    def forget(self):
        if os.path.exists(self.path()):
            os.unlink(self.path())

    def begin(self, *more, layout):
        """The first map is on its way, and does not end before it is told to."""
        self.forget()
        launch = self.start(KNOWN, *self.words("--item-us", 1000, "--civil", COUNT - 1,
                                               "--slow-s", 300, *more), layout=layout)
        launch.wait_for(lambda: os.path.exists(self.path()) and
                        results.done_items(self.path(), NAMES[0]).sum() > COUNT // 10,
                        "the first map has begun")
        return launch

    def check_stopped(self, ending, layout):
        maps = under_way(layout)
        self.assert_ended(ending, STOPPED)
        done = [results.done_items(self.path(), name).sum() for name in NAMES]
        self.assertGreater(done[0], 0)
        self.assertLess(done[0], COUNT)
        self.assertLess(done[1], COUNT)
        self.assertEqual(done[maps:], [0] * (MAPS - maps))
        self.assertEqual(results.runs(self.path())[-1]["outcome"], b"stopped", str(ending))

    def check_resumes(self, layout):
        ending = self.run_well(KNOWN, *self.words(), layout=layout)
        for name in NAMES:
            self.assertEqual(results.all_bytes(self.path(), name), results.known_bytes(COUNT),
                             str(ending))
        self.assertIsNone(results.opens_everywhere(self.path()))

    def test_a_signal_ends_all(self):
        for number, layout, rank in ((signal.SIGTERM, (0, 2), 0), (signal.SIGINT, (2, 1), 1),
                                     (signal.SIGUSR1, (2, 2), 0), (signal.SIGTERM, (0, 0), 0),
                                     (signal.SIGTERM, (2, 0), 1)):
            with self.subTest(signal=number.name, layout=layout, rank=rank):
                launch = self.begin(layout=layout)
                pids = {rank_of(pid): pid for pid in launch.ranks()}
                strike(pids[rank] if layout[0] else launch.pid, number)
                ending = launch.finish()
                self.check_stopped(ending, layout)
                self.assertIn(ending.err.count("stopping in good order"), (1, under_way(layout)),
                              str(ending))
                for name in NAMES[under_way(layout):]:
                    self.assertRegex(ending.err, f"map '{name}' has not begun, since map "
                                                 "'known-[01]' before it was stopped: ")
                self.check_resumes((3, 1))

    def test_the_time_limit_ends_all(self):
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                ending = self.begin("--time-limit", 15, layout=layout).finish()
                self.assertIn("time limit is near: stopping in good order", ending.err)
                self.check_stopped(ending, layout)
                self.check_resumes((0, 2))

    def test_an_error_ends_all(self):
        """Nothing is computed for those behind."""
        calls = self.path("calls")
        ending = self.start(KNOWN, *self.words("--field-twice", "--calls", calls),
                            layout=(2, 1)).finish()
        self.assert_ended(ending, 2)
        self.assertEqual(results.calls(calls) if os.path.exists(calls) else [], [])

    def test_killed_with_two_under_way(self):
        """One rank, whose second map computes while the first waits for a slow item: nothing that
        either has recorded is lost, each has a row of its own, and both go on."""
        for layout in ((0, 2), (1, 3)):
            with self.subTest(layout=layout):
                launch = self.begin(layout=layout)
                launch.wait_for(lambda: results.done_items(self.path(), NAMES[1]).sum() > COUNT // 2,
                                "the second map is under way")
                done = [results.done_items(self.path(), name).copy() for name in NAMES[:2]]
                rows = results.runs(self.path())
                self.assertEqual(sorted(rows["map"][:2]), [0, 1])
                strike(launch.ranks()[0] if layout[0] else launch.pid, signal.SIGKILL)
                launch.finish()
                for name, before in zip(NAMES, done):
                    self.assertTrue(results.done_items(self.path(), name)[before].all())
                self.check_resumes((0, 2))

    def test_a_rank_is_killed(self):
        """The maps that are under way then, mostly the first two, are completed without it, and no
        other begins."""
        for workers in (1, 2):
            with self.subTest(workers=workers):
                words = self.words("--item-us", 10000 * workers, "--dead-after", 1)
                self.forget()
                launch = Launch([*MPIRUN, *recovery(), "-np", "3", KNOWN, "--threads",
                                 str(workers), *map(str, words)])
                self.launches.append(launch)
                launch.wait_for(lambda: os.path.exists(self.path()) and
                                results.done_items(self.path(), NAMES[0]).sum() > COUNT // 10,
                                "the first map has begun")
                pids = {rank_of(pid): pid for pid in launch.ranks() if lives(pid)}
                if 2 in pids:
                    strike(pids[2], signal.SIGKILL)
                ending = launch.finish()
                # Open MPI 4.1's mpirun does not always say what ranks end with, once one is lost.
                self.assert_ended(ending, 0, STOPPED)
                done = [results.done_items(self.path(), name).sum() for name in NAMES]
                complete = done.count(COUNT)
                self.assertEqual(done[:complete], [COUNT] * complete, str(ending))
                self.assertEqual(done[complete + 1:], [0] * (MAPS - complete - 1), str(ending))
                self.assertGreater(complete, 0)
                if complete < MAPS:
                    self.assertRegex(ending.err, "a rank died before map|rank 2 has died")
                self.check_resumes((2, 1))

    def test_rank_0_is_killed(self):
        """With maps queued behind the one that is under way: all ranks end, and the same command
        goes on."""
        for layout in ((3, 1), (2, 2)):
            with self.subTest(layout=layout):
                self.forget()
                words = self.words("--item-us", 1000, *self.gated(after=COUNT // 5))
                launch = Launch([*MPIRUN, *recovery(), "-np", str(layout[0]), KNOWN, "--threads",
                                 str(layout[1]), *map(str, words)])
                self.launches.append(launch)
                launch.wait_for(lambda: os.path.exists(self.path()) and
                                results.done_items(self.path(), NAMES[0]).sum() > 0,
                                "the first map has begun")
                strike({rank_of(pid): pid for pid in launch.ranks()}[0], signal.SIGKILL)
                ending = launch.finish_after_deaths()
                self.assertIn("rank 0 has died, which ends the run", ending.err)
                for name in NAMES[under_way(layout):]:
                    self.assertEqual(results.done_items(self.path(), name).sum(), 0)
                self.check_resumes((2, 1))

    def test_a_rank_leaves(self):
        """It has seen one map, and does not come to the others, which wait for it: all end."""
        for layout, rank in (((2, 1), 1), ((3, 1), 0), ((2, 0), 0)):
            with self.subTest(layout=layout, rank=rank):
                self.forget()
                ending = self.start(KNOWN, *self.words("--leave-rank", rank),
                                    layout=layout).finish()
                self.assertNotEqual(ending.status, 0, str(ending))
                self.assertIn(f"rank {rank} has called weft_finish()", ending.err)
                self.assertIn("there is no more input", ending.err)
                self.check_resumes((2, 1))

    def test_exit_under_way(self):
        """A kernel that calls exit() ends the process, whoever waits."""
        ending = self.start(KNOWN, *self.words("--deadly", "exit:7"), layout=(0, 2)).finish()
        self.assert_ended(ending, 1)
        self.assertIn("has called exit(", ending.err)
        self.check_resumes((0, 2))


if __name__ == "__main__":
    main()
