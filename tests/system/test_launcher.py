# SPDX-License-Identifier: BSD-3-Clause
"""weft-run over several hosts, some of which are lost: the exit status is the program's, mpirun does
not stay, nor does anything else, and the result is right."""

import os
import shutil
import signal
import tempfile

import results
from hosts import Hosts, main
from launch import KNOWN, WEFT, SystemTest, strike
from weftrun import (GRACE, SOON, WEFT_RUN, end_all, launcher, left_behind, mpirun_of,
                     rank_of)

STOPPED = 75
COUNT = 1000


class OnHosts(SystemTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="weft-launcher-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.hosts = cls.enterClassContext(Hosts(3, folder))


class RemoteShell(OnHosts):
    """`weft run --remote`, with names that only a good quotation survives."""

    def setUp(self):
        super().setUp()
        self.done_file = self.path("a 'folder' für it/status")
        os.mkdir(os.path.dirname(self.done_file))
        self.addCleanup(end_all, self.folder)

    def start(self, host, *words, **more):
        launch = self.hosts.start(host, *words, **more)
        self.launches.append(launch)
        return launch

    def remote(self, *words, status=0, **more):
        more = {"WEFT_RSH": self.hosts.script("remote-shell"), **more}
        ending = self.start("head", WEFT, "run", *words, **more).finish()
        self.assertEqual(ending.status, status, str(ending))
        return ending

    def start_daemon(self, *words, **more):
        return self.remote("--remote", "n1", *words, WEFT_DONE_FILE=self.done_file, **more)

    def member(self, host):
        """A process of the run."""
        started = self.path(host)
        launch = self.start(host, "sh", "-c", f": >{started}; exec sleep 60",
                            WEFT_DONE_FILE=self.done_file)
        launch.wait_for(lambda: os.path.exists(started), "it starts")
        return launch

    def files(self):
        return sorted(os.listdir(os.path.dirname(self.done_file)))

    def test_daemon(self):
        """It knows the run, and what it leaves on its host is ended."""
        left = self.member("n1")
        ending = self.start_daemon('printf "<%s>" "$WEFT_DONE_FILE" "it\'s"')
        self.assertEqual(ending.out, f"<{self.done_file}><it's>")
        left.finish(limit_s=10)
        self.assertEqual(self.files(), ["status.left.n1"])

    def test_lost_host(self):
        """A failure is passed on until the program has begun, and then not, whatever comes."""
        self.start_daemon("exit 9", status=9)
        self.assertEqual(self.files(), ["status.daemon.n1", "status.lost.n1"])
        os.remove(f"{self.done_file}.lost.n1")
        os.mkdir(f"{self.done_file}.lost.n1")
        with open(f"{self.done_file}.begun", "w", encoding="ascii"):
            self.assertIn("lost host n1", self.start_daemon("exit 9").err)

    def test_line_for_csh(self):
        """mpirun writes it in the language of the user's shell."""
        line = " set path = ( /b $path ) ; orted"
        printed = self.start_daemon(line, WEFT_RSH="echo").out
        self.assertIn(f"/bin/csh -c '{line}'".replace("'", "'\\''"), printed)


class Several(OnHosts):
    def restart(self, host):
        """For the next test; a link that comes back has forgotten its neighbours."""
        self.hosts.crash(host)
        self.hosts.boot(host)

    def start_run(self, *words, hosts="n1,n2,n3"):
        launch = self.hosts.start(
            "head", WEFT_RUN, "-v", "--hosts", hosts, "--rsh", self.hosts.script("remote-shell"),
            "--done-dir", self.folder, *GRACE, "--mca", "pml", "ob1", "--mca", "btl",
            "self,vader,tcp", *words)
        self.launches.append(launch)
        return launch

    def known(self, *more):
        return [KNOWN, "--out", self.path(), "--count", COUNT, "--grain", 1, "--threads", 1,
                "--calls", self.path("calls"), *SOON, *more]

    def begin(self, ranks=6, **options):
        """A job that is on its way, and does not end by itself before the gate is open."""
        self.shut_gate()
        launch = self.start_run("-n", ranks, *self.known("--item-us", 5000, "--fresh",
                                                         *self.gated(after=100)), **options)
        launch.wait_for(lambda: len(results.calls(self.path("calls"))) >= 50, "the work begins")
        return launch

    def finish(self, launch, status):
        """If that is 0 it goes on to its end."""
        if status == 0:
            self.open_gate()
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
        ending = self.finish(self.start_run("-n", 4, "sh", "-c", "hostname; exit 4"), 4)
        self.assertEqual(sorted(ending.out.split()), ["n1", "n1", "n2", "n3"])

    def test_host_that_cannot_be_reached(self):
        ending = self.finish(self.start_run("hostname", hosts="n1,n9"), 1)
        self.assertIn("the daemon on n9 ended", ending.err)

    def test_signal(self):
        """Ranks on other hosts stop in good order."""
        launch = self.begin()
        self.hosts.strike(signal.SIGTERM, launcher("-v"), "head")
        self.assertIn("SIGUSR2: stopping in good order", self.finish(launch, STOPPED).err)

    def test_rank_is_killed_and_power_is_cut(self):
        launch = self.begin()
        strike(rank_of(self.folder, 3), signal.SIGKILL)
        self.hosts.kill("n3")
        self.addCleanup(self.hosts.boot, "n3")
        ending = self.finish(launch, 0)
        self.assertIn("3 ranks lost", ending.err)
        self.assertIn("lost host n3", ending.err)
        self.assert_complete()

    def test_link_goes_down(self):
        launch = self.begin()
        self.hosts.link("n2", "down")
        self.addCleanup(self.restart, "n2")
        self.assertIn("2 ranks lost", self.finish(launch, 0).err)
        self.assert_complete()

    def test_head_is_one_of_the_hosts(self):
        """Open MPI begins with its own host, wherever that is named, and so must weft-run, which is
        to know where rank 0 is."""
        ending = self.finish(self.start_run("sh", "-c", "echo $OMPI_COMM_WORLD_RANK $(hostname)",
                                            hosts="n1,head:2,n2"), 0)
        self.assertIn("--host head:1,n1:1,n2:1", ending.err)
        self.assertEqual(sorted(ending.out.splitlines()), ["0 head", "1 n1", "2 n2"])

    def test_mpirun_is_killed(self):
        """The daemons notice, and their ranks stop in good order."""
        launch = self.begin()
        strike(mpirun_of(self.folder), signal.SIGKILL)
        self.finish(launch, STOPPED)
        self.assertEqual(results.runs(self.path())[-1]["outcome"], b"stopped")

    def test_nobody_is_left(self):
        launch = self.begin(ranks=3)
        for host in ("n2", "n3"):
            self.hosts.crash(host)
            self.addCleanup(self.hosts.boot, host)
        strike(rank_of(self.folder, 0), signal.SIGKILL)
        self.assertIn("rank 0 ended with status 137", self.finish(launch, STOPPED).err)

    def test_host_of_rank_0_crashes(self):
        """Open MPI leaves the domains out."""
        launch = self.begin(hosts="n1.domain,n2.domain,n3.domain")
        self.hosts.crash("n1")
        self.addCleanup(self.hosts.boot, "n1")
        self.assertIn("lost host n1", self.finish(launch, STOPPED).err)

    def test_only_host_crashes(self):
        launch = self.begin(ranks=1, hosts="n1")
        self.hosts.crash("n1")
        self.addCleanup(self.hosts.boot, "n1")
        self.assertIn("were on hosts that are lost", self.finish(launch, STOPPED).err)


if __name__ == "__main__":
    main()
