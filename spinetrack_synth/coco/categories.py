"""Which categories are people, and which are animals and things."""

from __future__ import annotations

import re
from typing import Any, Final

from spinetrack_synth.coco.keypoint_names import canonical_name

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
BODY_PARTS: Final = frozenset("face head hand foot arm leg hair eye ear nose mouth beard".split())


def is_person(category: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Is a category with these keypoints one of people, by its name, supercategory and points?"""
    name, kind = (_words(category.get(field)) for field in ("name", "supercategory"))
    animal = not name & HUMANS and bool((name | kind) & ANIMALS)
    canonical = set(map(canonical_name, names))
    parts = {part for each in canonical for part in each.split("_")}
    if animal or parts & ANIMAL_PARTS:
        return False
    return len(canonical & LIMBS) >= FEWEST_LIMBS


def is_human(title: object) -> bool:
    """Is a category of this name people, of whom nothing else is known, and no part of them?"""
    words = _words(title)
    return bool(words & HUMANS) and not words & BODY_PARTS


def _words(title: object) -> set[str]:
    """The words of a title, and what they are the plural of."""
    words = re.findall("[a-z]+", title.lower()) if isinstance(title, str) else []
    return {form for word in words for form in (word, word.removesuffix("s"),
                                                word.removesuffix("es"))}  # fmt: skip
