"""Plain arrays as an npz archive whose bytes depend on the content alone, and which can hold no object."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from features.errors import LoadlineError

MAX_ITEM_BYTES = 8  # of a number: wider floats differ from platform to platform
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can state
_UNIX = 3  # the system that zip entries name as their origin, whichever one wrote them


def plain_array(name: str, array: np.ndarray) -> np.ndarray:
    """Give an array read-only, in rows and in the machine's byte order; without a copy where it is so already.

    Raises
    ------
    LoadlineError
        Unless it holds booleans, integers, floats of at most 8 bytes or text of fixed width.
    """
    if type(array) is not np.ndarray or not (
        array.dtype.kind == "U" or (array.dtype.kind in "biuf" and array.dtype.itemsize <= MAX_ITEM_BYTES)
    ):
        found = array.dtype if type(array) is np.ndarray else type(array).__name__
        hint = "Use a numpy array of booleans, integers, floats of at most 8 bytes or text of fixed width."
        raise LoadlineError(f"an array of {found} cannot be saved", where=name, hint=hint)
    if array.flags.writeable or not array.flags.c_contiguous or not array.dtype.isnative:
        array = np.array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=True)
        array.setflags(write=False)
    return array


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Write arrays made by `plain_array` as an npz archive: no times, no compression, entries in the order given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EARLIEST)
            entry.create_system = _UNIX
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, _npy(array))
    return buffer.getvalue()


def unpack(content: bytes) -> dict[str, np.ndarray]:
    """Read an npz archive into read-only arrays; never unpickles, and never expands what is compressed.

    Raises
    ------
    ValueError
        Where the content is no archive of uncompressed plain arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ValueError("a compressed entry")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        for array in arrays.values():
            array.setflags(write=False)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, MemoryError, OSError, AttributeError) as error:
        raise ValueError(f"not an archive of plain arrays: {error}") from None
    return arrays


def _npy(array: np.ndarray) -> bytes:
    """Write version 1.0 of the npy format; numpy's own writer pads differently from one release to the next."""
    little = np.asarray(array, dtype=array.dtype.newbyteorder("<"))
    header = f"{{'descr': {little.dtype.str!r}, 'fortran_order': False, 'shape': {little.shape!r}, }}".encode("ascii")
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + little.tobytes()
