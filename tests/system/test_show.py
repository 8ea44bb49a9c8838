# SPDX-License-Identifier: BSD-3-Clause
"""weft show: statistics as NumPy has them, and pictures whose points are where they should be."""

import os
import struct
import zlib

import numpy as np

import results
from cli import CliTest
from launch import COAST, MANDELBROT, WEFT, main, needs

COUNT = 400
GREY, PINK = (0xd0, 0xd0, 0xd0), (0xff, 0x3f, 0xa4)
# Where the values begin in a picture.
LEFT, TOP = 124, 104


def read_png(path):
    """The points of a picture of eight bits a colour, as libpng writes it."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colours = struct.unpack(">IIBB", data[at + 8:at + 18])
            assert (depth, colours) == (8, 2)
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    rows, length = zlib.decompress(packed), 1 + 3 * width
    image, above = [], bytes(length + 2)
    for y in range(height):
        above = unfilter(rows[y * length:(y + 1) * length], above)
        image.append(above[3:])
    return np.array([list(row) for row in image]).reshape(height, width, 3)


def unfilter(row, above):
    """A row of bytes, with three zeros in front; `above` is the one before, likewise."""
    how, line = row[0], bytearray(3) + row[1:]
    if how == 0:
        return bytes(line)
    for i in range(3, len(line)):
        before, up = line[i - 3], above[i]
        if how == 1:
            guess = before
        elif how == 2:
            guess = up
        elif how == 3:
            guess = (before + up) // 2
        else:
            corner = above[i - 3]
            off = (abs(up - corner), abs(before - corner), abs(before + up - 2 * corner))
            guess = (before, up, corner)[off.index(min(off))]
        line[i] = (line[i] + guess) & 255
    return bytes(line)


@needs(WEFT, "weft")
class Show(CliTest):
    def rows(self, *words):
        """The table of fields, as {field: its cells}."""
        lines = self.weft("show", *words).out.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("field "))
        return {line.split()[0]: line.split() for line in lines[start + 1:] if line}

    def make_known(self):
        """With items that have failed, one of them the last."""
        return self.make("--count", COUNT, "--axis", 0.5, "--fail", "0,20,21,399", status=3)

    def test_statistics(self):
        path = self.make_known()
        said = self.weft("show", path).out
        self.assertIn("map known: 400 items, 400 done, 4 failed", said)
        self.assertRegex(said, r"place +400 +0 +199\.5 +m\n")
        good = ~np.isin(np.arange(COUNT), (0, 20, 21, 399))
        for name, cells in self.rows(path).items():
            values = results.known_values(COUNT)[name][good].astype(float).ravel()
            self.assertEqual(int(cells[2]), values.size)
            self.assertEqual(int(cells[3]), 4 * values.size // 396)
            expected = [values.min(), *np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95),
                                                   method="lower"),
                        values.max(), values.mean(), values.std(ddof=1)]
            np.testing.assert_allclose([float(cell) for cell in cells[4:13]], expected, rtol=1e-5)
        # An item that holds 0 and has not failed has a value, though others hold it as filler.
        self.assertEqual(self.rows(path, "remainder")["remainder"][4], "0")
        self.assertEqual(list(self.rows(path, "known/pair")), ["pair"])

    @needs(MANDELBROT, "mandelbrot")
    def test_very_many_values(self):
        """Their quantiles are nearly right."""
        self.run_well(MANDELBROT, "--out", self.path(), "--width", 640, "--height", 480,
                      "--max-iter", 60, "--progress", "never")
        with results.open_result(self.path()) as file:
            values = file["mandelbrot/iterations"][...].astype(float)
        cells = self.rows(self.path())["iterations"]
        np.testing.assert_allclose(
            [float(cell) for cell in cells[4:11]],
            [values.min(), *np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), method="lower"),
             values.max()], rtol=1e-3)
        self.assertIn("right to 0.1 %", self.weft("show", self.path()).out)

    def test_what_is_not_done(self):
        path = self.make("--count", COUNT, "--grain", 1, "--fail", "3,4", status=3)
        with results.open_result(path) as file:
            tiles = file["weft/known/tiles"].id.get_offset()
        with open(path, "r+b") as file:
            file.seek(tiles + 64 * 200)
            file.write(bytes(64 * 200))
        self.assertIn("200 done, 2 failed", self.weft("show", path).out)
        self.assertEqual(self.rows(path)["hash"][2:4], ["198", "2"])
        self.weft("show", path, "known/hash", "--image", self.path("x.png"))
        image = read_png(self.path("x.png"))
        row = image[TOP + 420, LEFT + 2:LEFT + 898]
        self.assertTrue((row[500:] == GREY).all())
        self.assertFalse((row[:440] == GREY).all(axis=1).any())
        bottom = image[TOP + 429, LEFT + 2:LEFT + 898]
        self.assertTrue((bottom[6:10] == PINK).all())
        self.assertFalse((bottom[14:440] == PINK).all(axis=1).any())
        # Rows are items, and columns the field's own dimension.
        self.weft("show", path, "known/pair", "--image", self.path("y.png"))
        image = read_png(self.path("y.png"))
        self.assertEqual((image == GREY).all(axis=2)[TOP:, LEFT:LEFT + 900].mean().round(1), 0.4)

    @needs(COAST, "coast")
    def test_a_map(self):
        """North is up, east is right, and the coordinates are those of the file."""
        self.run_well(COAST, "--out", self.path(), "--step", 5, "--resolution", "c", "--progress",
                      "never")
        self.weft("show", self.path(), "coast/land", "--image", self.path("x.png"))
        image = read_png(self.path("x.png"))
        sea, land = (0x44, 0x01, 0x54), (0xfd, 0xe7, 0x25)
        for lat, lon, expected in ((22, 12, land), (-22, 132, land), (52, 92, land),
                                   (-12, -52, land), (0, -30, sea), (-47, -122, sea),
                                   (32, -150, sea), (-87, 12, land)):
            point = image[round(TOP + 540 * (90 - lat) / 180), round(LEFT + 1080 * (lon + 180) / 360)]
            self.assertEqual(tuple(point), expected, (lat, lon))
        # Along one of its dimensions.
        for picture, at in (("y.png", "lat=-31"), ("z.png", "lat=-32.5")):
            self.weft("show", self.path(), "coast/distance", "--image", self.path(picture), "--at", at)
        with open(self.path("y.png"), "rb") as one, open(self.path("z.png"), "rb") as other:
            self.assertEqual(one.read(), other.read())
        self.weft("show", self.path(), "coast/nearest", "--image", self.path("y.png"),
                  "--at", "nearest_dim_0=1", "--at=lon=10")

    def test_wrong_words(self):
        path = self.make_known()
        picture = self.path("x.png")
        for words, says in ((["known/has"], "has no field 'has'; it has hash, pair, remainder"),
                            (["other/hash"], "has no map 'other'; it has known"),
                            (["--image", picture], "say which field to draw, as MAP/FIELD: there "
                                                   "are known/hash, known/pair, known/remainder"),
                            (["--at", "place=1"], "--at is for --image"),
                            (["hash", "--image", "/none/x.png"], "/none/x.png"),
                            (["hash", "--image", picture, "--at", "place=1"], "no dimension is left"),
                            (["hash", "--image", picture, "--at", "plac=1"],
                             "has no dimension 'plac'; it has place"),
                            (["hash", "--image", picture, "--at", "place"], "as in --at place=0"),
                            (["hash", "--image", picture, "--at", "place=x"], "'x' is not a number"),
                            (["pair", "--image", picture, "--at", "pair_dim_0=2"], "from 0 to 1"),
                            (["pair", "--image", picture, "--at", "pair_dim_0=0.5"], "whole number"),
                            (["pair", "--image", picture, "--at", "pair_dim_0=0,pair_dim_0=1"],
                             "given twice")):
            self.assert_refused(2, "show", path, *words, saying=says)
            self.assertFalse(os.path.exists(picture))
        self.assert_refused(2, "show", path + "x", saying="no file")
        self.assert_needs_stdout("show", path)

    def test_a_field_without_its_map(self):
        """It is found where only one map has it."""
        path = self.make("--count", 10, "--maps", 2)
        self.assert_refused(2, "show", path, "pair", saying="several maps have a field 'pair': say "
                                                            "which of known-0/pair, known-1/pair")
        self.assert_refused(2, "show", path, "pear",
                            saying=f"{path} has neither a map nor a field 'pear'; it has "
                                   "known-0/hash, known-0/pair, known-0/remainder, known-1/hash")
        self.assert_refused(2, "show", path, "pear/pair", saying="has no map 'pear'; it has known-0")
        self.assertEqual(list(self.rows(path, "known-1")), ["hash", "pair", "remainder"])

    @needs(COAST, "coast")
    def test_a_field_of_one_of_two_maps(self):
        self.run_well(COAST, "--out", self.path(), "--step", 30, "--resolution", "c", "--progress",
                      "never")
        for field, map in ("distance", "coast"), ("largest", "bands"):
            said = self.weft("show", self.path(), field).out
            self.assertEqual(said, self.weft("show", self.path(), f"{map}/{field}").out)
            self.assertIn(f"map {map}: ", said)
        self.weft("show", self.path(), "distance", "--image", self.path("x.png"))
        self.assertEqual(read_png(self.path("x.png")).ndim, 3)
        self.assert_refused(2, "show", self.path(), "land",
                            saying="say which of coast/land, bands/land")

    @needs(COAST, "coast")
    def test_too_many_dimensions(self):
        self.run_well(COAST, "--out", self.path(), "--step", 30, "--resolution", "c", "--progress",
                      "never")
        self.assert_refused(2, "show", self.path(), "coast/nearest", "--image", self.path("x.png"),
                            saying="3 dimensions left, and a picture two: lat (6), lon (12), "
                                   "nearest_dim_0 (2); say where to look along 1 of them, as in "
                                   "--at nearest_dim_0=0")

    def test_maps_without_fields_and_items(self):
        path = self.make("--count", 0)
        self.assertEqual(self.rows(path)["hash"][2:6], ["0", "0", "-", "-"])
        self.assert_refused(2, "show", path, "hash", "--image", self.path("x.png"),
                            saying="no items to draw")


if __name__ == "__main__":
    main()
