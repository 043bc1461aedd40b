"""Blender Cycles draws what ``render_cycles.py`` wrote: a program of its own, for a Python that has
``bpy``, and never imported: Blender is under the GPL and this project is not.

It reads a request a line, answers a line, both JSON, and keeps its scene between them:

    {"do": "stage", "shot": FILE}    the place, the light and the camera of a shot, drawn once
    {"do": "draw", "spp": 16, "denoiser": ["HIGH", "ACCURATE"], "exchange": true, "save": FILE}
                                     the picture; ``exchange`` takes the people away and puts them
                                     there anew; no ``denoiser``: as it comes; ``save`` as EXR
    {"do": "ids", "save": FILE}      which person the middle of each pixel shows, as EXR

``draw`` answers with its wall and CPU seconds: of Blender's objects, materials and images where
people are exchanged, of Cycles taking them over, of the light and of the denoiser. Arrays are read
from files before, pictures are written after.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

try:
    import bpy
except ImportError:  # any other Python
    bpy = None


class Stage:
    """Blender's scene with the present shot on it."""

    def __init__(self, file: Path) -> None:
        self.folder = file.parent
        self.shot = json.loads(file.read_text())
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.scene.render.engine = "CYCLES"
        self._settings()
        self._camera()
        self._light()
        for surface in self._read(self.shot["place"]):
            self._add(surface, person=0)
        self.people = [self._read(person) for person in self.shot["people"]]
        self.present: list[Any] = []

    def draw(self, spp: int, denoiser: list[str] | None, exchange: bool) -> dict[str, float]:
        """Draw the picture and take the time."""
        cycles = self.scene.cycles
        cycles.samples = cycles.seed = spp  # no picture begins as another one does
        cycles.use_denoising = denoiser is not None
        cycles.use_adaptive_sampling = spp < self.shot["reference"]
        if denoiser is not None:
            cycles.denoising_quality, cycles.denoising_prefilter = denoiser
        wall, cpu = time.perf_counter(), time.process_time()
        if exchange:
            self._exchange()
        bpy.ops.render.render()
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}

    def save(self, file: str) -> None:
        """Write the picture that was drawn last: linear, 32 bits a channel."""
        image = self.scene.render.image_settings
        if hasattr(image, "media_type"):  # since Blender 5.0
            image.media_type = "IMAGE"
        image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR", "32", "NONE"
        bpy.data.images["Render Result"].save_render(file, scene=self.scene)

    def ids(self, file: str) -> None:
        """Draw and write people by number, 0 for everything else, at the pixels' middles."""
        cycles, layer = self.scene.cycles, self.scene.view_layers[0]
        image = self.scene.render.image_settings
        if hasattr(image, "media_type"):
            image.media_type = "MULTI_LAYER_IMAGE"
        image.file_format, image.color_depth, image.exr_codec = (
            "OPEN_EXR_MULTILAYER", "32", "NONE",
        )  # fmt: skip
        if hasattr(image, "use_exr_interleave"):  # since 5.0, which else writes a part a pass
            image.use_exr_interleave = True
        filter_type, width = cycles.pixel_filter_type, cycles.filter_width
        cycles.pixel_filter_type, cycles.filter_width = "GAUSSIAN", 0.01
        layer.use_pass_object_index = True
        self.scene.render.filepath = file
        cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling = 1, False, False
        bpy.ops.render.render(write_still=True)
        layer.use_pass_object_index = False
        cycles.pixel_filter_type, cycles.filter_width = filter_type, width

    def _settings(self) -> None:
        """Cycles' own ones but for what makes it draw the same: bounces, masks, size."""
        render, cycles = self.scene.render, self.scene.cycles
        render.resolution_x, render.resolution_y = self.shot["size"]
        render.use_persistent_data = True
        render.use_compositing = render.use_sequencer = False
        cycles.device = "CPU"
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = self.shot["bounces"]
        cycles.transparent_max_bounces = self.shot["layers"]
        cycles.pixel_filter_type = self.shot["filter"]

    def _camera(self) -> None:
        told = self.shot["camera"]
        camera = bpy.data.cameras.new("camera")
        camera.sensor_fit, camera.sensor_width, camera.lens = "HORIZONTAL", 1.0, told["lens"]
        camera.shift_x, camera.shift_y = told["shift"]
        camera.clip_start, camera.clip_end = 0.01, 1e4
        self.scene.camera = self._object("camera", camera, told["to_world"])

    def _light(self) -> None:
        world = bpy.data.worlds.new("around")
        world.use_nodes = True
        nodes, links = world.node_tree.nodes, world.node_tree.links
        radiance = np.load(self.folder / self.shot["around"])
        height, width, _ = radiance.shape
        image = bpy.data.images.new("around", width, height, float_buffer=True)
        image.colorspace_settings.name = "Linear Rec.709"
        opaque = np.ones((height, width, 1), np.float32)
        image.pixels.foreach_set(np.concatenate([radiance[::-1], opaque], axis=2).ravel())
        around = nodes.new("ShaderNodeTexEnvironment")
        around.image = image
        links.new(around.outputs["Color"], nodes["Background"].inputs["Color"])
        self.scene.world = world

        if self.shot["sun"] is not None:
            sun = bpy.data.lights.new("sun", "SUN")
            sun.angle = self.shot["sun"]["angle_rad"]
            _shine(sun, self.shot["sun"]["irradiance"], 1.0)
            self._object("sun", sun, self.shot["sun"]["to_world"])
        for told in self.shot["lamps"]:
            lamp = bpy.data.lights.new("lamp", "AREA")
            lamp.shape = "RECTANGLE"
            lamp.size, lamp.size_y = told["size"]
            # Blender's watts: a radiance of 1 is pi watts a square metre.
            _shine(lamp, told["radiance"], math.pi * lamp.size * lamp.size_y)
            self._object("lamp", lamp, told["to_world"]).visible_camera = True

    def _exchange(self) -> None:
        for thing in self.present:
            mesh, material = thing.data, thing.data.materials[0]
            nodes = material.node_tree.nodes
            images = {n.image for n in nodes if n.bl_idname == "ShaderNodeTexImage"}
            bpy.data.objects.remove(thing)
            bpy.data.meshes.remove(mesh)
            bpy.data.materials.remove(material)
            for image in images:
                bpy.data.images.remove(image)
        self.present = [
            self._add(surface, person)
            for person, surfaces in enumerate(self.people, start=1)
            for surface in surfaces
        ]

    def _read(self, surfaces: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Surfaces with their arrays."""
        return [{**told, **np.load(self.folder / told["mesh"])} for told in surfaces]

    def _add(self, surface: dict[str, Any], person: int) -> Any:
        """A mesh of triangles with its material; the object."""
        faces, uv = surface["faces"], surface["uv"]
        mesh = bpy.data.meshes.new("surface")
        mesh.vertices.add(len(surface["vertices"]))
        mesh.vertices.foreach_set("co", surface["vertices"].ravel())
        mesh.loops.add(faces.size)
        mesh.loops.foreach_set("vertex_index", faces.ravel())
        mesh.polygons.add(len(faces))
        mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
        mesh.uv_layers.new(name="uv").uv.foreach_set("vector", uv[faces.ravel()].ravel())
        mesh.update(calc_edges=True)
        normals = mesh.attributes.new("custom_normal", "FLOAT_VECTOR", "POINT")
        normals.data.foreach_set("vector", surface["normals"].ravel())
        mesh.materials.append(self._material(surface))
        thing = self._object("surface", mesh)
        thing.pass_index = person
        return thing

    def _material(self, surface: dict[str, Any]) -> Any:
        material = bpy.data.materials.new("surface")
        material.use_nodes = True
        nodes, links = material.node_tree.nodes, material.node_tree.links
        shader = nodes["Principled BSDF"]
        shader.inputs["Roughness"].default_value = surface["roughness"]
        shader.inputs["Specular IOR Level"].default_value = surface["specular"]
        shader.inputs["IOR"].default_value = 1.5
        if isinstance(surface["color"], str):
            color = self._texture(nodes, surface["color"], "sRGB")
            links.new(color.outputs["Color"], shader.inputs["Base Color"])
            if surface["masked"]:
                links.new(color.outputs["Alpha"], shader.inputs["Alpha"])
        else:
            shader.inputs["Base Color"].default_value = [*surface["color"], 1.0]
        if surface["relief"] is not None:
            relief = nodes.new("ShaderNodeNormalMap")
            image = self._texture(nodes, surface["relief"], "Non-Color")
            links.new(image.outputs["Color"], relief.inputs["Color"])
            links.new(relief.outputs["Normal"], shader.inputs["Normal"])
        return material

    def _texture(self, nodes: Any, file: str, space: str) -> Any:
        node = nodes.new("ShaderNodeTexImage")
        node.image = bpy.data.images.load(str(self.folder / file))
        node.image.colorspace_settings.name = space
        node.image.alpha_mode = "CHANNEL_PACKED"
        return node

    def _object(self, name: str, data: Any, to_world: list[list[float]] | None = None) -> Any:
        thing = bpy.data.objects.new(name, data)
        if to_world is not None:
            thing.matrix_world = np.array(to_world).T.tolist()
        self.scene.collection.objects.link(thing)
        return thing


def _shine(light: Any, value: list[float], scale: float) -> None:
    """Colour and strength of a light of this linear RGB."""
    most = max(*value, 1e-12)
    light.color = [channel / most for channel in value]
    light.energy = most * scale


def main() -> None:
    if bpy is None:
        print("Blender Cycles for render.py: run by its --bpy-python, a Python that has bpy")
        return
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Blender prints is no answer
    stage = None
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, float] = {}
        if request["do"] == "stage":
            stage = Stage(Path(request["shot"]))
            stage.draw(1, None, exchange=False)
        elif request["do"] == "ids":
            stage.ids(request["save"])
        else:
            answer = stage.draw(request["spp"], request.get("denoiser"), request["exchange"])
            if request.get("save"):
                stage.save(request["save"])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
