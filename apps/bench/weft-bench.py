#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""weft-bench: what weft costs, next to what an expert would write without it, or use instead."""

import argparse
import ctypes
import json
import math
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

VERSION, COMPILER = "@PROJECT_VERSION@", "@CMAKE_C_COMPILER_ID@ @CMAKE_C_COMPILER_VERSION@"
RUN_LIMIT_S = 900
BUSY_CORES = 0.1  # as much as others may take before a row is marked
MET, NOISE, MISSED, FAILED = "met", "within noise", "MISSED", "NOT MEASURED"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
VERDICTS = [MET, NOISE, MISSED, FAILED]

# Beside this script where it was built; in libexec where it is installed.
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "@BENCH_FROM_BIN@")]
sys.dont_write_bytecode = True
from bench_rows import FAMILIES, WORKLOADS, Failure, by_hand, program  # noqa: E402


class Run:
    """What came of a run."""

    def __init__(self, folder, wall, reports):
        self.folder, self.wall, self.reports = folder, wall, reports
        self.seconds = max(r["end"] for r in reports) - min(r["begin"] for r in reports)
        self.cpu = sum(r["cpu"] for r in reports)
        self.first = reports[0]


# ---- how it is measured ------------------------------------------------------------------------
def environment(side, timed):
    """Without what would change the sense of a measurement, and without the job, if any, that this
    program has been started from. WEFT_BENCH_PLANT, with which tests make a row worse, is for the
    side that is judged."""
    of_a_job = re.compile(r"(WEFT|OMP|GOMP|KMP|HWLOC|PMI|PMIX|PRTE)_(?!BENCH)|OMPI_(COMM_WORLD|UNIVERSE"
                          r"|APP|NUM_APP|FIRST|FILE_LOCATION|MCA_(ess|orte_|pmix|initial_wdir))")
    kept = {name: text for name, text in os.environ.items() if not of_a_job.match(name)}
    kept.update(WEFT_SYNC="0", WEFT_LOG="error", WEFT_PROGRESS="never",
                OMPI_MCA_orte_execute_quiet="1")
    if not (timed and side.planted):
        kept.pop("WEFT_BENCH_PLANT", None)
    if side.ranks > 1:
        # Ranks that share cores must not spin there, and others lose by not doing so.
        shared = side.ranks * side.threads > len(os.sched_getaffinity(0))
        kept["OMPI_MCA_mpi_yield_when_idle"] = "1" if shared else "0"
    return kept


LIBC = ctypes.CDLL(None)


def become_child():
    """A process group of its own, which is ended when this program ends, however that comes."""
    os.setpgid(0, 0)
    LIBC.prctl(1, signal.SIGTERM)


class Disturber(threading.Thread):
    """Stops the last rank of a job for half of the time."""

    def __init__(self, mpirun, rank):
        super().__init__(daemon=True)
        self.mpirun, self.over = mpirun, threading.Event()
        self.mark = f"OMPI_COMM_WORLD_RANK={rank}\0".encode()
        self.start()

    def find(self):
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{name}/environ", "rb") as file:
                    if parent == self.mpirun and self.mark in file.read():
                        return int(name)
            except OSError:
                pass
        return None

    def run(self):
        while not self.over.wait(0.05):
            pid = self.find()
            if pid is not None:
                try:
                    os.kill(pid, signal.SIGSTOP)
                    self.over.wait(0.05)
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass


