// What the page says. One file for all of it, so that it can be said in another language.
const answer = await fetch(new URL("./words.json", import.meta.url));

export const words = await answer.json();

/** `text` with {name} replaced by values.name. */
export function say(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Names come from strangers: characters that leave no mark or turn the text around are written out. */
export function visible(text) {
  return String(text ?? "").replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u2800\u3164\uffa0]/gu, (sign) => {
    return `\\u{${sign.codePointAt(0).toString(16)}}`;
  });
}

/** A share (0 to 1): never rounded to 0 % or 100 % unless it is. */
export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share > 0.99 && share < 1) return "> 99 %";
  return `${Math.round(100 * share)} %`;
}

const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function when(iso) {
  return times.format(new Date(iso));
}

/** To the second and in UTC: what is proven of times is compared across the world, as packets write it. */
export function exactly(iso) {
  return `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A size in bytes, in a unit that people read. */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  const step = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const value = count / 1000 ** step;
  return `${step && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}
