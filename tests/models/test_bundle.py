"""Saved models: whole or refused."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import LoadlineError
from models.bundle import MANIFEST, MAX_NAME_LENGTH, ModelBundle

META = {"as_of": "2024", "data_version": 3, "names": ["growth", "增速"], "metrics": {"ratio": 0.93, "missing": None}}
TREE = "tree\nversion=v4\r\nfeature_names=增速 x\n\n"


@pytest.fixture
def bundle() -> ModelBundle:
    arrays = {
        "residuals": np.arange(6, dtype=float).reshape(2, 3),
        "flags": np.array([True, False]),
        "codes": np.array(["D01", "不良率"]),
        "scale": np.array(2.5, dtype="f4"),
    }
    return ModelBundle("target", META, texts={"D01.mean": TREE, "D02": ""}, arrays=arrays)


@pytest.fixture
def saved(bundle: ModelBundle, tmp_path: Path) -> Path:
    return bundle.save(tmp_path / "model")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rewrite_manifest(folder: Path, change) -> None:
    """Change the manifest as a forger would: well formed, with hashes that fit."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    change(manifest)
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    (folder / MANIFEST).write_bytes(text.encode())


def rehash(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewrite_manifest(folder, lambda manifest: manifest["files"].update({name: entry}))


def test_what_is_loaded_is_what_was_saved(bundle, saved):
    loaded = ModelBundle.load(saved, expected=bundle.digest)
    assert loaded == bundle
    assert hash(loaded) == hash(bundle)
    assert loaded.kind == "target"
    assert dict(loaded.meta) == META
    assert dict(loaded.texts) == {"D01.mean": TREE, "D02": ""}
    for name, array in bundle.arrays.items():
        assert loaded.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.arrays[name], array, strict=True)


def test_equal_content_gives_equal_bytes_whatever_its_order_and_layout(bundle, saved, tmp_path):
    arrays = {name: array.copy(order="F") for name, array in reversed(bundle.arrays.items())}
    arrays["residuals"] = arrays["residuals"].astype(">f8")
    twin = ModelBundle("target", dict(reversed(META.items())), dict(reversed(bundle.texts.items())), arrays)
    assert files(twin.save(tmp_path / "twin")) == files(saved)
    assert twin.version == bundle.version == hashlib.sha256((saved / MANIFEST).read_bytes()).hexdigest()[:12]


def test_numpy_alone_reads_the_arrays(bundle, saved):
    with np.load(saved / "arrays.npz", allow_pickle=False) as archive:
        assert set(archive.files) == set(bundle.arrays)
        np.testing.assert_array_equal(archive["residuals"], bundle.arrays["residuals"], strict=True)


def test_each_part_changes_the_digest(bundle):
    others = [
        ModelBundle("path", bundle.meta, bundle.texts, bundle.arrays),
        ModelBundle("target", {**bundle.meta, "as_of": "2023"}, bundle.texts, bundle.arrays),
        ModelBundle("target", bundle.meta, {**bundle.texts, "D02": " "}, bundle.arrays),
        ModelBundle("target", bundle.meta, bundle.texts, {**bundle.arrays, "flags": np.array([True, True])}),
    ]
    assert len({bundle.digest, *(other.digest for other in others)}) == 5


def test_parts_cannot_be_changed(bundle):
    with pytest.raises(ValueError, match="read-only"):
        bundle.arrays["residuals"][0, 0] = 9.0
    with pytest.raises(TypeError):
        bundle.texts["more"] = "x"


def test_the_source_array_stays_its_owners(tmp_path):
    mine = np.zeros(3)
    bundle = ModelBundle("target", {}, arrays={"a": mine})
    mine[0] = 1.0
    assert bundle.arrays["a"][0] == 0.0


