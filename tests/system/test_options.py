# SPDX-License-Identifier: BSD-3-Clause
"""Options from the command line and from the environment, --fresh, and a complete result."""

import os
import re
import signal
import subprocess

import results
from launch import (COAST, KNOWN, MANDELBROT, SystemTest, command, environment, german, main, run,
                    strike)


class Options(SystemTest):
    def test_fresh(self):
        for flavour in (1, 2, 3):
            self.run_well(KNOWN, "--fresh", "--out", self.path(), "--count", 50, "--flavour",
                          flavour)
            self.assertEqual(results.all_bytes(self.path()),
                             results.known_bytes(50, flavour=flavour))
        for flavour, backup in ((1, "result.h5.bak"), (2, "result.h5.bak.2")):
            self.assertEqual(results.all_bytes(self.path(backup)),
                             results.known_bytes(50, flavour=flavour))
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ["result.h5", "result.h5.bak", "result.h5.bak.2"])
        self.assertEqual(len(results.runs(self.path())), 1)

    def test_fresh_and_stopped(self):
        """The good result is kept, and one is told how to go on."""
        words = ["--out", self.path(), "--count", 50, "--grain", 1]
        self.run_well(KNOWN, *words, "--flavour", 1)
        calls = self.path("calls")
        for more, again in ((["--fresh"], " without --fresh (or WEFT_FRESH) "), ([], " ")):
            launch = self.start(KNOWN, *words, "--flavour", 2, "--calls", calls, *more,
                                *self.gated(after=5))
            launch.wait_for(lambda: results.calls(calls), "it has begun")
            strike(launch.pid, signal.SIGTERM)
            ending = launch.finish()
            self.assert_ended(ending, 75)
            os.unlink(calls)
            self.assertIn(f"run the same command again{again}to continue", ending.err)
            self.assertEqual("result.h5.bak now" in ending.err, "--fresh" in more)
        self.assertEqual(results.all_bytes(self.path("result.h5.bak")),
                         results.known_bytes(50, flavour=1))
        self.assertEqual(sorted(os.listdir(self.folder)), ["result.h5", "result.h5.bak"])

    def test_result_behind_a_link(self):
        """Made where the link leads; lock and backup are there, too."""
        os.mkdir(self.path("disk"))
        os.symlink("disk/there.h5", self.path())
        for flavour, layout in ((1, (2, 1)), (2, (0, 1))):
            self.run_well(KNOWN, "--fresh", "--out", self.path(), "--count", 50, "--flavour",
                          flavour, layout=layout)
            self.assertEqual(results.all_bytes(self.path("disk/there.h5")),
                             results.known_bytes(50, flavour=flavour))
        self.assertEqual(sorted(os.listdir(self.folder)), ["disk", "result.h5"])
        self.assertTrue(os.path.islink(self.path()))
        self.assertEqual(sorted(os.listdir(self.path("disk"))), ["there.h5", "there.h5.bak"])

    def test_fresh_puts_another_file_aside(self):
        with open(self.path(), "w", encoding="ascii") as file:
            file.write("dear diary")
        self.run_well(KNOWN, "--fresh", "--out", self.path(), "--count", 50, layout=(2, 1))
        with open(self.path("result.h5.bak"), encoding="ascii") as file:
            self.assertEqual(file.read(), "dear diary")

    def test_environment(self):
        """Every option has its variable."""
        made = environment(WEFT_OUT=self.path("other.h5"), WEFT_THREADS="3", WEFT_GRAIN="9",
                           WEFT_SEED="12", WEFT_SCHEDULE="ss", WEFT_SYNC="0.5",
                           WEFT_PROGRESS="always", WEFT_LOG="debug")
        for layout in ((0, None), (2, None)):
            with self.subTest(layout=layout):
                ending = self.run_well(KNOWN, "--count", 50, "--fresh", layout=layout, env=made)
                self.assertIn("x 3 workers", ending.err)
                self.assertIn("chunks handed out", ending.err)
                about = results.identity(self.path("other.h5"))
                self.assertEqual((about["grain"], about["seed"]), (9, 12))
                self.assertEqual(results.runs(self.path("other.h5"))[-1]["workers"],
                                 3 * max(layout[0], 1))
        failing = ["--count", 50, "--fail", 3]
        self.run_well(KNOWN, *failing, status=3, layout=(0, None),
                      env={**made, "WEFT_FRESH": "yes"})
        self.run_well(KNOWN, "--count", 50, layout=(0, None),
                      env={**made, "WEFT_RETRY_FAILED": "1"})
        self.assertEqual(results.all_bytes(self.path("other.h5")), results.known_bytes(50, seed=12))

    def test_command_line_wins(self):
        made = environment(WEFT_OUT=self.path("other.h5"), WEFT_THREADS="3", WEFT_GRAIN="9",
                           WEFT_SEED="12", WEFT_FRESH="1", WEFT_LOG="error", OMP_NUM_THREADS="4")
        for grain in (["--grain", "5"], ["--grain=5"]):
            ending = self.run_well(KNOWN, "--count", 50, "--out", self.path(), *grain, "--seed", 1,
                                   "--fresh=0", "--log", "info", layout=(0, 2), env=made)
        self.assertIn("x 2 workers", ending.err)
        self.assertIn("50 of 50 items done, 0 now", ending.err)
        about = results.identity(self.path())
        self.assertEqual((about["grain"], about["seed"]), (5, 1))
        self.assertEqual(os.listdir(self.folder), ["result.h5"])

    def workers(self, **variables):
        ending = self.run_well(KNOWN, "--fresh", "--out", self.path(), "--count", 5,
                               layout=(0, None), env=environment(**variables))
        return int(ending.err.split(" rank x ")[1].split()[0])

    def test_number_of_workers(self):
        cores = len(os.sched_getaffinity(0))
        self.assertEqual(self.workers(), cores)
        self.assertEqual(self.workers(OMP_NUM_THREADS="3"), 3)
        self.assertEqual(self.workers(OMP_NUM_THREADS="3,2"), 3)
        self.assertEqual(self.workers(OMP_NUM_THREADS="3", WEFT_THREADS="4"), 4)
        self.assertEqual(self.workers(WEFT_THREADS="0"), 0)
        self.assertEqual(self.workers(WEFT_THREADS=""), cores)
        # All ranks of a host share its cores.
        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 5, layout=(2, None))
        self.assertIn(f"2 ranks x {max(cores // 2, 1)} worker", ending.err)

    def test_complete_result(self):
        """Nothing is left to do: nothing is computed or written down, and the end is a good one."""
        words = ["--out", self.path(), "--count", 50]
        self.run_well(KNOWN, *words)
        tiles, runs = results.tiles(self.path()).tobytes(), results.runs(self.path()).tobytes()
        self.assertEqual([row["items"] for row in results.runs(self.path())], [50])
        for layout in ((0, 0), (0, 2), (3, 1)):
            with self.subTest(layout=layout):
                calls = self.path("calls")
                ending = self.run_well(KNOWN, *words, "--calls", calls, layout=layout)
                self.assertEqual(results.calls(calls), [])
                self.assertIn("50 of 50 items done, 0 now", ending.err)
                self.assertEqual(results.runs(self.path()).tobytes(), runs)
                self.assertEqual(results.tiles(self.path()).tobytes(), tiles)
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(50))

    def test_default_name(self):
        self.run_well(KNOWN, "--count", 5, cwd=self.folder)
        self.assertEqual(os.listdir(self.folder), ["known.h5"])

    def test_locale(self):
        """Numbers have a point, in and out, also where the program speaks another language."""
        abroad = german(self.folder, WEFT_DEAD_AFTER="7.5")
        if abroad is None:
            self.skipTest("no localedef")
        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 5, "--tilt", "0.25",
                               "--sync", "2.5", "--time-limit", "99.5", env=abroad)
        self.assertRegex(ending.err, r"now in \d[\d.]* m?s")
        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 5, "--tilt", "0.5",
                               env=abroad, status=2)
        self.assertIn("0.25 in the file and 0.5 in this run", ending.err)
        ending = self.run_well(KNOWN, "--out", self.path(), "--sync", "0,5", env=abroad, status=2)
        self.assertIn("'0,5' is not a number", ending.err)

    def test_version(self):
        """Another version of the program is refused, and left alone."""
        words = ["--out", self.path(), "--count", 5]
        self.run_well(KNOWN, *words, env=environment(KNOWN_VERSION="1.0"))
        with open(self.path(), "rb") as file:
            before = file.read()
        for made, now in ((environment(KNOWN_VERSION="1.1"), "1.1"), (environment(), "absent")):
            ending = self.run_well(KNOWN, *words, env=made, status=2)
            self.assertIn(f"the version of the program is 1.0 in the file and {now} in this run",
                          ending.err)
            self.assertIn("another --out, or --fresh", ending.err)
        with open(self.path(), "rb") as file:
            self.assertEqual(file.read(), before)
        ending = self.run_well(KNOWN, "--version", env=environment(KNOWN_VERSION="1.0"))
        self.assertRegex(ending.out, r"\Aknown 1\.0\nweft \d+\.\d+\.\d+\n\Z")

    def test_other_build(self):
        """A program without a version that was compiled anew goes on, but says so."""
        notes = subprocess.run(["readelf", "-n", KNOWN], check=True, stdout=subprocess.PIPE,
                               text=True).stdout
        found = re.search(r"Build ID: ([0-9a-f]+)", notes)
        if found is None:
            self.skipTest("this linker leaves no build id, and a hash cannot be changed so easily")
        old = bytes.fromhex(found[1])
        with open(KNOWN, "rb") as file:
            program = file.read()
        self.assertEqual(program.count(old), 1)
        other = self.path("known")
        with open(other, "wb") as file:
            file.write(program.replace(old, bytes(byte ^ 1 for byte in old)))
        os.chmod(other, 0o755)
        words = ["--out", self.path(), "--count", 50]
        self.run_well(KNOWN, *words)
        for program, warns in ((KNOWN, 0), (other, 1)):
            ending = self.run_well(program, *words)
            self.assertEqual(ending.err.count("WARNING"), warns, str(ending))
            self.assertEqual("begun by another build" in ending.err, warns == 1)
        ending = self.run_well(other, *words, "--fresh")
        self.assertNotIn("WARNING", ending.err)

    def test_log_level(self):
        ending = self.run_well(KNOWN, "--out", self.path(), "--log", "error", layout=(2, 2))
        self.assertEqual((ending.out, ending.err), ("", ""))

    def test_help(self):
        for program in filter(None, (KNOWN, MANDELBROT, COAST)):
            for layout in ((0, None), (3, None)):
                with self.subTest(program=program, layout=layout):
                    ending = run(program, "--help", layout=layout, cwd=self.folder)
                    self.assert_ended(ending)
                    for option in ("out FILE", "threads N", "schedule NAME", "grain N", "seed S",
                                   "sync SECONDS", "time-limit TIME", "retry-failed", "fresh", "progress", "log LEVEL",
                                   "help"):
                        self.assertEqual(ending.out.count(f"--{option} "), 1, str(ending))
                    self.assertEqual(ending.err, "")
        self.assertEqual(os.listdir(self.folder), [])

    def test_help_that_nobody_gets(self):
        for option in ("--help", "--version"):
            with self.subTest(option=option), open("/dev/full", "wb") as full:
                ended = subprocess.run([KNOWN, option], stdout=full, stderr=subprocess.PIPE,
                                       check=False)
                self.assertEqual(ended.returncode, 1)
                self.assertIn(b"No space left on device", ended.stderr)

    def test_command_is_kept(self):
        self.run_well(KNOWN, "--out", self.path(), "--count", 5, "--label", "kept")
        row = results.runs(self.path())[-1]
        words = command(KNOWN, "--out", self.path(), "--count", 5, "--label", "kept")
        self.assertEqual(row["command"].decode(), " ".join(words)[:255])
        self.assertEqual(row["host_names"].decode(), os.uname().nodename)


if __name__ == "__main__":
    main()
