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
NODES = [f"n{number}" for number in range(1, 9)]
ONE_RANK = ("--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=1", "--time=1")
FOUR_RANKS = ("--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=1", "--time=5")


def on(*nodes):
    """Keeps a job to these nodes."""
    return "--exclude=" + ",".join(node for node in NODES if node not in nodes)


class Known:
    """A job that runs `known`, with its result, in a folder."""

    def __init__(self, slurm, folder, name, script, *words, options, count=COUNT):
        self.slurm, self.path = slurm, os.path.join(folder, f"{name}.h5")
        self.calls = os.path.join(folder, f"{name}.calls")
        words = ["--out", self.path, "--count", count, "--grain", 1, "--calls", self.calls, *words]
        self.job = slurm.submit(script, KNOWN, *words, log=os.path.join(folder, f"{name}.log"),
                                options=options)

    def wait_for_work(self, calls=300):
        self.job.wait_until(lambda: len(results.calls(self.calls)) >= calls, "the work begins")

    def lose(self, first):
        """Cuts the power of its first node, the batch script's, or of another; returns which."""
        nodes = self.slurm.nodes_of(self.job)
        nodes.sort(key=lambda node: node != self.job.show()["BatchHost"])
        lost = nodes[0 if first else -1]
        self.slurm.kill(lost)
        return lost


