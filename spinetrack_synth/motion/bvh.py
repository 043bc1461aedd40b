"""Biovision files (.bvh): a hierarchy of joints with channels, and their values over time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import AS_TOLD, Convention, Figure, Told
from spinetrack_synth.motion.data import JointMotion
from spinetrack_synth.motion.text import (
    LARGEST,
    check_range,
    read_lines,
    read_table,
    said_and_found,
)

Array = NDArray[np.float64]

POSITIONS: Final = ("Xposition", "Yposition", "Zposition")
ROTATIONS: Final = ("Xrotation", "Yrotation", "Zrotation")
_CHANNELS: Final = {name.lower(): name for name in (*POSITIONS, *ROTATIONS)}
NO_PARENT: Final = -1

ROUNDS: Final = 100.0
"""Nobody turns so often."""

SHRUNK: Final = 0.3
"""Bones whose positions are shorter than their offsets by so much are displaced, not placed."""


@dataclass(frozen=True)
class Joint:
    """A joint: the index of its parent (parents stand first), its offset from the parent in the
    file's unit, its channels in the order in which they turn. One without channels and children
    is an end site."""

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Bvh:
    """A file as it stands: ``values`` (F, C), degrees and the file's unit, C all channels;
    ``notes`` on what is odd about it."""

    joints: tuple[Joint, ...]
    frame_time_s: float
    values: Array
    notes: tuple[str, ...] = ()


# -- reading --------------------------------------------------------------------------------------


@dataclass
class _Words:
    """The words of the hierarchy with their lines."""

    path: Path
    words: deque[tuple[int, str]]
    line: int = 1

    def next(self, wanted: str) -> str:
        if not self.words:
            raise UserError(
                f"{self.path}: ends where {wanted} should stand, after line {self.line}"
            )
        self.line, word = self.words.popleft()
        return word

    def expect(self, wanted: str) -> None:
        word = self.next(f"'{wanted}'")
        if word.upper() != wanted:
            raise self.wrong(f"'{word}' stands where '{wanted}' should")

    def number(self, wanted: str) -> float:
        word = self.next(wanted)
        try:
            return float(word)
        except ValueError:
            raise self.wrong(f"'{word}' is no number ({wanted})") from None

    def name(self) -> str:
        """Words up to the opening brace: names may hold blanks."""
        parts = []
        while (word := self.next("a name and '{'")) != "{":
            parts.append(word)
        if not parts:
            raise self.wrong("a joint has no name")
        return " ".join(parts)

    def wrong(self, problem: str) -> UserError:
        return UserError(f"{self.path}, line {self.line}: {problem}")


def read_bvh(path: Path) -> Bvh:
    """Read a file; raises UserError, with the line, where it is damaged."""
    lines = read_lines(path)
    while lines and not lines[-1].strip():
        lines.pop()
    start = next((i for i, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    begin = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if not lines or lines[begin].strip().upper() != "HIERARCHY":
        raise UserError(
            f"{path}, line {begin + 1}: expected 'HIERARCHY': give a Biovision file (.bvh)"
        )
    if start is None:
        raise UserError(f"{path}: has no line 'MOTION': the file is cut off")
    # A brace is a word of its own wherever it stands.
    spaced = [line.replace("{", " { ").replace("}", " } ") for line in lines[begin + 1 : start]]
    words = deque(
        (k, word) for k, line in enumerate(spaced, start=begin + 2) for word in line.split()
    )
    joints = _read_hierarchy(_Words(path, words))
    return _read_frames(path, lines, start, joints)


def _read_hierarchy(words: _Words) -> tuple[Joint, ...]:
    words.expect("ROOT")
    joints: list[Joint] = []
    open_joints: list[int] = []
    _read_joint(words, joints, NO_PARENT, words.name())
    open_joints.append(0)
    while open_joints:
        word = words.next("'}'").upper()
        if word == "JOINT":
            _read_joint(words, joints, open_joints[-1], words.name())
            open_joints.append(len(joints) - 1)
        elif word == "END":
            words.expect("SITE")
            words.expect("{")
            _read_end(words, joints, open_joints[-1])
        elif word == "}":
            open_joints.pop()
        else:
            raise words.wrong(f"'{word}' stands where JOINT, End Site or a brace should")
    if words.words:
        words.next("")
        raise words.wrong("the hierarchy goes on after its root was closed: one ROOT a file")
    return tuple(joints)


def _read_joint(words: _Words, joints: list[Joint], parent: int, name: str) -> None:
    if any(joint.name == name for joint in joints):
        raise words.wrong(f"joint '{name}' stands twice")
    offset = _read_offset(words, name)
    words.expect("CHANNELS")
    count = words.number(f"the number of channels of '{name}'")
    if not 0 <= count <= len(_CHANNELS):
        raise words.wrong(f"'{name}' has {count:g} channels; give 0 to {len(_CHANNELS)}")
    channels = []
    for _ in range(int(count)):
        channel = words.next(f"a channel of '{name}'")
        if channel.lower() not in _CHANNELS:
            raise words.wrong(
                f"channel '{channel}' of '{name}': known are {', '.join(_CHANNELS.values())}"
            )
        channels.append(_CHANNELS[channel.lower()])
    if len(set(channels)) < len(channels):
        raise words.wrong(f"'{name}' has a channel twice")
    joints.append(Joint(name, parent, offset, tuple(channels)))


def _read_end(words: _Words, joints: list[Joint], parent: int) -> None:
    name = joints[parent].name + "_end"
    while any(joint.name == name for joint in joints):
        name += "_"
    joints.append(Joint(name, parent, _read_offset(words, name), ()))
    words.expect("}")


def _read_offset(words: _Words, name: str) -> tuple[float, float, float]:
    words.expect("OFFSET")
    x, y, z = (words.number(f"the offset of '{name}'") for _ in range(3))
    if not max(abs(x), abs(y), abs(z)) <= LARGEST or x + y + z != x + y + z:
        raise words.wrong(f"the offset of '{name}', {x:g} {y:g} {z:g}, is beyond every length")
    return x, y, z


def _read_frames(path: Path, lines: list[str], start: int, joints: tuple[Joint, ...]) -> Bvh:
    # A blank line may stand anywhere.
    filled = (k for k in range(start + 1, len(lines)) if lines[k].strip())
    first, second = next(filled, len(lines)), next(filled, len(lines))
    frames = _header(path, lines, first, "Frames:")
    frame_time_s = _header(path, lines, second, "Frame Time:")
    if not (frame_time_s > 0 and np.isfinite(frame_time_s)):
        raise UserError(f"{path}, line {second + 1}: a frame time of {frame_time_s:g} s")
    columns = sum(len(joint.channels) for joint in joints)
    values = read_table(iter(lines[second + 1 :]), columns, path, first=second + 2)
    if not len(values):
        raise UserError(f"{path}: holds no frames")
    if not np.all(np.isfinite(values)):
        frame = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise UserError(f"{path}, frame {frame + 1}: holds a value that is no finite number")
    channels = [f"{joint.name} {channel}" for joint in joints for channel in joint.channels]
    check_range(values, channels, str(path))
    notes = said_and_found(frames, len(values))
    turning = [channel.endswith("rotation") for channel in channels]
    rounds = np.abs(np.where(turning, values, 0.0)).max(axis=0) / 360
    if rounds.max() > ROUNDS:
        channel = channels[int(np.argmax(rounds))]
        notes += (f"{channel} turns {rounds.max():.4g} times round",)
    return Bvh(joints, frame_time_s, values, notes)


def _header(path: Path, lines: list[str], index: int, key: str) -> float:
    line = lines[index].strip() if index < len(lines) else ""
    try:
        if not line.lower().startswith(key.lower()):
            raise ValueError
        return float(line[len(key) :])
    except ValueError:
        raise UserError(f"{path}, line {index + 1}: expected '{key}' and a number") from None


# -- writing --------------------------------------------------------------------------------------


def write_bvh(path: Path, bvh: Bvh) -> None:
    """Write a file; joints without channels and children become end sites.

    Raises UserError where it cannot be written.
    """
    children: dict[int, list[int]] = {}
    for index, joint in enumerate(bvh.joints):
        children.setdefault(joint.parent, []).append(index)
    lines = ["HIERARCHY"]
    # The file's columns follow its hierarchy, depth first, whatever the order of our joints.
    starts = np.cumsum([0, *(len(joint.channels) for joint in bvh.joints)])
    columns: list[int] = []

    def joint_lines(index: int, depth: int) -> None:
        joint, indent = bvh.joints[index], "  " * depth
        is_end = not joint.channels and index not in children
        kind = "ROOT" if joint.parent == NO_PARENT else "JOINT"
        lines.append(indent + ("End Site" if is_end else f"{kind} {joint.name}"))
        lines.append(indent + "{")
        lines.append(f"{indent}  OFFSET " + " ".join(f"{x:.9g}" for x in joint.offset))
        if not is_end:
            channels = " ".join([str(len(joint.channels)), *joint.channels])
            lines.append(f"{indent}  CHANNELS {channels}")
        columns.extend(range(starts[index], starts[index + 1]))
        for child in children.get(index, []):
            joint_lines(child, depth + 1)
        lines.append(indent + "}")

    joint_lines(0, 0)
    lines += ["MOTION", f"Frames: {len(bvh.values)}", f"Frame Time: {bvh.frame_time_s:.9g}"]
    lines += [" ".join(f"{x:.9g}" for x in row) for row in bvh.values[:, columns].tolist()]
    write_atomic(path, ("\n".join(lines) + "\n").encode())


# -- moving ---------------------------------------------------------------------------------------


def joint_motion(bvh: Bvh, convention: Convention = AS_TOLD, source: str = "") -> JointMotion:
    """The joints of a file through the world; centimetres and looking along Z where neither the
    convention nor the figure tells.

    Rotations apply in the order of the channels; position channels replace the joint's offset
    (as MotionBuilder and Blender take them), one that is missing keeps it. Where that would
    shrink the bones away, positions are added to the offset (as MakeHuman writes them).
    """
    from scipy.spatial.transform import Rotation

    frames, count = len(bvh.values), len(bvh.joints)
    position, rotation = np.zeros((frames, count, 3)), np.zeros((frames, count, 3, 3))
    rest = np.zeros((count, 3))
    notes = bvh.notes
    added = _are_displacements(bvh)
    if added:
        notes += ("positions of joints are added to their offsets: alone they leave no bones",)
    column = 0
    for index, joint in enumerate(bvh.joints):
        local = np.tile(np.array(joint.offset), (frames, 1))
        turn = np.tile(np.eye(3), (frames, 1, 1))
        for channel in joint.channels:
            values = bvh.values[:, column]
            column += 1
            if channel in POSITIONS:
                k = POSITIONS.index(channel)
                local[:, k] = values + joint.offset[k] * (added and joint.parent != NO_PARENT)
            else:
                about = Rotation.from_euler(channel[0].lower(), values[:, None], degrees=True)
                turn = turn @ about.as_matrix()
        if joint.parent == NO_PARENT:
            position[:, index], rotation[:, index] = local, turn
            rest[index] = joint.offset
        else:
            above = rotation[:, joint.parent]
            position[:, index] = position[:, joint.parent] + np.einsum("fij,fj->fi", above, local)
            rotation[:, index] = above @ turn
            rest[index] = rest[joint.parent] + joint.offset
    names = tuple(joint.name for joint in bvh.joints)
    # A skeleton's usual axes are those of its own tools; in BVH files Y is up whoever wrote them.
    told = Told(usual_unit="cm", usual_axes="y-up-facing-z", axes_by_format=True)
    frame = convention.frame(Figure(names, position, rest), told)
    world, unit_m = frame.to_world, frame.metres
    return JointMotion(
        names,
        np.arange(frames, dtype=float) * bvh.frame_time_s,
        position @ world.T * unit_m,
        world @ rotation @ world.T,
        rest @ world.T * unit_m,
        source,
        (*notes, *frame.notes),
    )


def _are_displacements(bvh: Bvh) -> bool:
    """Whether the positions of joints below the root are far shorter than their offsets."""
    offsets = positions = 0.0
    column = 0
    for joint in bvh.joints:
        columns = [column + i for i, name in enumerate(joint.channels) if name in POSITIONS]
        column += len(joint.channels)
        if joint.parent != NO_PARENT and len(columns) == len(POSITIONS):
            offsets += float(np.linalg.norm(joint.offset))
            positions += float(np.linalg.norm(bvh.values[:, columns], axis=1).mean())
    return positions < SHRUNK * offsets
