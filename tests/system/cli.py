# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the program weft share."""

import json
import subprocess

from launch import KNOWN, SAFE_LIMIT_S, WEFT, SystemTest


class CliTest(SystemTest):
    def weft(self, *arguments, status=0):
        return self.run_well(WEFT, *arguments, status=status, layout=(0, None))

    def status(self, path):
        """What `weft status --json` says, in full."""
        return json.loads(self.weft("status", "--json", path).out)

    def make(self, *arguments, path=None, status=0, **options):
        path = path or self.path()
        self.run_well(KNOWN, "--out", path, *arguments, status=status, **options)
        return path

    def assert_refused(self, status, *arguments, saying=""):
        """One line on stderr, nothing on stdout."""
        ending = self.weft(*arguments, status=status)
        self.assertEqual(ending.out, "")
        self.assertRegex(ending.err, r"\Aweft: error: [^\n]+\n\Z")
        self.assertIn(saying, ending.err)

    def assert_needs_stdout(self, *arguments):
        """What cannot be written is an error, and its cause is said."""
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([WEFT, *arguments], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False, timeout=SAFE_LIMIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr,
                         "weft: error: cannot write to stdout: No space left on device\n")
