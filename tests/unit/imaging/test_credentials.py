"""What files say of their making is read in a child process, without a network, and whatever they hold."""

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import credentials as made
import numpy as np
import psutil
import pytest
from PIL import Image

from imgguard.imaging import child, credentials_json, wire
from imgguard.imaging.credentials import (
    LONGEST_TEXT,
    MOST_ACTIONS,
    MOST_CODES,
    MOST_INGREDIENTS,
    MOST_JSON_BYTES,
    NO_CREDENTIALS,
    Action,
    ContentCredentials,
    CredentialState,
    Generated,
    Ingredient,
    Remark,
    Revocation,
    Timestamp,
    may_have_credentials,
    to_json,
    with_remarks,
)
from imgguard.imaging.credentials_reader import read_credentials
from imgguard.imaging.image import DeclaredTime, DecodeLimits
from imgguard.imaging.sandbox import SandboxedDecoder

INTACT = CredentialState.TRUSTED


@pytest.fixture(scope="module")
def reader() -> Iterator[SandboxedDecoder]:
    """Trusts the authority of the tests."""
    with SandboxedDecoder(DecodeLimits(), trust=made.authority().pem) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def trusting_nobody() -> Iterator[SandboxedDecoder]:
    with SandboxedDecoder(DecodeLimits()) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def jpeg(picture: Image.Image, encode) -> bytes:
    return encode(picture, "JPEG")


@pytest.fixture(scope="module")
def signed(jpeg: bytes) -> bytes:
    return made.signed(jpeg)


class TestStates:
    def test_intact_and_by_somebody_trusted(self, reader, signed):
        found = reader.credentials(signed)
        assert (found.state, found.failures) == (CredentialState.TRUSTED, ())
        assert {"assertion.dataHash.match", "claimSignature.validated"} <= set(found.successes)
        assert found.signer is not None
        assert (found.signer.common_name, found.signer.organisation) == ("Camera 1", "Test Cameras")
        assert (found.signer.issuer, found.signer.serial) == ("Test Root", "abc123")
        assert found.signer.not_before is not None
        assert found.signer.not_after is not None
        assert found.signer.not_after - found.signer.not_before == timedelta(days=730)
        assert found.generator == "Test camera 2.1"
        assert found.actions == (Action(code="c2pa.created", software=None, at=None, source_type="digitalCapture"),)
        assert (found.signed_at, found.timestamp) == (None, Timestamp.NONE)
        assert found.revocation is Revocation.NOT_KNOWN

    def test_nobody_is_trusted_without_a_trust_list(self, trusting_nobody, signed):
        found = trusting_nobody.credentials(signed)
        assert (found.state, found.failures) == (CredentialState.VALID, ("signingCredential.untrusted",))

    def test_a_signer_of_another_authority_is_not_trusted(self, reader, jpeg):
        found = reader.credentials(made.signed(jpeg, identity=made.Authority("Somebody").signer()))
        assert found.state is CredentialState.VALID

    def test_a_changed_pixel_is_noticed(self, reader, signed):
        spoilt = bytearray(signed)
        spoilt[-100] ^= 1
        found = reader.credentials(bytes(spoilt))
        assert (found.state, found.failures) == (CredentialState.INVALID, ("assertion.dataHash.mismatch",))

    def test_credentials_of_another_file_do_not_fit(self, reader, signed, picture, encode):
        other = encode(picture.rotate(5), "JPEG")
        found = reader.credentials(made.transplanted(signed, other))
        assert (found.state, found.failures) == (CredentialState.INVALID, ("assertion.dataHash.mismatch",))

    def test_a_certificate_that_ran_out_is_noticed(self, reader, jpeg):
        end = datetime.now(UTC) + timedelta(seconds=2)
        brief = made.signed(jpeg, identity=made.authority().signer(end=end))
        time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 1.1)
        found = reader.credentials(brief)
        assert found.state is not CredentialState.TRUSTED
        assert "signingCredential.expired" in found.failures

    def test_saving_it_again_strips_them(self, reader, signed, encode):
        again = encode(Image.open(io.BytesIO(signed)), "JPEG")
        assert reader.credentials(again) is NO_CREDENTIALS

    @pytest.mark.parametrize("plugin", ["PNG", "WEBP", "TIFF", "GIF", "AVIF"])
    def test_of_every_format_that_can_have_them(self, plugin, reader, picture, encode):
        media_type = f"image/{plugin.lower()}"
        assert reader.credentials(made.signed(encode(picture, plugin), media_type)).state is INTACT

    def test_of_heic(self, reader, assets: Path):
        data = made.signed((assets / "turned.heic").read_bytes(), "image/heic")
        assert reader.credentials(data).state is INTACT
        assert reader.decode(data).media_type == "image/heic"


