"""Compiling works where nothing can be kept on disk."""

from __future__ import annotations

from models.compiled import compiled

ADD_UP = """
def add_up(count):
    total = 0
    for k in range(count):
        total += k
    return total
"""


def test_what_has_no_file_to_be_kept_beside_is_compiled_all_the_same():
    found: dict = {}
    exec(ADD_UP, found)  # numba finds no place for its cache, as where neither package nor home can be written to
    assert compiled()(found["add_up"])(5) == 10
