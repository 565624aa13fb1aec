"""What is kept of a file's credentials comes back as it was, or says that it is damaged."""

from unittest.mock import Mock

import pytest

from imgguard.imaging.credentials import (
    NO_CREDENTIALS,
    ContentCredentials,
    CredentialState,
    Ingredient,
    Remark,
)
from imgguard.services.contract import CheckLine
from imgguard.services.credentials import credentials_in, credentials_of, kept

OPENED = ContentCredentials(
    state=CredentialState.VALID, ingredients=(Ingredient(title="before", relationship="parentOf"),), ingredient_count=1
)


def test_a_file_that_says_nothing_has_none() -> None:
    reader = Mock(**{"credentials.return_value": NO_CREDENTIALS})
    assert credentials_in(b"data", (), reader) is None
    assert kept(None) is None
    assert credentials_of(None) is None


def test_they_are_kept_with_their_remarks() -> None:
    found = credentials_in(b"data", (), Mock(**{"credentials.return_value": OPENED}))
    assert found is not None
    assert found.remarks == (Remark.OPENED_FROM_ANOTHER,)
    assert credentials_of(kept(found)) == found


@pytest.mark.parametrize("text", ["", "{}", '{"state": "splendid"}', "null"])
def test_damaged_ones_hide_nothing_else(text: str) -> None:
    found = credentials_of(text)
    assert found is not None
    assert (found.state, found.failures) == (CredentialState.UNREADABLE, ("stored_damaged",))


def test_findings_of_before_have_none() -> None:
    assert "content_credentials" not in CheckLine.model_json_schema()["required"]
