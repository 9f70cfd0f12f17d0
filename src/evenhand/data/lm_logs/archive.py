"""Members of a zip archive from outside, one after the other: bounded, in memory, and never by their paths."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, need, shorten

if TYPE_CHECKING:
    from pathlib import Path

MOST_MEMBERS: Final = 2_000_000
LARGEST: Final = 1 << 28
"""Bytes of one member."""
WHOLE: Final = 1 << 36
"""Bytes of all members together, as the archive declares them."""
ZSTANDARD: Final = 93
"""How Inspect compresses members; the zipfile of Python knows it from 3.14 on."""
HEADER: Final = struct.Struct("<4s22xHH")
"""Signature, and lengths of name and extra field, of the header before a member."""


class Archive:
    """A zip archive; a context manager.

    Raises
    ------
    InputError
        When it is no archive, or declares more than is read.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            self._zip = zipfile.ZipFile(place)
        except (OSError, zipfile.BadZipFile, ValueError, RuntimeError) as wrong:
            raise InputError(f"{place}: this is no archive that can be read: {shorten(wrong)}.") from None
        self.members = {member.filename: member for member in self._zip.infolist()}
        sizes = sum(member.file_size for member in self._zip.infolist())
        if len(self.members) > MOST_MEMBERS or sizes > WHOLE:
            self._zip.close()
            raise InputError(
                f"{place}: it declares {len(self.members):,} members of {sizes:,} bytes; that is not read."
            )

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *about: object) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes:
        """Return a member's bytes.

        Raises
        ------
        InputError
            When it is encrypted, larger than it says, damaged, or compressed in a way that is not known here.
        """
        member, where = self.members[name], f"{self.place}, {shorten(name)}"
        if member.flag_bits & 1:
            raise InputError(f"{where}: it is encrypted, and is not read.")
        if member.file_size > LARGEST:
            raise InputError(f"{where}: it holds {member.file_size:,} bytes; {LARGEST:,} at most are read.")
        try:
            if member.compress_type == ZSTANDARD:
                return self._zstandard(member, where)
            with self._zip.open(member) as held:
                return held.read(LARGEST)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as wrong:
            raise InputError(f"{where}: it cannot be read: {shorten(wrong)}.") from None

    def _zstandard(self, member: zipfile.ZipInfo, where: str) -> bytes:
        """Return the bytes of a member that is compressed by Zstandard."""
        need("pyarrow", "data")
        import pyarrow as pa

        with self.place.open("rb") as file:
            file.seek(member.header_offset)
            signature, name, extra = HEADER.unpack(file.read(HEADER.size))
            if signature != b"PK\x03\x04" or member.compress_size > LARGEST:
                raise InputError(f"{where}: its place in the archive holds no such member.")
            file.seek(name + extra, 1)
            packed = file.read(member.compress_size)
        with pa.input_stream(pa.py_buffer(packed), compression="zstd") as stream:
            found = bytes(stream.read(member.file_size + 1))
        if len(found) != member.file_size or zlib.crc32(found) != member.CRC:
            raise InputError(f"{where}: its content is not what the archive says of it; the file is damaged.")
        return found
