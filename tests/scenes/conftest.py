"""A cast of mannequins, and one variant of every place: cheap people in the real surroundings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.poses.collision import Capsules, capsules_from_skin
from spinetrack_synth.poses.mannequin import mannequin
from spinetrack_synth.poses.skin import SkinProbe, probe_from_skin
from spinetrack_synth.scenes import Scene, clips, gait, load_scene, placing, trajectories
from spinetrack_synth.scenes.places import PLACES
from spinetrack_synth.shot import Material, PosedPerson, Surface
from spinetrack_synth.skeleton import NAMES


@dataclass(frozen=True)
class MannequinAvatar:
    """What `placing` needs of an avatar."""

    name: str
    tree: Tree
    probe: SkinProbe
    capsules: Capsules
    offset_m: NDArray[np.float64]
    faces: NDArray[np.int32]
    parts: tuple[()] = ()

    @property
    def skin_body(self) -> NDArray[np.int64]:
        return self.probe.body

    @property
    def skin_faces(self) -> NDArray[np.int32]:
        """Triangles as the quads that skins are made of."""
        return self.faces[:, [0, 1, 2, 2]]

    def posed(self, q: NDArray[np.float64]) -> PosedPerson:
        body2world = body_transforms(self.tree, q)
        frames = body2world[self.probe.body]
        skin = np.einsum("vij,vj->vi", frames[:, :3, :3], self.offset_m) + frames[:, :3, 3]
        skin = skin.astype(np.float32)
        markers = dict(zip(self.tree.marker_names, marker_positions(self.tree, q)))
        uv = np.zeros((len(skin), 2), np.float32)
        surface = Surface(f"{self.name}/skin", skin, self.faces, uv, Material((0.7, 0.5, 0.4)))
        return PosedPerson(
            subject_id=self.name,
            pose="",
            coordinates=q,
            scale_factors=np.ones((len(self.tree.bodies), 3)),
            body2world=body2world,
            keypoints_world=np.array([markers[name] for name in NAMES]),
            skin_world=skin,
            skin_body=self.probe.body.astype(np.int32),
            surfaces=(surface,),
        )


class MannequinCast:
    """Twelve mannequins that differ in name only."""

    changing = False

    def __init__(self) -> None:
        self.size = 12
        tree = load_model(fullbody_path())
        figure = mannequin(tree)
        rest = np.zeros(len(tree.coordinates))
        probe = probe_from_skin(tree, rest, figure.vertices_world, figure.body, figure.faces)
        self._first = MannequinAvatar(
            name="mannequin-0",
            tree=tree,
            probe=probe,
            capsules=capsules_from_skin(tree, rest, figure.vertices_world, figure.body),
            offset_m=probe.offset_m,
            faces=figure.faces.astype(np.int32),
        )

    def present(self, index: int, count: int, spines: float, clothes) -> MannequinCast:
        return self

    def avatar(self, k: int) -> MannequinAvatar:
        return replace(self._first, name=f"mannequin-{k}")


@pytest.fixture(scope="session")
def cast() -> MannequinCast:
    return MannequinCast()


@pytest.fixture(scope="session")
def yoga() -> Scene:
    return load_scene("yoga")


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    """Mannequins are posed rigidly, and every place comes in one variant."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (placing, clips):
            patch.setattr(module, "pose_avatar", lambda avatar, q, *rest: avatar.posed(q))
        for module in (placing, trajectories, gait):
            patch.setattr(
                module, "pose_skin", lambda avatar, q, fingers=None: avatar.posed(q).skin_world
            )
        for fingers in ("open_fingers", "held_fingers", "gripping_fingers"):
            patch.setattr(placing, fingers, lambda *args, **kwargs: None)
        for name, kind in list(PLACES.items()):
            patch.setitem(PLACES, name, replace(kind, variants=1))
        yield
