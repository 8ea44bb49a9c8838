# SPDX-License-Identifier: BSD-3-Clause
"""weft verify on sound and damaged results, and whether its advice mends them."""

import errno
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import unittest

import results
from cli import CliTest
from faults import FAULTY, faulty
from launch import KNOWN, SAFE_LIMIT_S, WEFT, main, needs, strike

TILE_RECORD_BYTES = 64


def flip_byte(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def offset_of(path, dataset):
    with results.open_result(path) as file:
        return file[dataset].id.get_offset()


@needs(WEFT and KNOWN, "weft")
class Verify(CliTest):
    words = ["--count", 1000, "--grain", 10]

    def bad_tiles(self, path, **options):
        """The lines of the tiles that verify complains of, and how many there are in all."""
        ending = self.run_well(WEFT, "verify", path, status=1, layout=(0, None), **options)
        self.assertRegex(ending.err, r"\Aweft: error: [^\n]+\n\Z")
        lines = [line for line in ending.out.splitlines() if line.startswith("tile ")]
        return lines, int(re.search(r"(\d+) DAMAGED", ending.out).group(1)), ending.out

    def test_sound(self):
        path = self.make(*self.words)
        self.assertEqual(self.weft("verify", path).out,
                         f"{path}: 100 tiles verified, 0 not done yet\n")

    def test_flipped_byte_of_data(self):
        path = self.make(*self.words)
        flip_byte(path, offset_of(path, "known/pair") + 16 * 123 + 5)
        lines, count, text = self.bad_tiles(path)
        self.assertEqual((len(lines), count), (1, 1))
        self.assertTrue(lines[0].startswith("tile 12, items 120 to 129: "), lines)
        self.assertIn("99 tiles verified, 0 not done yet", text)
        self.assertIn("--fresh", text)
        self.make(*self.words, "--fresh")
        self.weft("verify", path)

    def test_damaged_coordinates(self):
        """weft verify finds them whatever they have become, and nothing else is hurt by them."""
        path = self.make(*self.words, "--axis", 0.5)
        place = offset_of(path, "known/place") + 8 * 7
        with open(path, "rb") as file:
            sound = file.read()
        for number in (3.75, -0.0, math.nan, math.inf, -1.7e308, 5e-324):
            with self.subTest(number=number):
                with open(path, "wb") as file:
                    file.write(sound[:place] + struct.pack("<d", number) + sound[place + 8:])
                ending = self.run_well(WEFT, "verify", path, status=1, layout=(0, None))
                self.assertIn("the coordinates of dimension 'place' are damaged", ending.err)
                self.assertIn("100 tiles verified", ending.out)
                self.assertEqual(self.status(path)["state"], "complete")
                self.weft("show", path, "known/hash")
                self.weft("show", path, "known/remainder", "--image", self.path("x.png"))
                # The others are found where they are.
                self.assertEqual(self.weft("show", path, "known/pair", "--image",
                                           self.path("y.png"), "--at", "place=250").err, "")
        with open(path, "wb") as file:
            file.write(sound)
        self.weft("verify", path)

    def test_flipped_byte_of_a_record(self):
        for byte in (0, 4, 31, 40, 48, 60):
            with self.subTest(byte=byte):
                path = self.make(*self.words, "--fresh")
                flip_byte(path, offset_of(path, "weft/known/tiles") + 57 * TILE_RECORD_BYTES + byte)
                lines, count, text = self.bad_tiles(path)
                self.assertEqual((len(lines), count), (1, 1))
                self.assertTrue(lines[0].startswith("tile 57, items 570 to 579: "), lines)
                self.assertIn("run the job's command again", text)
                self.assertNotIn("--fresh", text)
                self.assertEqual(self.status(path)["tiles_damaged"], 1)
                self.assertIn("damaged  1 tile record", self.weft("status", path).out)
                self.make(*self.words)
                self.weft("verify", path)
                self.assertEqual(self.status(path)["state"], "complete")

    def test_many_bad_tiles(self):
        path = self.make(*self.words)
        for tile in range(30, 55):
            flip_byte(path, offset_of(path, "known/hash") + 80 * tile)
        lines, count, text = self.bad_tiles(path)
        self.assertEqual((len(lines), count), (20, 25))
        self.assertIn("and 5 more\n", text)

    @unittest.skipUnless(FAULTY, "faulty.so is not built here")
    def test_bad_sectors(self):
        """What cannot be read is named; all else is verified, and damage found."""
        path = self.make(*self.words)
        pairs, records = offset_of(path, "known/pair"), offset_of(path, "weft/known/tiles")
        flip_byte(path, pairs + 16 * 503)
        sectors = [f"call=pread,from={pairs + 16 * first},before={pairs + 16 * end},"
                   f"errno={errno.EIO}" for first, end in ((125, 135), (700, 701))]
        lines, count, text = self.bad_tiles(path, env=faulty(*sectors))
        self.assertEqual([int(line.split()[1][:-1]) for line in lines], [12, 13, 50, 70], text)
        self.assertEqual([line.split(": ")[1] for line in lines],
                         [*["its bytes cannot be read"] * 2, "its bytes differ from its checksum",
                          "its bytes cannot be read"])
        self.assertIn("96 tiles verified, 0 not done yet, 4 DAMAGED", text)
        self.assertEqual(count, 4)
        # Where nothing is done yet, nothing is lost.
        path = self.make(*self.words, path=self.path("undone.h5"))
        with open(path, "r+b") as file:
            file.seek(records + 70 * TILE_RECORD_BYTES)
            file.write(bytes(TILE_RECORD_BYTES))
        ending = self.run_well(WEFT, "verify", path, layout=(0, None), env=faulty(sectors[1]))
        self.assertEqual(ending.out, f"{path}: 99 tiles verified, 1 not done yet\n")

    def test_unfinished(self):
        path = self.path()
        launch = self.start(KNOWN, "--out", path, "--count", 100, "--grain", 1, "--item-us",
                            20000, "--sync", 0, *self.gated(after=50))
        launch.wait_for(lambda: os.path.exists(path) and self.status(path)["items_done"] > 0,
                        "the first item")
        self.weft("verify", path)
        for pid in launch.ranks():
            strike(pid, signal.SIGKILL)
        launch.finish()
        done = int(results.done_items(path).sum())
        self.assertEqual(self.weft("verify", path).out,
                         f"{path}: {done} tiles verified, {100 - done} not done yet\n")


@needs(WEFT, "weft")
@needs(shutil.which("h5repack"), "h5repack")
class Repacked(CliTest):
    def repack(self, *options, source="result.h5", name="packed.h5"):
        subprocess.run(["h5repack", *options, self.path(source), self.path(name)], check=True,
                       timeout=SAFE_LIMIT_S)
        return self.path(name)

    def test_there_and_back(self):
        """Other layouts are not called damage, and the way back that the message names leads back."""
        words = ["--count", 1000, "--grain", 7, "--fail", "900,100,500"]
        self.make(*words, status=3)
        for options in (["-f", "GZIP=4"], ["-l", "CHUNK=16"], ["-l", "known/hash:COMPA"]):
            with self.subTest(options=options):
                packed = self.repack(*options)
                for name in ("status", "verify", "plan"):
                    self.assert_refused(2, name, packed, saying="has been repacked: /")
                ending = self.run_well(KNOWN, "--out", packed, *words, status=2, layout=(0, 1))
                self.assertIn("h5repack -l CONTI -f NONE turns it back", ending.err)
                back = self.repack("-l", "CONTI", "-f", "NONE", source="packed.h5", name="back.h5")
                self.assertIn("143 tiles verified", self.weft("verify", back).out)
                self.assertEqual(self.status(back)["failures"], self.status(self.path())["failures"])
                self.run_well(KNOWN, "--out", back, *words, "--retry-failed", status=3,
                              layout=(0, 1))

    def test_without_options(self):
        self.make("--count", 1000, "--grain", 7)
        self.assertIn("143 tiles verified", self.weft("verify", self.repack()).out)


if __name__ == "__main__":
    main()