class TestFacts:
    def test_steps_software_and_generation(self, reader, jpeg):
        actions = [
            {"action": "c2pa.created", "digitalSourceType": made.GENERATED},
            {
                "action": "c2pa.cropped",
                "when": "2026-01-02T03:04:05+01:00",
                "softwareAgent": {"name": "Cut \u202e\x1b"},
            },
        ]
        found = reader.credentials(made.signed(jpeg, actions=actions))
        assert [action.code for action in found.actions] == ["c2pa.created", "c2pa.cropped"]
        assert found.actions[1].at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
        assert found.actions[1].software == "Cut"
        assert found.ai_generated is Generated.WHOLLY

    def test_what_it_was_opened_from(self, reader, jpeg):
        ingredient = {"title": "before.jpg", "format": "image/jpeg", "relationship": "parentOf", "label": "one"}
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["one"]}}
        found = reader.credentials(made.signed(jpeg, actions=[opened], ingredients=[ingredient]))
        assert found.ingredients == (Ingredient(title="before.jpg", relationship="parentOf"),)
        assert with_remarks(found, ()).remarks == (Remark.OPENED_FROM_ANOTHER,)

    def test_the_camera_that_the_file_names(self, reader, jpeg):
        exif = {
            "label": "c2pa.metadata",
            "kind": "Json",
            "data": {"@context": {"tiff": "http://ns.adobe.com/tiff/1.0/"}, "tiff:Make": "Maker", "tiff:Model": "M 1"},
        }
        assert reader.credentials(made.signed(jpeg, assertions=(exif,))).device == "Maker M 1"


class TestHostile:
    def test_ten_thousand_steps_are_counted_and_few_are_kept(self, reader, jpeg):
        edited, last = {"action": "c2pa.edited"}, {"action": "c2pa.edited", "softwareAgent": {"name": "x" * 200}}
        data = made.signed(jpeg, actions=[made.created(), last, *[edited] * 9_998])
        found = reader.credentials(data)
        assert (found.state, len(found.actions), found.action_count) == (INTACT, MOST_ACTIONS, 10_000)
        assert found.actions[1].software == "x" * LONGEST_TEXT

    @pytest.mark.parametrize("kept", [60, 200, 2_000])
    def test_a_store_that_ends_too_soon(self, kept, reader, jpeg, signed):
        store = made.manifest_segments(signed)[4 + 8 :][:kept]
        assert reader.credentials(made.with_boxes(jpeg, store)).state is CredentialState.UNREADABLE

    @pytest.mark.parametrize("depth", [1_000, 100_000])
    def test_boxes_in_boxes(self, depth, reader, picture, encode, signed):
        found = reader.credentials(made.png_with_boxes(encode(picture, "PNG"), made.nested_boxes(depth)))
        assert found.state is CredentialState.UNREADABLE
        assert reader.credentials(signed).state is INTACT

    def test_every_byte_of_a_manifest_may_be_wrong(self, reader, signed):
        rng = np.random.default_rng(3)
        before = {one.pid for one in reader._pool._all}
        for at in rng.integers(20, len(made.manifest_segments(signed)), 60):
            spoilt = bytearray(signed)
            spoilt[at] ^= int(rng.integers(1, 256))
            assert isinstance(reader.credentials(bytes(spoilt)), ContentCredentials)
        assert {one.pid for one in reader._pool._all} == before

    @pytest.mark.parametrize("embedded", [True, False])
    def test_nobody_is_asked_for_a_manifest(self, embedded, reader, jpeg):
        """Neither by a child, which cannot open a socket then, nor by the library alone under our settings."""
        asked: list[object] = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(20)
            url = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
            data = made.signed(jpeg, remote_url=url, embedded=embedded)

            def listen() -> None:
                with suppress(OSError):
                    asked.append(server.accept())

            thread = threading.Thread(target=listen)
            thread.start()
            found = reader.credentials(data)
            assert read_credentials(data).state in (CredentialState.VALID, CredentialState.UNREADABLE)
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
        assert asked == []
        if embedded:
            assert found.state is INTACT
        else:
            assert (found.state, found.failures) == (CredentialState.UNREADABLE, ("manifest.inaccessible",))

    def test_a_reader_that_crashes_costs_only_this_answer(self, reader, signed, monkeypatch):
        def dies(self: child.Child, data: bytes, *, trust: str) -> ContentCredentials:
            self.kill()
            raise child.ChildDied("was ended by SIGSEGV")

        with monkeypatch.context() as patch:
            patch.setattr(child.Child, "credentials", dies)
            assert reader.credentials(signed).failures == ("reader_crashed",)
        assert reader.credentials(signed).state is INTACT

    def test_a_child_without_room_for_the_library_still_decodes(self, signed):
        with SandboxedDecoder(DecodeLimits(memory_bytes=135_000_000)) as small:
            small.decode(signed)
            assert small.credentials(signed).failures == ("reader_unavailable",)
            assert small.decode(signed).width == 120


