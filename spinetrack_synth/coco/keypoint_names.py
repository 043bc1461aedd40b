"""What keypoints are called, and which skeleton is meant by their names or their number."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Final, TypeGuard

from spinetrack_synth import skeleton

SKELETONS: Final[dict[str, tuple[str, ...]]] = {
    "SpineTrack-37": skeleton.NAMES,
    "Halpe-26": skeleton.NAMES[:26],
    "COCO-17": skeleton.NAMES[:17],
}
"""The skeletons whose names and order are known."""


_JOINTS: Final = "shoulder|sho|elbow|elb|wrist|wri|hip|knee|ankle|ank|eye|ear"
_ABBREVIATIONS: Final = {
    "sho": "shoulder", "elb": "elbow", "wri": "wrist", "kne": "knee", "ank": "ankle"
}  # fmt: skip

LIMBS: Final = frozenset(
    f"{side}_{part}"
    for side in ("left", "right")
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
FEWEST_LIMBS: Final = 4
"""A skeleton with fewer of these points is a hand, a face or a garment, not a person."""

ANIMAL_PARTS: Final = frozenset(
    "paw paws hoof hooves tail tailbase tailtip wing wings withers snout muzzle beak antenna "
    "abdomen mane fetlock hock stifle rump foreleg hindleg".split()
)
ANIMALS: Final = frozenset(
    "animal mammal insect wildlife livestock cattle pet quadruped primate rodent equine bovine "
    "canine feline dog puppy puppies cat kitten horse pony ponies foal mare stallion donkey mule "
    "zebra cow bull ox oxen yak sheep lamb pig piglet hog boar goat llama alpaca camel bird "
    "chicken hen duck goose geese pigeon fly flies drosophila locust mouse mice rat squirrel "
    "beaver marmot hamster rabbit macaque monkey alouatta uakari baboon lemur gibbon orangutan "
    "chimp chimpanzee bonobo gorilla ape deer moose elk caribou reindeer antelope impala gazelle "
    "duiker argali bison buffalo giraffe elephant bear lion tiger cheetah leopard panther puma "
    "lynx bobcat jaguar wolf wolves fox hyena coyote badger weasel skunk otter ferret marten "
    "mongoose raccoon panda koala kangaroo wallaby hippo hippopotamus rhino rhinoceros lizard "
    "fish".split()
)
"""Words of a category's name or supercategory by which it is no person; also in the plural."""
HUMANS: Final = frozenset(
    "person people human man men woman women boy girl child children kid baby infant player "
    "athlete rider jockey walker runner handler trainer owner keeper user worker farmer patient "
    "pedestrian".split()
)
"""Words by which it is one in spite of them: ``horse_rider``, ``dog walker``."""


def is_names(value: object) -> TypeGuard[list[str]]:
    """A list of texts."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def canonical_name(name: str) -> str:
    """A keypoint's name as SpineTrack writes it: ``LBigToe``, ``l_big_toe`` -> ``left_big_toe``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    parts = [part for part in re.split(r"[\s_\-.]+", words.lower()) if part]
    parts = re.sub(rf"\b([lr])({_JOINTS})\b", r"\1 \2", " ".join(parts)).split()
    parts = [_ABBREVIATIONS.get(part, part) for part in parts]
    sides = {"l": "left", "r": "right", "left": "left", "right": "right"}
    side = [sides[part] for part in parts if part in sides]
    rest = [part for part in parts if part not in sides]
    return "_".join(side + rest)


def closest_skeleton(names: tuple[str, ...]) -> str | None:
    """The known skeleton of these names in any order, slips of the pen included. Names of its own
    make it another skeleton: PoseTrack shares 15 of 17 with COCO."""
    canonical = list(map(canonical_name, names))
    for title, known in SKELETONS.items():
        missing = [name for name in known if name not in canonical]
        own = [name for name in canonical if name not in known]
        slips = all(get_close_matches(name, missing, 1, 0.75) for name in own)
        slips = slips or (len(own) == 1 and len(missing) == 1)
        if len(known) == len(names) and len(missing) <= len(known) / 4 and slips:
            return title
    return None


def is_person(category: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Is a category with these keypoints one of people, by its name, supercategory and points?"""
    name, kind = (_words(category.get(field)) for field in ("name", "supercategory"))
    animal = not name & HUMANS and bool((name | kind) & ANIMALS)
    canonical = set(map(canonical_name, names))
    parts = {part for each in canonical for part in each.split("_")}
    if animal or parts & ANIMAL_PARTS:
        return False
    return len(canonical & LIMBS) >= FEWEST_LIMBS


def _words(title: object) -> set[str]:
    """The words of a title, and what they are the plural of."""
    words = re.findall("[a-z]+", title.lower()) if isinstance(title, str) else []
    return {form for word in words for form in (word, word.removesuffix("s"),
                                                word.removesuffix("es"))}  # fmt: skip
