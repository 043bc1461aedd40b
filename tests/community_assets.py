"""A small MakeHuman asset, made here: a tube about the trunk, fitted to the base mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from spinetrack_synth.avatars.assets import BodyData

SCALES = (("x_scale", 5399, 11998, 0), ("y_scale", 791, 881, 1), ("z_scale", 962, 5320, 2))
"""The distances that MakeHuman's own assets are scaled by: key, two vertices, axis."""


def write_asset(folder: Path, data: BodyData, name: str = "vest", legs: bool = True) -> Path:
    """A garment 1 cm off the tights helper, with its own picture; the path of its ``.mhclo``."""
    folder.mkdir(parents=True, exist_ok=True)
    quads = data.quads[data.faces_of("helper-tights")]
    points = data.vertices.astype(float)
    middle = points[quads].mean(axis=1)
    crotch = float(data.vertices[np.unique(quads)][:, 1].min()) * 0.45
    keep = np.abs(middle[:, 0]) < 2.2
    if not legs:
        keep &= middle[:, 1] > 0.5
    quads = quads[keep & (middle[:, 1] > (-6.0 if legs else crotch))]
    used, local = np.unique(quads, return_inverse=True)
    corners = points[quads]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    out = np.zeros((len(points), 3))
    for k in range(4):
        np.add.at(out, quads[:, k], normals)
    out = out[used] / np.linalg.norm(out[used], axis=1, keepdims=True)
    local = local.reshape(quads.shape)
    obj = [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in points[used] + 0.1 * out]
    obj += [f"vt {x:.4f} {y:.4f}" for x, y in 0.5 + 0.05 * points[used][:, :2]]
    obj += ["f " + " ".join(f"{i + 1}/{i + 1}" for i in quad) for quad in local]
    (folder / f"{name}.obj").write_text("\n".join(obj))
    rows = [
        f"{i} {i} {i} 0.5 0.25 0.25 {dx:.5f} {dy:.5f} {dz:.5f}"
        for i, (dx, dy, dz) in zip(used, 0.1 * out)
    ]
    scales = [
        f"{key} {a} {b} {abs(points[a, axis] - points[b, axis]):.4f}" for key, a, b, axis in SCALES
    ]
    head = [
        "# author: A. Tailor",
        "# license: CC-BY 4.0",
        "basemesh hm08",
        f"name {name}",
        f"obj_file {name}.obj",
        f"material {name}.mhmat",
        *scales,
        "verts 0",
    ]
    (folder / f"{name}.mhclo").write_text(
        "\n".join([*head, *rows, "delete_verts", "1400 - 1410 1412"])
    )
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:] = (200, 30, 30)
    Image.fromarray(picture).save(folder / f"{name}.png")
    (folder / f"{name}.mhmat").write_text(
        f"// a material\nname {name}\ndiffuseColor 1.0 1.0 1.0\ndiffuseTexture {name}.png\n"
        "shininess 0.2\ntransparent False\n"
    )
    return folder / f"{name}.mhclo"
