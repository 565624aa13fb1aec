"""What a worker process does beside its items."""

from unittest.mock import Mock

import pytest

from imgguard.errors import IndexNotReady, IndexUnavailable, StoreUnavailable
from imgguard.worker.process import drop_removed


@pytest.mark.parametrize("error", [IndexUnavailable("read only"), IndexNotReady("no generation")])
def test_index_files_that_cannot_be_written_do_not_end_a_worker(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    services = Mock()
    services.index.drop_removed.side_effect = error
    drop_removed(services)
    assert "still hold what was erased" in caplog.text


def test_a_store_that_is_away_is_for_the_loop_to_wait_for() -> None:
    services = Mock()
    services.index.drop_removed.side_effect = StoreUnavailable("locked")
    with pytest.raises(StoreUnavailable):
        drop_removed(services)
