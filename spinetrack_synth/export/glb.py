"""Writing binary glTF 2.0: surfaces with their materials, a skeleton that moves them, a motion.

glTF is right-handed, Y up, in metres, and so is the world (X forward, Y up, Z right): coordinates
go out as they are. What looks along glTF's own +Z elsewhere looks along +X here.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pygltflib as gl
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.rendering.packing import SOLID, smooth, texels
from spinetrack_synth.rotations import matrix_quaternion
from spinetrack_synth.shot import Material, Surface
from spinetrack_synth.version import __version__

Array = NDArray[np.float64]
Numbers = NDArray[np.float32] | NDArray[np.uint32] | NDArray[np.uint8]
"""What a glTF accessor may hold."""

JPEG_QUALITY: Final = 92
SET: Final = 4
"""Bones in one set of glTF's joints and weights. More sets are allowed, but not read by all."""

_PRINCIPLED_SPECULAR: Final = 0.5
"""What the principled BSDF calls the 4% that glTF reflects by default."""
_STILL: Final = 1e-6
"""A bone that is never farther (m, or as quaternion) from its rest in its parent gets no track."""


@dataclass(frozen=True)
class Skeleton:
    """Bones: ``names`` (S,), ``parent`` (S,) index or -1, ``rest_world`` (S, 4, 4) as bound."""

    names: tuple[str, ...]
    parent: NDArray[np.int32]
    rest_world: Array


@dataclass(frozen=True)
class Skin:
    """How a surface's P vertices follow: ``bone`` (P, K), ``weight`` (P, K), rows sum to 1.

    In a file K is 4, one set.
    """

    bone: NDArray[np.int32]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Clip:
    """A motion: ``times_s`` (F,) from 0, ``bones_world`` (F, S, 4, 4)."""

    name: str
    times_s: Array
    bones_world: Array


def to_glb(
    name: str,
    surfaces: Sequence[Surface],
    skeleton: Skeleton | None = None,
    skins: Sequence[Skin] = (),
    clip: Clip | None = None,
    extras: Mapping[str, Any] | None = None,
) -> bytes:
    """A file of one mesh ``name`` with a primitive a surface, bound by ``skins`` to the skeleton.

    The surfaces lie as the skeleton rests. ``extras`` go to the scene, for programs that know them.
    """
    file = _File()
    gltf = file.gltf
    primitives = []
    for k, surface in enumerate(map(smooth, surfaces)):
        primitives.append(
            gl.Primitive(
                attributes=file.attributes(surface, skins[k] if skins else None),
                indices=file.indices(surface.faces),
                material=file.material(surface.key.replace("/", "_"), surface.material),
            )
        )
    gltf.meshes.append(gl.Mesh(name=name, primitives=primitives))
    gltf.nodes.append(gl.Node(name=name, mesh=0))
    roots = [0]
    if skeleton is not None:
        roots += file.joints(skeleton)
        gltf.nodes[0].skin = 0
        if clip is not None:
            file.animation(skeleton, clip)
    gltf.scenes.append(gl.Scene(name=name, nodes=roots, extras=dict(extras or {})))
    gltf.scene = 0
    gltf.asset = gl.Asset(version="2.0", generator=f"spinetrack-synth {__version__}")
    return file.content()


def in_parents(skeleton: Skeleton, bones_world: Array) -> Array:
    """Bones (..., S, 4, 4) of the world in their parents' frames."""
    below = skeleton.parent >= 0
    local = bones_world.copy()
    parents = bones_world[..., skeleton.parent[below], :, :]
    local[..., below, :, :] = np.linalg.inv(parents) @ bones_world[..., below, :, :]
    return local


