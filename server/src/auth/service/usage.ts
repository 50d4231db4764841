import type { Millis } from "@alai/core";
import type { SecurityStore, ServiceToken } from "../store/store.ts";

const HOUR: Millis = 3_600_000;
const SOON: Millis = 30_000;

/** When tokens were used last, to the hour: one write an hour and token, off the path of requests. */
export interface Usage {
  note(token: ServiceToken): void;
  close(): Promise<void>;
}

export function createUsage(
  store: Pick<SecurityStore, "touchTokens">,
  clock: () => Millis,
  warn: (message: string, error?: unknown) => void,
): Usage {
  const noted = new Map<string, Millis>();
  const pending = new Map<string, Millis>();
  let timer: NodeJS.Timeout | undefined;

  const write = async () => {
    timer = undefined;
    const uses = new Map(pending);
    pending.clear();
    try {
      if (uses.size > 0) await store.touchTokens(uses);
    } catch (error) {
      warn("the last use of service tokens cannot be kept", error);
    }
  };
  return {
    note({ hash, lastUsed }) {
      const hour = Math.floor(clock() / HOUR) * HOUR;
      if (noted.get(hash) === hour || (lastUsed ?? 0) >= hour) return;
      noted.set(hash, hour);
      pending.set(hash, hour);
      timer ??= setTimeout(() => void write(), SOON).unref();
    },
    async close() {
      clearTimeout(timer);
      await write();
    },
  };
}
