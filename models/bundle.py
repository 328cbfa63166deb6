"""What is saved of a model: LightGBM text, JSON and plain arrays under a manifest of hashes; never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from features.errors import LoadlineError
from models.npz import pack, plain_array, unpack

FORMAT = 1
MANIFEST = "manifest.json"
META = "meta.json"
ARRAYS = "arrays.npz"
TEXTS = "texts"
TEXT_SUFFIX = ".txt"
PARTIAL_SUFFIX = ".partial"  # of folders being written; whoever holds the place may delete what a crash left behind

VERSION_LENGTH = (
    12  # hexadecimal digits, 48 bits: enough to tell the models of one home apart, short enough to read out
)
MAX_MANIFEST_BYTES = 4 << 20  # some 30,000 files; read before anything about it is known, hence bounded
MAX_NAME_LENGTH = 60  # characters; at four bytes each with a suffix still under the 255 bytes that file systems allow

_NAME = re.compile(r"\w[\w.-]*")
_HINT = "Fetch it again from the registry, or train again; do not edit a saved model."


@dataclass(frozen=True, eq=False)
class ModelBundle:
    """A model as plain data, identified by the digest of its manifest.

    Attributes
    ----------
    kind : str
        What reads it, such as `target`.
    meta : Mapping
        Plain JSON: data version and fingerprint, `as_of`, policy and code version, feature names, seed, metrics.
        Neither NaN nor infinity; tuples become lists.
    texts : Mapping[str, str]
        LightGBM models in their text form, by name.
    arrays : Mapping[str, np.ndarray]
        Booleans, integers and floats of at most 8 bytes, and text of fixed width; read-only, by name.

    Raises
    ------
    LoadlineError
        Where a part cannot be stored as plain data.

    Examples
    --------
    >>> bundle = ModelBundle("target", {"seed": 7}, arrays={"scale": np.array([1.0, 2.0])})
    >>> bundle == ModelBundle("target", {"seed": 7}, arrays={"scale": np.array([1.0, 2.0])})
    True
    >>> len(bundle.digest), bundle.digest.startswith(bundle.version)
    (64, True)
    """

    kind: str
    meta: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.kind, *self.texts, *self.arrays):
            check_name(name)
        frozen = {
            "meta": MappingProxyType(_plain(self.meta)),
            "texts": MappingProxyType({name: self.texts[name] for name in sorted(self.texts)}),
            "arrays": MappingProxyType({name: plain_array(name, self.arrays[name]) for name in sorted(self.arrays)}),
        }
        for attribute, value in frozen.items():
            object.__setattr__(self, attribute, value)

    @cached_property
    def digest(self) -> str:
        """Give the SHA-256 of the manifest, 64 hexadecimal digits; equal content has an equal digest everywhere."""
        hashes = {name: (_sha256(content), len(content)) for name, content in self._files()}
        return _sha256(_manifest(self.kind, hashes))

    @property
    def version(self) -> str:
        """Give the first digits of the digest, for people and for file names."""
        return self.digest[:VERSION_LENGTH]

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, ModelBundle) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def _files(self) -> Iterator[tuple[str, bytes]]:
        yield META, _json({"kind": self.kind, "meta": dict(self.meta)})
        if self.arrays:
            yield ARRAYS, pack(self.arrays)
        for name, text in self.texts.items():
            yield f"{TEXTS}/{name}{TEXT_SUFFIX}", _utf8(name, text)

    def save(self, folder: str | Path) -> Path:
        """Write the bundle as a folder, whole or not at all; the same content always gives the same bytes.

        Saving what is already there does nothing.

        Raises
        ------
        LoadlineError
            Where the folder holds anything else, or cannot be written.
        """
        folder = Path(folder)
        if folder.is_dir() and any(folder.iterdir()):
            self.load(folder, expected=self.digest)
            return folder
        partial = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
        try:
            partial.mkdir(parents=True)
            hashes = {}
            if self.texts:
                (partial / TEXTS).mkdir()
            for name, content in self._files():
                _write(partial / name, content)
                hashes[name] = (_sha256(content), len(content))
            _write(partial / MANIFEST, _manifest(self.kind, hashes))
            for written in (partial / TEXTS, partial) if self.texts else (partial,):
                sync_folder(written)
            os.rename(partial, folder)
            sync_folder(folder.parent)
        except OSError as error:
            hint = "Check the free space and the rights on the folder, and try again; nothing was left behind."
            raise LoadlineError(
                f"the model could not be written: {error.strerror}", where=str(folder), hint=hint
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return folder

    @classmethod
    def load(cls, folder: str | Path, *, expected: str | None = None) -> ModelBundle:
        """Read a saved bundle; names, sizes and hashes are verified before anything is parsed.

        Parameters
        ----------
        expected : str, optional
            The digest, or its first 12 or more digits, that the bundle must have. Without it a bundle is known to be
            whole, but not to be the one that was saved.

        Raises
        ------
        LoadlineError
            Where a file is missing, unknown, changed, cut short or a link, or the digest is another one.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise LoadlineError(
                "there is no saved model", where=str(folder), hint="Check the path, or train a model first."
            )
        raw = _read(folder, MANIFEST, limit=MAX_MANIFEST_BYTES)
        digest = _sha256(raw)
        if expected is not None and not is_digest_of(expected, digest):
            raise _refused(folder, MANIFEST, f"the model is {digest[:VERSION_LENGTH]}, not {expected[:VERSION_LENGTH]}")
        listed = _listed(folder, raw)
        present = set(_present(folder))
        for name in sorted(set(listed) - present):
            raise _refused(folder, name, "the file is missing")
        for name in sorted(present - set(listed) - {MANIFEST}):
            raise _refused(folder, name, "the manifest does not list this file")
        contents = {name: _verified(folder, name, *entry) for name, entry in listed.items()}
        bundle = _parsed(folder, contents)
        if bundle.digest != digest:
            raise _refused(folder, MANIFEST, "the files are not as this version writes them")
        return bundle


