"""One strict reading of a URL."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgguard.errors import FetchRefused
from imgguard.net.urls import STANDARD_PORTS, parse_url, redirected


def url(text: str) -> str:
    return parse_url(text, ports=STANDARD_PORTS).url


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("http://shop.example", "http://shop.example/"),
        ("HTTPS://Shop.Example.:443/A/b?c=D#e", "https://shop.example/A/b?c=D"),
        ("http://shop.example:443/", "http://shop.example:443/"),
        ("http://shop.example:/?", "http://shop.example/?"),
        ("http://shop.example?a=http://b@c", "http://shop.example/?a=http://b@c"),
        ("http://bücher.example/straße?ä=1 2", "http://xn--bcher-kva.example/stra%C3%9Fe?%C3%A4=1%202"),
        ("http://faß.example/", "http://xn--fa-hia.example/"),
        ("http://my_bucket.cdn-1.example/a%20b%2F", "http://my_bucket.cdn-1.example/a%20b%2F"),
        ('http://shop.example/a\\b<">{}^`', "http://shop.example/a%5Cb%3C%22%3E%7B%7D%5E%60"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
        ("http://[2606:4700::1111]:443/", "http://[2606:4700::1111]:443/"),
        ("http://127.0.0.1.example/", "http://127.0.0.1.example/"),
        ("http://1.2.3.4a/", "http://1.2.3.4a/"),
    ],
)
def test_normal_forms(text: str, normal: str) -> None:
    assert url(text) == normal
    assert url(normal) == normal


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0X7F.0x0.0.01", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("0xa9fea9fe", "169.254.169.254"),
        ("169.16689662", "169.254.169.254"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("①②⑦.⓪.⓪.①", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("127.0\u00ad.0.1", "127.0.0.1"),
        ("０ｘ７ｆ．１", "127.0.0.1"),
        ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ("[::FFFF:7f00:1]", "127.0.0.1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("255.255.255.255", "255.255.255.255"),
    ],
)
def test_every_spelling_of_an_address_is_the_address(host: str, address: str) -> None:
    assert parse_url(f"http://{host}/", ports=STANDARD_PORTS).host == ip_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop.example",
        "//shop.example/",
        "http:/shop.example/",
        "http:shop.example",
        "http://",
        "http:///path",
        " http://shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "unix://shop.example/",
        "http://me@shop.example/",
        "http://me:secret@shop.example/",
        "http://@shop.example/",
        "http://shop.example@127.0.0.1/",
        "http://shop.example\\@127.0.0.1/",
        "http://shop.example\\.evil.example/",
        "http://shop.example%2f@127.0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://shop%2eexample/",
        "http://shop.example:22/",
        "http://shop.example:0/",
        "http://shop.example:65536/",
        "http://shop.example:00000443/",
        "http://shop.example:-1/",
        "http://shop.example:８０/",
        "http://shop.example:80:443/",
        "http://shop..example/",
        "http://.shop.example/",
        "http://shop.example../",
        "http://-shop.example/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}example/",
        "http://sh op.example/",
        "http://shop.example/\r\nX-Evil: 1",
        "http://shop.example/\t",
        "http://shop.exa\nmple/",
        "http://shop.example/\x00",
        "http://shop.example/\x85",
        "http://shop.example/\ud800",
        "http://\ud800.example/",
        "http://shop℀.example/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[]/",
        "http://[127.0.0.1]/",
        "http://[v1.x]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::1%25]/",
        "http://256.0.0.1/",
        "http://127.0.0.256/",
        "http://1.2.3.4.5/",
        "http://4294967296/",
        "http://0x100000000/",
        "http://08.1/",
        "http://0xg.1/",
        "http://a.1/",
        "http://a.0x7f/",
        "http://shop.example/" + "a" * 8000,
    ],
)
def test_all_else_is_refused(text: str) -> None:
    with pytest.raises(FetchRefused) as caught:
        url(text)
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/b", "https://shop.example/b"),
        ("b?c", "https://shop.example/a/b?c"),
        ("?c", "https://shop.example/a/?c"),
        ("", "https://shop.example/a/"),
        ("//cdn.example/b#c", "https://cdn.example/b"),
        ("https://cdn.example", "https://cdn.example/"),
        ("https://0x7f.1/", "https://127.0.0.1/"),
        ("/ü", "https://shop.example/%C3%BC"),
    ],
)
def test_redirects_are_relative_to_where_they_come_from(location: str, leads_to: str) -> None:
    start = parse_url("https://shop.example/a/", ports=STANDARD_PORTS)
    assert redirected(start, location, ports=STANDARD_PORTS).url == leads_to


@pytest.mark.parametrize(
    "location",
    ["http://shop.example/", "ftp://a/", "file:///etc/passwd", "//me@shop.example/", "https://shop.example:22/", "//[",
     "\thttps://shop.example/", "https://\u2100.example/", "mailto:a@b"],
)  # fmt: skip
def test_a_redirect_is_judged_as_a_url_is(location: str) -> None:
    start = parse_url("https://shop.example/a/", ports=STANDARD_PORTS)
    with pytest.raises(FetchRefused):
        redirected(start, location, ports=STANDARD_PORTS)


@given(st.text() | st.from_regex(r"https?://[^/]*(/.*)?", fullmatch=True))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        target = parse_url(text, ports=STANDARD_PORTS)
    except FetchRefused:
        return
    assert target.path.isascii()
    assert target.path.isprintable()
    assert " " not in target.path
    assert parse_url(target.url, ports=STANDARD_PORTS) == target


@given(st.text())
def test_any_redirect_is_a_url_or_refused(location: str) -> None:
    start = parse_url("https://shop.example/a/", ports=STANDARD_PORTS)
    try:
        following = redirected(start, location, ports=STANDARD_PORTS)
    except FetchRefused:
        return
    assert following.scheme == "https"
