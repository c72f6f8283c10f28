"""Writes `maven.lock` anew: resolves the wanted programs and records the SHA-256 of each archive.

Run by hand when a version changes: `python -m modeltrail.infra.stack.relock`.
"""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import jgo
from jgo.maven import MavenContext

from modeltrail.infra.stack.maven import LOCK_FILE, Locked, sha256_of, tree_sha256_of, unpack

# Apart on purpose: together with a logger the broker gets an older kafka-clients and dies.
KAFKA = ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36")
REGISTRY = ("io.apicurio", "apicurio-registry-app", "3.3.3")


def main() -> None:
    """Resolve, download, hash, write."""
    with tempfile.TemporaryDirectory() as temporary:
        cache = Path(temporary)
        context = MavenContext(repo_cache=cache)
        jars = {
            (found.groupId, found.artifactId, found.version)
            for endpoint in KAFKA
            for found in jgo.resolve(endpoint)
        }
        lock = {
            "kafka": [_locked(context, cache, *jar) for jar in sorted(jars)],
            "registry": [_locked(context, cache, *REGISTRY, "all", "tar.gz")],
        }
    content = {name: [_compact(entry) for entry in entries] for name, entries in lock.items()}
    LOCK_FILE.write_text(json.dumps(content, indent=1) + "\n")


def _locked(
    context: MavenContext,
    cache: Path,
    group: str,
    artifact: str,
    version: str,
    classifier: str = "",
    packaging: str = "jar",
) -> Locked:
    component = context.project(group, artifact).at_version(version)
    file = component.artifact(classifier, packaging).resolve()
    tree_sha256 = ""
    if packaging == "tar.gz":
        unpack(file, cache / "tree")
        tree_sha256 = tree_sha256_of(cache / "tree")
    return Locked(
        group,
        artifact,
        version,
        sha256_of(file),
        file.stat().st_size,
        classifier,
        packaging,
        tree_sha256,
    )


def _compact(entry: Locked) -> dict[str, str | int]:
    defaults = {"classifier": "", "packaging": "jar", "tree_sha256": ""}
    return {key: value for key, value in asdict(entry).items() if defaults.get(key) != value}


if __name__ == "__main__":
    main()
