import numpy as np
import pytest

from spinetrack_synth.scenes import floorings, seasons

SEASONS = {
    "spring": seasons.SPRING,
    "summer": seasons.SUMMER,
    "dry": seasons.DRY,
    "autumn": seasons.AUTUMN,
    "late": seasons.LATE,
    "snow": seasons.SNOW,
}


def mean(finish):
    return np.asarray(finish.material.base_color).reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize("name", SEASONS)
def test_trees_bear_leaves_but_in_winter(name):
    season = SEASONS[name]
    grown = seasons.trees(np.random.default_rng(0), season, 2, tall=(6, 8), leaves=60)
    for tree in grown:
        finishes = {finish for finish, _ in tree}
        assert ("bark" in finishes) and (finishes == {"bark"}) == season.bare
        top = max(mesh.bounds[1, 1] for _, mesh in tree)
        assert 4 < top < 14


def test_grass_is_green_in_summer_and_white_under_snow():
    rng = np.random.default_rng(1)
    summer = mean(seasons.finishes(rng, seasons.SUMMER)["grass"])
    snow = mean(seasons.finishes(rng, seasons.SNOW)["grass"])
    assert summer[1] > summer[0] > summer[2]
    assert snow.min() > 180


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: floorings.rubber(rng, (0.3, 0.3, 0.3), (0.6, 0.6, 0.6), tile_m=0),
        lambda rng: floorings.linoleum(rng, (0.6, 0.6, 0.5)),
        lambda rng: floorings.carpet(rng, (0.4, 0.4, 0.4), tile_m=0),
        lambda rng: floorings.screed(rng, (0.5, 0.5, 0.5)),
        lambda rng: floorings.asphalt(rng),
        lambda rng: floorings.sand(rng, (0.8, 0.7, 0.5)),
        lambda rng: floorings.turf(rng, seasons.SUMMER.grass),
    ],
    ids=["rubber", "linoleum", "carpet", "screed", "asphalt", "sand", "turf"],
)
def test_floors_repeat_without_a_seam(make):
    """Across the edge of the image neighbours differ no more than inside it."""
    image = np.asarray(make(np.random.default_rng(2)).material.base_color, float)
    for axis in (0, 1):
        steps = np.abs(np.diff(image, axis=axis)).mean()
        edge = np.abs(np.take(image, 0, axis) - np.take(image, -1, axis)).mean()
        assert edge < 1.4 * steps + 0.5


def test_noise_of_large_features_is_the_same_wherever_it_starts():
    """The coarse field is spread without a step where it repeats."""
    field = floorings._clouds(np.random.default_rng(3), (256, 256), 120)
    assert np.abs(field[0] - field[-1]).max() < 3 * np.abs(np.diff(field, axis=0)).max()
