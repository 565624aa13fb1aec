"""Content Credentials over HTTP: of an original, of a checked picture, and of another's original only as far as its
owner lets them be seen."""

import credentials as made

from .conftest import Office, sample


def upload(data: bytes) -> dict[str, object]:
    return {"file": ("photo.jpg", data)}


def test_they_are_kept_with_an_original_and_told_of_a_checked_picture(office: Office) -> None:
    data = made.signed(sample("originals/leather-cap.jpg"))
    holder, seller = office.as_("studio.rights_holder"), office.as_("shop.seller")
    answer = holder.post("/v1/references", files=upload(data))
    assert answer.status_code == 201, answer.text
    reference = holder.get(f"/v1/references/{answer.json()['reference']['reference_id']}").json()
    told = reference["content_credentials"]
    assert (told["state"], told["signer"]["common_name"]) == ("valid", "Camera 1")
    assert told["failures"] == ["signingCredential.untrusted"]

    checked = seller.post("/v1/checks", files=upload(data), data={"profile": "quick"})
    assert checked.status_code == 200, checked.text
    check = checked.json()
    assert check["content_credentials"] == told
    assert seller.get(f"/v1/checks/{check['finding_id']}").json()["content_credentials"] == told
    (match,) = check["matches"]
    assert (match["disclosure"], match["reference_credentials"]) == ("outline", None)
    (owners,) = office.as_("studio.seller").post("/v1/checks", files=upload(data)).json()["matches"]
    assert owners["reference_credentials"] == told


def test_a_picture_without_any_has_none(office: Office) -> None:
    answer = office.as_("shop.seller").post(
        "/v1/checks", files=upload(sample("listings/copy-mirrored-mug.jpg")), data={"profile": "quick"}
    )
    assert answer.json()["content_credentials"] is None
