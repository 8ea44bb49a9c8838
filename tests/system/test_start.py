# SPDX-License-Identifier: BSD-3-Clause
"""What a program believes of its surroundings when it starts: launchers, OpenMP, quotas, Slurm."""

import os
import signal
import time

import results
from launch import (KNOWN, Launch, SystemTest, children, command, environment, german, main, run,
                    strike)

CALLER = os.environ.get("PROGRAM_caller")
CORES = len(os.sched_getaffinity(0))

# Where control groups are mounted, and the file that sets the quota, by the kernel's version of them.
GROUPS = {"/sys/fs/cgroup/cpu": "cpu.cfs_quota_us", "/sys/fs/cgroup": "cpu.max"}


class Start(SystemTest):
    def words(self, *more):
        return ["--out", self.path(), "--count", 50, *more]

    def first_line(self, ending):
        return ending.err.splitlines()[0]

    def test_mpi_is_started_for_those_who_ask(self):
        """A launcher, or the program; the results are the same bytes."""
        alone = {"none": "started 0, ranks 0, over 0", "says": "started 1, ranks 1, over 1",
                 "starts": "started 1, ranks 1, over 0"}
        under = {**alone, "none": "started 1, ranks {}, over 1", "says": "started 1, ranks {}, over 1",
                 "starts": "started 1, ranks {}, over 0"}
        bytes_of = set()
        for ranks, expected in ((0, alone), (1, under), (2, under)):
            for how, says in expected.items():
                ending = self.run_well(CALLER, how, "--out", self.path(), "--fresh",
                                       layout=(ranks, 1))
                self.assertEqual(ending.out.strip(), says.format(ranks), ending)
                bytes_of.add(results.all_bytes(self.path())["value"])
        self.assertEqual(len(bytes_of), 1)
        self.assertEqual(len(bytes_of.pop()), 5000 * 8)

    def test_no_daemon_of_mpi_beside_a_program_alone(self):
        """Open MPI starts one for a process that no mpirun has started."""
        launch = self.start(KNOWN, *self.words("--item-us", 20000, "--grain", 1, "--sync", 0,
                                               *self.gated(after=10)))
        launch.wait_for(lambda: os.path.exists(self.path()) and
                        results.done_items(self.path()).sum() > 3, "items are done")
        self.assertEqual(children(launch.pid), [])
        with open(f"/proc/{launch.pid}/environ", "rb") as file:
            self.assertNotIn(b"OMPI_COMM_WORLD_RANK", file.read())
        self.open_gate()
        self.assert_ended(launch.finish())

    def test_launcher_of_another_mpi(self):
        """Three processes that do not know of each other must not each do all of it."""
        launches = []
        for rank in range(3):
            env = environment(PMI_RANK=str(rank), PMI_SIZE="3")
            launches.append(Launch(command(KNOWN, *self.words(), layout=(0, 1)), env=env))
        self.launches += launches
        for rank, launch in enumerate(launches):
            ending = launch.finish()
            self.assertEqual(ending.status, 2, ending)
            self.assertIn(f"started as rank {rank} of 3 (PMI_RANK), but MPI sees one process",
                          ending.err)
        self.assertEqual(os.listdir(self.folder), [])

    def test_variables_of_a_launcher_that_is_gone(self):
        """A shell that has outlived the job in which it was started."""
        orphan = ('while [ "$(cut -d" " -f4 /proc/$$/stat)" = "$PARENT" ]; do sleep 0.01; done; '
                  'cut -d" " -f4 /proc/$$/stat >"$0.new"; "$@"; echo $? >>"$0.new"; '
                  'mv "$0.new" "$0"')
        shell = 'PARENT=$$ PMI_RANK=0 PMI_SIZE=3 sh -c "$@" &'
        words = [orphan, self.path("told"), *command(KNOWN, *self.words(), layout=(0, 1))]
        self.launches.append(Launch(["sh", "-c", shell, "sh", *words]))
        ending = self.launches[0].finish()
        with open(self.path("told"), encoding="ascii") as file:
            adopter, status = file.read().split()
        if adopter != "1":
            self.skipTest(f"orphans go to process {adopter}")
        self.assertEqual(status, "0", ending)
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(50))

    def test_slurm_job_that_is_over(self):
        """Its time limit is not believed: each run would stop before it has done anything."""
        env = environment(SLURM_JOB_ID="12", SLURM_JOB_END_TIME=str(int(time.time()) - 1000))
        ending = self.run_well(KNOWN, *self.words(), env=env)
        self.assertRegex(ending.err, "WARNING: the Slurm job .* should have ended.*--time-limit")

    def test_closed_streams(self):
        """No file of the run becomes one of them, and gets what is printed."""
        for closed in ((2,), (0, 2), (0, 1), (0, 1, 2)):
            with self.subTest(closed):
                words = self.words("--grain", 1, "--item-us", 20000, "--progress", "always")
                # The last item holds the run until it is looked at, and killed.
                launch = self.start(KNOWN, *words, "--fresh", "--slow", 49, "--slow-s", 600,
                                    preexec_fn=lambda: [os.close(number) for number in closed])
                launch.wait_for(lambda: os.path.exists(self.path()) and
                                results.done_items(self.path()).sum() > 20, "items are done")
                for name in os.listdir(f"/proc/{launch.pid}/fd"):
                    if int(name) <= 2:
                        file = os.readlink(f"/proc/{launch.pid}/fd/{name}")
                        self.assertNotIn(self.folder, file)
                strike(launch.pid, signal.SIGKILL)
                launch.finish()
                self.run_well(KNOWN, *words)
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(50))

    def test_openmp_allows_fewer_threads(self):
        ending = self.run_well(KNOWN, *self.words("--fresh"), layout=(0, None),
                               env=environment(OMP_THREAD_LIMIT="1"))
        says = "1 rank x 1 worker (OMP_THREAD_LIMIT) on" if CORES > 1 else "1 rank x 1 worker on"
        self.assertIn(says, self.first_line(ending))
        limited = environment(OMP_THREAD_LIMIT="2")
        self.run_well(KNOWN, *self.words("--fresh"), layout=(0, 2), env=limited)
        os.remove(self.path())
        for layout in ((0, 3), (2, 3)):
            ending = run(KNOWN, *self.words(), layout=layout, env=limited)
            self.assertEqual(ending.status, 2, ending)
            self.assertIn("3 workers on rank 0, where OMP_THREAD_LIMIT allows 2; give --threads 2, "
                          "or raise the limit to 3", ending.err)
            self.assertFalse(os.path.exists(self.path()))

    def test_openmp_allows_no_region(self):
        """A run has its workers all the same; what is nested in them is none."""
        ending = self.run_well(KNOWN, *self.words("--fresh"), layout=(0, 3),
                               env=environment(OMP_MAX_ACTIVE_LEVELS="0"))
        self.assertIn("1 rank x 3 workers", self.first_line(ending))

    def test_openmp_places_of_several_ranks(self):
        for name, value, layout, warned in (("OMP_PROC_BIND", "true", (2, 1), True),
                                            ("OMP_PLACES", "cores", (2, 1), True),
                                            ("OMP_PLACES", "cores", (0, 1), False),
                                            ("OMP_PROC_BIND", "false", (2, 1), False)):
            ending = self.run_well(KNOWN, *self.words("--fresh"), layout=layout,
                                   env=environment(**{name: value}))
            self.assertEqual("unset them, and weft pins" in ending.err, warned, ending)

    def make_group(self, quota):
        """A control group with a quota of so many cores; its list of processes."""
        for mounted, file in GROUPS.items():
            folder = os.path.join(mounted, os.path.basename(self.folder))
            try:
                os.mkdir(folder)
                self.addCleanup(os.rmdir, folder)
                value = f"{quota * 100000:.0f}" + (" 100000" if file == "cpu.max" else "")
                with open(os.path.join(folder, file), "w", encoding="ascii") as to:
                    to.write(value)
                return os.path.join(folder, "cgroup.procs")
            except OSError:
                pass
        return None

    def test_quota_of_a_control_group(self):
        """Too many workers would be stopped again and again, all together."""
        tasks = self.make_group(0.6)
        if tasks is None:
            self.skipTest("no control group can be made here")
        shell = ["sh", "-c", f'echo $$ >{tasks}; exec "$@"', "sh"]

        # The program may speak another language: the numbers have a point all the same.
        abroad = german(self.folder) or environment()

        def start(layout, *more):
            words = command(KNOWN, *self.words("--fresh", *more), layout=layout)
            launch = Launch([*shell, *map(str, words)], env=abroad)
            self.launches.append(launch)
            ending = launch.finish()
            self.assert_ended(ending)
            return ending
        if CORES > 1:
            ending = start((0, None))
            self.assertIn("1 rank x 1 worker (cgroup quota 0.6 cores) on", self.first_line(ending))
            self.assertNotIn("WARNING", ending.err)
        ending = start((0, 2))
        self.assertRegex(ending.err, r"WARNING: host .* 2 workers in all have a CPU quota of 0\.6 "
                                     r"cores .*--threads 1 would")
        ending = start((2, 1))
        self.assertRegex(ending.err, "WARNING: host .* 2 ranks with 2 workers .* fewer ranks would")


if __name__ == "__main__":
    main()
