"""Archives of plain arrays."""

import io

import numpy as np
import pytest

from models.npz import pack, plain_array, unpack


def test_an_array_that_is_plain_already_is_not_copied():
    array = plain_array("a", np.arange(3.0))
    assert plain_array("a", array) is array
    assert unpack(pack({"a": array}))["a"].flags.writeable is False


def test_numpy_reads_every_header_length():
    """The padding of the header must be right whatever the length of the shape."""
    for shape in [
        (),
        (1,),
        (0, 7),
        (1,) * 12,
        (123456, 1),
        *[(1,) * dimensions + (10**5,) for dimensions in range(20)],
    ]:
        array = plain_array("a", np.zeros(shape, dtype="i1"))
        content = pack({"a": array})
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            assert archive["a"].shape == shape


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY"])
def test_what_is_no_archive_is_refused(content):
    with pytest.raises(ValueError):
        unpack(content)