def test_any_flipped_byte_is_refused(saved):
    """Every byte of the small files, a spread of the archive."""
    for path in sorted(path for path in saved.rglob("*") if path.is_file()):
        good = path.read_bytes()
        for position in range(0, len(good), max(1, len(good) // 150)):
            path.write_bytes(good[:position] + bytes([good[position] ^ 0x01]) + good[position + 1 :])
            with pytest.raises(LoadlineError):
                ModelBundle.load(saved)
        path.write_bytes(good)
    assert ModelBundle.load(saved).kind == "target"


def test_a_change_names_the_file(saved):
    path = saved / "texts" / "D01.mean.txt"
    path.write_bytes(path.read_bytes().replace(b"v4", b"v5"))
    with pytest.raises(LoadlineError, match=r"not what was written") as caught:
        ModelBundle.load(saved)
    assert caught.value.where.endswith("texts/D01.mean.txt")


@pytest.mark.parametrize("name", [MANIFEST, "meta.json", "arrays.npz", "texts/D01.mean.txt"])
def test_a_file_cut_short_or_missing_is_refused(saved, name):
    path = saved / name
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    with pytest.raises(LoadlineError) as caught:
        ModelBundle.load(saved)
    assert caught.value.where.endswith(name)
    path.write_bytes(good + b"\n")
    with pytest.raises(LoadlineError):
        ModelBundle.load(saved)
    path.unlink()
    with pytest.raises(LoadlineError) as caught:
        ModelBundle.load(saved)
    assert caught.value.where.endswith(name)


@pytest.mark.parametrize("name", ["extra.txt", "texts/extra.txt", "texts/deep/extra.txt", "other/extra.txt"])
def test_an_unknown_file_is_refused(saved, name):
    (saved / name).parent.mkdir(exist_ok=True)
    (saved / name).write_text("x")
    with pytest.raises(LoadlineError, match="does not list"):
        ModelBundle.load(saved)


@pytest.mark.parametrize(
    "name", ["../outside.txt", "texts/../../outside.txt", "/outside.txt", "texts/a/b.txt", "run.py"]
)
def test_a_manifest_that_points_elsewhere_is_refused_before_anything_is_read(saved, name):
    content = b"outside"
    (saved.parent / "outside.txt").write_bytes(content)
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewrite_manifest(saved, lambda manifest: manifest["files"].update({name: entry}))
    with pytest.raises(LoadlineError, match="no model contains"):
        ModelBundle.load(saved)


def test_links_pipes_and_folders_are_refused(saved, tmp_path):
    meta = saved / "meta.json"
    meta.rename(tmp_path / "meta.json")
    meta.symlink_to(tmp_path / "meta.json")
    with pytest.raises(LoadlineError, match="link"):
        ModelBundle.load(saved)
    meta.unlink()
    meta.mkdir()
    with pytest.raises(LoadlineError, match="plain file"):
        ModelBundle.load(saved)
    meta.rmdir()
    os.mkfifo(meta)
    with pytest.raises(LoadlineError, match="plain file"):
        ModelBundle.load(saved)


def test_a_linked_folder_of_texts_is_refused(saved, tmp_path):
    (saved / "texts").rename(tmp_path / "texts")
    (saved / "texts").symlink_to(tmp_path / "texts")
    with pytest.raises(LoadlineError, match="link"):
        ModelBundle.load(saved)


def test_a_linked_manifest_is_refused(saved, tmp_path):
    (saved / MANIFEST).rename(tmp_path / MANIFEST)
    (saved / MANIFEST).symlink_to(tmp_path / MANIFEST)
    with pytest.raises(LoadlineError):
        ModelBundle.load(saved)


def test_another_digest_is_refused(bundle, saved):
    assert ModelBundle.load(saved, expected=bundle.version) == bundle
    for wrong in ("0" * 64, "0" * 12, bundle.digest[:11], "", bundle.digest + "0"):
        with pytest.raises(LoadlineError, match="the model is"):
            ModelBundle.load(saved, expected=wrong)


def test_a_forged_archive_with_an_object_array_runs_nothing(saved, tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    trap = np.empty(1, dtype=object)
    trap[0] = Trap()
    np.savez(tmp_path / "trap.npz", residuals=trap)
    rehash(saved, "arrays.npz", (tmp_path / "trap.npz").read_bytes())
    with pytest.raises(LoadlineError) as caught:
        ModelBundle.load(saved)
    assert caught.value.where.endswith("arrays.npz")
    rehash(saved, "arrays.npz", pickle.dumps(Trap()))
    with pytest.raises(LoadlineError):
        ModelBundle.load(saved)
    assert not (tmp_path / "sprung").exists()


def test_a_forged_archive_that_expands_is_refused(saved, tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", residuals=np.zeros(1 << 20))
    rehash(saved, "arrays.npz", (tmp_path / "bomb.npz").read_bytes())
    with pytest.raises(LoadlineError, match="compressed"):
        ModelBundle.load(saved)


def test_well_formed_content_that_no_save_wrote_is_refused(saved):
    rehash(saved, "meta.json", b'{"kind": "target", "meta": {}}')
    with pytest.raises(LoadlineError):
        ModelBundle.load(saved)
    rehash(saved, "meta.json", b"[" * 100_000)
    with pytest.raises(LoadlineError):
        ModelBundle.load(saved)


def test_a_later_format_is_refused(saved):
    rewrite_manifest(saved, lambda manifest: manifest.update(format=2))
    with pytest.raises(LoadlineError, match="format"):
        ModelBundle.load(saved)


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}], dtype=object),
        np.array(["2024-01-01"], dtype="datetime64[D]"),
        np.array([b"x"]),
        np.array([1j]),
        np.zeros(1, dtype=[("a", "f8")]),
        np.zeros(1, dtype=np.longdouble),
        np.ma.masked_array([1.0], mask=[True]),
        [1.0],
    ],
)
def test_arrays_that_are_not_plain_cannot_be_saved(array):
    with pytest.raises(LoadlineError, match="cannot be saved"):
        ModelBundle("target", {}, arrays={"a": array})


