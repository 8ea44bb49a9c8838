# SPDX-License-Identifier: BSD-3-Clause
"""A job of known result that is run under weft-run and beaten meanwhile, again and again until it
is complete, and all that must hold of it."""

import glob
import os
import random
import signal
import subprocess
import time

import blows
import results
from blows import Layout, Striker
from launch import KNOWN, WEFT, Patience, environment, schedules, strike
from weftrun import GRACE, SOON, WEFT_RUN, done_folders, processes_of

STOPPED = 75
# Attempts during which blows fall; what is left is for those that follow.
STORMY = 2
# Seconds, as cluster/OPERATION.md and weft-run give them for a --dead-after of 1: an attempt in
# general; longer if a rank is missing in a collective call before the ranks compute, or if rank 0
# is lost and the others have to notice; until a daemon gives up that has lost its mpirun.
LIMIT_S, LIMIT_OF_START_S, LIMIT_OF_RANK_0_S, LIMIT_OF_DAEMON_S = 25, 60, 60, 40
DEATHS = ("segv", "abort", "fpe", "kill", "exit")
NEVER_SHOWN = ("HDF5-DIAG", "Sanitizer", "Traceback", "Assertion", "internal error")


class Deviation(Exception):
    """Something is not as it must be."""


def demand(holds, what):
    if not holds:
        raise Deviation(what)


