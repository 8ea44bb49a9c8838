# SPDX-License-Identifier: BSD-3-Clause
"""Stopping in good order: whoever gets the signal, the books are closed, the exit status is 75, and
the next run goes on.

What mpirun itself returns, as seen with Open MPI 4.1 and 5.0:
  SIGUSR1 to it: passed on to every rank at once; 75, the status of the ranks.
  SIGTERM, SIGINT to it: 1, whatever the ranks return. 4.1: the ranks get SIGTERM (a second later if
  they are not done by then) and after one more second SIGKILL. 5.0: SIGCONT, after a quarter of a
  second SIGTERM, after another one SIGKILL, and nothing that they say is passed on any more.
  Any of the three to one rank: 75.
"""

import os
import random
import resource
import signal
import subprocess
import time

import numpy as np

import results
from launch import (KNOWN, LIMIT_S, MANDELBROT, SAFE_LIMIT_S, SystemTest, alone, command,
                    environment, lives, main, needs, strike, strike_at_once)

STOPPED = 75
COUNT = 600
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
EVERY = (*SIGNALS, signal.SIGUSR2, signal.SIGHUP, signal.SIGXCPU)

# mpirun waits so many seconds before it sends the ranks SIGTERM, and again before SIGKILL. By itself
# it gives them a second, which is little on a busy machine.
PATIENT_MPIRUN = environment(OMPI_MCA_odls_base_sigkill_timeout="4")

# A short kernel is waited for for a tenth of a second, and a second SIGINT ends what is about to
# end anyway. What has to happen within that time may fail now and then on a busy machine.
TRIES = 8


