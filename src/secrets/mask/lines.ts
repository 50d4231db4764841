/** Nobody breaks base64 into shorter lines, and few lines of other texts end with so many of its characters. */
const SHORTEST_LINE = 48;
/** Before the next line, where it is indented. */
const MOST_BLANKS = 64;

const BASE64 = new Uint8Array(256);
for (const letter of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"))
  BASE64[letter] = 1;

/** Is it a character of base64, of either alphabet? */
export function isBase64(byte: number | undefined): boolean {
  return byte !== undefined && BASE64[byte] === 1;
}

/** Base64 in lines one below the other. */
export interface Block {
  /** Without what is between the lines. */
  readonly text: Buffer;
  /** Where each line begins, in the text and in the data. */
  readonly lines: readonly { readonly inText: number; readonly inData: number }[];
  /** It may go on behind the data. */
  readonly open: boolean;
}

/** @returns where in the data the character of the text is. */
export function placeOf({ lines }: Block, at: number): number {
  let line = lines.length - 1;
  while (line > 0 && at < (lines[line]?.inText ?? 0)) line--;
  const { inText = 0, inData = 0 } = lines[line] ?? {};
  return inData + at - inText;
}

/**
 * Finds what is of at least two lines, and what may be when there is more data. A line end is one inside base64 when 48 of its
 * characters stand right before it. Most bytes of other texts are not looked at.
 *
 * @param behind how many characters of base64 stood right before the data.
 */
export function blocksOf(data: Buffer, behind: number): Block[] {
  const blocks: Block[] = [];
  // Not -behind: -0 is no integer to the runtime, and what follows three times as slow.
  for (let start = 0 - behind; ; ) {
    const found = nextRun(data, start);
    if (found === null) return blocks;
    const { block, end } = blockAt(data, Math.max(0, found), runEnd(data, Math.max(0, found + SHORTEST_LINE)));
    if (block.open || block.lines.length > 1) blocks.push(block);
    start = end + 1;
  }
}

/** How many characters of base64 stand right before `at`, as far as it matters. */
export function runBefore(data: Buffer, at: number, behind: number): number {
  let start = at;
  while (start > 0 && at - start < SHORTEST_LINE && isBase64(data[start - 1])) start--;
  return Math.min(SHORTEST_LINE, at - start + (start === 0 ? behind : 0));
}

/** The next place from which on there are enough characters for a line; may be before the data. */
function nextRun(data: Buffer, from: number): number | null {
  const { length } = data;
  let start = from;
  for (let last = from + SHORTEST_LINE - 1; last < length; last = start + SHORTEST_LINE - 1) {
    const first = Math.max(start, 0);
    let at = last;
    while (at >= first && BASE64[data[at] as number] === 1) at--;
    if (at < first) return start;
    start = at + 1;
  }
  return null;
}

function runEnd(data: Buffer, from: number): number {
  let at = from;
  while (at < data.length && BASE64[data[at] as number] === 1) at++;
  return at;
}

/** @param end of the first line, which is long enough. */
function blockAt(data: Buffer, start: number, end: number): { block: Block; end: number } {
  const parts = [data.subarray(start, end)];
  const lines = [{ inText: 0, inData: start }];
  let [inText, last, isLong] = [end - start, end, true];
  let open = end === data.length;
  while (isLong && !open) {
    const next = nextLine(data, last);
    if (next === null) break;
    const stop = runEnd(data, next);
    open = stop === data.length;
    if (stop === next) break;
    parts.push(data.subarray(next, stop));
    lines.push({ inText, inData: next });
    isLong = stop - next >= SHORTEST_LINE;
    inText += stop - next;
    last = stop;
  }
  return { block: { text: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), lines, open }, end: last };
}

/** Where the next line begins; the data's end where that is not known yet; null: there is no line end. */
function nextLine(data: Buffer, from: number): number | null {
  let at = from;
  if (data[at] === 13) at++;
  if (at === data.length) return at;
  if (data[at] !== 10) return null;
  at++;
  for (const most = at + MOST_BLANKS; at < most && (data[at] === 32 || data[at] === 9); ) at++;
  return at;
}