class Job:
    """What is computed, drawn at random, and what must come of it."""

    def __init__(self, rng, folder):
        self.folder = folder
        self.path = os.path.join(folder, "result.h5")
        self.count = rng.choice((1, 30, 400, 1000, 1000, 2000))
        self.seed = rng.randrange(3)
        self.serial_s = min(rng.uniform(3, 12), 0.5 * self.count)
        self.isolated = rng.random() < 0.25
        # Of a kernel that is not pure nothing is tried twice, and all of a span fails.
        self.impure = rng.random() < 0.15
        self.deadly = self.draw_deadly(rng) if not self.impure and rng.random() < 0.35 else {}
        self.harmless = rng.choice((None, "--deadly-once", "--deadly-where"))
        self.words = ["--count", self.count, "--seed", self.seed, "--grain",
                      rng.choice((1, 1, 7, 50)), "--item-us",
                      int(1e6 * self.serial_s / self.count), "--sync", rng.choice((0, 0.2, 10)),
                      *self.draw_flags(rng), *self.deadly_words()]

    def draw_deadly(self, rng):
        return {rng.randrange(self.count): rng.choice(DEATHS) for _ in range(rng.randint(1, 3))}

    def draw_flags(self, rng):
        chosen = {"--isolate": self.isolated, "--impure": self.impure,
                  "--random-us": rng.random() < 0.3}
        return [flag for flag, is_set in chosen.items() if is_set]

    def deadly_words(self):
        if not self.deadly:
            return []
        words = ["--deadly", ",".join(f"{kind}:{item}" for item, kind in self.deadly.items())]
        if self.harmless == "--deadly-once":
            words += [self.harmless, os.path.join(os.path.dirname(self.folder), "once")]
        elif self.harmless == "--deadly-where":
            words += [self.harmless, "rank"]
        return words

    def kills_ranks(self):
        return bool(self.deadly) and not self.isolated

    def quarantined(self):
        return sorted(self.deadly) if self.deadly and self.harmless is None else []

    def status(self):
        return 3 if self.quarantined() else 0

    def expected_bytes(self):
        values = results.known_values_but(self.count, self.quarantined(), seed=self.seed)
        return {name: field.tobytes() for name, field in values.items()}

    def done(self):
        """How many items are marked done."""
        return int(results.done_items(self.path).sum()) if os.path.exists(self.path) else 0

    def check_done(self):
        """What is marked done is right, at any moment."""
        if not os.path.exists(self.path):
            return
        wrong = set(results.wrong_items(self.path, seed=self.seed)) - set(self.quarantined())
        demand(not wrong, f"items marked done are wrong: {sorted(wrong)[:20]}")

    def check_file(self):
        """The same, by the program for that, and whether stock tools open the file."""
        self.check_done()
        if os.path.exists(self.path):
            complaint = results.opens_everywhere(self.path)
            demand(complaint is None, f"h5dump: {complaint}")
        if os.path.exists(self.path) and WEFT:
            verify = subprocess.run([WEFT, "verify", self.path], env=environment(), check=False,
                                    text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            demand(verify.returncode == 0, f"weft verify: {verify.stdout}")

    def check_complete(self):
        demand(self.done() == self.count, f"{self.done()} of {self.count} items are done")
        expected, there = self.expected_bytes(), results.all_bytes(self.path)
        differ = [name for name in expected if expected[name] != there[name]]
        demand(not differ, f"bytes differ in {differ}")
        failed = sorted(results.failures(self.path))
        demand(failed == self.quarantined(), f"failures {failed}, expected {self.quarantined()}")
        beside = sorted(set(os.listdir(self.folder)) - {"result.h5"})
        demand(not beside, f"left beside the result: {beside}")


class Attempt:
    """One run of the job."""

    def __init__(self, hosts, job, layout, planned, calls):
        self.hosts, self.job, self.layout, self.blows = hosts, job, layout, planned
        self.calls = calls
        self.striker = Striker(hosts, job.folder)
        self.launch = None
        self.todo = job.count - job.done()
        self.started = self.seconds = 0
        self.ending = None
        self.before = self.all_pids()

    def words(self):
        words = [WEFT_RUN, "-v", "-n", self.layout.ranks, "-t", self.layout.workers, *GRACE,
                 "--mca", "pml", "ob1", "--mca", "btl", "self,vader,tcp"]
        if self.layout.hosts:
            words += ["--hosts", ",".join(self.layout.hosts), "--rsh",
                      self.hosts.script("remote-shell")]
        return [*words, KNOWN, "--out", self.job.path, "--calls", self.calls, *SOON,
                "--progress", "never", *self.job.words]

    def struck(self):
        return [blow for blow in self.blows if blow.struck]

    def limit_s(self):
        """By when it must have ended, whatever happened to it."""
        limit_s = LIMIT_S + sum(blow.length_s or 0 for blow in self.blows) + 2 * self.job.serial_s
        gone = self.gone()
        if any(blow.struck == "start" for blow in self.blows):
            limit_s += LIMIT_OF_START_S
        elif self.job.kills_ranks() or (0 in gone and len(gone) < self.layout.ranks):
            limit_s += LIMIT_OF_RANK_0_S
        return limit_s

    def gone(self):
        """The ranks that are gone for good."""
        return {rank for blow in self.struck() if blow.deadly()
                for rank in blow.ranks(self.layout)}

    def run(self):
        self.launch = self.hosts.start("head", *self.words())
        self.started = time.monotonic()
        looked = self.started
        patience = Patience(self.limit_s())
        try:
            while self.launch.process.poll() is None:
                now = time.monotonic()
                demand(patience.spent() < self.limit_s(), "it does not end: " + self.describe())
                self.deal(now)
                if now - looked > 0.5:
                    looked = now
                    self.job.check_done()
                time.sleep(0.01)
            self.seconds = time.monotonic() - self.started
            self.end()
        finally:
            self.abort()

    def phase(self):
        if not os.path.exists(self.calls) or os.path.getsize(self.calls) == 0:
            return "start"
        said = self.launch.err_now()
        ended = "weft: complete" in said or "weft: stopped: " in said
        return "end" if ended or self.job.done() == self.job.count else "work"

    def share_done(self):
        return len(results.calls(self.calls)) / max(self.todo, 1)

    def deal(self, now):
        """Strikes what is due, and takes back what has lasted long enough."""
        for blow in self.blows:
            if blow.struck:
                if blow.lasts() and not blow.over and now > blow.struck_at + blow.length_s:
                    self.striker.take_back(blow)
            elif self.is_due(blow, now):
                phase = self.phase()
                if self.striker.strike(blow):
                    blow.struck, blow.struck_at = phase, time.monotonic()

    def is_due(self, blow, now):
        if blow.share is None:
            return now > self.started + blow.dt
        if blow.struck_at == 0 and self.share_done() >= blow.share:
            blow.struck_at = now
        return blow.struck_at > 0 and now > blow.struck_at + blow.dt

    def describe(self):
        """What its processes are doing, and what weft-run knows."""
        words = sorted(map(os.path.basename,
                           glob.glob(os.path.join(self.job.folder, ".weft-run-*", "*"))))
        pids = ",".join(map(str, processes_of(self.job.folder))) or "0"
        table = subprocess.run(["ps", "-ww", "-o", "pid,ppid,stat,wchan:20,pcpu,args", "-p", pids],
                               check=False, capture_output=True, text=True).stdout
        return f"done files {words}, processes\n{table}"

    def abort(self):
        """Nothing of it outlives this, nor does what befell the hosts."""
        for pid in [*processes_of(self.job.folder), *self.launch.members()]:
            strike(pid, signal.SIGKILL)
        self.launch.process.wait()
        self.take_back()

    def take_back(self, *bases):
        """What lasts, or what of it is of these kinds."""
        for blow in self.struck():
            if blow.lasts() and not blow.over and (not bases or blow.base() in bases):
                self.striker.take_back(blow)

    def end(self):
        """Everything that must hold once weft-run has ended."""
        launcher_died = any(blow.kind == "launcher" for blow in self.struck())
        # On a host that stands still, the shell behind the remote shell cannot end.
        self.take_back("freeze")
        if not launcher_died:
            self.check_nothing_left(5)
        self.take_back()
        if launcher_died and self.lost_hosts():
            self.check_no_ranks_left(LIMIT_OF_DAEMON_S)
        else:
            self.check_nothing_left(LIMIT_OF_DAEMON_S)
        self.ending = self.launch.finish()
        demand(launcher_died or not done_folders(self.job.folder), "a done folder is left")
        for word in NEVER_SHOWN:
            demand(word not in self.ending.err, f"it shows '{word}'")
        self.check_status()
        self.job.check_file()
        if self.ending.status in (0, 3):
            self.job.check_complete()
            self.check_row()

    def all_pids(self):
        return {host: set(self.hosts.call("pids", host).split())
                for host in ["head", *self.hosts.up()]}

    def left(self):
        """{host: pids} of what was not there before."""
        pids = {host: now - self.before[host] for host, now in self.all_pids().items()}
        return {host: sorted(numbers) for host, numbers in pids.items() if numbers}

    def check_nothing_left(self, limit_s):
        patience = Patience(limit_s)
        while self.left():
            demand(not patience.over(), f"left on hosts: {self.left()}\n{self.describe()}")
            time.sleep(0.1)

    def lost_hosts(self):
        return {blow.target for blow in self.struck()
                if blow.base() in ("power", "crash", "daemon", "link")}

    def check_no_ranks_left(self, limit_s):
        """An mpirun that has lost a host, and then weft-run, stays for the next weft-run to end."""
        patience = Patience(limit_s)
        while blows.rank_processes(self.job.folder):
            demand(not patience.over(), f"ranks are left: {self.describe()}")
            time.sleep(0.1)

    def must_complete(self):
        return not self.job.kills_ranks() and all(blow.survivable() for blow in self.struck())

    def allowed(self):
        """The exit statuses that fit what was done to it."""
        struck, allowed = self.struck(), {self.job.status()}
        if self.must_complete():
            return allowed
        allowed |= {STOPPED}
        if any(blow.kind == "launcher" for blow in struck):
            allowed |= {-signal.SIGKILL, 128 + signal.SIGKILL}
        lonely = len(self.gone()) == self.layout.ranks or self.job.kills_ranks()
        early = any(blow.struck == "start" for blow in struck)
        if lonely or early:
            # 195: Open MPI ends a rank whose daemon is gone. Who was killed from outside is no
            # failure: that is STOPPED.
            allowed |= {1, 195, *(128 + number for number in (4, 6, 8, 11))}
        return allowed

    def check_status(self):
        status, allowed = self.ending.status, self.allowed()
        demand(status in allowed, f"exit status {status}, expected {sorted(allowed)}")

    def check_row(self):
        """The table of runs knows of those that died well before the end."""
        row = results.runs(self.job.path)[-1]
        outcome = {0: b"complete", 3: b"failed items"}[self.ending.status]
        demand(row["outcome"] == outcome, f"the run's outcome is {row['outcome']}")
        gone = {rank for blow in self.struck() for rank in blow.ranks(self.layout)
                if blow.deadly() and blow.struck == "work" and self.long_ago(blow, row)}
        demand(row["lost"] >= len(gone), f"{row['lost']} ranks lost, but {sorted(gone)} were")
        touched = {rank for blow in self.struck()
                   for rank in blow.ranks_that_seem_lost(self.layout)}
        if row["lost"] > 0 and not self.job.kills_ranks():
            demand(row["lost_rank"] in touched or not touched,
                   f"rank {row['lost_rank']} is said to be lost, but only {touched} were struck")

    @staticmethod
    def long_ago(blow, row):
        """More than twice --dead-after before the end."""
        struck_at = time.time() - (time.monotonic() - blow.struck_at)
        return struck_at + 2 * SOON[1] + 1 < row["end"]

    def report(self):
        text = self.ending.err if self.ending else self.launch.err_now()
        return f"{' '.join(map(str, self.words()))}\n{text}"


class Ordeal:
    """The attempts at one job."""

    def __init__(self, hosts, folder, name, kinds):
        self.hosts, self.name, self.kinds = hosts, name, kinds
        self.place = os.path.join(folder, "round")
        os.makedirs(os.path.join(self.place, "result"))
        self.job = Job(random.Random(name), os.path.join(self.place, "result"))
        self.attempts = []

    def draw_layout(self, rng):
        up = self.hosts.up()
        hosts = tuple(rng.sample(up, rng.randint(1, len(up)))) if up and rng.random() > 0.25 else ()
        ranks = rng.randint(1, 4) if len(hosts) < 2 else rng.randint(len(hosts), 2 * len(hosts))
        return Layout(hosts, ranks, rng.choice((1, 1, 2)))

    def draw_blows(self, rng, layout):
        mortal = self.job.isolated and not self.job.impure
        drawn = [blows.draw(rng, self.kinds, layout, mortal)
                 for _ in range(rng.choice((1, 1, 2, 3)))]
        planned = [blow for blow in drawn if blow is not None]
        children = [blow for blow in planned if blow.kind == "child"]
        # A second one might fall on the same item, and that would be the item's fault.
        spare = children[1:] if not self.attempts else children
        return [blow for blow in planned if blow not in spare]

    def run(self):
        """Until it is complete. Raises Deviation."""
        most = STORMY + 2 + 2 * len(self.job.deadly)
        while not self.attempts or self.attempts[-1].ending.status != self.job.status():
            number = len(self.attempts)
            demand(number < most, f"not complete after {number} attempts")
            rng = random.Random(f"{self.name}.{number}")
            self.boot(rng)
            layout = self.draw_layout(rng)
            planned = self.draw_blows(rng, layout) if number < STORMY else []
            calls = os.path.join(self.place, f"calls.{number}")
            attempt = Attempt(self.hosts, self.job, layout, planned, calls)
            self.attempts.append(attempt)
            attempt.run()

    def boot(self, rng):
        """Some of the lost hosts are back for the next attempt."""
        for host in set(self.hosts.names) - set(self.hosts.up()):
            if rng.random() < 0.7 or not self.hosts.up():
                self.hosts.boot(host)

    def __str__(self):
        job = self.job
        words = [f"{job.count} items", "isolated" if job.isolated else "",
                 f"{len(job.deadly)} deadly" if job.deadly else ""]
        runs = [f"{a.layout} [{'; '.join(map(str, a.blows))}] "
                f"{a.ending.status if a.ending else '?'} {a.seconds:.1f}s" for a in self.attempts]
        return ", ".join(word for word in words if word) + " | " + " | ".join(runs)
