# SPDX-License-Identifier: BSD-3-Clause
"""What a person sees of a run: on a terminal, in a batch log, and of bad bindings (promise P6)."""

import os
import pty
import re
import subprocess
import threading
import unittest

from launch import KNOWN, LIMIT_S, MPIRUN, SystemTest, command, environment, main, run

PROGRESS = re.compile(r"(\d+\.\d) %, (\d+) of 300 items, \S+ items/s, .+ left")


def run_on_terminal(words):
    """Everything that a program shows when it runs on a terminal."""
    leader, follower = pty.openpty()
    shown = []

    def collect():
        try:
            while block := os.read(leader, 4096):
                shown.append(block)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=collect)
    reader.start()
    status = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
                            env=environment(), timeout=LIMIT_S, check=False).returncode
    os.close(follower)
    reader.join()
    os.close(leader)
    return status, b"".join(shown).decode()


class Progress(SystemTest):
    def words(self, *more):
        """About two seconds of work for one worker."""
        return ["--fresh", "--out", self.path(), "--count", 300, "--grain", 1, "--item-us", 6000,
                *more]

    def check_lines(self, lines):
        """Lines of progress that go up to less than all."""
        found = [PROGRESS.search(line) for line in lines]
        done = [int(match.group(2)) for match in found if match]
        self.assertGreater(len(done), 2, lines)
        self.assertEqual(done, sorted(done))
        self.assertGreater(len(set(done)), 2)
        for match in filter(None, found):
            self.assertAlmostEqual(float(match.group(1)), int(match.group(2)) / 3, delta=0.06)

    def test_always(self):
        for layout in ((0, 0), (0, 1), (2, 1)):
            with self.subTest(layout=layout):
                ending = self.run_well(KNOWN, *self.words("--progress", "always"), layout=layout)
                self.check_lines(re.split("[\r\n]", ending.err))

    def test_log_file(self):
        """In a batch log: how it starts, how it ends, and a line every half minute at most."""
        for mode in ("auto", "never"):
            for layout in ((0, 1), (2, 1)):
                with self.subTest(mode=mode, layout=layout):
                    ending = self.run_well(KNOWN, *self.words("--progress", mode), layout=layout)
                    self.assertNotIn("\r", ending.err)
                    self.assertNotIn("\x1b", ending.err)
                    self.assertEqual(len(ending.err.splitlines()), 3, ending.err)

    def test_terminal(self):
        """One line that writes over itself, and a last one that stays."""
        for layout in ((0, 1), (2, 1)):
            with self.subTest(layout=layout):
                status, shown = run_on_terminal(command(KNOWN, *self.words(), layout=layout))
                self.assertEqual(status, 0, shown)
                live = [part for part in shown.split("\r\x1b[K") if PROGRESS.search(part)]
                self.check_lines(live)
                for part in live[:-1]:
                    self.assertNotIn("\n", part)
                self.assertIn("\nweft: complete: 300 of 300 items done", shown.replace("\r", ""))

    def test_start_and_end(self):
        for layout, says in (((0, 0), "1 rank x 0 workers on 1 host"),
                             ((0, 2), "1 rank x 2 workers on 1 host"),
                             ((2, 3), "2 ranks x 3 workers on 1 host")):
            with self.subTest(layout=layout):
                ending = self.run_well(KNOWN, *self.words(), layout=layout)
                first = ending.err.splitlines()[0]
                self.assertIn(says, first)
                self.assertRegex(first, r"\d+ cores? per rank")
                self.assertRegex(ending.err, r"complete: 300 of 300 items done, 300 now in \S+ s.*"
                                             r", efficiency \d+ %, imbalance \d+ %")
                self.assertIn(f"result: {self.path()}\n", ending.err)

    def test_warning_of_bad_binding(self):
        quick = ["--fresh", "--out", self.path(), "--count", 1]
        taskset = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
        ending = run(taskset[0], *taskset[1:], KNOWN, *quick, layout=(0, 2))
        self.assert_ended(ending)
        self.assertRegex(ending.err, r"WARNING: .*2 workers on 1 core.*mpirun --map-by slot:PE=2")
        ending = run(taskset[0], *taskset[1:], KNOWN, *quick, layout=(0, 1))
        self.assertNotIn("WARNING", ending.err)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "one core only")
    def test_warning_of_the_default_binding(self):
        """Open MPI binds each of two ranks to one core, if it is not told otherwise."""
        bound = [word for word in MPIRUN if word not in ("--bind-to", "none", "--oversubscribe")]
        words = [*bound, "--bind-to", "core", "-np", "2", KNOWN, "--out", self.path(), "--count",
                 "1", "--threads", "2"]
        done = subprocess.run(words, env=environment(), capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "WARNING: rank 0 .*2 workers on 1 core.*--bind-to none")


if __name__ == "__main__":
    main()
