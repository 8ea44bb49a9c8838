# SPDX-License-Identifier: BSD-3-Clause
"""The batch scripts under a real Slurm: with enough time and without, with signals, cancelled, and
with nodes that are lost."""

import os
import shutil
import tempfile

import results
from launch import KNOWN, SystemTest
from slurm import Slurm, main

STOPPED = 75
COUNT = 2000
LAYOUT = ("--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=1", "--time=5")


class Jobs(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="weft-slurm-")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.slurm = cls.enterClassContext(Slurm(4, cls.shared))
        cls.begin_long_jobs()

    @classmethod
    def begin_long_jobs(cls):
        """Slurm counts time in minutes; these jobs run while the other tests do. One would take a
        little more than a minute, the other is warned early: Slurm looks every half minute."""
        node = ("--nodelist=n4", "--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=1",
                "--time=1")
        cls.minute = cls.submit_to(
            cls.shared, "until-done.sh", "--item-us", 31000, "--count", COUNT, name="minute",
            options=node)
        cls.warned = cls.submit_to(
            cls.shared, "until-done.sh", "--item-us", 18000, "--count", COUNT, name="warned",
            options=(*node, "--signal=B:USR1@50"))

    @classmethod
    def submit_to(cls, folder, script, *words, name="result", options=LAYOUT, **more):
        path = os.path.join(folder, f"{name}.h5")
        return cls.slurm.submit(script, KNOWN, "--out", path, "--grain", 1, *words,
                                log=os.path.join(folder, f"{name}.log"), options=options, **more)

    def submit(self, script, *words, options=(), layout=LAYOUT, **more):
        others = "--exclude=n4"
        return self.submit_to(self.folder, script, "--count", COUNT, "--calls", self.path("calls"),
                              *words, options=(others, *layout, *options), **more)

    def wait_for_work(self, job, calls=50):
        job.wait_until(lambda: len(results.calls(self.path("calls"))) >= calls, "the work begins")

    def assert_ended(self, job, state, status):
        self.assertEqual(job.finish(), (state, status), str(job))

    def assert_no_process_left(self):
        self.assertEqual(self.slurm.left_over(self.folder), {})

    def assert_complete(self, path):
        self.assertIsNone(results.opens_everywhere(path))
        self.assertEqual(results.all_bytes(path), results.known_bytes(COUNT))

    def assert_partly_done(self, path):
        done = results.done_items(path)
        self.assertEqual(list(results.wrong_items(path, done)), [])
        self.assertTrue(0 < done.sum() < COUNT, done.sum())

    def assert_goes_on(self):
        """The same job once more completes the result."""
        job = self.submit("hybrid.sh")
        self.assert_ended(job, "COMPLETED", 0)
        self.assertIn("resuming", job.output())
        self.assert_complete(self.path())

    def test_hybrid(self):
        job = self.submit("hybrid.sh")
        self.assert_ended(job, "COMPLETED", 0)
        self.assertIn("4 ranks x 1 worker on 2 hosts", job.output())
        self.assert_complete(self.path())
        self.assert_no_process_left()

    def test_node(self):
        job = self.submit("node.sh", layout=("--cpus-per-task=2", "--time=5"))
        self.assert_ended(job, "COMPLETED", 0)
        self.assertIn("1 rank x 2 workers on 1 host", job.output())
        self.assert_complete(self.path())

    def test_array(self):
        """Each job of an array computes another result."""
        job = self.submit("array.sh", "--seed", "{}", "--label", "number {}", name="part-{}",
                          layout=("--array=3,5", "--cpus-per-task=1", "--time=5"))
        self.assert_ended(job, "COMPLETED", 0)
        for number in (3, 5):
            path = self.path(f"part-{number}.h5")
            job.wait_until(lambda: os.path.exists(path) and results.done_items(path).all(),
                           "the end of all")
            self.assertEqual(results.identity(path)["seed"], number)
            self.assertEqual(results.all_bytes(path), results.known_bytes(COUNT, seed=number))

    def test_failed_items(self):
        """Slurm sees the program's exit status."""
        job = self.submit("hybrid.sh", "--fail", "7")
        self.assert_ended(job, "FAILED", 3)

    def test_signal(self):
        """USR1 to the batch script, by hand."""
        job = self.submit("hybrid.sh", "--item-us", 20000)
        self.wait_for_work(job)
        job.cancel("--batch", "--signal=USR1")
        self.assert_ended(job, "FAILED", STOPPED)
        self.assertIn("SIGUSR1: stopping in good order", job.output())
        self.assert_partly_done(self.path())
        self.assert_no_process_left()
        self.assert_goes_on()

    def test_cancelled(self):
        job = self.submit("hybrid.sh", "--item-us", 20000, "--sync", 0)
        self.wait_for_work(job, calls=300)
        job.cancel()
        self.assertEqual(job.finish()[0], "CANCELLED")
        self.assert_no_process_left()
        self.assert_partly_done(self.path())
        self.assert_goes_on()

    def test_lost_node(self):
        """A node is lost that is not the batch script's: the others do its work."""
        job = self.submit("hybrid.sh", "--item-us", 10000, "--dead-after", 1)
        self.wait_for_work(job)
        lost = next(host for host in self.slurm.nodes_of(job) if host != job.show()["BatchHost"])
        self.slurm.kill(lost)
        self.addCleanup(self.slurm.boot, lost)
        self.assert_ended(job, "COMPLETED", 0)
        self.assertEqual(job.show()["Restarts"], "0")
        self.assertEqual(len(results.runs(self.path())), 1)
        self.assert_complete(self.path())
        self.assert_no_process_left()

    def test_power_cut(self):
        """The node of the batch script and of rank 0 is lost: the job is queued again."""
        job = self.submit("until-done.sh", "--item-us", 10000, "--sync", 0)
        self.wait_for_work(job, calls=300)
        lost = job.show()["BatchHost"]
        self.slurm.kill(lost)
        self.addCleanup(self.slurm.boot, lost)
        self.assert_ended(job, "COMPLETED", 0)
        self.assertNotIn(lost, job.show()["NodeList"])
        self.assertIn("resuming", job.output())
        self.assert_complete(self.path())
        self.assert_no_process_left()

    def test_srun(self):
        """srun starts ranks, too, but for some failures at the start: this is only told."""
        words = ["srun", "--exclude=n4", "-N2", "-n4", "--mpi=pmix", KNOWN, "--out", self.path(),
                 "--count", COUNT, "--threads", 1]
        ending = self.slurm.start("head", *words).finish()
        print(f"srun --mpi=pmix: status {ending.status}", flush=True)

    def test_warned(self):
        """Slurm's own --signal ends turns early, until in one all is done."""
        self.assert_ended(self.warned, "COMPLETED", 0)
        self.assertIn("SIGUSR1: stopping in good order", self.warned.output())
        self.assert_turns(self.warned, "warned")

    def test_wins_with_time(self):
        """A job that a minute does not suffice for stops before it is over, and is queued again."""
        self.assert_ended(self.minute, "COMPLETED", 0)
        self.assertIn("the time limit is near", self.minute.output())
        self.assert_turns(self.minute, "minute")

    def assert_turns(self, job, name):
        path = os.path.join(self.shared, f"{name}.h5")
        stopped = int(job.show()["Restarts"])
        self.assertGreater(stopped, 0)
        self.assertEqual([row["outcome"] for row in results.runs(path)],
                         [b"stopped"] * stopped + [b"complete"])
        self.assert_complete(path)


if __name__ == "__main__":
    main()
