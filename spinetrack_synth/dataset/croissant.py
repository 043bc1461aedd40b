"""A dataset's metadata in Croissant, which dataset search engines and loaders read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.dataset.layout import annotations_path, ground_truth_path, images_folder
from spinetrack_synth.dataset.licences import PUBLIC_URL, own_files

CROISSANT: Final = "croissant.json"
VERSION: Final = "http://mlcommons.org/croissant/1.0"

CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of Croissant 1.0, as its specification gives it."""

IMAGE_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png"}


def describe_dataset(
    root: Path, splits: Mapping[str, Mapping[str, Any]], name: str, description: str
) -> dict[str, Any]:
    """The JSON-LD of a finished dataset: its files with their checksums, pictures, ground truth."""
    own = any(own_files(split) for split in splits.values())
    version = next(iter(splits.values()))["version"]
    distribution, records = [], []
    for split, settings in splits.items():
        distribution += _files(root, split, settings)
        records += [picture_records(split), _people(root, split)]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": name,
        "description": description,
        "version": version,
        **({} if own else {"license": PUBLIC_URL}),
        "keywords": ["human pose", "spine", "keypoints", "synthetic data"],
        "distribution": distribution,
        "recordSet": records,
    }


def _files(root: Path, name: str, split: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The annotation file, the ground truth and the pictures of a split."""
    annotations, truth = annotations_path(root, name), ground_truth_path(root, name)
    pictures = images_folder(root, name).relative_to(root)
    return (
        [
            {
                "@type": "cr:FileObject",
                "@id": path.relative_to(root).as_posix(),
                "name": path.name,
                "contentUrl": path.relative_to(root).as_posix(),
                "encodingFormat": kind,
                "sha256": file_sha256(path),
            }
            for path, kind in (
                (annotations, "application/json"),
                (truth, "application/x-parquet"),
            )
        ]
        + [
            {
                "@type": "cr:FileSet",
                "@id": pictures.as_posix(),
                "name": f"pictures of split {name}",
                "encodingFormat": IMAGE_TYPES[split["format"]],
                "includes": f"{pictures.as_posix()}/*.{split['format']}",
            }
        ]
        + [
            {
                "@type": "cr:FileSet",
                "@id": f"{kind}/{name}",
                "name": f"{kind} of split {name}",
                "encodingFormat": IMAGE_TYPES["png"],
                "includes": f"{kind}/{name}/*.png",
            }
            for kind in filter(None, split.get("maps", "").split(","))
        ]
    )


def picture_records(name: str) -> dict[str, Any]:
    """A record a picture: the picture and its file name."""
    folder = f"images/{name}"
    return {
        "@type": "cr:RecordSet",
        "@id": f"{name}_pictures",
        "name": f"{name}_pictures",
        "field": [
            field(f"{name}_pictures", "picture", "sc:ImageObject", "fileSet", folder,
                   {"fileProperty": "content"}),
            field(f"{name}_pictures", "file_name", "sc:Text", "fileSet", folder,
                   {"fileProperty": "filename"}),
        ],
    }  # fmt: skip


def _people(root: Path, name: str) -> dict[str, Any]:
    """A record a person: the columns of the ground truth."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = ground_truth_path(root, name)
    fields = []
    for column in pq.read_schema(path):
        listed = pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
        kind = _data_type(column.type.value_type if listed else column.type)
        made = field(
            f"{name}_people", column.name, kind, "fileObject",
            path.relative_to(root).as_posix(), {"column": column.name},
        )  # fmt: skip
        fields.append(made | ({"repeated": True} if listed else {}))
    return {
        "@type": "cr:RecordSet",
        "@id": f"{name}_people",
        "name": f"{name}_people",
        "field": fields,
    }


def _data_type(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"


def field(
    record: str, name: str, kind: str, source: str, where: str, extract: Mapping[str, str]
) -> dict[str, Any]:
    """A field of a record set, taken from a file or a set of files."""
    return {
        "@type": "cr:Field",
        "@id": f"{record}/{name}",
        "name": name,
        "dataType": kind,
        "source": {source: {"@id": where}, "extract": dict(extract)},
    }
