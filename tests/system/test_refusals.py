# SPDX-License-Identifier: BSD-3-Clause
"""Bad input: a message that says what, where and what to do, the documented exit status, and
nothing damaged (promises P4 and P7), alone and under mpirun."""

import concurrent.futures
import hashlib
import os
import subprocess

import h5py

import results
from launch import COAST, KNOWN, MANDELBROT, SystemTest, environment, main, needs, run, strike

LAYOUTS = ((0, 1), (2, 1))


def fingerprint(folder):
    """What is in a folder: names, bytes, times."""
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        stat = os.stat(path)
        digest = None
        if os.path.isfile(path):
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
        found[name] = (os.path.isdir(path) or stat.st_mtime_ns, stat.st_size, stat.st_ino, digest)
    return found


class Refusals(SystemTest):
    def check_refusal(self, ending, status, says):
        self.assert_ended(ending, status)
        messages = [line for line in ending.err.splitlines() if line.startswith("weft: error: ")]
        self.assertEqual(len(messages), 1, str(ending))
        for word in says:
            self.assertIn(word, messages[0], str(ending))
        self.assertNotIn("infinite loop", ending.err)

    def assert_refused(self, status, says, program, *arguments):
        """On each layout: the exit status, once a message with all these words, and a folder that
        looks as before."""
        before = fingerprint(self.folder)
        for layout in LAYOUTS:
            with self.subTest(arguments=arguments, layout=layout):
                self.check_refusal(run(program, *arguments, layout=layout), status, says)
                self.assertEqual(fingerprint(self.folder), before, "something was changed")

    def assert_all_refused(self, cases, program, *arguments):
        """The same for many command lines that are wrong by themselves: (words, what it says). No
        file is looked at, so several can run at once."""
        before = fingerprint(self.folder)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            launched = [(words, says, layout,
                         pool.submit(run, program, *arguments, *words, layout=layout))
                        for words, says in cases for layout in ((0, None), (2, None))]
            for words, says, layout, ending in launched:
                with self.subTest(words=words, layout=layout):
                    self.check_refusal(ending.result(), 2, says)
        self.assertEqual(fingerprint(self.folder), before, "something was changed")

    def test_options(self):
        self.assert_all_refused((
            (["--thread", "2"], ["--thread", "--help"]),
            (["-x"], ["-x", "--help"]),
            (["--out", ""], ["--out", "empty"]),
            (["--threads", "-1"], ["--threads", "-1"]),
            (["--threads", "two"], ["--threads", "'two'", "whole number"]),
            (["--threads", "1000000"], ["--threads", "65535"]),
            (["--threads"], ["--threads", "needs an argument", "N", "--help"]),
            (["--grain", "0"], ["--grain", "0", "1 or more"]),
            (["--grain", "-7"], ["--grain", "-7", "1 or more"]),
            (["--grain", "many"], ["--grain", "'many'", "whole number"]),
            (["--grain", "7x"], ["--grain", "'7x'", "whole number"]),
            (["--grain", "99999999999999999999"], ["--grain", "whole number"]),
            (["--grain=", ], ["--grain", "''", "whole number"]),
            (["--seed", "-1"], ["--seed", "-1"]),
            (["--seed", "0.5"], ["--seed", "'0.5'", "whole number"]),
            (["--sync", "-1"], ["--sync", "-1", "never"]),
            (["--sync", "nan"], ["--sync", "'nan'", "number"]),
            (["--sync", "soon"], ["--sync", "'soon'", "number"]),
            (["--time-limit", "soon"], ["--time-limit", "'soon'", "H:MM:SS"]),
            (["--schedule", "best"], ["--schedule", "'best'", "static", "fac2"]),
            (["--progress", "often"], ["--progress", "'often'", "auto", "never"]),
            (["--log", "loud"], ["--log", "'loud'", "debug"]),
            (["--fresh=maybe"], ["--fresh", "'maybe'", "1 or 0"]),
            (["--retry-failed=2"], ["--retry-failed", "'2'"]),
            (["--count", "-1"], ["-1", "0 or more", "known"]),
            (["--count", "9000000000000000000"], ["hash", "larger"]),
            (["--field-twice"], ["field", "'hash'", "already"])), KNOWN, "--out", self.path())

    def test_environment(self):
        for name, value in (("WEFT_GRAIN", "0"), ("WEFT_SCHEDULE", "best"), ("WEFT_SYNC", "x"),
                            ("WEFT_FRESH", "perhaps")):
            option = "--" + name[5:].lower()
            ending = self.run_well(KNOWN, "--out", self.path(), status=2,
                                   env=environment(**{name: value}))
            self.assertTrue(name in ending.err or option in ending.err, str(ending))
            self.assertIn(value, ending.err)
        self.assertEqual(os.listdir(self.folder), [])

    @needs(MANDELBROT, "mandelbrot")
    def test_mandelbrot_options(self):
        self.assert_all_refused((
            (["--width", "0"], ["--width"]),
            (["--max-iter", "0"], ["--max-iter"]),
            (["--centre", "here"], ["--centre", "here"]),
            (["--span", "-1"], ["--span", "-1"]),
            (["--span", "inf"], ["--span", "'inf'"]),
            (["stray"], ["stray", "--help"]),
            (["--image", "/nowhere/map.png"], ["/nowhere"])), MANDELBROT, "--out", self.path())

    @needs(COAST, "coast")
    def test_coast_data(self):
        out = ["--out", self.path()]
        os.mkdir(self.path("empty"))
        cases = [(["--resolution", resolution, "--data", folder], [folder, package])
                 for folder in (self.path("nowhere"), self.path("empty"))
                 for resolution, package in (("l", "gmt-gshhg-low"), ("i", "gmt-gshhg"),
                                             ("f", "gmt-gshhg-full"))]
        cases += [(["--step", step], ["--step"]) for step in ("0", "-1", "181", "7")]
        cases.append((["--resolution", "z"], ["resolution", "z"]))
        self.assert_all_refused(cases, COAST, *out)
        with open(self.path("binned_GSHHS_l.nc"), "w", encoding="ascii") as file:
            file.write("no shorelines")
        self.assert_refused(1, ["binned_GSHHS_l.nc"], COAST, *out, "--resolution", "l", "--data",
                            self.folder)

    def make_result(self, *more, name="result.h5"):
        self.run_well(KNOWN, "--out", self.path(name), "--count", 100, "--grain", 7, *more)

    def test_not_a_result(self):
        with open(self.path("text.h5"), "w", encoding="ascii") as file:
            file.write("dear diary\n" * 1000)
        with open(self.path("empty.h5"), "w", encoding="ascii"):
            pass
        with h5py.File(self.path("other.h5"), "w") as file:
            file["measurements"] = range(1000)
        os.mkdir(self.path("folder.h5"))
        os.mkfifo(self.path("pipe.h5"))
        for name, says in (("text.h5", ["not an HDF5 file", "another path"]),
                           ("empty.h5", ["not an HDF5 file", "another path"]),
                           ("other.h5", ["not a result of weft", "weft_format", "another path"]),
                           ("folder.h5", ["not a file"]), ("pipe.h5", ["not a file"])):
            self.assert_refused(2, [self.path(name), *says], KNOWN, "--out", self.path(name))
        for name in ("folder.h5", "pipe.h5"):
            self.assert_refused(2, [self.path(name)], KNOWN, "--fresh", "--out", self.path(name))

    def test_truncated_and_damaged(self):
        self.make_result(name="whole.h5")
        with open(self.path("whole.h5"), "rb") as file:
            whole = file.read()
        os.unlink(self.path("whole.h5"))
        for part in (0.95, 0.5, 0.1, 0.001):
            with open(self.path(f"{part}.h5"), "wb") as file:
                file.write(whole[:int(part * len(whole))])
            self.assert_refused(1, [self.path(f"{part}.h5"), "truncated"], KNOWN, "--count", 100,
                                "--grain", 7, "--out", self.path(f"{part}.h5"))

    def test_damaged_metadata(self):
        """Whatever is blotted out: right results, or a refusal that leaves the file as it is."""
        self.make_result(name="whole.h5")
        with open(self.path("whole.h5"), "rb") as file:
            whole = file.read()
        refused = 0
        for where in range(0, 8000, 250):
            damaged = whole[:where] + bytes(60) + whole[where + 60:]
            with self.subTest(where=where):
                with open(self.path(), "wb") as file:
                    file.write(damaged)
                ending = run(KNOWN, "--count", 100, "--grain", 7, "--out", self.path())
                self.assert_ended(ending, 0, 1, 2)
                if ending.status == 0:
                    self.assertEqual(results.all_bytes(self.path()), results.known_bytes(100))
                else:
                    refused += 1
                    self.assertIn(self.path(), ending.err)
                    with open(self.path(), "rb") as file:
                        self.assertEqual(file.read(), damaged)
        self.assertGreater(refused, 3, "the test hit nothing")

    def test_another_job(self):
        self.make_result("--flavour", 1, "--tilt", 0.5, "--label", "a", "--seed", 3)
        words = {"--count": 100, "--flavour": 1, "--tilt": 0.5, "--label": "a", "--seed": 3,
                 "--grain": 7}
        for option, value, says in (("--flavour", 2, ["flavour", "1", "2"]),
                                    ("--tilt", 0.25, ["tilt", "0.5", "0.25"]),
                                    ("--label", "b", ["label", "a", "b"]),
                                    ("--seed", 4, ["seed", "3", "4"]),
                                    ("--grain", 8, ["grain", "7", "8"]),
                                    ("--count", 101, ["100", "101"]),
                                    ("--count", 99, ["100", "99"])):
            changed = {**words, option: value}
            flat = [word for pair in changed.items() for word in pair]
            self.assert_refused(2, [self.path(), *says], KNOWN, "--out", self.path(), *flat)
        self.assertEqual(results.all_bytes(self.path()),
                         results.known_bytes(100, flavour=1, seed=3))

    @needs(MANDELBROT, "mandelbrot")
    def test_another_program(self):
        self.make_result()
        self.assert_refused(2, [self.path(), "known", "mandelbrot"], MANDELBROT, "--out",
                            self.path(), "--width", 10, "--height", 10)

    def test_grain_is_the_files_where_none_is_given(self):
        self.make_result()
        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 100, layout=(2, 1))
        self.assertIn("100 of 100 items done, 0 now", ending.err)

    def test_missing_folder(self):
        self.assert_refused(2, ["/nowhere/at/all/result.h5 cannot", "folder",
                                "No such file or directory"], KNOWN,
                            "--out", "/nowhere/at/all/result.h5")

    def test_place_of_no_file(self):
        """What was typed is named, and status 2 says that it is the command that is wrong."""
        with open(self.path("file"), "w", encoding="ascii"):
            pass
        os.symlink("nowhere/at/all.h5", self.path("link.h5"))
        os.symlink("round.h5", self.path("round.h5"))
        for out in ("file/result.h5", "new/", ".", "link.h5", "round.h5", "x" * 300):
            path = self.path(out)
            for words in (["--out", path], ["--out", path, "--fresh"]):
                ending = run(KNOWN, *words, layout=(0, 1))
                self.check_refusal(ending, 2, [path])
                self.assertNotIn(".lock", ending.err)

    def mount(self, name, *words):
        """A file system of its own at self.folder/name, or a skipped test."""
        place = self.path(name)
        os.makedirs(place, exist_ok=True)
        done = subprocess.run(["mount", *words, place], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            self.skipTest(f"no file system can be mounted here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=False)
        return place

    def test_read_only(self):
        place = self.mount("disk", "-t", "tmpfs", "-o", "size=20m", "none")
        self.run_well(KNOWN, "--out", f"{place}/done.h5", "--count", 100)
        self.run_well(KNOWN, "--out", f"{place}/half.h5", "--count", 100, "--fail", "5", status=3)
        before = fingerprint(place)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        for name in ("new.h5", "done.h5", "half.h5"):
            self.assert_refused(1, [f"{place}/{name}", "Read-only"], KNOWN, "--out",
                                f"{place}/{name}", "--count", 100)
        self.assertEqual(fingerprint(place), before)

    def test_disk_too_small(self):
        place = self.mount("disk", "-t", "tmpfs", "-o", "size=12m", "none")
        self.run_well(KNOWN, "--out", f"{place}/other.h5", "--count", 10)
        before = fingerprint(place)
        for count in (400000, 400000000):
            self.assert_refused(1, [f"{place}/result.h5", "No space left"], KNOWN, "--out",
                                f"{place}/result.h5", "--count", count)
            self.assertEqual(fingerprint(place), before, "something is left behind")

    def test_full_disk(self):
        place = self.mount("disk", "-t", "tmpfs", "-o", "size=1m", "none")
        with open(f"{place}/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        before = fingerprint(place)
        self.assert_refused(1, [f"{place}/result.h5", "No space left"], KNOWN, "--out",
                            f"{place}/result.h5", "--count", 10)
        self.assertEqual(fingerprint(place), before, "something is left behind")

    def test_file_too_large(self):
        """More than any disk has, or any file may have."""
        self.assert_refused(1, [self.path(), "cannot reserve", "225000"], KNOWN, "--out", self.path(),
                            "--count", 9 * 10**12)

    def test_in_use(self):
        calls = self.path("calls")
        for layout in LAYOUTS:
            first = self.start(KNOWN, "--fresh", "--out", self.path(), "--count", 100, "--grain", 1,
                               "--calls", calls, *self.gated(after=20), layout=layout)
            first.wait_for(lambda: results.calls(calls), "the work is on its way")
            owner = first.ranks()[0]
            for words in ([], ["--fresh"]):
                for second in LAYOUTS:
                    with self.subTest(first=layout, second=second, words=words):
                        ending = self.run_well(KNOWN, "--out", self.path(), "--count", 100, *words,
                                               status=2, layout=second)
                        self.assertIn(f"{self.path()} is in use", ending.err)
                        self.assertIn(f"pid {owner} ", ending.err)
                        self.assertIn(f"host {os.uname().nodename}", ending.err)
                        self.assertIn("--out", ending.err)
            self.assertIsNone(first.process.poll())
            strike(owner, 15)
            self.assert_ended(first.finish(), 75)
            os.unlink(calls)
            self.run_well(KNOWN, "--out", self.path(), "--count", 100)
            self.assertEqual(results.all_bytes(self.path()), results.known_bytes(100))


if __name__ == "__main__":
    main()
