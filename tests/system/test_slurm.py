# SPDX-License-Identifier: BSD-3-Clause
"""The batch scripts under a real Slurm: with enough time and without, with signals, cancelled, and
with nodes that are lost."""

import os
import shutil
import tempfile

import results
from launch import KNOWN, SystemTest
from slurm import BATCH_SCRIPTS, Slurm, main

STOPPED = 75
COUNT = 2000
NODES = ("n1", "n2", "n3")  # for one test at a time; n4 is for what takes a minute
LAYOUT = ("--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=1", "--time=5")
WEFT_RUN = os.path.join(BATCH_SCRIPTS, os.pardir, "weft-run")


class Jobs(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="weft-slurm-")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.slurm = cls.enterClassContext(Slurm(4, cls.shared))
        cls.begin_long_jobs()

    @classmethod
    def begin_long_jobs(cls):
        """Slurm counts time in minutes; these jobs run while the other tests do."""
        node = ("--nodelist=n4", "--nodes=1", "--cpus-per-task=1", "--time=1")
        cls.minute = cls.submit_to(
            cls.shared, "until-done.sh", "--item-us", 40000, "--count", COUNT, name="minute",
            options=(*node, "--ntasks-per-node=1"))
        cls.warned = cls.submit_to(
            cls.shared, "node.sh", "--item-us", 40000, "--count", COUNT, name="warned",
            options=(*node, "--signal=B:USR1@50"))

    @classmethod
    def submit_to(cls, folder, script, *words, name="result", options=LAYOUT, **more):
        path = os.path.join(folder, f"{name}.h5")
        return cls.slurm.submit(script, KNOWN, "--out", path, "--grain", 1, *words,
                                log=os.path.join(folder, f"{name}.log"), options=options, **more)

    def submit(self, script, *words, options=(), layout=LAYOUT, **more):
        where = "--exclude=n4"
        return self.submit_to(self.folder, script, "--count", COUNT, "--calls", self.path("calls"),
                              *words, options=(where, *layout, *options), **more)

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
        """USR1 to the batch script, by hand as by Slurm's own --signal."""
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

    def test_turns(self):
        """Whatever ends a turn early, the job is queued again until all is done."""
        job = self.submit("until-done.sh", "--item-us", 10000)
        self.wait_for_work(job)
        job.cancel("--batch", "--signal=USR1")
        self.assert_ended(job, "COMPLETED", 0)
        self.assertEqual(job.show()["Restarts"], "1")
        self.assert_complete(self.path())
        self.assertEqual([row["outcome"] for row in results.runs(self.path())],
                         [b"stopped", b"complete"])

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

    def test_signal_by_slurm(self):
        self.assert_ended(self.warned, "FAILED", STOPPED)
        self.assertIn("SIGUSR1: stopping in good order", self.warned.output())
        self.assert_partly_done(os.path.join(self.shared, "warned.h5"))

    def test_time_limit(self):
        """A job that a minute does not suffice for stops before it is over, and is queued again."""
        path = os.path.join(self.shared, "minute.h5")
        self.assert_ended(self.minute, "COMPLETED", 0)
        self.assertEqual(self.minute.show()["Restarts"], "1")
        self.assertIn("the time limit is near", self.minute.output())
        self.assert_complete(path)


if __name__ == "__main__":
    main()
