"""LightGBM's own library, called without its Python package, which would bring pandas and scikit-learn along.

Source: `LightGBM/c_api.h`, version 4.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from features.errors import LoadlineError

FLOAT32 = 0
NORMAL, RAW = 0, 1
"""What is asked for: the output, or the sum of the trees before the objective's link."""
_ONE_THREAD = b"num_threads=1"
"""Threads that wait for one another cost more than they save on the few rows of a request."""


@cache
def library() -> ctypes.CDLL:
    """Load the library.

    Raises
    ------
    LoadlineError
        Where LightGBM is not installed as it usually is.
    """
    spec = find_spec("lightgbm")  # finds the package without importing it
    folders = () if spec is None else spec.submodule_search_locations or ()
    places = [Path(folder) / part / "lib_lightgbm.so" for folder in folders for part in ("lib", ".", "bin")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise LoadlineError("LightGBM's library is not there", hint="Install LightGBM from its wheel.")
    loaded = ctypes.CDLL(str(found))
    loaded.LGBM_GetLastError.restype = ctypes.c_char_p
    return loaded


@cache
def _brief() -> ctypes.PyDLL:
    """Give the library for calls of some microseconds: to let other threads run meanwhile would take longer."""
    return ctypes.PyDLL(library()._name)


class Trees:
    """A LightGBM model; may be asked by several threads at once.

    Parameters
    ----------
    text : str
        In LightGBM's text format. It must be known to be sound: a damaged one can end the process.
    raw : bool
        Give the sum of the trees, such as log-odds, and not the output.

    Raises
    ------
    LoadlineError
        Where the library refuses the text.
    """

    def __init__(self, text: str, *, raw: bool) -> None:
        self._library = library()
        self._kind = RAW if raw else NORMAL
        self._handle = ctypes.c_void_p()
        rounds = ctypes.c_int(0)
        self._call("LGBM_BoosterLoadModelFromString", text.encode(), ctypes.byref(rounds), ctypes.byref(self._handle))
        columns, outputs = ctypes.c_int(0), ctypes.c_int(0)
        self._call("LGBM_BoosterGetNumFeature", self._handle, ctypes.byref(columns))
        self._call("LGBM_BoosterGetNumClasses", self._handle, ctypes.byref(outputs))
        if outputs.value != 1:
            raise LoadlineError(f"a model of {outputs.value} outputs, where one is wanted")
        self.columns = columns.value
        self._own = threading.local()

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Give the output (n,) of rows (n, F) float32 in C order, NaN where nothing is known."""
        if X.dtype != np.float32 or X.ndim != 2 or X.shape[1] != self.columns or not X.flags.c_contiguous:
            raise LoadlineError(f"rows {X.dtype} of shape {X.shape} for a model of {self.columns} columns")
        return self._one(X) if len(X) == 1 else self._many(X)

    def _one(self, X: np.ndarray) -> np.ndarray:
        """Ask about one row by a handle that is prepared for it; each thread has its own."""
        prepared = getattr(self._own, "prepared", None)
        if prepared is None:
            prepared = self._own.prepared = _Prepared(self, self._handle, self._kind)
        return prepared.predict(X)

    def _many(self, X: np.ndarray) -> np.ndarray:
        found, length = np.empty(len(X)), ctypes.c_int64(0)
        if len(X):
            shape = (ctypes.c_int32(len(X)), ctypes.c_int32(self.columns), ctypes.c_int(1))
            asked = (ctypes.c_int(self._kind), ctypes.c_int(0), ctypes.c_int(-1), _ONE_THREAD)
            out = (ctypes.byref(length), ctypes.c_void_p(found.ctypes.data))
            rows = (ctypes.c_void_p(X.ctypes.data), ctypes.c_int(FLOAT32))
            self._call("LGBM_BoosterPredictForMat", self._handle, *rows, *shape, *asked, *out)
        return found

    def _call(self, name: str, *arguments: object) -> None:
        if getattr(self._library, name)(*arguments):
            told = self._library.LGBM_GetLastError().decode("utf-8", "replace")
            raise LoadlineError(f"LightGBM refuses: {told}")

    def __del__(self) -> None:
        """Give the memory back."""
        if getattr(self, "_handle", None):
            self._library.LGBM_BoosterFree(self._handle)


class _Prepared:
    """One thread's way to ask about one row."""

    def __init__(self, trees: Trees, handle: ctypes.c_void_p, kind: int) -> None:
        self._library = library()
        self._config = ctypes.c_void_p()
        self._length, self._found = ctypes.c_int64(0), ctypes.c_double(0.0)
        asked = (ctypes.c_int(kind), ctypes.c_int(0), ctypes.c_int(-1), ctypes.c_int(FLOAT32))
        trees._call(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            *(handle, *asked, ctypes.c_int32(trees.columns), _ONE_THREAD, ctypes.byref(self._config)),
        )
        self._ask = _brief().LGBM_BoosterPredictForMatSingleRowFast
        self._out = (ctypes.byref(self._length), ctypes.byref(self._found))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Give the output (1,) of one row (1, F)."""
        if self._ask(self._config, ctypes.c_void_p(X.ctypes.data), *self._out):
            raise LoadlineError(f"LightGBM refuses: {self._library.LGBM_GetLastError().decode('utf-8', 'replace')}")
        return np.array([self._found.value])

    def __del__(self) -> None:
        """Give the memory back."""
        if getattr(self, "_config", None):
            self._library.LGBM_FastConfigFree(self._config)
