# SPDX-License-Identifier: BSD-3-Clause
"""Ranks that die, and ranks that only seem to: the run goes on without them, where mpirun lets it,
and what comes out is the same to the byte (promises P1 to P3)."""

import os
import random
import signal
import time

import results
from faults import FAULTY, faulty
from launch import (KNOWN, LIMIT_S, MPIRUN, WEFT, Launch, SystemTest, alone, lives, main,
                    needs, rank_of, recovery, stat_of, strike)

SEED = int(os.environ.get("DEATHS_SEED", str(random.SystemRandom().randrange(1 << 32))))
COUNT = 1500
# Silence is noticed after a second here, so that tests need not wait for long.
SOON = ("--dead-after", 1)


class Deaths(SystemTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)

    def start_job(self, ranks, workers, *words, seconds=2.0):
        """A job that would take so long, whatever its layout, and is not over before the gate is
        open."""
        self.shut_gate()
        item_us = int(1e6 * seconds * ranks * max(workers, 1) / COUNT)
        command = [*MPIRUN, *recovery(), "-np", str(ranks), KNOWN, "--threads",
                   str(workers), "--out", self.path(), "--count", str(COUNT), "--grain", "1",
                   "--item-us", str(item_us), "--sync", "0", "--progress", "never",
                   *map(str, (*SOON, *self.gated(after=100), *words))]
        launch = Launch(command)
        self.launches.append(launch)
        launch.wait_for(lambda: os.path.exists(self.path()) and
                        results.done_items(self.path()).sum() > COUNT // 20, "work is on its way")
        self.pids = dict(enumerate(launch.ranks()))
        return launch

    def finish(self, launch, limit_s=LIMIT_S):
        """Lets it go on to its end."""
        self.open_gate()
        return launch.finish(limit_s)

    def check_complete(self, ending, lost=None):
        self.assertIn("complete: ", ending.err, str(ending))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT), str(ending))
        self.assertEqual(ending.err.count("is presumed dead, and"), lost, str(ending))
        row = results.runs(self.path())[-1]
        self.assertEqual(row["outcome"], b"complete")
        self.assertEqual(row["lost"], lost)
        return row

    def test_a_rank_is_killed(self):
        for workers in (1, 3):
            with self.subTest(workers=workers):
                if os.path.exists(self.path()):
                    os.unlink(self.path())
                launch = self.start_job(4, workers)
                victim = self.random.choice((1, 2, 3))
                before = time.time()
                strike(self.pids[victim], signal.SIGKILL)
                ending = self.finish(launch)
                self.assertEqual(ending.status, 0, str(ending))
                row = self.check_complete(ending, lost=1)
                self.assertEqual(row["lost_rank"], victim)
                self.assertTrue(before <= row["lost_at"] <= row["end"])
                self.assertGreater(row["lost_items"], 0)
                self.assertIn(f"rank {victim} on host", ending.err)
                self.assertIn("1 rank lost", ending.err)
                if WEFT:
                    status = self.run_well(WEFT, "status", self.path(), layout=(0, None))
                    self.assertIn(f"run 1 lost 1 rank, the last of them rank {victim}", status.out)

    def test_a_death_on_this_machine_is_known_at_once(self):
        """Neighbours see it, long before the silence is too long."""
        for victim in (2, 0):
            with self.subTest(victim=victim):
                if os.path.exists(self.path()):
                    os.unlink(self.path())
                launch = self.start_job(4, 1, "--dead-after", 600)
                strike(self.pids[victim], signal.SIGKILL)
                ending = self.finish(launch)
                if victim:
                    self.assertEqual(self.check_complete(ending, lost=1)["lost_rank"], victim)
                    self.assertIn(f"rank {victim} on host", ending.err)
                else:
                    self.assertIn("rank 0 has died, which ends the run", ending.err)

    def test_a_death_while_mpi_starts(self):
        """Nobody waits for ever, whatever moment it is."""
        if "ulfm" in recovery():
            self.skipTest("Open MPI 5 takes long to be loaded, and before that nobody looks")
        for delay in (0.05, 0.1, 0.15, 0.2, 0.3):
            victim = self.random.randrange(3)
            with self.subTest(victim=victim, delay=delay):
                path = self.path(f"{delay}.h5")
                words = [*MPIRUN, *recovery(), "-np", "3", KNOWN, "--threads", "1", "--out", path,
                         "--count", "100", "--item-us", "1000"]
                launch = Launch(words)
                self.launches.append(launch)
                launch.wait_for(lambda: victim in map(rank_of, launch.ranks()), "it has begun")
                pid = next(pid for pid in launch.ranks() if rank_of(pid) == victim)
                time.sleep(delay)
                strike(pid, signal.SIGKILL)
                launch.finish_after_deaths()
                if os.path.exists(path):
                    done = results.done_items(path)
                    self.assertEqual(list(results.wrong_items(path, done)), [])

    def test_a_death_that_nobody_has_seen(self):
        """A rank dies before the others have begun to look who is there."""
        if "ulfm" in recovery():
            self.skipTest("Open MPI 5 takes long to be loaded, and before that nobody looks")
        late = 'test "$OMPI_COMM_WORLD_RANK" = 2 && kill -9 $$; sleep 1; exec "$@"'
        launch = Launch([*MPIRUN, *recovery(), "-np", "3", "sh", "-c", late, "sh", KNOWN,
                         "--threads", "1", "--out", self.path(), "--count", "10"])
        self.launches.append(launch)
        launch.wait_for(launch.ranks, "they have begun")
        ending = launch.finish_after_deaths()
        self.assertIn("a rank has died while MPI was starting", ending.err)

    def test_a_death_before_the_run_ends_the_job(self):
        """A rank is not there yet, and another one of those that wait for it dies."""
        for victim in (2, 0):
            with self.subTest(victim=victim):
                self.shut_gate()
                words = [*MPIRUN, *recovery(), "-np", "4", KNOWN, "--threads", "1", "--out",
                         self.path(), "--late-rank", "1", "--log", "debug", *self.gated()]
                launch = Launch(words)
                self.launches.append(launch)
                launch.wait_for(lambda: "4 ranks x 1 worker" in launch.err_now(), "they wait")
                pid = launch.ranks()[victim]
                strike(pid, signal.SIGKILL)
                launch.wait_for(lambda: not lives(pid), "its death")
                ending = self.finish(launch)
                self.assertIn(f"rank {victim} has died while others wait for it", ending.err)
                # Rank 0 may have made the file; the same command goes on with it.
                if os.path.exists(self.path()):
                    self.assertEqual(results.done_items(self.path()).sum(), 0)

    @needs(FAULTY, "faulty.so")
    def test_a_death_in_the_last_step_of_the_start(self):
        """MPI has started, and a rank does not come to make the second communicator. It is not the
        neighbour that sees the death."""
        for victim in (3, 0):
            with self.subTest(victim=victim):
                log = self.path(f"log-{victim}")
                words = [*MPIRUN, *recovery(), "-np", "4", KNOWN, "--threads", "1", "--out",
                         self.path()]
                launch = Launch(words, env=faulty("call=MPI_Comm_idup,path=MPI,rank=1,delay=86400",
                                                  log=log))
                self.launches.append(launch)
                launch.wait_for(lambda: os.path.exists(log), "one of them stands still")
                pids = launch.ranks()
                strike(pids[victim], signal.SIGKILL)
                launch.wait_for(lambda: not any(lives(pids[rank]) for rank in (0, 2, 3)),
                                "all others end")
                strike(pids[1], signal.SIGKILL)
                ending = launch.finish_after_deaths()
                self.assertIn(f"rank {victim} has died while others wait", ending.err)
                self.assertFalse(os.path.exists(self.path()))

    def test_all_but_rank_0_are_killed(self):
        launch = self.start_job(4, 1)
        for rank in (1, 2, 3):
            strike(self.pids[rank], signal.SIGKILL)
        ending = self.finish(launch)
        self.assertEqual(ending.status, 0, str(ending))
        self.check_complete(ending, lost=3)

    def test_an_idle_rank_is_killed_at_the_end(self):
        """It is missed before the run ends, though nothing waits for it."""
        half = COUNT // 2
        launch = self.start_job(2, 1, "--schedule", "static", "--gate-after", COUNT, "--gated",
                                half - 1)
        launch.wait_for(lambda: results.done_items(self.path())[half:].all(), "it has nothing left")
        strike(self.pids[1], signal.SIGKILL)
        ending = self.finish(launch)
        self.assertEqual(ending.status, 0, str(ending))
        self.assertEqual(self.check_complete(ending, lost=1)["lost_rank"], 1)

    def test_one_after_the_other(self):
        launch = self.start_job(4, 2, seconds=3)
        for rank in self.random.sample((1, 2, 3), 2):
            strike(self.pids[rank], signal.SIGKILL)
            time.sleep(self.random.uniform(0, 2))
        self.check_complete(self.finish(launch), lost=2)

    def test_rank_0_is_killed(self):
        """The others end within seconds and leave the rest to a rerun."""
        launch = self.start_job(3, 1, seconds=30)
        strike(self.pids[0], signal.SIGKILL)
        ending = launch.finish()
        self.assertIn("which ends the run", ending.err)
        done = results.done_items(self.path())
        self.assertEqual(list(results.wrong_items(self.path(), done)), [])
        self.run_well(KNOWN, "--out", self.path(), "--count", COUNT, "--grain", 1, layout=(2, 2))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))

    def test_a_stopped_rank_comes_back(self):
        launch = self.start_job(3, 1, seconds=4)
        pid = self.pids[1]
        strike(pid, signal.SIGSTOP)
        launch.wait_for(lambda: "is presumed dead, and" in launch.err_now(), "it is missed")
        strike(pid, signal.SIGCONT)
        launch.wait_for(lambda: "rank 1 on host" in launch.err_now() and
                        "is back" in launch.err_now(), "it is back")
        back = time.time()
        ending = self.finish(launch)
        self.assertEqual(ending.status, 0, str(ending))
        self.check_complete(ending, lost=1)
        tiles = results.tiles(self.path())
        again = (tiles["rank"] == 1) & (tiles["start"] > back)
        self.assertGreater(again.sum(), 10, "it computes again")

    def test_a_stopped_rank_wakes_up_after_the_end(self):
        launch = self.start_job(3, 1)
        pid = self.pids[2]
        strike(pid, signal.SIGSTOP)
        self.open_gate()
        launch.wait_for(lambda: "complete: " in launch.err_now(), "the others are done")
        self.assertEqual(stat_of(pid)[0], "T")
        strike(pid, signal.SIGCONT)
        ending = launch.finish()
        self.assertEqual(ending.status, 0, str(ending))
        self.check_complete(ending, lost=1)

    def stop_for(self, pid, seconds):
        """Stops a process for a while; how long that really was, at most."""
        began = time.monotonic()
        strike(pid, signal.SIGSTOP)
        time.sleep(seconds)
        strike(pid, signal.SIGCONT)
        return time.monotonic() - began

    @alone
    def test_short_stops_are_nothing(self):
        launch = self.start_job(3, 1, "--dead-after", 4)
        longest = max(self.stop_for(self.pids[rank], 0.8) for rank in (2, 0, 1))
        ending = self.finish(launch)
        self.assertEqual(ending.status, 0, str(ending))
        if longest > 2:
            self.skipTest("the machine is too busy for a short stop")
        self.check_complete(ending, lost=0)

    def test_nothing_is_lost_by_silence_alone(self):
        """A rank may compute for longer than the limit: its agent still speaks."""
        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 4, "--grain", 1, "--slow",
                               "1,2", "--slow-s", 3, *SOON, layout=(2, 1))
        self.assertNotIn("presumed dead", ending.err)
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(4))

    def test_without_workers_the_limit_is_far_away(self):
        """A rank whose main thread computes cannot speak meanwhile."""
        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 4, "--grain", 1, "--slow",
                               "1,2", "--slow-s", 3, *SOON, layout=(2, 0))
        self.assertNotIn("presumed dead", ending.err)
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(4))

    def test_a_rank_without_workers_is_killed(self):
        """60 times the limit, which is half a minute here: neighbours see it before that."""
        for victim, lost in ((1, 1), (0, None)):
            with self.subTest(victim=victim):
                if os.path.exists(self.path()):
                    os.unlink(self.path())
                launch = self.start_job(3, 0, "--dead-after", 0.5, "--heartbeat", 0.1)
                strike(self.pids[victim], signal.SIGKILL)
                ending = self.finish(launch)
                if lost:
                    self.check_complete(ending, lost)
                else:
                    self.assertIn("which ends the run", ending.err)

    def test_a_kernel_with_side_effects(self):
        """Of such a map nothing that has been reported is computed again, and who was taken for
        dead has to go."""
        calls = self.path("calls")
        launch = self.start_job(3, 1, "--impure", "--calls", calls)
        pid = self.pids[1]
        strike(pid, signal.SIGSTOP)
        launch.wait_for(lambda: "is presumed dead, and" in launch.err_now(), "it is missed")
        strike(pid, signal.SIGCONT)
        launch.wait_for(lambda: not lives(pid), "it has gone")
        ending = self.finish(launch)
        row = self.check_complete(ending, lost=1)
        self.assertEqual(row["duplicates"], 0)
        # It was silent for a second, and what it says as it goes is not believed.
        self.assertGreater(row["elsewhere"], 1)
        items = results.calls(calls)
        self.assertLessEqual(len(items) - len(set(items)), row["lost_items"])

    def test_nobody_waits_for_ever_at_the_start(self):
        """Where ranks may die one by one, 60 times the limit is enough to come in."""
        words = [*MPIRUN, *recovery(), "-np", "3", KNOWN, "--threads", "1", "--out",
                 self.path(), "--late-rank", "1", "--dead-after", "0.05", *self.gated()]
        launch = Launch(words)
        self.launches.append(launch)
        launch.wait_for(lambda: "has not come for 3 s" in launch.err_now(), "they give up")
        self.assertFalse(os.path.exists(self.path()))

    def test_a_program_may_begin_late(self):
        ending = self.run_well(KNOWN, "--out", self.path(), "--late-rank", 1, "--late-s", 2,
                               "--dead-after", 0.02, layout=(2, 1))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(1000), str(ending))

    @alone
    def test_what_may_not_be_written_is_computed_again(self):
        """Of a kernel with side effects, while rank 0 has not been heard of for most of the limit."""
        calls = self.path("calls")
        launch = self.start(KNOWN, "--out", self.path(), "--count", 6, "--grain", 1, "--impure",
                            "--calls", calls, "--schedule", "ss", "--dead-after", 12,
                            *self.gated(after=0), layout=(2, 1))
        launch.wait_for(lambda: len(results.calls(calls)) >= 2, "both ranks have an item")
        stopped = time.monotonic()
        strike(launch.ranks()[0], signal.SIGSTOP)
        time.sleep(10)
        self.open_gate()
        time.sleep(0.5)  # the other one is done with it now
        strike(launch.ranks()[0], signal.SIGCONT)
        stopped_s = time.monotonic() - stopped
        ending = launch.finish()
        if stopped_s > 11.5:
            self.skipTest("the machine is too busy for a stop of most of the limit")
        self.assertEqual(ending.status, 0, str(ending))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(6))
        self.assertGreater(len(results.calls(calls)), 6, str(ending))

    def test_a_second_map_after_a_death(self):
        os.symlink("known.h5", self.path())
        launch = self.start_job(3, 1, "--second-map", "--out", self.path(""))
        strike(self.pids[1], signal.SIGKILL)
        ending = self.finish(launch)
        self.assertIn("complete: ", ending.err)
        self.assertEqual(ending.err.count("run the same command again"), 1, str(ending))

    def test_a_kernel_never_comes_back(self):
        """Others compute its item; the end waits for it for a while, but not for ever."""
        for item in (17, COUNT - 1):
            with self.subTest(item=item):
                launch = self.start_job(3, 1, "--fresh", "--deadly", f"hang:{item}",
                                        "--deadly-once", self.path(f"hung-{item}"))
                ending = self.finish(launch)
                self.check_complete(ending, lost=0)
                self.assertIn("a kernel has not returned on rank", ending.err)
                ending = self.run_well(KNOWN, "--out", self.path(), "--count", COUNT, layout=(2, 1))
                self.assertIn("complete: ", ending.err)

    def test_beats_are_settable(self):
        for words in (("--heartbeat", 0), ("--heartbeat", -1), ("--dead-after", -1),
                      ("--dead-after", "x")):
            self.run_well(KNOWN, "--out", self.path(), *words, status=2)
        self.run_well(KNOWN, "--out", self.path(), "--heartbeat", 0.01, "--dead-after", 0,
                      layout=(2, 1))


if __name__ == "__main__":
    print(f"DEATHS_SEED={SEED}")
    main(at_once=3)
