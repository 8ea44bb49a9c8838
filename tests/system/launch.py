# SPDX-License-Identifier: BSD-3-Clause
"""Starts the real programs, alone and under mpirun, and ends what was started, whatever happens."""

import concurrent.futures
import glob
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

# Nothing here should take this long, not counting what it waits for cores that others have; a test
# that does hangs.
LIMIT_S = 60

# The same for what is waited for without a look at the machine.
SAFE_LIMIT_S = 10 * LIMIT_S

# Whatever a test does next, it may come late by up to so many seconds: on a machine that has other
# things to do nobody is prompt. A test that is red with LAG_S=3 races.
LAG_S = float(os.environ.get("LAG_S", "0"))

KNOWN = os.environ.get("PROGRAM_known")
MANDELBROT = os.environ.get("PROGRAM_mandelbrot")
COAST = os.environ.get("PROGRAM_coast")
WEFT = os.environ.get("PROGRAM_weft")

MPIRUN = [os.environ.get("MPIEXEC", "mpirun"), "--allow-run-as-root", "--oversubscribe",
          "--bind-to", "none"]


def recovery():
    """What keeps mpirun from ending a job when a rank dies; Open MPI 5 has another word for it."""
    said = subprocess.run([MPIRUN[0], "--version"], stdout=subprocess.PIPE, check=True, text=True)
    version = re.search(r"\) (\d+)\.", said.stdout)
    return ["--enable-recovery"] if int(version.group(1)) < 5 else ["--with-ft", "ulfm"]


# What no program may ever show to a user.
FORBIDDEN = ("HDF5-DIAG", "MPI_ABORT", "Segmentation fault", "Sanitizer", "runtime error:",
             "Traceback", "*** Process received signal ***")


# What a closing line says of workers.
CLOSING = re.compile(r"; workers: ([^;\n]*)")


def shares(said):
    """{state: how many} of what is said of workers, such as "75 % computing, 25 % elsewhere"."""
    parts = (re.fullmatch(r"(\d+)(?: %)? (.*)", part) for part in said.split(", "))
    return {part.group(2): int(part.group(1)) for part in parts}