class Load:
    """How many cores others take, the hypervisor's theft included."""

    def __init__(self):
        self.cores = {f"cpu{core}" for core in os.sched_getaffinity(0)}
        self.elapsed = self.taken = 0.0

    def look(self):
        busy = 0
        with open("/proc/stat", encoding="ascii") as file:
            for words in map(str.split, file):
                if words[0] in self.cores:
                    ticks = list(map(int, words[1:9])) + [0] * (9 - len(words))
                    busy += sum(ticks) - ticks[3] - ticks[4]
        own = sum(sum(resource.getrusage(who)[:2])
                  for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return time.monotonic(), busy / os.sysconf("SC_CLK_TCK"), own

    def __enter__(self):
        self.before = self.look()
        return self

    def __exit__(self, *_):
        now = self.look()
        self.elapsed += now[0] - self.before[0]
        self.taken += (now[1] - self.before[1]) - (now[2] - self.before[2])

    def others(self):
        return max(self.taken, 0) / self.elapsed if self.elapsed else 0.0


class Bench:
    """What the measurements have at hand."""

    def __init__(self, wish):
        self.scale, self.rounds = wish.scale, wish.rounds
        self.workloads, self.techniques, self.ranks = wish.workload, wish.technique, wish.ranks
        self.cores = self.workers = len(os.sched_getaffinity(0))
        self.folder = tempfile.mkdtemp(prefix="weft-bench-", dir=wish.dir)
        self.child, self.peak = None, None

    def size(self, count):
        return max(round(count * self.scale), 1)

    def layout(self):
        ranks = self.ranks or max(min(self.cores, 16), 2)
        return ranks, max(self.cores // ranks, 1)

    @staticmethod
    def steps_to(last):
        """All numbers up to some, or the powers of two among them and the last."""
        numbers = range(1, last + 1) if last <= 8 else [2 ** i for i in range(last.bit_length())]
        return sorted({*numbers, last})

    def step_ns(self):
        """Of arithmetic, with all cores at it; once, so that all sides have the same items."""
        if self.peak is None:
            self.peak = self.run(by_hand("", "bench-openmp", "do=peak", threads=self.workers,
                                         value=lambda r: r.first["value"]))[0]
        return self.peak

    def start(self, side, words, folder, timed=True):
        """Runs a program to its end; the seconds."""
        begin = time.monotonic()
        with tempfile.TemporaryFile() as said:
            self.child = subprocess.Popen(
                side.command(words), cwd=folder, env=environment(side, timed), stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, preexec_fn=become_child)
            group = self.child.pid
            disturber = Disturber(group, side.ranks - 1) if side.disturbed else None
            try:
                status = self.child.wait(RUN_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.end_child()
                raise Failure(f"{side.label}: no end within {RUN_LIMIT_S} s") from None
            finally:
                if disturber:
                    disturber.over.set()
                    disturber.join()
            wall, self.child = time.monotonic() - begin, None
            if status != 0:
                said.seek(0)
                text = said.read().decode(errors="replace").strip()[-500:]
                raise Failure(f"{side.label}: exit status {status} {text}")
        return wall

    def end_child(self):
        if self.child is not None and self.child.poll() is None:
            for number, limit in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
                try:
                    os.killpg(self.child.pid, number)
                    self.child.wait(limit)
                    break
                except subprocess.TimeoutExpired:
                    pass

    def run(self, side):
        """A process, or a job, in a folder of its own: its value, and its CPU time. Whatever is not
        a positive number is none."""
        folder = tempfile.mkdtemp(dir=self.folder)
        try:
            if side.before:
                self.start(side, list(map(str, side.before)), folder, timed=False)
                os.unlink(os.path.join(folder, "report"))
            wall = self.start(side, side.words, folder)
            run = Run(folder, wall, read_reports(side, folder))
            value = side.value(run)
        except (OSError, ValueError, TypeError, ZeroDivisionError, StopIteration) as error:
            raise Failure(f"{side.label}: no result: {error!r}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            settle(self.folder)
        for number in (value, run.cpu):
            if number is None or not (math.isfinite(number) and number > 0):
                raise Failure(f"{side.label}: " + ("nothing could be measured" if number is None
                                                   else f"{number} is no measurement"))
        return value, run.cpu


def settle(folder):
    """What a run has left to the disk, the removal of its file included, is none of the next one's
    business."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_reports(side, folder):
    with open(os.path.join(folder, "report"), encoding="ascii") as file:
        reports = sorted((json.loads(line) for line in file), key=lambda report: report["rank"])
    if [report["rank"] for report in reports] != list(range(side.ranks)):
        raise Failure(f"{side.label}: {len(reports)} of {side.ranks} ranks have reported")
    counted, asked = sum(report["items"] for report in reports), reports[0]["all"]
    if asked >= 0 and counted != asked:
        raise Failure(f"{side.label}: {counted} of {asked} items computed")
    return reports


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def judge(values, limit):
    """A goal is missed by more than the noise if it is by the better quartile of the rounds, too."""
    low, middle, _ = quartiles(values)
    return MET if middle <= limit else NOISE if low <= limit else MISSED


class Result:
    """A row's values, side by side, and what they say."""

    def __init__(self, row, values, cpu, others):
        self.row, self.values, self.cpu, self.others = row, values, cpu, others
        rivals = [i for i, side in enumerate(row.sides) if i > 0 and side.judge]
        self.best = min(rivals, key=lambda i: statistics.median(values[i]), default=0)
        self.verdict = None
        if row.limit is not None:
            self.verdict = judge(values[0] if row.own else self.ratios(self.best), row.limit)

    def ratios(self, other):
        """Round by round, so that a drift of the machine does not count."""
        return [a / b for a, b in zip(self.values[0], self.values[other])]

    def print(self):
        row, busy = self.row, "  BUSY" if self.others > BUSY_CORES else ""
        low, middle, high = quartiles(self.values[0])
        print(f"{row.what}\n  {row.sides[0].label:22} {middle:9.3g} {row.unit:4}"
              f" ({low:.3g} - {high:.3g})  cpu {statistics.median(self.cpu[0]):.3g} s"
              + (self.goal() if row.own or len(row.sides) == 1 else ""))
        for i, side in enumerate(row.sides[1:], 1):
            low, middle, high = quartiles(self.ratios(i))
            print(f"  {side.label:22} {statistics.median(self.values[i]):9.3g} {row.unit:4}"
                  f" ratio {middle:.3f} ({low:.3f} - {high:.3f})"
                  f"  cpu {statistics.median(self.cpu[i]):.3g} s"
                  + (self.goal() if i == self.best and not row.own else ""))
        if busy:
            print(f"  BUSY: others took {self.others:.2f} cores meanwhile")
        sys.stdout.flush()

    def goal(self):
        return f"  goal <= {self.row.limit:.3g}: {self.verdict}" if self.verdict else ""

    def json(self):
        return {"what": self.row.what, "unit": self.row.unit, "goal": self.row.limit,
                "own": self.row.own, "verdict": self.verdict, "others": self.others,
                "busy": self.others > BUSY_CORES, "best": self.row.sides[self.best].label,
                "sides": [{"label": side.label, "ranks": side.ranks, "threads": side.threads,
                           "values": self.values[i], "cpu": self.cpu[i],
                           "ratio": quartiles(self.ratios(i))[1]}
                          for i, side in enumerate(self.row.sides)]}


def measure(b, row):
    """The sides in turn, each round beginning with another."""
    count = len(row.sides)
    values, cpu = [[] for _ in row.sides], [[] for _ in row.sides]
    load = Load()
    if row.warm:
        b.run(row.sides[-1])  # memory that nobody has used for a while costs more than to write it
    for turn in range(b.rounds):
        for i in range(count):
            number = (i + turn) % count
            with load:
                value, seconds = b.run(row.sides[number])
            values[number].append(value)
            cpu[number].append(seconds)
    return Result(row, values, cpu, load.others())


def measure_family(b, name, rows):
    """Its verdict, the worst of its rows; None where it has no goal."""
    verdicts = []
    try:
        for row in FAMILIES[name][2](b):
            try:
                result = measure(b, row)
                result.print()
                rows.append({"measurement": name, **result.json()})
                verdicts.append(result.verdict)
            except Failure as failure:
                print(f"{row.what}\n  {FAILED}: {failure}", flush=True)
                rows.append({"measurement": name, "what": row.what, "verdict": FAILED,
                             "error": str(failure)})
                verdicts.append(FAILED)
    except Failure as failure:
        print(f"{name}\n  {FAILED}: {failure}", flush=True)
        verdicts.append(FAILED)
    return max(filter(None, verdicts), key=VERDICTS.index, default=None)


# ---- the command line --------------------------------------------------------------------------
def one_of(names):
    def read(text):
        for name in text.split(","):
            if name not in names:
                raise argparse.ArgumentTypeError(
                    f'"{text}": no "{name}"; there are {", ".join(names)}')
        return text.split(",")
    return read


def techniques(text):
    """As --schedule of any program lists them; "auto", which has a goal, is the first."""
    said = subprocess.run([program("bench-weft"), "--schedule", "none"], capture_output=True,
                          check=False, text=True)
    known = said.stderr.partition("there are ")[2].strip().split(", ")
    return known if text is None else one_of(known)(text)


def at_least(kind, least):
    def read(text):
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= least and number > 0):
            raise argparse.ArgumentTypeError(f'cannot be "{text}"')
        return number
    return read


def read_request():
    names = "\n".join(f"  {name:12} {goal}{'' if usual else ' (only if named)'}"
                      for name, (usual, goal, _) in FAMILIES.items())
    parser = argparse.ArgumentParser(
        prog="weft-bench", allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, 2, 26, 100),
        description="Measures what weft costs, next to what one would write or use without it. Run "
                    "it alone, without mpirun.",
        epilog=f"names, and their goals:\n{names}\n\n"
               "A goal is missed by more than the noise if the better quartile of the rounds misses "
               "it, too.\nA row is BUSY where others took more than a tenth of a core meanwhile.\n\n"
               "exit status: 0 measured; 1 with --check: a goal is missed by more than the noise; "
               "2 wrong usage;\n3 something could not be measured")
    parser.add_argument("--only", metavar="NAME,...", type=one_of(FAMILIES), help="what to measure")
    parser.add_argument("--rounds", metavar="N", type=at_least(int, 1), default=5,
                        help="how often each side is measured (5)")
    parser.add_argument("--check", action="store_true",
                        help="end with 1 if a goal is missed by more than the noise")
    parser.add_argument("--scale", metavar="F", type=at_least(float, 0), default=1,
                        help="sizes times F, for which the goals are not meant (1)")
    parser.add_argument("--workload", metavar="NAME,...", type=one_of(WORKLOADS),
                        help=f"for schedule, slow and scaling: {', '.join(WORKLOADS)}")
    parser.add_argument("--technique", metavar="NAME,...",
                        help="for schedule and slow, as --schedule of any program has (all)")
    parser.add_argument("--ranks", metavar="N", type=at_least(int, 2),
                        help="for schedule and slow (a rank per core)")
    parser.add_argument("--dir", metavar="DIR", default=".", help="where files are written (.)")
    parser.add_argument("--json", metavar="FILE", help="also gives the results to programs")
    parser.add_argument("--version", action="version", version=f"weft-bench {VERSION}")
    wish = parser.parse_args()
    wish.only = wish.only or [name for name, (usual, _, _) in FAMILIES.items() if usual]
    try:
        if wish.technique or {"schedule", "slow"} & set(wish.only):
            wish.technique = techniques(wish.technique)
        wish.json = wish.json and open(wish.json, "w", encoding="utf-8")
    except (argparse.ArgumentTypeError, OSError) as error:
        parser.error(str(error))
    return wish


def on_signal(number, _):
    raise SystemExit(128 + number)


def measure_all(b, wish, rows):
    print(f"{b.cores} cores; {COMPILER}; medians and quartiles of {b.rounds}, the sides in turn"
          + (f"; sizes x {b.scale:g}, for which the goals are not meant" if b.scale != 1 else "")
          + "\n", flush=True)
    verdicts = {name: measure_family(b, name, rows) for name in wish.only}
    print("\ngoals:")
    for name, verdict in verdicts.items():
        if verdict is not None:
            print(f"  {name:12} {verdict:12}  {FAMILIES[name][1]}")
    if FAILED in verdicts.values():
        return 3
    return 1 if wish.check and MISSED in verdicts.values() else 0


def main():
    wish = read_request()
    rows, status = [], 3
    for number in SIGNALS:
        signal.signal(number, on_signal)
    try:
        b = Bench(wish)
    except OSError as error:
        print(f"weft-bench: {error}", file=sys.stderr)
        return 2
    try:
        status = measure_all(b, wish, rows)
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        b.end_child()
        shutil.rmtree(b.folder, ignore_errors=True)
    if wish.json:
        json.dump({"cores": b.cores, "rounds": b.rounds, "scale": b.scale, "compiler": COMPILER,
                   "rows": rows}, wish.json, indent=1)
        wish.json.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
