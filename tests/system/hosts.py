# SPDX-License-Identifier: BSD-3-Clause
"""Several hosts on this machine (tests/cluster/hosts), mpirun over them, and what befalls them.

    with Hosts(3, folder) as hosts:
        launch = hosts.mpirun(KNOWN, "--out", path, ranks=3)
        hosts.kill("n2")
        ending = launch.finish()

Everything on the hosts ends with the block, also if this process is killed.
"""

import os
import subprocess
import sys
import time

import launch
from launch import MPIRUN, Launch, Patience, environment

CLUSTER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cluster")

# The status of `hosts check` where no hosts can be made; ctest calls that skipped.
SKIPPED = 77

ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


class Hosts:
    """n1 to n<count>, and `head`, from where mpirun starts."""

    def __init__(self, count, folder):
        self.names = [f"n{number}" for number in range(1, count + 1)]
        self.folder = folder
        self.directory = os.path.join(folder, "hosts")
        self.environment = environment(HOSTS_DIR=self.directory, **ROOT)
        self.owner = None

    def __enter__(self):
        words = [self.script(), "up", str(len(self.names)), "attached"]
        reader, self.owner = os.pipe()
        try:
            up = subprocess.run(words, env=self.environment, stdin=reader, check=False, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        finally:
            os.close(reader)
        if up.returncode != 0:
            self.__exit__()
            raise AssertionError(up.stdout)
        return self

    def __exit__(self, *_):
        self.call("down")
        os.close(self.owner)

    @staticmethod
    def script(name="hosts"):
        return os.path.join(CLUSTER, name)

    def call(self, *words, name="hosts"):
        """Runs a script of tests/cluster to its end, and returns what it prints."""
        done = subprocess.run([self.script(name), *map(str, words)], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{name} {words}: status {done.returncode}\n{done.stdout}")
        return done.stdout

    def run(self, host, *words):
        return self.call("exec", host, *words)

    def start(self, host, *words, **more):
        """Starts a command on a host."""
        return Launch([self.script(), "exec", host, *map(str, words)],
                      env={**self.environment, **more})

    def mpirun_words(self, ranks, hosts=None, slots=2, flags=()):
        """An mpirun over hosts, over TCP, from head."""
        path = os.path.join(self.folder, "hostfile")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"{name} slots={slots}\n" for name in hosts or self.names)
        return [*MPIRUN, "--hostfile", path, "-np", str(ranks),
                "--mca", "plm_rsh_agent", self.script("remote-shell"),
                "--mca", "pml", "ob1", "--mca", "btl", "self,vader,tcp",
                "--mca", "mpi_yield_when_idle", "1", *flags]

    def mpirun(self, program, *arguments, ranks, **options):
        words = self.mpirun_words(ranks, **options)
        return self.start("head", *words, program, *arguments)

    def kill(self, host):
        """A power cut: its peers hear nothing any more."""
        self.call("kill", host)

    def crash(self, host):
        """Its peers' connections are reset."""
        self.call("crash", host)

    def boot(self, host):
        self.call("boot", host)

    def link(self, host, state):
        """Its network, "up" or "down"."""
        self.call("link", host, state)

    def freeze(self, host):
        self.call("freeze", host)

    def thaw(self, host):
        self.call("thaw", host)

    def up(self):
        """The names of the hosts that are up."""
        return self.call("list").split()

    def processes(self, word, *hosts):
        """{pid: command line} of the processes on these hosts, or all, that have a word in it."""
        found = {}
        for host in hosts or ["head", *self.up()]:
            pids = ",".join(self.call("pids", host).split())
            lines = self.list_processes(pids).splitlines() if pids else []
            for line in lines:
                pid, text = line.split(None, 1)
                if word in text:
                    found[int(pid)] = text
        return found

    def list_processes(self, pids):
        """What is gone meanwhile is not an error."""
        words = [self.script(), "exec", "head", "ps", "-ww", "-o", "pid=,args=", "-p", pids]
        return subprocess.run(words, env=self.environment, capture_output=True, check=False,
                              text=True).stdout

    def strike(self, number, word, *hosts):
        """Sends a signal to the processes that have a word in their command line."""
        self.run("head", "kill", f"-{int(number)}", *self.processes(word, *hosts))

    def left_over(self, word, limit_s=20):
        """The processes with a word in their command line that do not end by themselves."""
        patience = Patience(limit_s)
        left = self.processes(word)
        while left and not patience.over():
            time.sleep(0.1)
            left = self.processes(word)
        return left


def main():
    """Runs the tests of a script, if there can be hosts."""
    check = subprocess.run([Hosts.script(), "check"], check=False)
    if check.returncode == SKIPPED:
        sys.exit(SKIPPED)
    launch.main()
