/** Bytes to look for in what a command prints. */
export interface Needle {
  readonly bytes: Buffer;
  /** The byte behind it, where that is one of base64, holds the last bits of the secret too. */
  readonly right: boolean;
  /** It is base64, which is broken into lines. */
  readonly coded: boolean;
}

/** A shorter value is found in harmless words everywhere. Characters. */
export const SHORTEST = 5;

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Every way in which programs are known to write a secret: as it is, its lines one by one, base64 wherever it stands in what was
 * encoded, percent- and JSON-escaped.
 */
export function needlesFor(secrets: readonly string[]): Needle[] {
  const found = new Map<string, Needle>();
  for (const { text, right, coded } of secrets.filter(isLongEnough).flatMap(formsOf)) {
    const known = found.get(text);
    const flags = { right: right || known?.right === true, coded: coded || known?.coded === true };
    found.set(text, { bytes: Buffer.from(text, "utf8"), ...flags });
  }
  return [...found.values()];
}

interface Form {
  readonly text: string;
  readonly right: boolean;
  readonly coded: boolean;
}

function formsOf(secret: string): Form[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const wholes = [secret, secret.replaceAll(/\r?\n/g, "\r\n"), secret.trim()].filter(isLongEnough);
  const plain = [...new Set([...wholes, ...lines.filter(isLongEnough)])];
  const texts = plain.flatMap((text) => [text, ...percentForms(text), ...jsonForms(text)]);
  return [...texts.map((text) => ({ text, right: false, coded: false })), ...wholes.flatMap(base64Forms)];
}

export function isLongEnough(secret: string): boolean {
  return [...secret].length >= SHORTEST;
}

/** As JavaScript, Python, curl, forms and Go write it; hexadecimal in both cases. */
function percentForms(text: string): string[] {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  const component = encodeURIComponent(whole);
  const strict = component.replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  const forms = [
    component,
    strict,
    strict.replaceAll("%2F", "/"),
    encodeURI(whole),
    strict.replaceAll("%20", "+").replaceAll("%2A", "*"),
    strict.replaceAll("%20", "+").replaceAll("~", "%7E"),
  ];
  return forms.flatMap((form) => [form, form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/** Inside the quotes: as JavaScript, PHP (`\/`), Python (ASCII only) and Go (no `<`) write it, and JSON within JSON. */
function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const ascii = escapeUnits(plain, /[\u007f-\uffff]/g);
  const html = escapeUnits(plain, /[<>&\u2028\u2029]/g);
  const once = [plain, ascii, html, plain.replaceAll("/", "\\/"), ascii.replaceAll("/", "\\/")];
  const upper = ascii.replaceAll(/\\u[0-9a-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`);
  return [...once, upper, JSON.stringify(plain).slice(1, -1)];
}

function escapeUnits(text: string, which: RegExp): string {
  return text.replaceAll(which, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * The characters of base64 that the secret alone decides, for each place it may begin at within three bytes; before them each
 * character that has some of its bits, with whatever stood before it.
 */
function base64Forms(text: string): Form[] {
  const bytes = Buffer.from(text, "utf8");
  return [0, 1, 2].flatMap((offset) => {
    const coded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const bits = 8 * (offset + bytes.length);
    const core = coded.slice(Math.ceil((8 * offset) / 6), Math.floor(bits / 6));
    const unknown = (8 * offset) % 6;
    const partial = unknown === 0 ? "" : (coded[Math.floor((8 * offset) / 6)] ?? "");
    const texts = partial === "" ? [core] : sharing(partial, unknown).map((first) => first + core);
    const forms = texts.flatMap((form) => [form, urlSafe(form)]);
    return forms.map((form) => ({ text: form, right: bits % 6 !== 0, coded: true }));
  });
}

/** Characters with the low bits of `character` and any `unknown` high bits. */
function sharing(character: string, unknown: number): string[] {
  const low = STANDARD.indexOf(character) & ((1 << (6 - unknown)) - 1);
  return Array.from({ length: 1 << unknown }, (_, high) => STANDARD[(high << (6 - unknown)) | low] ?? "");
}

function urlSafe(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_");
}
