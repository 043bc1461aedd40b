"""The model that a recording is fitted to: a file's, with markers added, made a person's."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.anatomy.documents import beside, file_beside, read_document
from spinetrack_synth.anatomy.markers import (
    Marker,
    fixed_markers,
    read_marker_set,
    with_markers,
)
from spinetrack_synth.anatomy.model import GROUND, Tree, load_model
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.marker_matching import as_spelt
from spinetrack_synth.motion.marker_sets import MarkerSet, recognise
from spinetrack_synth.motion.opensim_tool import quiet, stiff_tree
from spinetrack_synth.motion.scaling import Person

_NAMES_A_SET: Final = re.compile(rb"<marker_set_file>|<MarkerSet\b[^>]*\bfile\s*=")


@dataclass(frozen=True)
class Model:
    """A model file and what was made of it.

    ``tree`` the model as it is fitted; ``added`` the markers that the file does not have, those of
    the laboratory's set ``lab`` among them, where it is known; ``person`` whose it was made, None
    where it has the size of the file.
    """

    path: Path
    tree: Tree
    added: tuple[Marker, ...] = ()
    lab: MarkerSet | None = None
    person: Person | None = None

    @property
    def is_of_file(self) -> bool:
        """Whether the file holds the model as it is fitted."""
        return not self.added and self.person is None

    @property
    def fixed(self) -> frozenset[str]:
        """The markers that marker placement leaves where they are."""
        own = fixed_markers(self.path) - {marker.name for marker in self.added}
        return own | {marker.name for marker in self.added if marker.fixed}


def open_model(path: Path, marker_sets: tuple[Path, ...] = (), for_opensim: bool = False) -> Model:
    """A model with its markers: its own, those of the set that its file names, and those of
    ``marker_sets``, the later ones in place of the earlier; ``for_opensim`` one that only OpenSim
    can move, too. Raises UserError as they do."""
    tree = _tree(path, for_opensim)
    added: dict[str, Marker] = {}
    for file in (*_named_set(path), *marker_sets):
        markers = read_marker_set(file)
        tree = with_markers(tree, markers, str(file))
        added |= {marker.name: marker for marker in markers}
    return Model(path, tree, tuple(added.values()))


def with_lab_markers(model: Model, names: Collection[str], static: Collection[str] = ()) -> Model:
    """The model with the markers of the laboratory's set that a recording's ``names`` are known to
    be, where its bodies are those of the project's own model; otherwise as it is. Those that only
    a ``static`` trial has (the inner sides of knees and ankles, mostly) are put on as well."""
    lab = recognise(names, model.tree)
    if lab is None:
        return model
    markers = lab.markers(as_spelt(names, lab.landmarks) | as_spelt(static, lab.landmarks))
    return dataclasses.replace(
        model, tree=with_markers(model.tree, markers), added=(*model.added, *markers), lab=lab
    )


def _named_set(path: Path) -> tuple[Path, ...]:
    """The file of markers that a model names in place of holding them."""
    if not _NAMES_A_SET.search(path.read_bytes()):
        return ()
    model = read_document(path, "an OpenSim model (.osim)").find("Model")
    if model is None:
        return ()
    marker_set = model.find("MarkerSet")
    inner = "" if marker_set is None else marker_set.get("file", "").strip()
    named = beside(path, inner) if inner else file_beside(path, model, "marker_set_file")
    return () if named is None else (named,)


def _tree(path: Path, for_opensim: bool) -> Tree:
    """The model; stiff where only OpenSim can move it and is to."""
    try:
        return load_model(path)
    except UserError as error:
        try:
            tree = stiff_tree(path)
        except (UserError, ModuleNotFoundError):
            raise error from None
        if for_opensim:
            return tree
        raise UserError(f"{error}; OpenSim's own tool solves it: --engine opensim") from None


@contextlib.contextmanager
def model_file(model: Model) -> Iterator[Path]:
    """The model as a file for OpenSim: its own where that will do, else one written for the while.

    Raises as `write_model` does.
    """
    if model.is_of_file:
        yield model.path
        return
    with tempfile.TemporaryDirectory() as folder:
        write_model(model, written := Path(folder) / model.path.name)
        yield written


def write_model(model: Model, out: Path) -> None:
    """Write the model with everything that its file holds, through OpenSim.

    Raises UserError where OpenSim cannot, ModuleNotFoundError where it is not installed.
    """
    import opensim

    with quiet(opensim):
        try:
            written = opensim.Model(str(model.path))
            _set_markers(opensim, written, model)
            if model.person is not None:
                _scale(opensim, written, model.person)
            _move_markers(opensim, written, model.tree)
            written.finalizeConnections()
            if not written.printToXML(str(out)):
                raise UserError(f"{out}: cannot be written")
        except RuntimeError as error:
            raise UserError(f"OpenSim cannot write {out}: {' '.join(str(error).split())}") from None


def _set_markers(opensim: Any, written: Any, model: Model) -> None:
    """Those that the tree lacks are taken off the model, those that it has beyond it are added."""
    tree = model.tree
    fixed = {marker.name: marker.fixed for marker in model.added}
    there = written.updMarkerSet()
    for index in range(there.getSize() - 1, -1, -1):
        name = there.get(index).getName()
        if name not in tree.marker_index or name in fixed:
            there.remove(index)
    known = {there.get(index).getName() for index in range(there.getSize())}
    for name, body, offset_m in zip(tree.marker_names, tree.marker_body, tree.marker_offset_m):
        if name not in known:
            at = opensim.Vec3(*offset_m.tolist())
            marker = opensim.Marker(name, _body(written, tree, body), at)
            marker.set_fixed(fixed.get(name, False))
            written.addMarker(marker)
    written.finalizeConnections()


def _scale(opensim: Any, written: Any, person: Person) -> None:
    state = written.initSystem()
    scales = opensim.ScaleSet()
    for body, row in zip(person.tree.bodies, person.factors):
        scale = opensim.Scale()
        scale.setSegmentName(body)
        scale.setScaleFactors(opensim.Vec3(*row.tolist()))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    written.scale(state, scales, person.preserve_mass, person.mass_kg or -1.0)


def _move_markers(opensim: Any, written: Any, tree: Tree) -> None:
    """Every marker to its place in the tree, in whichever frame it is given."""
    state = written.initSystem()
    markers = written.updMarkerSet()
    for name, body, offset_m in zip(tree.marker_names, tree.marker_body, tree.marker_offset_m):
        marker, at = markers.get(name), opensim.Vec3(*offset_m.tolist())
        frame = marker.getParentFrame()
        marker.set_location(
            _body(written, tree, body).findStationLocationInAnotherFrame(state, at, frame)
        )


def _body(written: Any, tree: Tree, body: int) -> Any:
    if body == GROUND:
        return written.getGround()
    return written.getBodySet().get(tree.bodies[body])