class Jobs(SystemTest):
    """What takes long goes on, on nodes of its own, while the other tests run on n1 and n2."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="weft-slurm-")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.slurm = cls.enterClassContext(Slurm(len(NODES), cls.shared))
        # The first takes a little more than its minute, and starts over in its first turn only. The second is warned within half a minute:
        # so often Slurm looks.
        cls.minute = cls.begin("minute", "until-done.sh", "--item-us", 31000, "--fresh",
                               options=(*ONE_RANK, on("n3")))
        cls.warned = cls.begin("warned", "until-done.sh", "--item-us", 18000,
                               options=(*ONE_RANK, on("n3"), "--signal=B:USR1@50"))
        cls.lively = cls.begin("lively", "hybrid.sh", "--item-us", 10000, "--dead-after", 1,
                               options=(*FOUR_RANKS, on("n4", "n5")))
        cls.again = cls.begin("again", "until-done.sh", "--item-us", 10000, "--sync", 0,
                              options=(*FOUR_RANKS, on("n6", "n7", "n8")))
        cls.lively.wait_for_work()
        cls.lost = cls.lively.lose(first=False)
        cls.again.wait_for_work()
        cls.lost_first = cls.again.lose(first=True)

    @classmethod
    def begin(cls, name, script, *words, options):
        return Known(cls.slurm, cls.shared, name, script, *words, options=options)

    def submit(self, script, *words, options=FOUR_RANKS, name="result"):
        return Known(self.slurm, self.folder, name, script, *words,
                     options=(*options, on("n1", "n2")))

    def assert_ended(self, known, state, status):
        self.assertEqual(known.job.finish(), (state, status), str(known.job))
        self.assertEqual(self.slurm.left_over(known.path), {}, str(known.job))

    def assert_complete(self, path, **more):
        self.assertIsNone(results.opens_everywhere(path))
        self.assertEqual(results.all_bytes(path), results.known_bytes(COUNT, **more))

    def assert_goes_on(self, known):
        """The result of what has ended early is right so far, and another job completes it."""
        done = results.done_items(known.path)
        self.assertEqual(list(results.wrong_items(known.path, done)), [])
        self.assertTrue(0 < done.sum() < COUNT, done.sum())
        known = self.submit("hybrid.sh")
        self.assert_ended(known, "COMPLETED", 0)
        self.assertIn(f"{done.sum()} of {COUNT} items are done", known.job.output())
        self.assert_complete(known.path)

    def test_array(self):
        """Each job of an array computes another result."""
        known = self.submit("array.sh", "--seed", "{}", "--label", "number {}", name="part-{}",
                            options=("--array=3,5", "--cpus-per-task=1", "--time=5"))
        for number in (3, 5):
            path = self.path(f"part-{number}.h5")
            known.job.wait_until(lambda: os.path.exists(path) and results.done_items(path).all(),
                                 "the end of all")
            self.assertEqual(results.identity(path)["label"], f"number {number}")
            self.assert_complete(path, seed=number)
        self.assertEqual(known.job.finish(), ("COMPLETED", 0))

    def test_cancelled(self):
        known = self.submit("hybrid.sh", "--item-us", 20000, "--sync", 0)
        known.wait_for_work()
        known.job.cancel()
        self.assertEqual(known.job.finish()[0], "CANCELLED")
        self.assertEqual(self.slurm.left_over(known.path), {})
        self.assert_goes_on(known)

    def test_hybrid(self):
        known = self.submit("hybrid.sh")
        self.assert_ended(known, "COMPLETED", 0)
        self.assertIn("4 ranks x 1 worker on 2 hosts", known.job.output())
        self.assert_complete(known.path)

    def test_node(self):
        known = self.submit("node.sh", options=("--cpus-per-task=2", "--time=5"))
        self.assert_ended(known, "COMPLETED", 0)
        self.assertIn("1 rank x 2 workers on 1 host", known.job.output())
        self.assert_complete(known.path)

    def test_signal(self):
        """USR1 to the batch script, by hand."""
        known = self.submit("hybrid.sh", "--item-us", 20000)
        known.wait_for_work()
        known.job.cancel("--batch", "--signal=USR1")
        self.assert_ended(known, "FAILED", STOPPED)
        self.assertIn("SIGUSR1: stopping in good order", known.job.output())
        self.assert_goes_on(known)

    def test_srun(self):
        """srun starts ranks, too, but for some failures at the start: this is only told."""
        words = ["srun", on("n1", "n2"), "--nodes=2", "--ntasks=4", "--mpi=pmix", KNOWN, "--out",
                 self.path(), "--count", COUNT, "--threads", 1]
        ending = self.slurm.start("head", *words).finish()
        print(f"srun --mpi=pmix: status {ending.status}", flush=True)

    def test_step_that_is_smaller_than_its_job(self):
        """As in an interactive job: ranks go to all of its nodes."""
        words = ["salloc", "--quiet", on("n1", "n2"), "--nodes=2", "srun", "--nodes=1",
                 "--ntasks=1", "--nodelist=n2", "weft-run", "--done-dir", self.folder, "-n", 2,
                 "sh", "-c", "echo $OMPI_COMM_WORLD_RANK $(hostname)"]
        ending = self.slurm.start("head", *words).finish()
        self.assertEqual(sorted(ending.out.splitlines()), ["0 n2", "1 n1"], str(ending))

    def test_status(self):
        """Slurm sees the program's exit status."""
        self.assert_ended(self.submit("hybrid.sh", "--fail", "7"), "FAILED", 3)

    def test_with_a_lost_node(self):
        """A node is lost that is not the batch script's: the other does its work. Once it is there
        again, jobs run on it."""
        self.assert_ended(self.lively, "COMPLETED", 0)
        self.assertEqual(self.lively.job.show()["Restarts"], "0")
        self.assertEqual([row["outcome"] for row in results.runs(self.lively.path)], [b"complete"])
        self.assert_complete(self.lively.path)
        self.slurm.boot(self.lost)
        known = self.begin("back", "node.sh", options=(*ONE_RANK, on(self.lost)))
        self.assert_ended(known, "COMPLETED", 0)
        self.assert_complete(known.path)

    def test_without_the_first_node(self):
        """The node of the batch script, and of rank 0, is lost: the job is queued again."""
        self.assert_ended(self.again, "COMPLETED", 0)
        job = self.again.job
        self.assertNotIn(self.lost_first, self.slurm.nodes_of(job))
        self.assertEqual(job.show()["Restarts"], "1")
        self.assertIn("resuming", job.output())
        self.assert_complete(self.again.path)

    def test_within_a_minute(self):
        """A job that a minute does not suffice for stops before it is over, and is queued again."""
        self.assert_turns(self.minute)
        self.assertIn("the time limit is near", self.minute.job.output())

    def test_within_half_a_minute(self):
        """Slurm's own --signal ends turns early, until in one all is done."""
        self.assert_turns(self.warned)
        self.assertIn("SIGUSR1: stopping in good order", self.warned.job.output())

    def assert_turns(self, known):
        self.assert_ended(known, "COMPLETED", 0)
        stopped = int(known.job.show()["Restarts"])
        self.assertGreater(stopped, 0)
        self.assertEqual([row["outcome"] for row in results.runs(known.path)],
                         [b"stopped"] * stopped + [b"complete"])
        self.assert_complete(known.path)


if __name__ == "__main__":
    main()