class TestCost:
    def test_a_file_without_any_is_not_even_asked_about(self, jpeg):
        with SandboxedDecoder(DecodeLimits()) as decoder:
            assert decoder.credentials(jpeg) is NO_CREDENTIALS
            assert not decoder._pool._all

    def test_the_scan_of_a_photograph_takes_less_than_a_millisecond(self):
        data = np.random.default_rng(1).bytes(1_000_000)
        took = []
        for _ in range(20):
            started = time.perf_counter()
            assert not may_have_credentials(data)
            took.append(time.perf_counter() - started)
        assert min(took) < 0.001

    def test_a_child_loads_the_library_when_it_is_needed(self, jpeg, signed):
        def has_library(decoder: SandboxedDecoder) -> bool:
            (one,) = decoder._pool._all
            return any("libc2pa" in map_.path for map_ in psutil.Process(one.pid).memory_maps())

        with SandboxedDecoder(DecodeLimits()) as decoder:
            decoder.decode(jpeg)
            assert not has_library(decoder)
            decoder.credentials(signed)
            assert has_library(decoder)


def full() -> ContentCredentials:
    text = "\N{GRINNING FACE}" * LONGEST_TEXT
    action = Action(code=text, software=text, at=datetime(2026, 1, 1, 1, 1, 1, 123456, UTC), source_type=text)
    return ContentCredentials(
        state=CredentialState.VALID,
        successes=("signingCredential.ocsp.notRevoked",) * MOST_CODES,
        actions=(action,) * MOST_ACTIONS,
        action_count=10**9,
        ingredients=(Ingredient(title=text, relationship=text),) * MOST_INGREDIENTS,
        ingredient_count=99,
        generator=text,
    )


class TestJson:
    def test_the_most_there_may_be_fits(self):
        text = to_json(full())
        assert len(text.encode()) <= MOST_JSON_BYTES
        assert credentials_json.parse(text.encode()) == full()

    @pytest.mark.parametrize(
        "change",
        [
            {"state": "splendid"},
            {"state": None},
            {"more": 1},
            {"generator": "a\nb"},
            {"generator": "x" * (LONGEST_TEXT + 1)},
            {"generator": "\u202e"},
            {"signed_at": "2026-01-01T00:00:00"},
            {"signed_at": 5},
            {"action_count": -1},
            {"action_count": "1"},
            {"failures": ["x"] * (MOST_CODES + 1)},
            {"actions": [{}]},
            {"ingredients": [{"title": None, "relationship": None}] * (MOST_INGREDIENTS + 1)},
            {"state": "trusted"},
        ],
        ids=json.dumps,
    )
    def test_a_child_may_not_say_anything_else(self, change):
        document = json.loads(to_json(NO_CREDENTIALS)) | change
        with pytest.raises(wire.BadReply):
            credentials_json.parse_reply(json.dumps(document).encode(), trusting=False)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 5_000, b" " * (MOST_JSON_BYTES + 1)])
    def test_nor_what_is_no_object(self, body):
        with pytest.raises(wire.BadReply):
            credentials_json.parse_reply(body, trusting=True)


def exif(value: str, *, source: str = "exif:DateTimeOriginal", offset: str | None = None) -> DeclaredTime:
    return DeclaredTime(source=source, value=value, precision="second", offset=offset)


class TestRemarks:
    captured = ContentCredentials(
        state=CredentialState.VALID,
        signed_at=datetime(2026, 5, 2, 12, tzinfo=UTC),
        actions=(Action(code="c2pa.created", software=None, at=None, source_type="digitalCapture"),),
    )

    @pytest.mark.parametrize(
        ("time", "remarks"),
        [
            (exif("2026-05-02T20:00:00"), ()),
            (exif("2026-05-04T00:00:00"), (Remark.EXIF_AFTER_SIGNING,)),
            (exif("2026-05-03T14:00:00", offset="+08:00"), ()),
            (exif("2026-05-04T00:00:00", source="exif:DateTime"), (Remark.EXIF_AFTER_SIGNING,)),
            (exif("2026-05-01T00:00:00"), (Remark.EXIF_BEFORE_CAPTURE,)),
            (exif("2026-05-01T00:00:00", source="exif:DateTime"), ()),
            (exif("0001-01-01T00:00:00", offset="+14:00"), ()),
        ],
    )
    def test_times_that_disagree(self, time, remarks):
        assert with_remarks(self.captured, [time]).remarks == remarks

    def test_an_edited_file_may_be_older_than_its_signature(self):
        edited = ContentCredentials(state=CredentialState.VALID, signed_at=self.captured.signed_at)
        assert with_remarks(edited, [exif("2020-01-01T00:00:00")]).remarks == ()

    def test_a_day_alone_says_nothing(self):
        day = DeclaredTime(source="exif:DateTimeOriginal", value="2026-05-09", precision="day", offset=None)
        assert with_remarks(self.captured, [day]).remarks == ()
