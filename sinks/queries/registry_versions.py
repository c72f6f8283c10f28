"""Answers which registered versions there are: listed, or found by text, model, alias or tag."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from clickhouse_driver import Client

from modeltrail.sinks.queries.narrowing import newest


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One registered version as it is now; fields as in the view `model_versions`."""

    event_id: UUID
    model_id: str
    version: str
    artifact_uri: str
    artifact_sha256: str
    artifact_size: int
    metadata_json: str
    declared_metrics: list[str]
    aliases: list[str]
    tags: dict[str, str]
    archived: bool
    erased: bool
    registered_at: datetime
    requested_by: str
    tensors: list[tuple[bool, str, str, list[str]]]
    opsets: list[tuple[str, int]]
    run_id: str | None
    dataset: str
    dataset_fingerprint: str
    git_commit: str
    environment_lock: str
    parent_model_id: str | None
    parent_version: str | None


_COLUMNS = ", ".join(field.name for field in fields(VersionRow))
_CANDIDATES = """
SELECT model_id, assumeNotNull(version)
FROM registry_rows
WHERE event_type = 'ModelRegistered' {conditions}
ORDER BY appended_at DESC, offset DESC, model_id
LIMIT %(most)s OFFSET %(offset)s
"""
# The pairs decide; that each part is one of few is what makes the view read few.
_CONFIRMED = """
SELECT {columns}
FROM model_versions
WHERE model_id IN %(model_ids)s AND version IN %(versions)s
AND (model_id, version) IN %(pairs)s {conditions}
"""
_OF_MODEL = ("AND model_id = %(model_id)s", "")
_OF_TEXT = (
    """AND (position(search_text, lowerUTF8(%(text)s)) > 0
    OR (model_id, assumeNotNull(version)) IN (
        SELECT (model_id, assumeNotNull(version)) FROM registry_rows
        WHERE event_type = 'TagSet' AND version IS NOT NULL
        AND position(search_text, lowerUTF8(%(text)s)) > 0
    ))""",
    """AND arrayExists(
        line -> position(lowerUTF8(line), lowerUTF8(%(text)s)) > 0,
        arrayConcat(
            [model_id, version, metadata_json, ifNull(run_id, ''), dataset, git_commit,
             requested_by],
            arrayMap((name, value) -> concat(name, '=', value), mapKeys(tags), mapValues(tags))
        )
    )""",
)
_OF_ALIAS = (
    """AND (model_id, assumeNotNull(version)) IN (
        SELECT (model_id, assumeNotNull(version)) FROM registry_rows
        WHERE event_type = 'AliasAssigned' AND name = %(alias)s
    )""",
    "AND has(aliases, %(alias)s)",
)
_OF_TAG = (
    """AND (model_id, assumeNotNull(version)) IN (
        SELECT (model_id, assumeNotNull(version)) FROM registry_rows
        WHERE event_type = 'TagSet' AND version IS NOT NULL AND name = %(tag_name)s
    )""",
    "AND mapContains(tags, %(tag_name)s)",
)
_OF_TAG_VALUE = (
    """AND (model_id, assumeNotNull(version)) IN (
        SELECT (model_id, assumeNotNull(version)) FROM registry_rows
        WHERE event_type = 'TagSet' AND version IS NOT NULL
        AND name = %(tag_name)s AND value = %(tag_value)s
    )""",
    "AND mapContains(tags, %(tag_name)s) AND tags[%(tag_name)s] = %(tag_value)s",
)
_NOT_ARCHIVED = (
    # Where something was restored, only all facts of the model can tell.
    """AND (model_id IN (SELECT model_id FROM registry_rows WHERE event_type = 'ModelRestored')
    OR (model_id, assumeNotNull(version)) NOT IN (
        SELECT (model_id, assumeNotNull(version)) FROM registry_rows
        WHERE event_type = 'ModelArchived' AND version IS NOT NULL
    ) AND model_id NOT IN (
        SELECT model_id FROM registry_rows WHERE event_type = 'ModelArchived' AND version IS NULL
    ))""",
    "AND NOT archived",
)


def search_versions(
    client: Client,
    *,
    text: str = "",
    model_id: str | None = None,
    alias: str | None = None,
    tag: tuple[str, str | None] | None = None,
    include_archived: bool = False,
    limit: int = 50,
) -> list[VersionRow]:
    """The versions that meet every condition given, newest first.

    Args:
        client: of an account that may read; its current database is asked.
        text: part of the model id, version, metadata, lineage, or `name=value` of a tag, in any
            case.
        model_id: versions of this model only.
        alias: versions that this alias points at.
        tag: name and value of a tag of the version; value None: any.
        include_archived: archived versions as well.
        limit: most rows.
    """
    wanted = [
        (model_id is not None, _OF_MODEL),
        (bool(text), _OF_TEXT),
        (alias is not None, _OF_ALIAS),
        (tag is not None, _OF_TAG if tag and tag[1] is None else _OF_TAG_VALUE),
        (not include_archived, _NOT_ARCHIVED),
    ]
    values = {
        "text": text,
        "model_id": model_id,
        "alias": alias,
        "tag_name": tag[0] if tag else None,
        "tag_value": tag[1] if tag else None,
    }
    of_a_fact, of_the_version = (
        query.format(
            columns=_COLUMNS,
            conditions=" ".join(pair[side] for is_wanted, pair in wanted if is_wanted),
        )
        for side, query in enumerate((_CANDIDATES, _CONFIRMED))
    )

    def candidates(offset: int, most: int) -> list[tuple[str, str]]:
        rows = client.execute(of_a_fact, {**values, "offset": offset, "most": most})
        return [(model, version) for model, version in rows]

    def confirmed(pairs: Sequence[tuple[str, str]]) -> list[VersionRow]:
        bounds = {
            "model_ids": tuple({model for model, _ in pairs}),
            "versions": tuple({version for _, version in pairs}),
            "pairs": tuple(pairs),
        }
        rows = [VersionRow(*row) for row in client.execute(of_the_version, {**values, **bounds})]
        order = {pair: place for place, pair in enumerate(pairs)}
        return sorted(rows, key=lambda row: order[row.model_id, row.version])

    return newest(candidates, confirmed, limit)
