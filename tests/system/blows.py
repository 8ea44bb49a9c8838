# SPDX-License-Identifier: BSD-3-Clause
"""What may befall a job that weft-run has started: blows that are drawn, struck, and taken back."""

import dataclasses
import signal

from launch import KNOWN, children, strike
from weftrun import launcher, mpirun_of, processes_of, words_of

# A kind, and what it does. Those that end with -0 befall rank 0, or its host.
KINDS = {
    "kill": "a rank dies of a signal",
    "kill-0": "rank 0 does",
    "stop": "a rank is stopped, and goes on a while later",
    "stop-0": "rank 0 is",
    "child": "a child in which a rank computes is killed",
    "power": "a host's power is cut",
    "power-0": "that of rank 0's host is",
    "crash": "a host crashes",
    "crash-0": "rank 0's host does",
    "link": "a host's network is down, for a while or for good",
    "link-0": "that of rank 0's host is, for a while",
    "net": "a host's network is slow and loses packets",
    "net-0": "that of rank 0's host is, and does",
    "freeze": "a host stands still for a while",
    "freeze-0": "rank 0's host does",
    "daemon": "a host's daemon of Open MPI is killed",
    "mpirun": "mpirun is killed",
    "launcher": "weft-run is killed with SIGKILL",
    "signal": "weft-run is told to stop",
}

OF_RANKS = ("kill", "stop", "child")
OF_THE_JOB = ("mpirun", "launcher", "signal")
LASTING = ("stop", "link", "net", "freeze")

# What nobody may notice, with --dead-after 1, and longer than a job takes.
SHORT_S, LONG_S = 0.6, 20

SIGNALS = {
    "kill": (signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT),
    "mpirun": (signal.SIGKILL, signal.SIGTERM),
    "launcher": (signal.SIGKILL,),
    "signal": (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1),
}

# Loses packets, and keeps others waiting; the second where the kernel knows no netem.
BAD_NETWORKS = (["netem", "delay", "30ms", "20ms", "loss", "5%"],
                ["tbf", "rate", "200kbit", "burst", "4kb", "latency", "50ms"])


@dataclasses.dataclass(frozen=True)
class Layout:
    """Ranks on hosts (none: where weft-run is), shared out as weft-run does."""
    hosts: tuple
    ranks: int
    workers: int

    def __str__(self):
        return f"{','.join(self.hosts) or 'head'}:{self.ranks}x{self.workers}"

    def ranks_on(self, host):
        share, more = divmod(self.ranks, len(self.hosts))
        index = self.hosts.index(host)
        first = index * share + min(index, more)
        return range(first, first + share + (index < more))


@dataclasses.dataclass
class Blow:
    """It strikes dt seconds after `share` of the work is done (None: after the launch)."""
    kind: str
    target: object
    share: float
    dt: float
    length_s: float = None
    number: int = 0
    struck: str = None  # the phase of the job's life in which it did
    struck_at: float = 0
    over: bool = False

    def __str__(self):
        when = "start" if self.share is None else f"{100 * self.share:.0f}%"
        words = [self.kind, "" if self.target is None else f" {self.target}",
                 f" {signal.Signals(self.number).name}" if self.number else "",
                 f" {self.length_s:.1f}s" if self.length_s else "", f" @{when}+{self.dt:.2f}s",
                 f" ({self.struck or 'missed'})"]
        return "".join(words)

    def base(self):
        return self.kind.removesuffix("-0")

    def ranks(self, layout):
        """The ranks that it may cost."""
        if self.base() in OF_THE_JOB:
            return range(layout.ranks)
        return [self.target] if self.base() in OF_RANKS else layout.ranks_on(self.target)

    def ranks_that_seem_lost(self, layout):
        """Where rank 0 hears nothing, all others seem to be lost."""
        return range(layout.ranks) if self.kind.endswith("-0") else self.ranks(layout)

    def lasts(self):
        return self.length_s is not None

    def deadly(self):
        """Whether the ranks that it struck are gone for good."""
        return self.base() in ("kill", "power", "crash", "daemon")

    def survivable(self):
        """Whether a job must come to its end in spite of it."""
        short = self.lasts() and self.length_s <= SHORT_S
        if self.kind in ("stop-0", "freeze-0"):
            return short
        if self.struck == "start":
            return self.kind in ("stop", "freeze")
        return self.kind == self.base() and self.kind not in OF_THE_JOB


