# SPDX-License-Identifier: BSD-3-Clause
"""Ranks on hosts of their own die one after the other, over TCP: no other one is lost by that.

The job's work is small, so that messages to the dead are always on their way. SURVIVORS_RUNS is how
many runs are made, each with DEATHS deaths; five of them are over thirty."""

import os
import random
import re
import signal
import time

import results
from hosts import Hosts, main
from launch import KNOWN, SystemTest, strike
from weftrun import GRACE, SOON, WEFT_RUN, end_all, left_behind, rank_of

RUNS = int(os.environ.get("SURVIVORS_RUNS", "5"))
RANKS, DEATHS = 9, 7
COUNT = 6000


class Survivors(SystemTest):
    def setUp(self):
        super().setUp()
        self.hosts = Hosts(RANKS, self.folder)
        self.hosts.__enter__()
        self.addCleanup(self.hosts.__exit__)
        self.addCleanup(end_all, self.folder)
        self.random = random.Random(os.environ.get("SURVIVORS_SEED", "12"))

    def start_job(self):
        self.shut_gate()
        launch = self.hosts.start(
            "head", WEFT_RUN, "--hosts", ",".join(self.hosts.names), "--rsh",
            self.hosts.script("remote-shell"), "--done-dir", self.folder, *GRACE, "--mca", "pml",
            "ob1", "--mca", "btl", "self,tcp", "-n", RANKS, KNOWN, "--fresh", "--out", self.path(),
            "--count", COUNT, "--grain", 1, "--threads", 1, "--item-us", 3000, "--sync", 0,
            "--schedule", "ss", "--calls", self.path("calls"), *SOON, *self.gated(items=[COUNT - 1]))
        self.launches.append(launch)
        launch.wait_for(lambda: len(results.calls(self.path("calls"))) >= 50, "the work begins")
        return launch

    def run_with_deaths(self):
        """The ranks that were lost without having been killed."""
        launch = self.start_job()
        victims = self.random.sample(range(1, RANKS), DEATHS)
        processes = {rank: rank_of(self.folder, rank) for rank in victims}
        for rank in victims:
            strike(processes[rank], signal.SIGKILL)
            time.sleep(self.random.choice((0, 0.02, 0.1, 0.4)))
        self.open_gate()
        ending = launch.finish()
        os.remove(self.path("calls"))
        self.assertEqual(left_behind(self.folder, limit_s=10), [])
        told = {int(rank) for rank in re.findall(r"rank (\d+) on host .* presumed dead", ending.err)}
        self.assertEqual(ending.status, 0, str(ending))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
        return told - set(victims)

    def test_none_is_lost(self):
        lost = [self.run_with_deaths() for _ in range(RUNS)]
        self.assertEqual(lost, [set()] * RUNS)


if __name__ == "__main__":
    main()
