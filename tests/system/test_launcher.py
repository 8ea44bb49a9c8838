# SPDX-License-Identifier: BSD-3-Clause
"""weft-run over several hosts, some of which are lost: the exit status is the program's, mpirun does
not stay, nor does anything else, and the result is right."""

import os
import signal
import time

import results
from hosts import Hosts, main
from launch import KNOWN, SystemTest, strike
from weftrun import GRACE, SOON, WEFT_RUN, left_behind, rank_of

STOPPED = 75
COUNT = 1000


class Several(SystemTest):
    def setUp(self):
        super().setUp()
        self.hosts = Hosts(3, self.folder)
        self.hosts.__enter__()
        self.addCleanup(self.hosts.__exit__)

    def start_run(self, *words, hosts="n1,n2,n3"):
        launch = self.hosts.start(
            "head", WEFT_RUN, "--hosts", hosts, "--rsh", self.hosts.script("remote-shell"),
            "--done-dir", self.folder, *GRACE, "--mca", "pml", "ob1", "--mca", "btl",
            "self,vader,tcp", *words)
        self.launches.append(launch)
        return launch

    def known(self, *more):
        return [KNOWN, "--out", self.path(), "--count", COUNT, "--grain", 1, "--threads", 1,
                "--calls", self.path("calls"), *SOON, *more]

    def begin(self, ranks=6, item_us=5000, **options):
        launch = self.start_run("-n", ranks, *self.known("--item-us", item_us, "--fresh"),
                                **options)
        launch.wait_for(lambda: len(results.calls(self.path("calls"))) >= 50, "the work begins")
        return launch

    def finish(self, launch, status):
        ending = launch.finish()
        self.assertEqual(ending.status, status, str(ending))
        self.assertEqual(left_behind(self.folder, limit_s=10), [])
        self.assertEqual(self.hosts.left_over("mpirun", limit_s=1), {})
        self.assertEqual(self.hosts.left_over("orted", limit_s=1), {})
        if os.path.exists(self.path("calls")):
            os.remove(self.path("calls"))
        return ending

    def assert_complete(self):
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))

    def test_statuses(self):
        ending = self.finish(self.start_run(*self.known("--fail", "3")), 3)
        self.assertIn("3 ranks x 1 worker on 3 hosts", ending.err)
        ending = self.finish(self.start_run("-n", 4, "hostname"), 0)
        self.assertEqual(sorted(ending.out.split()), ["n1", "n1", "n2", "n3"])
        self.finish(self.start_run("sh", "-c", "exit $((4 * OMPI_COMM_WORLD_RANK))"), 4)

    def test_host_that_cannot_be_reached(self):
        ending = self.finish(self.start_run("hostname", hosts="n1,n9"), 1)
        self.assertIn("the daemon on n9 ended", ending.err)

    def test_signals(self):
        """Ranks on other hosts stop in good order."""
        launch = self.begin()
        self.hosts.strike(signal.SIGTERM, f"bash {WEFT_RUN}", "head")
        self.assertIn("SIGUSR2: stopping in good order", self.finish(launch, STOPPED).err)
        launch = self.begin()
        for _ in range(2):
            self.hosts.strike(signal.SIGINT, f"bash {WEFT_RUN}", "head")
            time.sleep(0.3)
        self.assertIn(launch.process.wait(), (STOPPED, 130))
        self.assertEqual(left_behind(self.folder), [])

    def test_faults(self):
        for fault in (lambda: strike(rank_of(self.folder, 3), signal.SIGKILL),
                      lambda: self.hosts.link("n2", "down"),
                      lambda: self.hosts.kill("n3")):
            with self.subTest():
                launch = self.begin()
                fault()
                self.finish(launch, 0)
                self.assert_complete()
                self.hosts.link("n2", "up")

    def test_host_of_rank_0_crashes(self):
        launch = self.begin()
        self.hosts.crash("n1")
        self.assertIn("lost host n1", self.finish(launch, STOPPED).err)
        self.finish(self.start_run(*self.known(), hosts="n2,n3"), 0)
        self.assert_complete()


if __name__ == "__main__":
    main()