def targets(kind, layout, mortal):
    """Whom it may befall; children only if they may die."""
    base = kind.removesuffix("-0")
    if base in OF_THE_JOB:
        return [None]
    if base == "child":
        return list(range(layout.ranks)) if mortal else []
    everybody = range(layout.ranks) if base in OF_RANKS else layout.hosts
    return list(everybody[:1] if kind != base else everybody[1:])


def draw_length(rng, base):
    if base not in LASTING:
        return None
    longest = (rng.uniform(1.2, 4), LONG_S) if base == "link" else (rng.uniform(1.2, 4),)
    return rng.choice((rng.uniform(0.05, SHORT_S), *longest))


def draw_moment(rng):
    """Rather often at the start or at the end."""
    part = rng.random()
    if part < 0.2:
        return None, rng.uniform(0, 0.8)
    share = rng.uniform(0.97, 1) if part > 0.75 else rng.random()
    return share, rng.uniform(0, 0.15)


def draw(rng, kinds, layout, mortal):
    """A blow, or None if none of these kinds fits."""
    fitting = [kind for kind in kinds if targets(kind, layout, mortal)]
    if not fitting:
        return None
    kind = rng.choice(fitting)
    base = kind.removesuffix("-0")
    share, dt = draw_moment(rng)
    return Blow(kind, rng.choice(targets(kind, layout, mortal)), share, dt,
                draw_length(rng, base), int(rng.choice(SIGNALS.get(base, (0,)))))


def rank_processes(folder):
    """{rank: pid} of the ranks of the run in a folder, without their children."""
    found = {}
    pids = {pid for pid, command in processes_of(folder).items() if command.startswith(KNOWN)}
    below = {child for pid in pids for child in children(pid)}
    for pid in pids - below:
        for word in words_of(f"/proc/{pid}/environ"):
            if word.startswith(b"OMPI_COMM_WORLD_RANK="):
                found[int(word.split(b"=")[1])] = pid
    return found


class Striker:
    """Deals blows to the run whose word of its end lies in a folder."""

    def __init__(self, hosts, folder):
        self.hosts, self.folder = hosts, folder
        self.stopped = {}

    def strike(self, blow):
        """False if there is nobody there to be struck (yet)."""
        if blow.base() in OF_RANKS:
            return self.strike_rank(blow)
        if blow.base() in OF_THE_JOB:
            return self.strike_job(blow)
        return blow.target in self.hosts.up() and self.strike_host(blow)

    def strike_rank(self, blow):
        pid = rank_processes(self.folder).get(blow.target)
        if pid is None:
            return False
        if blow.kind == "child":
            below = children(pid)
            if below:
                strike(below[0], signal.SIGKILL)
            return bool(below)
        if blow.base() == "stop":
            self.stopped[blow.target] = pid
        strike(pid, blow.number or signal.SIGSTOP)
        return True

    def strike_job(self, blow):
        try:
            if blow.kind == "mpirun":
                strike(mpirun_of(self.folder), blow.number)
            else:
                self.hosts.strike(blow.number, launcher("-v"), "head")
        except (AssertionError, ValueError):
            return False
        return True

    def strike_host(self, blow):
        host, base = blow.target, blow.base()
        if base == "link":
            self.hosts.link(host, "down")
        elif base == "net":
            self.spoil_network(host)
        elif base == "daemon":
            return self.kill_daemon(host)
        else:
            {"power": self.hosts.kill, "crash": self.hosts.crash,
             "freeze": self.hosts.freeze}[base](host)
        return True

    def kill_daemon(self, host):
        try:
            self.hosts.strike(signal.SIGKILL, "orted", host)
        except AssertionError:
            return False
        return True

    def spoil_network(self, host):
        for words in BAD_NETWORKS:
            try:
                self.hosts.run(host, "tc", "qdisc", "replace", "dev", "eth0", "root", *words)
                return
            except AssertionError as error:
                failure = error
        raise failure

    def take_back(self, blow):
        """Whoever or whatever is still there goes on."""
        blow.over = True
        base = blow.base()
        if base == "stop":
            strike(self.stopped[blow.target], signal.SIGCONT)
        elif blow.target in self.hosts.up():
            if base == "link":
                self.hosts.link(blow.target, "up")
            elif base == "freeze":
                self.hosts.thaw(blow.target)
            elif base == "net":
                # Of two such blows on one host, the other may have been taken back before.
                self.hosts.run(blow.target, "sh", "-c", "tc qdisc del dev eth0 root || :")
