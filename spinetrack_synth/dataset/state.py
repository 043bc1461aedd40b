"""What a folder already holds of a dataset, and whether that belongs to the run asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import fullbody_path
from spinetrack_synth.avatars import assets
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.files import numbered, read_json
from spinetrack_synth.dataset.layout import (
    LOCK,
    MANIFEST,
    WORK,
    Layout,
    images_folder,
    maps_folder,
)
from spinetrack_synth.errors import UserError
from spinetrack_synth.version import __version__

if TYPE_CHECKING:
    from spinetrack_synth.scenes import Scene, SceneMix

GENERATOR: Final = "spinetrack-synth"

Description = dict[str, Any]

LEFT_OUT: Final = "left_out"
"""Of a finished split: the causes of pictures that it goes without, by their indices."""


def describe(config: DatasetConfig) -> Description:
    """All that determines a split's content: settings, version, model and assets."""
    from spinetrack_synth.scenes import read_mix

    mix = read_mix(config.scene)
    motions = {path: _motion_sha256(Path(path)) for path in motion_weights(config)}
    return {
        **config.as_json(),
        **_described(mix),
        **({"motion_sha256": motions} if motions else {}),
        **_background_description(config),
        **_worn_description(config),
        "version": __version__,
        "model_sha256": file_sha256(fullbody_path()),
        "assets": assets.fingerprint(),
    }


def motion_weights(config: DatasetConfig) -> dict[str, float]:
    """The motions that people perform, path to weight: those asked for, else the scenes'."""
    from spinetrack_synth.scenes import read_mix

    if config.motions:
        return dict.fromkeys(config.motions, 1.0)
    return {
        path: weight
        for scene in _own_scenes(read_mix(config.scene)).values()
        for path, weight in scene.motions.items()
    }


def _background_description(config: DatasetConfig) -> Description:
    """The user's own backgrounds: the share of the pictures of each kind, and the files."""
    from spinetrack_synth.backgrounds import read_backgrounds

    backgrounds = read_backgrounds(config.backgrounds, config.hdri)
    if backgrounds is None:
        return {}
    return {**backgrounds.shares, "background_sha256": backgrounds.sha256()}


def _worn_description(config: DatasetConfig) -> Description:
    """The user's own clothes, hair and skins: the share of the people who wear some, the files, and
    what these say of licence and author."""
    from spinetrack_synth.community import read_folder

    if config.assets is None:
        return {}
    worn = read_folder(config.assets)
    return {
        "asset_share": worn.share, "asset_sha256": worn.sha256(), "asset_terms": worn.terms(),
    }  # fmt: skip


def _described(mix: SceneMix) -> Description:
    """The scenes of a run; those of the package go by their names alone.

    A file of the user's own is named as it names itself, wherever it lies, and known by what it and
    the meshes of its things hold.
    """
    own = _own_scenes(mix)
    called = {name: own[name].name if name in own else name for name in mix.weights}
    if len(set(called.values())) < len(called):
        names = list(called.values())
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"two of the scenes call themselves {twice!r}; change one's `name`")
    hashes = {called[name]: file_sha256(Path(name)) for name in own}
    props = {called[name]: _prop_sha256(scene) for name, scene in own.items() if scene.props}
    if len(called) == 1:
        (scene,) = called.values()
        told: Description = {"scene": scene}
        told |= {"scene_sha256": hashes[scene]} if hashes else {}
        return told | ({"prop_sha256": props[scene]} if props else {})
    weights = sorted((called[name], weight) for name, weight in mix.weights.items())
    told = {"scene": ",".join(f"{name}:{weight:g}" for name, weight in weights)}
    told |= {"scene_sha256": hashes} if hashes else {}
    return told | ({"prop_sha256": props} if props else {})


def _own_scenes(mix: SceneMix) -> dict[str, Scene]:
    """The scenes that are files of the user's own, by name as given, and are there."""
    from spinetrack_synth.scenes import load_scene

    return {name: load_scene(path) for name, path in mix.files().items() if path.is_file()}


def _motion_sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; give a motion file") from None


def _prop_sha256(scene: Scene) -> dict[str, str]:
    """The checksums of the files of the scene's things, by the things' names."""
    from spinetrack_synth.scenes import load_props

    loaded = load_props(scene.props)
    return {prop.name: mesh.sha256 for prop, mesh in zip(scene.props, loaded, strict=True)}


@dataclass(frozen=True)
class Holding:
    """What a folder holds of a split.

    ``committed`` pictures from index 0 on are in the annotation files, but for those that a closed
    split was left without; ``missing`` are the indices
    whose pictures are still to be made; ``drawn_by`` what the renderer said of itself.
    """

    committed: int
    missing: tuple[int, ...]
    drawn_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.missing


