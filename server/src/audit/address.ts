import { isIPv4, isIPv6 } from "node:net";

/** Bits of an address that are kept: enough to find a network, too few to find a person. */
const AUDIT = { v4: 24, v6: 48 };

/** The network that an address is in, `192.0.2.0/24` or `2001:db8:1::/48`; `unknown` for what is no address. */
export function networkOf(address: string, bits: { readonly v4: number; readonly v6: number } = AUDIT): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (isIPv4(plain)) return `${masked(plain.split(".").map(Number), 8, bits.v4).join(".")}/${bits.v4}`;
  if (!isIPv6(plain)) return "unknown";
  const groups = masked(groupsOf(plain), 16, bits.v6).slice(0, Math.ceil(bits.v6 / 16));
  return `${groups.map((group) => group.toString(16)).join(":")}::/${bits.v6}`;
}

/** @param size bits of one part; @param keep bits from the left that stay. */
function masked(parts: readonly number[], size: number, keep: number): number[] {
  return parts.map((part, at) => {
    const drop = Math.min(size, Math.max(0, (at + 1) * size - keep));
    return (part >> drop) << drop;
  });
}

/** The eight groups of an IPv6 address, `::` filled up. */
function groupsOf(address: string): number[] {
  const dotted = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const [high, low] = [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)];
    return `${high.toString(16)}:${low.toString(16)}`;
  });
  const [left = "", right] = dotted.split("::");
  const [head, tail] = [left, right ?? ""].map((part) => part.split(":").filter((group) => group !== ""));
  const gap = right === undefined ? 0 : 8 - (head?.length ?? 0) - (tail?.length ?? 0);
  return [...(head ?? []), ...Array<string>(gap).fill("0"), ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
}
