"""The part of the SARIF 2.1.0 JSON schema that our reports use, written after the OASIS standard
(errata 01): required properties, types, enumerations, and no properties beyond the standard's."""

from __future__ import annotations

from typing import Any


def thing(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object of the standard; it may always carry a bag of `properties`."""
    return {
        "type": "object",
        "required": required,
        "properties": properties | {"properties": {"type": "object"}},
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
INDEX = {"type": "integer", "minimum": -1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = {
    **thing([], text=TEXT, markdown=TEXT, id=TEXT, arguments={"type": "array", "items": TEXT}),
    "anyOf": [{"required": ["text"]}, {"required": ["id"]}],
}
MULTIFORMAT = thing(["text"], text=TEXT, markdown=TEXT)
TAGS = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": TEXT, "uniqueItems": True}},
}
ARTIFACT_LOCATION = thing(
    [], uri={"type": "string", "format": "uri-reference"}, uriBaseId=TEXT, index=INDEX,
    description=MESSAGE,
)  # fmt: skip
REGION = thing(
    [],
    **{
        name: {"type": "integer", "minimum": 1}
        for name in ("startLine", "startColumn", "endLine", "endColumn")
    },
)
PHYSICAL = {
    **thing([], artifactLocation=ARTIFACT_LOCATION, region=REGION, contextRegion=REGION,
            address={"type": "object"}),
    "anyOf": [{"required": ["address"]}, {"required": ["artifactLocation"]}],
}  # fmt: skip
LOGICAL = thing(
    [], name=TEXT, index=INDEX, fullyQualifiedName=TEXT, decoratedName=TEXT, parentIndex=INDEX,
    kind=TEXT,
)  # fmt: skip
LOCATION = thing(
    [], id=INDEX, physicalLocation=PHYSICAL, message=MESSAGE,
    logicalLocations={"type": "array", "items": LOGICAL, "uniqueItems": True},
)  # fmt: skip
SUPPRESSION = thing(
    ["kind"], kind={"enum": ["inSource", "external"]}, guid=TEXT, justification=TEXT,
    status={"enum": ["accepted", "underReview", "rejected"]},
)  # fmt: skip
STRINGS = {"type": "object", "additionalProperties": TEXT}
RESULT = thing(
    ["message"], ruleId=TEXT, ruleIndex=INDEX, level=LEVEL, message=MESSAGE, guid=TEXT,
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    locations={"type": "array", "items": LOCATION}, fingerprints=STRINGS,
    partialFingerprints=STRINGS,
    suppressions={"type": "array", "items": SUPPRESSION, "uniqueItems": True},
    baselineState={"enum": ["new", "unchanged", "updated", "absent"]},
)  # fmt: skip
CONFIGURATION = thing(
    [], enabled={"type": "boolean"}, level=LEVEL,
    rank={"type": "number", "minimum": -1, "maximum": 100}, parameters={"type": "object"},
)  # fmt: skip
DESCRIPTOR = thing(
    ["id"], id=TEXT, name=TEXT, guid=TEXT, helpUri={"type": "string", "format": "uri"},
    shortDescription=MULTIFORMAT, fullDescription=MULTIFORMAT, help=MULTIFORMAT,
    defaultConfiguration=CONFIGURATION,
)  # fmt: skip
DESCRIPTOR["properties"]["properties"] = TAGS
DRIVER = thing(
    ["name"], name=TEXT, version=TEXT, semanticVersion=TEXT, organization=TEXT,
    informationUri={"type": "string", "format": "uri"},
    rules={"type": "array", "items": DESCRIPTOR, "uniqueItems": True},
)  # fmt: skip
NOTIFICATION = thing(["message"], message=MESSAGE, level=LEVEL, descriptor={"type": "object"})
INVOCATION = thing(
    ["executionSuccessful"], executionSuccessful={"type": "boolean"}, exitCode={"type": "integer"},
    commandLine=TEXT, toolExecutionNotifications={"type": "array", "items": NOTIFICATION},
)  # fmt: skip
RUN = thing(
    ["tool"], tool=thing(["driver"], driver=DRIVER), results={"type": "array", "items": RESULT},
    invocations={"type": "array", "items": INVOCATION},
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
)  # fmt: skip
SARIF = thing(
    ["version", "runs"], version={"enum": ["2.1.0"]}, runs={"type": "array", "items": RUN},
    **{"$schema": {"type": "string", "format": "uri"}},
)  # fmt: skip
