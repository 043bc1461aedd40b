"""How the bare skin deforms over the whole pose library: volume, room at the joints, edge stretch.

    python benchmarks/skin_deformation.py [--people 8] [--seed 7]

Each person takes every pose of the library as people do it, on either side, with its fingers. All
figures are ratios to rest; a pose's stretch is that of its longest drawn edge.
"""

from __future__ import annotations

import time
from collections import defaultdict

import numpy as np
from asked import asked_cast

from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.avatar import pose_skin
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.deformation import FLOOR_M, at_rest, measure
from spinetrack_synth.avatars.holding import open_fingers
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.poses.library import either_side, library
from spinetrack_synth.poses.sampling import sample_pose

VOLUME = 0.05
STRETCH = 2.2
"""What is asked for: volume within this share, no edge drawn longer."""
WORST = 10


def main() -> None:
    cast = asked_cast(__doc__, people=8, seed=7)
    data = assets.load()
    volumes, stretches, blocks, regions = [], [], defaultdict(list), defaultdict(list)
    who, long, cpu_s = [], 0, 0.0
    for k in range(cast.people or 0):
        avatar = bare_avatar(sample_subject(cast.seed, k))
        skin = at_rest(data, avatar)
        subject, short = avatar.subject, avatar.subject.subject_id
        print(f"{short}: {subject.sex}, {subject.stature_m:.2f} m, BMI {avatar.physique.bmi:.0f}, "
              f"{1000 * skin.volume_m3:.1f} l, {len(skin.edges)} edges", flush=True)  # fmt: skip
        rng = np.random.default_rng(subject.seed)
        for name, written in library().items():
            pose = either_side(written, rng)
            q = sample_pose(avatar.tree, pose, rng)
            fingers = open_fingers(avatar, pose.contacts, pose.reaches, pose.holds)
            start_s = time.process_time()
            vertices = pose_skin(avatar, q, fingers)
            cpu_s += time.process_time() - start_s
            found = measure(skin, vertices)
            who.append(f"{name} ({short})")
            volumes.append(found.volume)
            stretches.append(found.stretch.max())
            long += int((found.stretch > STRETCH).sum())
            for block, ratio in found.blocks.items():
                blocks[block.partition("_")[0]].append(ratio)
            for number, region in enumerate(skin.regions):
                regions[region].append(found.stretch[skin.region == number].max())
    volume, stretch = np.array(volumes), np.array(stretches)
    print(f"{len(library())} poses, {len(who)} postures; edges under {1000 * FLOOR_M:.0f} mm at "
          f"rest are not looked at; {1000 * cpu_s / len(who):.1f} ms CPU a skin")  # fmt: skip
    print(f"{'':22}{'least':>8}{'1%':>8}{'median':>8}{'99%':>8}{'most':>8}")
    row("volume of the body", volume)
    for block, ratios in blocks.items():
        row(f"room at {block}", ratios)
    for region, longest in regions.items():
        row(f"stretch, {region}", longest)
    print(f"volume off by more than {VOLUME:.0%}: {(abs(volume - 1) > VOLUME).sum()} postures; "
          f"edges beyond {STRETCH}: {long} in {(stretch > STRETCH).sum()} postures")  # fmt: skip
    for what, values, fault in (
        ("volume", volume, abs(volume - 1)),
        ("stretch", stretch, stretch),
    ):
        print(f"worst by {what}")
        for n in np.argsort(-fault)[:WORST]:
            print(f"  {who[n]:48}{values[n]:8.3f}")


def row(name: str, ratios) -> None:
    figures = np.percentile(ratios, [0, 1, 50, 99, 100])
    print(f"{name:22}" + "".join(f"{figure:8.3f}" for figure in figures))


if __name__ == "__main__":
    main()
