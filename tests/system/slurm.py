# SPDX-License-Identifier: BSD-3-Clause
"""A real Slurm on the hosts of hosts.py, and its jobs."""

import os
import re
import subprocess
import sys
import time

import hosts
import launch
from weftrun import BIN, OURS

# Until a lost node is noticed, and its job queued again, some 15 seconds pass.
LIMIT_S = 90

ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")


class Job:
    """A job that has been submitted, with what it prints in a file."""

    def __init__(self, slurm, number, log):
        self.slurm, self.number, self.log = slurm, number, log

    def show(self):
        """What Slurm knows about the job."""
        text = self.slurm.run("head", "scontrol", "show", "job", "-o", self.number)
        return dict(re.findall(r"(\w+)=(\S*)", text.splitlines()[0]))

    def output(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def __str__(self):
        return f"job {self.number}: {self.show()}\n{self.output()}"

    def wait_until(self, happened, what, limit_s=LIMIT_S):
        patience = launch.Patience(limit_s)
        while not happened():
            if patience.over():
                raise AssertionError(f"{what}: did not happen\n{self}")
            time.sleep(0.1)

    def wait_for(self, *states):
        """Waits until the job is in one of these states; returns it."""
        self.wait_until(lambda: self.show()["JobState"] in states, f"job in state {states}")
        return self.show()["JobState"]

    def finish(self):
        """Waits for the end of the job: its state, and the exit status of its script."""
        state = self.wait_for(*ENDED)
        return state, int(self.show()["ExitCode"].split(":")[0])

    def cancel(self, *options):
        self.slurm.run("head", "scancel", *options, self.number)


class Slurm(hosts.Hosts):
    """A cluster with `cpus` processors on each host."""

    def __init__(self, count, folder, cpus=2):
        super().__init__(count, folder)
        self.cpus = cpus
        self.environment["PATH"] = BIN + os.pathsep + os.environ["PATH"]

    def __enter__(self):
        super().__enter__()
        try:
            self.call("up", self.cpus, name="slurm")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def boot(self, host):
        super().boot(host)
        self.call("node-up", host, name="slurm")

    def nodes_of(self, job):
        return self.run("head", "scontrol", "show", "hostnames", job.show()["NodeList"]).split()

    def submit(self, script, *words, log, options=(), **more):
        """Hands one of cluster/slurm's scripts to sbatch."""
        command = [self.script(), "exec", "head", "sbatch", "--parsable", f"--output={log}",
                   *options, os.path.join(OURS, "slurm", script), *map(str, words)]
        done = subprocess.run(command, env={**self.environment, **more}, capture_output=True,
                              check=False, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return Job(self, done.stdout.strip(), log)


def main():
    """Runs the tests of a script, if there can be hosts with Slurm on them."""
    check = subprocess.run([hosts.Hosts.script("slurm"), "check"], check=False)
    if check.returncode == hosts.SKIPPED:
        sys.exit(hosts.SKIPPED)
    launch.main()
