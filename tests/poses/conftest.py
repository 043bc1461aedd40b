from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.poses.collision import Capsules, capsules_from_skin
from spinetrack_synth.poses.ground import ContactSolution, solve_contacts
from spinetrack_synth.poses.library import library
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
            pose.name: solve_contacts(
                self.tree,
                pose_coordinates(self.tree, pose),
                pose.contacts,
                self.probe,
                pose.reaches,
                self.capsules,
            )
            for pose in library().values()
        }


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
