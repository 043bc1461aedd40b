from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes import make_shot
from spinetrack_synth.scenes.mats import THICKNESS_M, mat_for
from spinetrack_synth.scenes.optics import FILM_WIDTH_MM
from spinetrack_synth.scenes.places import place
from spinetrack_synth.scenes.placing import Footprint
from spinetrack_synth.scenes.things import ASSETS, thing_points, thing_surfaces, unit_surfaces
from spinetrack_synth.scenes.viewpoints import behind_things, coverage
from spinetrack_synth.shot import Shot

pytestmark = pytest.mark.slow

SIZE = (640, 480)


def fingerprint(shot: Shot) -> str:
    digest = sha256(
        repr((shot.lights, shot.exposure, shot.place, shot.variant, shot.light)).encode()
    )
    digest.update(shot.camera.K.tobytes() + shot.camera.world2cam.tobytes())
    for surface in (*shot.surroundings, *(s for p in shot.people for s in p.surfaces)):
        digest.update(surface.key.encode() + surface.vertices_world.tobytes())
    for person in shot.people:
        digest.update(person.subject_id.encode() + person.coordinates.tobytes())
        digest.update(person.keypoints_world.tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def shots(yoga, cast) -> list[Shot]:
    return [make_shot(yoga, 5, index, cast, SIZE) for index in range(100)]


def test_a_shot_is_a_pure_function_of_its_arguments(yoga, cast, shots):
    for index in (17, 3, 4):  # in another order than before
        assert fingerprint(make_shot(yoga, 5, index, cast, SIZE)) == fingerprint(shots[index])


def test_seed_and_index_both_matter(yoga, cast, shots):
    assert len({fingerprint(shot) for shot in shots}) == len(shots)
    assert fingerprint(make_shot(yoga, 6, 0, cast, SIZE)) != fingerprint(shots[0])


def test_there_is_variety(shots):
    assert {shot.place for shot in shots} == {"studio", "terrace", "park"}
    assert {len(shot.people) for shot in shots} == {1, 2, 3}
    assert len({person.pose for shot in shots for person in shot.people}) > 25
    assert len({shot.light for shot in shots}) >= 3
    offset = np.array([s.camera.position_world - s.people[0].skin_world.mean(0) for s in shots])
    quadrants = {(bool(x > 0), bool(z > 0)) for x, _, z in offset}
    assert len(quadrants) == 4
    stops = np.log2([shot.exposure for shot in shots])
    assert stops.min() >= -0.6
    assert stops.max() <= 0.5
    assert np.ptp(stops) > 0.8


def test_a_shot_names_what_lights_it(shots):
    indoors = {"daylight", "evening"}
    for shot in shots:
        assert shot.light in (indoors if shot.place == "studio" else {"sun", "overcast"})
        assert shot.variant == 0


def test_numbers_of_people(yoga, cast):
    for index in range(6):
        assert len(make_shot(yoga, 1, index, cast, SIZE, subjects=(2, 2)).people) == 2
    with pytest.raises(UserError, match="subjects 7-9: scene 'yoga' has pictures of 1, 2, 3"):
        make_shot(yoga, 1, 0, cast, SIZE, subjects=(7, 9))


def test_too_small_a_cast(yoga, cast):
    class Lonely:
        size = 1
        avatar = cast.avatar

        def present(self, index, count, spines, clothes):
            return self

    with pytest.raises(UserError, match="3 people in a picture need a cast of as many, not 1"):
        make_shot(yoga, 1, 0, Lonely(), SIZE, subjects=(3, 3))


def test_everybody_is_somebody_else(shots):
    for shot in shots:
        names = [person.subject_id for person in shot.people]
        assert len(set(names)) == len(names)


def test_people_stand_apart_on_the_floor(yoga, shots):
    for shot in shots:
        feet = [Footprint.of(person.skin_world[:, [0, 2]]) for person in shot.people]
        for k, one in enumerate(feet):
            assert all(one.clear_of(other, yoga.people.gap_m - 0.02) for other in feet[:k])
        for person in shot.people:
            assert abs(person.skin_world[:, 1].min()) < 0.015


def test_a_mat_lies_under_whatever_touches_the_floor(shots):
    for shot in shots:
        mats = [surface for surface in shot.surroundings if surface.key.startswith("mat/")]
        assert len(mats) == len(shot.people)
        for mat, person in zip(mats, shot.people):
            assert mat.vertices_world[:, 1].max() == pytest.approx(0, abs=1e-6)
            assert mat.vertices_world[:, 1].min() == pytest.approx(-THICKNESS_M, abs=1e-6)
            covered = Footprint.of(mat.vertices_world[:, [0, 2]])
            touching = person.skin_world[person.skin_world[:, 1] < 0.02][:, [0, 2]]
            there = Footprint.of(touching)
            assert (there.low >= covered.low - 0.02).all()
            assert (there.high <= covered.high + 0.02).all()


def test_mats_take_the_common_size_where_they_can():
    rng = np.random.default_rng(0)
    small = mat_for(rng.uniform(-0.2, 0.2, (20, 2)), 0.3)
    assert (small.length_m, small.width_m) == (1.83, 0.66)
    wide = mat_for(rng.uniform(-0.6, 0.6, (200, 2)), 0.0)
    assert wide.width_m > 1.2


def test_keys_are_unique_in_a_shot_and_surroundings_are_shared(shots):
    for shot in shots:
        keys = [s.key for s in shot.surroundings]
        keys += [s.key for person in shot.people for s in person.surfaces]
        assert len(set(keys)) == len(keys)
        known = place(shot.place, shot.variant).surfaces
        assert all(a is b for a, b in zip(known, shot.surroundings))


def test_one_key_is_one_topology_and_material(shots):
    seen = {}
    for shot in shots:
        for surface in shot.surroundings:
            first = seen.setdefault(surface.key, surface)
            assert first.faces is surface.faces
            assert first.uv is surface.uv
            assert first.material is surface.material


def test_cameras_keep_the_rules(yoga, shots):
    rules = yoga.camera
    cropped = 0
    for shot in shots:
        camera, where = shot.camera, place(shot.place, 0)
        position = camera.position_world
        assert rules.height_m.low <= position[1] <= rules.height_m.high
        assert rules.lens_mm.low <= camera.K[0, 0] * FILM_WIDTH_MM / SIZE[0] <= rules.lens_mm.high
        assert (where.camera_room[0] <= position).all()
        assert (position <= where.camera_room[1]).all()
        for person in shot.people:
            nearest = np.linalg.norm(person.skin_world - position, axis=1).min()
            assert nearest > rules.clearance_m - 0.05
        if len(where.obstacles):
            outside = np.maximum(where.obstacles[:, 0] - position, position - where.obstacles[:, 1])
            assert np.linalg.norm(np.maximum(outside, 0), axis=1).min() >= rules.clearance_m - 1e-9
        assert not behind_things(position, shot.people[0].skin_world, where.obstacles)
        roll = np.degrees(np.arcsin(camera.world2cam[0, 1]))
        assert abs(roll) <= 3.001

        main = camera.project(shot.people[0].skin_world)
        group = camera.project(np.concatenate([p.skin_world for p in shot.people]))
        filled = max(coverage(main, SIZE), coverage(group, SIZE))
        inside = ((main >= 0) & (main <= SIZE)).all(axis=1).mean()
        cropped += inside < 1
        assert inside > 0.4
        assert filled >= rules.coverage.low - 0.02
        assert coverage(main, SIZE) <= rules.crop_coverage.high + 0.02
    assert cropped < 30


def test_what_stands_between_camera_and_person_is_found():
    person = np.array([[0.0, 1.0, 0.0], [0.0, 0.1, 0.0], [0.0, 1.7, 0.0]])
    pillar = np.array([[[1.0, 0.0, -0.2], [1.4, 3.0, 0.2]]])
    assert behind_things(np.array([3.0, 1.0, 0.0]), person, pillar)
    assert not behind_things(np.array([3.0, 1.0, 3.0]), person, pillar)
    assert not behind_things(np.array([-3.0, 1.0, 0.0]), person, pillar)
    assert not behind_things(np.array([0.6, 1.0, 0.0]), person, pillar)


def test_without_a_camera_that_fits_the_shot_is_refused(yoga, cast):
    blind = replace(yoga, camera=replace(yoga.camera, clearance_m=40.0))
    with pytest.raises(UserError, match="found no camera that keeps the rules"):
        make_shot(blind, 1, 0, cast, SIZE, subjects=(1, 1))


def test_the_things_listed_are_the_surfaces_that_lie_there(shots):
    assert {thing.asset.split("/")[0] for shot in shots for thing in shot.things} == {"mat", "gear"}
    for shot in shots:
        lying = [surface for thing in shot.things for surface in thing_surfaces(thing)]
        rest = len(shot.surroundings) - len(lying)
        assert rest == len(place(shot.place, 0).surfaces)
        for drawn, listed in zip(shot.surroundings[rest:], lying):
            assert drawn.key == listed.key
            assert (drawn.vertices_world == listed.vertices_world).all()
        assert all(" " not in thing.asset for thing in shot.things)


def test_what_people_rest_on_and_hold_stands_where_they_are(yoga, cast):
    """No mats; everybody on the floor itself, their things with them and clear of the others."""
    scene = replace(
        yoga,
        poses={"on_sofa": 1.0, "hinge": 1.0},
        people=replace(yoga.people, mats=0.0, count={1: 1.0, 2: 1.0}),
    )
    kinds = set()
    for index in range(3):
        shot = make_shot(scene, 3, index, cast, SIZE)
        kinds |= {thing.asset.split("/")[0] for thing in shot.things}
        assert not any(thing.asset.startswith(("mat/", "gear/")) for thing in shot.things)
        lying = [surface for thing in shot.things for surface in thing_surfaces(thing)]
        drawn = shot.surroundings[len(shot.surroundings) - len(lying) :]
        assert [surface.key for surface in drawn] == [surface.key for surface in lying]
        for thing in shot.things:
            points = thing_points(thing)[:, [0, 2]]
            middles = [person.skin_world[:, [0, 2]].mean(0) for person in shot.people]
            owner = int(np.argmin([np.linalg.norm(points.mean(0) - m) for m in middles]))
            for k, person in enumerate(shot.people):
                there = Footprint.of(person.skin_world[:, [0, 2]])
                if k != owner:
                    assert Footprint.of(points).clear_of(there, yoga.people.gap_m - 0.02)
            if thing.asset.startswith("support/"):
                assert thing.position_world[1] == pytest.approx(-THICKNESS_M)
        lowest = min(person.skin_world[:, 1].min() for person in shot.people)
        assert lowest > -THICKNESS_M - 0.015
    assert kinds == {"support", "held"}
    for poses, mats in (({"at_ease": 1.0}, 0), ({"floor_exercise": 1.0}, 1)):
        people = replace(scene.people, mats=0.999, count={1: 1.0})
        shot = make_shot(replace(scene, poses=poses, people=people), 3, 0, cast, SIZE)
        assert sum(thing.asset.startswith("mat/") for thing in shot.things) == mats


def test_unknown_assets_are_refused():
    with pytest.raises(KeyError, match="mat/99"):
        unit_surfaces("mat/99")
    assert all(unit_surfaces(asset) for asset in ASSETS)