def inspect(layout: Layout, wanted: Description) -> Holding:
    """Look at a folder without touching it; raises UserError where it belongs to something else."""
    same = find_run(layout, wanted)
    made, count = made_until(layout), wanted["count"]
    if made > count:
        raise UserError(
            f"{layout.root}: count {made} there, {count} here; a dataset can grow but not shrink"
        )
    drawn_by = same.get("drawn_by", {}) if same else {}
    finished = read_splits(layout.root).get(layout.split, {"count": 0})
    committed = finished["count"]
    if not (layout.annotations.is_file() and layout.ground_truth.is_file()):
        committed = 0
    done = _done(layout, pictures_of(finished | {"count": committed}))
    missing = np.setdiff1d(np.arange(count), done, assume_unique=True)
    return Holding(committed, tuple(missing.tolist()), drawn_by)


def find_run(layout: Layout, wanted: Description) -> Description | None:
    """What the folder says of the split, the run under way before the finished one; None: nothing.

    Raises AnotherRunError where the folder belongs to something else, UserError where the split
    would repeat the pictures of another.
    """
    same = None
    for split, found in _all_descriptions(layout.root, read_splits(layout.root)):
        if split == layout.split:
            _check_same_run(layout.root, found, wanted)
            same = found
        elif all(found.get(key) == wanted.get(key) for key in ("scene", "scene_sha256", "seed")):
            raise UserError(
                f"{layout.root}: split {layout.split!r} would repeat the pictures of split "
                f"{split!r} (same scene, same seed); give another --seed"
            )
    return same


def made_until(layout: Layout) -> int:
    """One past the last picture that is done: where a run that was stopped can be closed."""
    finished: int = read_splits(layout.root).get(layout.split, {}).get("count", 0)
    done = _done(layout, np.arange(0))
    return max(finished, int(done[-1]) + 1 if len(done) else 0)


class AnotherRunError(UserError):
    """The folder belongs to another run, or to something else altogether."""


def read_splits(root: Path) -> dict[str, Description]:
    """The finished splits of a dataset by name; raises UserError for a folder that is not ours."""
    if not root.exists():
        return {}
    if not root.is_dir():
        raise AnotherRunError(f"{root}: is a file; give a folder")
    manifest = read_json(root / MANIFEST)
    if manifest is None:
        if {path.name for path in root.iterdir()} - {LOCK} and not (root / WORK).is_dir():
            raise AnotherRunError(
                f"{root}: is not empty and holds no dataset of ours; give a new folder"
            )
        return {}
    if manifest.get("generator") != GENERATOR:
        raise AnotherRunError(f"{root / MANIFEST}: is not from {GENERATOR}; give a new folder")
    splits: dict[str, Description] = manifest["splits"]
    return splits


def _all_descriptions(
    root: Path, splits: dict[str, Description]
) -> Iterator[tuple[str, Description]]:
    """Finished splits and those under way."""
    yield from splits.items()
    for path in sorted((root / WORK).glob("*/state.json")):
        found = read_json(path)
        if found is not None:
            yield path.parent.name, found


def _check_same_run(root: Path, found: Description, wanted: Description) -> None:
    # Who draws is known once a renderer is open.
    ignored = {"count", LEFT_OUT} | ({"drawn_by"} - wanted.keys())
    if told := differences(found, wanted, ignored):
        raise AnotherRunError(f"{root}: holds another run ({told}); give another folder")


def differences(there: Description, here: Description, ignored: Set[str]) -> str:
    """In what two descriptions differ, "" where they are the same."""
    return "; ".join(
        f"{key} {_shown(there.get(key))} there, {_shown(here.get(key))} here"
        for key in here | there
        if key not in ignored and there.get(key) != here.get(key)
    )


def _shown(value: object) -> str:
    """A setting as people write it: ``640x480`` for a pair, the start of a hash."""
    if value is None or value == {}:
        return "none"
    if isinstance(value, list):
        return "x".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    text = str(value)
    return text if len(text) <= 40 else text[:12] + "..."


def left_out(split: Mapping[str, Any]) -> tuple[int, ...]:
    """The indices of the pictures that a finished split goes without, ascending."""
    return tuple(int(index) for index in split.get(LEFT_OUT, ()))


def pictures_of(split: Mapping[str, Any]) -> NDArray[np.int64]:
    """The indices of the pictures that a finished split holds, ascending."""
    without = np.array(left_out(split), np.int64)
    return np.setdiff1d(np.arange(split["count"]), without, assume_unique=True)


def _done(layout: Layout, committed: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pictures that are there, each with its maps and its record, ascending; the records of
    those that are ``committed`` are in the files of the split."""
    done = numbered(images_folder(layout.root, layout.split), layout.format)
    for kind in layout.maps:
        done = np.intersect1d(done, numbered(maps_folder(layout.root, kind, layout.split), "png"))
    recorded = np.isin(done, numbered(layout.work, "json"))
    return done[recorded | np.isin(done, committed)]
