"""A reader of binary glTF made for the tests: nothing of the writer or of its library is in it."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]

_TYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_SHAPES = {"SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


@dataclass(frozen=True)
class File:
    """The two chunks of a file."""

    json: dict[str, Any]
    binary: bytes

    @classmethod
    def of(cls, content: bytes) -> File:
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert kind == b"JSON" and size % 4 == 0
        rest, binary = struct.unpack_from("<I4s", content, 20 + size)
        assert binary == b"BIN\0" and 28 + size + rest == length
        return cls(json.loads(content[20 : 20 + size]), content[28 + size :])

    def view(self, index: int) -> bytes:
        view = self.json["bufferViews"][index]
        start = view.get("byteOffset", 0)
        assert "byteStride" not in view
        return self.binary[start : start + view["byteLength"]]

    def accessor(self, index: int) -> NDArray:
        accessor = self.json["accessors"][index]
        start = accessor.get("byteOffset", 0)
        shape = (accessor["count"], *_SHAPES[accessor["type"]])
        kind = _TYPES[accessor["componentType"]]
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        return np.frombuffer(self.view(accessor["bufferView"])[start : start + size], kind).reshape(
            shape
        )

    def image(self, index: int) -> NDArray[np.uint8]:
        return np.asarray(
            Image.open(io.BytesIO(self.view(self.json["images"][index]["bufferView"])))
        )

    @property
    def primitives(self) -> list[dict[str, Any]]:
        (mesh,) = self.json["meshes"]
        return mesh["primitives"]

    def node(self, name: str) -> int:
        (found,) = [k for k, node in enumerate(self.json["nodes"]) if node["name"] == name]
        return found

    def nodes_world(self, local: dict[int, Array] | None = None) -> Array:
        """Node to world (N, 4, 4), with some nodes' own transforms replaced."""
        nodes = self.json["nodes"]
        world = np.tile(np.eye(4), (len(nodes), 1, 1))

        def visit(index: int, above: Array) -> None:
            node = nodes[index]
            own = np.eye(4)
            own[:3, :3] = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
            own[:3, 3] = node.get("translation", [0, 0, 0])
            assert "scale" not in node and "matrix" not in node
            world[index] = above @ (local or {}).get(index, own)
            for child in node.get("children", []):
                visit(child, world[index])

        for root in self.json["scenes"][self.json["scene"]]["nodes"]:
            visit(root, np.eye(4))
        return world

    def skinned(self, primitive: dict[str, Any], local: dict[int, Array] | None = None) -> Array:
        """Vertices (P, 3) of a primitive as the specification has a skin move them, by the first
        set of joints alone, which is all that some engines read."""
        (skin,) = self.json["skins"]
        inverse = self.accessor(skin["inverseBindMatrices"]).swapaxes(1, 2).astype(float)
        joints = self.nodes_world(local)[skin["joints"]] @ inverse
        attributes = primitive["attributes"]
        places = self.accessor(attributes["POSITION"]).astype(float)
        bone = self.accessor(attributes["JOINTS_0"])
        weight = self.accessor(attributes["WEIGHTS_0"]).astype(float)
        total = np.einsum("pk,pkij->pij", weight, joints[bone])
        return np.einsum("pij,pj->pi", total[:, :3, :3], places) + total[:, :3, 3]

    def animated(self, frame: int) -> dict[int, Array]:
        """The nodes' own transforms at a key of the only animation."""
        (animation,) = self.json["animations"]
        local: dict[int, Array] = {}
        for channel in animation["channels"]:
            node = channel["target"]["node"]
            if node not in local:
                rest = self.json["nodes"][node]
                local[node] = np.eye(4)
                local[node][:3, :3] = Rotation.from_quat(rest["rotation"]).as_matrix()
                local[node][:3, 3] = rest["translation"]
            sampler = animation["samplers"][channel["sampler"]]
            assert sampler.get("interpolation", "LINEAR") == "LINEAR"
            value = self.accessor(sampler["output"])[frame].astype(float)
            if channel["target"]["path"] == "rotation":
                local[node][:3, :3] = Rotation.from_quat(value).as_matrix()
            else:
                local[node][:3, 3] = value
        return local

    def times_s(self) -> Array:
        (animation,) = self.json["animations"]
        (time,) = {sampler["input"] for sampler in animation["samplers"]}
        return self.accessor(time).astype(float)
