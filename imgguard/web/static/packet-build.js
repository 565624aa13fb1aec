// What a packet is to be about, what for, and having it built.
import { Problem, askPatiently, freshKey, read } from "./api.js";
import { byId, element } from "./dom.js";
import { tell } from "./problem.js";
import { say, visible, words } from "./words.js";

const MOST = 20;
const KINDS = {
  fnd: { path: "/v1/checks/", text: words.packets.a_check },
  ref: { path: "/v1/references/", text: words.packets.an_original },
};
const ID = /^(fnd|ref)_[0-9a-z]{1,40}$/;

/** `ids` are chosen already; `done` is called with the packet. */
export function builder(ids, announce, done) {
  const form = byId("build-form");
  const told = byId("build-told");
  const field = byId("subject");
  const submit = byId("build-submit");
  const chosen = new Map();

  function wrong(title, hint) {
    tell(told, new Problem({ title, hint }));
    field.focus();
  }

  async function nameIt(id, label) {
    const { path, text } = KINDS[id.slice(0, 3)];
    try {
      const found = await read(path + encodeURIComponent(id));
      label.textContent = say(text, { file: visible(found.file ?? id) });
    } catch (problem) {
      label.textContent = problem.title;
      label.classList.add("bad");
    }
  }

  function take(id) {
    chosen.get(id).remove();
    chosen.delete(id);
    field.focus();
  }

  /** Whether it is among the chosen now. */
  function add(id) {
    if (!ID.test(id)) return wrong(words.packets.wrong_id, words.packets.wrong_id_hint);
    if (chosen.has(id)) return true;
    if (chosen.size === MOST) return wrong(words.packets.too_many, words.packets.too_many_hint);
    const label = element("bdi", { class: "name" }, words.packets.looking);
    const out = element("button", { type: "button", class: "remove", "aria-label": say(words.packets.take_out, { name: id }), onclick: () => take(id) }, "×");
    const item = element("li", {}, element("div", {}, label, " ", element("code", { class: "soft" }, id)), out);
    chosen.set(id, item);
    byId("subjects").append(item);
    nameIt(id, label);
    return true;
  }

  /** Whether all that stands in the field is among the chosen now; several may be pasted at once. */
  function addTyped() {
    told.replaceChildren();
    const typed = field.value.split(/[\s,;]+/).filter(Boolean);
    const isGood = typed.every(add);
    if (isGood) {
      field.value = "";
      field.removeAttribute("aria-invalid");
    } else field.setAttribute("aria-invalid", "true");
    return isGood;
  }

  function asked() {
    const given = new FormData(form);
    const whose = given.get("on_behalf_of").trim();
    return {
      ids: [...chosen.keys()],
      purpose: given.get("purpose"),
      with_originals: given.has("with_originals"),
      ...(whose ? { on_behalf_of: whose } : {}),
    };
  }

  async function build(event) {
    event.preventDefault();
    if (!addTyped()) return;
    if (!chosen.size) {
      wrong(words.packets.nothing, words.packets.nothing_hint);
      return;
    }
    const progress = (text) => {
      submit.textContent = text;
      announce(text);
    };
    submit.disabled = true;
    progress(words.packets.building);
    try {
      const busy = (seconds) => progress(say(words.packets.later, { seconds }));
      const response = await askPatiently("POST", "/v1/packets", { json: asked(), key: freshKey() }, busy);
      announce(words.packets.built);
      done(await response.json());
    } catch (problem) {
      announce("");
      tell(told, problem);
    } finally {
      submit.disabled = false;
      submit.textContent = words.packets.submit;
    }
  }

  byId("subject-add").addEventListener("click", addTyped);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !field.value.trim()) return;
    event.preventDefault(); // it adds, and does not build yet
    addTyped();
  });
  form.addEventListener("submit", build);
  ids.forEach(add);
}