def handles(pid, number):
    """Whether a process of the program has a handler for a signal: weft_init() has been called."""
    try:
        if os.readlink(f"/proc/{pid}/exe") != os.path.realpath(KNOWN):
            return False
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            caught = next(line for line in file if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return False
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def ignore_hangup():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Signals(SystemTest):
    def words(self, *more):
        return ["--out", self.path(), "--count", COUNT, "--grain", 1, "--calls", self.calls, *more]

    def begin(self, *more, layout, wait_for=40, item_us=5000, stays=True, **options):
        """A run that is on its way, and does not end before it is told to stop, if it stays."""
        self.calls = self.path(f"calls-{time.monotonic_ns()}")
        if stays and not {"--slow", "--civil"} & set(more):
            more = (*more, "--civil", COUNT - 1)
        if "--slow-s" not in more:
            more = (*more, "--slow-s", 600)
        launch = self.start(KNOWN, *self.words("--fresh", "--item-us", item_us, *more),
                            layout=layout, **options)
        launch.wait_for(lambda: len(results.calls(self.calls)) >= wait_for, "the work has begun")
        return launch

    def check_stopped(self, ending, *statuses):
        self.assert_ended(ending, *(statuses or (STOPPED,)))
        last = results.runs(self.path())[-1]
        done = results.done_items(self.path())
        self.assertEqual(last["outcome"], b"stopped", str(ending))
        self.assertEqual(last["items"], done.sum())
        self.assertGreater(done.sum(), 0)
        self.assertLess(done.sum(), COUNT)
        self.assertEqual(list(results.wrong_items(self.path(), done)), [])
        self.assertIsNone(results.opens_everywhere(self.path()))
        if ending.status == STOPPED:
            self.assertIn("run the same command again", ending.err)
        return done

    def check_resumes(self, done, layout):
        self.calls = self.path(f"calls-{time.monotonic_ns()}")
        ending = self.run_well(KNOWN, *self.words(), layout=layout)
        self.assertIn(f"resuming {self.path()}: {done.sum()} of {COUNT}", ending.err)
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
        self.assertEqual(results.runs(self.path())[-1]["items"], COUNT - done.sum())
        self.assertEqual(list(np.unique(results.calls(self.calls))), list(np.flatnonzero(~done)))

    def test_to_the_program(self):
        for number, workers in zip(EVERY, (0, 2, 0, 2, 0, 2)):
            with self.subTest(signal=number.name, workers=workers):
                launch = self.begin(layout=(0, workers))
                strike(launch.pid, number)
                ending = launch.finish()
                self.assertIn(f"{number.name}: stopping in good order", ending.err)
                self.check_resumes(self.check_stopped(ending), (2, 1))

    def run_to_the_limit(self, *more, layout):
        """With a limit of three seconds; on a busy machine the start alone may take them."""
        for limit in ("0:00:03", 12, "1:00"):
            self.calls = self.path(f"calls-{time.monotonic_ns()}")
            ending = self.start(KNOWN, *self.words("--fresh", "--time-limit", limit, *more),
                                layout=layout).finish(2 * LIMIT_S)
            if len(results.calls(self.calls)) > 5:
                break
        self.assertIn("time limit is near: stopping in good order", ending.err)
        return ending

    def test_time_limit(self):
        """Nobody has to send a signal: the run stops by itself, and the next one goes on."""
        for layout in ((0, 0), (0, 2), (3, 1)):
            with self.subTest(layout=layout):
                ending = self.run_to_the_limit("--item-us", 40000, "--civil", COUNT - 1,
                                               "--slow-s", 600, layout=layout)
                self.check_resumes(self.check_stopped(ending), (2, 2))

    def test_long_items_are_dropped_at_the_time_limit(self):
        """What would go on behind it is not waited for."""
        ending = self.run_to_the_limit("--item-us", 5000, "--slow", 30, "--slow-s", 600,
                                       layout=(2, 1))
        self.check_resumes(self.check_stopped(ending), (2, 1))

    def test_enough_time(self):
        self.calls = self.path("calls")
        ending = self.run_well(KNOWN, *self.words("--time-limit", "1-00:00:00"), layout=(2, 2))
        self.assertNotIn("time limit", ending.err)

    @alone
    def test_nothing_computed_is_dropped(self):
        """A short kernel is waited for."""
        for number in SIGNALS:
            with self.subTest(signal=number.name):
                for _ in range(TRIES):
                    launch = self.begin(layout=(0, 2), item_us=20000)
                    strike(launch.pid, number)
                    done = self.check_stopped(launch.finish())
                    # The item that waits for the stop is not computed.
                    computed = [item for item in results.calls(self.calls) if item != COUNT - 1]
                    if done.sum() == len(computed):
                        break
                self.assertEqual(done.sum(), len(computed))

    def test_to_a_rank(self):
        for number, rank in ((s, r) for s in SIGNALS for r in (0, 1)):
            with self.subTest(signal=number.name, rank=rank):
                launch = self.begin(layout=(2, 1))
                strike(launch.ranks()[rank], number)
                self.check_resumes(self.check_stopped(launch.finish()), (0, 2))

    def test_to_mpirun(self):
        for number, status in ((signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGUSR1, STOPPED)):
            with self.subTest(signal=number.name):
                launch = self.begin(layout=(2, 1), item_us=10000, env=PATIENT_MPIRUN)
                strike(launch.pid, number)
                ending = launch.finish()
                self.check_resumes(self.check_stopped(ending, status), (3, 1))

    def test_to_all_of_a_terminal(self):
        """Ctrl-C goes to every process of the terminal's group at once."""
        launch = self.begin(layout=(0, 2))
        for pid in launch.members():
            strike(pid, signal.SIGINT)
        self.check_resumes(self.check_stopped(launch.finish()), (0, 2))

    def test_long_kernel_holds_up_nobody(self):
        """SIGTERM and SIGINT: what is in flight for long is dropped, and computed by the next run.
        """
        cases = [(s, (0, 2), None) for s in (signal.SIGTERM, signal.SIGINT)]
        cases += [(s, (2, 1), whom) for s in (signal.SIGTERM, signal.SIGINT)
                  for whom in ("mpirun", 0, 1)]
        for number, layout, whom in cases:
            with self.subTest(signal=number.name, layout=layout, whom=whom):
                launch = self.begin("--slow", 5, layout=layout, env=PATIENT_MPIRUN)
                pid = launch.ranks()[whom] if isinstance(whom, int) else launch.pid
                strike(pid, number)
                ending = launch.finish()
                done = self.check_stopped(ending, 1 if whom == "mpirun" else STOPPED)
                self.assertFalse(done[5])
                self.check_resumes(done, layout)

    def test_synchronous_kernel_is_waited_for(self):
        """With --threads 0 the kernel is in the way of everything; it may ask whether to stop."""
        launch = self.begin("--civil", 50, layout=(0, 0), wait_for=51)
        strike(launch.pid, signal.SIGTERM)
        done = self.check_stopped(launch.finish())
        self.assertFalse(done[50])
        self.check_resumes(done, (0, 0))

    def test_kernel_that_asks(self):
        for number in SIGNALS:
            with self.subTest(signal=number.name):
                launch = self.begin("--civil", "3,4,7", layout=(2, 2), wait_for=20)
                strike(launch.ranks()[1], number)
                done = self.check_stopped(launch.finish())
                self.assertEqual(results.failures(self.path()), {}, "stopped is not failed")
                self.check_resumes(done, (0, 1))

    def test_friendly_signal_waits(self):
        """After SIGUSR1 there is time: what is in flight is finished."""
        launch = self.begin("--slow", 5, "--slow-s", 3, layout=(0, 2), item_us=20000)
        strike(launch.pid, signal.SIGUSR1)
        done = self.check_stopped(launch.finish())
        self.assertTrue(done[5])
        self.assertEqual(done.sum(), len(results.calls(self.calls)))

    def test_sigterm_after_the_friendly_signal(self):
        launch = self.begin("--slow", 5, layout=(0, 2))
        strike(launch.pid, signal.SIGUSR1)
        time.sleep(0.5)
        self.assertIsNone(launch.process.poll(), "SIGUSR1 did not wait for the kernel")
        strike(launch.pid, signal.SIGTERM)
        self.check_resumes(self.check_stopped(launch.finish()), (0, 2))

    @alone
    def test_second_sigint_ends_at_once(self):
        for layout, whom in (((0, 2), None), ((0, 0), None), ((2, 1), 0), ((2, 1), 1)):
            with self.subTest(layout=layout, rank=whom):
                for _ in range(TRIES):
                    launch = self.begin("--slow", "60", layout=layout, wait_for=61)
                    pid = launch.pid if whom is None else launch.ranks()[whom]
                    strike(pid, signal.SIGUSR1)  # waits for the kernel
                    while lives(pid):
                        strike_at_once(pid, signal.SIGINT)
                        time.sleep(0.01)  # two may come as one
                    ending = launch.finish()
                    self.assert_ended(ending, STOPPED, 128 + signal.SIGINT)
                    if ending.status != STOPPED:
                        break
                self.assert_ended(ending, 128 + signal.SIGINT)
                done = results.done_items(self.path())
                self.assertEqual(list(results.wrong_items(self.path(), done)), [])
                self.assertFalse(done[60])
                self.check_resumes(done, (0, 2))

    def test_no_map_begins_after_a_signal(self):
        """It is sent once, perhaps to one rank, perhaps when the first map is all but complete."""
        for wait_for in (40, COUNT):
            with self.subTest(wait_for=wait_for):
                self.calls = self.path(f"calls-{wait_for}")
                # An impure kernel is not called again where a rank is thought late.
                launch = self.start(KNOWN, "--fresh", "--count", COUNT, "--grain", 1, "--item-us",
                                    2000, "--impure", "--calls", self.calls, "--second-map",
                                    "--slow", COUNT - 1, "--slow-s", 8, layout=(2, 1),
                                    cwd=self.folder)
                launch.wait_for(lambda: len(results.calls(self.calls)) >= wait_for, "it is there")
                strike(launch.ranks()[1], signal.SIGUSR1)
                ending = launch.finish()
                self.assert_ended(ending, STOPPED)
                self.assertEqual(ending.err.count("SIGUSR1 before map"), 1, str(ending))
                self.assertIn("before map 'known-again' had begun", ending.err)
                self.assertEqual(results.done_items(self.path("known.h5")).sum(),
                                 len(results.calls(self.calls)))
                self.assertFalse(os.path.exists(self.path("known-again.h5")))

    def test_at_any_moment(self):
        """From weft_init() to the end of the process, whatever it is at: MPI's start, the map, MPI's
        end."""
        rng = random.Random(11)
        self.calls = self.path("calls")
        for batch in range(6):
            launches = [self.start(KNOWN, "--out", self.path(f"{batch}-{i}.h5"), "--count",
                                   40, "--item-us", 5000, layout=(0, i % 3)) for i in range(6)]
            due = {}
            for launch, number in zip(launches, EVERY):
                # On a busy machine the last ones are over before the first have begun.
                launch.wait_for(lambda its=launch: handles(its.pid, number) or
                                its.process.poll() is not None, "weft_init()")
                due[launch] = time.monotonic() + rng.uniform(0, 1)
            for launch, number in sorted(zip(launches, EVERY), key=lambda pair: due[pair[0]]):
                time.sleep(max(0, due[launch] - time.monotonic()))
                if launch.process.poll() is None:
                    strike(launch.pid, number)
            for i, launch in enumerate(launches):
                with self.subTest(batch=batch, signal=EVERY[i].name):
                    self.assert_ended(launch.finish(), 0, STOPPED)

    def test_again_and_again(self):
        """Up to the last moment of a process that has been told to stop."""
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                launch = self.begin(layout=layout)
                rank = launch.ranks()[0]
                while lives(rank):
                    for number in EVERY:
                        if number != signal.SIGINT:
                            strike(rank, number)
                    time.sleep(0.002)
                self.check_stopped(launch.finish())

    def start_late(self, rank, *words):
        """Two ranks, of which one does not begin before the gate is open: MPI takes so long to start.
        """
        self.shut_gate()
        late = (f'while [ "$OMPI_COMM_WORLD_RANK" = {rank} ] && ! [ -e "$0" ]; do sleep 0.02; done; '
                'exec "$@"')
        launch = self.start("sh", "-c", late, self.gate, KNOWN, *words, layout=(2, 1))
        launch.wait_for(lambda: len(launch.ranks()) == 2, "both ranks")
        return launch

    def test_while_mpi_starts(self):
        """A rank that is told to stop there does not leave the others alone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                self.calls = self.path("calls")
                launch = self.start_late(1, *self.words())
                launch.wait_for(lambda: handles(launch.ranks()[0], number), "a rank")
                strike(launch.ranks()[0], number)
                self.open_gate()
                ending = launch.finish()
                self.assert_ended(ending, STOPPED)
                self.assertRegex(ending.err, f"{number.name} before|while MPI was starting")
                self.assertFalse(os.path.exists(self.calls))

    def test_a_rank_that_does_not_start(self):
        """The others wait for it, but not for long once they are told to stop."""
        launch = self.start_late(1, "--out", self.path())
        launch.wait_for(lambda: handles(launch.ranks()[0], signal.SIGTERM), "the other rank")
        first = launch.ranks()[0]
        strike(first, signal.SIGTERM)
        launch.wait_for(lambda: not lives(first), "its end")
        self.open_gate()
        ending = launch.finish()
        self.assertIn("told to stop while MPI was starting", ending.err)
        self.assert_ended(ending, STOPPED)

    def test_a_rank_that_is_late(self):
        """It may be at something of its own for long, and has not been told."""
        self.calls = self.path("calls")
        launch = self.start(KNOWN, *self.words("--late-rank", 1, "--late-s", 600), layout=(2, 1))
        launch.wait_for(lambda: "2 ranks" in launch.err_now(), "MPI has started")
        strike(launch.ranks()[0], signal.SIGTERM)
        ending = launch.finish()
        self.assert_ended(ending, STOPPED)
        self.assertFalse(os.path.exists(self.path()))

    @alone
    def test_nohup(self):
        """Who has SIGHUP ignored has a reason."""
        launch = self.begin(stays=False, layout=(0, 2), preexec_fn=ignore_hangup)
        strike(launch.pid, signal.SIGHUP)
        self.assert_ended(launch.finish())
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))

    @alone
    @needs(MANDELBROT, "mandelbrot")
    def test_limit_on_cpu_time(self):
        """Also of children, which have limits of their own."""
        for more, layout in (((), (0, 1)), ((), (0, 0)), (("--isolate",), (0, 1))):
            with self.subTest(more=more, layout=layout):
                ending = self.run_well(
                    MANDELBROT, "--width", 2000, "--height", 2000, "--max-iter", 100000, "--fresh",
                    "--out", self.path(), *more, layout=layout, status=STOPPED,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU,
                                                          (1, resource.RLIM_INFINITY)))
                self.assertIn("SIGXCPU: stopping in good order", ending.err)
                self.assertEqual(results.failures(self.path()), {})

    def test_nobody_reads_the_log(self):
        self.calls = self.path("calls")
        for layout in ((0, 0), (0, 2)):
            with self.subTest(layout=layout):
                ours, theirs = os.pipe()
                os.close(ours)
                process = subprocess.Popen(
                    command(KNOWN, *self.words("--fresh", "--progress", "always", "--log", "debug"),
                            layout=layout), env=environment(), stderr=theirs)
                os.close(theirs)
                self.assertEqual(process.wait(SAFE_LIMIT_S), 0)
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))


if __name__ == "__main__":
    main(at_once=3)
