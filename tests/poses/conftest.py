from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.poses.collision import Capsules, capsules_from_skin
from spinetrack_synth.poses.equipment import SUPPORTS, support_height_m
from spinetrack_synth.poses.ground import ContactSolution, Demands, meet_demands
from spinetrack_synth.poses.library import Pose, library
from spinetrack_synth.poses.mannequin import Mannequin, mannequin
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.poses.skin import SkinProbe, probe_from_skin


@dataclass(frozen=True, repr=False)
class Figure:
    """The mannequin of the model as it is, and every pose of the library settled with it."""

    tree: Tree
    shape: Mannequin
    probe: SkinProbe
    capsules: Capsules

    @cached_property
    def settled(self) -> dict[str, ContactSolution]:
        return {
            pose.name: meet_demands(
                self.tree,
                pose_coordinates(self.tree, pose),
                self.demands(pose),
                self.probe,
                self.capsules,
            )
            for pose in library().values()
        }

    def levels_m(self, pose: Pose) -> dict[str, float]:
        """Height of what each region of a pose rests on: the first support it may be."""
        return {
            region: support_height_m(rest.supports[0], self.tree)
            - SUPPORTS[rest.supports[0]].sink_m
            for rest in pose.rests
            for region in rest.regions
        }

    def demands(self, pose: Pose) -> Demands:
        return Demands(pose.contacts, pose.reaches, self.levels_m(pose), pose.holds, pose.balanced)


@pytest.fixture(scope="session")
def tree() -> Tree:
    return load_model(fullbody_path())


@pytest.fixture(scope="session")
def figure(tree: Tree) -> Figure:
    shape = mannequin(tree)
    rest = np.zeros(len(tree.coordinates))
    skin = (rest, shape.vertices_world, shape.body)
    return Figure(
        tree, shape, probe_from_skin(tree, *skin, shape.faces), capsules_from_skin(tree, *skin)
    )
