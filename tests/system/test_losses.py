# SPDX-License-Identifier: BSD-3-Clause
"""Jobs over several hosts."""

import os

import results
from hosts import Hosts, main
from launch import KNOWN, SystemTest

COUNT = 400


class Several(SystemTest):
    def setUp(self):
        super().setUp()
        self.hosts = Hosts(3, self.folder)
        self.hosts.__enter__()
        self.addCleanup(self.hosts.__exit__)

    def words(self, *more):
        return ["--out", self.path(), "--count", COUNT, "--threads", 1, "--calls",
                self.path("calls"), *more]

    def start_known(self, *more, **options):
        launch = self.hosts.mpirun(KNOWN, *self.words(*more), **options)
        self.launches.append(launch)
        return launch

    def begin(self, *more, **options):
        """A job that is on its way, and does not end before the gate is open."""
        self.shut_gate()
        launch = self.start_known("--item-us", 5000, *self.gated(after=40), *more, **options)
        launch.wait_for(lambda: len(results.calls(self.path("calls"))) > 20, "the work begins")
        return launch

    def test_complete(self):
        """A job over three hosts leaves what a job on one leaves."""
        ending = self.start_known("--item-us", 2000, ranks=3, slots=1).finish()
        self.assert_ended(ending)
        self.assertIn("3 hosts", ending.err)
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
        self.assertEqual(self.hosts.left_over(KNOWN), {})

    def test_frozen(self):
        """A host that stands still for a while costs time, and nothing else."""
        launch = self.begin(ranks=3, slots=1)
        self.hosts.freeze("n2")
        stopped = self.hosts.processes(KNOWN, "n2")
        self.assertNotEqual(stopped, {})
        self.hosts.thaw("n2")
        self.open_gate()
        self.assert_ended(launch.finish())
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))

    def test_lost(self):
        """After any end of a host the rest is computed by the same command."""
        for blow in (self.hosts.kill, self.hosts.crash):
            with self.subTest(blow.__name__):
                launch = self.begin("--fresh", ranks=3, slots=1)
                blow("n2")
                self.assertEqual(self.hosts.up(), ["n1", "n3"])
                self.assertNotEqual(launch.finish().status, 0)
                self.assertEqual(self.hosts.left_over(KNOWN), {})
                self.assertEqual(list(results.wrong_items(self.path())), [])
                self.hosts.boot("n2")
                self.assert_ended(self.start_known(ranks=3, slots=1).finish())
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
                os.remove(self.path("calls"))


if __name__ == "__main__":
    main()