@pytest.mark.parametrize(
    "meta",
    [{"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {1: "x"}, {"a": {2: 1}}, {"a": "\ud800"}, {"a": {1}}],
)
def test_a_description_that_is_not_json_cannot_be_saved(meta):
    with pytest.raises(LoadlineError, match="description"):
        ModelBundle("target", meta)


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a/b", "a\\b", "a\0", "x" * (MAX_NAME_LENGTH + 1), "-rf"])
def test_names_that_could_escape_are_refused(name):
    with pytest.raises(LoadlineError, match="cannot name"):
        ModelBundle("target", {}, texts={name: "x"})
    with pytest.raises(LoadlineError, match="cannot name"):
        ModelBundle("target", {}, arrays={name: np.zeros(1)})


def test_text_that_is_not_unicode_is_refused(tmp_path):
    with pytest.raises(LoadlineError, match="Unicode"):
        ModelBundle("target", {}, texts={"a": "\ud800"}).save(tmp_path / "model")
    assert not any(tmp_path.iterdir())


def test_saving_again_is_idle_and_never_overwrites_another_model(bundle, saved):
    before = (saved / MANIFEST).stat().st_mtime_ns
    bundle.save(saved)
    assert (saved / MANIFEST).stat().st_mtime_ns == before
    with pytest.raises(LoadlineError, match="the model is"):
        ModelBundle("target", {"other": 1}).save(saved)
    assert ModelBundle.load(saved) == bundle


def test_an_empty_folder_can_be_saved_into(bundle, tmp_path):
    (tmp_path / "empty").mkdir()
    assert ModelBundle.load(bundle.save(tmp_path / "empty")) == bundle


def test_a_save_that_fails_leaves_nothing(bundle, tmp_path):
    (tmp_path / "model").write_text("a file is in the way")
    with pytest.raises(LoadlineError, match="could not be written"):
        bundle.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_no_model_says_so(tmp_path):
    with pytest.raises(LoadlineError, match="no saved model"):
        ModelBundle.load(tmp_path / "nothing")
    with pytest.raises(LoadlineError) as caught:
        ModelBundle.load(tmp_path)
    assert caught.value.where.endswith(MANIFEST)


def test_importing_it_imports_nothing_heavy():
    code = (
        "import sys, models.bundle; print(*[m for m in ('lightgbm', 'pandas', 'mlflow', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


names = st.from_regex(r"[A-Za-z0-9_增速][A-Za-z0-9_.增速-]{0,20}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
plain = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes()
    | hnp.unsigned_integer_dtypes()
    | hnp.floating_dtypes(sizes=(16, 32, 64))
)
arrays = hnp.arrays(
    plain | hnp.unicode_string_dtypes(max_len=4), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    meta=st.dictionaries(st.text(), json_values, max_size=4),
    texts=st.dictionaries(names, st.text(), max_size=3),
    arrays=st.dictionaries(names, arrays, max_size=3),
)
def test_round_trip(tmp_path_factory, meta, texts, arrays):
    bundle = ModelBundle("target", meta, texts, arrays)
    folder = bundle.save(tmp_path_factory.mktemp("bundle") / "model")
    loaded = ModelBundle.load(folder, expected=bundle.digest)
    assert loaded.digest == bundle.digest
    assert dict(loaded.meta) == json.loads(json.dumps(meta))
    assert dict(loaded.texts) == texts
    assert set(loaded.arrays) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array.astype(array.dtype.newbyteorder("=")), strict=True)
