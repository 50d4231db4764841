/** Samples of each size; the fastest counts: the others measure a collection of garbage, or a compilation. */
const SAMPLES = 7;
const TIMES = 16;

/** Between what grows with the length (16) and what grows with its square (256). */
export const LINEAR = 64;

/**
 * How much longer `work` takes on sixteen times the input.
 * @param size of the larger input. Choose it so that a sixteenth of it is work that can be measured.
 */
export async function growth(work: (size: number) => unknown, size: number): Promise<number> {
  const sizes = [size, Math.ceil(size / TIMES)];
  const [large = 0, small = 0] = await race(sizes.map((of) => () => work(of)));
  return large / small;
}

/**
 * Microseconds of the fastest of some runs of each, after one that does not count. Of this process's own time on a processor:
 * by the clock on the wall, a long run on a machine with much else to do is never undisturbed, and a short one is.
 */
export async function race(works: readonly (() => unknown)[]): Promise<number[]> {
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let sample = 0; sample <= SAMPLES; sample++)
    for (const [i, work] of works.entries()) {
      const start = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(start);
      if (sample > 0) best[i] = Math.min(best[i] ?? 0, user + system);
    }
  return best;
}
