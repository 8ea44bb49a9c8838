# SPDX-License-Identifier: BSD-3-Clause
"""The program weft from outside: usage, random numbers, and files that are not results."""

import random
import subprocess

import h5py
import numpy as np

from cli import CliTest
from launch import KNOWN, SAFE_LIMIT_S, WEFT, main, needs


@needs(WEFT, "weft")
class Usage(CliTest):
    def test_help(self):
        for words in (["--help"], ["-h"], ["help"], ["help", "plan"], ["status", "-h"],
                      *([name, "--help"] for name in ("status", "show", "verify", "random"))):
            with self.subTest(words=words):
                ending = self.weft(*words)
                self.assertTrue(ending.out.startswith("usage: weft "), ending.out)
                self.assertEqual(ending.err, "")

    def test_version(self):
        for words in (["--version"], ["version"], *([name, "--version"] for name in
                                  ("status", "show", "plan", "verify", "random", "run"))):
            self.assertRegex(self.weft(*words).out, r"\Aweft \d+\.\d+\.\d+\n\Z")

    def test_wrong(self):
        for words, saying in (([], "no command"), (["stat"], "'stat'"), (["help", "stat"], "'stat'"),
                              (["--foo"], "'--foo'"),
                              (["status"], "no FILE"), (["verify"], "no FILE"),
                              (["show"], "no FILE"), (["show", "a", "b", "c"], "'c'"),
                              (["status", "a", "b"], "'b'"), (["verify", "a", "b"], "'b'"),
                              (["status", "--jason", "a"], "--jason; did you mean --json?"),
                              (["plan", "--thread", "1", "a"], "did you mean --threads?"),
                              (["status", "--json=x", "a"], "'x'"),
                              (["verify", "-x", "a"], "-x"), (["random", "7"], "'7'"),
                              (["random", "--seed"], "--seed")):
            with self.subTest(words=words):
                self.assert_refused(2, *words, saying=saying)

    def test_nothing_acts_on_a_terminal(self):
        """Whatever words and paths hold."""
        name = "a\x1b]0;pwn\a\n\u009b31mé.h5"
        path = self.make("--count", 40, "--grain", 4, path=self.path(name))
        for words in (["status", path], ["status", "--json", path], ["verify", path],
                      ["plan", path], ["status", path + "x"], ["verify", path + "x"],
                      ["plan", path + "x"], [name], ["status", "--" + name]):
            with self.subTest(words=words):
                done = subprocess.run([WEFT, *words], stdout=subprocess.PIPE, encoding="utf-8",
                                      stderr=subprocess.STDOUT, check=False, timeout=SAFE_LIMIT_S)
                self.assertNotRegex(done.stdout, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
                self.assertIn("a?]0;pwn???31mé", done.stdout)
        for words in ([name], ["--schedule", name]):
            with self.subTest(words=words):
                ending = self.run_well(KNOWN, "--out", path, "--count", 41, *words, status=2,
                                       layout=(0, 1))
                self.assertNotRegex(ending.err, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_stdout_that_takes_nothing(self):
        for words in (["--help"], ["random"], ["random", "--count", "100000"]):
            with self.subTest(words=words):
                self.assert_needs_stdout(*words)

    def test_reader_that_goes_away(self):
        words = [WEFT, "random", "--count", str(2**64 - 1)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.stderr.read(),
                             "weft: error: cannot write to stdout: Broken pipe\n")
            self.assertEqual(process.wait(SAFE_LIMIT_S), 1)


@needs(WEFT, "weft")
class Random(CliTest):
    def numbers(self, **options):
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.weft("random", *words).out

    def assert_equals_numpy(self, seed, stream, item, count):
        generator = np.random.Generator(np.random.Philox(
            key=np.array([seed, stream], np.uint64), counter=np.array([0, item, 0, 0], np.uint64)))
        lines = self.numbers(seed=seed, stream=stream, item=item, count=count).splitlines()
        self.assertEqual([float(line) for line in lines], generator.random(count).tolist())

    def test_against_numpy(self):
        draw = random.Random()
        edges = [0, 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**53 + 1, 2**63, 2**64 - 1]
        cases = [(edge, edges[-1 - i], edges[(i + 4) % len(edges)]) for i, edge in enumerate(edges)]
        cases += [[draw.randrange(2**draw.choice((8, 33, 64))) for _ in range(3)]
                  for _ in range(30)]
        for case in cases:
            with self.subTest(seed_stream_item=case):
                self.assert_equals_numpy(*case, draw.randrange(1, 20))

    def test_long_stream(self):
        self.assert_equals_numpy(5, 2**40, 2**35 + 3, 10001)

    def test_defaults(self):
        self.assertEqual(self.numbers(), self.numbers(seed=0, stream=0, item=0, count=1))
        self.assertEqual(self.numbers(count=0), "")
        self.assertEqual(self.numbers(item="1e3", count="2e1"), self.numbers(item=1000, count=20))

    def test_seventeen_digits(self):
        for line in self.numbers(count=1000).splitlines():
            self.assertEqual(line, "%.17g" % float(line))

    def test_wrong_numbers(self):
        for text in ("-1", "+1", " 1", "1 ", "", "x", "1.5", "0x10", "1x", "1e",
                     "1e-1", "1e1.", "2e19", str(2**64)):
            for option in ("--seed", "--stream", "--item", "--count"):
                with self.subTest(option=option, text=text):
                    said = f"'{text}'" if text else "its value is empty"
                    self.assert_refused(2, "random", option, text, saying=f"{option}: {said}")


@needs(WEFT and KNOWN, "weft")
class NotAResult(CliTest):
    def assert_both_refuse(self, status, path, saying):
        for words in (["status"], ["status", "--json"], ["verify"]):
            with self.subTest(words=words):
                self.assert_refused(status, *words, path, saying=saying)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def test_missing(self):
        self.assert_both_refuse(2, self.path("nothing.h5"), "there is no file")

    def test_folder(self):
        self.assert_both_refuse(2, self.folder, "not a file")

    def test_other_contents(self):
        for content in (b"", b"a text\n" * 1000, b"\x89HDF\r\n\x1a"):
            with self.subTest(content=content[:8]):
                self.assert_both_refuse(2, self.write("text", content), "not an HDF5 file")

    def test_other_hdf5(self):
        with h5py.File(self.path("other.h5"), "w") as file:
            file["results/x"] = np.arange(10)
        self.assert_both_refuse(2, self.path("other.h5"), "not a result of weft")

    def test_truncated(self):
        with open(self.make("--count", 1000), "rb") as file:
            whole = file.read()
        # What is cut off behind all data is the index, without which the file is whole.
        for length in (100, 3000, len(whole) // 2, len(whole) - 5000):
            with self.subTest(length=length):
                path = self.write("short.h5", whole[:length])
                self.assert_both_refuse(1, path, "truncated")


if __name__ == "__main__":
    main()
