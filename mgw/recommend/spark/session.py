"""A Spark session for the length of a block: started with clear errors, silent, and gone with this process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mgw.core.errors import ExtraMissing, SparkUnavailable
from mgw.core.memory import available_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.settings import SparkSettings

OLDEST_JAVA = 17
_JAVA_HINT = f"Spark runs on Java {OLDEST_JAVA} or later: apt install default-jre-headless, or set JAVA_HOME"
_SHARE_OF_MEMORY = 0.5
_LEAST_MEMORY_MB = 1024
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
_TIME = re.compile(r"^[\d/]+ [\d:]+ ")
_TOLD = re.compile(r"\bERROR \w+:|Exception|OutOfMemoryError")


@contextmanager
def spark_session(settings: SparkSettings) -> Iterator[Any]:
    """Yield a session of Spark's; Spark is stopped when the block ends.

    Raises:
        ExtraMissing: pyspark is not installed.
        SparkUnavailable: there is no Java, the master does not answer, or Spark gave up in the block.
    """
    if find_spec("pyspark") is None or find_spec("pyarrow") is None:
        raise ExtraMissing("--engine spark needs pyspark and pyarrow", hint="pip install 'mgw[spark]'")
    _require_java()
    with tempfile.TemporaryFile() as log:
        handler = signal.getsignal(signal.SIGINT)
        try:
            with _translated(settings, log), warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of pandas, which is not used here
                session = _start(settings, log)
                try:
                    if folder := _checkpoint_folder(settings):
                        session.sparkContext.setCheckpointDir(folder)
                    yield session
                finally:
                    _stop(session)
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, handler)  # Spark puts one of its own there


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None:
        raise SparkUnavailable("there is no Java on the PATH", hint=_JAVA_HINT)
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except OSError as error:
        raise SparkUnavailable(f"Java does not run: {java}: {error.strerror}", hint=_JAVA_HINT) from error
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise SparkUnavailable(f"{java} is too old: {said.partition(chr(10))[0] or 'no version'}", hint=_JAVA_HINT)


def _start(settings: SparkSettings, log: IO[bytes]) -> Any:  # noqa: ANN401 - pyspark is an extra
    from pyspark import SparkConf, SparkContext, java_gateway  # noqa: PLC0415 - an extra
    from pyspark.sql import SparkSession  # noqa: PLC0415

    conf = SparkConf(loadDefaults=False).setMaster(settings.master).setAppName("mgw train als")
    conf.setAll([*_QUIET.items(), ("spark.driver.memory", settings.driver_memory or _half_of_memory())])
    launch: Any = java_gateway.launch_gateway
    gateway = launch(conf, popen_kwargs={"stdout": log, "stderr": log})
    try:
        return SparkSession(SparkContext(conf=conf, gateway=gateway))
    except BaseException:
        _end(gateway)
        raise


def _checkpoint_folder(settings: SparkSettings) -> str | None:
    """Return the folder for Spark's checkpoints; on a cluster there is none unless it is given: all must see it."""
    from pyspark import SparkFiles  # noqa: PLC0415 - an extra

    if settings.checkpoint_dir is not None or not settings.master.startswith("local"):
        return settings.checkpoint_dir
    return Path(SparkFiles.getRootDirectory(), "checkpoints").as_uri()  # goes with the Java process


def _stop(session: Any) -> None:  # noqa: ANN401
    from pyspark import SparkContext  # noqa: PLC0415

    gateway = session.sparkContext._gateway  # noqa: SLF001 - there is no other way to end the Java process
    try:
        session.stop()
    finally:
        _end(gateway)
        SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001 - the next one starts its own


def _end(gateway: Any) -> None:  # noqa: ANN401
    """End the Java process, which waits for the end of its input."""
    gateway.shutdown()
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(timeout=10)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()


@contextmanager
def _translated(settings: SparkSettings, log: IO[bytes]) -> Iterator[None]:
    from py4j.protocol import Py4JError, Py4JNetworkError  # noqa: PLC0415 - comes with pyspark
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (PySparkException, Py4JError, Py4JNetworkError, ConnectionError) as error:
        message = f"Spark at {settings.master} gave up: {_reason(error, log)}"
        raise SparkUnavailable(
            message, hint="is the master running, and is there memory? [spark.driver_memory]"
        ) from error


def _reason(error: Exception, log: IO[bytes]) -> str:
    """Find what went wrong: in what Java said, for the exceptions of py4j tell less, or ask a Java that is gone."""
    log.seek(0)
    told = [line for line in log.read().decode(errors="replace").splitlines() if _TOLD.search(line)]
    return _TIME.sub("", told[0]).strip() if told else type(error).__name__


def _half_of_memory() -> str:
    available = available_bytes()
    megabytes = _LEAST_MEMORY_MB if available is None else int(available * _SHARE_OF_MEMORY) >> 20
    return f"{max(megabytes, _LEAST_MEMORY_MB)}m"
