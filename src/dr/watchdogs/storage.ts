import { span } from "../../kit/when.ts";
import type { Watchdog } from "./watched.ts";

/** Storage refuses or does not answer: at once, since from that moment on nothing is proven. */
export const storageTrouble: Watchdog = ({ storageTrouble: trouble, now }) =>
  trouble
    ? [{ kind: "storage", subject: "", sentence: `${trouble.message} (for ${span(Math.max(0, now - trouble.since))})` }]
    : [];
