from pathlib import Path

import pytest
from large_log import write_log


@pytest.fixture(scope="session")
def log_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    write_log(folder)
    return folder


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Where these tests are left out they are not imported either: their peers need not be installed."""
    return True if "not interop" in str(config.getoption("markexpr")) else None
