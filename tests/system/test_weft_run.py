# SPDX-License-Identifier: BSD-3-Clause
"""weft-run on one host: the exit status is the program's, whatever happens to it, to its ranks or to
mpirun, and nothing stays behind."""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import time
import unittest

import numpy as np

import results
from launch import (KNOWN, SAFE_LIMIT_S, WEFT, Launch, SystemTest, environment, main, stat_of,
                    strike, strike_at_once)
from weftrun import (GRACE, OURS, SOON, WEFT_RUN, done_folders, end_all, left_behind, mpirun_of,
                     rank_of)

STOPPED = 75
COUNT = 600
# What is told to stop ends soon: the second of two signals may come too late on a busy machine.
TRIES = 8


def started_at(pid):
    """When a process was started, as the system counts it."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[19]


class WeftRun(SystemTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(end_all, self.folder)

    def script(self, name, text):
        """A program that is found before any other of that name, with variables=self.found()."""
        path = self.path(os.path.join("bin", name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)
        return path

    def found(self, **more):
        return {"PATH": f"{self.path('bin')}:{os.environ['PATH']}", **more}

    def start_run(self, *words, before=(), **more):
        options = {"env": environment(**more.pop("variables", {})), "cwd": self.folder, **more}
        launch = Launch([WEFT_RUN, *map(str, (*before, *words))], **options)
        self.launches.append(launch)
        return launch

    def run_to_end(self, *words, status=0, **more):
        ending = self.start_run(*words, **more).finish()
        self.assertEqual(ending.status, status, str(ending))
        self.assertEqual(left_behind(self.folder), [])
        return ending

    def known(self, *more):
        return [KNOWN, "--out", self.path(), "--count", COUNT, "--grain", 1, "--calls",
                self.path("calls"), *SOON, *more]

    def begin(self, *more, ranks=2, item_us=5000):
        """A run that is on its way, and does not end by itself before the gate is open."""
        self.shut_gate()
        launch = self.start_run("-n", ranks, "-t", 1, *GRACE, *self.known(
            "--item-us", item_us, "--fresh", *self.gated(after=40), *more))
        launch.wait_for(lambda: len(results.calls(self.path("calls"))) >= 20, "the work begins")
        return launch

    def begin_long_items(self, ranks):
        """A run all of whose ranks are at an item for long."""
        long_items = range(30, COUNT)
        launch = self.begin("--slow", ",".join(map(str, long_items)), "--slow-s", 600, ranks=ranks)
        launch.wait_for(lambda: sum(item in long_items for item in
                                    results.calls(self.path("calls"))) == ranks, "all are at it")
        return launch

    def finish(self, launch, status):
        """If that is 0 it goes on to its end."""
        if status == 0:
            self.open_gate()
        ending = launch.finish()
        self.assertEqual(ending.status, status, str(ending))
        self.assertEqual(left_behind(self.folder), [])
        os.remove(self.path("calls"))
        return ending

    def assert_complete(self):
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))


class Statuses(WeftRun):
    def test_of_weft_programs(self):
        for more, status in (((), 0), (("--fresh", "--fail", "3,4"), 3), (("--bad",), 2)):
            with self.subTest(more):
                self.run_to_end("-n", 2, "-t", 1, *self.known(*more), status=status)

    def test_of_others(self):
        for line, status in (("exit 0", 0), ("exit 7", 7), ("kill -SEGV $$", 139),
                             ("exit $((5 * OMPI_COMM_WORLD_RANK))", 5)):
            with self.subTest(line):
                self.run_to_end("-n", 2, "sh", "-c", line, status=status)

    def test_standard_input_is_left_alone(self):
        """A loop around it keeps its list, unless the program is to have it."""
        for more, read in (((), "1\n2\n3\n"), (("--stdin",), "")):
            with self.subTest(more):
                words = [WEFT_RUN, "-q", *more, "cat"]
                script = 'read first; "$@"; echo; cat'
                done = subprocess.run(["sh", "-c", script, "sh", *words], input="0\n1\n2\n3\n",
                                      env=environment(), cwd=self.folder, check=True, text=True,
                                      stdout=subprocess.PIPE)
                self.assertEqual(done.stdout.split("\n\n")[-1].strip(), read.strip())
                self.assertIn("1\n2\n3", done.stdout)

    def test_identities_of_an_older_job(self):
        """Which a shell has inherited: the ranks get their own."""
        line = 'echo $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE, job "$SLURM_JOB_ID"'
        ending = self.run_to_end("sh", "-c", line, variables={
            "OMPI_COMM_WORLD_RANK": "7", "OMPI_COMM_WORLD_SIZE": "9", "PMIX_RANK": "7",
            "PMIX_NAMESPACE": "x", "SLURM_JOB_ID": "3", "SLURM_JOB_NODELIST": "n[1-2]",
            "SLURM_JOB_END_TIME": "1000000000"})
        self.assertEqual(ending.out, "0 of 1, job \n")
        self.assertIn("job 3, which this shell was started in, is over", ending.err)

    def test_program_that_is_not_there(self):
        ending = self.run_to_end("./none", status=127)
        self.assertIn("there is no program './none'", ending.err)

    def test_rank_that_ends_before_the_others_begin(self):
        """They would wait for it in MPI_Init for ever."""
        line = '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || exit 9; exec "$@"'
        ending = self.run_to_end("-n", 2, *GRACE, "sh", "-c", line, "sh", *self.known(), status=9)
        self.assertIn("rank 1 ended with status 9", ending.err)

    def test_rank_that_is_killed_before_the_others_begin(self):
        """That is nobody's fault, and the same command goes on."""
        line = '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || kill -%s $$; exec "$@"'
        for name, status in (("KILL", STOPPED), ("INT", STOPPED), ("SEGV", 128 + signal.SIGSEGV)):
            with self.subTest(name):
                self.run_to_end("-n", 2, *GRACE, "sh", "-c", line % name, "sh", *self.known(),
                                status=status)

    def test_only_rank_is_killed_before_it_begins(self):
        for name in ("KILL", "TERM", "INT", "HUP", "USR1", "USR2", "XCPU"):
            with self.subTest(name):
                ending = self.run_to_end("sh", "-c", f"kill -{name} $$", status=STOPPED)
                self.assertIn("run the same command again", ending.err)

    def test_rank_0_that_is_done_first(self):
        """If a program is not weft's, its ranks have nothing to do with each other."""
        line = '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || { sleep 3; echo done; }'
        self.assertEqual(self.run_to_end("-n", 2, *GRACE, "sh", "-c", line).out, "done\n")

    def test_no_word(self):
        """As if the folder were not seen there, or the disk full."""
        line = 'mkdir "$WEFT_DONE_FILE.rank.0"; exit 7'
        ending = self.run_to_end("sh", "-c", line, status=1)
        self.assertIn("no word came from rank 0", ending.err)

    def test_words_arrive_as_they_are(self):
        words = ["one two", "it's", '"', "$HOME", "*", "", "a\nb", "--out", "\\", "\x1b[31m\x07"]
        program = self.script("../a 'folder' with spaces/print words", "printf '<%s>' \"$@\"\necho")
        printed = "".join(f"<{word}>" for word in words) + "\n"
        ending = self.run_to_end("--", program, *words)
        self.assertEqual(ending.out, printed)
        line = self.run_to_end("--dry-run", program, *words).out
        self.assertNotRegex(line, "[\x1b\x07]")
        pasted = subprocess.run(["bash", "-c", line.replace(".weft-run", "weft-run")],
                                env=environment(), stdout=subprocess.PIPE, check=True, text=True)
        self.assertEqual(pasted.stdout, printed)

    @staticmethod
    def owner(pid, boot=None, namespace=None, start=1):
        """The words in a run's folder that say whose it is."""
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            here = file.read().strip()
        namespace = namespace or os.stat("/proc/self/ns/pid").st_ino
        return (f"host {os.uname().nodename} pid {pid} started {start} since 2026-01-01T00:00:00Z "
                f"in {boot or here} {namespace}\n")

    def leave_folder(self, name, words):
        path = self.path(os.path.join("place", f".weft-run-{os.uname().nodename}:{name}"))
        os.makedirs(path)
        if words is not None:
            with open(os.path.join(path, "owner"), "w", encoding="ascii") as file:
                file.write(words)
        return path

    def start_sleep(self, folder):
        """A process of the run in a folder."""
        return subprocess.Popen(["sleep", "60"], env=environment(
            WEFT_DONE_FILE=os.path.join(folder, "status")))

    def test_done_folder(self):
        """A folder that a killed weft-run has left is removed, and what is left of its run ended; but
        only if it is certain that the launcher was one of here, and is no more."""
        gone = subprocess.Popen(["true"])
        gone.wait()
        dead = self.leave_folder("dead", self.owner(gone.pid))
        again = self.leave_folder("again", self.owner(os.getpid()))
        others = [self.leave_folder(name, words) for name, words in (
            ("live", self.owner(os.getpid(), start=started_at(os.getpid()))),
            ("boot", self.owner(gone.pid, boot="1-2")),
            ("namespace", self.owner(gone.pid, namespace=7)),
            ("locked", self.owner(gone.pid)), ("nobody", None), ("odd", "odd"),
            *([("somebody", self.owner(gone.pid))] if os.geteuid() == 0 else []))]
        if os.geteuid() == 0:
            os.chown(others[-1], 1234, 1234)
        left, live = self.start_sleep(dead), [self.start_sleep(folder) for folder in others]
        self.addCleanup(lambda: [process.kill() or process.wait() for process in live])
        with open(os.path.join(self.path("place"), others[3], "owner"), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            ending = self.start_run("--done-dir", self.path("place"), "true").finish()
        self.assertEqual(ending.status, 0, str(ending))
        self.assertFalse(os.path.exists(dead) or os.path.exists(again))
        self.assertEqual(left.wait(SAFE_LIMIT_S), -signal.SIGKILL)
        self.assertEqual(sorted(os.listdir(self.path("place"))),
                         sorted(map(os.path.basename, others)))
        self.assertEqual([process.poll() for process in live], [None] * len(live))

    @unittest.skipUnless(os.geteuid() == 0, "takes root")
    def test_live_run_in_another_namespace(self):
        """Its process ids say nothing here, where no process has that of its weft-run."""
        free = next(pid for pid in range(30000, 1, -1) if not os.path.exists(f"/proc/{pid}"))
        words = ["unshare", "-p", "-f", "--mount-proc", "bash", "-c",
                 f'echo {free - 1} >/proc/sys/kernel/ns_last_pid; "$@"; exit $?', "bash", WEFT_RUN,
                 *self.known("--item-us", "5000")]
        first = Launch(list(map(str, words)), env=environment(), cwd=self.folder)
        self.launches.append(first)
        first.wait_for(lambda: len(results.calls(self.path("calls"))) >= 20, "the work begins")
        second = self.start_run("true").finish()
        self.assertEqual(second.status, 0, str(second))
        ending = first.finish()
        self.assertEqual(ending.status, 0, str(ending))
        self.assertEqual(left_behind(self.folder), [])
        self.assert_complete()

    def test_done_dir(self):
        ending = self.run_to_end("--done-dir", self.path("none"), "true", status=1)
        self.assertIn("is no folder that can be written to", ending.err)
        os.mkdir(self.path("a\nb"))
        ending = self.run_to_end("--done-dir", self.path("a\nb"), "true", status=1)
        self.assertIn("a line break is in its name", ending.err)

    def test_done_folder_that_cannot_be_removed(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        folder = self.leave_folder("gone", self.owner(gone.pid))
        os.makedirs(os.path.join(folder, "none", "of ours"))
        ending = self.start_run("--done-dir", self.path("place"), "echo", "here").finish()
        self.assertEqual((ending.status, ending.out), (0, "here\n"), str(ending))

    def test_version_and_suggestion(self):
        self.assertRegex(self.run_to_end("--version").out, r"^weft \d+\.\d+")
        ending = self.run_to_end("--hots", "a", "true", status=2)
        self.assertIn("did you mean --hosts?", ending.err)

    def test_wrong_usage(self):
        for words in ((), ("--",), ("--none", "true"), ("-n",), ("-n", "0", "true"),
                      ("-t", "many", "true"), ("--mca", "a"), ("--dry-run=1", "true"),
                      ("--hosts", "a", "--hostfile", "b", "true"), ("--hostfile", "none", "true"),
                      ("--hosts", "a;b", "true"), ("--hosts", "-oX,b", "true"), ("--hosts", "a:b", "true"),
                      ("--hosts", "", "true"), ("--done-dir=", "true")):
            with self.subTest(words):
                self.assertIn("--help says more", self.run_to_end(*words, status=2).err)


class Faults(WeftRun):
    def test_signals(self):
        """They stop the ranks in good order."""
        for number, at_ranks in ((signal.SIGTERM, "SIGUSR2"), (signal.SIGINT, "SIGUSR2"),
                                 (signal.SIGHUP, "SIGUSR2"), (signal.SIGXCPU, "SIGUSR2"),
                                 (signal.SIGUSR2, "SIGUSR2"), (signal.SIGUSR1, "SIGUSR1")):
            with self.subTest(number.name):
                launch = self.begin()
                strike(launch.pid, number)
                ending = self.finish(launch, STOPPED)
                self.assertIn(f"{at_ranks}: stopping in good order", ending.err)
                self.assertEqual(results.runs(self.path())[-1]["outcome"], b"stopped")

    def test_sigusr1_to_others(self):
        """Who is not ended by it ends as usual."""
        line = 'trap : USR1; : >started; while [ -e started ]; do sleep 0.1; done; exit %d'
        for status in (0, 5):
            with self.subTest(status):
                launch = self.start_run("sh", "-c", line % status)
                launch.wait_for(lambda: os.path.exists(self.path("started")), "it starts")
                strike(launch.pid, signal.SIGUSR1)
                os.remove(self.path("started"))
                self.assertEqual(launch.finish().status, status)

    def test_second_sigint(self):
        for _ in range(TRIES):
            launch = self.begin("--slow", 10, "--slow-s", 600)
            launch.wait_for(lambda: 10 in results.calls(self.path("calls")), "the slow item begins")
            strike(launch.pid, signal.SIGUSR1)
            launch.wait_for(lambda: "stopping in good order" in launch.err_now(), "it stops")
            while launch.process.poll() is None:
                strike_at_once(launch.pid, signal.SIGINT)
                time.sleep(0.01)
            if launch.process.returncode != STOPPED:
                break
            self.finish(launch, STOPPED)
        self.finish(launch, 130)

    def test_sigusr1_before_it_runs(self):
        """The process named by $$ is in the session that weft-run leads."""
        self.script("mpirun", "kill -USR1 $(ps -o sid= -p $$); echo 'mpirun (Open MPI) 4.1.4'")
        self.run_to_end("true", status=STOPPED, variables=self.found())

    def test_sigusr1_before_there_are_ranks(self):
        """mpirun passes nothing on to ranks that it has not started yet."""
        self.script("mpirun", f"""
            [ "$1" = --version ] || {{
                trap '' USR1
                : >started
                while [ -e started ]; do sleep 0.1; done
            }}
            exec {shutil.which("mpirun")} "$@" """)
        launch = self.start_run("-n", 2, *GRACE, *self.known("--item-us", 5000),
                                variables=self.found())
        launch.wait_for(lambda: os.path.exists(self.path("started")), "it starts")
        strike(launch.pid, signal.SIGUSR1)
        os.remove(self.path("started"))
        self.assertEqual(launch.finish().status, STOPPED)

    def turn(self, *words, tiles=None, status=STOPPED, **variables):
        """A turn of until-done.sh after which so many tiles are done; returns its end."""
        self.script("weft-run", f"exit {status}" if tiles is None else
                    f"echo {tiles} >tiles; echo >r.h5; exit {status}")
        self.script("weft", '[ -f "$3" ] && printf \'  "tiles_done": %s,\\n\' "$(cat tiles)"')
        script = os.path.join(OURS, "slurm", "until-done.sh")
        launch = Launch([script, "pi", *words], cwd=self.folder, env=environment(**self.found(
            SLURM_JOB_ID="7", **variables)))
        return launch.finish()

    def test_until_done(self):
        """It is queued again, even if Slurm is away for a moment."""
        self.script("scontrol", '[ -e "$TRIED" ] && echo "$@" || { : >"$TRIED"; exit 1; }')
        ending = self.turn(TRIED=self.path("tried"))
        self.assertEqual((ending.status, ending.out), (STOPPED, "requeue 7\n"), str(ending))

    def test_until_done_does_not_go_on_for_ever(self):
        """Turns in a row that complete no tile are the last ones; with the result named, its folder
        or nothing."""
        self.script("scontrol", 'echo "$@"')
        for word in ("--out=r.h5", "--out=./", "-v"):
            for tiles, again in ((5, True), (5, True), (9, True), (9, True), (9, True), (9, False)):
                with self.subTest(word=word, tiles=tiles):
                    ending = self.turn(word, tiles=tiles)
                    self.assertEqual((ending.status, ending.out),
                                     (STOPPED, "requeue 7\n") if again else (1, ""), str(ending))
            self.assertIn("3 turns in a row have completed no tile", ending.err)
            self.assertEqual([name for name in os.listdir(self.folder) if "until" in name], [])

    def test_until_done_leaves_nothing(self):
        self.script("scontrol", 'echo "$@"')
        self.assertEqual(self.turn("--out", "r.h5", tiles=1).status, STOPPED)
        self.assertEqual(self.turn("--out", "r.h5", tiles=2, status=3).status, 3)
        self.assertEqual(sorted(os.listdir(self.folder)), ["bin", "r.h5", "tiles"])

    def test_rank_is_killed(self):
        launch = self.begin(ranks=3)
        strike(rank_of(self.folder, 1), signal.SIGKILL)
        self.assertIn("1 rank lost", self.finish(launch, 0).err)
        self.assert_complete()

    def test_deadly_items_cost_a_rank_each(self):
        """And no more: whoever gets them next computes them in a child, and they go into
        quarantine. Only when rank 0 is the first to have one is the command to be run again."""
        launch = self.begin("--deadly", "segv:200,abort:400", ranks=4)
        self.open_gate()
        ending = launch.finish()
        self.assertIn(ending.status, (3, STOPPED), str(ending))
        lost = results.runs(self.path())[-1]["lost"]
        self.assertLessEqual(lost, 2, str(ending))
        for _ in range(2):
            if ending.status == STOPPED:
                ending = self.start_run("-n", 2, *GRACE, *self.known(
                    "--deadly", "segv:200,abort:400")).finish()
        self.assertEqual(ending.status, 3, str(ending))
        self.assertEqual(left_behind(self.folder), [])
        self.assertEqual(sorted(results.failures(self.path())), [200, 400])
        good = np.ones(COUNT, bool)
        good[[200, 400]] = False
        self.assertTrue(results.done_items(self.path()).all())
        self.assertEqual(list(results.wrong_items(self.path(), good)), [])

    def test_rank_0_is_killed(self):
        launch = self.begin(ranks=3, item_us=50000)
        strike(rank_of(self.folder, 0), signal.SIGKILL)
        self.finish(launch, STOPPED)

    def test_rank_0_is_killed_amid_long_items(self):
        """The others do not wait for their kernels to come back; word of that they leave all the
        same."""
        launch = self.begin_long_items(3)
        strike(rank_of(self.folder, 0), signal.SIGKILL)
        self.finish(launch, STOPPED)

    def test_only_rank_is_killed(self):
        launch = self.begin(ranks=1)
        strike(rank_of(self.folder, 0), signal.SIGKILL)
        self.assertIn("rank 0 ended with status 137", self.finish(launch, STOPPED).err)

    def test_all_ranks_are_killed(self):
        launch = self.begin(ranks=2, item_us=50000)
        for pid in [rank_of(self.folder, rank) for rank in (1, 0)]:
            strike(pid, signal.SIGKILL)
        self.finish(launch, STOPPED)

    def test_told_to_stop_again_and_again(self):
        """Also amid the end, when the ranks have put their handlers away."""
        launch = self.begin(ranks=2)
        while launch.process.poll() is None:
            strike(launch.pid, signal.SIGTERM)
            time.sleep(0.05)
        self.finish(launch, STOPPED)

    def test_told_to_stop_before_the_run_has_begun(self):
        """By a signal to weft-run, while MPI starts."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            with self.subTest(number.name):
                line = '[ $OMPI_COMM_WORLD_RANK = 1 ] || : >started; sleep 0.2; exec "$@"'
                launch = self.start_run("-n", 2, *GRACE, "sh", "-c", line, "sh", *self.known(
                    "--item-us", 5000, "--fresh"))
                launch.wait_for(lambda: os.path.exists(self.path("started")), "it starts")
                strike(launch.pid, number)
                os.remove(self.path("started"))
                ending = launch.finish()
                self.assertEqual(ending.status, STOPPED, str(ending))
                self.assertEqual(left_behind(self.folder), [])

    def test_mpirun_is_killed(self):
        launch = self.begin()
        strike(mpirun_of(self.folder), signal.SIGKILL)
        self.finish(launch, STOPPED)

    def test_mpirun_is_told_to_stop_while_ranks_stand_still(self):
        """So that they are killed before they can leave word of it."""
        launch = self.begin_long_items(2)
        ranks = [rank_of(self.folder, rank) for rank in (0, 1)]
        strike(mpirun_of(self.folder), signal.SIGTERM)
        while any(map(stat_of, ranks)):
            # mpirun lets them continue first.
            for rank in ranks:
                strike(rank, signal.SIGSTOP)
        self.assertIn("before the program did", self.finish(launch, STOPPED).err)

    def test_mpirun_is_killed_before_the_program_begins(self):
        launch = self.start_run(*GRACE, "sh", "-c", ": >started; exec sleep 60")
        launch.wait_for(lambda: os.path.exists(self.path("started")), "it starts")
        strike(mpirun_of(self.folder), signal.SIGKILL)
        self.assertEqual(launch.finish().status, STOPPED)
        self.assertEqual(left_behind(self.folder), [])

    def test_weft_run_is_killed(self):
        launch = self.begin(item_us=100000)
        strike(launch.pid, signal.SIGKILL)
        launch.finish()
        self.assertEqual(left_behind(self.folder, limit_s=10), done_folders(self.folder))
        self.run_to_end("true")


class Lines(WeftRun):
    """The mpirun line, with an mpirun that does no more than name its version."""

    def fake(self, name, text):
        self.script(name, f"cat <<'END'\n{text}\nEND")

    def dry_run(self, *words, version="(Open MPI) 4.1.4", status=0, **variables):
        self.fake("mpirun", f"mpirun {version}\n")
        ending = self.run_to_end("--dry-run", *words, "true", variables=self.found(**variables),
                                 status=status)
        return shlex.split(ending.out) if status == 0 else ending.err

    def assert_has(self, line, *words):
        count = len(words)
        self.assertIn(list(words), [line[i:i + count] for i in range(len(line))])

    def test_open_mpi_4(self):
        line = self.dry_run("-n", 4, "-t", 3, "--hosts", "a,b,c", "--mca", "pml", "ob1",
                            "--mpirun-options", "--tag-output --report-bindings", WEFT_SYNC="1")
        self.assert_has(line, "mpirun", "--enable-recovery")
        self.assert_has(line, "-n", "4", "--host", "a:2,b:1,c:1")
        self.assert_has(line, "--map-by", "slot:OVERSUBSCRIBE", "--bind-to", "none")
        self.assert_has(line, "--mca", "mpi_yield_when_idle", "1")
        self.assert_has(line, "--mca", "plm_rsh_agent", f"{WEFT} run --remote")
        self.assert_has(line, "--mca", "pml", "ob1", "--tag-output", "--report-bindings")
        self.assert_has(line, "-x", "WEFT_SYNC")
        self.assert_has(line, "-x", "WEFT_THREADS=3")

    def test_open_mpi_5(self):
        line = self.dry_run("--hosts", "a,b", version="(Open MPI) 5.0.7")
        self.assert_has(line, "mpirun", "--with-ft", "ulfm")
        self.assert_has(line, "-n", "2", "--host", "a:1,b:1")
        self.assert_has(line, "--prtemca", "plm", "ssh")
        self.assertIn("plm_ssh_agent", line)
        for word in ("--enable-recovery", "--quiet", "plm_rsh_agent"):
            self.assertNotIn(word, line)

    def test_other_mpis(self):
        for version in ("(Open MPI) 3.1.6", "HYDRA build details: 4.1"):
            with self.subTest(version):
                self.assertIn("Open MPI", self.dry_run(version=version, status=1))

    def test_binding(self):
        """To cores where they suffice, but not if another such job has room beside it."""
        for words, binds in ((("-n", 2, "-t", 8, "--hosts", "a:16"), True),
                             (("-n", 3, "-t", 3, "--hosts", "a:16"), True),
                             (("-n", 2, "-t", 4, "--hosts", "a:16"), False),
                             (("-n", 3, "-t", 8, "--hosts", "a:16"), False),
                             (("-n", 2, "-t", 8, "--hosts", "a:8,b"), False),
                             (("-n", 2, "--hosts", "a:8,b:8"), False)):
            with self.subTest(words):
                self.assertEqual(f"slot:PE={words[3]}" in self.dry_run(*words), binds)

    def test_cores_are_the_hosts(self):
        """And not what OpenMP is told."""
        plain = self.dry_run("-t", 1)
        for name in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT"):
            line = self.dry_run("-t", 1, **{name: "1000"})
            self.assertEqual([word for word in line if word not in ("-x", name)],
                             [word for word in plain if word != "-x"])

    def test_host_file(self):
        with open(self.path("hosts"), "w", encoding="ascii") as file:
            file.write("# comment\na slots=8\n\nb slots=8 max_slots=8\n")
        line = self.dry_run("-t", 8, "--hostfile", self.path("hosts"))
        self.assert_has(line, "-n", "2", "--host", "a:1,b:1", "--map-by", "slot:PE=8")

    def test_here(self):
        line = self.dry_run()
        self.assert_has(line, "-n", "1", "--host", "localhost:1")
        self.assertNotIn("plm", line)
        self.assertFalse([word for word in line if word.startswith("WEFT_THREADS")])

    def test_slurm(self):
        job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-3]",
               "SLURM_JOB_CPUS_PER_NODE": "8(x2),4", "SLURM_TASKS_PER_NODE": "2(x2),1"}
        line = self.dry_run(**job)
        self.assert_has(line, "-n", "3", "--host", "n1:1,n2:1,n3:1")
        self.assert_has(line, "-x", "WEFT_THREADS=4")
        self.assert_has(line, "--mca", "plm", "rsh")
        self.assert_has(line, "--mca", "ras", "^slurm")
        line = self.dry_run(**job, SLURM_NTASKS="5", SLURM_CPUS_PER_TASK="3")
        self.assert_has(line, "-n", "5", "--host", "n1:2,n2:2,n3:1")
        self.assert_has(line, "-x", "WEFT_THREADS=3")
        self.assert_has(self.dry_run("-n", 2, "-t", 2, **job), "--host", "n1:1,n2:1")

    def test_slurm_step_that_is_smaller_than_the_job(self):
        line = self.dry_run(SLURM_JOB_ID="7", SLURM_JOB_NODELIST="n[1-3]", SLURM_NTASKS="2",
                            SLURM_JOB_CPUS_PER_NODE="8(x3)", SLURM_TASKS_PER_NODE="2")
        self.assert_has(line, "-n", "2", "--host", "n1:1,n2:1")
        self.assert_has(line, "-x", "WEFT_THREADS=8")

    def test_this_host_comes_first(self):
        """Each with its own share."""
        here = os.uname().nodename
        line = self.dry_run("-n", 4, "--hosts", f"a:4,{here}.domain:8,b:2")
        self.assert_has(line, "--host", f"{here}.domain:1,a:2,b:1")
        line = self.dry_run("-n", 3, "-t", 4, "--hosts", f"a:8,{here}:4")
        self.assert_has(line, "--host", f"{here}:1,a:2", "--map-by", "slot:PE=4")
        line = self.dry_run("-n", 2, "--hosts", "192.0.2.1,127.0.0.1")
        self.assert_has(line, "--host", "127.0.0.1:1,192.0.2.1:1")

    def test_path_with_spaces(self):
        """mpirun would take such a remote shell for several words."""
        copy = self.path("with spaces")
        os.mkdir(copy)
        for path in (WEFT, WEFT_RUN):
            shutil.copy2(path, copy)
        self.fake("mpirun", "mpirun (Open MPI) 4.1.4")
        words = [os.path.join(copy, "weft-run"), "--dry-run", "--hosts", "a", "true"]
        line = subprocess.run(words, env=environment(**self.found()), cwd=self.folder, check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        self.assert_has(shlex.split(line), "plm_rsh_agent", "weft run --remote")


if __name__ == "__main__":
    main()