def is_digest_of(given: str, digest: str) -> bool:
    """Tell whether a full digest, or a beginning of it of at least `VERSION_LENGTH` digits, names the digest."""
    return len(given) >= VERSION_LENGTH and digest.startswith(given)


def check_name(name: str) -> None:
    """Refuse a name of a model or of a part of one that could not be a file's, or that could lead elsewhere.

    Raises
    ------
    LoadlineError
        Unless it has up to `MAX_NAME_LENGTH` letters, digits, `_`, `.` and `-`, and begins with none of the last two.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        hint = f"Use at most {MAX_NAME_LENGTH} letters, digits, '_', '.' and '-', beginning with none of the last two."
        raise LoadlineError(f"{name!r} cannot name a model or a part of one", hint=hint)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(meta: Mapping[str, Any]) -> dict[str, Any]:
    try:
        plain = json.loads(_json(dict(meta)))
    except (TypeError, ValueError, RecursionError) as error:
        hint = "Use text, whole numbers, finite floats, lists and dictionaries keyed by text; null stands for unknown."
        raise LoadlineError(f"the description of a model is not plain JSON: {error}", where="meta", hint=hint) from None
    if plain != _listed_tuples(meta):
        raise LoadlineError(
            "the description of a model has keys that are not text", where="meta", hint="Key it by text."
        )
    return plain


def _listed_tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed_tuples(item) for key, item in value.items()}
    return [_listed_tuples(item) for item in value] if isinstance(value, list | tuple) else value


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1) + "\n").encode()


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except (UnicodeEncodeError, AttributeError):
        raise LoadlineError("a text of a model is not Unicode text", where=name, hint="Pass a string.") from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _manifest(kind: str, hashes: Mapping[str, tuple[str, int]]) -> bytes:
    files = {name: {"bytes": size, "sha256": digest} for name, (digest, size) in hashes.items()}
    return _json({"files": files, "format": FORMAT, "kind": kind})


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _refused(folder: Path, name: str, what: str) -> LoadlineError:
    return LoadlineError(what, where=str(folder / name), hint=_HINT)


def _read(folder: Path, name: str, *, limit: int) -> bytes:
    """Read a plain file of at most `limit` bytes; follows no link and waits for no pipe."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(folder, name, f"the file cannot be read: {error.strerror}") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise _refused(folder, name, "this is not a plain file")
    with open(handle, "rb") as file:
        if status.st_size > limit:
            raise _refused(folder, name, f"the file has {status.st_size:,} bytes, more than the {limit:,} expected")
        return file.read(limit + 1)


def _listed(folder: Path, raw: bytes) -> dict[str, tuple[str, int]]:
    try:
        manifest = json.loads(raw)
        if manifest["format"] != FORMAT:
            raise _refused(folder, MANIFEST, f"the format is {manifest['format']!r}, and this version reads {FORMAT}")
        listed = {str(name): (str(entry["sha256"]), int(entry["bytes"])) for name, entry in manifest["files"].items()}
        canonical = raw == _manifest(manifest["kind"], listed)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refused(folder, MANIFEST, "this is not the manifest of a model") from None
    if not canonical:
        raise _refused(folder, MANIFEST, "the manifest is not as it was written")
    for name in listed:
        inside = name.removeprefix(f"{TEXTS}/").removesuffix(TEXT_SUFFIX)
        if name not in (META, ARRAYS) and not (name == f"{TEXTS}/{inside}{TEXT_SUFFIX}" and _NAME.fullmatch(inside)):
            raise _refused(folder, MANIFEST, f"the manifest lists {name!r}, which no model contains")
    if META not in listed:
        raise _refused(folder, MANIFEST, f"the manifest does not list {META}")
    return listed


def _present(folder: Path, within: str = "") -> Iterator[str]:
    with os.scandir(folder / within) as entries:
        for entry in entries:
            name = within + entry.name
            if entry.is_symlink():
                raise _refused(folder, name, "a link is not accepted")
            if entry.is_dir(follow_symlinks=False) and name == TEXTS:
                yield from _present(folder, f"{TEXTS}/")
            else:
                yield name


def _verified(folder: Path, name: str, digest: str, size: int) -> bytes:
    content = _read(folder, name, limit=size)
    if len(content) != size:
        raise _refused(folder, name, f"the file has {len(content):,} bytes where {size:,} were written")
    if _sha256(content) != digest:
        raise _refused(folder, name, "the content is not what was written")
    return content


def _parsed(folder: Path, contents: Mapping[str, bytes]) -> ModelBundle:
    name = META
    try:
        described = json.loads(contents[META])
        kind, meta = described["kind"], described["meta"]
        name = ARRAYS
        arrays = unpack(contents[ARRAYS]) if ARRAYS in contents else {}
        texts = {}
        for name in sorted(set(contents) - {META, ARRAYS}):
            texts[name.removeprefix(f"{TEXTS}/").removesuffix(TEXT_SUFFIX)] = contents[name].decode()
        name = META
        return ModelBundle(kind, meta, texts, arrays)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, LoadlineError) as error:
        raise _refused(folder, name, f"the content cannot be read: {error}") from None
