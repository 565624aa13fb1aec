"""Policies: who is trusted, and when that is enough."""

from itertools import combinations

import pytest
from small_log import LOG, key

from imgguard.errors import PolicyInvalid
from imgguard.provenance.notes import COSIGNATURE, Signer, VerifierKey
from imgguard.provenance.policy import Policy, parse_policy

KEYS = {
    name: Signer(f"{name.lower()}.example.org", key(name), key_type=COSIGNATURE).key
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}
X1, X2 = KEYS["X1"].text, KEYS["X2"].text


def parse(*lines: str) -> Policy:
    return parse_policy("".join(f"{line}\n" for line in lines).encode())


EXAMPLE = (
    "# the example of the specification",
    f"log {LOG.key.text} https://log.example.org/",
    "",
    *(f"witness {name} {one.text}" for name, one in KEYS.items()),
    " \t group\tX-witnesses  2 X1 X2 X3\t",
    "group Y-witnesses any Y1 Y2 Y3",
    "\t# indented",
    "group X-and-Y all X-witnesses Y-witnesses",
    "quorum X-and-Y",
)


def test_the_example_of_the_specification_holds_for_exactly_the_right_sets() -> None:
    policy = parse(*EXAMPLE)
    assert policy.log_keys == (LOG.key,)
    assert policy.logs[0].url == "https://log.example.org/"
    assert policy.witness_keys == tuple(KEYS.values())
    for count in range(7):
        for names in combinations(KEYS, count):
            wanted = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
            assert policy.quorum_holds([KEYS[name] for name in names]) == wanted, names


def test_a_single_witness_or_none_can_be_the_quorum() -> None:
    one = parse(f"witness X1 {X1}", f"witness X2 {X2}", "quorum X1")
    assert one.quorum_holds([KEYS["X1"]])
    assert not one.quorum_holds([KEYS["X2"], KEYS["Y1"]])
    assert parse("quorum none").quorum_holds([])


def test_a_key_counts_by_itself_not_by_its_name_or_bytes_alone() -> None:
    policy = parse(f"witness X1 {X1}", "quorum X1")
    renamed = VerifierKey.of("else.example.org", COSIGNATURE, KEYS["X1"].public_key)
    assert not policy.quorum_holds([renamed])


def test_a_witness_of_an_unknown_type_can_be_named_and_never_counts() -> None:
    quantum = VerifierKey.of("q.example.org", 0x06, b"\1" * 1312)
    policy = parse(f"witness Q {quantum.text}", f"witness X1 {X1}", "group any-of any Q X1", "quorum any-of")
    assert policy.quorum_holds([KEYS["X1"]])
    assert not policy.quorum_holds([])


def test_names_are_bytes() -> None:
    kelvin = b"K\xe2\x84\xaa\xff"
    policy = parse_policy(b"witness " + kelvin + f" {X1}\nwitness K {X2}\nquorum ".encode() + kelvin + b"\n# \xff\n")
    assert policy.quorum_holds([KEYS["X1"]])
    assert not policy.quorum_holds([KEYS["X2"]])


def test_many_logs_witnesses_and_groups() -> None:
    keys = [Signer(f"w{number}", key(f"w{number}"), key_type=COSIGNATURE).key for number in range(64)]
    logs = [Signer(f"l{number}", key(f"l{number}")).key for number in range(64)]
    lines = [f"log {one.text}" for one in logs]
    lines += [f"witness {one.name} {one.text}" for one in keys]
    lines += ["group g0 all w0", *(f"group g{number} all g{number - 1} w{number}" for number in range(1, 64))]
    policy = parse(*lines, "quorum g63")
    assert policy.quorum_holds(keys)
    assert not policy.quorum_holds(keys[1:])


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ((), "no line says"),
        (("# only this",), "no line says"),
        (("quorum none", "quorum none"), "line 2: a line before"),
        (("quorum X1",), "line 1: nothing before it"),
        (("quorum X1", f"witness X1 {X1}"), "line 1: nothing before it"),
        (("quorum",), "line 1: it is not"),
        (("quorum none none",), "line 1: it is not"),
        (("Quorum none",), "line 1: it is not"),
        (("witnesses",), "line 1: it is not"),
        (("log",), "line 1: it is not"),
        ((f"log {LOG.key.text} a b",), "line 1: it is not"),
        (("log x",), "line 1: this is not the text of a key"),
        ((f"log {X1}",), "line 1: .* key of a witness"),
        ((f"witness X1 {LOG.key.text}",), "line 1: .* key of a log"),
        ((f"log {LOG.key.text}", f"log {LOG.key.text}"), "line 2: .* on a line before"),
        (
            (f"log {LOG.key.text}", f"log {VerifierKey.of('other', 1, LOG.key.public_key).text}"),
            "line 2: .* on a line before",
        ),
        ((f"witness a {X1}", "", f"witness b {X1}"), "line 3: .* on a line before"),
        ((f"witness a {X1}", f"witness a {X2}"), "line 2: the name 'a' is taken"),
        ((f"witness none {X1}",), "line 1: the name 'none' is taken"),
        ((f"witness a {X1}", "group a all a"), "line 2: the name 'a' is taken"),
        ((f"witness a {X1}", "group none all a"), "line 2: the name 'none' is taken"),
        ((f"witness a {X1}", "group b all none"), "line 2: nothing before it"),
        ((f"witness a {X1}", "group b all b"), "line 2: nothing before it"),
        ((f"witness a {X1}", "group b all c", f"witness c {X2}"), "line 2: nothing before it"),
        ((f"witness a {X1}", "group b all a a"), "line 2: 'a' is in a group already"),
        ((f"witness a {X1}", "group b all a", "group c all a"), "line 3: 'a' is in a group already"),
        ((f"witness a {X1}", "group b all"), "line 2: it is not"),
        ((f"witness a {X1}", "group b 0 a"), "line 2: '0' is not"),
        ((f"witness a {X1}", "group b 2 a"), "line 2: '2' is not"),
        ((f"witness a {X1}", "group b 01 a"), "line 2: '01' is not"),
        ((f"witness a {X1}", "group b -1 a"), "line 2: '-1' is not"),
        ((f"witness a {X1}", "group b ALL a"), "line 2: 'ALL' is not"),
        ((f"witness a {X1}", f"group b {'9' * 5000} a"), "line 2: '9+' is not"),
        (("quorum\u00a0none",), "line 1: it is not"),
        (("quorum none\r",), "line 1: it has a control"),
        (("quorum\vnone",), "line 1: it has a control"),
        (("# \x7f", "quorum none"), "line 1: it has a control"),
        (("# \0", "quorum none"), "line 1: it has a control"),
    ],
)
def test_what_is_no_policy_and_in_which_line(lines: tuple[str, ...], wanted: str) -> None:
    with pytest.raises(PolicyInvalid, match=f"^{wanted}"):
        parse(*lines)


def test_policies_are_bounded_and_end_with_a_newline() -> None:
    with pytest.raises(PolicyInvalid, match="65536 bytes"):
        parse_policy(b"#" * 65_536 + b"\n")
    with pytest.raises(PolicyInvalid, match="line 2: it does not end"):
        parse_policy(b"# cut\nquorum none")
    many = [Signer(f"w{number}", key(f"w{number}")).key for number in range(129)]
    with pytest.raises(PolicyInvalid, match="line 129: there are more than 128"):
        parse(*(f"log {one.text}" for one in many))
