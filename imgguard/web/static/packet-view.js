// A packet in words: since when there is proof, what is missing, what speaks against it, and how others verify it.
import { element, terms } from "./dom.js";
import { bytes, exactly, say, visible, when, words } from "./words.js";

const FILE = ".asice";

export function addressOf(packet) {
  return `/v1/packets/${encodeURIComponent(packet.packet_id)}/file`;
}

export function stateOf(packet) {
  return say(words.packet_states[packet.state] ?? packet.state, { when: when(packet.expires_at) });
}

export function purposeOf(packet) {
  return words.purposes[packet.purpose]?.label ?? packet.purpose ?? "";
}

export function countsOf(packet) {
  return say(words.packets.counts, { references: packet.references.length, findings: packet.findings.length });
}

function bounds(reference) {
  const id = reference.reference_id;
  if (!reference.existed_no_later_than.length) return [element("li", {}, say(words.packets.no_bound, { reference: id }))];
  return reference.existed_no_later_than.map((bound) =>
    element(
      "li",
      { class: `bound ${bound.trust}` },
      say(words.packets.bound, { reference: id, when: exactly(bound.at), by: visible(bound.by) }),
      element("span", { class: "soft" }, ` (${words.independence[bound.trust] ?? bound.trust})`),
    ),
  );
}

function remarks(title, found, none) {
  const list = found.map((one) => element("li", {}, visible(one.detail)));
  return [element("h3", {}, title), list.length ? element("ul", {}, ...list) : element("p", { class: "soft" }, none)];
}

function receiver(packet) {
  const command = `imgguard packet verify ${packet.packet_id}${FILE} --level timestamped --trust trust.toml`;
  return [
    element("h3", {}, words.packets.receiver),
    element("p", {}, words.packets.receiver_how),
    element("p", { class: "command" }, element("code", {}, command)),
    element("p", {}, words.packets.receiver_trust),
    element("p", {}, element("a", { class: "button", href: "/v1/packets/trust", download: "trust.toml" }, words.packets.trust_file)),
  ];
}

/** The elements that say it; the first is the title. */
export function packetView(packet) {
  const at = when(packet.created_at);
  const isKept = packet.state === "kept";
  const title = element("h2", { id: "made-title" }, say(words.packets.made, { when: at }));
  const facts = terms([
    [words.packets.for, purposeOf(packet)],
    [words.packets.whose, packet.on_behalf_of ? element("bdi", {}, visible(packet.on_behalf_of)) : null],
    [words.packets.about, countsOf(packet)],
    [words.packets.kept_until, isKept ? when(packet.expires_at) : stateOf(packet)],
    [words.packets.size, packet.byte_length ? bytes(packet.byte_length) : null],
    [words.packets.digest, packet.sha256 ? element("code", {}, packet.sha256) : null],
    [words.verify.packet, element("code", {}, packet.packet_id)],
  ]);
  if (packet.state === "erased") return [title, facts];
  const download = element("a", { class: "button primary", href: addressOf(packet), download: packet.packet_id + FILE }, words.packets.download);
  return [
    title,
    isKept ? element("p", {}, download) : null,
    facts,
    element("h3", {}, words.packets.since),
    element("ul", {}, ...packet.references.flatMap(bounds)),
    ...remarks(words.packets.missing, packet.missing, words.packets.nothing_missing),
    ...remarks(words.packets.against, packet.against, words.packets.nothing_against),
    element("p", { class: "note" }, words.packets.proof),
    ...(isKept ? receiver(packet) : []),
  ].filter((one) => one !== null);
}
