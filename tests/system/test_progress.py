# SPDX-License-Identifier: BSD-3-Clause
"""What a person sees of a run: on a terminal, in a batch log, and of bad bindings (promise P6)."""

import os
import pty
import re
import subprocess
import threading
import unittest

from launch import KNOWN, SAFE_LIMIT_S, MPIRUN, SystemTest, command, environment, main, run
from weftrun import WEFT_RUN

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
                            env=environment(), timeout=SAFE_LIMIT_S, check=False).returncode
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
                    lines = [line for line in ending.err.splitlines() if "--fresh: " not in line]
                    self.assertEqual(len(lines), 3, ending.err)

    def test_terminal(self):
        """One line that writes over itself, and a last one that stays."""
        lines = [command(KNOWN, *self.words(), layout=layout) for layout in ((0, 1), (2, 1))]
        for words in (*lines, [WEFT_RUN, "-n", "2", "-t", "1", KNOWN, *map(str, self.words())]):
            with self.subTest(words=words[:3]):
                status, shown = run_on_terminal(words)
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
                                             r"; workers: \d+ % [^;]*; imbalance \d+ %")
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
                              timeout=SAFE_LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "WARNING: rank 0 .*2 workers on 1 core.*--bind-to none")

    def first_line(self, layout, **variables):
        words = ["--fresh", "--out", self.path(), "--count", 1]
        ending = self.run_well(KNOWN, *words, layout=layout, env=environment(**variables))
        return ending.err.splitlines()[0]

    def test_pinning(self):
        """Pinned if there are as many workers as cores, unless OpenMP has been told otherwise."""
        cores = len(os.sched_getaffinity(0))
        self.assertRegex(self.first_line((0, cores)), f"{cores} cores? per rank, pinned$")
        self.assertRegex(self.first_line((0, None)), f"x {cores} workers? .*, pinned$")
        self.assertRegex(self.first_line((0, cores + 1)), "per rank$")
        self.assertRegex(self.first_line((0, 0)), "per rank$")
        self.assertRegex(self.first_line((0, cores), OMP_PROC_BIND="false"), "per rank$")
        self.assertRegex(self.first_line((2, cores)), "per rank$")
        if cores % 2 == 0:
            self.assertRegex(self.first_line((2, cores // 2)), "per rank, pinned$")

    def test_workers_by_default(self):
        """A rank's cores are those it started with, even if OpenMP has bound its main thread."""
        cores = len(os.sched_getaffinity(0))
        for variables in ({}, {"OMP_PROC_BIND": "true"}, {"OMP_PLACES": "cores"},
                          {"OMP_PROC_BIND": "spread", "OMP_PLACES": "threads"}):
            with self.subTest(variables=variables):
                first = self.first_line((0, None), **variables)
                self.assertRegex(first, f"1 rank x {cores} workers? on .* {cores} cores? per rank")
        self.assertIn("1 rank x 3 workers (OMP_NUM_THREADS) on",
                      self.first_line((0, None), OMP_NUM_THREADS="3,2"))
        core = str(min(os.sched_getaffinity(0)))
        bound = run("taskset", "-c", core, KNOWN, "--out", self.path("one.h5"), "--count", 1,
                    layout=(0, None))
        self.assertRegex(bound.err, "1 rank x 1 worker on .* 1 core per rank, pinned\n")
        alone = run("taskset", "-c", core, KNOWN, "--out", self.path("none.h5"), "--count", 1,
                    layout=(0, 0))
        self.assertRegex(alone.err, "1 rank x 0 workers on .* 1 core per rank\n")

    @unittest.skipUnless({0, 1} <= os.sched_getaffinity(0), "cores 0 and 1 are needed")
    def test_numa_nodes(self):
        """A made-up machine: two nodes of a core each, for the cores 0 and 1 of this one."""
        two = {"HWLOC_SYNTHETIC": "numa:2 core:1 pu:1"}
        words = ["taskset", "-c", "0,1", KNOWN, "--fresh", "--out", self.path(), "--count", 1]
        spread = run(*words, layout=(0, 2), env=environment(**two))
        self.assert_ended(spread)
        self.assertRegex(spread.err, "WARNING: rank 0 on host .* has 2 workers on 2 NUMA nodes; .*"
                                     "mpirun --map-by ppr:1:numa:PE=1, with --threads 1\n")
        alone = run(*words, layout=(0, 1), env=environment(**two))
        self.assert_ended(alone)
        self.assertIn("2 cores per rank, each worker on one NUMA node\n", alone.err)
        self.assertNotIn("WARNING", alone.err)
        ranks = subprocess.run([*MPIRUN, "-np", "2", *map(str, words), "--threads", "1"],
                               env=environment(**two), capture_output=True, text=True,
                               timeout=SAFE_LIMIT_S, check=False)
        self.assertEqual(ranks.returncode, 0, ranks.stderr)
        self.assertIn("2 cores per rank, pinned\n", ranks.stderr)
        self.assertNotIn("WARNING", ranks.stderr)


if __name__ == "__main__":
    main()