@dataclass(frozen=True)
class _File:
    """A glTF document that grows, and the bytes its accessors read."""

    gltf: gl.GLTF2 = field(default_factory=gl.GLTF2)
    data: bytearray = field(default_factory=bytearray)

    def content(self) -> bytes:
        self.gltf.buffers.append(gl.Buffer(byteLength=len(self.data)))
        self.gltf.set_binary_blob(bytes(self.data))
        return b"".join(self.gltf.save_to_bytes())

    def view(self, content: bytes, target: int | None = None) -> int:
        self.data.extend(bytes(-len(self.data) % 4))
        start = len(self.data)
        self.data.extend(content)
        self.gltf.bufferViews.append(
            gl.BufferView(buffer=0, byteOffset=start, byteLength=len(content), target=target)
        )
        return len(self.gltf.bufferViews) - 1

    def accessor(self, array: Numbers, target: int | None = None, bounds: bool = False) -> int:
        component = {
            "float32": gl.FLOAT, "uint32": gl.UNSIGNED_INT, "uint8": gl.UNSIGNED_BYTE,
        }[array.dtype.name]  # fmt: skip
        kind = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
        accessor = gl.Accessor(
            bufferView=self.view(np.ascontiguousarray(array).tobytes(), target),
            componentType=component,
            count=len(array),
            type=kind[array.shape[1:]],
        )
        if bounds:
            accessor.min = np.atleast_1d(array.min(axis=0)).tolist()
            accessor.max = np.atleast_1d(array.max(axis=0)).tolist()
        self.gltf.accessors.append(accessor)
        return len(self.gltf.accessors) - 1

    def indices(self, faces: NDArray[np.int32]) -> int:
        return self.accessor(faces.astype(np.uint32).ravel(), gl.ELEMENT_ARRAY_BUFFER)

    def attributes(self, surface: Surface, skin: Skin | None) -> gl.Attributes:
        def column(array: Numbers, bounds: bool = False) -> int:
            return self.accessor(array, gl.ARRAY_BUFFER, bounds)

        found = gl.Attributes(
            POSITION=column(surface.vertices_world.astype(np.float32), bounds=True),
            NORMAL=column(_unit(surface.normals_world)),
            # The image's first row lies at v = 0 there, at v = 1 here.
            TEXCOORD_0=column((surface.uv * [1, -1] + [0, 1]).astype(np.float32)),
        )
        if skin is not None:
            weight = skin.weight.astype(np.float32)
            bone = np.where(weight > 0, skin.bone, 0).astype(np.uint8)
            found.JOINTS_0, found.WEIGHTS_0 = column(bone), column(weight)
        return found

    def material(self, name: str, material: Material) -> int:
        look = gl.PbrMetallicRoughness(metallicFactor=0.0, roughnessFactor=material.roughness)
        if material.opacity is None and isinstance(material.base_color, tuple):
            look.baseColorFactor = [*(_linear(c) for c in material.base_color), 1.0]
        else:
            look.baseColorTexture = gl.TextureInfo(index=self.texture(name, material))
        relief = None
        if material.normals is not None:
            image = self.texture(f"{name} normals", Material(material.normals))
            relief = gl.NormalMaterialTexture(index=image)
        reflection = min(1.0, material.specular / _PRINCIPLED_SPECULAR)
        self.gltf.materials.append(
            gl.Material(
                name=name,
                pbrMetallicRoughness=look,
                normalTexture=relief,
                alphaMode=gl.OPAQUE if material.opacity is None else gl.MASK,
                alphaCutoff=None if material.opacity is None else SOLID,
                doubleSided=True,
                extensions={"KHR_materials_specular": {"specularFactor": reflection}},
            )
        )
        if not self.gltf.extensionsUsed:
            self.gltf.extensionsUsed.append("KHR_materials_specular")
        return len(self.gltf.materials) - 1

    def texture(self, name: str, material: Material) -> int:
        """The colour as JPEG, as PNG where it has holes; engines want sides of powers of two."""
        picture = Image.fromarray(np.ascontiguousarray(texels(material)[::-1]))
        width, height = (2 ** round(math.log2(side)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        coded = io.BytesIO()
        if material.opacity is None:
            picture.convert("RGB").save(coded, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        else:
            picture.save(coded, "PNG")
        if not self.gltf.samplers:
            self.gltf.samplers.append(
                gl.Sampler(magFilter=gl.LINEAR, minFilter=gl.LINEAR_MIPMAP_LINEAR)
            )
        kind = "image/jpeg" if material.opacity is None else "image/png"
        self.gltf.images.append(
            gl.Image(name=name, mimeType=kind, bufferView=self.view(coded.getvalue()))
        )
        self.gltf.textures.append(gl.Texture(sampler=0, source=len(self.gltf.images) - 1))
        return len(self.gltf.textures) - 1

    def joints(self, skeleton: Skeleton) -> list[int]:
        """A node a bone behind those there are, and the skin; the nodes that hang on nothing."""
        first = len(self.gltf.nodes)
        local = in_parents(skeleton, skeleton.rest_world)
        turn = matrix_quaternion(local[:, :3, :3])
        for k, name in enumerate(skeleton.names):
            self.gltf.nodes.append(
                gl.Node(
                    name=name,
                    translation=local[k, :3, 3].tolist(),
                    rotation=turn[k].tolist(),
                    children=(first + np.flatnonzero(skeleton.parent == k)).tolist(),
                )
            )
        inverse = np.linalg.inv(skeleton.rest_world).swapaxes(1, 2)  # columns lie together
        inverse[:, :, 3] = [0, 0, 0, 1]
        roots = (first + np.flatnonzero(skeleton.parent < 0)).tolist()
        self.gltf.skins.append(
            gl.Skin(
                joints=list(range(first, first + len(skeleton.names))),
                skeleton=roots[0],
                inverseBindMatrices=self.accessor(inverse.astype(np.float32)),
            )
        )
        return roots

    def animation(self, skeleton: Skeleton, clip: Clip) -> None:
        frames = np.concatenate([skeleton.rest_world[None], clip.bones_world])
        local = in_parents(skeleton, frames)
        turn = _continuous(matrix_quaternion(local[..., :3, :3]))
        animation = gl.Animation(name=clip.name)
        time = self.accessor(clip.times_s.astype(np.float32), bounds=True)
        joint = self.gltf.skins[0].joints
        for path, values in (("rotation", turn), ("translation", local[..., :3, 3])):
            for k in np.flatnonzero(np.ptp(values, axis=0).max(axis=1) > _STILL):
                target = gl.AnimationChannelTarget(node=joint[k], path=path)
                animation.channels.append(
                    gl.AnimationChannel(sampler=len(animation.samplers), target=target)
                )
                output = self.accessor(values[1:, k].astype(np.float32))
                animation.samplers.append(gl.AnimationSampler(input=time, output=output))
        self.gltf.animations.append(animation)


def _continuous(quaternions: Array) -> Array:
    """Quaternions (F, S, 4) with the sign that is nearest to the frame before."""
    sign = np.where((quaternions[1:] * quaternions[:-1]).sum(axis=-1) < 0, -1.0, 1.0)
    sign = np.cumprod(sign, axis=0)[..., None]
    return np.concatenate([quaternions[:1], quaternions[1:] * sign])


def _unit(normals: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Unit normals (P, 3); one without a direction, where triangles have no area, looks up."""
    assert normals is not None
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit = np.where(length > 1e-6, normals / np.maximum(length, 1e-6), [0.0, 1.0, 0.0])
    return unit.astype(np.float32)


def _linear(srgb: float) -> float:
    return srgb / 12.92 if srgb <= 0.04045 else ((srgb + 0.055) / 1.055) ** 2.4
