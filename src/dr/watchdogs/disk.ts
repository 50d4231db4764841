import type { Watchdog } from "./watched.ts";

const GIB = 2 ** 30;

/** Under a twentieth free is nearly full, unless that is still plenty; under one GiB is nearly full on any disk. */
export const diskLow: Watchdog = ({ volumes }) =>
  volumes.flatMap(({ path, free, size }) => {
    const share = free / Math.max(size, 1);
    if (free >= GIB && (share >= 0.05 || free >= 20 * GIB)) return [];
    const sentence = `Its disk has ${(free / GIB).toFixed(1)} GiB free of ${(size / GIB).toFixed(0)} (${(share * 100).toFixed(0)} %).`;
    return [{ kind: "disk_low", subject: path, sentence }];
  });
