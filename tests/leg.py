"""A leg of three bodies as an OpenSim model without markers, its marker set, and set-up files."""

from __future__ import annotations

from pathlib import Path

MARKERS = {
    "ASI": ("pelvis", (0.02, 0.03, 0.12), True),
    "PSI": ("pelvis", (-0.14, 0.04, 0.05), True),
    "SAC": ("pelvis", (-0.15, 0.02, 0.0), False),
    "THI": ("thigh", (0.05, -0.2, 0.06), False),
    "KNE": ("thigh", (0.0, -0.4, 0.06), True),
    "TIB": ("shank", (0.04, -0.2, 0.05), False),
    "ANK": ("shank", (0.0, -0.4, 0.04), True),
    "TOE": ("shank", (0.15, -0.43, 0.02), False),
}
"""Body, offset in m, whether it is fixed."""


def write_leg(path: Path, markers: str = "") -> Path:
    """The model: pelvis free in the world, a ball at the hip, a hinge at the knee."""

    def body(name: str, mass: float) -> str:
        return (
            f'<Body name="{name}"><mass>{mass}</mass><mass_center>0 -0.1 0</mass_center>'
            "<inertia>0.1 0.1 0.1 0 0 0</inertia></Body>"
        )

    def joint(kind: str, name: str, parent: str, child: str, at: str, names: list[str]) -> str:
        ranges = "<range>-2.5 2.5</range>"
        coordinates = "".join(f'<Coordinate name="{n}">{ranges}</Coordinate>' for n in names)
        return (
            f'<{kind} name="{name}"><socket_parent_frame>{parent}_at</socket_parent_frame>'
            f"<socket_child_frame>/bodyset/{child}</socket_child_frame>"
            f"<coordinates>{coordinates}</coordinates><frames>"
            f'<PhysicalOffsetFrame name="{parent}_at"><socket_parent>'
            f"{'/ground' if parent == 'ground' else f'/bodyset/{parent}'}</socket_parent>"
            f"<translation>{at}</translation></PhysicalOffsetFrame></frames></{kind}>"
        )

    base = ["tilt", "list", "turn", "tx", "ty", "tz"]
    path.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40500"><Model name="leg">'
        f"<BodySet><objects>{body('pelvis', 10)}{body('thigh', 6)}{body('shank', 4)}</objects>"
        "</BodySet><JointSet><objects>"
        + joint("FreeJoint", "base", "ground", "pelvis", "0 0 0", base)
        + joint(
            "GimbalJoint", "hip", "pelvis", "thigh", "-0.05 -0.08 0.08", ["hip_x", "hip_y", "hip_z"]
        )
        + joint("PinJoint", "knee", "thigh", "shank", "0 -0.42 0", ["knee"])
        + f"</objects></JointSet>{markers}</Model></OpenSimDocument>"
    )
    return path


def marker_set(version: int = 40000) -> str:
    """The markers as OpenSim of that version writes them."""
    markers = ""
    for name, (body, (x, y, z), fixed) in MARKERS.items():
        if version < 30500:
            where = f"<body> {body} </body>"
        elif version < 30517:
            where = (
                '<connectors><Connector_PhysicalFrame_ name="parent_frame"><connectee_name>'
                f"../{body}</connectee_name></Connector_PhysicalFrame_></connectors>"
            )
        else:
            where = f"<socket_parent_frame>/bodyset/{body}</socket_parent_frame>"
        markers += (
            f'<Marker name="{name}">{where}<location> {x} {y} {z} </location>'
            f"<fixed>{str(fixed).lower()}</fixed></Marker>"
        )
    return f'<MarkerSet name="set"><objects>{markers}</objects><groups/></MarkerSet>'


def write_marker_set(path: Path, version: int = 40000) -> Path:
    """A document of that version with the markers."""
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><OpenSimDocument Version="{version}">'
        f"{marker_set(version)}</OpenSimDocument>"
    )
    return path


def write_scale_setup(
    path: Path,
    *,
    model: str = "leg.osim",
    markers: str = "markers.xml",
    static: str = "static.trc",
    order: str = "measurements manualScale",
    preserve: bool = True,
    placer: bool = True,
    movement: float = -1.0,
    span: str = "0.1 0.3",
) -> Path:
    """A ScaleTool set-up: thigh by two pairs along Y and Z, the pelvis by hand, no shank."""

    def pair(a: str, b: str) -> str:
        return f"<MarkerPair><markers> {a} {b} </markers></MarkerPair>"

    def measurement(name: str, pairs: str, body: str, axes: str) -> str:
        return (
            f'<Measurement name="{name}"><apply>true</apply><MarkerPairSet><objects>{pairs}'
            f'</objects></MarkerPairSet><BodyScaleSet><objects><BodyScale name="{body}">'
            f"<axes> {axes} </axes></BodyScale></objects></BodyScaleSet></Measurement>"
        )

    measurements = (
        measurement("thigh", pair("ASI", "KNE") + pair("PSI", "KNE"), "thigh", "Y Z")
        + measurement("lost", pair("TIB", "NOWHERE") + pair("TIB", "ANK"), "shank", "X Y Z")
        + measurement("hips", pair("ASI", "PSI"), "pelvis", "X Y Z")
    )
    tasks = "".join(
        f'<IKMarkerTask name="{name}"><apply>true</apply><weight>{weight}</weight></IKMarkerTask>'
        for name, weight in (("ASI", 10), ("PSI", 10), ("KNE", 5), ("ANK", 5), ("THI", 1))
    ) + (
        '<IKCoordinateTask name="knee"><apply>true</apply><weight>0.01</weight>'
        "<value_type>manual_value</value_type><value>0.1</value></IKCoordinateTask>"
    )
    path.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><ScaleTool name="somebody">'
        f"<mass>33</mass><GenericModelMaker><model_file>{model}</model_file>"
        f"<marker_set_file> {markers} </marker_set_file></GenericModelMaker><ModelScaler>"
        f"<apply>true</apply><scaling_order> {order} </scaling_order>"
        f"<MeasurementSet><objects>{measurements}</objects></MeasurementSet>"
        "<ScaleSet><objects><Scale><scales> 1.1 0.9 1.05 </scales><segment> pelvis </segment>"
        "<apply>true</apply></Scale></objects></ScaleSet>"
        f"<marker_file> {static} </marker_file><time_range>{span}</time_range>"
        f"<preserve_mass_distribution>{str(preserve).lower()}</preserve_mass_distribution>"
        "<output_model_file>scaled.osim</output_model_file></ModelScaler><MarkerPlacer>"
        f"<apply>{str(placer).lower()}</apply><IKTaskSet><objects>{tasks}</objects></IKTaskSet>"
        f"<marker_file> {static} </marker_file><time_range>{span}</time_range>"
        "<output_motion_file>static.mot</output_motion_file>"
        f"<output_model_file>placed.osim</output_model_file>"
        f"<max_marker_movement>{movement}</max_marker_movement></MarkerPlacer>"
        "</ScaleTool></OpenSimDocument>"
    )
    return path