def environment(**more):
    """This process's environment without what would change a run, and with `more`."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("WEFT_", "OMP_", "GOMP_", "KMP_AFFINITY", "HWLOC_", "OMPI_",
                                    "PMIX_", "PRTE_", "PROGRAM_"))}
    return {**kept, "OMP_WAIT_POLICY": "passive", "LC_ALL": "C", **more}


def german(folder, **more):
    """environment() of a program that speaks German, whose words lie in the folder; None where they
    cannot be made."""
    if not (shutil.which("localedef") and os.path.exists("/usr/share/i18n/locales/de_DE")):
        return None
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8",
                    os.path.join(folder, "de_DE.UTF-8")],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return environment(LOCPATH=folder, LC_ALL="de_DE.UTF-8", **more)


def command(program, *arguments, layout=(0, 1)):
    """The command line for a layout: ranks (0: without mpirun) and workers per rank."""
    ranks, workers = layout
    words = [] if ranks == 0 else [*MPIRUN, "-np", str(ranks)]
    words += [program, *map(str, arguments)]
    return words if workers is None else [*words, "--threads", str(workers)]


def schedules():
    """The names that --schedule takes, as a program lists them when it is given another."""
    words = [KNOWN, "--schedule", "none"]
    text = subprocess.run(words, env=environment(), stderr=subprocess.PIPE, check=False, text=True)
    return text.stderr.split("there are ")[1].strip().split(", ")


def waited_ns(pid):
    """{thread: how long it has waited for a core} of a process."""
    waited = {}
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                waited[path] = int(file.read().split()[1])
        except (OSError, IndexError):
            pass
    return waited


class Patience:
    """A limit for processes (all of the machine's, if pids() does not say which) that stands still
    while one of them waits for a core that others have: a busy machine is no hang. Nor is one that
    has been stopped as a whole: of the time between two looks little counts."""

    LOOK_S, MOST_S = 0.25, 1

    def __init__(self, limit_s, pids=None):
        self.limit_s, self.pids = limit_s, pids or all_processes
        self.spent_s, self.looked = 0, time.monotonic()
        self.waited = self.look()

    def look(self):
        return {thread: ns for pid in self.pids() for thread, ns in waited_ns(pid).items()}

    def over(self):
        """True once the limit is reached."""
        return self.spent() >= self.limit_s

    def spent(self):
        """How much of it has passed."""
        passed = time.monotonic() - self.looked
        if passed >= self.LOOK_S:
            now = self.look()
            most_ns = max((ns - self.waited.get(thread, 0) for thread, ns in now.items()),
                          default=0)
            self.spent_s += min(max(passed - 1e-9 * most_ns, 0), self.MOST_S)
            self.looked, self.waited = self.looked + passed, now
        return self.spent_s


class Ending:
    """How a program ended."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def __str__(self):
        return f"{' '.join(self.words)}\nstatus {self.status}\n{self.out}{self.err}"


def lag():
    time.sleep(random.uniform(0, LAG_S))


def rank_of(pid):
    """Of a process of Open MPI's; -1: it is none, or gone."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            for entry in file.read().split(b"\0"):
                if entry.startswith(b"OMPI_COMM_WORLD_RANK="):
                    return int(entry.split(b"=")[1])
    except OSError:
        pass
    return -1


class Launch:
    """A program on its way, in a session of its own, to be ended with all that it has started."""

    def __init__(self, words, **options):
        self.words = words
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        options.setdefault("env", environment())
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err, start_new_session=True, **options)
        self.pid = self.process.pid

    def err_now(self):
        return os.pread(self.err.fileno(), 1 << 22, 0).decode(errors="replace")

    def wait_for(self, happened, what, limit_s=LIMIT_S, pause_s=0.005):
        """Waits until happened() is true; fails if the program ends before."""
        patience = Patience(limit_s, self.members)
        while not happened():
            if self.process.poll() is not None or patience.over():
                raise AssertionError(f"{what}: did not happen\n{self.finish()}")
            time.sleep(pause_s)
        lag()

    def ranks(self):
        """The live processes of the job, by rank: mpirun's children, or the program itself."""
        if self.words[0] != MPIRUN[0]:
            return [self.pid]
        ranks = {rank_of(pid): pid for pid in children(self.pid)}
        return [ranks[rank] for rank in sorted(ranks) if rank >= 0]

    def ends(self, limit_s=LIMIT_S):
        """Waits for the program alone; False if it does not end."""
        patience = Patience(limit_s, self.members)
        while True:
            try:
                self.process.wait(Patience.LOOK_S)
                return True
            except subprocess.TimeoutExpired:
                if patience.over():
                    return False

    def finish(self, limit_s=LIMIT_S):
        """Waits for the end of it, and for that of all processes that it started."""
        hangs = not self.ends(limit_s)
        patience = Patience(20, self.members)
        left = self.members()
        while not hangs and left and not patience.over():
            time.sleep(0.005)
            left = self.members()
        doing = what_they_do(left)
        for pid in left:
            strike(pid, signal.SIGKILL)
        self.process.wait()
        err, out = self.err_now(), os.pread(self.out.fileno(), 1 << 22, 0).decode(errors="replace")
        self.out.close()
        self.err.close()
        ending = Ending(self.words, self.process.returncode, out, err)
        if hangs or left:
            raise AssertionError(f"{'hangs' if hangs else f'left {left} behind'}\n{doing}{ending}")
        return ending

    def finish_after_deaths(self, limit_s=LIMIT_S):
        """finish(), where a rank may have been killed at any moment. Open MPI 4.1's mpirun may stay
        when a rank dies while it connects to the daemon; that is none of weft's, and weft-run ends
        it. The ranks have to end by themselves."""
        patience = Patience(limit_s, self.members)
        while self.process.poll() is None and any(map(lives, children(self.pid))):
            if patience.over():
                raise AssertionError(f"its processes do not end\n{self.finish(0)}")
            time.sleep(0.02)
        if not self.ends(limit_s):
            strike(self.pid, signal.SIGKILL)
        return self.finish()

    def members(self):
        """The live processes of the session that the program was started in."""
        return [pid for pid in all_processes() if session_of(pid) == self.pid]


def what_they_do(pids):
    """A table of processes, for people."""
    words = ["ps", "-ww", "-o", "pid,ppid,stat,wchan:20,time,etime,args", "-p",
             ",".join(map(str, pids))]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout if pids else ""


def stat_of(pid):
    """State, parent and session of a process; None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            words = file.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return words[0], int(words[1]), int(words[3])


def lives(pid):
    """False for a process that has ended, whether or not its parent has noticed."""
    stat = stat_of(pid)
    return stat is not None and stat[0] != "Z"


def all_processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def session_of(pid):
    stat = stat_of(pid)
    return None if stat is None or stat[0] == "Z" else stat[2]


def children(pid):
    stats = ((child, stat_of(child)) for child in all_processes())
    return [child for child, stat in stats if stat is not None and stat[1] == pid]


def strike(pid, number):
    """Sends a signal to a process that may be gone already."""
    lag()
    strike_at_once(pid, number)


def strike_at_once(pid, number):
    """The same, never late."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def run(program, *arguments, layout=(0, 1), limit_s=LIMIT_S, **options):
    """Runs a program to its end."""
    return Launch(command(program, *arguments, layout=layout), **options).finish(limit_s)


class SystemTest(unittest.TestCase):
    """A test with a folder of its own, self.folder, for its files."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="weft-system-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.gate = self.folder + ".gate"
        self.addCleanup(self.shut_gate)
        self.launches = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for launch in self.launches:
            for pid in launch.members() if launch.process.poll() is None else []:
                strike(pid, signal.SIGKILL)
            launch.process.wait()

    def gated(self, after=None, items=()):
        """Words for `known`: until open_gate() these items wait, and all others once a process has
        begun `after`. So the job is still there, however late the test does what it does."""
        words = ["--gate", self.gate]
        words += ["--gated", ",".join(map(str, items))] if items else []
        return [*words, "--gate-after", after] if after is not None else words

    def open_gate(self):
        with open(self.gate, "w", encoding="ascii"):
            pass

    def shut_gate(self):
        if os.path.exists(self.gate):
            os.unlink(self.gate)

    def path(self, name="result.h5"):
        return os.path.join(self.folder, name)

    def start(self, program, *arguments, layout=(0, 1), **options):
        launch = Launch(command(program, *arguments, layout=layout), **options)
        self.launches.append(launch)
        return launch

    def assert_ended(self, ending, *statuses):
        """The exit status is one of these, and nothing was shown that is none of a user's business.
        """
        self.assertIn(ending.status, statuses or (0,), str(ending))
        for word in FORBIDDEN:
            self.assertNotIn(word, ending.out + ending.err, str(ending))
        for said in CLOSING.findall(ending.err):
            self.assertEqual(sum(shares(said).values()), 100, str(ending))

    def run_well(self, program, *arguments, status=0, **options):
        ending = run(program, *arguments, **options)
        self.assert_ended(ending, status)
        return ending


def needs(program, name):
    return unittest.skipUnless(program, f"{name} is not built here")


def alone(test):
    """Marks a test beside which nothing runs: it has a tenth of a second for what it does, or a
    preexec_fn, which Python does not like among threads."""
    test.alone = True
    return test


class SideBySide:
    """Runs the tests of a module, so many at once: what most of them do is wait. Each has a folder
    of its own, and what it prints comes in one piece."""

    def __init__(self, at_once):
        self.at_once = at_once

    def run(self, suite):
        tests = [test for each in suite for test in each]
        lonely = [test for test in tests if hasattr(getattr(test, test.id().split(".")[-1]), "alone")]
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            done = list(pool.map(self.run_one, [test for test in tests if test not in lonely]))
        done += map(self.run_one, lonely)
        whole = unittest.TestResult()
        for each in done:
            whole.testsRun += each.testsRun
            whole.failures += each.failures
            whole.errors += each.errors
            whole.skipped += each.skipped
        print(f"{whole.testsRun} tests, {self.at_once} at once: {len(whole.failures)} failed, "
              f"{len(whole.errors)} errors, {len(whole.skipped)} skipped", flush=True)
        return whole

    @staticmethod
    def run_one(test):
        text = io.StringIO()
        result = unittest.TextTestRunner(text, verbosity=2).run(test)
        print(text.getvalue(), flush=True)
        return result


def main(at_once=1):
    print(" ".join(sys.argv), flush=True)
    if at_once > 1:
        unittest.main(module="__main__", testRunner=SideBySide(at_once))
    unittest.main(module="__main__", verbosity=2)
